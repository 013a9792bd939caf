"""What 3_deploy would do: `python -m lib.deploy.plan PARAMS.json`. Starts nothing."""

import json
import shlex
import sys
from pathlib import Path

from lib.deploy.cluster import node_commands
from lib.deploy.command import Server, build_command
from lib.deploy.model import LOCAL, is_local, local_gpus, read_config, served_here
from lib.deploy.place import SHARINGS, Need, place, server_bytes, visible_gpus
from lib.deploy.targets import (
    CAPABILITY,
    ENGINES,
    QUANTIZATIONS,
    check_hardware,
    check_quantization,
    compute_capability,
)
from lib.llm.connection import is_set
from lib.llm.roles import local_model
from lib.llm.search import RETRIEVERS
from lib.run import BadInput
from lib.run.machine import GB, model_size

START_MINUTES_CPU = 0.5
START_MINUTES_GPU = 3.0


def check_parameters(p: dict) -> None:
    """Whether 3_deploy's parameters make sense, as far as they alone can tell.

    Raises:
        BadInput: They do not; names the first that does not.
    """
    for name, known in (("engine", ENGINES), ("quantization", QUANTIZATIONS), ("sharing", SHARINGS), ("retriever", RETRIEVERS)):
        if p.get(name, known[0]) not in known:
            raise BadInput(f"{name}: expected one of {', '.join(map(repr, known))}; found {p[name]!r}")
    for name in ("tensor_parallel", "pipeline_parallel"):
        if p.get(name, 1) < 1:
            raise BadInput(f"{name}: expected a whole number from 1 up; found {p[name]}")
    hosts = p.get("serve_hosts", [])
    if not all(isinstance(host, str) and host.strip() == host != "" for host in hosts) or len(set(hosts)) != len(hosts):
        raise BadInput(f"serve_hosts: expected different host names or addresses, this node's first; found {hosts!r}")
    if hosts and p["engine"] != "vllm":
        raise BadInput(f"serve_hosts: only engine vllm runs over several nodes; engine is {p['engine']}")
    if len(hosts) == 1:
        raise BadInput("serve_hosts: one node needs no Ray; leave it empty, or name the others too")
    if p["tensor_parallel"] * p.get("pipeline_parallel", 1) < len(hosts):
        raise BadInput(
            f"serve_hosts: {len(hosts)} nodes and only {p['tensor_parallel']} x {p.get('pipeline_parallel', 1)} GPUs for a model: set tensor_parallel "
            "to the GPUs of a node and pipeline_parallel to the number of nodes"
        )


def check(p: dict) -> None:
    """Refuse, before anything is spent, what parameters, role variables and the kind of machine tell will not be served.

    Raises:
        BadInput: What the notebook would refuse.
    """
    check_parameters(p)
    is_hosted = p.get("backend", "local") != "local" or (Path("runs") / p["run"] / "training" / "hosted.json").is_file()
    for system in served_here(p["systems"]):
        if is_hosted and system in LOCAL:
            continue
        if is_local(system, p["engine"]):
            model, _ = _model_of(p, system)
            # The student's folder is not there yet, or of a training that is going to be made anew.
            config = read_config(model) if system != "student" and Path(model).is_dir() else {}
            check_quantization(_quantization(p, system), p["engine"], config)
            check_hardware(_quantization(p, system))
        elif not is_set(system):
            raise BadInput(
                f"systems: engine is endpoint, and nothing says where {system} answers: set {system.upper()}_OPENAI_BASE_URL and "
                f"{system.upper()}_OPENAI_DEPLOYMENT"
            )


def plan(p: dict) -> list[dict]:
    """Lines `{item, value, unit, note}` of `--plan`.

    Raises:
        BadInput: A parameter that makes no sense, or a system that nothing serves.
    """
    check_parameters(p)
    p = p | {"systems": served_here(p["systems"])}
    gpus = visible_gpus()
    backend = p.get("backend", "local")
    hosted = [system for system in p["systems"] if backend != "local" and system in LOCAL]
    local = [system for system in p["systems"] if is_local(system, p["engine"]) and system not in hosted]
    lines = []
    for system in p["systems"]:
        if system in hosted:
            what = f"tuned from {p['student_model']}" if system == "student" else p["student_model"]
            cost = "deployed through Azure's manager, by the hour until ./run_all.sh --teardown" if backend == "azure" else "nothing is started"
            lines.append(_line(f"{system} at", backend, "", f"{what}; {cost}"))
            continue
        if system not in local:
            lines.append(_line(f"{system} at", "its endpoint", "", "set by its role variables; nothing is started"))
            continue
        model, on = _model_of(p, system)
        config = read_config(model) if Path(model).is_dir() else {}
        check_quantization(_quantization(p, system), p["engine"], config)
        architecture = (config.get("architectures") or ["an architecture of the hub"])[0]
        lines.append(_line(f"{system} served", on or model, "", f"{p['engine']}, {architecture}" + (f", an adapter on {model}" if on else "")))
    if not local:
        return lines
    lines += _places(p, local, gpus)
    if p["quantization"] and (found := compute_capability()) is not None and found < CAPABILITY[p["quantization"]]:
        lines.append(_line("quantization", p["quantization"], "", f"not on these GPUs: compute capability {found}"))
    minutes = START_MINUTES_GPU if gpus else START_MINUTES_CPU
    lines.append(_line("start of the servers", minutes, "minutes", "side by side; a guess"))
    hosts = p.get("serve_hosts", [])
    for i, (node, command) in enumerate(node_commands(hosts) if hosts else (), 1):
        lines.append(_line(f"Ray, step {i}", node, "", command))
    model, on = _model_of(p, local[0])
    wanted = p["tensor_parallel"] * p.get("pipeline_parallel", 1)
    server = Server(
        local[0], model, "vllm" if p["engine"] == "endpoint" else p["engine"], p["port"] or 8000, p["max_model_len"] or 8192,
        p["tensor_parallel"], 0, p.get("pipeline_parallel", 1), _quantization(p, local[0]), [(local[0], on)] if on else [], 16,
        list(gpus)[:wanted], hosts=hosts,
    )  # fmt: skip
    command = shlex.join(build_command(server)[3:])
    lines.append(_line("command", p["engine"], "", "one of them, port and context to be found: " + command))
    return lines


def _model_of(p: dict, system: str) -> tuple[str, str]:
    """The model behind a system, and the adapter on it or an empty text."""
    if named := local_model(system):
        return named, ""
    if system not in LOCAL:
        name = system.upper()
        raise BadInput(
            f"systems: {system} is served nowhere; set {name}_OPENAI_BASE_URL and {name}_OPENAI_DEPLOYMENT, or {name}_LOCAL_MODEL"
        )
    adapted = system == "student" and p.get("tuning", "full") != "full"
    if system == "student" and not adapted:
        return f"runs/{p['run']}/model", ""
    return p["student_model"], f"runs/{p['run']}/adapter" if adapted else ""


def _quantization(p: dict, system: str) -> str:
    return "" if local_model(system) else p.get("quantization", "")


def _places(p: dict, local: list[str], gpus: dict[str, float]) -> list[dict]:
    """How much each process needs, and on which GPUs it would stand; an adapter stands on its base's."""
    groups: dict[str, list[str]] = {}
    for system in local:
        base, on = _model_of(p, system)
        shared = system in LOCAL and not local_model(system) and (on or p.get("tuning", "full") != "full")
        groups.setdefault(base if shared else system, []).append(system)
    needs = []
    for systems in groups.values():
        own = local_model(systems[0])
        n_gpus = local_gpus(systems[0], 1) if own else p["tensor_parallel"] * p.get("pipeline_parallel", 1)
        size = model_size(own or p["student_model"])
        needed = server_bytes(size.weight_bytes if size else 0.0, 0.0, n_gpus, quantization=_quantization(p, systems[0]), cpu=not gpus and n_gpus == 1)
        needs.append(Need(" and ".join(systems), n_gpus, needed))
    hosts = p.get("serve_hosts", [])
    in_turn = hosts and p.get("sharing", "auto") != "together"  # the cluster serves one model at a time
    wanted = (max if in_turn else sum)(need.n_gpus for need in needs)
    found = f"{len(hosts)} nodes by Ray" if hosts else f"{len(gpus)} GPUs here" if gpus else "no GPU here: vLLM's CPU build"
    lines = [_line("GPUs wanted", wanted, "GPUs", f"{len(needs)} servers {'one after the other' if in_turn else 'side by side'}; {found}")]
    lines += [
        _line(f"memory of {n.name}", round(n.size_bytes / GB, 1), "GB", f"on each of {n.n_gpus}, and what its cache takes")
        for n in needs if n.size_bytes
    ]  # fmt: skip
    if gpus and not p.get("serve_hosts"):
        try:
            turns = place(needs, list(gpus.values()), sharing=p.get("sharing", "auto"))
        except BadInput as error:
            return [*lines, _line("GPUs", "too few", "", f"not on this machine: {error}")]
        for i, turn in enumerate(turns, 1):
            given = ", ".join(f"{name} on {[list(gpus)[d] for d in spot.devices]} ({spot.share:.0%})" for name, spot in turn.items())
            lines.append(_line(f"turn {i} of {len(turns)}" if len(turns) > 1 else "side by side", given, "", ""))
    return lines


def _line(item: str, value, unit: str, note: str) -> dict:
    return {"item": item, "value": value, "unit": unit, "note": note}


if __name__ == "__main__":
    ask = check if sys.argv[2:] == ["check"] else plan
    print(json.dumps(ask(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), ensure_ascii=False, indent=2))
