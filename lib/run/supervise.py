"""Child processes that cannot outlive their owner.

`launch` starts a small supervisor in a session of its own; the supervisor starts the command in another one and ends
the command's whole process group when the owner is gone (however it died), when it is asked to stop, or when it is
itself ended. Trainers, servers and the offline endpoint are all started this way.
"""

import argparse
import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

POLL_S = 0.2  # between looks at the owner; the command's end, or a signal, is noticed at once
GRACE_S = 10.0


def process_start(pid: int) -> str | None:
    """Start time of a live process in clock ticks, or None: with the pid it names a process for good."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


class Supervised:
    """A running command: `pid` is the supervisor's, which `stop` addresses."""

    def __init__(self, process: subprocess.Popen, log_path: Path):
        self._process = process
        self.pid = process.pid
        self.log_path = log_path

    def poll(self) -> int | None:
        """Exit status of the command, or None while it runs."""
        return self._process.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; the command's exit status (128 + signal number when a signal ended it)."""
        return self._process.wait(timeout)

    def stop(self) -> None:
        """End the command and all that it started; returns when they are gone."""
        stop_process(self.pid)
        self._process.wait()


def launch(
    command: Sequence[str],
    *,
    log_path: str | Path,
    env: Mapping[str, str] | None = None,
    owner_pid: int | None = None,
) -> Supervised:
    """Start a command that dies with its owner.

    Args:
        command: Program and arguments.
        log_path: File that takes stdout and stderr, appended to.
        env: Its whole environment; default this process's.
        owner_pid: Process whose end ends the command; default this process.

    Raises:
        ProcessLookupError: The owner is not alive.
    """
    owner = owner_pid or os.getpid()
    start = process_start(owner)
    if start is None:
        raise ProcessLookupError(f"owner process {owner} is not alive, so nothing was started")
    log_path = Path(log_path)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    supervisor = [sys.executable, "-S", str(Path(__file__).resolve()), "--owner", f"{owner}:{start}", "--", *map(str, command)]
    with open(log_path, "ab") as log:
        process = subprocess.Popen(
            supervisor, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            env=dict(os.environ if env is None else env), start_new_session=True,
        )  # fmt: skip
    return Supervised(process, log_path)


def stop_process(pid: int, timeout_s: float = GRACE_S + 5) -> None:
    """Ask a supervisor (known by pid alone, from a file perhaps) to end its command; wait until it is gone."""
    start = process_start(pid)
    if start is None:
        return
    with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while process_start(pid) == start and time.monotonic() < deadline:
        time.sleep(0.02)


def supervise(owner: str, command: Sequence[str]) -> int:
    """Run `command` until it ends or the owner (`pid:start`) does; returns its exit status."""
    asked = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda n, _: asked.append(n))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)  # a byte for each signal, which ends the wait below
    child = subprocess.Popen(command, start_new_session=True, preexec_fn=_die_with_parent)  # noqa: PLW1509 (one thread)
    pid, start = owner.split(":")
    while (status := child.poll()) is None:
        if asked or process_start(int(pid)) != start:
            break
        if select.select([woken], [], [], POLL_S)[0]:
            os.read(woken, 512)
    _end_group(child)
    status = child.wait()
    return status if status >= 0 else 128 - status


def _die_with_parent() -> None:
    """Linux: have the kernel end this process when the supervisor is itself killed (PR_SET_PDEATHSIG = 1)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _end_group(child: subprocess.Popen) -> None:
    """SIGTERM, then SIGKILL after a grace, to the whole group of a child started in its own session."""
    for number, grace in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + grace
        while time.monotonic() < deadline:
            child.poll()
            try:
                os.killpg(child.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.02)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--owner", required=True)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    sys.exit(supervise(arguments.owner, [a for i, a in enumerate(arguments.command) if i or a != "--"]))
