"""Near-duplicates among chunks, exactly: every pair whose word triples overlap by `NEAR` or more is found, none is guessed.

Only chunks that share one of their rarest triples are compared (prefix filter: Chaudhuri et al. 2006, "A primitive operator for
similarity joins"; Bayardo et al. 2007), so time grows with the corpus and not with its square.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from lib.gen.records import Chunk, Drop
from lib.llm.words import split_words

NEAR = 0.8  # Jaccard similarity of word triples from which two chunks count as near-duplicates
_BITS = 21  # three word numbers of 21 bits fit into one of 64: 2 million different words


def flag_near_duplicates(chunks: Sequence[Chunk]) -> list[Chunk]:
    """Give every chunk its `duplicate_group`: the id of the first chunk that it repeats, in a chain or directly; else its own."""
    first = group_near_duplicates([chunk.text for chunk in chunks])
    return [replace(chunk, duplicate_group=chunks[i].chunk_id) for chunk, i in zip(chunks, first)]


def drop_near_duplicates(chunks: Sequence[Chunk]) -> tuple[list[Chunk], list[Drop]]:
    """Keep the first chunk of every group; the others are dropped with a reason that names it."""
    kept = [chunk for chunk in chunks if chunk.duplicate_group == chunk.chunk_id]
    dropped = [
        Drop("chunk", "near-copy of another chunk", c.chunk_id, c.source, c.text[:200], c.duplicate_group)
        for c in chunks
        if c.duplicate_group != c.chunk_id
    ]
    return kept, dropped


def group_near_duplicates(texts: Sequence[str]) -> list[int]:
    """For every text the place of the first one that it repeats, in a chain or directly; else its own.

    Args:
        texts: In an order that decides which one is first.
    """
    sets = _triples(texts)
    parent = list(range(len(texts)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, candidates in _candidates(sets):
        for j in sorted(candidates):
            one, other = root(i), root(j)
            if one != other and _is_near(sets[i], sets[j]):
                parent[max(one, other)] = min(one, other)
    return [root(i) for i in range(len(texts))]


def _is_near(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two sorted sets overlap by `NEAR`: |a and b| >= NEAR * |a or b|."""
    if min(len(a), len(b)) < NEAR * max(len(a), len(b)):
        return False
    shared = len(np.intersect1d(a, b, assume_unique=True))
    return shared >= NEAR * (len(a) + len(b) - shared)


def _triples(texts: Sequence[str]) -> list[np.ndarray]:
    """Word triples of every text as sorted unique numbers; a text of fewer words is one triple, filled up with 0."""
    known: dict[str, int] = {}
    found = []
    for text in texts:
        row = np.array([known.setdefault(word, len(known) + 1) for word in split_words(text)] or [0], dtype=np.uint64)
        row = np.pad(row, (0, max(0, 3 - len(row))))
        if len(known) < 1 << _BITS:
            joined = row[:-2] << np.uint64(2 * _BITS) | row[1:-1] << np.uint64(_BITS) | row[2:]
        else:  # more words than fit: 64 bits of a mix, in which two triples meet with a probability of 2^-64
            joined = _mix(_mix(_mix(row[:-2]) + row[1:-1]) + row[2:])
        found.append(np.unique(joined))
    return found


def _mix(numbers: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser: a permutation of 64-bit numbers that leaves no pattern."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def _candidates(sets: Sequence[np.ndarray]) -> Iterable[tuple[int, set[int]]]:
    """Yield (i, earlier ones that may be near it) for every set that has any.

    Two sets that overlap by `NEAR` share a member among the n - ceil(NEAR * n) + 1 rarest of either.
    """
    if not sets:
        return
    sizes = np.array([len(held) for held in sets])
    owner = np.repeat(np.arange(len(sets)), sizes)
    _, member, times = np.unique(np.concatenate(sets), return_inverse=True, return_counts=True)
    order = np.lexsort((member, times[member], owner))  # by set, rarest first, ties the same everywhere
    owner, member = owner[order], member[order]
    place = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    prefix = np.array([n - math.ceil(NEAR * n - 1e-9) + 1 for n in sizes.tolist()])
    held = (place < prefix[owner]) & (times[member] > 1)
    holders: dict[int, list[int]] = {}
    at = -1
    found: set[int] = set()
    for i, which in zip(owner[held].tolist(), member[held].tolist()):
        if i != at:
            if found:
                yield at, found
            at, found = i, set()
        others = holders.setdefault(which, [])
        found.update(others)
        others.append(i)
    if found:
        yield at, found
