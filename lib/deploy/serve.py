"""Servers of a run: started side by side or in turn, awaited, found again, stopped. Writes `serving/servers.json` and a log each.

A server belongs to the run: to the headless command (RAFT_OWNER_PID), or by hand to the Jupyter server, and dies with it
however it dies. With `keep_serving` it belongs to nobody and stays until `./run_all.sh --stop`.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lib.deploy.cluster import check_cluster
from lib.deploy.command import SERVER_PYTHON, build_command, build_environment
from lib.deploy.faults import explain
from lib.deploy.health import is_alive, is_healthy, read_version
from lib.deploy.hosted import hosted_record, is_hosted
from lib.deploy.model import is_local
from lib.deploy.place import visible_gpus
from lib.deploy.targets import (
    build_server,
    check_hardware,
    describe_target,
    engine_of,
    group_name,
    group_need,
    group_targets,
)
from lib.deploy.turns import held_bytes, place_groups
from lib.llm import resolve_role
from lib.run import BadInput, Supervised, launch, say, stop_process, write_json
from lib.run.leftovers import read_servers
from lib.run.machine import free_port, port_is_free
from lib.run.manifest import now, read_manifest
from lib.run.supervise import process_start

START_TIMEOUT_S = 900
POLL_S = 0.25  # between looks at servers that start, which takes real ones a minute
NOBODY = 1  # the first process of the machine never ends
DECIDING = ("engine", "model_sha256", "tensor_parallel", "pipeline_parallel", "quantization", "hosts")


def ensure_served(run, systems: Sequence[str]) -> dict[str, dict]:
    """Make sure that every system answers; start what is not there or is no longer what the run made.

    Where there is no room beside other servers of this run, those are stopped first.

    Returns:
        Records by system, as in `serving/servers.json`.

    Raises:
        BadInput: An unknown engine, a system nobody serves, a context the model does not take, or systems that do not fit side
            by side: `take_turns` serves them one after the other.
        RuntimeError: A server did not come up; says why, with the last lines of its log. Those started with it are stopped.
    """
    known, targets = _targets(run, systems)
    records = {system: _record_elsewhere(run, system, known) for system in systems if system not in targets}
    starting = []
    for group in group_targets(list(targets.values())):
        names = [target["system"] for target in group]
        if all(_is_up(known.get(name), targets[name]) for name in names):
            records |= {name: known[name] for name in names}
            say(f"{' and '.join(names)}: already served at {known[names[0]]['base_url']}")
        else:
            starting.append(group)
        if group[0]["engine"] == "transformers":
            run.stand_in("engine", "transformers serve, in vLLM's place")
    # A server of another model, or one that hangs, makes room first.
    _stop(known[target["system"]] for group in starting for target in group if target["system"] in known)
    if starting:
        records |= _start_groups(run, starting, known, systems)
    _write(run, known | records)
    return {system: records[system] for system in systems}


def take_turns(run, systems: Sequence[str]) -> Iterator[list[str]]:
    """Serve systems in as many turns as the machine needs: all at once where they fit, else one group after the other.

    Yields:
        The systems that answer now; the servers of an earlier turn are stopped before the next one's start.
    """
    _, targets = _targets(run, systems)
    groups, gpus = group_targets(list(targets.values())), visible_gpus()
    places = place_groups(groups, gpus, sharing=_as_deployed(run, "sharing", "auto"))
    turns = [[s for group in groups if group_name(group) in turn for s in _names(group)] for turn in places]
    elsewhere = [system for system in systems if system not in targets]
    if len(turns) > 1:
        say(f"{len(turns)} turns: " + ", then ".join(" and ".join(names) for names in turns))
    for i, names in enumerate(turns or [[]]):
        here = [system for system in systems if system in names or (i == 0 and system in elsewhere)]
        if len(turns) > 1:
            known = read_servers(run.dir)
            _stop(record for system, record in known.items() if system in targets and system not in names)
        ensure_served(run, here)
        yield here


def stop_served(run) -> list[str]:
    """Stop the servers that this notebook started, unless `keep_serving`; returns their systems.

    Those of another notebook stay: they belong to the run or to the Jupyter server.
    """
    if getattr(run.p, "keep_serving", False):
        return []
    mine = {s: r for s, r in read_servers(run.dir).items() if r.get("started_by") == run.notebook and is_alive(r)}
    _stop(mine.values())
    return list(mine)


def _as_deployed(run, name: str, default):
    """A parameter; in a notebook without it, as 4_eval is, what 3_deploy was run with."""
    deployed = read_manifest(run.dir / "run.json")["parameters"].get("3_deploy", {})
    return getattr(run.p, name, deployed.get(name, default))


def _names(group: list[dict]) -> list[str]:
    return [target["system"] for target in group]


def _targets(run, systems: Sequence[str]) -> tuple[dict[str, dict], dict[str, dict]]:
    """What is on record, and what has to be served here."""
    known = read_servers(run.dir)
    for system in systems:
        engine_of(run, system)
    engine = getattr(run.p, "engine", "vllm")
    here = [system for system in systems if is_local(system, engine) and not is_hosted(run, system)]
    return known, {system: describe_target(run, system, known.get(system, {})) for system in here}


def _start_groups(run, groups: list[list[dict]], known: dict[str, dict], systems: Sequence[str]) -> dict[str, dict]:
    """Start groups at their places and await them; returns their records by system."""
    for group in groups:
        check_hardware(group[0]["quantization"])
        if group[0]["hosts"]:
            check_cluster(group[0]["hosts"])
    gpus = visible_gpus()
    sharing = _as_deployed(run, "sharing", "auto")
    turns = place_groups(groups, gpus, sharing=sharing, taken=held_bytes(known, gpus))
    if len(turns) > 1 or not turns[0]:
        others = {s: r for s, r in known.items() if s not in systems and is_alive(r)}
        _stop(others.values())
        if others:
            say(f"{' and '.join(others)}: stopped, to make room")
    turns = place_groups(groups, gpus, sharing=sharing, taken=held_bytes(known, gpus))
    if len(turns) > 1 or not turns[0]:
        named = ", then ".join(" and ".join(turn) for turn in turns if turn)
        raise BadInput(
            f"sharing: these do not fit side by side, but one after the other: {named}; ask them in turn (lib.deploy.take_turns), or "
            "serve fewer systems at once"
        )
    started, records = [], {}
    try:
        for i, group in enumerate(groups):
            spot = turns[0][group_name(group)]
            busy = [r for r in records.values() if spot and set(r["gpus"]) & {list(gpus)[d] for d in spot.devices if gpus}]
            if busy:  # vLLM measures free memory while it starts: two that share a GPU must not measure at once
                _await_health(started, _as_deployed(run, "start_timeout_s", START_TIMEOUT_S))
            process, mine = _start(run, group, spot if gpus else None, list(gpus), i, len(groups), known | records)
            started.append((process, mine))
            records |= mine
            # On record before it is healthy: a run killed now still knows what it started.
            _write(run, known | records)
        _await_health(started, _as_deployed(run, "start_timeout_s", START_TIMEOUT_S))
    except BaseException:
        for process, _ in started:
            process.stop()
        raise
    return records


def _start(run, group, spot, gpu_names, index: int, n_servers: int, known: dict[str, dict]) -> tuple[Supervised, dict[str, dict]]:
    if not SERVER_PYTHON.exists():
        raise BadInput(f"{SERVER_PYTHON}: the server's environment is missing; ./bootstrap.sh makes it")
    server = build_server(group, spot, gpu_names, _choose_port(run, group, index, known))
    command = build_command(server)
    environment = build_environment(server, n_servers=n_servers)
    name = group_name(group)
    try:
        log = run.path(f"serving/{name}.log")
        log.write_text(" ".join(command) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{name}: its log cannot be written ({error}); nothing was started") from None
    process = launch(command, log_path=log, env=environment, owner_pid=owner_of(run))
    shared = {
        "engine_version": None,
        "base_url": f"http://127.0.0.1:{server.port}/v1",
        "gpus": list(server.gpus),
        "memory_share": server.memory_share,
        "need_bytes": group_need(group, bool(server.gpus)).size_bytes,
        "pid": process.pid,
        "pid_start": process_start(process.pid),
        "log": str(log),
        "started": now(),
        "started_by": run.notebook,
        "kept": getattr(run.p, "keep_serving", False),
    }
    return process, {
        t["system"]: t | shared | {"model": t["system"] if server.engine == "vllm" else server.model} for t in group
    }


def _choose_port(run, group: list[dict], index: int, known: dict[str, dict]) -> int:
    """The port on record where this server had one by the parameter, the next one after those in use, or any free one."""
    first = getattr(run.p, "port", 0)
    if not first:
        return free_port()
    others = {r["base_url"] for s, r in known.items() if s not in _names(group) and is_alive(r)}
    ports = [first + i for i in range(index + len(known) + 1)]
    port = next(p for p in ports if f"http://127.0.0.1:{p}/v1" not in others)
    if not port_is_free(port):
        raise BadInput(f"port {port} is taken: set port to 0 for a free one")
    return port


def _write(run, records: dict[str, dict]) -> None:
    path = run.dir / "serving" / "servers.json"
    try:
        write_json(path, records)
    except OSError as error:
        raise BadInput(
            f"{path}: cannot be written ({error.strerror}); free some space or make the folder writable, and start again. What was "
            "being started is stopped"
        ) from None


def _record_elsewhere(run, system: str, known: dict[str, dict]) -> dict:
    """The record of a system that this machine does not serve: a model at the provider that tuned the student, or an endpoint."""
    return hosted_record(run, system, known.get(system)) if is_hosted(run, system) else _endpoint_record(system)


def _endpoint_record(system: str) -> dict:
    from lib.llm import probe  # here, since its client takes a second to import

    role = resolve_role(system)
    if role is None:
        raise BadInput(
            f"systems: engine is endpoint, so set {system.upper()}_OPENAI_BASE_URL and {system.upper()}_OPENAI_DEPLOYMENT"
        )
    if problem := probe(role):
        raise BadInput(problem)
    return {"engine": "endpoint", "base_url": role.base_url, "model": role.model, "model_sha256": "", "pid": None}


def _is_up(record: Mapping | None, wanted: dict) -> bool:
    if not is_alive(record) or record["max_model_len"] < wanted["max_model_len"]:
        return False
    return all(record.get(key) == wanted[key] for key in DECIDING) and is_healthy(record["base_url"])


def _stop(records) -> None:
    for pid in {record["pid"] for record in records if is_alive(record)}:
        stop_process(pid)


def owner_of(run) -> int:
    """Process whose end takes the servers along: the headless command, or by hand the Jupyter server; nobody if they are kept."""
    if getattr(run.p, "keep_serving", False):
        return NOBODY
    return int(os.environ.get("RAFT_OWNER_PID") or os.getppid())


def _await_health(servers: list[tuple[Supervised, dict[str, dict]]], timeout_s: float) -> None:
    """Wait until all are healthy, looking at each in turn, so that the first to die ends the wait."""
    start, waiting = time.monotonic(), list(servers)
    while waiting:
        for process, records in list(waiting):
            names, record = " and ".join(records), next(iter(records.values()))
            status, waited = process.poll(), time.monotonic() - start
            if status is not None or waited > timeout_s:
                what = f"ended with status {status}" if status is not None else f"was not ready after {timeout_s:.0f} s"
                raise RuntimeError(explain(names, what, Path(record["log"]), status))
            if is_healthy(record["base_url"]):
                waiting.remove((process, records))
                for one in records.values():
                    one["engine_version"] = read_version(record["base_url"])
                engine = f"{record['engine']} {record['engine_version'] or ''}".strip()
                say(f"{names}: {engine} ready at {record['base_url']} after {waited:.0f} s")
        if waiting:
            time.sleep(POLL_S)
