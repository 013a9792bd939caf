"""`python -m lib.finetune.hosted status --run NAME` tells how a run's job stands; `cancel --run NAME` ends it."""

import argparse
import sys
from pathlib import Path

from lib.finetune.hosted.order import read_state, write_state
from lib.finetune.hosted.tune import JOBS
from lib.llm.provider import ProviderError, find_account, patiently
from lib.run import BadInput


def main(arguments: list[str], root: Path = Path("runs")) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m lib.finetune.hosted", description=__doc__)
    parser.add_argument("command", choices=("status", "cancel"))
    parser.add_argument("--run", required=True, metavar="NAME", help="name of the run")
    options = parser.parse_args(arguments)
    try:
        print(act(options.command, root / options.run))
        return 0
    except (BadInput, ProviderError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def act(command: str, run_dir: Path) -> str:
    """Tell or end the job of a run; a line that says what came of it.

    Raises:
        BadInput: The run has no job.
        ProviderError: The provider refused.
    """
    state = read_state(run_dir)
    if "job_id" not in state:
        raise BadInput(f"{run_dir}: no hosted job is on record there")
    account, job = find_account(state["backend"]), state["job_id"]
    jobs = JOBS[state["backend"]](account)
    status = patiently(lambda: jobs.status(job), account, f"looking at {job}")
    if command == "status" or status.state in ("succeeded", "failed", "cancelled"):
        return f"{job}: {status.word}" + (f", {status.model}" if status.model else "")
    patiently(lambda: jobs.cancel(job), account, f"cancelling {job}")
    write_state(run_dir, state | {"state": "cancelled"})
    return f"{job}: cancelled"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
