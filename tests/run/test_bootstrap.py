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


@pytest.mark.parametrize("state", ["of another tree", "half made", "gone"])
def test_nothing_behind_a_link_is_replaced(machine, tmp_path, state):
    theirs = tmp_path / "other" / ".venv"
    (theirs / "bin").mkdir(parents=True)
    shutil.copy(machine.folder / "fake-python", theirs / "bin" / "python")
    (theirs / "bin" / "pip").write_text(f"#!{theirs if state == 'of another tree' else machine.folder / '.venv'}/bin/python\n")
    (theirs / ".complete").write_text("theirs\n")
    if state == "half made":
        (theirs / ".making").touch()
    if state == "gone":
        (theirs / "bin" / "python").unlink()
    before = sorted(theirs.rglob("*"))
    (machine.folder / ".venv").symlink_to(theirs)
    code, output = machine.run("main")
    assert code == 2
    assert f"bootstrap: .venv is a link to {theirs}" in output
    assert "rm .venv" in output
    assert machine.noted() == []
    assert sorted(theirs.rglob("*")) == before
    assert (machine.folder / ".venv").is_symlink()


def test_an_environment_of_this_tree_that_was_moved_behind_a_link_is_kept_and_gets_what_is_new(machine, tmp_path):
    machine.run("main")
    (machine.folder / ".venv").rename(tmp_path / "large-disk")
    (machine.folder / ".venv").symlink_to(tmp_path / "large-disk")
    machine.noted()
    with open(machine.folder / "requirements.txt", "a") as file:
        file.write("another==1.0\n")
    assert machine.run("main")[0] == 0
    done = machine.noted()
    assert any(line.startswith("pip") for line in done)
    assert not any(line.startswith("venv") for line in done)


def test_a_start_hands_no_ban_on_bytecode_to_its_processes(machine):
    shutil.copy("run_all.sh", machine.folder / "run_all.sh")
    machine.run("main")
    (machine.folder / ".venv" / "bin" / "python").write_text("#!/bin/bash\n[ $# -lt 3 ] || echo ban: ${PYTHONDONTWRITEBYTECODE-none}\n")
    started = subprocess.run(
        [machine.folder / "run_all.sh", "--help"], env={**machine.env, "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert started.stdout == "ban: none\n", started.stderr


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
