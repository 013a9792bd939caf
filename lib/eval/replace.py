"""Reading or memory: put another value of its kind in the place of a literal answer, so that the two can be told apart.

A model that reads gives the value shown; one that remembers gives the value it was trained on. Values come from the answers
of other questions, so that they look at home. Nothing is invented, and questions for which that fails are left out and counted.
"""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lib.eval.text import mentions
from lib.llm.raft import squeeze

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAY = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
_KINDS = (
    ("money", rf"[£$€¥]\s?{_NUMBER}|{_NUMBER}\s?(?:[£$€¥]|(?:pounds?|euros?|dollars?|pence|cents?|EUR|USD|GBP)\b)"),
    ("time", r"\d{1,2}:\d{2}(?:\s?[ap]\.?m\b\.?)?|\d{1,2}(?:\.\d{2})?\s?[ap]\.?m\b\.?"),
    ("date", rf"\d{{4}}-\d\d-\d\d|\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?(?:{_MONTH})(?:\s\d{{4}})?|(?:{_MONTH})\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?|(?:{_MONTH})\s\d{{4}}"),
    ("month", rf"(?:{_MONTH})\b"),
    ("weekday", rf"(?:{_DAY})s?\b"),
    ("year", r"(?:1[5-9]|20)\d\d(?![\d,.]|\s?[a-z%])"),
    ("number", rf"{_NUMBER}(?:\s?%|\sper\scent|[\s-]?[^\W\d_]+)?"),
    ("count", r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b"),
)  # fmt: skip
_VALUE = re.compile("|".join(rf"(?P<{kind}>(?<!\w){pattern})" for kind, pattern in _KINDS), re.IGNORECASE)
_INNER_NAME = re.compile(r"(?<=[^.!?:|\s]\s)(?:[Tt]he\s)?([A-Z][\w'’-]+(?:\s(?:(?:of|the|de|van|von)\s)?[A-Z][\w'’-]+){0,4})")
_NAME = re.compile(r"(?:[Tt]he\s)?([A-Z][\w'’.-]*(?:\s(?:(?:of|the|de|van|von)\s)?[A-Z][\w'’.-]*){0,4})")


@dataclass(frozen=True)
class Value:
    """A value found in an answer: `money`, `time`, `date`, `month`, `weekday`, `year`, `number`, `count`, `person` or `name`.

    `what` is the word that a question for a name asks with (`ship` in "which ship"), so that a ship gives way to a ship.
    """

    kind: str
    text: str
    what: str = ""


@dataclass(frozen=True)
class Replacement:
    """What is put where: every occurrence of `original` in the passages shown becomes `replacement`."""

    original: str
    replacement: str
    kind: str


def find_value(question: str, answer: str, evidence: str) -> Value | None:
    """The one value that an answer gives, if it stands literally in the evidence and not in the question.

    An answer with several values (`9:00 to 17:00`) or with none gives None.
    """
    evidence, answer = squeeze(evidence), squeeze(answer).strip(" .")
    found = [Value(match.lastgroup, match.group().strip()) for match in _VALUE.finditer(answer)]
    if not found and (name := _NAME.fullmatch(answer)):
        found = [_name(question, name[1])]
    if len(found) != 1:
        return None
    value = found[0]
    if value.kind == "number" and not occurrences(value.text).search(evidence):
        value = Value("number", re.match(_NUMBER, value.text)[0])  # `14 days` asked of `14 working days`
    if not occurrences(value.text).search(evidence) or mentions(question, value.text):
        return None
    if (
        value.kind in ("person", "name")
        and not re.search(rf"[^.!?:|\s]\s+(?:the\s)?{re.escape(value.text)}", evidence)
        and " " not in value.text
    ):
        return None  # one capitalised word that only ever begins a sentence is no name
    return value


def _name(question: str, text: str) -> Value:
    if re.search(r"\bwho(m|se)?\b", question, re.IGNORECASE):
        return Value("person", text)
    asked = re.search(r"\b(?:which|what)\s+(?:is the |was the )?(?:name of the )?(\w+)", question, re.IGNORECASE)
    return Value("name", text, asked[1].casefold() if asked else "")


def occurrences(value: str) -> re.Pattern:
    """Where a value stands whole: `£45` not within `£450` or `£45.50`; any whitespace and case."""
    inner = r"\s+".join(re.escape(part) for part in value.split())
    return re.compile(rf"(?<!\w)(?<!\d[.,:/]){inner}(?!\w)(?![.,:/]\d)", re.IGNORECASE)


def swap(text: str, original: str, replacement: str) -> str:
    """The text with every whole occurrence of a value replaced."""
    return occurrences(original).sub(lambda _: replacement, text)


def choose(value: Value, pool: Iterable[Value], avoid: Sequence[str], rng: random.Random) -> Replacement | None:
    """Another value of the same kind, as like in form as there is one.

    Args:
        value: What is to be replaced.
        pool: Values of other answers.
        avoid: Texts that must not say the new value: the question, the passage.
        rng: The only source of chance.

    Returns:
        The replacement, or None where no other value fits.
    """
    pool = list(pool)
    people = {other.text for other in pool if other.kind == "person"}
    same = [other for other in pool if other.kind == value.kind and (value.kind != "name" or other.text not in people)]
    fits = {}
    for other in same:
        text = _fit(value, other)
        if not mentions(text, value.text) and not any(mentions(shown, text) for shown in avoid):
            likeness = (bool(value.what) and other.what == value.what) + (_shape(text) == _shape(value.text))
            fits[text] = max(likeness, fits.get(text, 0))
    best = sorted(text for text in fits if fits[text] == max(fits.values()))
    return Replacement(value.text, rng.choice(best), value.kind) if best else None


def _fit(value: Value, other: Value) -> str:
    """A number or a sum takes the unit of the one it replaces; other values are taken whole."""
    if value.kind not in ("number", "money"):
        return other.text
    return re.sub(_NUMBER, lambda _: re.search(_NUMBER, other.text)[0], value.text, count=1)


def _shape(text: str) -> str:
    """Digits as 0, words as their number: `14 May 2025` is like `23 June 2024`, `£4.50` like `£6.25`."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "0", text))


def plan_replacements(
    questions: Sequence[dict], passages: dict[str, str], rng: random.Random
) -> dict[str, Replacement]:
    """A replacement for every question that allows one.

    Args:
        questions: Rows of the eval set.
        passages: Text of the oracle chunk by question id; questions without one are left out.
        rng: The only source of chance.

    Returns:
        Replacements by question id, after which no trace of the original is left in the oracle chunk.
    """
    values = {}
    for row in questions:
        if row["answerable"] and row["id"] in passages:
            evidence = row.get("evidence") or passages[row["id"]]
            if value := find_value(row["question"], row["answer"], evidence):
                values[row["id"]] = value
    chosen = {}
    for row in questions:
        if value := values.get(row["id"]):
            passage = passages[row["id"]]
            others = (other for key, other in values.items() if key != row["id"])
            found = choose(value, others, (row["question"], passage), rng)
            if found and _clean(passage, found):
                chosen[row["id"]] = found
    return chosen


def _clean(passage: str, change: Replacement) -> bool:
    """Whether swapping puts the new value in and leaves the old one nowhere, in no other spelling either."""
    after = swap(passage, change.original, change.replacement)
    return mentions(after, change.replacement) and not mentions(after, change.original)


def which_value(answer: str, refused: bool, original: str, replacement: str) -> str:
    """What an answer over a replaced passage gives: `follows` the passage, `repeats` the original, `both`, `neither`, or `refused`."""
    if refused:
        return "refused"
    new, old = mentions(answer, replacement), mentions(answer, original)
    return "both" if new and old else "follows" if new else "repeats" if old else "neither"


def count_values(passages: Sequence[str], kind: str) -> int:
    """Different values of a kind that passages hold; for a person or name, different runs of capitalised words within sentences."""
    found = set()
    for text in passages:
        if kind in ("person", "name"):
            names = (match[1] for match in _INNER_NAME.finditer(text))
            found |= {name.casefold() for name in names if not re.match(rf"(?:{_MONTH}|{_DAY})\b", name)}
        else:
            found |= {squeeze(m.group()).casefold() for m in _VALUE.finditer(text) if m.lastgroup == kind}
    return len(found)


def blind_share(passages: Sequence[str], replacement: str) -> float | None:
    """What a matcher scores that ignores what the question is about: one in as many values of the kind as are shown.

    Args:
        passages: As shown, with the value replaced.
        replacement: The value put in.

    Returns:
        The probability that such a guess follows the passage; None where the value's kind cannot be told.
    """
    match = _VALUE.fullmatch(replacement.strip())
    kind = match.lastgroup if match else "name" if _NAME.fullmatch(replacement.strip()) else None
    return None if kind is None else 1 / max(1, count_values(passages, kind))
