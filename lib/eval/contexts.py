"""Controlled contexts: the right passage alone, among random or hard ones, at every place, or random ones without it.

They part what retrieval cannot: whether a model finds the passage among others, whether others like it mislead it, and
whether it matters where the passage stands. Only answerable questions whose chunk is known; no other passage gives the
answer away. With 19, 29 and 49 distractors this is the multi-document question answering of the conversation recipe.
"""

import random
from collections.abc import Sequence

from lib.eval.conditions import Case, show, without_answer
from lib.eval.replace import count_values, find_value

ORACLE, RANDOM, HARD, PLACES, NONE = (
    "oracle", "oracle_random", "oracle_hard", "oracle_places", "distractors_random",
)  # fmt: skip
CONTEXTS = {
    ORACLE: "the right passage alone",
    RANDOM: "the right passage at a random place among random ones",
    HARD: "the right passage at a random place among hard ones: those that hold a value of the answer's kind, then those ranked highest",
    PLACES: "the same hard passages with the right one at every place in turn",
    NONE: "random passages only",
}


def build_contexts(
    questions: Sequence[dict],
    chunks: Sequence[dict],
    rankings: dict[str, list[str]],
    *,
    contexts: Sequence[str],
    n_distractors: Sequence[int],
    rng: random.Random,
) -> list[Case]:
    """The cases of the controlled contexts asked for.

    Args:
        questions, chunks, rankings: As of `conditions.build_cases`; rankings hold every chunk.
        contexts: Names of `CONTEXTS`.
        n_distractors: Numbers of passages beside the right one, each asked; `oracle` has none.
        rng: The only source of chance.

    Returns:
        Cases context by context. A question with too few harmless passages for a number is left out of it.
    """
    if not contexts:
        return []
    texts = {chunk["chunk_id"]: chunk["text"] for chunk in chunks}
    known = [row for row in questions if row["answerable"] and row.get("chunk_id") in texts and not row.get("context")]
    safe = without_answer(known, chunks, rankings)
    shuffled = {row["id"]: rng.sample(sorted(safe[row["id"]]), len(safe[row["id"]])) for row in known}
    hard = _hardest_first(known, safe, texts) if {HARD, PLACES} & set(contexts) else {}
    cases = [show(ORACLE, row, [row["chunk_id"]], texts, 1, 1) for row in known] if ORACLE in contexts else []
    for n in sorted(set(n_distractors)):
        for context in [name for name in CONTEXTS if name in contexts and name != ORACLE]:
            pool = shuffled if context in (RANDOM, NONE) else hard
            for row in known:
                others = pool[row["id"]]
                if context == NONE and len(others) > n:
                    cases.append(show(NONE, row, others[: n + 1], texts, n + 1))
                elif context != NONE and len(others) >= n:
                    places = range(1, n + 2) if context == PLACES else [rng.randint(1, n + 1)]
                    cases += [_around(context, row, others[:n], place, texts) for place in places]
    return cases


def _around(context: str, row: dict, others: Sequence[str], place: int, texts: dict[str, str]) -> Case:
    ids = [*others[: place - 1], row["chunk_id"], *others[place - 1 :]]
    return show(context, row, ids, texts, len(ids), place)


def _hardest_first(
    questions: Sequence[dict], safe: dict[str, list[str]], texts: dict[str, str]
) -> dict[str, list[str]]:
    """For each question the passages that hold a value of its answer's kind before the others, each in the order of retrieval."""
    having: dict[str, set[str]] = {}  # by kind, since a regular expression over all passages is what takes the time
    found = {}
    for row in questions:
        value = find_value(row["question"], row["answer"], row.get("evidence") or texts[row["chunk_id"]])
        if value and value.kind not in having:
            having[value.kind] = {key for key, text in texts.items() if count_values([text], value.kind)}
        kept = having[value.kind] if value else set()
        found[row["id"]] = sorted(safe[row["id"]], key=lambda key: key not in kept)
    return found
