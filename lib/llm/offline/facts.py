"""Facts in a passage: a value, the piece that states it, and the questions it answers. Pure and cached: equal text, equal facts."""

from dataclasses import dataclass
from functools import lru_cache

from lib.llm.offline.casing import Casing
from lib.llm.offline.sound import is_prose, is_sound
from lib.llm.offline.text import Unit, split_units
from lib.llm.offline.words import content, strip_lead, tokens


@dataclass(frozen=True)
class Fact:
    """One thing that a passage says.

    Attributes:
        kind: `date`, `time`, `start` and `end` of a range, `money`, `percent`, `measure`, `count`, `person`, `place`, `name`, `definition`, `reason`, `condition`, `result`, `colour`, `object`, `cell`.
        value: The short answer, literal.
        unit: The piece that states it, to be quoted.
        wordings: Questions that it answers, each standing alone, the plainest first.
        cue: Stems of the words around the value: what a question about it would mention.
        score: How good a question it makes; higher is better.
    """

    kind: str
    value: str
    unit: Unit
    wordings: tuple[str, ...]
    cue: frozenset[str]
    score: float


@lru_cache(maxsize=4096)
def find_facts(passage: str) -> tuple[Fact, ...]:
    """Facts of a passage in the order of its text; pieces that the passage cuts off give none."""
    from lib.llm.offline.deeds import deed_facts
    from lib.llm.offline.entries import entry_facts
    from lib.llm.offline.faq import asked_facts
    from lib.llm.offline.ingredients import amount_facts
    from lib.llm.offline.notices import notice_facts
    from lib.llm.offline.permits import permit_facts
    from lib.llm.offline.phrases import document_facts, phrase_facts
    from lib.llm.offline.places import place_facts
    from lib.llm.offline.posts import post_facts
    from lib.llm.offline.reasons import reason_facts
    from lib.llm.offline.sentences import sentence_facts
    from lib.llm.offline.several import several_facts
    from lib.llm.offline.surroundings import counted_facts, named_facts, stand_alone
    from lib.llm.offline.tables import pair_facts, row_facts
    from lib.llm.offline.traits import trait_facts

    units = split_units(passage)
    known = Casing.of(passage)
    whole = stand_alone(units, known)
    notices = notice_facts(passage, units)
    noticed = {notice.text for notice, _ in notices}
    found: list[Fact] = []
    for place, unit in enumerate(units):
        if unit.is_cut or len(unit.text) > 600 or unit.kind == "pair" and unit.text in noticed:
            continue
        if unit.kind == "row":
            drafts = row_facts(unit)
        elif unit.kind == "pair":
            drafts = [*(entry_facts(unit) or pair_facts(unit, units)), *phrase_facts(unit.plain)]
        else:
            if not is_prose(unit.plain):
                continue
            drafts = [
                *entry_facts(unit),
                *asked_facts(units, place),
                *amount_facts(unit, units),
                *counted_facts(unit.plain, unit.headings),
                *(told := sentence_facts(unit.plain, known)),
                *several_facts(unit.plain, known, told),
                *phrase_facts(unit.plain),
                *reason_facts(unit.plain, known),
                *permit_facts(unit.plain, known),
                *post_facts(unit.plain, known),
                *trait_facts(unit.plain, known),
                *place_facts(unit.plain, known),
                *deed_facts(unit.plain, known),
                *document_facts(unit.plain, unit.headings),
            ]
            if place in whole:
                drafts.extend(named_facts(whole[place], known))
        found.extend(fact for draft in drafts if (fact := _finish(draft, unit)))
    found.extend(fact for unit, draft in notices if (fact := _finish(draft, unit)))
    return tuple(found)


@lru_cache(maxsize=4096)
def find_prose_facts(passage: str) -> tuple[Fact, ...]:
    """What plain prose says beside the facts above; a second choice, see `prose`."""
    from lib.llm.offline.prose import prose_facts

    return _prose(passage, prose_facts, 2)


@lru_cache(maxsize=4096)
def find_further_facts(passage: str) -> tuple[Fact, ...]:
    """What is left to ask of prose; a third choice, see `statements`. "What is Rust?", with one word to go by, is among it."""
    from lib.llm.offline.statements import further_facts

    return _prose(passage, further_facts, 1)


def _prose(passage: str, rules, fewest: int) -> tuple[Fact, ...]:
    known = Casing.of(passage)
    units = [
        u
        for u in split_units(passage)
        if u.kind in ("sentence", "item") and not u.is_cut and len(u.text) <= 600 and is_prose(u.plain)
    ]
    drafts = ((unit, draft) for unit in units for draft in rules(unit.plain, known))
    found = (_finish(draft, unit, fewest if draft[0] == "definition" else 2) for unit, draft in drafts)
    return tuple(fact for fact in found if fact)


def _finish(draft: tuple, unit: Unit, fewest: int = 2) -> Fact | None:
    """A Fact out of (kind, value, questions, score), if its value is literal, its questions do not give it away and hold `fewest` words."""
    kind, value, questions, score = draft
    value = value.strip().strip(",;:").strip()
    if value.endswith(".") and value.count(".") == 1:
        value = value[:-1]
    if value not in unit.plain and (at := unit.plain.lower().find(value.lower())) >= 0:
        value = unit.plain[at : at + len(value)]  # as it stands at the sentence's start
    if not value or value not in unit.plain:
        return None
    kept = []
    answer = set(content(value))
    for question in questions:
        question = tidy(question)
        asked = content(strip_lead(question))
        n_words = len(tokens(question))
        if (
            question not in kept
            and is_sound(question)
            and 3 <= n_words <= 32
            and len(set(asked)) >= fewest
            and not (answer and answer <= set(asked))
        ):
            kept.append(question)
    if not kept:
        return None
    cue = frozenset(content(kept[0])) - answer
    return Fact(kind, value, unit, tuple(kept), cue, score)


def tidy(question: str) -> str:
    """One line, capital first, one question mark last."""
    question = " ".join(question.split()).rstrip(" .,;:?!")
    question = question.replace(" ,", ",").replace("( ", "(")
    return question[:1].upper() + question[1:] + "?"
