"""What this machine has, and the arithmetic of what a model needs. Reads files and asks nvidia-smi; loads nothing."""

import json
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

GB = 1e9
WIDTHS = {"float32": 4, "float16": 2, "bfloat16": 2, "float8_e4m3fn": 1}
# bf16 weights 2 + gradients 2 + fp32 master weights 4 + Adam's two fp32 moments 8.
TRAINING_BYTES_PER_PARAMETER = 16
# Bytes of a stored weight against 16 bits. 4-bit formats keep scales and leave some layers as they are.
WEIGHT_FACTOR = {"": 1.0, "fp8": 0.55, "bitsandbytes": 0.35, "awq": 0.35, "gptq": 0.35}


@dataclass(frozen=True)
class ModelSize:
    """A model's size: `n_parameters`, bytes of its weights, and its context length in tokens (0 = not known)."""

    n_parameters: float
    weight_bytes: float
    context_tokens: int


def model_size(model: str, root: Path = Path()) -> ModelSize | None:
    """Size of a model folder (relative to `root`) from its files, of a hub model from its name (`…-8B-…`), or None."""
    folder = root / Path(model).expanduser()
    if folder.is_dir():
        weights = sum(f.stat().st_size for pattern in ("*.safetensors", "*.bin") for f in folder.glob(pattern))
        config = _config(folder)
        width = WIDTHS.get(str(config.get("dtype") or config.get("torch_dtype")), 4)
        return ModelSize(weights / width, weights, int(config.get("max_position_embeddings", 0)))
    named = re.search(
        r"(?<![\d.])(\d+(?:\.\d+)?)\s*([bBmM])\b", model.rpartition("/")[2].replace("-", " ").replace("_", " ")
    )
    if not named:
        return None
    n_parameters = float(named[1]) * (1e9 if named[2] in "bB" else 1e6)
    return ModelSize(n_parameters, 2 * n_parameters, 0)


def _config(folder: Path) -> dict:
    try:
        return json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def is_offloaded(launcher: Path, root: Path = Path()) -> bool:
    """Whether an accelerate configuration has DeepSpeed keep Adam's states in the machine's memory instead of the GPUs'."""
    try:
        config = yaml.safe_load(launcher.read_text(encoding="utf-8"))
        zero = json.loads((root / config["deepspeed_config"]["deepspeed_config_file"]).read_text(encoding="utf-8"))
        return zero["zero_optimization"].get("offload_optimizer", {}).get("device", "none") != "none"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):  # what is wrong with it is said by who starts it
        return False


def estimate_needs(values: dict, size: ModelSize | None, notebooks: list[str], offloaded: bool = False) -> tuple[float, float]:
    """Bytes of disk and of memory (GPUs', where there are any) that a run needs on this machine at its peak, at the least.

    Disk: 0.3 GB of pages, logs and stores; full tuning keeps two checkpoints of 14 bytes a parameter (weights, fp32 master
    weights and two moments) and the model. Memory: training 16 bytes a parameter, which `hosts` share and which are elsewhere
    where they are `offloaded`, and 1 GB for each of two processes; serving the weights and 1.5 GB for one server, since models
    take turns where they do not fit, or for each where `sharing` is together: an adapter stands on its base. The larger of the
    two counts, since they do not overlap.
    """
    disk, memory = 0.3 * GB, 1.0 * GB
    if size is None:
        return disk, memory
    tuning = values.get("tuning", "full")
    full = tuning == "full"
    if "2_finetune" in notebooks and values.get("backend", "local") == "local":
        trained = size.n_parameters if full else 0.02 * size.n_parameters
        disk += 2 * 14 * trained + (size.weight_bytes if full else 0)
        base = {"full": 0.0, "lora": 1.0, "qlora": WEIGHT_FACTOR["bitsandbytes"]}.get(tuning, 0.0) * size.weight_bytes
        state = 0.0 if offloaded else TRAINING_BYTES_PER_PARAMETER * trained + base
        memory = max(memory, state / max(1, len(values.get("hosts", []))) + 2 * GB)
    if {"3_deploy", "4_eval"} & set(notebooks) and values.get("engine") != "endpoint":
        servers = {system if full or system != "student" else "baseline" for system in values.get("systems", ["student"])}
        side_by_side = len(servers) if values.get("sharing") == "together" else 1
        weights = WEIGHT_FACTOR.get(values.get("quantization", ""), 1.0) * size.weight_bytes
        memory = max(memory, (side_by_side * (weights + 1.5 * GB) + 1 * GB) / max(1, len(values.get("serve_hosts", []))))
    return disk, memory


def free_memory() -> float:
    """Bytes of memory that may still be used, within the container's limit if there is one; infinite when unknown."""
    try:
        fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return float("inf")
    try:
        group = Path("/sys/fs/cgroup")
        free = min(free, int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    except (OSError, ValueError):  # no limit
        pass
    return free


def free_disk(folder: Path) -> float:
    """Bytes free on the disk that holds `folder`, or that will."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def gpu_memory() -> list[float]:
    """Bytes of memory of each GPU; empty without one."""
    query = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
        return [int(line) * 2**20 for line in answer.split()]
    except (OSError, ValueError, subprocess.SubprocessError):
        return []


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
