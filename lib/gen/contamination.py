"""Contamination: training questions that say what a question of the eval set says, found by shared words and by meaning, and removed.

It compares questions only; passages that training and evaluation share are kept apart by the split. What it does not do:
change the eval set, which is frozen.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lib.gen.evalset import EvalQuestion
from lib.gen.records import Answer, Chunk, Drop
from lib.llm.words import words
from lib.run import BadInput

CHECKS = ("auto", "ngram", "embedding")
BATCH = 2048  # training questions compared at a time: (2048, n_eval) similarities are held, never all


@dataclass(frozen=True)
class Nearest:
    """The question of the eval set that a training question comes nearest to; `similarity` is None where vectors were not asked for.

    Attributes:
        overlap: Largest share of an eval question's n-grams that stand in the training question, in [0, 1].
        similarity: Largest cosine between the two questions' vectors, in [-1, 1].
    """

    overlap: float = 0.0
    by_words: str = ""
    similarity: float | None = None
    by_meaning: str = ""


@dataclass(frozen=True)
class Contamination:
    """What was compared and what came of it: `nearest` holds one entry for each question compared, in order."""

    kept: list[Answer]
    dropped: list[Drop]
    compared: list[Answer]
    nearest: list[Nearest]
    n_eval: int
    n_words: int
    n_meaning: int
    measured: bool

    def sentence(self) -> str:
        """The result for the dataset card."""
        how = f"{self.n_words} by n-grams, " + (f"{self.n_meaning} by embedding" if self.measured else "embeddings not compared")
        return f"{len(self.compared)} training questions against {self.n_eval} of the eval set: {len(self.dropped)} removed ({how})"


def check_thresholds(*, check: str, ngram: int, overlap: float, similarity: float) -> None:
    """Refuse settings that compare nothing.

    Raises:
        BadInput: Names the parameter, what was expected and what came.
    """
    if check not in CHECKS:
        raise BadInput(f"contamination_check: expected one of {', '.join(CHECKS)}, found {check!r}")
    if ngram < 1:
        raise BadInput(f"contamination_ngram: expected 1 word or more, found {ngram}")
    for name, value in (("contamination_overlap", overlap), ("contamination_similarity", similarity)):
        if not 0 < value <= 1:
            raise BadInput(f"{name}: expected more than 0 and at most 1, found {value}")


def connect_embedder(check: str, run, **limits):
    """An asker of the embedder role where questions are to be compared by meaning, else None.

    `auto` asks an embedder that the user named, and not the offline stand-in: a small model on the same cores, 20 questions a second.
    """
    from lib.llm import connect, find_role

    wanted = check == "embedding" or (check == "auto" and find_role("embedder") is not None)
    return connect("embedder", run, **limits) if wanted else None


def remove_contaminated(
    answers: Sequence[Answer],
    chunks: Iterable[Chunk],
    eval_questions: Sequence[EvalQuestion],
    *,
    ngram: int,
    overlap: float,
    similarity: float,
    embedder=None,
) -> Contamination:
    """Take out of training what the eval set asks.

    Args:
        answers: Answered questions; those of test chunks pass untouched, since they are the eval set or of no use.
        chunks: The corpus, with its splits.
        eval_questions: The frozen eval set.
        ngram: Words in a row that count as one.
        overlap: Share of an eval question's n-grams from which on a training question is contaminated.
        similarity: Cosine from which on it is.
        embedder: Asker of the embedder role; None compares words only.
    """
    by_id = {chunk.chunk_id: chunk for chunk in chunks}
    compared = [a for a in answers if by_id[a.question.chunk_id].split != "test"]
    nearest = find_nearest([a.question.question for a in compared], [q.question for q in eval_questions], ngram, embedder)
    dropped, gone, n_words, n_meaning = [], set(), 0, 0
    for answer, near in zip(compared, nearest, strict=True):
        same_words = near.overlap >= overlap
        same_meaning = near.similarity is not None and near.similarity >= similarity
        if same_words or same_meaning:
            reason = "shares its words with a question of the eval set" if same_words else "means the same as a question of the eval set"
            detail = f"{near.overlap:.2f} of {near.by_words!r}" if same_words else f"cosine {near.similarity:.2f} to {near.by_meaning!r}"
            source = by_id[answer.question.chunk_id].source
            dropped.append(Drop("contamination", reason, answer.question.question_id, source, answer.question.question, detail))
            gone.add(answer.question.question_id)
            n_words += same_words
            n_meaning += not same_words
    kept = [a for a in answers if a.question.question_id not in gone]
    return Contamination(kept, dropped, compared, nearest, len(eval_questions), n_words, n_meaning, embedder is not None)


def find_nearest(questions: Sequence[str], eval_questions: Sequence[str], ngram: int, embedder=None) -> list[Nearest]:
    """For each training question the question of the eval set nearest to it, by words and, with an embedder, by meaning."""
    wanted = [ngrams(question, ngram) for question in eval_questions]
    holders: dict[tuple[str, ...], list[int]] = {}
    for i, grams in enumerate(wanted):
        for gram in grams:
            holders.setdefault(gram, []).append(i)
    lengths = {len(gram) for gram in holders}
    by_words = [_most_shared(question, wanted, holders, lengths) for question in questions]
    by_meaning = _most_similar(questions, eval_questions, embedder)
    return [
        Nearest(share, eval_questions[i] if share else "", cosine, eval_questions[j] if cosine is not None else "")
        for (share, i), (cosine, j) in zip(by_words, by_meaning, strict=True)
    ]


def ngrams(question: str, n: int) -> set[tuple[str, ...]]:
    """Runs of `n` words, without case or marks; a shorter question is one run."""
    found = words(question)
    if len(found) <= n:
        return {tuple(found)} if found else set()
    return {tuple(found[i : i + n]) for i in range(len(found) - n + 1)}


def _most_shared(question: str, wanted: Sequence[set], holders: dict, lengths: Collection[int]) -> tuple[float, int]:
    shared = Counter(i for n in lengths for gram in _runs(question, n) for i in holders.get(gram, ()))
    share, i = max(((count / len(wanted[i]), -i) for i, count in shared.items()), default=(0.0, 0))
    return share, -i


def _runs(question: str, n: int) -> set[tuple[str, ...]]:
    found = words(question)
    return {tuple(found[i : i + n]) for i in range(len(found) - n + 1)}


def _most_similar(questions: Sequence[str], eval_questions: Sequence[str], embedder) -> list[tuple[float | None, int]]:
    """Cosine and place of the nearest eval question; vectors are kept by the request store."""
    if embedder is None or not questions or not eval_questions:
        return [(None, 0)] * len(questions)
    against = embedder.embed(eval_questions, "eval questions")
    best: list[tuple[float | None, int]] = []
    for start in range(0, len(questions), BATCH):
        cosines = embedder.embed(questions[start : start + BATCH], "training questions") @ against.T
        places = np.argmax(cosines, axis=1)
        best += [(float(row[i]), int(i)) for row, i in zip(cosines, places, strict=True)]
    return best


def contamination_table(found: Contamination, n: int = 5):
    """The training questions nearest to the eval set: removed, overlap, similarity (empty: not compared), both questions."""
    import pandas as pd

    gone = {drop.id for drop in found.dropped}
    order = sorted(range(len(found.nearest)), key=lambda i: (-found.nearest[i].overlap, -(found.nearest[i].similarity or 0), i))
    rows = []
    for i in order[:n]:
        near, question = found.nearest[i], found.compared[i].question
        rows.append(
            {
                "removed": "yes" if question.question_id in gone else "no",
                "n-gram overlap": round(near.overlap, 2),
                "cosine": "" if near.similarity is None else round(near.similarity, 2),
                "training question": question.question,
                "eval question": near.by_words or near.by_meaning,
            }
        )
    columns = ["removed", "n-gram overlap", "cosine", "training question", "eval question"]
    return pd.DataFrame(rows, columns=columns)
