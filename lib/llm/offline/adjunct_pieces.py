"""The words behind a verb taken apart: its object and its adjuncts, up to where another clause begins."""

import re
from dataclasses import dataclass

from lib.llm.offline.adjunct_words import PLACES
from lib.llm.offline.values import LIMIT, MONTH, TIME_UNIT, Value, find_values
from lib.llm.offline.verbs import AUXILIARY, FINITE, NOUN_LIKE, is_verb
from lib.llm.offline.words import NUMBER_WORDS

PREPOSITION = (
    r"next to|in front of|in|on|at|by|before|until|till|from|since|for|within|with|to|during|after|between|under|behind|beside|near|opposite|inside|outside|above|below"
    r"|through|via|into|onto|over|against|without|across|along|around|every|each|once|twice"
)
NUMERIC = rf"(?:[£$€\d]|an?\s|half\s|{'|'.join(NUMBER_WORDS)})"
_START = re.compile(rf"(?<!\S)(?<!\bof )(?<!\bup )(?:(?:{LIMIT})\s(?:once|twice)|(?!(?:{LIMIT})\s{NUMERIC})(?!in advance|each (?:{PREPOSITION})\b)(?:{PREPOSITION}))(?=\s)")
_END = re.compile(
    r"\s*(?:[,:](?!\d)|[;()—–“”\"]|\s-\s)|\s(?:but|which|who|why|how|what|whether|whom|whose|that|because|when|where|while|so|if|as|unless|although|though|(?<!more )(?<!less )(?<!fewer )than|not(?!\s(?:more|less))|except|plus)\s"
)
_AHEAD = re.compile(r"\s(?:in advance|ahead|beforehand)\b")
_LATE = re.compile(rf",\s((?:{PREPOSITION})\s[^,;:()]{{3,40}})(?=[.;]|$)")


@dataclass(frozen=True)
class Piece:
    """One phrase behind a verb: the object (`preposition` empty) or an adjunct, at `[start, end)` of the kept rest."""

    preposition: str
    text: str
    start: int
    end: int


def kept_words(rest: str) -> tuple[str, str]:
    """What belongs to the clause: up to a boundary, or to an "and" with a new verb or a new adjunct behind it; and what is left."""
    inside = [(v.start, v.end) for v in find_values(rest)]
    ends = (m.start() for m in _END.finditer(rest + " ") if not any(start < m.start() < end for start, end in inside))
    text = rest[: next(ends, len(rest))]
    spans = [(v.start, v.end) for v in find_values(text)]
    for found in re.finditer(r"(\S+)\s(?:and|or)(?=\s(\S+)(?:\s(\S+))?)", text):
        at = found.end(1)
        if not any(start < at < end for start, end in spans) and _opens_another(text[found.end() :].split(), found.group(1)):
            text = text[:at]
            break
    behind = rest[len(text) :]
    if late := _LATE.match(behind):  # ", by hand."
        words, values = late.group(1).split(), find_values(late.group(1))
        whole = not values or len(values) == 1 and values[0].start == len(words[0]) + 1 and values[0].end == len(late.group(1))
        if whole and words[-1] not in NUMBER_WORDS and not re.search(rf"\b{words[0]}\b", text) and not any(is_verb(w) or w in AUXILIARY or re.fullmatch(PREPOSITION, w) for w in words[1:]):
            text, behind = f"{text} {late.group(1)}", behind[late.end() :]
    return text.strip().rstrip(".!"), behind


def _opens_another(words: list[str], before: str) -> bool:
    """Whether words behind an "and" are another predicate, another adjunct or another value, and no second noun."""
    first, second = words[0].lower(), (words[1] if words[1:] else "").lower()
    near = next((i for i, w in enumerate(words) if re.fullmatch(PREPOSITION, w)), len(words))
    return bool(
        first in AUXILIARY
        or first in ("then", "also", "later", "now", "only", "again", "so", "thereafter", "afterwards")
        or is_verb(first) and second != "and"
        or is_verb(second) and not first.endswith("s")
        or first in ("a", "an") and TIME_UNIT.match(second)
        or re.match(rf"(?:{PREPOSITION})$|[£$€\d]", first)
        or any(re.match(r"[£$€]?\d", w) for w in words[:near])
        or re.search(r"\d", before) and first.islower()
        or any(w in AUXILIARY or w not in NOUN_LIKE and FINITE.get(w, ("", ""))[1] in ("third", "past") for w in words[1:])
    )


def split_pieces(kept: str, values: tuple[Value, ...]) -> list[Piece]:
    starts = [m for m in _START.finditer(kept) if not any(v.start < m.start() < v.end for v in values)]
    marks = [(m.start(), m.group()) for m in starts]
    marks.extend((m.start(1), "up to") for m in re.finditer(rf"(?<=[a-z])\s(up to)\s(?=\d|(?:{'|'.join(NUMBER_WORDS)})\s)", kept) if not re.search(rf"\b(?:{PREPOSITION}|of|{LIMIT})$", kept[: m.start()]))
    marks.sort()
    if not marks or marks[0][0] > 0:
        marks.insert(0, (0, ""))
    pieces: list[Piece] = []
    for (start, preposition), (end, _) in zip(marks, [*marks[1:], (len(kept), "")], strict=True):
        text = kept[start:end].strip()
        last = pieces[-1] if pieces else None
        joined = last and (
            last.preposition == "from" and preposition in ("to", "until", "till") and holds_moment(last.text) and holds_moment(text)
            or last.preposition in PLACES.prepositions and preposition in PLACES.prepositions and is_place(last) and is_place(Piece(preposition, text, 0, 0))
            or last.text in ("up", "down", "out", "off", "over")
        )
        if joined:
            pieces[-1] = Piece(last.preposition, kept[last.start : end].strip(), last.start, end)
        else:
            pieces.append(Piece(preposition, text, start, end))
    return pieces


def holds_moment(text: str) -> bool:
    return any(v.kind in ("date", "time") for v in find_values(text)) or bool(re.search(rf"\b{MONTH}$", text))


def is_place(piece: Piece) -> bool:
    """Whether a phrase says where: "in the yard behind the school"."""
    return piece.preposition in PLACES.prepositions and bool(PLACES.phrases.fullmatch(piece.text[len(piece.preposition) :].strip()))


def with_recipient(piece: Piece) -> list[Piece]:
    """ "drivers £0.32 a mile" are two objects, "a table two days in advance" an object and a time."""
    found = [v for v in find_values(piece.text) if v.kind == "money" or _AHEAD.match(piece.text[v.end :])] if not piece.preposition else []
    before = piece.text[: found[0].start].rstrip() if len(found) == 1 else ""
    if limit := re.search(rf"\s({LIMIT})$", before):
        before = before[: limit.start()]
    last = before.split()[-1:]
    if not last or len(before.split()) > 4 or last[0] in ("of", "extra", "additional", "further", "total", "the", "a", "an") or FINITE.get(last[0]):
        return [piece]
    at = piece.start + len(before) + 1
    return [Piece("whom", before, piece.start, at), Piece("", piece.text[len(before) + 1 :], at, piece.end)]
