"""Questions that stand in a passage with a short answer below, as lists of questions and answers have them."""

import re
from collections.abc import Sequence

from lib.llm.offline.clauses import parse_clause
from lib.llm.offline.text import Unit
from lib.llm.offline.values import find_values
from lib.llm.offline.words import content

_POLAR = re.compile(r"(Is|Are|Was|Were|Can|May|Must|Should|Will|Do|Does|Did|Has|Have) ((?:I|we|you|they|visitors|children|dogs|guests|members|people|the \w+)) (.+)\?$")
_YES_NO = re.compile(r"(?:Yes|No)\b")
_AUXILIARY = re.compile(r"(?:Is|Are|Was|Were|Can|Could|May|Must|Should|Will|Do|Does|Did|Has|Have)\b")
_HEDGED = re.compile(r"(?:Yes|No)\b,?\s?(?:but|if|unless|only|except|provided|as long as|though|not)\b", re.IGNORECASE)
_POINTING = re.compile(r"\b(?:it|she|he|they|him|them|this|these|those|that|here|there|its|his|her|their)\b", re.IGNORECASE)
_FRAGMENT = re.compile(r"(?:The|An?|Our|Every|Once|Twice|On|In|At|Only|About|[A-Z][\w'’-]+ [A-Z]|\d)[\w'’-]*\s\S")
_FINITE = re.compile(r"\s(?:is|are|was|were|has|have|had|can|may|must|will|should|do|does|did|it|they|we|you|I)\s")
_KINDS = (
    (re.compile(r"^(?:When|What time|At what time|On (?:what|which) (?:day|date)s?|Until when|From when|Since when|By when)\b"), ("date", "time")),
    (re.compile(r"^How (?:long|far|wide|high|deep|tall|old|heavy|fast|often|large|big)\b"), ("measure",)),
    (re.compile(r"^How much (?:is|are|does|do|will|must|can)\b|^What (?:does|do) .* cost|\b(?:price|fee|fare|cost)\b"), ("money",)),
    (re.compile(r"^How many\b"), ("count", "number", "measure")),
)  # fmt: skip
_MOST_WORDS = 9  # of an answer that is taken whole


def asked_facts(units: Sequence[Unit], i: int) -> list[tuple]:
    """Drafts (kind, value, questions, score) from a piece that answers the question above it; none if the question points elsewhere."""
    question = _question_above(units, i)
    text = re.sub(r"^A(?:nswer)?[.:]\s", "", units[i].plain)
    if not question or _POINTING.search(question) or text.endswith("?") or not _stands(question):
        return []
    if found := _answer(question, text):
        return [(*found, _wordings(question), 1.2)]
    return []


def _stands(question: str) -> bool:
    """Whether a question says what it is about: three words that carry it, or two and nobody's own matter."""
    n_words = len(set(content(question)))
    own = re.search(r"\b(?:I|my|me|we|us|our|you|your)\b", question)
    if own and (re.search(r"\bfor (?:me|us|you)\b", question) or not re.search(r"\b(?:the|an?|my)\s\w|\s[A-HJ-Z]\w", question)):
        return False
    return n_words >= 3 or n_words == 2 and not own and not _AUXILIARY.match(question)


def _question_above(units: Sequence[Unit], i: int) -> str:
    unit = units[i]
    before = units[i - 1] if i else None
    if before and before.headings == unit.headings and before.plain.endswith("?"):
        question = re.sub(r"^(?:Q(?:uestion)?(?: ?\d+)?[.:]|\d+[.)])\s", "", before.plain)
        return question if question[:1].isupper() and len(question.split()) <= 16 else ""
    heads = unit.headings and unit.headings[-1].endswith("?") and (before is None or before.headings != unit.headings)
    return unit.headings[-1] if heads else ""


def _answer(question: str, text: str) -> tuple[str, str] | None:
    """Kind and value of the answer that a sentence gives; None where it is not plain."""
    if _AUXILIARY.match(question):
        if re.search(r"\bor\b", question) or not _YES_NO.match(text):
            return None
        if len(text.split()) <= _MOST_WORDS - 1:
            return "definition", text
        return None if _HEDGED.match(text) else ("definition", _YES_NO.match(text).group())
    kinds = next((kinds for pattern, kinds in _KINDS if pattern.search(question)), ())
    if kinds:
        values = [v for v in find_values(text) if v.kind in kinds]
        if len(values) == 1:
            value = values[0]
            before = re.search(r"\b(?:[Uu]p to|[Aa]t least|[Aa]t most|[Aa]bout|[Uu]ntil|[Ff]rom|[Ee]very|[Bb]efore|[Aa]fter|[Ww]ithin|[Bb]y)\s$", text[: value.start])
            at = before.start() if before else value.start
            return value.kind, text[at : value.end]
        return None if len(values) != 2 or len(text.split()) > _MOST_WORDS else (values[0].kind, text.rstrip("."))
    if re.match(r"Where\b", question):
        place = re.match(r"((?:At|In|On|Behind|Beside|Near|Opposite|Outside|Inside|Next to|Under|By|Through) [^,;:.]+)", text)
        return ("place", place.group(1)) if place and len(place.group(1).split()) <= _MOST_WORDS and not parse_clause(text) else None
    return None


def _wordings(question: str) -> list[str]:
    plain = question.rstrip("?")
    if polar := _POLAR.match(question):
        auxiliary, subject, rest = polar.groups()
        if auxiliary in ("Can", "May", "Must", "Should", "Will"):
            told = f"whether {subject} {auxiliary.lower()} {rest}"
            return [plain, f"Can you tell me {told}", f"I would like to know {told}"]
        if auxiliary == "Do":
            return [plain, f"Can you tell me whether {subject} {rest}"]
    return [plain]
