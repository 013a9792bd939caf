"""Intervals and words: the published arithmetic recomputed, and nothing called different that is not."""

import math
import random
from statistics import NormalDist

import numpy as np
import pytest

from lib.eval.stats import bootstrap_bounds, holm, mcnemar, paired_difference, say, smallest_difference, wilson


@pytest.mark.parametrize(
    ("successes", "n", "rate", "low", "high"),
    [
        (54, 71, 0.7606, 0.6495, 0.8450),
        (53, 71, 0.7465, 0.6345, 0.8332),
        (54, 65, 0.8308, 0.7219, 0.9029),
        (0, 20, 0.0, 0.0, 0.1611),
        (20, 20, 1.0, 0.8389, 1.0),
    ],
)
def test_wilson_intervals_of_the_published_counts(successes, n, rate, low, high):
    assert successes / n == pytest.approx(rate, abs=1e-4)
    assert wilson(successes, n) == pytest.approx((low, high), abs=1e-3)


def test_no_questions_give_no_interval_and_impossible_counts_an_error():
    assert all(math.isnan(bound) for bound in wilson(0, 0))
    with pytest.raises(ValueError, match="72 of 71"):
        wilson(72, 71)


@pytest.mark.parametrize("disagreements", [0, 1, 5, 15])
def test_54_against_53_of_71_cannot_tell_however_the_pairs_fall(disagreements):
    both = 53 - disagreements
    first = [1] * both + [1] * (disagreements + 1) + [0] * disagreements
    second = [1] * both + [0] * (disagreements + 1) + [1] * disagreements
    first, second = ([*row, *[0] * (71 - len(row))] for row in (first, second))
    assert (sum(first), sum(second)) == (54, 53)
    found = paired_difference(first, second, [f"document {i % 20}" for i in range(71)], random.Random(1))
    assert found.word == "cannot tell"
    assert found.difference == pytest.approx(1 / 71)
    assert found.low <= 1 / 71 <= found.high


def test_a_large_difference_is_called_and_turned_round_is_called_the_other_way():
    first, second, clusters = [1] * 80 + [0] * 20, [1] * 40 + [0] * 60, [str(i % 25) for i in range(100)]
    found = paired_difference(first, second, clusters, random.Random(1))
    assert found.word == "better"
    assert 0 < found.low < 0.4 < found.high
    assert paired_difference(second, first, clusters, random.Random(1)).word == "worse"


def test_a_difference_that_one_document_makes_cannot_tell():
    first, second = [1] * 30 + [0, 1] * 10, [0] * 30 + [0, 1] * 10
    one = ["one"] * 30 + [str(i) for i in range(20)]
    each = [str(i) for i in range(50)]
    assert paired_difference(first, second, each, random.Random(1)).word == "better"
    assert paired_difference(first, second, ["one"] * 50, random.Random(1)).word == "cannot tell"
    assert (
        paired_difference(first, second, one, random.Random(1)).low
        < paired_difference(first, second, each, random.Random(1)).low
    )


def test_the_same_seed_gives_the_same_interval():
    arguments = [1, 0, 1, 1] * 10, [0, 0, 1, 1] * 10, [str(i % 7) for i in range(40)]
    assert paired_difference(*arguments, random.Random(4)) == paired_difference(*arguments, random.Random(4))


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (10, 9, 1.0), (15, 5, 0.041389)],
)
def test_mcnemar_is_the_exact_binomial_test(first, second, p):
    assert mcnemar(first, second) == pytest.approx(p, abs=1e-5)


def test_holm_is_the_step_down_correction_and_never_below_the_plain_p():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.5, 0.6]) == [1.0, 1.0]


def test_the_smallest_difference_falls_with_n_and_71_questions_cannot_show_a_few_points():
    clusters = [str(i) for i in range(71)]
    first, second = [i < 54 for i in range(71)], [8 <= i < 61 for i in range(71)]
    found = paired_difference(first, second, clusters, random.Random(1))
    assert found.smallest > 0.10
    assert smallest_difference(20, 0.0) == 0.3  # six of twenty
    assert smallest_difference(1000, 0.04) == pytest.approx(0.0286, abs=1e-4)
    assert math.isnan(smallest_difference(0, 0.1))


def simulate(n_simulations, n_documents, per_document, right, rng):
    """Outcomes (n_simulations, n_systems, n_documents, per_document) whose documents are easy or hard for all systems."""
    shape = (n_simulations, 1, n_documents, per_document)
    easy = rng.normal(size=(*shape[:3], 1)) * 0.6 + rng.normal(size=shape) * 0.5
    noise = rng.normal(size=(n_simulations, len(right), n_documents, per_document))
    own = rng.normal(size=(n_simulations, len(right), n_documents, 1)) * 0.3
    total = math.sqrt(1 + 0.36 + 0.25 + 0.09)
    return (easy + noise + own) / total < np.array([NormalDist().inv_cdf(p) for p in right])[None, :, None, None]


@pytest.mark.parametrize(("n_documents", "per_document"), [(15, 8), (40, 6)])
def test_intervals_cover_the_truth_in_93_to_97_percent_of_1000_simulations(n_documents, per_document):
    outcomes = simulate(1000, n_documents, per_document, (0.7, 0.6), np.random.default_rng(11))
    counts, generator = np.full(n_documents, float(per_document)), np.random.default_rng(12)
    sums = outcomes.sum(axis=3).astype(float)
    for truth, values in ((0.1, sums[:, 0] - sums[:, 1]), (0.7, sums[:, 0])):
        low, high = bootstrap_bounds(values, counts, generator)
        assert 0.93 <= ((low <= truth) & (truth <= high)).mean() <= 0.97


@pytest.mark.parametrize(("n", "p"), [(71, 0.76), (226, 0.4), (1000, 0.05)])
def test_wilson_intervals_cover_the_truth_in_93_to_97_percent_of_1000_simulations(n, p):
    drawn = np.random.default_rng(13).binomial(n, p, size=1000)
    bounds = {k: wilson(int(k), n) for k in set(drawn.tolist())}
    assert 0.93 <= np.mean([bounds[k][0] <= p <= bounds[k][1] for k in drawn.tolist()]) <= 0.97


def test_two_equal_systems_are_called_different_in_at_most_5_percent_of_1000_simulations():
    outcomes = simulate(1000, 30, 7, (0.65, 0.65), np.random.default_rng(14))
    sums = outcomes.sum(axis=3).astype(float)
    low, high = bootstrap_bounds(sums[:, 0] - sums[:, 1], np.full(30, 7.0), np.random.default_rng(15))
    only_first = (outcomes[:, 0] & ~outcomes[:, 1]).sum(axis=(1, 2))
    only_second = (outcomes[:, 1] & ~outcomes[:, 0]).sum(axis=(1, 2))
    words = [
        say(*bounds, mcnemar(int(a), int(b)))
        for *bounds, a, b in zip(low, high, only_first, only_second, strict=True)
    ]
    assert 0 < sum(word != "cannot tell" for word in words) <= 50


def test_the_largest_of_many_equal_systems_is_not_called_better():
    """Twenty systems as good as the first: uncorrected, some pair is called different in most families."""
    rng = np.random.default_rng(16)
    families = []
    for _ in range(100):
        first, others = rng.random(150) < 0.6, rng.random((20, 150)) < 0.6
        ps = [mcnemar(int((first & ~other).sum()), int((other & ~first).sum())) for other in others]
        families.append((min(ps) < 0.05, min(holm(ps)) < 0.05))
    plain, corrected = np.mean(families, axis=0)
    assert plain > 0.2
    assert corrected <= 0.08


def test_where_nothing_differs_the_interval_is_that_of_so_few_questions_never_a_point():
    same, documents = [1] * 5 + [0] * 43, [str(i % 4) for i in range(48)]
    found = paired_difference(same, same, documents, random.Random(1))
    assert (found.difference, found.low, found.high, found.word) == (0.0, -wilson(0, 48)[1], wilson(0, 48)[1], "cannot tell")
    all_first = paired_difference([1] * 48, [0] * 48, documents, random.Random(1))
    assert (all_first.low, all_first.high, all_first.word) == (1 - wilson(0, 48)[1], 1.0, "better")
