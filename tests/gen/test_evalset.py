import json
import random

import pandas as pd
import pytest

import lib.llm.evidence
import lib.llm.words
from lib.gen.chunk import flag_near_duplicates
from lib.gen.evalset import EvalQuestion, describe_origin, eval_table, freeze, locate_evidence, read_eval_set
from lib.gen.heldout import build_eval_set, sample_eval_set
from lib.llm.words import facts, holds_answer
from lib.run import BadInput, file_hash
from lib.run.questions import find_file

from .corpus import make_answer, make_chunk, make_corpus

ROWS = [
    {"question": "When was A built?", "answer": "1200", "source": "a.md", "evidence": "A was built in 1200"},
    {"question": "Wer war Zoë?", "answer": "", "answerable": False},
]


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_a_users_questions_are_read_from_any_of_the_formats(tmp_path, kind):
    path = tmp_path / f"eval_set.{kind}"
    frame = pd.DataFrame(ROWS)
    if kind == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in ROWS), encoding="utf-8")
    elif kind == "json":
        path.write_text(json.dumps(ROWS), encoding="utf-8")
    elif kind == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    first, second = read_eval_set(path)
    assert (first.question, first.answer, first.answerable, first.source) == ("When was A built?", "1200", True, "a.md")
    assert (second.question, second.answer, second.answerable, second.evidence) == ("Wer war Zoë?", "", False, "")
    assert len({first.id, second.id}) == 2


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"q": "x"}], "row 1 has no question"),
        ([{"question": "x?", "answer": "", "answerable": True}], "row 1 is answerable and has no answer"),
        ([{"question": "x?", "answer": "y", "answerable": "perhaps"}], "answerable is 'perhaps'"),
        ([{"question": "x?", "answer": "y"}, {"question": "x?", "answer": "z"}], "row 2 repeats the question"),
        ([{"question": "x?", "answer": ["y", "z"]}], "row 1: answer is a list, expected one text"),
        ({"question": {"0": "x?"}, "answer": {"0": "y"}}, "row 1: question is a dict, expected one text"),
        ([{"question": "x?", "gold": "y"}], "row 1 has no answer, and no row has: the columns are question, gold"),
        ([], "no rows"),
    ],
)
def test_rows_that_cannot_be_used_are_named(tmp_path, rows, problem):
    (tmp_path / "e.json").write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(BadInput, match=problem):
        read_eval_set(tmp_path / "e.json")


def test_a_whole_number_beside_an_empty_cell_stays_whole(tmp_path):
    pd.DataFrame({"question": ["When?", "Who?"], "answer": [1907, None]}).to_parquet(tmp_path / "e.parquet")
    assert [q.answer for q in read_eval_set(tmp_path / "e.parquet")] == ["1907", ""]


def test_questions_that_all_say_they_have_no_answer_need_no_column_of_answers(tmp_path):
    (tmp_path / "e.csv").write_text("question,answerable\nWhen?,no\n", encoding="utf-8")
    assert [q.answerable for q in read_eval_set(tmp_path / "e.csv")] == [False]


def test_a_file_whose_columns_have_other_names_is_told_by_them_and_by_how_to_name_them(tmp_path):
    (tmp_path / "e.csv").write_text("prompt,gold\nWhen?,1907\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"the columns are prompt, gold; .* eval_columns \['question=…', 'answer=…'\]"):
        read_eval_set(tmp_path / "e.csv")
    assert read_eval_set(tmp_path / "e.csv", ["question=prompt", "answer=gold"])[0].answer == "1907"


def test_a_broken_or_absent_eval_set_is_one_clear_line(tmp_path):
    (tmp_path / "e.jsonl").write_text('{"question": "When?", "answer": "1907"}\n{"question":\n', encoding="utf-8")
    with pytest.raises(BadInput, match="cannot be read: ValueError: line 2: Expecting value"):
        read_eval_set(tmp_path / "e.jsonl")
    with pytest.raises(BadInput, match="expected a file"):
        find_file(str(tmp_path / "none.jsonl"), "docs")


def test_an_eval_set_beside_the_documents_is_found_without_being_named(tmp_path):
    assert find_file("", str(tmp_path / "docs")) is None
    (tmp_path / "eval_set.csv").write_text("question,answer\n", encoding="utf-8")
    assert find_file("", str(tmp_path / "docs")) == tmp_path / "eval_set.csv"


def test_evidence_is_found_whatever_extraction_did_to_its_marks_and_line_breaks(tmp_path):
    chunks = [
        make_chunk("Fees\n| Adult | £8.60 |\n| Child | free of charge |", "a.md", "test"),
        make_chunk("The long bridge was opened in 1931 by the mayor", "a.md", "test"),
        make_chunk("by the mayor and her council after nine years of work.", "a.md", "test"),
        make_chunk("| Adult | £8.60 |", "b.md", "train"),
    ]
    rows = [
        {"question": "Adult fee?", "answer": "£8.60", "source": "a.md", "evidence": "Adult** | £8.60"},
        {"question": "Who opened it?", "answer": "the mayor", "source": "a.md", "evidence": "opened in 1931 by the mayor and her council"},
        {"question": "Child fee?", "answer": "free of charge", "source": "a.md"},
        {"question": "Lost?", "answer": "x", "source": "a.md", "evidence": "not in there at all"},
        {"question": "No answer?", "answer": "", "source": "b.md"},
    ]  # fmt: skip
    (tmp_path / "e.json").write_text(json.dumps(rows), encoding="utf-8")
    found = locate_evidence(read_eval_set(tmp_path / "e.json"), chunks)
    assert [q.chunk_id for q in found] == [chunks[0].chunk_id, chunks[1].chunk_id, chunks[0].chunk_id, "", ""]
    assert [q.split for q in found] == ["test", "test", "test", "test", "train"]
    assert eval_table(found)["chunk_known"].sum() == 3


def test_a_chunk_and_an_answer_are_cut_into_words_once_however_many_of_the_other_there_are(monkeypatch):
    chunks = [make_chunk(f"Boat number {i} was built in {1700 + i} by the yard at Port {i}.", f"{i % 3}.md") for i in range(40)]
    rows = [{"question": f"When was boat number {i} built?", "answer": f"in {1700 + i}"} for i in range(40)]
    said = "was built in {} by the yard, which then burned down to the ground"
    rows += [{"question": f"What of boat {i}?", "answer": "it burned", "evidence": said.format(1700 + i)} for i in range(40)]
    cut, searched = [], []
    cut_words, flat = lib.llm.words.split_words, lib.llm.evidence._flat
    monkeypatch.setattr(lib.llm.words, "split_words", lambda text: cut.append(text) or cut_words(text))
    monkeypatch.setattr(lib.llm.evidence, "_flat", lambda found: searched.append(found) or flat(found))
    found = locate_evidence([EvalQuestion(id=str(i), answerable=True, **row) for i, row in enumerate(rows)], chunks)
    assert [q.chunk_id for q in found] == [chunk.chunk_id for chunk in chunks] * 2
    assert len(cut) <= 2 * len(chunks) + len(rows)
    assert len(searched) < len(chunks) * 40, "pieces of evidence are compared with chunks that hold neither end of it"


def test_generated_questions_come_from_test_chunks_and_unanswerable_ones_from_chunks_that_are_gone():
    chunks, answers = make_corpus(60, lambda i: "test" if i < 20 else "train")
    questions, corpus, dropped = build_eval_set(answers, chunks, random.Random(1))
    kept = {c.chunk_id for c in corpus}
    assert len(questions) == 20
    assert [q.answerable for q in questions].count(False) == 4
    assert len(corpus) == 56
    assert {d.id for d in dropped} == {c.chunk_id for c in chunks} - kept
    for question in questions:
        assert question.split == "test"
        assert question.answerable == (question.chunk_id in kept)
        assert question.answerable == bool(question.answer)
    gone = {a.question.question_id: a.answer for a in answers}
    for question in questions:
        if not question.answerable:
            assert not any(holds_answer(facts(c.text), gone[question.id]) for c in corpus)


def test_a_question_that_another_chunk_answers_is_never_called_unanswerable():
    chunks, answers = make_corpus(10, lambda i: "test")
    twins = [make_chunk(f"Known to all: {a.quotes[0]}", "twin.md") for a in answers]
    questions, corpus, _ = build_eval_set(answers, flag_near_duplicates([*chunks, *twins]), random.Random(1))
    assert all(q.answerable for q in questions)
    assert len(corpus) == 20


def test_no_generated_question_to_evaluate_is_one_clear_line():
    chunks, answers = make_corpus(10)
    with pytest.raises(BadInput, match="raise p_test"):
        build_eval_set(answers, chunks, random.Random(1))


def test_a_generated_answer_keeps_its_evidence():
    chunk = make_chunk("The tower was built in 1300 by monks.", split="test")
    answer = make_answer(chunk, "When was the tower built?", "1300", "The tower was built in 1300")
    [question], _, _ = build_eval_set([answer], [chunk], random.Random(1))
    assert (question.evidence, question.chunk_id, question.source) == (
        "The tower was built in 1300",
        chunk.chunk_id,
        "a.md",
    )


def test_columns_of_other_names_are_named_by_the_user(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("prompt,gold,known\nWhen?,1200,yes\nWho?,,no\n", encoding="utf-8")
    names = ["question=prompt", "answer=gold", "answerable=known"]
    assert [(q.question, q.answer, q.answerable) for q in read_eval_set(path, names)] == [
        ("When?", "1200", True),
        ("Who?", "", False),
    ]
    with pytest.raises(BadInput, match="eval_columns: expected a column 'solution'.*prompt, gold, known"):
        read_eval_set(path, ["question=prompt", "answer=solution"])
    with pytest.raises(BadInput, match="eval_columns: expected name=column"):
        read_eval_set(path, ["reply=gold"])


def test_an_eval_set_of_rows_shares_no_question_with_training_and_calls_itself_weak():
    chunks, answers = make_corpus(60)
    questions, trained = sample_eval_set(answers, chunks, 0.2, random.Random(1))
    assert (len(questions), len(trained)) == (12, 48)
    assert {q.id for q in questions}.isdisjoint(a.question.question_id for a in trained)
    assert {q.id for q in questions} | {a.question.question_id for a in trained} == {a.question.question_id for a in answers}
    assert all(q.answerable and q.split == "train" and q.evidence for q in questions)
    assert sample_eval_set(answers, chunks, 0.2, random.Random(1))[0] == questions
    assert sample_eval_set(answers, chunks, 0.2, random.Random(2))[0] != questions
    assert "weak" in describe_origin(None, "rows")
    assert "weak" not in describe_origin(None, "documents")
    with pytest.raises(BadInput, match="eval_from"):
        sample_eval_set(answers[:1], chunks, 0.2, random.Random(1))


def test_an_eval_set_is_frozen_by_its_hash(tmp_path):
    chunks, answers = make_corpus(60)
    path = tmp_path / "eval.jsonl"
    questions, _ = sample_eval_set(answers, chunks, 0.2, random.Random(1))
    frozen = freeze(path, questions)
    assert frozen == file_hash(path) == freeze(path, questions, frozen.upper())
    with pytest.raises(BadInput, match=f"eval_sha256: expected {frozen}"):
        freeze(path, questions[1:], frozen)
