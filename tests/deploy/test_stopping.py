"""No server outlives its run: the owner killed, Ctrl-C while a server starts, a start that never ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib.run.supervise import process_start

from .fakes import write_run

# Stands in for a notebook: serves two fake models, says so, and then does what its argument says.
OWNER = """
import sys, time
from pathlib import Path
import lib.deploy.serve as serve
from tests.deploy.fakes import FAKE, FakeRun
slow = sys.argv[2] == "starting"
fake = FAKE if not slow else "import time, subprocess; subprocess.Popen(['sleep', '300']); time.sleep(300)"
serve.SERVER_PYTHON = Path(sys.executable)
serve.build_command = lambda server, **_: [sys.executable, "-c", fake, str(server.port)]
if slow:
    serve._await_health = (lambda wait: lambda servers, s: (print("starting", flush=True), wait(servers, s)))(serve._await_health)
serve.ensure_served(FakeRun(Path(sys.argv[1]), start_timeout_s=float(sys.argv[3])), ["student", "baseline"])
print("served", flush=True)
time.sleep(300)
"""


@pytest.fixture
def run_dir(tmp_path):
    write_run(tmp_path)
    return tmp_path


@pytest.fixture
def start_owner(run_dir):
    """Starts OWNER, owner of its own servers, and returns it once it printed `said`."""
    owners = []

    def start(mode: str, said: str, timeout_s: float = 60) -> subprocess.Popen:
        code = "import os; os.environ['RAFT_OWNER_PID'] = str(os.getpid())" + OWNER
        command = [sys.executable, "-c", code, str(run_dir), mode, str(timeout_s)]
        owner = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path.cwd())
        owners.append(owner)
        for line in owner.stdout:
            if line.strip() == said:
                return owner
        raise AssertionError(owner.stderr.read())

    yield start
    for owner in owners:
        owner.kill()
        owner.communicate()


def family(run_dir: Path) -> set[int]:
    """Every live process that a run's supervisors have started, theirs included."""
    records = json.loads((run_dir / "serving" / "servers.json").read_text())
    found, waiting = set(), [record["pid"] for record in records.values()]
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            waiting += [int(child) for child in task.read_text().split()]
    return {pid for pid in found if process_start(pid)}


def assert_gone(pids: set[int], within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while left := {pid for pid in pids if process_start(pid)}:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.1)


def test_servers_die_with_an_owner_that_is_killed(run_dir, start_owner):
    owner = start_owner("served", "served")
    pids = family(run_dir)
    assert len(pids) == 4  # two supervisors, two servers
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    assert_gone(pids)


@pytest.mark.smoke
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_servers_that_are_still_starting_end_with_ctrl_c_and_with_a_kill(run_dir, start_owner, ending):
    owner = start_owner("starting", "starting")
    deadline = time.monotonic() + 10
    while len(family(run_dir)) < 6 and time.monotonic() < deadline:  # two supervisors, two servers, a child of each
        time.sleep(0.1)
    pids = family(run_dir)
    assert len(pids) == 6
    owner.send_signal(ending)
    owner.wait(30)
    assert_gone(pids)


@pytest.mark.smoke
def test_a_server_that_never_gets_ready_is_ended_at_its_deadline(run_dir, start_owner):
    owner = start_owner("starting", "starting", timeout_s=2)
    pids = family(run_dir)
    assert "was not ready after 2 s" in owner.communicate(timeout=30)[1]
    assert owner.returncode != 0
    assert_gone(pids)
