"""bootstrap.sh with a Python that only pretends: it notes what pip was asked and fails or hangs where it is told to."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

FILES = ("bootstrap.sh", "requirements.txt", "requirements-hashed.txt", "requirements-vllm.txt", "requirements-vllm-cpu.txt")
FAKE = """#!/bin/bash
case "$*" in
    *"import platform"*) echo 3.12.1 ;;
    *"import sysconfig"*) echo "$(dirname "$0")/../site" ;;
    -c*) exit 0 ;;
    "-m venv"*)
        folder="${@: -1}"; mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python"
        echo "#!$PWD/$folder/bin/python" >"$folder/bin/pip"; echo "venv $*" >>"$NOTES" ;;
    "-m pip"*)
        echo "pip $(basename "$(dirname "$(dirname "$0")")") $*" >>"$NOTES"
        [ -z "$FAIL_AT" ] || case "$*" in *$FAIL_AT*) echo "ERROR: No matching distribution"; exit 1 ;; esac
        [ -z "$HANG_AT" ] || case "$*" in *$HANG_AT*) exec sleep 60 ;; esac ;;
esac
"""


def alive_in_group(group: int) -> list[str]:
    """Command lines of the processes of a group; those that only wait to be reaped do not count."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX":
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


class Machine:
    def __init__(self, folder: Path):
        self.folder, self.notes = folder, folder / "notes"
        for name in FILES:
            shutil.copy(name, folder / name)
        (folder / "fake-python").write_text(FAKE)
        (folder / "fake-python").chmod(0o755)
        self.env = {**os.environ, "PYTHON": str(folder / "fake-python"), "NOTES": str(self.notes)}

    def start(self, *arguments, **env):
        return subprocess.Popen(
            [self.folder / "bootstrap.sh", *arguments], env={**self.env, **env}, cwd="/", text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, *arguments, **env):
        process = self.start(*arguments, **env)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    def noted(self) -> list[str]:
        """What was done since the last call."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return lines


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_both_environments_are_made_once_and_the_second_start_does_nothing(machine):
    code, output = machine.run()
    assert code == 0, output
    done = machine.noted()
    assert sum(line.startswith("venv") for line in done) == 2
    assert any("pip .venv " in line and "--require-hashes -r requirements-hashed.txt" in line for line in done)
    assert any(line.endswith("-r requirements-vllm.txt") and "pip .venv-vllm " in line for line in done)
    assert machine.run() == (0, "")
    assert machine.noted() == []


def test_a_changed_requirement_is_installed_on_top_of_what_is_there(machine):
    machine.run("main")
    machine.noted()
    with open(machine.folder / "requirements.txt", "a") as file:
        file.write("another==1.0\n")
    code, _ = machine.run("main")
    done = machine.noted()
    assert code == 0
    assert done
    assert not any(line.startswith("venv") for line in done)


def test_a_failure_shows_the_last_lines_and_the_next_start_makes_it_again(machine):
    code, output = machine.run("main", FAIL_AT="requirements.txt")
    assert code == 1
    assert "making .venv failed" in output
    assert "ERROR: No matching distribution" in output
    assert not (machine.folder / ".venv" / ".complete").exists()
    machine.noted()
    assert machine.run("main")[0] == 0
    assert any(line.startswith("venv") for line in machine.noted())


@pytest.mark.smoke
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_an_interrupted_making_leaves_no_process_and_is_made_again(machine, number, code):
    process = machine.start("main", HANG_AT="requirements.txt")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not (machine.notes.exists() and "-r requirements.txt" in machine.notes.read_text()):
        time.sleep(0.05)
    process.send_signal(number) if number == signal.SIGTERM else os.killpg(process.pid, number)
    process.communicate(timeout=20)
    assert process.returncode == code
    time.sleep(0.3)
    assert alive_in_group(process.pid) == []
    machine.noted()
    assert machine.run("main")[0] == 0
    assert any(line.startswith("venv") for line in machine.noted())


def test_it_becomes_the_command_after_two_dashes(machine):
    code, output = machine.run("main", "--", "sh", "-c", "echo came to $PATH; exit 7")
    assert code == 7
    assert f"came to {machine.folder}/.venv/bin:" in output


def test_an_old_python_is_refused_in_one_line(machine, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "env", "dirname", "sed", "python3"):
        if name != "python3":
            (tools / name).symlink_to(shutil.which(name))
    (tools / "python3").write_text("#!/bin/bash\n[ $1 = --version ] && echo Python 3.9.2\nexit 1\n")
    (tools / "python3").chmod(0o755)
    code, output = machine.run("main", PATH=str(tools), PYTHON="")
    assert code == 2
    assert output.startswith("bootstrap: Python 3.11 or newer is needed")
    assert "found Python 3.9.2" in output
    assert len(output.splitlines()) == 1


def test_a_missing_compiler_is_named_with_the_way_to_get_it(machine, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "env", "dirname", "sed", "grep", "cat", "cut", "sha256sum", "basename"):
        (tools / name).symlink_to(shutil.which(name))
    code, output = machine.run("main", PATH=str(tools))
    assert code == 2
    assert "apt-get install g++" in output
