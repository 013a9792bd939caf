"""Settings, launchers and the plan: refused before anything is spent, and right in their arithmetic."""

import json
from pathlib import Path

import pytest
import yaml

from lib.finetune.estimate import SHAPES, find_shape, shape_of, state_bytes
from lib.finetune.plan import plan
from lib.finetune.rows import encode_rows
from lib.finetune.settings import Launcher, Settings, build_config, check_choices
from lib.finetune.student import find_student
from lib.run import BadInput

from .tiny import make_rows

CPU = "parameters/launchers/cpu.yaml"
BASICS = {
    "learning_rate": 1e-3, "epochs": 1.0, "batch_size": 4, "grad_accumulation": 1, "warmup_ratio": 0.0, "weight_decay": 0.0,
    "scheduler": "cosine", "gradient_checkpointing": False, "save_steps": 2, "seed": 1,
}  # fmt: skip


@pytest.mark.parametrize("path", sorted(Path("parameters/launchers").glob("*.yaml")), ids=lambda path: path.name)
def test_every_launcher_saves_whole_weights(path):
    launcher = Launcher.load(path)
    assert launcher.stage in (2, 3)
    assert launcher.processes >= launcher.machines >= 1
    assert path.read_text().startswith("# What:")


def test_zero3_that_gathers_no_weights_is_refused(tmp_path):
    config = yaml.safe_load(Path(CPU).read_text())
    zero = json.loads(Path(config["deepspeed_config"]["deepspeed_config_file"]).read_text())
    zero["zero_optimization"]["stage3_gather_16bit_weights_on_model_save"] = False
    (tmp_path / "zero.json").write_text(json.dumps(zero))
    config["deepspeed_config"]["deepspeed_config_file"] = str(tmp_path / "zero.json")
    (tmp_path / "launcher.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(BadInput, match="saves empty tensors"):
        Launcher.load(tmp_path / "launcher.yaml")


def test_a_launcher_that_is_not_there_names_those_that_are():
    with pytest.raises(BadInput, match="cpu.yaml"):
        Launcher.load("parameters/launchers/tpu.yaml")


@pytest.mark.parametrize(
    ("backend", "tuning", "scheduler"),
    [("cloud", "full", "cosine"), ("local", "qlora", "cosine"), ("local", "full", "x")],
)
def test_what_is_not_supported_is_refused_by_name(backend, tuning, scheduler):
    with pytest.raises(BadInput, match="expected .* found"):
        check_choices(backend, tuning, scheduler)


@pytest.mark.parametrize("change", [{"learning_rate": 0.0}, {"epochs": -1.0}, {"batch_size": 0}, {"warmup_ratio": 1.0}])
def test_settings_out_of_range_are_refused(change):
    with pytest.raises(BadInput, match="expected"):
        Settings(**BASICS | change)


def test_a_student_that_is_nowhere_is_refused():
    with pytest.raises(BadInput, match="expected a folder with config.json"):
        find_student("data/no-such-student")


def test_the_fingerprint_changes_with_anything_that_decides_the_weights(tokenizer, student_folder):
    rows = encode_rows(make_rows(20), tokenizer, frozenset({1}))
    launcher = Launcher.load(CPU)

    def fingerprint(rows=rows, valid=(), **change):
        return build_config(Settings(**BASICS | change), launcher, student_folder, rows, valid)["fingerprint"]

    prints = [
        fingerprint(),
        fingerprint(seed=2),
        fingerprint(learning_rate=2e-3),
        fingerprint(rows=rows[1:]),
        fingerprint(valid=rows[:1]),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint() == prints[0]


def test_steps_and_tokens_add_up(tokenizer, student_folder):
    rows = encode_rows(make_rows(21), tokenizer, frozenset({1}))
    config = build_config(Settings(**BASICS | {"epochs": 2.0}), Launcher.load(CPU), student_folder, rows, [])
    assert config["steps"] == len(config["tokens_by_step"]) == 6
    assert config["tokens_by_step"][-1] == 2 * sum(map(len, rows))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("llama-2-7b", 6_738_415_616), ("llama-3-8b", 8_030_261_248), ("llama-3.1-8b", 8_030_261_248)],
)
def test_parameters_counted_from_a_shape_are_the_published_ones(name, parameters):
    assert shape_of(SHAPES[name]).parameters == parameters


def test_parameters_counted_from_a_shape_are_those_stored(student_folder):
    config = json.loads((student_folder / "config.json").read_text())
    assert shape_of(config).parameters == find_shape(str(student_folder)).parameters


def test_hub_names_find_their_shape():
    for name in ("meta-llama/Llama-2-7b-hf", "meta-llama/Meta-Llama-3-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"):
        assert find_shape(name).parameters > 6e9
    assert find_shape("somebody/else") is None


def test_eight_billion_parameters_over_four_gpus_take_36_gb_of_state_each():
    state = state_bytes(find_shape("meta-llama/Llama-3.1-8B-Instruct"), Launcher.load("parameters/launchers/gpu4.yaml"))
    assert state == pytest.approx(18 * 8.03e9 / 4, rel=0.07)


def test_the_plan_needs_no_gpu_no_hub_and_no_dataset(tmp_path):
    p = BASICS | {
        "run": "x", "backend": "local", "tuning": "full", "launcher": "parameters/launchers/gpu4.yaml", "max_length": 8192,
        "student_model": "meta-llama/Llama-3.1-8B-Instruct", "documents": "data/documents", "chunk_chars": 1000, "p_overlap": 0.1,
        "questions_per_chunk": 5, "n_distractors": 4, "p_refusal": 0.05, "p_valid": 0.05, "p_test": 0.1,
    }  # fmt: skip
    rows = {row["item"]: row for row in plan(p, root=tmp_path)}
    assert rows["parameters"]["value"] == 8_030_261_248
    assert rows["training memory"]["unit"] == "GB a GPU"
    assert rows["steps"]["value"] > 0
    with pytest.raises(BadInput, match="backend"):
        plan(p | {"backend": "hosted"}, root=tmp_path)
