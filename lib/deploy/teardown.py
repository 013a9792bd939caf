"""`python -m lib.deploy.teardown --run NAME` (or `./run_all.sh --teardown --run NAME`): what a run made outside its folder, and away with it.

In: `created.jsonl` and `serving/servers.json`. It lists uploaded files, jobs, tuned models, Azure deployments and local servers,
and removes them after a typed yes. The run's own folder stays.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from lib.deploy import azure
from lib.llm.provider import ProviderError, find_account, remove
from lib.run import BadInput
from lib.run.ledger import read_ledger, record_removed
from lib.run.leftovers import read_servers, stop_kept, supervisors
from lib.run.resume import RunLock
from lib.run.supervise import process_start

# What answers or costs by the hour goes first, what others depend on last.
ORDER = ("server", "deployment", "job", "model", "file")


def find_all(run_dir: Path) -> list[dict]:
    """Everything of a run that is still on record, in the order of removal: `kind, id, where`, and what removing it needs."""
    things = [entry | {"where": f"{entry['backend']} at {entry['base_url']}"} for entry in read_ledger(run_dir)]
    for system, server in read_servers(run_dir).items():
        pid = server.get("pid")
        if pid in supervisors() and server.get("pid_start") in (None, process_start(pid)):
            things.append({"kind": "server", "id": system, "where": server["base_url"]})
    return sorted(things, key=lambda thing: ORDER.index(thing["kind"]))


def remove_one(thing: dict, run_dir: Path) -> str:
    """Remove one thing and note it; what came of it in a word.

    Raises:
        BadInput: Its key or token is not set, or is another account's.
        ProviderError: It is still there.
    """
    if thing["kind"] == "server":
        stop_kept(run_dir.parent, run_dir.name)
        return "stopped"
    account = find_account(thing["backend"])
    if account.base_url != thing["base_url"]:
        raise BadInput(f"it was made at {thing['base_url']}, and the variables name {account.base_url}")
    if thing["kind"] == "deployment":
        gone = azure.delete(azure.Resource(thing["resource"], azure.find_resource(account).token), thing["id"])
    else:
        gone = remove(account, thing["kind"], thing["id"])
    record_removed(run_dir, thing["kind"], thing["id"])
    return "removed" if gone else "was gone, or had ended"


def teardown(run_dir: Path, *, yes: bool, ask: Callable[[str], str] = input, tell: Callable[[str], None] = print) -> int:
    """List what a run made, ask, remove.

    Args:
        run_dir: Folder of the run.
        yes: Whether to do without asking.
        ask: Reads the answer.
        tell: Prints a line.

    Returns:
        0 when nothing is left or nothing was to be removed, 1 when something could not be.
    """
    things = find_all(run_dir)
    if not things:
        tell(f"{run_dir}: nothing of this run is left anywhere")
        return 0
    width = max(len(thing["id"]) for thing in things)
    for thing in things:
        tell(f"  {thing['kind']:<10}  {thing['id']:<{width}}  {thing['where']}")
    if not yes and ask(f"remove these {len(things)}? Type yes: ").strip().lower() != "yes":
        tell("nothing was removed")
        return 0
    failed = 0
    for thing in things:
        try:
            tell(f"{thing['kind']} {thing['id']}: {remove_one(thing, run_dir)}")
        except (BadInput, ProviderError) as error:  # the others can still go
            failed += 1
            tell(f"{thing['kind']} {thing['id']}: STILL THERE: {error}")
    if failed:
        tell(f"{failed} of {len(things)} could not be removed and stay on record; mend the cause and run this again")
    return 1 if failed else 0


def main(arguments: list[str], root: Path = Path("runs")) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m lib.deploy.teardown", description=__doc__)
    parser.add_argument("--run", required=True, metavar="NAME", help="name of the run")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(arguments)
    run_dir = root / options.run
    if not run_dir.is_dir():
        print(f"error: {run_dir}: no such run", file=sys.stderr)
        return 2
    try:
        lock = RunLock(run_dir)
        try:
            return teardown(run_dir, yes=options.yes)
        finally:
            lock.release()
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except EOFError:
        print("\nnothing was removed: no terminal to ask at; --yes does without", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
