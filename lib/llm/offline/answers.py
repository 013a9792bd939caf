"""Answers over documents: the best matching piece, quoted verbatim, and the value in it that the question asks for; or the refusal."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lib.llm.offline.facts import Fact, find_facts, find_further_facts, find_prose_facts
from lib.llm.offline.frames import plainly
from lib.llm.offline.names import is_person
from lib.llm.offline.text import split_units
from lib.llm.offline.thesaurus import near
from lib.llm.offline.values import find_values
from lib.llm.offline.words import content, names
from lib.llm.raft import ANSWER_TAG, BEGIN_QUOTE, END_QUOTE, REFUSAL

LEAST_COVERAGE = 0.72  # share of a question's rare words that the quoted piece and its headings must hold
LEAST_ATTRIBUTES = 0.66  # and of its words that are no names: the subject alone is no answer
_N = frozenset(("date", "time", "cell", "measure"))
_ENDS = ("start", "end")  # of a range: only a question after one of them may find it
_TYPES = (
    (re.compile(r"^from (?:when|what time|what date|which day)\b(?! (?:to|until) )", re.I), _N | {"start"}),
    (re.compile(r"^(?:until|till|up to) (?:when|what time|what date|which day)\b", re.I), _N | {"end"}),
    (re.compile(r"^(?:when\b|(?:in|on|by|during|since|from|until|before|after|at|around)?\s?(?:which|what)\s(?:year|date|day|month|time|hour|period|century|decade|weekday)s?\b|(?:since|until|by|from)\swhen\b|what (?:is|was) the (?:\w+ )?(?:date|year)\b|how soon\b|from when\b|what time\b|between what times\b)", re.I), _N),
    (re.compile(r"^(?:for\s)?how (?:long|often)\b|^within what (?:time|distance)\b|^(?:at )?what speed\b|^(?:at|to) what temperature\b|^how (?:far|wide|high|deep|tall|old|thick|heavy|fast|large|big)\b", re.I), frozenset(("measure", "cell", "count"))),
    (re.compile(r"^(?:for\s|in\s|into\s|on\s|from\s|to\s|with\s|within\s|after\s)?how many\b|^what (?:is|was) the number of\b", re.I), frozenset(("count", "measure", "cell", "number"))),
    (re.compile(r"percentage|^what share\b", re.I), frozenset(("percent", "cell"))),
    (re.compile(r"^(?:for\s)?how much\b|^at what price\b|^to what amount\b|\b(?:price|cost)\b", re.I), frozenset(("money", "measure", "percent", "cell"))),
    (re.compile(r"^(?:by\s)?who(?:m|se)?\b(?! or what)|^which person\b|^what is the name of the (?:\w+\s){0,3}(?:manager|director|master|engineer|clerk|officer|head|chair|president)", re.I), frozenset(("person", "definition", "cell"))),
    (re.compile(r"^where\b|^in (?:what|which) place\b", re.I), frozenset(("place", "cell"))),
    (re.compile(r"^why\b|^(?:for )?what (?:is the )?reason\b", re.I), frozenset(("reason",))),
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """An answer: its value, and the piece that states it, verbatim."""

    value: str
    quote: str


@dataclass(frozen=True)
class _Candidate:
    kind: str
    value: str
    quote: str
    cue: frozenset[str]
    support: frozenset[str]


def answer(documents: Sequence[str], question: str) -> str:
    """A RAFT reply: the quote and the `<ANSWER>:` line, or the refusal sentence."""
    found = find_answer(documents, question)
    if found is None:
        return REFUSAL
    value = " ".join(found.value.split())
    return f"The documents say: {BEGIN_QUOTE}{found.quote}{END_QUOTE}\n{ANSWER_TAG} {value}"


def find_answer(documents: Sequence[str], question: str) -> Found | None:
    """The best answer that the documents give, or None where none of them matches well enough.

    Where a question finds none as it stands, it is put plainly first: "What will X set me back" asks what X costs.
    """
    return next((found for way in plainly(question) if (found := _find(documents, way))), None)


def _find(documents: Sequence[str], asked: str) -> Found | None:
    wanted = list(dict.fromkeys(content(asked)))
    if not wanted:
        return None
    kinds = next((kinds for pattern, kinds in _TYPES if pattern.search(asked)), None)
    must = names(asked)
    chosen, chosen_score = None, 0.0
    for candidates in (_candidates, _prose_candidates, _further_candidates):
        piece, score = _best(documents, candidates, wanted, kinds, must)
        if piece and score > chosen_score:
            chosen, chosen_score = piece, score
        if chosen and (chosen.kind != "value" or kinds):
            break  # a bare value answers "what" only where no fact of prose matches better
    return Found(chosen.value, chosen.quote) if chosen else None


def _best(documents, candidates, wanted: list[str], kinds, must: set[str]) -> Found | None:
    pieces = [candidate for document in documents for candidate in candidates(document)]
    close = {w: near(w) for w in wanted if w not in must}
    spread = {other: w for w in wanted for other in close.get(w, ())}  # a piece's word -> the question's word for it
    holds = lambda piece, w: w in piece.support or w in close and not close[w].isdisjoint(piece.support)  # noqa: E731
    weight = _weights(wanted, pieces, must)
    total = sum(weight.values())
    attributes = [w for w in wanted if w not in must]
    best, best_score = None, 0.0
    for piece in pieces:
        if not must <= piece.support or not _fits(piece, kinds):
            continue
        if piece.kind in ("object", "date", "time", "place", "person") and set(content(piece.value)) <= set(wanted):
            continue  # what the question says itself
        coverage = sum(weight[w] for w in wanted if holds(piece, w)) / total
        if (
            coverage < LEAST_COVERAGE
            or attributes
            and sum(holds(piece, w) for w in attributes) < LEAST_ATTRIBUTES * len(attributes)
        ):
            continue
        cue = sum(weight[w] for w in {spread.get(c, c) for c in piece.cue} if w in weight) / total
        extra = sum(1 for w in piece.cue if w not in weight and w not in spread) / (1 + len(piece.cue))
        score = coverage + cue - 0.6 * extra + (0.2 if piece.kind != "value" else 0.0) + (0.25 if piece.kind in _ENDS else 0.0)
        if score > best_score + 1e-9:
            best, best_score = piece, score
    return best, best_score


def _weights(wanted: list[str], pieces: Sequence[_Candidate], must: set[str]) -> dict[str, float]:
    """How telling each word of the question is: rare among the pieces, doubly so if it is a name or a number."""
    quotes = {piece.quote: piece.support for piece in pieces}
    n = len(quotes) + 1
    counts = Counter(w for support in quotes.values() for w in support if w in wanted)
    return {w: (1.0 + math.log(n / (counts[w] + 0.5)) * 0.3) * (2.0 if w in must else 1.0) for w in wanted}


def _fits(piece: _Candidate, kinds: frozenset[str] | None) -> bool:
    if kinds is None:
        return piece.kind not in _ENDS
    if piece.kind == "value":
        found = find_values(piece.value)
        return bool(found) and found[0].kind in kinds or "person" in kinds and is_person(piece.value)
    if piece.kind != "cell" or "cell" not in kinds:
        return piece.kind in kinds
    found = [v.kind for v in find_values(piece.value)] or (["number"] if piece.value[:1].isdigit() else [])
    if "person" in kinds:
        return not found
    if "place" in kinds:
        return not set(found) & {"money", "percent", "measure"}
    return True if not found else bool(set(found) & (kinds | {"number", "count"}))


@lru_cache(maxsize=4096)
def _prose_candidates(document: str) -> tuple[_Candidate, ...]:
    """What plain prose says, where no fact answers."""
    return _of_prose(find_prose_facts(document))


@lru_cache(maxsize=4096)
def _further_candidates(document: str) -> tuple[_Candidate, ...]:
    """What is left to ask of prose, where neither answers."""
    return _of_prose(find_further_facts(document))


def _of_prose(facts: Sequence[Fact]) -> tuple[_Candidate, ...]:
    return tuple(
        _Candidate(fact.kind, fact.value, fact.unit.text, fact.cue, frozenset(content(fact.unit.plain)) | fact.cue)
        for fact in facts
    )


@lru_cache(maxsize=4096)
def _candidates(document: str) -> tuple[_Candidate, ...]:
    """Facts, then bare values and short list items, each with the words that speak for it."""
    units = split_units(document)
    title = frozenset(content(units[0].headings[0])) if units and units[0].headings else frozenset()
    found = []
    for fact in find_facts(document):
        around = title.union(*(content(h) for h in fact.unit.headings))
        words = (
            fact.cue | frozenset(content(fact.unit.cells[0]))
            if fact.unit.kind == "row"
            else frozenset(content(fact.unit.plain))
        )
        found.append(_Candidate(fact.kind, fact.value, fact.unit.text, fact.cue, words | fact.cue | around))
    for unit in units:
        if unit.kind not in ("sentence", "item") or len(unit.text) > 400:
            continue
        words = content(unit.plain)
        support = frozenset(words) | title.union(*(content(h) for h in unit.headings))
        for value in find_values(unit.plain):
            near = content(unit.plain[max(0, value.start - 60) : value.end + 40])
            found.append(
                _Candidate("value", value.text, unit.text, frozenset(near) - set(content(value.text)), support)
            )
    return tuple(found)
