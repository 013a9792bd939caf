"""A served system as a role of `lib.llm`, so that it is asked like any other endpoint."""

from lib.deploy.hosted import hosted_role
from lib.deploy.model import LOCAL
from lib.deploy.serve import ensure_served
from lib.llm import Format, Role, resolve_role
from lib.llm.roles import local_model
from lib.run import BadInput
from lib.run.leftovers import read_servers

AGAIN = "the server comes up anew, and what it replied is kept and not asked again"


def served_role(run, system: str) -> Role:
    """The role behind a system of `serving/servers.json`.

    Its identity is the hash of what answers and the engine with its version: a reply of other weights is never taken for its own.

    Raises:
        BadInput: The system was never served in this run.
    """
    record = read_servers(run.dir).get(system)
    if record is None:
        raise BadInput(f"systems: {system} is not served in this run; run 3_deploy.ipynb, or call ensure_served first")
    if record.get("hosted"):
        return hosted_role(run, system, record)
    if record["engine"] == "endpoint":
        return resolve_role(system)
    completion = system in LOCAL and Format.load(run.need("dataset/format.json")).dataset_format == "completion"
    stored = f"/{record['quantization']}" if record.get("quantization") else ""
    identity = f"{record['model_sha256']}{stored}/{record['engine']}-{record['engine_version']}"
    # Nobody charges for its tokens, so a budget must not stop at it; without one its costs stay what nobody said.
    price = (0.0, 0.0) if getattr(run.p, "budget_usd", 0) else None
    remedy = f"the server of this run has ended (without a word most often for want of memory): see {record['log']}, then start this again; {AGAIN}"
    return Role(system, record["base_url"], record["model"], identity=identity, completion=completion, price=price, remedy=remedy)


def role_of(run, name: str) -> Role | str:
    """What `lib.llm.connect` takes for a role: served here where `<ROLE>_LOCAL_MODEL` is set, else its name, to be looked up.

    The server is started when it is asked for, after others of this run that stand in its way are stopped, and ends with
    `stop_served` or with the run.
    """
    if not local_model(name):
        return name
    ensure_served(run, [name])
    return served_role(run, name)
