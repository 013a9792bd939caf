"""Several machines: what each is told to type, and how they find each other."""

import os
import subprocess

import pytest

from lib.finetune import start
from lib.finetune.launcher import Launcher

TWO = "parameters/launchers/nodes2x8.yaml"


def test_each_further_machine_gets_a_command_and_the_first_none(tmp_path):
    lines = start.join_commands(tmp_path, ["a", "b", "c"])
    assert list(lines) == ["b", "c"]
    assert lines["c"].endswith(f"lib.finetune.start {tmp_path} 2")
    assert start.join_commands(tmp_path, []) == {}


def test_machines_meet_at_the_first_ones_address(tmp_path):
    line = start.command(Launcher.load(TWO), tmp_path, rank=1, main="node0")
    text = " ".join(line)
    assert "--machine_rank 1 --main_process_ip node0 --main_process_port" in text
    assert start.command(Launcher.load(TWO), tmp_path, rank=1, main="node0") == line


def test_a_machine_waits_for_a_training_that_has_begun_and_not_for_one_that_is_long_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(start, "POLL_S", 0.01)
    path = start.call_machines(tmp_path, Launcher.load(TWO), "node0", "none")
    assert start.wait_for_meeting(tmp_path, 0.001) == {"main": "node0", "launcher": TWO, "tracker": "none"}
    os.utime(path, (1, 1))
    with pytest.raises(TimeoutError, match="start 2_finetune"):
        start.wait_for_meeting(tmp_path, 0.00002)


def test_only_the_chosen_trackers_key_reaches_the_trainer(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "canary")
    monkeypatch.setenv("TEACHER_OPENAI_API_KEY", "other canary")
    assert "canary" not in start.environment().values()
    kept = start.environment("wandb")
    assert kept["WANDB_API_KEY"] == "canary"
    assert "WANDB_DISABLED" not in kept
    assert "other canary" not in kept.values()


@pytest.mark.parametrize(
    ("more", "run"), [("", "far"), ("-y run near", "near"), ("--run here -y run near", "here"), ("--run=there", "there")]
)
def test_the_slurm_script_starts_each_machine_with_its_number(tmp_path, more, run):
    """With stand-ins for Slurm's own commands and for the run."""
    for name, body in (
        ("scontrol", "printf 'a\\nb\\nc\\n'"),
        ("srun", 'echo "srun $*" >> calls'),
        ("run_all.sh", 'for ((i = 0; i < 500; i++)); do [ "$(cat calls 2>/dev/null | wc -l)" = 2 ] && break; sleep 0.02; done; echo "run $*" >> calls'),
    ):
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "p.yaml").write_text("run: 'far'  # a name\nseed: 1\n")
    script = os.path.abspath("parameters/launchers/slurm.sh")
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_NODELIST": "x"}
    subprocess.run(["bash", script, "p.yaml", "-y", "epochs", "2", *more.split()], cwd=tmp_path, env=environment, check=True, timeout=20)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert sorted(calls[:-1]) == [
        f"srun --nodes=1 --ntasks=1 --nodelist={host} .venv/bin/python -m lib.finetune.start runs/{run} {rank}"
        for rank, host in ((1, "b"), (2, "c"))
    ]
    assert calls[-1] == 'run -p p.yaml -y hosts ["a", "b", "c"] -y epochs 2' + f" {more}".rstrip()
