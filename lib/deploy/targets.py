"""What has to be served, from a run's parameters and files: one entry a system, one group a process, one need a device. Starts nothing."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lib.deploy.adapter import adapter_rank, read_adapter
from lib.deploy.command import BASE, N_SEQS_CPU, SERVER_PYTHON, Server
from lib.deploy.model import (
    cache_bytes_per_token,
    context_length,
    local_gpus,
    read_config,
    weights_hash,
    weights_of,
)
from lib.deploy.place import Need, Place, server_bytes
from lib.llm.roles import local_model
from lib.run import BadInput
from lib.run.machine import model_size

ENGINES = ("vllm", "transformers", "endpoint")
QUANTIZATIONS = ("", "fp8", "bitsandbytes", "awq", "gptq")
CAPABILITY = {"fp8": 8.0, "bitsandbytes": 7.0, "awq": 7.5, "gptq": 6.0}  # of an NVIDIA GPU, at least


def describe_target(run, system: str, known: dict) -> dict:
    """What decides whether a running server is the right one.

    A notebook without such a parameter, as 4_eval is, keeps what 3_deploy put on record.

    Args:
        run: The open run.
        system: `student`, `baseline`, or a role with `<ROLE>_LOCAL_MODEL`.
        known: The system's record in `serving/servers.json`, or an empty one.
    """
    engine = engine_of(run, system)
    weights = weights_of(run, system)
    config = read_config(weights.base)
    if engine == "transformers" and weights.adapter:
        raise BadInput("engine: transformers serves no adapter; use vllm, or merge the adapter in 2_finetune")
    own = bool(local_model(system))
    chosen = {
        "tensor_parallel": local_gpus(system, 1) if own else getattr(run.p, "tensor_parallel", known.get("tensor_parallel", 1)),
        "pipeline_parallel": 1 if own else getattr(run.p, "pipeline_parallel", known.get("pipeline_parallel", 1)),
        "quantization": "" if own else getattr(run.p, "quantization", known.get("quantization", "")),
        "hosts": [] if own else list(getattr(run.p, "serve_hosts", known.get("hosts", []))),
    }
    check_quantization(chosen["quantization"], engine, config)
    return {
        "system": system,
        "engine": engine,
        "model_path": weights.adapter or weights.base,
        "model_sha256": weights_hash(weights),
        "base_path": weights.base,
        "adapter_path": weights.adapter,
        "max_model_len": context_length(run, system, config),
        **chosen,
    }


def engine_of(run, system: str) -> str:
    """The engine that serves a system here.

    Raises:
        BadInput: An unknown one.
    """
    engine = getattr(run.p, "engine", "vllm")
    if engine not in ENGINES:
        raise BadInput(f"engine: expected one of {', '.join(ENGINES)}; found {engine!r}")
    return "vllm" if engine == "endpoint" or local_model(system) else engine


def group_targets(targets: Sequence[dict]) -> list[list[dict]]:
    """Systems that one process serves: adapters together with their base, every other model alone; in the order given."""
    carrying = {t["base_path"] for t in targets if t["adapter_path"]}
    groups: dict[object, list[dict]] = {}
    for target in targets:
        shared = target["base_path"] in carrying and not local_model(target["system"])
        groups.setdefault(target["base_path"] if shared else (target["system"],), []).append(target)
    return list(groups.values())


def group_need(group: Sequence[dict], on_gpu: bool) -> Need:
    """What a group's process asks of each device."""
    first = group[0]
    size = model_size(first["base_path"])
    n_gpus = first["tensor_parallel"] * first["pipeline_parallel"] if on_gpu else 1
    cache = cache_bytes_per_token(read_config(first["base_path"])) * first["max_model_len"] * N_SEQS_CPU
    needed = server_bytes(
        size.weight_bytes if size else 0.0, cache / (2 if on_gpu else 1), n_gpus, quantization=first["quantization"], cpu=not on_gpu,
    )  # fmt: skip
    return Need(group_name(group), n_gpus, needed)


def group_name(group: Sequence[dict]) -> str:
    """A process's name: its systems."""
    return "+".join(target["system"] for target in group)


def build_server(group: Sequence[dict], place: Place | None, gpu_names: Sequence[str], port: int) -> Server:
    """The process of a group at its place; without one on a CPU or on several nodes."""
    first = group[0]
    adapters = [(t["system"], t["adapter_path"]) for t in group if t["adapter_path"]]
    bare = [t["system"] for t in group if not t["adapter_path"]]
    return Server(
        bare[0] if bare else BASE,
        first["base_path"],
        first["engine"],
        port,
        first["max_model_len"],
        first["tensor_parallel"],
        cache_bytes_per_token(read_config(first["base_path"])),
        first["pipeline_parallel"],
        first["quantization"],
        adapters,
        max([adapter_rank(read_adapter(folder), folder) for _, folder in adapters], default=0),
        [gpu_names[i] for i in place.devices] if place else [],
        place.share if place else 0.9,
        first["hosts"],
    )


def check_quantization(quantization: str, engine: str, config: dict) -> None:
    """Whether weights stored like this can be served: that it is known, that the engine takes it, that the model is of that kind.

    Raises:
        BadInput: It is not so.
    """
    if quantization not in QUANTIZATIONS:
        raise BadInput(f"quantization: expected one of {', '.join(map(repr, QUANTIZATIONS))}; found {quantization!r}")
    if quantization and engine == "transformers":
        raise BadInput("quantization: only engine vllm knows it; set engine to vllm or quantization to ''")
    stored = (config.get("quantization_config") or {}).get("quant_method", "")
    if quantization in ("awq", "gptq") and config and stored != quantization:
        raise BadInput(
            f"quantization: {quantization} serves a model stored that way, and this one is stored {stored or 'as it is'}: choose such "
            "a model, or fp8 or bitsandbytes, which are made while loading"
        )


def check_hardware(quantization: str, python: Path = SERVER_PYTHON) -> None:
    """Whether this machine serves weights stored like this.

    Raises:
        BadInput: There is no GPU for it, an older one, or a package is missing.
    """
    if not quantization:
        return
    found = compute_capability()
    if found is None and quantization in ("fp8", "bitsandbytes"):
        raise BadInput(f"quantization: {quantization} needs an NVIDIA GPU, and there is none here: set it to ''")
    if found is not None and found < CAPABILITY[quantization]:
        raise BadInput(
            f"quantization: {quantization} needs a GPU of compute capability {CAPABILITY[quantization]}; this one has {found}: set it to '' or to another"
        )
    packages = python.parent.parent / "lib"
    if quantization == "bitsandbytes" and not any(packages.glob("python*/site-packages/vllm_bnb_plugin")):
        raise BadInput(
            "quantization: since 0.28 vLLM serves bitsandbytes with a plugin, which is not in .venv-vllm: .venv-vllm/bin/pip install vllm-bnb-plugin"
        )


def compute_capability() -> float | None:
    """The lowest compute capability among this machine's NVIDIA GPUs, or None without one."""
    query = ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return min((float(found) for found in re.findall(r"^\d+\.\d+", answer, re.MULTILINE)), default=None)
