"""Decides from `run.json` whether a notebook has to run: the reason in one line, or None when what it left still holds.

Also holds the lock that keeps two starts of one run apart.
"""

import fcntl
import os
from pathlib import Path

from lib.run.endpoints import roles_hash
from lib.run.errors import BadInput
from lib.run.files import tree_hash
from lib.run.ledger import was_removed
from lib.run.notebook import code_hash

# Where a run is written, how fast it may ask and what it may cost do not change what a finished stage computed.
WITHOUT_EFFECT = {"run", "params_file", "max_in_flight", "budget_usd", "start_timeout_s"}


def reason_to_run(notebook: str, manifest: dict, parameters: dict, folder: Path) -> str | None:
    """Why a notebook has to run.

    Args:
        notebook: Its name.
        manifest: The run's `run.json`.
        parameters: The notebook's resolved parameters.
        folder: Where notebooks and relative paths lie.
    """
    stage = manifest["stages"].get(notebook)
    if stage is None:
        return "not run before"
    if stage["status"] != "finished":
        return "did not finish last time"
    if gone := removed_by_teardown(stage, folder / "runs" / str(parameters["run"])):
        return gone
    before = manifest["parameters"].get(notebook, {})
    for name, value in parameters.items():
        if name not in WITHOUT_EFFECT and before.get(name) != value:
            return f"parameter {name} changed {before.get(name)!r} -> {value!r}"
    if stage.get("code_sha256") != code_hash(notebook):
        return "its code changed"
    if stage.get("roles_sha256") != roles_hash(notebook, folder, parameters=parameters):
        return "the endpoints of its roles changed"
    for kind in ("inputs", "outputs"):
        for path, known in stage[kind].items():
            if not (folder / path).exists():
                return f"{path} is gone"
            if tree_hash(folder / path) != known:
                return f"{path} changed"
    return None


def removed_by_teardown(stage: dict, run_dir: Path) -> str | None:
    """What a teardown took of the model that a finished stage made at a provider, in words; None where it is there, or lies here."""
    made = stage.get("training", {})
    for kind, id in (("model", made.get("model")), ("job", made.get("job_id"))):
        if id and was_removed(run_dir, kind, id):
            return f"its {kind} {id} was removed by a teardown"
    return None


class RunLock:
    """Held by the one command that makes a run; the operating system gives it back however the command ends.

    Args:
        run_dir: Folder of the run; made if it is not there.

    Raises:
        BadInput: Another command holds it, or the folder cannot be written.
    """

    def __init__(self, run_dir: Path):
        try:
            run_dir.mkdir(parents=True, exist_ok=True)
            self._file = open(run_dir / ".lock", "a+", encoding="utf-8")  # noqa: SIM115 (held for a whole run)
        except OSError as error:
            raise BadInput(f"run {run_dir.name}: its folder cannot be written: {error}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise BadInput(
                f"run {run_dir.name} is being made by process {holder} already: wait for it, stop it, or choose another name with --run"
            ) from None
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        """Let the next one in."""
        self._file.close()
