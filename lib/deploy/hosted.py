"""Where student and baseline live when 2_finetune tuned at a provider: its tuned model, and the untuned one beside it."""

from lib.deploy import azure
from lib.llm import Format, Role, resolve_role
from lib.llm.provider import find_account, provider_role
from lib.llm.roles import environment
from lib.run import BadInput, read_json, text_hash
from lib.run.ledger import record_created

HOSTED_SYSTEMS = ("student", "baseline")


def hosted_job(run) -> dict:
    """What 2_finetune has on record of its hosted job (`training/hosted.json`); empty where it trained here.

    Raises:
        BadInput: The job has not ended with a model.
    """
    manifest, path = run.dir / "run.json", run.dir / "training" / "hosted.json"
    if not manifest.is_file():
        return {}
    backend = read_json(manifest)["parameters"].get("2_finetune", {}).get("backend", "local")
    if backend == "local":
        return {}
    job = read_json(path) if path.is_file() else {}
    if job.get("state") != "succeeded" or job.get("backend") != backend:
        raise BadInput(f"{path}: the job at {backend} has not ended with a model; run 2_finetune first")
    return job


def is_hosted(run, system: str) -> bool:
    """Whether a system is a model at the provider that tuned the student; role variables of the baseline go before."""
    if system not in HOSTED_SYSTEMS or not hosted_job(run):
        return False
    return system == "student" or resolve_role("baseline") is None


def hosted_record(run, system: str, known: dict | None = None) -> dict:
    """The entry of `serving/servers.json`; an Azure deployment is made first where there is none.

    Args:
        run: The open run.
        system: `student` or `baseline`.
        known: The entry of an earlier call, whose deployment need not be looked for again.

    Raises:
        BadInput: The model does not answer; says why.
    """
    from lib.llm import probe  # here, since its client takes a second to import

    job = hosted_job(run)
    run.need("training/hosted.json")  # an input: another job is another student, and what was made with this one is old then
    record = {
        "engine": "endpoint", "hosted": job["backend"], "base_url": job["base_url"],
        "model_path": job["model"] if system == "student" else job["base_model"], "pid": None,
    }  # fmt: skip
    same = known is not None and all(known.get(name) == record[name] for name in ("hosted", "base_url", "model_path"))
    if same and probe(_role(run, system, known)) is None:
        return known
    record["model"] = _name_there(run, system, record)
    record["model_sha256"] = text_hash(f"{record['model_path']}@{record['base_url']}")
    if problem := probe(_role(run, system, record)):
        raise BadInput(f"{problem} ({record['model_path']}, tuned by 2_finetune)" if system == "student" else problem)
    return record


def hosted_role(run, system: str, record: dict) -> Role:
    """A system of `serving/servers.json` that lives at a provider, as a role."""
    return _role(run, system, record)


def _role(run, system: str, record: dict) -> Role:
    job, path = hosted_job(run), run.dir / "dataset" / "format.json"
    completion = path.is_file() and Format.load(path).dataset_format == "completion"
    return provider_role(
        find_account(record["hosted"]), system, record["model"], base_model=job["base_model"], tuned=system == "student",
        completion=completion,
    )  # fmt: skip


def _name_there(run, system: str, record: dict) -> str:
    """What requests carry: the model's name, or on Azure that of its deployment; variables may name another."""
    env, azures = environment(), record["hosted"] == "azure"
    given = env.get(f"{system.upper()}_{'AZURE_' if azures else ''}OPENAI_DEPLOYMENT")
    if given or not azures:
        return (given or record["model_path"]).strip()
    resource = azure.find_resource(find_account("azure"))
    name = azure.deployment_name(run.p.run, system)
    facts = {"backend": "azure", "base_url": record["base_url"], "resource": resource.url}
    azure.ensure_deployed(resource, name, record["model_path"], before=lambda: record_created(run.dir, "deployment", name, **facts))
    return name
