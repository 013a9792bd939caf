"""Controlled contexts: the right passage where it is said to be, and nothing beside it that gives the answer away."""

import random
from collections import Counter

import pytest

from lib.eval.contexts import CONTEXTS, HARD, NONE, ORACLE, PLACES, RANDOM, build_contexts
from lib.eval.replace import blind_share, count_values
from lib.eval.retrieve import retrieve
from lib.llm.words import facts, holds_answer


def build(corpus, contexts=tuple(CONTEXTS), n_distractors=(2, 4), seed=3):
    chunks, questions = corpus
    rankings = retrieve(chunks, questions, retriever="bm25", depth=len(chunks))
    rng = random.Random(seed)
    return build_contexts(questions, chunks, rankings, contexts=contexts, n_distractors=n_distractors, rng=rng)


def test_the_right_passage_stands_where_it_is_said_to_and_no_other_gives_the_answer_away(corpus):
    rows = {row["id"]: row for row in corpus[1]}
    for case in build(corpus):
        row = rows[case.question_id]
        assert len(case.documents) == len(set(case.context_chunk_ids)) == case.top_k
        others = [text for key, text in zip(case.context_chunk_ids, case.documents) if key != row["chunk_id"]]
        assert not any(holds_answer(facts(text), row["answer"]) for text in others)
        if case.condition == NONE:
            assert row["chunk_id"] not in case.context_chunk_ids and case.place == 0
        else:
            assert case.context_chunk_ids[case.place - 1] == row["chunk_id"]


def test_random_passages_are_drawn_from_all_chunks_however_deep_the_ranking_goes(corpus):
    chunks, questions = corpus
    how = {"contexts": [RANDOM, NONE], "n_distractors": [2, 4]}
    shallow = retrieve(chunks, questions, retriever="bm25", depth=1)
    assert build_contexts(questions, chunks, shallow, **how, rng=random.Random(3)) == build(corpus, [RANDOM, NONE])


def test_every_number_of_distractors_is_asked_and_the_oracle_stands_at_every_place(corpus):
    counts = Counter((case.condition, case.top_k) for case in build(corpus))
    assert counts == {
        (ORACLE, 1): 7, (RANDOM, 3): 7, (RANDOM, 5): 7, (HARD, 3): 7, (HARD, 5): 7, (NONE, 3): 7, (NONE, 5): 7,
        (PLACES, 3): 21, (PLACES, 5): 35,
    }  # fmt: skip
    places = Counter((c.question_id, c.top_k, c.place) for c in build(corpus, [PLACES]))
    assert set(places.values()) == {1}
    same = [c for c in build(corpus, [PLACES], [3]) if c.question_id == "q1"]
    assert len({frozenset(c.context_chunk_ids) for c in same}) == 1


def test_hard_distractors_hold_a_value_of_the_answers_kind_first_and_random_ones_differ_with_the_seed(corpus):
    hard = next(c for c in build(corpus, [HARD], [2]) if c.question_id == "q1")
    others = [text for i, text in enumerate(hard.documents, 1) if i != hard.place]
    assert all("£" in text for text in others)  # a price was asked
    drawn = {frozenset(c.context_chunk_ids) for s in range(6) for c in build(corpus, [RANDOM], [2], s) if c.question_id == "q1"}
    assert len(drawn) > 1
    assert build(corpus) == build(corpus)


def test_a_question_with_too_few_harmless_passages_is_left_out_and_none_are_asked_for_by_default(corpus):
    assert build(corpus, [HARD], [8]) == []
    assert build(corpus, []) == []


@pytest.mark.parametrize(
    ("passages", "replacement", "share"),
    [
        (["It costs £62 a night."], "£62", 1),
        (["It costs £62.", "A ticket is £12.50, a loaf £1."], "£62", 1 / 3),
        (["It costs £62 and £62 again."], "£62", 1),
        (["The warden is Ailsa Moor.", "In June the cook was Ruben Vale."], "Ruben Vale", 1 / 2),
        (["It leaves at 6:15, from 3 quays."], "6:15", 1),
        (["dogs"], "boots and a lunch", None),
    ],
)
def test_a_matcher_that_ignores_the_subject_guesses_among_the_values_of_the_kind(passages, replacement, share):
    assert blind_share(passages, replacement) == (None if share is None else pytest.approx(share))


def test_values_of_other_kinds_do_not_count():
    assert count_values(["£45, 6:15 and 14 days, £45"], "money") == 1
