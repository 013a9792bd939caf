"""Finds and ends what a run may leave behind: supervised trainers and servers, and the servers that were kept on purpose.

Everything is found in /proc by the supervisor's own command line (`supervise.py --owner PID:START -- COMMAND`).
"""

import os
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from lib.run.errors import BadInput
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


@dataclass(frozen=True)
class KeptServer:
    """A live server on a run's record: the systems it serves, its address, and its supervisor's pid."""

    run: str
    systems: tuple[str, ...]
    base_url: str
    pid: int


def kept_servers(runs: Path, run: str | None = None) -> list[KeptServer]:
    """The live servers that runs have on record (`serving/servers.json`), one entry for each process.

    Args:
        runs: Folder of all runs.
        run: One run's name; None means those of all runs that were kept on purpose, none of a run that is under way.
    """
    found, alive = [], supervisors()
    for record in sorted(runs.glob(f"{run or '*'}/serving/servers.json")):
        by_process: dict[tuple[int, str], list[str]] = {}
        try:
            servers = read_servers(record.parents[1])
        except BadInput as error:  # other runs' servers are still found
            print(f"warning: {error}", file=sys.stderr)
            continue
        for system, server in servers.items():
            pid = server.get("pid")
            wanted = run is not None or server.get("kept", True)
            if wanted and pid in alive and server.get("pid_start") in (None, process_start(pid)):
                by_process.setdefault((pid, str(server.get("base_url"))), []).append(system)
        found += [KeptServer(record.parts[-3], tuple(systems), url, pid) for (pid, url), systems in by_process.items()]
    return found


def read_servers(run_dir: Path) -> dict[str, dict]:
    """What a run says that it serves (`serving/servers.json`), by system; nothing where it has served nothing.

    Raises:
        BadInput: The record is damaged.
    """
    record = run_dir / "serving" / "servers.json"
    try:
        servers = read_json(record) if record.is_file() else {}
        if isinstance(servers, dict) and all(isinstance(server, dict) for server in servers.values()):
            return servers
        problem = "expected an object of servers"
    except (OSError, ValueError) as error:
        problem = str(error)
    raise BadInput(f"{record} cannot be read ({problem}); end what it names by hand and remove the file")


def stop_kept(runs: Path, run: str | None = None, spare: Collection[int] = ()) -> list[str]:
    """End the servers that runs have on record; returns a line for each one ended, or that would not end.

    Args:
        runs, run: As of `kept_servers`.
        spare: Pids of servers to leave alone.
    """
    lines = []
    for server in kept_servers(runs, run):
        if server.pid in spare:
            continue
        stop_process(server.pid)
        gone = server.pid not in supervisors()
        what = "stopped" if gone else f"does not end; its process is {server.pid}"
        lines.append(f"{server.run}: {' and '.join(server.systems)} at {server.base_url} {what}")
    return lines


def _environment(pid: int) -> dict[str, str]:
    try:
        pairs = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def own() -> None:
    """Make this process the owner of all that its notebooks launch for the run."""
    os.environ[OWNER_VARIABLE] = str(os.getpid())
