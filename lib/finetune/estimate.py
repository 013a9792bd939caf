"""Parameters, memory and time of a training, from the shape of a model alone: no weights, no GPU, no hub."""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path

from lib.finetune.settings import Launcher, Settings
from lib.run import read_json

# Published configurations of models whose folder is seldom at hand when a run is planned.
SHAPES = {
    "llama-2-7b": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
                   "num_attention_heads": 32, "num_key_value_heads": 32, "max_position_embeddings": 4096},
    "llama-3-8b": {"vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
                   "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 8192},
    "llama-3.1-8b": {"vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
                     "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 131072},
}  # fmt: skip
GB = 1e9
# 5,762 tokens/s a GPU for 8B parameters on H100s at 8K, bf16: 6 x 8.03e9 x 5762 = 2.8e14 FLOP/s, about 28 % of a dense H100.
GPU_FLOPS = 6 * 8.03e9 * 5762
# Two processes on two CPU cores, fp32, 2 million parameters: 1,775 tokens a step in 0.38 s, of it 0.18 s of arithmetic.
CPU_FLOPS, CPU_STEP_S = 6e10, 0.2


@dataclass(frozen=True)
class Shape:
    """What decides memory and time: `parameters`, those of the `largest` layer, and the widths."""

    parameters: int
    largest: int
    hidden: int
    intermediate: int
    layers: int
    context: int


def find_shape(student_model: str) -> Shape | None:
    """The shape of a local folder or of a well-known name; None when neither says."""
    folder = Path(student_model)
    if (folder / "config.json").is_file():
        return shape_of(read_json(folder / "config.json"), _count_stored(folder))
    name = student_model.lower().rsplit("/", 1)[-1].replace("meta-", "")
    known = next((known for known in SHAPES if name.startswith(known)), None)
    return shape_of(SHAPES[known]) if known else None


def shape_of(config: dict, parameters: int | None = None) -> Shape:
    """The shape of a Llama-like `config.json`; `parameters` overrides what is counted from it."""
    h, i, n, v = (config[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size"))
    heads = config["num_attention_heads"]
    width = config.get("head_dim") or h // heads
    attention = 2 * h * heads * width + 2 * h * config.get("num_key_value_heads", heads) * width
    embeddings = v * h * (1 if config.get("tie_word_embeddings") else 2)
    counted = embeddings + n * (attention + 3 * h * i + 2 * h) + h
    return Shape(
        parameters or counted, max(v * h, h * i, h * heads * width), h, i, n, config["max_position_embeddings"]
    )


def _count_stored(folder: Path) -> int | None:
    """Parameters in the folder's safetensors, from their headers."""
    total = 0
    for shard in folder.glob("*.safetensors"):
        with open(shard, "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        total += sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
    return total or None


def state_bytes(shape: Shape, launcher: Launcher) -> int:
    """Bytes of parameters, gradients and Adam's state in one process, as DeepSpeed's own estimator has it.

    ZeRO-3 without offload: 18 bytes a parameter over all processes, and 4 a parameter of the largest layer gathered whole.
    ZeRO-2 keeps parameters (2 bytes) and gradients (2) whole. Offloaded optimizer state and parameters leave the gathered layer.
    """
    if launcher.stage == 3 and launcher.offload:
        return 4 * shape.largest
    if launcher.stage == 3:
        return 4 * shape.largest + 18 * shape.parameters // launcher.processes
    return 4 * shape.parameters + 16 * shape.parameters // launcher.processes


def activation_bytes(shape: Shape, settings: Settings, length: int, precision: str) -> int:
    """Bytes of activations of one batch of rows of `length` tokens, attention fused, logits in chunks.

    A layer holds about 16 h + 4 i numbers a token; with checkpointing, h a layer and one whole layer.
    """
    size, tokens = (2 if precision == "bf16" else 4), settings.batch_size * length
    layer = 16 * shape.hidden + 4 * shape.intermediate
    numbers = shape.layers * shape.hidden + layer if settings.gradient_checkpointing else shape.layers * layer
    return size * tokens * numbers


def training_seconds(
    shape: Shape, launcher: Launcher, tokens: int, steps: int, tokens_per_s: float = 0.0
) -> tuple[float, str]:
    """Seconds of training, and what throughput that supposes.

    Args:
        shape: Of the student.
        launcher: Processes and precision.
        tokens: Of all steps.
        steps: Optimizer steps.
        tokens_per_s: Of one process, if it is known; 0 to estimate it.
    """
    on_cpu = launcher.precision == "fp32"
    rate = tokens_per_s or (CPU_FLOPS if on_cpu else GPU_FLOPS) / (6 * shape.parameters)
    seconds = tokens / (rate * launcher.processes) + (steps * CPU_STEP_S if on_cpu else 0)
    return (
        seconds,
        f"at {tokens / seconds / launcher.processes:,.0f} tokens/s a process, {'two CPU cores' if on_cpu else 'H100-class GPUs'}",
    )


def estimate_rows(
    shape: Shape,
    launcher: Launcher,
    settings: Settings,
    *,
    rows: int,
    tokens: int,
    steps: int,
    length: int,
    note: str = "",
) -> list[dict]:
    """What the training will be, as rows of item, value, unit and note."""

    def row(item: str, value, unit: str, note: str = "") -> dict:
        return {"item": item, "value": value, "unit": unit, "note": note}

    state = state_bytes(shape, launcher)
    memory = state + activation_bytes(shape, settings, length, launcher.precision)
    seconds, rate = training_seconds(shape, launcher, tokens, steps)
    per_step = settings.batch_size * launcher.processes * settings.grad_accumulation
    unit = "GB a GPU" if launcher.precision == "bf16" else "GB a process"
    return [
        row("parameters", shape.parameters, "parameters"),
        row("rows to train on", rows, "rows", note),
        row("longest row", length, "tokens a row", f"the student takes {shape.context}"),
        row("training tokens", tokens, "tokens trained", f"{settings.epochs:g} epochs"),
        row("steps", steps, "steps", f"{per_step} rows a step: {settings.batch_size} x {launcher.processes} processes x {settings.grad_accumulation}"),
        row("training memory", round(memory / GB, 2), unit, f"ZeRO-{launcher.stage}: {state / GB:.2f} of state, the rest activations, Python apart"),
        row("training time", round(seconds / 60, 1), "minutes", rate),
    ]  # fmt: skip
