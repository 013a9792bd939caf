"""Intervals and words: the published arithmetic recomputed, and nothing called different that is not."""

import math
import random

import pytest

from lib.eval.stats import mcnemar, paired_difference, wilson


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


def test_equal_systems_are_seldom_called_different():
    rng = random.Random(5)
    called = 0
    for _ in range(60):
        clusters = [str(i % 20) for i in range(100)]
        first, second = ([rng.random() < 0.6 for _ in range(100)] for _ in range(2))
        called += paired_difference(first, second, clusters, rng).word != "cannot tell"
    assert called <= 8  # 5 % of 60 is 3; more than 8 has a probability below 1 %


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (10, 9, 1.0), (15, 5, 0.041389)],
)
def test_mcnemar_is_the_exact_binomial_test(first, second, p):
    assert mcnemar(first, second) == pytest.approx(p, abs=1e-5)
