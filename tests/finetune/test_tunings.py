"""Real trainings of every kind but the plain one: adapters, 4 bits, packing, best checkpoints, two machines."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lib.finetune import start as starting
from lib.finetune.verify import verify_model
from lib.run import read_json, read_jsonl

from .tiny import start

pytestmark = pytest.mark.smoke

PLAIN = "parameters/launchers/cpu1_plain.yaml"


@pytest.fixture(scope="module")
def lora(tmp_path_factory, student_folder):
    run_dir = tmp_path_factory.mktemp("lora")
    return run_dir, start(run_dir, student_folder, n=64, tuning="lora", gradient_checkpointing=True, learning_rate=1e-2)


def test_an_adapter_trains_under_zero3_and_is_merged_to_the_same_logits(lora, student_folder):
    run_dir, metrics = lora
    assert (metrics["processes"], metrics["zero_stage"], metrics["rows_trained"]) == (2, 3, 64)
    assert metrics["loss_last"] < metrics["loss_first"]
    assert not (run_dir / "model").exists()
    about = read_json(run_dir / "adapter" / "adapter_config.json")
    assert about["base_model_name_or_path"] == str(student_folder)
    checked = verify_model(run_dir, merge=True)
    assert checked["holds"].all()
    assert {"merged: logits equal source and adapter apart", "every map moved"} <= set(checked["check"])
    assert (run_dir / "model" / "model.safetensors").is_file()


def test_an_adapter_is_trained_further(lora, student_folder, tmp_path):
    """From where it was: the first loss is that of the adapter, not that of the student."""
    before = lora[1]
    again = start(tmp_path, student_folder, n=64, tuning="lora", adapter=str(lora[0] / "adapter"), learning_rate=1e-3)
    assert again["loss_first"] < (before["loss_first"] + before["loss_last"]) / 2
    assert verify_model(tmp_path)["holds"].all()


@pytest.fixture
def wide_student(tmp_path, tokenizer):
    """An untrained student wide enough for 4-bit kernels, which take rows of 64 numbers and more."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=256, bos_token_id=0, eos_token_id=1, pad_token_id=2, tie_word_embeddings=True,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(tmp_path / "student")
    tokenizer.save_pretrained(tmp_path / "student")
    return tmp_path / "student"


def test_qlora_trains_and_saves_on_one_process(wide_student, tmp_path):
    metrics = start(tmp_path, wide_student, PLAIN, n=64, tuning="qlora", learning_rate=1e-2)
    assert (metrics["processes"], metrics["zero_stage"], metrics["rows_trained"]) == (1, 0, 64)
    assert metrics["loss_last"] < metrics["loss_first"]
    assert verify_model(tmp_path, merge=True)["holds"].all()


def test_packed_rows_train_and_the_best_weights_are_kept(student_folder, tmp_path):
    change = {"packing": True, "eval_steps": 3, "keep": "best", "batch_size": 1, "learning_rate": 3e-2}
    metrics = start(tmp_path, student_folder, length=256, n=120, **change)
    assert metrics["rows_trained"] == 120
    looks = [line for line in read_jsonl(tmp_path / "training/log.jsonl") if "valid_loss" in line]
    best = min(looks[:-1], key=lambda line: line["valid_loss"])
    assert metrics["kept_step"] == best["step"]
    assert metrics["valid_loss"] == pytest.approx(best["valid_loss"], rel=1e-5)
    assert "packing: a packed row's logits differ" in (tmp_path / "training/log.txt").read_text()
    assert verify_model(tmp_path)["holds"].all()


def test_training_stops_when_it_no_longer_gets_better(student_folder, tmp_path):
    change = {"eval_steps": 1, "save_steps": 1, "keep": "best", "early_stop": 2, "learning_rate": 1e-12}
    metrics = start(tmp_path, student_folder, n=168, **change)
    assert metrics["stopped_early"]  # at so low a rate no weight moves, and no loss falls
    assert (metrics["kept_step"], metrics["steps"]) == (1, 3)


def test_two_machines_train_together(student_folder, tmp_path):
    """Two launchers, one process each, that meet over the loopback: the commands are those of real machines."""
    config = yaml.safe_load(Path("parameters/launchers/cpu.yaml").read_text(encoding="utf-8"))
    config |= {"num_machines": 2}
    config["deepspeed_config"]["deepspeed_multinode_launcher"] = "standard"
    launcher = tmp_path / "two.yaml"
    launcher.write_text(yaml.safe_dump(config))
    line = starting.join_commands(tmp_path, ["127.0.0.1", "other"])["other"].split()
    other = subprocess.Popen([sys.executable, *line[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        metrics = start(tmp_path, student_folder, str(launcher), n=64, hosts=["127.0.0.1", "other"])
        assert other.wait(60) == 0
    finally:
        other.kill()
    assert (metrics["processes"], metrics["rows_trained"]) == (2, 64)
    assert verify_model(tmp_path)["holds"].all()
