"""Which chunks may stand beside a question's oracle: retrieved neighbours and random ones, none that gives the answer away."""

import random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from lib.gen.records import Answer, Chunk
from lib.llm.raft import squeeze
from lib.llm.search import Lexical, best
from lib.llm.words import facts, holds_answer, split_words

N_NEIGHBOURS = 50  # retrieved chunks among which hard distractors are sought
N_REMEMBERED = 20_000  # chunks whose words are kept; about 10 kB each, so 0.2 GB whatever the corpus


class Distractor(NamedTuple):
    """A chunk to show, and whether retrieval brought it (a hard one)."""

    chunk: Chunk
    is_hard: bool


class Distractors:
    """Finds chunks to show beside a question: retrieved neighbours and random ones, never a copy of its oracle.

    Memory grows with the chunks only: a question is scored alone, (n_chunks,) float32, and forgotten.
    """

    def __init__(self, pool: Sequence[Chunk]):
        self.pool = list(pool)
        self._known = lru_cache(N_REMEMBERED)(self._read)
        self._index = Lexical([chunk.text for chunk in self.pool], split=split_words)

    def find(
        self, answer: Answer, oracle: Chunk, *, n: int, n_hard: int, strict: bool, rng: random.Random
    ) -> list[Distractor] | None:
        """Choose `n` chunks, no two of them near-duplicates of each other or of the oracle.

        Args:
            answer: Verified answer to the question.
            oracle: The chunk it comes from.
            n: Chunks wanted.
            n_hard: How many of them are the nearest neighbours of the question by BM25.
            strict: Leave out every chunk that may hold the answer.
            rng: The only source of chance.

        Returns:
            The chunks, retrieved ones first, or None where the pool does not hold enough.
        """
        found: list[Distractor] = []
        groups = {oracle.duplicate_group}
        neighbours = iter(self._neighbours(answer.question.question) if n_hard else ())
        at_random = _draws(len(self.pool), rng)
        while len(found) < n:
            i = next(neighbours, None) if len(found) < n_hard else None
            is_hard = i is not None  # neighbours may run out; chance fills up
            i = next(at_random, None) if i is None else i
            if i is None:
                return None
            if self.pool[i].duplicate_group not in groups and not (strict and self._gives_away(i, answer)):
                found.append(Distractor(self.pool[i], is_hard))
                groups.add(self.pool[i].duplicate_group)
        return found

    def _gives_away(self, i: int, answer: Answer) -> bool:
        known, flat = self._known(i)
        return any(squeeze(quote) in flat for quote in answer.quotes) or holds_answer(known, answer.answer)

    def _read(self, i: int) -> tuple[set[str], str]:
        return facts(self.pool[i].text), squeeze(self.pool[i].text)

    def _neighbours(self, question: str) -> list[int]:
        """Chunks that share words with a question, best first, at most `N_NEIGHBOURS`; ties in pool order."""
        scores = self._index.scores(question)
        return [int(i) for i in best(scores, N_NEIGHBOURS) if scores[i] > 0]


def _draws(n: int, rng: random.Random) -> Iterator[int]:
    """Yield 0 … n-1 in random order, at a cost that grows with the numbers taken only (a shuffle written lazily)."""
    moved: dict[int, int] = {}
    for i in range(n):
        j = rng.randrange(i, n)
        yield moved.get(j, j)
        moved[j] = moved.get(i, i)
