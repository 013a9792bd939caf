"""Real trainings of a tiny student: accelerate, two processes, DeepSpeed ZeRO-3. Half a minute each, most of it imports."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib.finetune.launch import train
from lib.finetune.rows import encode_rows, load_rows
from lib.finetune.settings import Launcher, Settings, build_config
from lib.finetune.verify import verify_model
from lib.run import read_json, read_jsonl

from .tiny import make_rows, make_tokenizer

pytestmark = pytest.mark.smoke

SETTINGS = {
    "learning_rate": 1e-3, "epochs": 1.0, "batch_size": 4, "grad_accumulation": 1, "warmup_ratio": 0.1, "weight_decay": 0.0,
    "scheduler": "cosine", "gradient_checkpointing": False, "save_steps": 3, "seed": 1,
}  # fmt: skip


def start(run_dir, student):
    """Train 100 rows on `student` into `run_dir`; what an interrupted test runs in a process of its own, too."""
    rows = encode_rows(make_rows(108), make_tokenizer(), frozenset({1}))
    launcher = Launcher.load("parameters/launchers/cpu.yaml")
    config = build_config(Settings(**SETTINGS), launcher, Path(student), rows[:100], rows[100:])
    return train(Path(run_dir), config, rows[:100], rows[100:], launcher)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, student_folder):
    run_dir = tmp_path_factory.mktemp("whole")
    return run_dir, start(run_dir, student_folder)


def trainers(run_dir):
    """Processes whose command names the run's folder, this test's own apart."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(run_dir).encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
        except OSError:  # gone meanwhile
            continue
    return found


def test_two_processes_train_every_row_and_save_what_they_trained(trained):
    run_dir, metrics = trained
    assert metrics["processes"] == 2
    assert metrics["zero_stage"] == 3
    assert metrics["rows"] == metrics["rows_trained"] == 100
    assert metrics["steps"] == 13
    assert metrics["loss_last"] < metrics["loss_first"]
    checks = verify_model(run_dir)
    assert len(checks) == 11
    assert checks["holds"].all()
    assert [line["step"] for line in read_jsonl(run_dir / "training/log.jsonl") if "loss" in line] == list(range(1, 14))
    assert not (run_dir / "training/checkpoints").exists()
    assert trainers(run_dir) == []


def test_zero3_on_two_processes_has_the_losses_of_plain_training(trained, student_folder):
    import torch
    from transformers import AutoModelForCausalLM, get_cosine_schedule_with_warmup

    folder = trained[0] / "training"
    config, rows = read_json(folder / "config.json"), load_rows(folder / "rows.npz")
    logged = [line["loss"] for line in read_jsonl(folder / "log.jsonl") if "loss" in line]
    model = AutoModelForCausalLM.from_pretrained(student_folder, dtype=torch.float32).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=config["learning_rate"], weight_decay=0.0)
    schedule = get_cosine_schedule_with_warmup(optimizer, math.ceil(0.1 * config["steps"]), config["steps"])
    for step in range(config["steps"] - 1):  # the last one is filled up with rows seen before
        batch = [rows[i] for i in config["order"][8 * step : 8 * step + 8]]
        width = max(len(ids) for ids, _ in batch)
        ids, labels = torch.full((8, width), 2), torch.full((8, width), -100)
        for i, (row, n) in enumerate(batch):
            ids[i, : len(row)] = labels[i, : len(row)] = torch.from_numpy(row.astype("int64"))
            labels[i, :n] = -100
        loss = model(input_ids=ids, attention_mask=(ids != 2).long(), labels=labels).loss
        assert loss.item() == pytest.approx(logged[step], abs=5e-4)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def test_a_finished_training_is_not_repeated(trained, student_folder):
    run_dir, metrics = trained
    begun = time.monotonic()
    assert start(run_dir, student_folder) == metrics
    assert time.monotonic() - begun < 5


def test_a_killed_training_leaves_nothing_running_and_ends_with_the_same_bits(trained, student_folder, tmp_path):
    # This process must not name the folder on its command line: it is how what is left is found.
    code = (
        "import os; from tests.finetune.test_training import start; start(os.environ['RUN_DIR'], os.environ['STUDENT'])"
    )
    environment = os.environ | {"RUN_DIR": str(tmp_path), "STUDENT": str(student_folder), "PYTHONPATH": "."}
    owner = subprocess.Popen([sys.executable, "-c", code], env=environment, start_new_session=True)
    while not list(tmp_path.glob("training/checkpoints/*/whole")):
        assert owner.poll() is None, "the training ended before it could be killed"
        time.sleep(0.1)
    os.killpg(owner.pid, signal.SIGKILL)
    owner.wait()
    deadline = time.monotonic() + 20
    while trainers(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert trainers(tmp_path) == []
    assert not (tmp_path / "training/metrics.json").exists()
    resumed, (run_dir, whole) = start(tmp_path, student_folder), trained
    assert "resuming after step" in (tmp_path / "training/log.txt").read_text()
    assert resumed["model_sha256"] == whole["model_sha256"]
    assert resumed["rows_trained"] == 100

    def told(folder):
        return [
            (line["step"], line.get("loss"), line.get("valid_loss"))
            for line in read_jsonl(folder / "training/log.jsonl")
        ]

    assert told(tmp_path) == told(run_dir)
    assert read_json(tmp_path / "training/config.json")["fingerprint"] == whole["fingerprint"]
