"""What a training is told: `training/config.json`, checked in full before anything is started.

In: the notebook's parameters, the launcher's YAML, the student's files. It starts nothing and needs no torch.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from lib.finetune.rows import Row, order_rows
from lib.run import BadInput, read_json, text_hash, tree_hash

SCHEDULERS = ("cosine", "linear", "constant", "constant_with_warmup")


@dataclass(frozen=True)
class Launcher:
    """What an accelerate configuration starts: `processes` on all machines together, ZeRO `stage`, `precision`."""

    path: str
    processes: int
    machines: int
    precision: str
    stage: int
    offload: bool
    sha256: str

    @classmethod
    def load(cls, path: str | Path) -> "Launcher":
        """Read an accelerate YAML and the DeepSpeed JSON that it names.

        Raises:
            BadInput: No such file, or a configuration that would save no whole weights.
        """
        path = Path(path)
        if not path.is_file():
            near = ", ".join(sorted(str(p) for p in Path("parameters/launchers").glob("*.yaml")))
            raise BadInput(f"launcher {path}: no such file; there are {near or 'none in parameters/launchers'}")
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        zero_path = Path((config.get("deepspeed_config") or {}).get("deepspeed_config_file", ""))
        if not zero_path.is_file():
            raise BadInput(
                f"launcher {path}: expected deepspeed_config_file to name a DeepSpeed JSON; found {str(zero_path)!r}"
            )
        zero = read_json(zero_path)["zero_optimization"]
        if zero["stage"] == 3 and not zero.get("stage3_gather_16bit_weights_on_model_save"):
            raise BadInput(
                f"{zero_path}: ZeRO-3 without stage3_gather_16bit_weights_on_model_save saves empty tensors; set it to true"
            )
        return cls(
            path=str(path), processes=int(config["num_processes"]), machines=int(config.get("num_machines", 1)),
            precision="bf16" if config.get("mixed_precision") == "bf16" else "fp32", stage=zero["stage"],
            offload=any(zero.get(f"offload_{what}", {}).get("device", "none") != "none" for what in ("optimizer", "param")),
            sha256=text_hash(tree_hash(path) + tree_hash(zero_path)),
        )  # fmt: skip


def check_choices(backend: str, tuning: str, scheduler: str) -> None:
    """Refuse what this notebook cannot do yet, before anything is spent.

    Raises:
        BadInput: A choice that is not supported; names those that are.
    """
    for name, value, known in (
        ("backend", backend, ("local",)),
        ("tuning", tuning, ("full",)),
        ("scheduler", scheduler, SCHEDULERS),
    ):
        if value not in known:
            raise BadInput(f"{name}: expected {' or '.join(known)}; found {value!r}")


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters, as the notebook's parameters of the same names."""

    learning_rate: float
    epochs: float
    batch_size: int
    grad_accumulation: int
    warmup_ratio: float
    weight_decay: float
    scheduler: str
    gradient_checkpointing: bool
    save_steps: int
    seed: int

    def __post_init__(self):
        positive = ("learning_rate", "epochs", "batch_size", "grad_accumulation", "save_steps")
        if bad := [name for name in positive if getattr(self, name) <= 0]:
            raise BadInput("; ".join(f"{name}: expected more than 0; found {getattr(self, name)}" for name in bad))
        if not 0 <= self.warmup_ratio < 1:
            raise BadInput(f"warmup_ratio: expected a share in [0, 1); found {self.warmup_ratio}")


def build_config(
    settings: Settings, launcher: Launcher, source: Path, rows: Sequence[Row], valid: Sequence[Row]
) -> dict:
    """The whole of `config.json`: settings, order of the rows, steps, and a fingerprint of all that decides the weights."""
    lengths = [len(row) for row in rows]
    per_pass = settings.batch_size * launcher.processes
    order = order_rows(lengths, settings.epochs, per_pass, random.Random(f"{settings.seed}/order"))
    per_step = per_pass * settings.grad_accumulation
    steps = math.ceil(len(order) / per_step)
    tokens, total = [], 0
    for start in range(0, len(order), per_step):
        total += sum(lengths[i] for i in order[start : start + per_step])
        tokens.append(total)
    decides = {
        **asdict(settings), "launcher": launcher.sha256, "student": tree_hash(source),
        "rows": text_hash("".join(row.row_id + str(row.completion_ids) for row in rows)),
        "valid": text_hash("".join(row.row_id for row in valid)), "code": tree_hash(Path(__file__).with_name("train.py")),
    }  # fmt: skip
    return {
        **asdict(settings), "source": str(source), "rows": len(rows), "steps": steps, "logging_steps": max(1, steps // 200),
        "fingerprint": text_hash(repr(sorted(decides.items()))), "order": order, "tokens_by_step": tokens,
    }  # fmt: skip
