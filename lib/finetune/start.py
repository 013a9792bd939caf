"""The commands that start a training, on one machine or on several, and their environment.

`python -m lib.finetune.start RUN_DIR RANK` is what each further machine runs, in the same folder on a shared disk: it waits
until the notebook on the first machine starts its training, and joins it.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lib.finetune.launcher import Launcher
from lib.run import read_json, say, write_json
from lib.run.machine import free_port

CACHE = Path(".cache")
MEETING = "meeting.json"
PORT = 29500
POLL_S = 2.0
WAIT_H = 24.0
# A notebook that is gone leaves its meeting behind; one that trains touches it all the time.
FRESH_S = 60.0


def command(launcher: Launcher, folder: Path, *, rank: int = 0, main: str = "") -> list[str]:
    """The command that starts every process of one machine.

    Args:
        launcher: What to start.
        folder: `runs/<run>/training`.
        rank: Of this machine, among several.
        main: Name or address of the first machine, among several.
    """
    if launcher.machines == 1:
        place = ["--main_process_port", str(free_port())]
    else:
        place = ["--machine_rank", str(rank), "--main_process_ip", main, "--main_process_port", str(PORT)]
    return [
        sys.executable, "-m", "accelerate.commands.launch", "--config_file", launcher.path, *place,
        "-m", "lib.finetune.train", str(folder),
    ]  # fmt: skip


def join_commands(run_dir: Path, hosts: Sequence[str]) -> dict[str, str]:
    """What to type on each machine but the first, by its name."""
    return {host: f".venv/bin/python -m lib.finetune.start {run_dir} {rank}" for rank, host in enumerate(hosts) if rank}


def environment(tracker: str = "none", launcher: Launcher | None = None) -> dict[str, str]:
    """Environment of the trainer: one thread a process, the built extension kept, no hub, few warnings.

    Args:
        tracker: Only the tracker's own key reaches the trainer.
        launcher: Where it offloads, Adam runs on this machine's cores, and the processes share them.
    """
    cores = len(os.sched_getaffinity(0)) // (launcher.processes // launcher.machines) if launcher and launcher.offload else 1
    keep = {
        "TORCH_EXTENSIONS_DIR": str((CACHE / "torch_extensions").resolve()), "OMP_NUM_THREADS": str(max(1, cores)),
        "PYTHONWARNINGS": "ignore::FutureWarning,ignore::UserWarning,ignore::DeprecationWarning", "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",  # ninja lies beside python
    }  # fmt: skip
    if tracker != "wandb":
        keep["WANDB_DISABLED"] = "true"
    secret = re.compile(r"(_API_KEY|_TOKEN)$")
    own = {"WANDB_API_KEY"} if tracker == "wandb" else set()
    return {name: value for name, value in os.environ.items() if name in own or not secret.search(name)} | keep


def call_machines(folder: Path, launcher: Launcher, main: str, tracker: str) -> Path:
    """Tell the other machines, through the shared disk, that a training begins; the file is kept fresh while it runs."""
    return write_json(folder / MEETING, {"main": main, "launcher": launcher.path, "tracker": tracker})


def wait_for_meeting(folder: Path, timeout_h: float = WAIT_H) -> dict:
    """Wait until a notebook starts a training in `folder`.

    Raises:
        TimeoutError: None did.
    """
    path, deadline = folder / MEETING, time.time() + timeout_h * 3600
    while time.time() < deadline:
        if path.is_file() and time.time() - path.stat().st_mtime < FRESH_S:
            return read_json(path)
        time.sleep(POLL_S)
    raise TimeoutError(f"{path} was not there within {timeout_h:g} h: start 2_finetune of this run on the first machine")


def main() -> None:
    """Join a training as one of its further machines."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("run_dir", type=Path, help="the run's folder, on a disk that all machines share")
    parser.add_argument("rank", type=int, help="number of this machine, from 1 up; the notebook's is 0")
    arguments = parser.parse_args()
    folder = arguments.run_dir / "training"
    say(f"machine {arguments.rank}: waiting for {folder / MEETING}")
    meeting = wait_for_meeting(folder)
    launcher = Launcher.load(meeting["launcher"])
    line = command(launcher, folder, rank=arguments.rank, main=meeting["main"])
    say(f"joining the training on {meeting['main']}")
    os.execve(line[0], line, environment(meeting["tracker"], launcher))


if __name__ == "__main__":
    main()
