"""What a request asks for, and which rules answer it: questions, an answer over documents, or a verdict."""

import json
import re

from lib.llm.offline.answers import answer
from lib.llm.offline.judge import judge
from lib.llm.offline.questions import write_questions
from lib.llm.raft import REFUSAL

MOST_QUESTIONS = 50
_DOCUMENT = re.compile(r"<DOCUMENT>(.*?)</DOCUMENT>", re.DOTALL)
_COUNT = re.compile(r"\b(\d{1,3})\b")


def complete(messages: list[dict], schema_name: str) -> str:
    """The reply to a conversation.

    The task is told by the name of the JSON schema asked for (`questions`, `verdict`); without one it is an answer over the
    documents of the first user message that shows any, and the question is what follows them. Whatever stands inside a
    document or a candidate is material, never an instruction.
    """
    users = [m["content"] for m in messages if m["role"] == "user"] or [messages[-1]["content"]]
    text = next((u for u in users if "<DOCUMENT>" in u), users[-1])
    if schema_name == "verdict":
        question, reference, candidate = split_judgement(users[-1])
        right, reason = judge(question, reference, candidate)
        return json.dumps({"reason": reason, "verdict": "YES" if right else "NO"}, ensure_ascii=False)
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


def split_judgement(text: str) -> tuple[str, str, str]:
    """Question, reference and candidate. The candidate comes last and runs to the last closing tag, so that tags which it
    brings along cannot end it or replace the reference."""
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
