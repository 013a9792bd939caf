"""Servers of a run: started side by side, awaited, found again, stopped. Writes `serving/servers.json` and a log each.

A server belongs to the run: to the headless command (RAFT_OWNER_PID), or by hand to the Jupyter server, and dies with it
however it dies. With `keep_serving` it belongs to nobody and stays until `./run_all.sh --stop`.
"""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from lib.deploy.command import SERVER_PYTHON, Server, build_command, build_environment
from lib.deploy.model import cache_bytes_per_token, context_length, model_hash, model_of, read_config
from lib.llm import resolve_role
from lib.run import BadInput, Supervised, launch, read_json, say, stop_process, write_json
from lib.run.manifest import now
from lib.run.supervise import process_start

ENGINES = ("vllm", "transformers", "endpoint")
START_TIMEOUT_S = 900
NOBODY = 1  # the first process of the machine never ends
# What a log says when a server dies, and what helps; the first match counts.
DIAGNOSES = (
    (r"out of memory|OutOfMemoryError|No available memory|Cannot allocate memory|bad_alloc",
     "it ran out of memory: serve fewer systems at once, lower top_k or chunk_chars, or raise tensor_parallel"),
    (r"address already in use|Errno 98", "its port is taken: set port to 0 or to a free one"),
    (r"KV cache.{0,80}(?:larger|needed)|max seq(?:uence)? len", "its cache does not hold one sequence: lower top_k or max_model_len"),
    (r"(?:No such file|does not appear to have|no file named|Cannot find any model weights|no safetensors)",
     "weights or configuration are missing: has 2_finetune finished, and is student_model a whole model folder?"),
    (r"(?:architectures?.{0,60}(?:not supported|failed)|Transformers does not recognize)",
     "the engine does not know this architecture: choose another student_model or engine"),
    (r"(?:gated repo|401 Client Error|Repository Not Found|couldn't connect|LocalEntryNotFoundError|offline mode)",
     "the model cannot be fetched from its hub: log in there, or point student_model to a local folder"),
)  # fmt: skip


def ensure_served(run, systems: list[str]) -> dict[str, dict]:
    """Make sure that every system answers; start what is not there or is no longer what the run made.

    Returns:
        Records by system, as in `serving/servers.json`.

    Raises:
        BadInput: An unknown engine, a system nobody serves, a context that the model does not take.
        RuntimeError: A server did not come up; says why, with the last lines of its log. The others are stopped.
    """
    path = run.path("serving/servers.json")
    known = read_json(path) if path.is_file() else {}
    local = {system for system in systems if not _is_endpoint(run, system)}
    records, starting = {}, []
    for system in systems:
        if system not in local:
            records[system] = _endpoint_record(system)
            continue
        wanted = _wanted(run, system, known.get(system, {}))
        if _is_up(known.get(system), wanted):
            records[system] = known[system]
            say(f"{system}: already served at {known[system]['base_url']}")
        else:
            starting.append((system, wanted))
        if run.p.engine == "transformers":
            run.stand_in("engine", "transformers serve, in vLLM's place")
    for system, _ in starting:  # a server of another model, or one that hangs, makes room first
        if _is_ours(known.get(system)):
            stop_process(known[system]["pid"])
    started = {}
    try:
        for system, wanted in starting:
            # Its place among all, not among those started now: a server that comes back must not take another's port or GPUs.
            index = [other for other in systems if other in local].index(system)
            started[system] = _start(run, wanted, index, n_servers=len(local))
            records[system] = started[system][1]
            # On record before it is healthy: a run killed now still knows what it started.
            write_json(path, known | records)
        _await_health(list(started.values()), getattr(run.p, "start_timeout_s", START_TIMEOUT_S))
    except BaseException:
        for process, _ in started.values():
            process.stop()
        raise
    write_json(path, known | records)
    return records


def stop_served(run) -> list[str]:
    """Stop the servers that this notebook started, unless `keep_serving`; returns their systems.

    Those of another notebook stay: they belong to the run or to the Jupyter server.
    """
    path = run.path("serving/servers.json")
    stopped = []
    for system, record in (read_json(path) if path.is_file() else {}).items():
        if record.get("started_by") == run.notebook and not run.p.keep_serving and _is_ours(record):
            stop_process(record["pid"])
            stopped.append(system)
    return stopped


def _is_endpoint(run, system: str) -> bool:
    if run.p.engine not in ENGINES:
        raise BadInput(f"engine: expected one of {', '.join(ENGINES)}; found {run.p.engine!r}")
    return run.p.engine == "endpoint" or (system not in ("student", "baseline") and resolve_role(system) is not None)


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


def _wanted(run, system: str, known: dict) -> dict:
    """What decides whether a running server is the right one; 4_eval, which has no such parameter, keeps 3_deploy's GPUs."""
    model = model_of(run, system)
    return {
        "system": system,
        "engine": run.p.engine,
        "model_path": model,
        "model_sha256": model_hash(model),
        "max_model_len": context_length(run, read_config(model)),
        "tensor_parallel": getattr(run.p, "tensor_parallel", known.get("tensor_parallel", 1)),
    }


def _is_ours(record: dict | None) -> bool:
    """Whether a record's process is alive and still the one that was started."""
    return bool(record and record.get("pid")) and process_start(record["pid"]) == record.get("pid_start")


def _is_up(record: dict | None, wanted: dict) -> bool:
    if not _is_ours(record) or record["max_model_len"] < wanted["max_model_len"]:
        return False
    same = all(record[key] == wanted[key] for key in ("engine", "model_sha256", "tensor_parallel"))
    return same and is_healthy(record["base_url"])


def is_healthy(base_url: str) -> bool:
    """Whether a server answers GET /health."""
    try:
        with urllib.request.urlopen(base_url.removesuffix("/v1") + "/health", timeout=3) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _start(run, wanted: dict, index: int, *, n_servers: int) -> tuple[Supervised, dict]:
    if not SERVER_PYTHON.exists():
        raise BadInput(f"{SERVER_PYTHON}: the server's environment is missing; ./bootstrap.sh makes it")
    port = getattr(run.p, "port", 0)
    port = port + index if port else free_port()
    if not is_free(port):
        raise BadInput(f"port {port} is taken: set port to 0 for a free one")
    n_gpus = count_gpus()
    if n_gpus and wanted["tensor_parallel"] > n_gpus:
        raise BadInput(
            f"tensor_parallel: expected at most the {n_gpus} GPUs of this machine; found {wanted['tensor_parallel']}"
        )
    server = Server(
        wanted["system"], wanted["model_path"], wanted["engine"], port, wanted["max_model_len"], wanted["tensor_parallel"],
        cache_bytes_per_token(read_config(wanted["model_path"])),
    )  # fmt: skip
    command = build_command(server, n_gpus=n_gpus, n_servers=n_servers)
    log = run.path(f"serving/{server.system}.log")
    log.write_text(" ".join(command) + "\n", encoding="utf-8")
    environment = build_environment(server, index, n_gpus=n_gpus, n_servers=n_servers)
    process = launch(command, log_path=log, env=environment, owner_pid=owner_of(run))
    record = wanted | {
        "engine_version": None,
        "base_url": f"http://127.0.0.1:{port}/v1",
        "model": server.system if server.engine == "vllm" else server.model,
        "pid": process.pid,
        "pid_start": process_start(process.pid),
        "log": str(log),
        "started": now(),
        "started_by": run.notebook,
        "kept": run.p.keep_serving,
    }
    return process, record


def owner_of(run) -> int:
    """Process whose end takes the servers along: the headless command, or by hand the Jupyter server; nobody if they are kept."""
    if run.p.keep_serving:
        return NOBODY
    return int(os.environ.get("RAFT_OWNER_PID") or os.getppid())


def _await_health(servers: list[tuple[Supervised, dict]], timeout_s: float) -> None:
    """Wait until all are healthy, looking at each in turn, so that the first to die ends the wait."""
    start, waiting = time.monotonic(), list(servers)
    while waiting:
        for process, record in list(waiting):
            status, waited = process.poll(), time.monotonic() - start
            if status is not None or waited > timeout_s:
                what = f"ended with status {status}" if status is not None else f"was not ready after {timeout_s:.0f} s"
                raise RuntimeError(explain(record["system"], what, Path(record["log"])))
            if is_healthy(record["base_url"]):
                waiting.remove((process, record))
                record["engine_version"] = _version(record)
                engine = f"{record['engine']} {record['engine_version'] or ''}".strip()
                say(f"{record['system']}: {engine} ready at {record['base_url']} after {waited:.0f} s")
        if waiting:
            time.sleep(0.25)


def _version(record: dict) -> str | None:
    try:
        with urllib.request.urlopen(record["base_url"].removesuffix("/v1") + "/version", timeout=3) as reply:
            return json.load(reply)["version"]
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return None


def explain(system: str, what: str, log: Path) -> str:
    """The message for a server that failed: what happened, what helps, the last telling lines of its log."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    text = "\n".join(lines[1:])
    advice = next(
        (help_text for pattern, help_text in DIAGNOSES if re.search(pattern, text, re.IGNORECASE)), "see its log"
    )
    stripped = (re.sub(r"^(\([^)]*\) )?((ERROR|WARNING|INFO) [\d-]+ [\d:]+ \[[^\]]*\] ?)?", "", line) for line in lines)
    # Each error once, where it was raised and not where it passed; the last line, which may be all that a killed server says.
    telling = list(
        dict.fromkeys(
            line
            for line in stripped
            if re.match(r"\s*(Value error, |[\w.]*(Error|Exception|Interrupt): (?!Engine core))", line)
        )
    )
    tail = "\n".join(f"    {line[:300]}" for line in (telling or lines)[-4:])
    return f"the server of {system} {what}: {advice}. Its log, {log}, says:\n{tail}"


def free_port() -> int:
    """A port on loopback that nobody listens to."""
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        return probe_socket.getsockname()[1]


def is_free(port: int) -> bool:
    """Whether a port on loopback can be bound."""
    with socket.socket() as probe_socket:
        probe_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe_socket.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def count_gpus() -> int:
    """NVIDIA GPUs of this machine, by nvidia-smi."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in listed.splitlines())
