import json
import random

import pytest

from lib.gen.formats import build_format, raft_row, read_refusals, training_rows, write_examples
from lib.gen.mix import build_examples
from lib.gen.prompt import system_prompt
from lib.llm.raft import REFUSAL, Format
from lib.run import BadInput
from lib.run.tables import read_rows

from .corpus import make_corpus

SHARES = {"n_distractors": 2, "p_oracle": 0.8, "p_refusal": 0.1, "p_hard": 0.5}


@pytest.fixture
def examples():
    chunks, answers = make_corpus(24, lambda i: "valid" if i % 6 == 0 else "train")
    return build_examples(answers, chunks, rng=random.Random(1), **SHARES)


@pytest.mark.parametrize("form", [Format("chat"), Format("chat", "Be brief."), Format("completion", completion_stop="<STOP>")])
def test_jsonl_is_always_written_and_every_other_kind_holds_the_same_rows(tmp_path, examples, form):
    counts = write_examples(tmp_path, examples, form, ["parquet", "arrow"])
    assert counts == {part: len(list(read_rows(tmp_path / f"{part}.jsonl"))) for part in ("raft", "train", "valid")}
    assert list(read_rows(tmp_path / "raft.jsonl")) == list(map(raft_row, examples))
    for part in counts:
        first = list(read_rows(tmp_path / f"{part}.jsonl"))
        assert first == list(read_rows(tmp_path / f"{part}.parquet")) == list(read_rows(tmp_path / f"{part}.arrow"))
    write_examples(tmp_path, examples, form, ["jsonl"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["raft.jsonl", "train.jsonl", "valid.jsonl"]


@pytest.mark.smoke
def test_the_raft_rows_are_a_datasets_folder_when_asked_for(tmp_path, examples):
    from datasets import load_from_disk

    write_examples(tmp_path, examples, Format("chat"), ["hf"])
    assert load_from_disk(str(tmp_path / "hf")).to_list() == list(map(raft_row, examples))
    write_examples(tmp_path, examples, Format("chat"), [])
    assert not (tmp_path / "hf").exists()


def test_a_part_without_rows_is_an_empty_jsonl_file_and_no_other(tmp_path, examples):
    write_examples(tmp_path, [e for e in examples if e.split == "train"], Format("chat"), ["parquet"])
    assert (tmp_path / "valid.jsonl").read_bytes() == b""
    assert not (tmp_path / "valid.parquet").exists()


def test_chat_rows_have_a_system_prompt_or_none(examples):
    with_one, without = (next(training_rows(examples, "train", Format("chat", told))) for told in ("Be brief.", ""))
    assert with_one["messages"][0] == {"role": "system", "content": "Be brief."}
    assert with_one["messages"][1:] == without["messages"]


def test_completions_end_with_the_stop_text_and_it_is_saved_for_whoever_asks_the_student(tmp_path, examples):
    form = build_format("completion", "", completion_stop="\n<STOP>")
    assert all(row["completion"].endswith("\n<STOP>") for row in training_rows(examples, "train", form))
    assert Format.load(form.save(tmp_path / "format.json")).completion_stop == "\n<STOP>"


def test_refusals_come_from_a_list_or_a_file_and_the_system_prompt_names_the_first(tmp_path):
    (tmp_path / "more.txt").write_text("Silent papers.\n\nNo word on it.\n", encoding="utf-8-sig")
    assert read_refusals([]) == (REFUSAL,)
    found = read_refusals(["I  pass.", str(tmp_path / "more.txt")])
    assert found == ("I pass.", "Silent papers.", "No word on it.")
    form = build_format("chat", system_prompt("default"), refusals=found)
    assert "I pass." in form.system_prompt
    assert REFUSAL not in form.system_prompt
    assert form.refusal.splitlines() == list(found)
    assert json.loads(form.save(tmp_path / "format.json").read_text(encoding="utf-8"))["refusal"] == form.refusal


@pytest.mark.parametrize("bad", [["a", "a"], [""], ["<ANSWER>: no"], ["absent.txt"]])
def test_refusals_that_cannot_be_taught_are_an_error(bad):
    with pytest.raises(BadInput, match="refusals: expected"):
        read_refusals(bad)
