"""Uncertainty in numbers and in words: intervals for rates, paired differences between systems, better / worse / cannot tell.

Questions about one document succeed and fail together, so whole documents are resampled; where many comparisons are made,
their p values are corrected together (Holm), and a word is said of the corrected one only.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z95 = 1.959963984540054
N_RESAMPLES, MOST_DRAWN = 10_000, 2_000_000  # with more than 200 clusters fewer resamples, never below 2,000
LEVEL = 0.05
POWERED = Z95 + 0.8416212335729143  # standard errors that a difference needs to be seen in 80 % of such evaluations
LEAST_PAIRS = 6  # all falling one way: the fewest with which the exact test goes below 5 % (2 / 2^6)


def ratio(count: int, n: int) -> float:
    """`count / n`; nan for n = 0, and not None: a column of nothing but None is no column of numbers."""
    return count / n if n else math.nan


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
        smallest: Smallest difference that these questions could be expected to show, 80 times in 100.
        p: Exact McNemar p.
        word: `better`, `worse` or `cannot tell`, said of the first system; of this one comparison, before any correction.
    """

    n: int
    n_clusters: int
    difference: float
    low: float
    high: float
    only_first: int
    only_second: int
    smallest: float
    p: float
    word: str


def paired_difference(
    first: Sequence[bool], second: Sequence[bool], clusters: Sequence[str], rng: random.Random
) -> Difference:
    """Compare two systems question by question.

    The interval resamples source documents with all of their questions (paired bootstrap), see `bootstrap_bounds`.

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
        return Difference(0, 0, math.nan, math.nan, math.nan, 0, 0, math.nan, 1.0, "cannot tell")
    sums, counts = cluster_sums(a - b, clusters)
    low, high = cluster_interval(sums, counts, rng)
    difference = float((a - b).mean())
    if high - low < 1e-9:  # all documents fell alike: resampling them shows no spread, but so few questions allow some
        spread = wilson(0, len(a))[1]
        low, high = max(-1.0, difference - spread), min(1.0, difference + spread)
    smallest = smallest_difference(len(a), high - low)
    word = say(low, high, p)
    return Difference(len(a), len(counts), difference, low, high, only_first, only_second, smallest, p, word)


def cluster_sums(values: Sequence[float], clusters: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Sum of the values and number of questions of each cluster, (n_clusters,) each, clusters in alphabetical order."""
    _, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    return np.bincount(index, weights=np.asarray(values, float)), np.bincount(index).astype(float)


def cluster_interval(sums: np.ndarray, counts: np.ndarray, rng: random.Random) -> tuple[float, float]:
    """95 % interval of sum/count over resampled clusters; -1 to 1 where one cluster alone says nothing about others."""
    low, high = bootstrap_bounds(sums[None, :], counts, np.random.default_rng(rng.getrandbits(64)))
    return float(low[0]), float(high[0])


def bootstrap_bounds(sums: np.ndarray, counts: np.ndarray, generator) -> tuple[np.ndarray, np.ndarray]:
    """Percentile intervals of many rates or differences over the same clusters.

    Args:
        sums: Sums over each cluster's questions, (n_rates, n_clusters).
        counts: Questions of each cluster, (n_clusters,).
        generator: numpy's; the only source of chance.

    Returns:
        Lower and upper ends, (n_rates,) each, within [-1, 1].
    """
    n = len(counts)
    if n < 2:
        return np.full(len(sums), -1.0), np.full(len(sums), 1.0)
    from scipy.special import stdtrit  # here: planning needs no scipy

    size = min(N_RESAMPLES, max(2000, MOST_DRAWN // n))
    drawn = generator.multinomial(n, np.full(n, 1 / n), size=size).astype(float)  # (n_resamples, n_clusters)
    centre = sums.sum(axis=1) / counts.sum()
    # A few clusters look surer than they are: the bootstrap's variance lacks n / (n - 1), and its tails those of Student's t.
    widen = math.sqrt(n / (n - 1)) * stdtrit(n - 1, 0.975) / Z95
    spread = ((drawn @ sums.T) / (drawn @ counts)[:, None] - centre) * widen  # (n_resamples, n_rates)
    low, high = np.quantile(spread, (0.025, 0.975), axis=0)
    return np.maximum(-1.0, centre + low), np.minimum(1.0, centre + high)


def smallest_difference(n: int, width: float) -> float:
    """Smallest difference that n paired questions would show with 80 % probability.

    2.8 standard errors (those behind a 95 % interval of this width); never less than the six questions, all falling one
    way, without which the exact test cannot go below 5 %.
    """
    if not n:
        return math.nan
    return min(1.0, max(POWERED * width / (2 * Z95), LEAST_PAIRS / n))


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's corrected p values, in the order given: each is good against 5 % whatever the number of comparisons.

    Source: Holm 1979, a simple sequentially rejective multiple test procedure.
    """
    corrected, highest = [0.0] * len(ps), 0.0
    for rank, i in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[i]))
        corrected[i] = highest
    return corrected


def say(low: float, high: float, p: float) -> str:
    """The plain word: `better` or `worse` only where the interval excludes 0 and the exact test agrees at 5 %."""
    if p < LEVEL and low > 0:
        return "better"
    if p < LEVEL and high < 0:
        return "worse"
    return "cannot tell"
