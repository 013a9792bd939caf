"""A served system as a role of `lib.llm`, so that it is asked like any other endpoint."""

from lib.llm import Format, Role, resolve_role
from lib.run import BadInput, read_json


def served_role(run, system: str) -> Role:
    """The role behind a system of `serving/servers.json`.

    Its identity is the model's hash and the engine with its version: a reply of other weights is never taken for its own.

    Raises:
        BadInput: The system was never served in this run.
    """
    path = run.dir / "serving" / "servers.json"
    record = read_json(path).get(system) if path.is_file() else None
    if record is None:
        raise BadInput(f"systems: {system} is not served in this run; run 3_deploy.ipynb, or call ensure_served first")
    if record["engine"] == "endpoint":
        return resolve_role(system)
    completion = Format.load(run.need("dataset/format.json")).dataset_format == "completion"
    identity = f"{record['model_sha256']}/{record['engine']}-{record['engine_version']}"
    return Role(system, record["base_url"], record["model"], identity=identity, completion=completion)
