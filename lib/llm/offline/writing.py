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
_COINED = re.compile(r"[a-z][A-Z]|[A-Z]{2}|\d|[_.-]")
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
    """What somebody needs who does not know the API: never its name, nor a sentence whose subject the name was."""
    fields = _fields(document)
    domain = fields.get("domain", "")
    needs = _needs(fields)
    told = f" It is for {domain}." if domain and not any(domain.casefold() in need.casefold() for need in needs) else ""
    found = [f"I need this in a program of mine: {need}.{told} Which call does it?" for need in needs]
    found += [f"Somebody asks for the following: {need}.{told} What do I call?" for need in needs]
    return found[:n]


def _needs(fields: dict[str, str]) -> list[str]:
    """What the API is for and what it is; a bare topic, which many share, goes with what tells it from the others."""
    call = fields.get("api_call", "")
    known = [fields.get("api_name", ""), *re.findall(r"model(?:_name)?=['\"]([\w./-]+)['\"]", call)]
    parts = [
        part
        for name in known
        for part in (name, name.rpartition("/")[2], *re.findall(r"[A-Za-z]{4,}\d\w*?(?=_|$)", name))
    ]
    names = {part for part in parts if len(_letters(part)) > 2}
    topic = fields.get("functionality", "").strip().rstrip(".")
    if _tells(topic, names):
        topic = ""
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z])", fields.get("description", ""))
    said = (_without_subject(sentence.strip().rstrip("."), not place) for place, sentence in enumerate(sentences))
    told = [need for need in said if need and not _tells(need, names)][:2]
    if topic and len(topic.split()) <= 4:
        return [f"{topic}: {need}" for need in told] or [topic]
    return [need for need in (topic, *told[:1]) if need] or [need for need in (fields.get("domain", ""),) if need]


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()


def _tells(need: str, names: set[str]) -> bool:
    """Whether a need gives away the API: it holds its name, or is a single coined word ("RoBERTa", "IBN-Net")."""
    if " " not in need and _COINED.search(need):
        return True
    for name in names:  # a name that is a plain word ("birds") is one only where it is not written as that word
        if _letters(name) in _letters(
            need if _COINED.search(name) else " ".join(w for w in need.split() if w.lower() != w)
        ):
            return True
    return False


def _without_subject(sentence: str, is_first: bool) -> str:
    """ "X is a network for roads" → "a network for roads"; of sentences with another verb only the first may stay."""
    what = "(?:pre-?)?trained|used|designed|made|based"
    what = f"(?:an?|the|[a-z]+-[a-z]+|{what})" if is_first else f"(?:{what})"
    match = re.match(rf"[^,.]{{1,80}}?\s(?:is|are|was|were)\s({what}\s.*)$", sentence)
    if match and not re.match(r"(?:In|By|From|Here|We|Our)\b", sentence):
        return re.split(r",? and (?:it|they|has|have)\b", match[1])[0]
    return sentence if is_first and not re.match(r"(?:It|They|This|These|We|Our)\b", sentence) else ""


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
