"""Controlled contexts: the right passage alone, among random or hard ones, at every place, or random ones without it.

They part what retrieval cannot: whether a model finds the passage among others, whether others like it mislead it, and
whether it matters where the passage stands. Only answerable questions whose chunk is known; no other passage gives the
answer away. With 19, 29 and 49 distractors this is the multi-document question answering of the conversation recipe.
"""

import random
from collections.abc import Sequence

import numpy as np

from lib.eval.conditions import Case, show, without_answer
from lib.eval.replace import count_values, find_value
from lib.eval.retrieve import oracle_ids
from lib.llm.words import facts, holds_answer

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
        questions, chunks, rankings: As of `conditions.build_cases`; hard passages come from the rankings, random ones from all chunks.
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
    shuffled = _draw_harmless(known, chunks, max(n_distractors, default=0) + 1, rng)
    hard = _hardest_first(known, without_answer(known, chunks, rankings), texts) if {HARD, PLACES} & set(contexts) else {}
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


def _draw_harmless(questions: Sequence[dict], chunks: Sequence[dict], n: int, rng: random.Random) -> dict[str, list[str]]:
    """For each question `n` chunks in random order, of all that cannot give its answer away."""
    chunks = sorted(chunks, key=lambda chunk: chunk["chunk_id"])
    oracles = [oracle_ids(row, chunks) for row in questions]
    harmless = np.empty((len(questions), len(chunks)), dtype=bool)  # by chunk, so that the words of one are held at a time
    for j, chunk in enumerate(chunks):
        said = facts(chunk["text"])
        for i, row in enumerate(questions):
            harmless[i, j] = chunk["chunk_id"] not in oracles[i] and not holds_answer(said, row["answer"])
    found = {}
    for row, mask in zip(questions, harmless, strict=True):
        pool = [chunks[j]["chunk_id"] for j in np.flatnonzero(mask)]
        found[row["id"]] = rng.sample(pool, len(pool))[:n]
    return found


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
