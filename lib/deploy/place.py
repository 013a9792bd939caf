"""Which GPUs each server gets, and in how many turns where they do not all fit. Arithmetic on bytes; starts nothing."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.run import BadInput
from lib.run.machine import GB, WEIGHT_FACTOR, gpu_memory

SHARINGS = ("auto", "together", "in_turn")
USABLE = 0.9  # vLLM's own default: the rest is the driver's, and what fragments
OVERHEAD_BYTES = 2.5 * GB  # CUDA context, graphs, activations of one server on one GPU
OVERHEAD_BYTES_CPU = 1.5 * GB


@dataclass(frozen=True)
class Need:
    """What a server asks for: `n_gpus` devices and `size_bytes` on each; 0 where its size is not known."""

    name: str
    n_gpus: int
    size_bytes: float


@dataclass(frozen=True)
class Place:
    """Devices by index, and the share of their memory that the server may take."""

    devices: tuple[int, ...]
    share: float


def place(
    needs: Sequence[Need], memory: Sequence[float], *, sharing: str = "auto", taken: Mapping[int, float] | None = None
) -> list[dict[str, Place]]:
    """Give every server its devices, the emptiest first.

    A server of unknown size takes its devices whole. Servers that share one get shares in proportion to their needs.

    Args:
        needs: Servers in order.
        memory: Bytes of each device.
        sharing: `auto` side by side where they fit and else one after the other; `together`; `in_turn` one at a time.
        taken: Bytes by device that others hold already.

    Returns:
        One mapping from names to places for each turn; one turn when all fit.

    Raises:
        BadInput: A server that fits nowhere even alone, or an unknown `sharing`.
    """
    if sharing not in SHARINGS:
        raise BadInput(f"sharing: expected one of {', '.join(SHARINGS)}; found {sharing!r}")
    turns, waiting = [], list(needs)
    while waiting:
        used = [0.0 if turns else float((taken or {}).get(i, 0.0)) for i in range(len(memory))]
        here: list[tuple[Need, tuple[int, ...]]] = []
        for need in list(waiting):
            _check_fits_alone(need, memory)
            chosen = tuple(sorted(sorted(range(len(memory)), key=lambda i: (used[i], i))[: need.n_gpus]))
            fits = all(used[i] + _size(need, memory[i]) <= USABLE * memory[i] + 1 for i in chosen)
            if sharing == "together" or (fits and not (sharing == "in_turn" and here)):
                here.append((need, chosen))
                waiting.remove(need)
                for i in chosen:
                    used[i] += _size(need, memory[i])
        if here or turns:
            turns.append({need.name: Place(chosen, _share(need, chosen, here, memory)) for need, chosen in here})
        else:  # others fill the machine
            turns.append({})
    return turns


def _size(need: Need, memory: float) -> float:
    return need.size_bytes or USABLE * memory


def _share(need: Need, chosen: tuple[int, ...], here, memory: Sequence[float]) -> float:
    def on(i: int) -> float:
        return USABLE * _size(need, memory[i]) / sum(_size(n, memory[i]) for n, devices in here if i in devices)

    return int(100 * min(on(i) for i in chosen) + 1e-6) / 100


def _check_fits_alone(need: Need, memory: Sequence[float]) -> None:
    if need.n_gpus > len(memory):
        raise BadInput(
            f"tensor_parallel x pipeline_parallel: {need.name} wants {need.n_gpus} GPUs and this machine has {len(memory)}; "
            "lower them, or name the nodes in serve_hosts"
        )
    roomy = sorted(memory)[-need.n_gpus]
    if need.size_bytes > USABLE * roomy:
        raise BadInput(
            f"{need.name} needs about {need.size_bytes / GB:.1f} GB on each of {need.n_gpus} and there are {USABLE * roomy / GB:.1f} GB: "
            "raise tensor_parallel, set quantization, lower max_model_len, or serve a smaller model"
        )


def server_bytes(weight_bytes: float, cache_bytes: float, n_gpus: int, *, quantization: str = "", cpu: bool = False) -> float:
    """Bytes a server needs on each device: its part of weights and cache, and what the engine itself takes; 0 where unknown."""
    if not weight_bytes:
        return 0.0
    if cpu:
        return weight_bytes + cache_bytes + OVERHEAD_BYTES_CPU
    return (weight_bytes * WEIGHT_FACTOR.get(quantization, 1.0) + cache_bytes) / n_gpus + OVERHEAD_BYTES


def visible_gpus(environ: Mapping[str, str] | None = None) -> dict[str, float]:
    """Bytes of the GPUs that this process may use, by CUDA's name for them; empty without any.

    CUDA_VISIBLE_DEVICES, which a scheduler sets, is obeyed.
    """
    memory = gpu_memory()
    listed = (os.environ if environ is None else environ).get("CUDA_VISIBLE_DEVICES")
    if listed is None or not memory:
        return {str(i): size for i, size in enumerate(memory)}
    names = [name.strip() for name in listed.split(",") if name.strip() and name.strip() != "-1"]
    return {n: memory[int(n)] if n.isdigit() and int(n) < len(memory) else min(memory) for n in names}


def machine_memory() -> float:
    """Bytes of memory of this machine, within the container's limit if there is one."""
    total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    try:
        return min(total, float(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no limit
        return total
