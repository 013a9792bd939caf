"""Uncertainty in numbers and in words: intervals for rates, paired differences between systems, better / worse / cannot tell."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z95 = 1.959963984540054
N_RESAMPLES = 10_000
LEVEL = 0.05


def wilson(successes: int, n: int) -> tuple[float, float]:
    """95 % interval of a rate (Wilson's score interval); nan, nan for n = 0.

    It never leaves [0, 1] and is sound for small n and for rates near 0 and 1, where p ± 1.96 se is not.
    """
    if n == 0:
        return math.nan, math.nan
    if not 0 <= successes <= n:
        raise ValueError(f"expected 0 to n successes, came {successes} of {n}")
    p, z2 = successes / n, Z95 * Z95
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # At 0 and n one end is the rate itself, which rounding would miss by a hair.
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == n else centre + half)


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p of McNemar's test from the pairs that only one of two systems answers correctly."""
    n = only_first + only_second
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / 2**n)


@dataclass(frozen=True)
class Difference:
    """First system minus second on the same questions.

    Attributes:
        n: Questions that both were asked.
        n_clusters: Source documents that they come from.
        difference, low, high: Difference of the shares correct, with its 95 % interval.
        only_first, only_second: Questions that only one of the two answers correctly.
        p: Exact McNemar p.
        word: `better`, `worse` or `cannot tell`, said of the first system.
    """

    n: int
    n_clusters: int
    difference: float
    low: float
    high: float
    only_first: int
    only_second: int
    p: float
    word: str


def paired_difference(
    first: Sequence[bool], second: Sequence[bool], clusters: Sequence[str], rng: random.Random
) -> Difference:
    """Compare two systems question by question.

    The interval resamples source documents with all of their questions, since questions about one document succeed and fail
    together; resampled deviations are widened by sqrt(G / (G - 1)), without which a few documents look surer than they are.

    Args:
        first, second: Whether each system's answer is correct, in the same order, (n_questions,).
        clusters: Source document of each question, (n_questions,).
        rng: The only source of chance.
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    if not len(a) == len(b) == len(clusters):
        raise ValueError(
            f"expected one outcome per question and system; came {len(a)}, {len(b)} and {len(clusters)} clusters"
        )
    only_first, only_second = int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())
    p = mcnemar(only_first, only_second)
    if not len(a):
        return Difference(0, 0, math.nan, math.nan, math.nan, 0, 0, 1.0, "cannot tell")
    names, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sums, counts = np.bincount(index, weights=a - b), np.bincount(index).astype(float)  # (n_clusters,) each
    low, high = _interval(sums, counts, rng)
    difference = float((a - b).mean())
    return Difference(len(a), len(names), difference, low, high, only_first, only_second, p, say(low, high, p))


def _interval(sums: np.ndarray, counts: np.ndarray, rng: random.Random) -> tuple[float, float]:
    """Percentile interval of sum/count over resampled clusters; -1 to 1 where one cluster alone says nothing about others."""
    n = len(sums)
    if n < 2:
        return -1.0, 1.0
    generator = np.random.default_rng(rng.getrandbits(64))
    drawn = generator.multinomial(n, np.full(n, 1 / n), size=N_RESAMPLES)  # (n_resamples, n_clusters)
    centre = sums.sum() / counts.sum()
    spread = ((drawn @ sums) / (drawn @ counts) - centre) * math.sqrt(n / (n - 1))
    low, high = np.quantile(centre + spread, (0.025, 0.975))
    return max(-1.0, float(low)), min(1.0, float(high))


def say(low: float, high: float, p: float) -> str:
    """The plain word: `better` or `worse` only where the interval excludes 0 and the exact test agrees at 5 %."""
    if p < LEVEL and low > 0:
        return "better"
    if p < LEVEL and high < 0:
        return "worse"
    return "cannot tell"
