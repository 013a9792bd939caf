import random
from collections import Counter
from dataclasses import replace

import pytest

from lib.gen import quota
from lib.gen.records import API
from lib.run import BadInput

from .corpus import make_chunk


def _chunks(lengths):
    return [make_chunk(f"Passage {i} " + "x" * n, f"{i}.md") for i, n in enumerate(lengths)]


@pytest.mark.parametrize("budget", [1, 7, 40, 101])
def test_a_question_budget_is_spent_exactly_and_by_length_within_one_question(budget):
    chunks = _chunks([100, 400, 250, 800, 100, 100])
    asks = quota.plan_asks(chunks, questions_per_chunk=5, question_budget=budget, rng=random.Random(1))
    assert sum(ask.n for ask in asks) == budget
    assert all(ask.n for ask in asks)
    whole = sum(chunk.n_chars for chunk in chunks)
    counts = {ask.chunk.chunk_id: ask.n for ask in asks}
    for chunk in chunks:
        assert abs(counts.get(chunk.chunk_id, 0) - budget * chunk.n_chars / whole) < 1


def test_equal_chunks_share_a_budget_evenly_and_the_seed_decides_who_gets_the_odd_one():
    chunks = _chunks([100] * 10)
    drawn = {
        tuple(ask.n for ask in quota.plan_asks(chunks, questions_per_chunk=1, question_budget=23, rng=random.Random(s)))
        for s in range(6)
    }
    assert all(sorted(counts) == [2] * 7 + [3] * 3 for counts in drawn)
    assert len(drawn) > 1
    again = quota.plan_asks(chunks, questions_per_chunk=1, question_budget=23, rng=random.Random(0))
    assert tuple(ask.n for ask in again) in drawn


def test_without_a_budget_every_chunk_is_asked_alike_and_chance_is_not_touched():
    rng = random.Random(3)
    asks = quota.plan_asks(_chunks([50, 900]), questions_per_chunk=4, rng=rng)
    assert [(ask.n, ask.style, ask.difficulty) for ask in asks] == [(4, "default", "")] * 2
    assert rng.random() == random.Random(3).random()


def test_styles_and_difficulties_are_dealt_in_exact_shares_and_api_records_have_their_own():
    chunks = _chunks([100] * 40)
    chunks[5] = replace(chunks[5], type=API)
    wishes = {
        "question_style": "default 0.5, search 0.25, conversational 0.25",
        "question_difficulty": "easy 0.3, hard 0.7",
    }
    asks = quota.plan_asks(chunks, questions_per_chunk=1, rng=random.Random(1), **wishes)
    styles = Counter(ask.style for ask in asks)
    assert styles["api"] == 1
    assert asks[5].style == "api"
    assert abs(styles["default"] - 20) <= 1
    assert abs(styles["search"] - 10) <= 1
    assert Counter(ask.difficulty for ask in asks) == {"easy": 12, "hard": 28}


@pytest.mark.parametrize(
    ("parameter", "text", "message"),
    [
        ("question_style", "default 0.5, search 0.4", "add up to 1"),
        ("question_style", "default, search", "a name, or names with shares"),
        ("question_style", "serch", "expected one of conversational, default, mixed, search, found 'serch'"),
        ("question_difficulty", "impossible", "expected one of easy, hard"),
    ],
)
def test_a_style_that_nobody_wrote_a_prompt_for_is_refused(parameter, text, message):
    with pytest.raises(BadInput, match=message):
        quota.check_shares(parameter, text)


def test_a_prompts_folder_may_bring_a_style_of_its_own(tmp_path):
    (tmp_path / "style_riddle.txt").write_text("As riddles.", encoding="utf-8")
    quota.check_shares("question_style", "riddle", str(tmp_path))


def test_the_table_counts_chunks_and_questions():
    asks = quota.plan_asks(_chunks([100] * 6), questions_per_chunk=2, rng=random.Random(1), question_style="search")
    table = quota.asks_table(asks)
    assert table.to_dict("records") == [
        {"style": "search", "difficulty": "as it comes", "chunks": 6, "questions asked for": 12}
    ]
