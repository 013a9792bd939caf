"""Real trainings of a tiny student: accelerate, two processes, DeepSpeed ZeRO-3. Half a minute each, most of it imports."""

import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib.finetune import launch
from lib.finetune.rows import load_rows
from lib.finetune.verify import verify_model
from lib.run import read_json, read_jsonl

from .tiny import start

pytestmark = pytest.mark.smoke

@pytest.fixture(scope="module")
def trained(tmp_path_factory, student_folder):
    run_dir = tmp_path_factory.mktemp("whole")
    return run_dir, start(run_dir, student_folder)


FAULTS = {
    # A trainer that drops a row before it begins, and one that drops one of each batch on the way.
    "before": "load = batches.load_dataset\ndef lossy(path, order):\n    rows, dataset = load(path, order)\n"
    "    return rows, dataset.select(range(len(dataset) - (path.name == 'rows.npz')))\nbatches.load_dataset = lossy",
    "on the way": "call = batches.Collator.__call__\nbatches.Collator.__call__ = lambda self, examples: call(self, examples[:-1])",
}


def plant(fault, folder, monkeypatch):
    """Have the launcher start the training script with a fault in it."""
    script = folder / "faulty.py"
    script.write_text(
        "import os, sys\nfrom pathlib import Path\nsys.path.insert(0, os.getcwd())\nfrom lib.finetune import batches, train, weights\n"
        f"{fault}\ntrain.main(Path(sys.argv[1]))\n"
    )
    command = launch.command
    monkeypatch.setattr(launch, "command", lambda *given, **more: [*command(*given, **more)[:-3], str(script), str(given[1])])


@pytest.mark.parametrize(("fault", "kept"), [("before", 23), ("on the way", 18)])
def test_a_trainer_that_drops_rows_stops_with_that_error_and_saves_nothing(fault, kept, student_folder, tmp_path, monkeypatch):
    plant(FAULTS[fault], tmp_path, monkeypatch)
    with pytest.raises(RuntimeError, match=f"rows lost: 24 went into the trainer, {kept} are trained on"):
        start(tmp_path / "run", student_folder, "parameters/launchers/cpu1_plain.yaml", n=24)
    assert not (tmp_path / "run" / "model").exists()
    assert not (tmp_path / "run" / "training" / "metrics.json").exists()


FULL = """
import resource
save = weights.save
def save_on_a_full_disk(*given):
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
    save(*given)
weights.save = save_on_a_full_disk
"""


def test_a_disk_that_is_full_while_the_model_is_saved_is_named_and_the_training_goes_on_later(student_folder, tmp_path, monkeypatch):
    run_dir, plain = tmp_path / "run", "parameters/launchers/cpu1_plain.yaml"
    with monkeypatch.context() as patch:
        plant(FULL, tmp_path, patch)
        with pytest.raises(RuntimeError, match="What to do: the disk is full"):
            start(run_dir, student_folder, plain, n=24)
    assert trainers(run_dir) == []
    assert not (run_dir / "training" / "metrics.json").exists()
    assert start(run_dir, student_folder, plain, n=24)["rows_trained"] == 24
    assert "resuming after step 6" in (run_dir / "training" / "log.txt").read_text()
    assert verify_model(run_dir)["holds"].all()


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
    assert metrics["rows"] == metrics["rows_trained"] == 168
    assert metrics["steps"] == 21
    assert metrics["loss_last"] < metrics["loss_first"]
    checks = verify_model(run_dir)
    assert len(checks) == 11
    assert checks["holds"].all()
    assert [line["step"] for line in read_jsonl(run_dir / "training/log.jsonl") if "loss" in line] == list(range(1, 22))
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
    assert config["steps"] > 20
    for step in range(config["steps"]):
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


def test_one_process_has_the_losses_of_two(trained, student_folder, tmp_path):
    metrics = start(tmp_path, student_folder, "parameters/launchers/cpu1.yaml", batch_size=8)
    assert (metrics["processes"], metrics["zero_stage"]) == (1, 3)
    assert losses(tmp_path) == pytest.approx(losses(trained[0]), abs=5e-4)


def losses(run_dir):
    return [line["loss"] for line in read_jsonl(run_dir / "training/log.jsonl") if "loss" in line]


def kill_at(step, run_dir, student):
    """Train until a step is logged, then kill the whole session; what is left must end by itself."""
    # This process must not name the folder on its command line: it is how what is left is found.
    code = "import os; from tests.finetune.tiny import start; start(os.environ['RUN_DIR'], os.environ['STUDENT'])"
    environment = os.environ | {"RUN_DIR": str(run_dir), "STUDENT": str(student), "PYTHONPATH": "."}
    owner = subprocess.Popen([sys.executable, "-c", code], env=environment, start_new_session=True)
    log = run_dir / "training/log.jsonl"
    while not log.is_file() or read_jsonl(log)[-1]["step"] < step:
        assert owner.poll() is None, f"the training ended before step {step}"
        time.sleep(0.05)
    os.killpg(owner.pid, signal.SIGKILL)
    owner.wait()
    deadline = time.monotonic() + 20
    while trainers(run_dir) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert trainers(run_dir) == []
    assert not (run_dir / "training/metrics.json").exists()


def test_a_training_killed_five_times_leaves_nothing_running_and_ends_with_the_same_bits(trained, student_folder, tmp_path):
    for step in sorted(random.Random(5).sample(range(1, 20), 5)):
        kill_at(step, tmp_path, student_folder)
    resumed, (run_dir, whole) = start(tmp_path, student_folder), trained
    assert "resuming after step" in (tmp_path / "training/log.txt").read_text()
    assert resumed["model_sha256"] == whole["model_sha256"]
    assert resumed["rows_trained"] == 168
    assert losses(tmp_path) == losses(run_dir)
    assert read_json(tmp_path / "training/config.json")["fingerprint"] == whole["fingerprint"]


def test_a_killed_training_goes_on_with_another_number_of_processes(trained, student_folder, tmp_path):
    kill_at(8, tmp_path, student_folder)
    metrics = start(tmp_path, student_folder, "parameters/launchers/cpu1.yaml", batch_size=8)
    assert metrics["processes"] == 1
    assert metrics["rows_trained"] == 168
    assert "resuming after step" in (tmp_path / "training/log.txt").read_text()
    assert losses(tmp_path) == pytest.approx(losses(trained[0]), abs=5e-4)
    assert verify_model(tmp_path)["holds"].all()
