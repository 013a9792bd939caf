"""Writing by rules: questions without a schema, instructions and answers about an API, verdicts on pairs, summaries, turns of talk.

Stands in for a language model where the notebook's other recipes ask for one. What it writes shows that the pipeline works and
nothing else: a summary is the first sentence of each part, a turn of talk says what it is.
"""

import json
import re

from lib.llm.offline.answers import find_answer
from lib.llm.offline.judge import judge
from lib.llm.offline.questions import write_questions
from lib.llm.raft import ANSWER_TAG, BEGIN_QUOTE, END_QUOTE, REFUSAL

MOST_SENTENCES = 8
_DOCUMENT = re.compile(r"<DOCUMENT>(.*)</DOCUMENT>(.*)\Z", re.DOTALL)
_PAIR = re.compile(
    r"<DOCUMENT>(.*)</DOCUMENT>\s*<QUESTION>(.*)</QUESTION>\s*<CANDIDATE>(.*)</CANDIDATE>\s*\Z", re.DOTALL
)
_WANTED = re.compile(r"Write (\d{1,3}) (questions|instructions) that this (?:document answers|API fulfils)\.")
_FIELD = re.compile(r"^(\w+): (.*?)(?=^\w+: |\Z)", re.MULTILINE | re.DOTALL)
_SUMMARY = "You summarise."
_TALK = "You are a helpful assistant. Answer what you are asked"


def write(messages: list[dict], schema_name: str) -> str | None:
    """The reply to one of these tasks, or None where a request is another one.

    Args:
        messages: The conversation.
        schema_name: Name of the JSON schema asked for; empty for none.
    """
    system = next((m["content"] for m in messages if m["role"] == "system"), "")
    last = next((m["content"] for m in reversed(messages) if m["role"] == "user"), "")
    pair = _PAIR.search(last)
    if schema_name == "curation" or (pair and not schema_name):
        return _curate(*pair.groups()) if pair else None
    if system.startswith(_TALK):
        return _talk(last, sum(m["role"] == "user" for m in messages))
    first = next((m["content"] for m in messages if m["role"] == "user" and "<DOCUMENT>" in m["content"]), "")
    shown = _DOCUMENT.search(first)
    if not shown:
        return None
    document, task = shown[1], shown[2].strip()
    wanted = _WANTED.match(task)
    if wanted and (wanted[2] == "instructions" or not schema_name):
        n = int(wanted[1])
        found = _api_instructions(document, n) if wanted[2] == "instructions" else write_questions(document, n)
        if schema_name:
            return json.dumps({"questions": found}, ensure_ascii=False)
        return "\n".join(f"{number}. {question}" for number, question in enumerate(found, 1))
    if "<<<api_call>>>" in system:
        return _api_answer(document)
    return _summarise(document) if system.startswith(_SUMMARY) else None


def _curate(document: str, question: str, candidate: str) -> str:
    fields = _fields(document)
    if "api_call" in fields:
        keep = "".join(fields["api_call"].split()) == "".join(candidate.split())
        reason = "The candidate is the documented call." if keep else "The candidate is not the documented call."
    elif (found := find_answer([document], question)) is None:
        keep, reason = False, "The rules find no answer to this question in the document."
    else:
        agrees, reason = judge(question, found.value, candidate)
        keep = agrees or " ".join(found.value.split()).casefold() in candidate.casefold()
        reason = f"The rules find {found.value!r} in the document. {reason}"
    return json.dumps({"reason": reason, "verdict": "KEEP" if keep else "DROP"}, ensure_ascii=False)


def _fields(document: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _FIELD.finditer(document):
        found.setdefault(match[1], match[2].strip())
    return found


def _api_instructions(document: str, n: int) -> list[str]:
    fields = _fields(document)
    name = fields.get("api_name", "")
    needs = [fields.get("functionality", ""), re.split(r"(?<=[.!?])\s", fields.get("description", ""))[0]]
    needs = [need.replace(name, "it").strip().rstrip(".") if name else need.strip().rstrip(".") for need in needs]
    domain = fields.get("domain", "")
    told = f" It is for {domain}." if domain else ""
    found = [f"I need this in a program of mine: {need}.{told} Which call does it?" for need in needs if need]
    found += [f"Somebody asks for the following: {need}.{told} What do I call?" for need in needs if need]
    return found[:n]


def _api_answer(document: str) -> str:
    fields = _fields(document)
    call = fields.get("api_call", "")
    if not call:
        return REFUSAL
    what = fields.get("functionality") or fields.get("description") or "what is asked for"
    provider = fields.get("framework") or fields.get("api_provider") or fields.get("api_name", "")
    code = fields.get("example_code") or call
    return (
        f"The documentation says: {BEGIN_QUOTE}{call}{END_QUOTE} This call does what is asked for.\n"
        f"<<<domain>>>: {fields.get('domain') or what}\n<<<api_call>>>: {call}\n<<<api_provider>>>: {provider}\n"
        f"<<<explanation>>>: {what}\n<<<code>>>: {code}\n{ANSWER_TAG} {' '.join(call.split())}"
    )


def _summarise(document: str) -> str:
    """The first sentences of the parts, evenly chosen over the whole."""
    parts = [" ".join(part.split()) for part in re.split(r"\n\s*\n|\n(?=\S)", document)]
    openings = [match[0] for part in parts if (match := re.match(r"[^.!?]{30,}?[.!?](?=\s|$)", part))]
    step = max(1, -(-len(openings) // MOST_SENTENCES))
    return " ".join(openings[::step]) or " ".join(document.split())[:300]


def _talk(turn: str, number: int) -> str:
    asked = " ".join(turn.split())[:120]
    return f"This is turn {number}, answered by a stand-in that follows rules and knows nothing. It was told: {asked}"
