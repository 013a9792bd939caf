"""`connect`: from a role's name to something that can be asked. Roles that nobody set get the offline endpoint, and the run says so."""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lib.llm.offline import MODEL, identity
from lib.llm.roles import Role, local_model, resolve_role
from lib.llm.store import Store
from lib.llm.usage import with_price
from lib.run import BadInput, launch

if TYPE_CHECKING:
    from lib.llm.client import Asker

START_LIMIT_S = 30.0
WHAT = {
    "teacher": "the offline endpoint: rules that find facts in the text shown, no language model",
    "judge": "the offline endpoint: rules that compare numbers, dates, names and negation, no language model",
    "embedder": "all-MiniLM-L6-v2, a real but small embedding model, served by the offline endpoint",
}
_servers: dict[int, tuple] = {}  # by process id, so that a fork never takes its parent's server for its own


def connect(role: str | Role, run, *, max_in_flight: int = 64, budget_usd: float = 0.0) -> "Asker":
    """An asker for a role.

    A name is looked up in the environment. The judge falls back to the teacher's endpoint (with a warning in `run.json`);
    what is still unset is played by the offline endpoint, which is started once for this process and dies with it.

    Args:
        role: `teacher`, `judge`, `embedder`, …, or a Role made by the caller (a server that the run itself stood up).
        run: The open run; its folder holds the request store, unless its parameter `store` names another file. Its parameter
            `prices` may name a price list.
        max_in_flight: Requests under way at most.
        budget_usd: Money that the whole run may cost; 0 for no limit.

    Raises:
        BadInput: The role is set by half, or a budget is set and no price is known.
        ValueError: No endpoint is set and the offline endpoint does not play this role.
    """
    from lib.llm.client import Asker  # here: plans look for roles and ask nothing

    if isinstance(role, str):
        role = find_role(role, run) or offline_role(role, run)
    parameters = getattr(run, "p", None)
    path = getattr(parameters, "store", "") or run.path("requests.sqlite")
    store = Store(Path(path).expanduser(), run=run.dir.name, stage=getattr(run, "notebook", ""))
    role = with_price(role, getattr(parameters, "prices", ""))
    return Asker(role, run, store, max_in_flight=max_in_flight, budget_usd=budget_usd)


def find_role(name: str, run=None) -> Role | None:
    """The configured endpoint of a role; for an unset judge the teacher's, with a warning recorded in `run`."""
    if found := resolve_role(name):
        return found
    if name == "judge" and (teacher := resolve_role("teacher")):
        if run is not None:
            warning = (
                f"no judge is set: {teacher.model}, the teacher, judges as well and may favour answers like its own"
            )
            run.record(warnings={"judge": warning})
        return Role(**{**vars(teacher), "name": "judge"})
    return None


def is_set(name: str) -> bool:
    """Whether a role's variables name an endpoint, or a model to serve here (`<ROLE>_LOCAL_MODEL`).

    Raises:
        BadInput: The role is set by half.
    """
    return bool(local_model(name) or resolve_role(name))


def offline_role(name: str, run) -> Role:
    """The offline endpoint in a role, started if need be and named in the run as a stand-in."""
    if name not in WHAT:
        raise ValueError(
            f"{name}: set {name.upper()}_OPENAI_BASE_URL and {name.upper()}_OPENAI_DEPLOYMENT, or let 3_deploy serve a model: "
            f"the offline endpoint plays only {', '.join(WHAT)}"
        )
    if local_model(name):  # the caller had no server for it: never play it by rules instead
        raise BadInput(
            f"{name.upper()}_LOCAL_MODEL: this role is not served here; start it yourself and set {name.upper()}_OPENAI_BASE_URL and "
            f"{name.upper()}_OPENAI_DEPLOYMENT"
        )
    run.stand_in(name, WHAT[name])
    url = start_offline(run.path("logs/offline.log"))
    return Role(name, url, MODEL[name], identity=identity(name), stand_in=True)


def start_offline(log_path: Path) -> str:
    """Start the offline endpoint for this process, or find the one that runs; returns its base URL.

    Raises:
        RuntimeError: It did not come up; ends with its log's last lines.
    """
    known = _servers.get(os.getpid())
    if known and known[0].poll() is None:
        return known[1]
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "url"
        command = [sys.executable, "-m", "lib.llm.offline", "--port", "0", "--ready-file", str(ready)]
        root = str(Path(__file__).parents[2])
        environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        # One thread a request: on a busy machine a second one waits, spinning, for a core that it does not get.
        environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        process = launch(command, log_path=log_path, env=environment)
        deadline = time.monotonic() + START_LIMIT_S
        while not ready.is_file():
            if process.poll() is not None or time.monotonic() > deadline:
                process.stop()
                tail = " | ".join(Path(log_path).read_text(errors="replace").splitlines()[-5:])
                raise RuntimeError(
                    f"the offline endpoint did not start within {START_LIMIT_S:.0f} s; {log_path} ends: {tail}"
                )
            time.sleep(0.02)
        _servers[os.getpid()] = process, ready.read_text()
    return _servers[os.getpid()][1]
