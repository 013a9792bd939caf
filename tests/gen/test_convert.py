"""Datasets in other forms, those of gorilla/raft among them. Every row is made here."""

import json
import random

import pytest

from lib.gen.convert import main, read_raft, write_as
from lib.gen.evalset import read_eval_set
from lib.gen.formats import raft_row, training_rows
from lib.gen.mix import build_examples
from lib.llm.raft import REFUSAL, Format
from lib.run import BadInput
from lib.run.tables import read_rows, write_rows

from .corpus import make_corpus

SHARES = {"n_distractors": 2, "p_oracle": 0.8, "p_refusal": 0.2, "p_hard": 0.5}
PUBLISHED = ("id", "type", "question", "context", "oracle_context", "cot_answer", "instruction")


@pytest.fixture
def examples():
    chunks, answers = make_corpus(20)
    return build_examples(answers, chunks, rng=random.Random(1), **SHARES)


@pytest.fixture
def foreign(examples):
    """Rows with the columns that gorilla/raft writes, and no other."""
    return [{name: row[name] for name in PUBLISHED} | {"id": f"seed_task_{i}"} for i, row in enumerate(map(raft_row, examples))]


@pytest.mark.parametrize("form", [Format("chat"), Format("chat", "Be brief."), Format("completion", "Be brief.")])
@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "arrow"])
def test_raft_rows_convert_to_exactly_what_the_trainer_reads(tmp_path, examples, form, suffix):
    write_rows(tmp_path / f"raft.{suffix}", map(raft_row, examples))
    arguments = [str(tmp_path / f"raft.{suffix}"), str(tmp_path / "out.jsonl"), "--format", form.dataset_format]
    assert main([*arguments, "--system-prompt", form.system_prompt]) == 0
    assert list(read_rows(tmp_path / "out.jsonl")) == list(training_rows(examples, "train", form))


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "arrow"])
def test_rows_of_gorilla_raft_are_read_from_each_of_its_files_and_pass_through_unchanged(tmp_path, foreign, suffix, capsys):
    write_rows(tmp_path / f"in.{suffix}", foreign)
    assert main([str(tmp_path / f"in.{suffix}"), str(tmp_path / "out.jsonl"), "--format", "hf"]) == 0
    assert list(read_rows(tmp_path / "out.jsonl")) == foreign
    assert capsys.readouterr().err == ""


@pytest.mark.smoke
def test_a_datasets_folder_is_read_and_written(tmp_path, foreign):
    write_rows(tmp_path / "in", foreign)
    assert main([str(tmp_path / "in"), str(tmp_path / "out"), "--format", "chat"]) == 0
    assert [row["messages"][0]["content"] for row in read_rows(tmp_path / "out")] == [row["instruction"] for row in foreign]


@pytest.mark.parametrize("form", ["chat", "completion"])
def test_chat_and_completion_shapes_come_back_as_raft_rows(foreign, form):
    made = write_as(read_raft(foreign), form, system_prompt="Be brief.", prompt_column="text", completion_column="label", stop="<STOP>")
    back = list(read_raft(made, prompt_column="text", completion_column="label", stop="<STOP>"))
    for row, was in zip(back, foreign, strict=True):
        assert row["system"] == "Be brief."
        for name in ("question", "instruction", "cot_answer"):
            assert row[name] == was[name]
        assert row["context"]["sentences"] == was["context"]["sentences"]
        assert row["oracle_context"] in (was["oracle_context"], "")
    assert sum(bool(row["oracle_context"]) for row in back) == sum(bool(row["oracle_context"]) for row in foreign) > 0


def test_completion_columns_and_stop_can_be_chosen(foreign):
    [row] = write_as(read_raft(foreign[:1]), "completion", prompt_column="text", completion_column="label", stop="<STOP>")
    assert row == {"text": foreign[0]["instruction"] + "\n", "label": foreign[0]["cot_answer"] + "<STOP>"}


def test_eval_rows_are_one_a_question_answerable_and_fit_to_be_an_eval_set(tmp_path, foreign):
    write_rows(tmp_path / "in.jsonl", foreign)
    assert main([str(tmp_path / "in.jsonl"), str(tmp_path / "eval.jsonl"), "--format", "eval"]) == 0
    rows = list(read_rows(tmp_path / "eval.jsonl"))
    assert [row["question"] for row in rows] == list(dict.fromkeys(row["question"] for row in foreign))
    assert len(read_eval_set(tmp_path / "eval.jsonl")) == len(rows) == 20
    assert all(row["answer"] == row["gold_final_answer"] != REFUSAL and "<ANSWER>" not in row["answer"] for row in rows)
    assert all(row["context"].startswith("<DOCUMENT>") and row["context"].endswith("</DOCUMENT>") for row in rows)


def test_the_same_instruction_over_every_section_is_a_question_for_each(tmp_path):
    rows = [
        {"messages": [{"role": "user", "content": f"<DOCUMENT>Section {i}.</DOCUMENT>\nSum this up."}, {"role": "assistant", "content": f"It is {i}."}]}
        for i in range(5)
    ]
    write_rows(tmp_path / "eval.jsonl", write_as(read_raft([*rows, rows[0]]), "eval"))
    assert [q.answer for q in read_eval_set(tmp_path / "eval.jsonl")] == [f"It is {i}." for i in range(5)]


def test_what_is_wrong_with_another_programs_rows_is_counted_and_said(tmp_path, foreign, capsys):
    spoilt = [row | {"oracle_context": "a passage that is not shown"} for row in foreign[:3]]
    write_rows(tmp_path / "in.jsonl", [*spoilt, *foreign[3:]])
    assert main([str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"), "--format", "chat"]) == 0
    assert "warning: 3 rows: the oracle of its fields is not shown" in capsys.readouterr().err


def test_an_answer_without_a_blank_behind_its_tag_is_cut_at_the_tag(foreign):
    row = foreign[0] | {"cot_answer": "Long reasoning about it all. <ANSWER>:8K"}
    [made] = write_as(read_raft([row]), "eval")
    assert made["gold_final_answer"] == "8K"


def test_a_refusal_in_words_of_the_runs_own_is_no_question_with_an_answer(examples):
    rows = [raft_row(e) | {"cot_answer": "I must pass.", "answer": "I must pass."} for e in examples if e.kind != "oracle"]
    assert rows and not list(write_as(read_raft(rows), "eval"))


CELLS = {
    "a table's text of an object": ({"context": "{'sentences': []}"}, "row 1: expected JSON in `context`, found \"{'sent"),
    "documents without their names": ({"context": ["a", "b"]}, "row 1: expected `sentences` and `title` in `context`"),
    "a number for a text": ({"cot_answer": 7}, "row 1: expected a text in `cot_answer`, found 7"),
    "no question anywhere": ({"instruction": "", "question": None}, "row 1: expected `instruction` and `cot_answer`"),
    "turns of another schema": ({"messages": [{"from": "human", "value": "a"}]}, "row 1: expected messages with a role and a text"),
    "messages that are no JSON": ({"messages": "hello"}, "row 1: expected JSON in `messages`"),
    "a turn without text": ({"messages": [{"role": "user", "content": None}]}, "row 1: expected messages with a role and a text"),
    "a label that is a number": ({"cot_answer": None, "prompt": "x", "completion": 5}, "row 1: expected a text in `completion`"),
}


@pytest.mark.parametrize("case", CELLS)
def test_a_cell_of_another_kind_is_one_clear_line_and_nothing_is_written(tmp_path, foreign, capsys, case):
    changed, problem = CELLS[case]
    (tmp_path / "in.jsonl").write_text(json.dumps(foreign[0] | changed), encoding="utf-8")
    assert main([str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"), "--format", "chat"]) == 2
    assert capsys.readouterr().err.startswith(problem)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_row_of_no_known_form_is_named_with_its_columns(tmp_path, capsys):
    with pytest.raises(BadInput, match="row 1: expected `instruction` and `cot_answer`.*found text, label"):
        list(read_raft([{"text": "x", "label": "y"}]))
    with pytest.raises(BadInput, match="row 1: expected one question and one answer, found messages of user"):
        list(read_raft([{"messages": [{"role": "user", "content": "x"}]}]))
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": "x"}), encoding="utf-8")
    assert main([str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"), "--format", "chat"]) == 2
    assert "row 1" in capsys.readouterr().err
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_an_output_that_cannot_be_written_is_told_in_a_line(tmp_path, foreign, name, capsys):
    write_rows(tmp_path / "in.jsonl", foreign[:1])
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "in.jsonl"), str(tmp_path / "file" / name), "--format", "hf"]) == 2
    assert f"{name}: cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_an_input_without_rows_is_an_error_whatever_is_to_be_written(tmp_path, name, capsys):
    (tmp_path / "in.jsonl").write_text("")
    assert main([str(tmp_path / "in.jsonl"), str(tmp_path / name), "--format", "hf"]) == 2
    assert "no rows to write" in capsys.readouterr().err and not (tmp_path / name).exists()
