"""Finds and ends what a run may leave behind: supervised trainers and servers, and the servers that were kept on purpose.

Everything is found in /proc by the supervisor's own command line (`supervise.py --owner PID:START -- COMMAND`).
"""

import os
from pathlib import Path

from lib.run.files import read_json
from lib.run.supervise import process_start, stop_process

OWNER_VARIABLE = "RAFT_OWNER_PID"


def supervisors() -> dict[int, str]:
    """Every live supervisor of this user: its pid and its owner, `pid:start`."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "--owner" in words and any(word.endswith("lib/run/supervise.py") for word in words[:4]):
            found[int(entry.name)] = words[words.index("--owner") + 1]
    return found


def stop_owned(owner_pid: int) -> int:
    """End what belongs to a command, directly or through a kernel of its that is gone; returns how many there were.

    A server that was kept on purpose has another owner, alive, and stays.
    """
    stopped = 0
    for pid, owner in supervisors().items():
        owned_by = int(owner.split(":")[0])
        orphan = process_start(owned_by) != owner.split(":")[1] and _environment(pid).get(OWNER_VARIABLE) == str(
            owner_pid
        )
        if owned_by == owner_pid or orphan:
            stop_process(pid)
            stopped += 1
    return stopped


def stop_kept(runs: Path, run: str | None = None) -> list[str]:
    """End the servers that runs have on record (`serving/servers.json`); returns a line for each one ended.

    Args:
        runs: Folder of all runs.
        run: One run's name; None means all of them.
    """
    ended = []
    for record in sorted(runs.glob(f"{run or '*'}/serving/servers.json")):
        for system, server in read_json(record).items():
            pid = server.get("pid")
            if pid in supervisors() and server.get("pid_start") in (None, process_start(pid)):
                stop_process(pid)
                ended.append(f"{record.parts[-3]}: {system} at {server.get('base_url')} stopped")
    return ended


def _environment(pid: int) -> dict[str, str]:
    try:
        pairs = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def own() -> None:
    """Make this process the owner of all that its notebooks launch for the run."""
    os.environ[OWNER_VARIABLE] = str(os.getpid())
