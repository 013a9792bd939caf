"""What this machine has, and the arithmetic of what a model needs. Reads files and asks nvidia-smi; loads nothing."""

import json
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

GB = 1e9
WIDTHS = {"float32": 4, "float16": 2, "bfloat16": 2, "float8_e4m3fn": 1}
# bf16 weights 2 + gradients 2 + fp32 master weights 4 + Adam's two fp32 moments 8.
TRAINING_BYTES_PER_PARAMETER = 16


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
