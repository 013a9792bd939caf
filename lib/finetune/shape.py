"""The shape of a model: what decides a training's memory and time, from its config alone."""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path

from lib.run import read_json

# Published configurations of models whose folder is seldom at hand when a run is planned.
SHAPES = {
    "llama-2-7b-32k": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
                       "num_attention_heads": 32, "num_key_value_heads": 32, "max_position_embeddings": 32768},
    "llama-2-7b": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
                   "num_attention_heads": 32, "num_key_value_heads": 32, "max_position_embeddings": 4096},
    "llama-3-8b": {"vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
                   "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 8192},
    "llama-3.1-8b": {"vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
                     "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 131072},
    "llama-3.2-1b": {"vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
                     "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 131072, "tie_word_embeddings": True},
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """What decides memory and time: `parameters`, those of the `largest` layer and of embeddings and head, and the widths.

    `lora_widths` is the sum of inputs and outputs of a layer's linear maps: an adapter of rank r has r times as many numbers a layer.
    """

    parameters: int
    largest: int
    embeddings: int
    lora_widths: int
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
    kv = config.get("num_key_value_heads", heads) * width
    lora_widths = 2 * (h + heads * width) + 2 * (h + kv) + 3 * (h + i)
    largest = max(v * h, h * i, h * heads * width)
    return Shape(parameters or counted, largest, embeddings, lora_widths, h, i, n, config["max_position_embeddings"])


def _count_stored(folder: Path) -> int | None:
    """Parameters in the folder's safetensors, from their headers."""
    total = 0
    for shard in folder.glob("*.safetensors"):
        with open(shard, "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        total += sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
    return total or None
