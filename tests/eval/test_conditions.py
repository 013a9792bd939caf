"""What is shown: every system the same, the controls without the answer or with another one."""

import random

import pytest

from lib.eval.conditions import CLOSED_BOOK, NO_ORACLE, RAG, REPLACED, build_cases, training_width
from lib.eval.retrieve import retrieve
from lib.eval.sets import read_sets
from lib.eval.text import mentions
from lib.gen.convert import main as convert
from lib.llm import Format
from lib.llm.raft import build_instruction
from lib.llm.words import facts, holds_answer
from lib.run import write_jsonl


@pytest.fixture
def cases(corpus):
    return make(corpus, random.Random(3))


def make(corpus, rng, **changed):
    chunks, questions = corpus
    rankings = retrieve(chunks, questions, retriever="bm25", depth=len(chunks))
    return build_cases(questions, chunks, rankings, **{"top_k": [3, 1], "width": 3, "rng": rng, **changed})


def test_closed_book_and_every_top_k_are_asked_of_every_question(cases, corpus):
    for condition, k in [(CLOSED_BOOK, 0), (RAG, 1), (RAG, 3)]:
        held = [case for case in cases if (case.condition, case.top_k) == (condition, k)]
        assert [case.question_id for case in held] == [row["id"] for row in corpus[1]]
        assert all(len(case.documents) == len(set(case.context_chunk_ids)) == k for case in held)


def test_without_the_oracle_nothing_shown_holds_the_answer(cases, corpus):
    rows = {row["id"]: row for row in corpus[1]}
    held = [case for case in cases if case.condition == NO_ORACLE]
    assert {case.question_id for case in held} == {key for key, row in rows.items() if row["answerable"]}
    for case in held:
        assert rows[case.question_id]["chunk_id"] not in case.context_chunk_ids
        assert not any(holds_answer(facts(text), rows[case.question_id]["answer"]) for text in case.documents)


def test_a_replaced_value_is_shown_in_the_oracle_and_the_original_nowhere(cases, corpus):
    rows = {row["id"]: row for row in corpus[1]}
    held = [case for case in cases if case.condition == REPLACED]
    assert len(held) == 6
    for case in held:
        assert rows[case.question_id]["chunk_id"] in case.context_chunk_ids
        assert len(case.documents) == 3
        assert sum(mentions(text, case.replacement) for text in case.documents) == 1
        assert not any(mentions(text, case.original) for text in case.documents)
        assert mentions(rows[case.question_id]["answer"], case.original)


def test_the_changed_passage_does_not_always_stand_at_the_same_place(corpus):
    chunk_of = {row["id"]: row["chunk_id"] for row in corpus[1]}
    places = {
        case.context_chunk_ids.index(chunk_of[case.question_id])
        for seed in range(5)
        for case in make(corpus, random.Random(seed))
        if case.condition == REPLACED
    }
    assert places == {0, 1, 2}


def test_the_same_seed_gives_the_same_cases_and_no_width_no_controls(cases, corpus):
    assert make(corpus, random.Random(3)) == cases
    assert {case.condition for case in make(corpus, random.Random(3), width=0)} == {CLOSED_BOOK, RAG}


def test_the_controls_are_as_wide_as_a_training_row():
    assert training_width({"parameters": {"1_gen": {"n_distractors": 4}}}, [3, 7]) == 5
    assert training_width({"parameters": {}}, [3, 7]) == 7


def test_held_out_rows_of_a_dataset_make_an_eval_set_that_is_asked_in_the_words_of_training(tmp_path):
    """Summaries of sections kept out of training: the converter makes an eval set of them, whose prompts are the rows' own."""
    section = "The lamp of Tarn Light burns oil. " * 30
    asked = build_instruction([section], "Sum up this section.")
    rows = [{"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": "It burns oil."}]}]
    write_jsonl(tmp_path / "valid.jsonl", rows)
    assert convert([str(tmp_path / "valid.jsonl"), str(tmp_path / "sections.jsonl"), "--format", "eval"]) == 0
    questions = read_sets([str(tmp_path / "sections.jsonl")], [])["sections"]
    (case,) = build_cases(questions, [], {}, top_k=[3], width=3, rng=random.Random(1))
    assert (case.condition, case.top_k, questions[0]["answer"]) == ("given", 1, "It burns oil.")
    assert Format().messages(case.documents, case.question) == rows[0]["messages"][:1]
