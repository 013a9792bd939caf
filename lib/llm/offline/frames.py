"""Frames of questions: the plain one that the rules write, what people say instead, and the way back."""

import re

from lib.llm.offline.casing import PREPOSITIONS
from lib.llm.offline.frame_table import BACK, FRAMES
from lib.llm.offline.values import MONTH, TIME_UNIT, WEEKDAY, YEAR
from lib.llm.offline.words import FUNCTION, strip_lead

_COMPILED = tuple((kind, re.compile(plain), others) for kind, plain, others in FRAMES)
_SAME = (
    (re.compile(r"^For (.+), what (is|are) the (.+)$"), r"What \2 the \3 of \1"),
    (re.compile(r"^What (.+) (is|are) (?:given|listed) for (.+)$"), r"What \2 the \1 of \3"),
)  # plain wordings of a cell that say the same
_WAYS_BACK = tuple((re.compile(said, re.IGNORECASE), plain) for said, plain in BACK)
LEADS = ("Any idea", "Have you any idea", "Do you happen to know", "Would you know", "Can anybody tell me", "Does anybody know")
SITUATIONS = ("Quick question", "One thing I could not find", "I am new to this", "I want to be sure", "Before I go on", "A question from a newcomer")  # fmt: skip
_LEADS = re.compile(rf"^(?:(?:{'|'.join(SITUATIONS)}): |(?:{'|'.join(LEADS)}|I wonder|I need to know) )", re.IGNORECASE)


def reframed(question: str, kind: str, value: str = "") -> list[str]:
    """The same question in the other frames that its kind of value has; nothing where its own frame is not known.

    Args:
        question: One that the rules wrote.
        kind: Kind of the value asked for.
        value: The value itself: "When" asks for a year in other words than for a day.
    """
    plain = question.rstrip("?")
    for pattern, other in _SAME if kind == "cell" else ():
        plain = pattern.sub(other, plain)
    kinds = (kind, "length") if kind == "measure" and not TIME_UNIT.search(value) else (kind,)
    for of, frame, others in _COMPILED:
        if of in kinds and (match := frame.fullmatch(plain)):
            found = [f"{other.format(**match.groupdict(''))}?" for other in others if not _clashes(other, match)]
            if found:
                return found
    if kind in ("date", "time") and (match := re.fullmatch(r"When (?P<r>.+)", plain)):
        return [f"{opening} {match['r']}?" for opening in _whens(value)]
    return []


def _whens(value: str) -> tuple[str, ...]:
    """Openings that ask when, by what is to be answered."""
    if re.match(rf"(?:from|between) {WEEKDAY}", value):
        return ("On which days", "On what days")
    if re.match(r"(?:from|between)\b", value):
        return ("From when to when",)
    if re.fullmatch(YEAR, value):
        return ("In what year", "In which year", "What year")
    if re.fullmatch(rf"{WEEKDAY}", value):
        return ("On which day", "On what day of the week")
    if re.search(rf"\b\d{{1,2}}\s{MONTH}|{MONTH}\s\d{{1,2}}\b", value) and len(value) < 30:
        return ("On what date", "On which date", "On what day")
    return ("At what hour", "What time") if re.fullmatch(r"\d{1,2}[:.]\d\d", value) else ()


_TOP = re.compile(r"(?:greatest|largest|highest|lowest|least|smallest|longest|minimum|maximum|total|average|overall)\b")
_HAD = frozenset("address age capacity colour color depth diameter draught email height length name number power range size speed title volume wavelength weight width".split())
_NAMED = _HAD | frozenset(
    """amount author ceiling charge code contact cost date day deadline deposit distance duration email fare fee fine grade kind leader level location mark
    meaning owner penalty person phone place price purpose rate rent room salary score season share subject surcharge teacher telephone temperature time topic
    total type value wage""".split()
)  # what somebody can be told or given of a thing


def _is_named(attribute: str) -> bool:
    """Whether a header is a thing that its row has: "adult price", and not "who takes care" or "each extra hour"."""
    words = attribute.split()
    return words[-1] in _NAMED and words[0] not in FUNCTION and words[0] != "each"


def _clashes(other: str, match: re.Match) -> bool:
    """Whether a part would stand wrongly in a frame, or the frame says nothing new."""
    parts = match.groupdict("")
    owner = parts.get("x", "")
    attribute = parts.get("a", "")
    if "{a} of {x}" in other and other.startswith("Can") and not _is_named(attribute):
        return True  # "Can you give me the who takes care of the disco"
    if "{a} does {x} have" in other and attribute.split()[-1] not in _HAD:
        return True  # "Which topic does Morning have"
    if "does {x}" in other and re.match(r"(?:How \w+ are|What do|How much do) ", match.group()):
        return True
    if re.search(r" (?:by|for|to|with|from|on|in|of|at)$", parts.get("r", "")) and other.startswith(("Who ", "What is the {r} called")) and "{r} to" not in other:
        return True  # "What is the lantern carried by called"
    if "mean" in other and (len(owner.split()) > 4 or set(owner.split()) & (PREPOSITIONS - {"of"})):
        return True  # "What is meant by earplugs near the stage"
    if " for " in owner or owner[:1].isdigit() and "mean" in other:
        return True  # "What is the length of boat for Slip 2" is not about a boat
    if parts.get("t", "").startswith(" to "):
        return True  # "the price of a card to issue"
    if other.startswith(("Which", "What {a}")) and _TOP.match(attribute):
        return True  # "Which greatest weight"
    if "does {x} have" in other and (owner[:1].islower() or re.search(r" and |, |^\w+[a-rt-z]s\b", owner)):
        return True  # "What training does museum steward have"
    return any("?" in part or part.count("(") != part.count(")") for part in parts.values()) or (
        other.format(**parts) == match.group()
    )


def plainly(question: str) -> list[str]:
    """A question of these frames in the plain ones that it may stand for; any other one without its lead."""
    asked = strip_lead(_LEADS.sub("", question.strip())).rstrip("?! .")
    back = [f"{match.expand(plain)}?" for said, plain in _WAYS_BACK if (match := said.fullmatch(asked))]
    return list(dict.fromkeys((f"{asked}?", *back)))
