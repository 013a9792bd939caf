"""Passages in a row: one number of distractors, or from one number to another."""

import pytest

from lib.eval.conditions import training_width
from lib.eval.plan import plan
from lib.finetune.plan import plan as plan_training
from lib.run.passages import most_passages, passages_shown
from lib.run.preflight import check_run


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ({"n_distractors": 2}, [3]),
        ({"n_distractors": 2, "max_distractors": 0}, [3]),
        ({"n_distractors": 0, "max_distractors": 2}, [1, 2, 3]),
        ({}, []),
    ],
)
def test_rows_show_the_oracle_and_from_the_fewest_to_the_most_distractors(parameters, shown):
    assert list(passages_shown(parameters)) == shown
    assert most_passages(parameters, 7) == (shown[-1] if shown else 7)


def test_controls_are_as_wide_as_the_widest_row(tmp_path):
    drawn = {"n_distractors": 0, "max_distractors": 2}
    assert training_width({"parameters": {"1_gen": drawn}}, [1]) == 3
    (tmp_path / "eval_set.jsonl").write_text('{"question": "a"}\n', encoding="utf-8")
    asked = {"documents": str(tmp_path / "documents"), "top_k": [1], "chunk_chars": 3000}
    tokens = [next(row["value"] for row in plan(asked | more) if row["item"] == "answer tokens") for more in (drawn, {"n_distractors": 2}, {"n_distractors": 0})]
    assert tokens[0] == tokens[1] > tokens[2]


def test_training_is_planned_with_rows_of_every_width(tmp_path):
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.txt").write_text("word " * 4000, encoding="utf-8")
    p = {
        "run": "x", "backend": "local", "tuning": "full", "launcher": "parameters/launchers/cpu.yaml", "max_length": 0, "student_model": "data/student",
        "documents": str(tmp_path / "documents"), "chunk_chars": 1000, "p_overlap": 0.0, "questions_per_chunk": 5, "p_refusal": 0.0, "p_valid": 0.0, "p_test": 0.0,
        "learning_rate": 1e-3, "epochs": 1.0, "batch_size": 4, "grad_accumulation": 1, "warmup_ratio": 0.0, "weight_decay": 0.0, "scheduler": "cosine",
        "gradient_checkpointing": False, "save_steps": 2, "seed": 1,
    }  # fmt: skip
    said = {name: {row["item"]: row["value"] for row in plan_training(p | more, root=tmp_path)} for name, more in {
        "mixed": {"n_distractors": 0, "max_distractors": 2}, "wide": {"n_distractors": 2}, "middle": {"n_distractors": 1},
    }.items()}  # fmt: skip
    assert said["mixed"]["longest row"] == said["wide"]["longest row"] > said["middle"]["longest row"]
    assert said["mixed"]["training tokens"] < said["wide"]["training tokens"]


def test_a_top_k_within_the_rows_widths_is_no_surprise_to_the_student(tmp_path):
    values = {"n_distractors": 0, "max_distractors": 2, "top_k": [2], "recipe": "raft"}
    assert not [line for line in check_run(values, [], tmp_path).warnings if "training shows" in line]
    assert [line for line in check_run(values | {"top_k": [5]}, [], tmp_path).warnings if "training shows 3" in line]
