"""Questions about a passage: different facts first, then other wordings of the same facts; none where there is no fact."""

import hashlib

from lib.llm.offline.answers import find_answer
from lib.llm.offline.facts import Fact, find_facts, find_further_facts, find_prose_facts, tidy
from lib.llm.offline.paraphrase import paraphrases
from lib.llm.offline.sound import is_sound

MOST_WORDINGS = 3
MOST_FROM_PROSE = 2  # questions of a passage in which nothing but plain prose is found


def write_questions(passage: str, n: int) -> list[str]:
    """At most `n` questions that the passage answers, chosen by the hash of its text.

    A question is kept only if the same rules, given nothing but the passage and the question, find the same answer again:
    one that two facts could answer is dropped.

    Args:
        passage: The text to ask about.
        n: Questions wanted; fewer come where fewer facts are found.
    """
    seed = hashlib.sha256(passage.encode("utf-8", "surrogatepass")).digest()
    few = min(n, MOST_FROM_PROSE)
    return (
        _choose(find_facts(passage), passage, n, seed)
        or _choose(find_prose_facts(passage), passage, few, seed)
        or _choose(find_further_facts(passage), passage, few, seed)
    )


def _choose(found: tuple[Fact, ...], passage: str, n: int, seed: bytes) -> list[str]:
    facts = sorted(found, key=lambda fact: (-round(fact.score, 1), _draw(seed, fact.wordings[0])))
    ordered = [_shuffled(fact, seed) for fact in _spread(facts)]
    chosen: list[str] = []
    for turn in range(MOST_WORDINGS):
        for fact, wordings in ordered:
            if len(chosen) == n:
                return chosen
            if turn < len(wordings) and (asked := _put(passage, fact, wordings[turn], seed)) and asked not in chosen:
                chosen.append(asked)
    return chosen


def _put(passage: str, fact: Fact, wording: str, seed: bytes) -> str:
    """A wording in other words if its answer then still comes back, else as it is; empty if not even then."""
    if not _comes_back(passage, fact, wording):
        return ""
    others = (tidy(other) for other in paraphrases(wording, fact, seed))
    return next((other for other in others if is_sound(other) and _comes_back(passage, fact, other)), wording)


def _spread(facts: list[Fact]) -> list[Fact]:
    """Best first, but a second fact of the same sentence or row only after every piece has had its first."""
    rank: dict[str, int] = {}
    keyed = []
    for place, fact in enumerate(facts):
        rank[fact.unit.text] = rank.get(fact.unit.text, -1) + 1
        keyed.append((rank[fact.unit.text], place, fact))
    return [fact for _, _, fact in sorted(keyed, key=lambda k: k[:2])]


def _shuffled(fact: Fact, seed: bytes) -> tuple[Fact, list[str]]:
    return fact, sorted(fact.wordings, key=lambda wording: _draw(seed, wording))


def _draw(seed: bytes, text: str) -> bytes:
    return hashlib.sha256(seed + text.encode("utf-8", "surrogatepass")).digest()


def _comes_back(passage: str, fact: Fact, question: str) -> bool:
    found = find_answer([passage], question)
    return found is not None and (found.value, found.quote) == (fact.value, fact.unit.text)
