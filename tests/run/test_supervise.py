"""Supervised processes end with their owner, however it ends, and with everything that they started."""

import os
import signal
import subprocess
import sys
import time

import pytest

from lib.run.supervise import launch, process_start, stop_process

FAMILY = "import os, subprocess, sys, time; c = subprocess.Popen(['sleep', '300']); print(os.getpid(), c.pid, flush=True); time.sleep(300)"


def pids_in(log_path, timeout_s=10.0):
    """Wait for the two pids that FAMILY prints."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if log_path.exists() and len(words := log_path.read_text().split()) == 2:
            return [int(word) for word in words]
        time.sleep(0.02)
    raise AssertionError("the command did not start")


def all_gone(pids, timeout_s=10.0):
    """Whether every process ends within the time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if all(process_start(pid) is None for pid in pids):
            return True
        time.sleep(0.02)
    return False


def test_stop_ends_the_command_and_its_children(tmp_path):
    supervised = launch([sys.executable, "-c", FAMILY], log_path=tmp_path / "log")
    pids = pids_in(tmp_path / "log")
    supervised.stop()
    assert all_gone([*pids, supervised.pid])


def test_a_process_that_ends_while_it_is_being_stopped_is_no_error(monkeypatch):
    seen = iter(["1", None])
    monkeypatch.setattr("lib.run.supervise.process_start", lambda pid: next(seen))
    monkeypatch.setattr("lib.run.supervise.os.kill", lambda pid, number: (_ for _ in ()).throw(ProcessLookupError))
    stop_process(12345)


def test_a_killed_owner_leaves_nothing_behind(tmp_path):
    owner = f"import time; from lib.run.supervise import launch; launch(['{sys.executable}', '-c', {FAMILY!r}], log_path='{tmp_path}/log'); time.sleep(300)"
    process = subprocess.Popen([sys.executable, "-c", owner])
    pids = pids_in(tmp_path / "log")
    process.kill()
    process.wait()
    assert all_gone(pids)


def test_a_killed_supervisor_takes_its_command_along(tmp_path):
    supervised = launch([sys.executable, "-c", FAMILY], log_path=tmp_path / "log")
    pids = pids_in(tmp_path / "log")
    os.kill(supervised.pid, signal.SIGKILL)
    try:
        assert all_gone(pids[:1])
    finally:
        os.kill(pids[1], signal.SIGKILL)  # a grandchild has no such guard; servers watch their parent themselves


def test_exit_status_and_output_come_back(tmp_path):
    supervised = launch(["sh", "-c", "echo out; echo err >&2; exit 7"], log_path=tmp_path / "log")
    assert supervised.wait(10) == 7
    assert sorted((tmp_path / "log").read_text().split()) == ["err", "out"]


def test_a_commands_end_and_a_signal_are_noticed_at_once_however_seldom_the_owner_is_looked_at(tmp_path):
    code = "import sys; from lib.run import supervise as s; s.POLL_S = 60; sys.exit(s.supervise(sys.argv[1], sys.argv[2:]))"
    owner, began = f"{os.getpid()}:{process_start(os.getpid())}", time.monotonic()
    assert subprocess.run([sys.executable, "-c", code, owner, "sh", "-c", "sleep 0.1; exit 7"]).returncode == 7
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen([sys.executable, "-c", code, owner, sys.executable, "-c", FAMILY], stdout=log)
    pids = pids_in(tmp_path / "log", 30)
    process.terminate()
    assert process.wait(60) == 128 + signal.SIGTERM and all_gone(pids)
    assert time.monotonic() - began < 50


def test_a_dead_owner_starts_nothing(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    with pytest.raises(ProcessLookupError, match="not alive"):
        launch(["sleep", "300"], log_path=tmp_path / "log", owner_pid=dead.pid)
