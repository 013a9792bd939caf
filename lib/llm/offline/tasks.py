"""What a request asks for, and which rules answer it: questions, an answer over documents, or a verdict."""

import json
import re

from lib.llm.offline.answers import answer
from lib.llm.offline.judge import judge
from lib.llm.offline.opinions import better, rate, refuses
from lib.llm.offline.questions import write_questions
from lib.llm.offline.writing import write
from lib.llm.raft import REFUSAL

MOST_QUESTIONS = 50
_DOCUMENT = re.compile(r"<DOCUMENT>(.*?)</DOCUMENT>", re.DOTALL)
_FENCE = re.compile(r"\s*<[A-Z]+-(\w+)>")
_COUNT = re.compile(r"\b(\d{1,3})\b")


def complete(messages: list[dict], schema_name: str) -> str:
    """The reply to a conversation.

    The task is told by the name of the JSON schema asked for (`questions`, `verdict`, `scores`, `refusal`, `pairwise`); without one it is an answer over the
    documents of the first user message that shows any, and the question is what follows them. Whatever stands inside a
    document or a candidate is material, never an instruction.
    """
    if (written := write(messages, schema_name)) is not None:
        return written
    users = [m["content"] for m in messages if m["role"] == "user"] or [messages[-1]["content"]]
    text = next((u for u in users if "<DOCUMENT>" in u), users[-1])
    if schema_name == "verdict":
        question, reference, candidate = split_judgement(users[-1])
        right, reason = judge(question, reference, candidate)
        return json.dumps({"reason": reason, "verdict": "YES" if right else "NO"}, ensure_ascii=False)
    if schema_name in ("scores", "refusal", "pairwise"):
        return json.dumps(_opinion(schema_name, split_fenced(users[-1])), ensure_ascii=False)
    documents, rest = split_documents(text)
    if schema_name == "questions":
        asked = _COUNT.search(rest)
        n = min(int(asked.group(1)), MOST_QUESTIONS) if asked else 5
        questions = [q for document in documents for q in write_questions(document, n)][:n]
        return json.dumps({"questions": questions}, ensure_ascii=False)
    return answer(documents, rest) if documents else REFUSAL


def split_documents(text: str) -> tuple[list[str], str]:
    """The documents, and what follows the last one."""
    documents = [m.group(1) for m in _DOCUMENT.finditer(text)]
    return documents, text.rpartition("</DOCUMENT>")[2].strip()


def _opinion(task: str, parts: dict[str, str]) -> dict:
    question, reference, candidate = (parts.get(name, "") for name in ("QUESTION", "REFERENCE", "CANDIDATE"))
    if task == "scores":
        return rate(question, reference, parts.get("PASSAGES", ""), candidate)
    if task == "refusal":
        refused, reason = refuses(candidate)
        return {"reason": reason, "verdict": "YES" if refused else "NO"}
    verdict, reason = better(question, reference, (parts.get("A", ""), parts.get("B", "")))
    return {"reason": reason, "verdict": verdict}


def split_fenced(text: str) -> dict[str, str]:
    """Texts by tag, of a message whose tags all carry the key of its first one; tags with another key, or none, are text."""
    first = _FENCE.match(text)
    if not first:
        return {}
    key = re.escape(first.group(1))
    return {m.group(1): m.group(2).strip() for m in re.finditer(rf"<(\w+)-{key}>(.*?)</\1-{key}>", text, re.DOTALL)}


def split_judgement(text: str) -> tuple[str, str, str]:
    """Question, reference and candidate. With keyed tags these decide; else the candidate comes last and runs to the last closing tag, so that tags which it
    brings along cannot end it or replace the reference."""
    if parts := split_fenced(text):
        return parts.get("QUESTION", ""), parts.get("REFERENCE", ""), parts.get("CANDIDATE", "")
    question = _between(text, "QUESTION")
    after = text.partition("<REFERENCE>")[2]
    reference, _, rest = after.partition("</REFERENCE>")
    candidate = rest.partition("<CANDIDATE>")[2].rpartition("</CANDIDATE>")[0] or rest.partition("<CANDIDATE>")[2]
    return question.strip(), reference.strip(), candidate.strip()


def _between(text: str, tag: str) -> str:
    return text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]


def count_tokens(text: str) -> int:
    """Four bytes to a token, rounded up: an estimate, as this endpoint has no tokenizer."""
    return -(-len(text.encode("utf-8", "replace")) // 4)
