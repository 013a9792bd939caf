"""What a training is told: `training/config.json`, checked in full before anything is started.

In: the notebook's parameters, the launcher's YAML, the student's files. It starts nothing and needs no torch.
"""

import importlib.util
import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lib.finetune.adapter import check_base
from lib.finetune.launcher import Launcher
from lib.finetune.order import order_rows, pack_rows
from lib.finetune.rows import Row
from lib.llm.provider import HOSTED
from lib.run import BadInput, text_hash, tree_hash

SCHEDULERS = ("cosine", "linear", "constant", "constant_with_warmup")
TUNINGS = ("full", "lora", "qlora")
# Package that each of these choices needs; `None`: nothing more.
ATTENTIONS = {"auto": None, "sdpa": None, "eager": None, "flash_attention_2": "flash_attn"}
TRACKERS = {"none": None, "trackio": "trackio", "wandb": "wandb"}
# Files of this room that decide what a training does to the weights.
CODE = ("train.py", "batches.py", "checkpoints.py", "weights.py", "order.py")


def check_choices(backend: str, tuning: str, scheduler: str) -> None:
    """Refuse what this notebook cannot do, before anything is spent.

    Raises:
        BadInput: A choice that is not supported; names those that are.
    """
    for name, value, known in (
        ("backend", backend, ("local", *HOSTED)),
        ("tuning", tuning, TUNINGS),
        ("scheduler", scheduler, SCHEDULERS),
    ):
        _choose(name, value, known)


def _choose(name: str, value: str, known) -> None:
    if value not in known:
        raise BadInput(f"{name}: expected {' or '.join(known)}; found {value!r}")


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters, as the notebook's parameters of the same names and with their defaults."""

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
    tuning: str = "full"
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.0
    adapter: str = ""
    packing: bool = False
    attention: str = "auto"
    eval_steps: int = 0
    keep: str = "last"
    early_stop: int = 0
    tracker: str = "none"

    def __post_init__(self):
        positive = ("learning_rate", "epochs", "batch_size", "grad_accumulation", "save_steps", "lora_rank", "lora_alpha")
        if bad := [name for name in positive if getattr(self, name) <= 0]:
            raise BadInput("; ".join(f"{name}: expected more than 0; found {getattr(self, name)}" for name in bad))
        for name in ("warmup_ratio", "lora_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise BadInput(f"{name}: expected a share in [0, 1); found {getattr(self, name)}")
        for name in ("eval_steps", "early_stop"):
            if getattr(self, name) < 0:
                raise BadInput(f"{name}: expected 0 or more; found {getattr(self, name)}")
        for name, known in (("tuning", TUNINGS), ("scheduler", SCHEDULERS), ("keep", ("last", "best"))):
            _choose(name, getattr(self, name), known)
        for name, known in (("attention", ATTENTIONS), ("tracker", TRACKERS)):
            _choose(name, getattr(self, name), known)
            package = known[getattr(self, name)]
            if package and not importlib.util.find_spec(package):
                raise BadInput(f"{name}: {getattr(self, name)} needs the package {package}, which is not installed: pip install {package}")
        self._check_best()
        if self.adapter and self.tuning == "full":
            raise BadInput("adapter: an adapter is trained further with tuning lora or qlora; found full")
        if self.adapter and not (Path(self.adapter) / "adapter_config.json").is_file():
            raise BadInput(f"adapter {self.adapter}: expected a folder with adapter_config.json, such as runs/<run>/adapter; there is none")

    def rows_trained(self, n_rows: int) -> int:
        """Rows of all epochs together.

        Raises:
            BadInput: So small a part of an epoch that it is none.
        """
        if not (trained := round(self.epochs * n_rows)):
            raise BadInput(f"epochs: {self.epochs:g} of {n_rows} rows is not one row; raise it")
        return trained

    def _check_best(self) -> None:
        if self.keep == "best" and not self.eval_steps:
            raise BadInput("keep: best needs losses on held-out rows to choose by; set eval_steps to more than 0")
        if self.keep == "best" and self.save_steps != self.eval_steps:
            raise BadInput(
                f"save_steps: with keep = best expected eval_steps ({self.eval_steps}), so that the step of the lowest loss has its "
                f"checkpoint; found {self.save_steps}"
            )
        if self.early_stop and self.keep != "best":
            raise BadInput("early_stop: it stops when the best checkpoint is behind, which needs keep = best; found keep = last")


def check_launcher(settings: Settings, launcher: Launcher) -> None:
    """See that the launcher can do this tuning.

    Raises:
        BadInput: 4-bit weights under DeepSpeed, which cannot save them; or all weights in bf16 without it, which loses small steps.
    """
    if settings.tuning == "full" and launcher.precision == "bf16" and not launcher.stage:
        raise BadInput(
            f"launcher {launcher.path}: full tuning in bf16 needs fp32 master weights, which DeepSpeed keeps and this launcher does not: "
            "steps smaller than bf16 can hold would be lost; take parameters/launchers/gpu1.yaml, or set tuning to lora or qlora"
        )
    if settings.tuning == "qlora" and launcher.stage:
        raise BadInput(
            f"launcher {launcher.path}: 4-bit weights do not go with DeepSpeed ZeRO-{launcher.stage} (its checkpoints cannot hold them); "
            "for qlora take a launcher without DeepSpeed, parameters/launchers/gpu1_plain.yaml or cpu1_plain.yaml"
        )
    if settings.tuning == "qlora" and not importlib.util.find_spec("bitsandbytes"):
        raise BadInput("tuning: qlora needs the package bitsandbytes, which is not installed: pip install bitsandbytes")


def build_config(
    settings: Settings, launcher: Launcher, source: Path, rows: Sequence[Row], valid: Sequence[Row],
    *, length: int = 0, student_model: str = "", run: str = "",
) -> dict:  # fmt: skip
    """The whole of `config.json`: settings, order of the rows, steps, and fingerprints of all that decides the weights.

    Args:
        settings: Hyper-parameters.
        launcher: Processes.
        source: The student's folder.
        rows: To train on.
        valid: To watch; may be empty.
        length: Tokens a sequence may have when rows are packed; 0 for the longest row.
        student_model: How the student is named where its adapter or card says what it belongs to.
        run: The run's name, for a tracker.

    Raises:
        BadInput: Settings that the launcher or the rows do not allow.
    """
    check_launcher(settings, launcher)
    check_base(settings.adapter, source)
    if settings.eval_steps and not valid:
        raise BadInput("eval_steps: there are no held-out rows to look at; set it to 0, or raise p_valid in 1_gen")
    settings.rows_trained(len(rows))
    lengths = [len(row) for row in rows]
    per_pass = settings.batch_size * launcher.processes
    chance = random.Random(f"{settings.seed}/order")
    if settings.packing:
        order = pack_rows(lengths, settings.epochs, length or max(lengths), chance)
    else:
        order = order_rows(lengths, settings.epochs, per_pass, chance)
    per_step = per_pass * settings.grad_accumulation
    if settings.keep == "best" and settings.eval_steps > math.ceil(len(order) / per_step):
        raise BadInput(f"eval_steps: keep = best never looks in {math.ceil(len(order) / per_step)} steps; found {settings.eval_steps}")
    decides = {
        **asdict(settings), "adapter": tree_hash(settings.adapter) if settings.adapter else "", "student": tree_hash(source),
        "rows": text_hash("".join(row.row_id + str(row.completion_ids) for row in rows)), "valid": text_hash("".join(row.row_id for row in valid)),
        "code": text_hash("".join(tree_hash(Path(__file__).with_name(name)) for name in CODE)), "length": length if settings.packing else 0,
    }  # fmt: skip
    # The same training on another number of processes: as many rows a step, and the same ZeRO stage and precision.
    elsewhere = decides | {"batch_size": 0, "grad_accumulation": 0, "per_step": per_step, "stage": launcher.stage, "precision": launcher.precision}
    return {
        **asdict(settings), "source": str(source), "student_model": student_model or str(source), "run": run, "rows": len(rows),
        "eval_batch_size": settings.batch_size,
        "steps": math.ceil(len(order) / per_step), "logging_steps": max(1, math.ceil(len(order) / per_step) // 200),
        "fingerprint": _digest(decides | {"launcher": launcher.sha256}), "fingerprint_elsewhere": _digest(elsewhere),
        "processes": launcher.processes, "launcher": launcher.path, "order": order, "tokens_by_step": _tokens_by_step(order, lengths, per_step),
    }  # fmt: skip


def _digest(facts: dict) -> str:
    return text_hash(repr(sorted(facts.items())))


def _tokens_by_step(order: list, lengths: Sequence[int], per_step: int) -> list[int]:
    tokens, total = [], 0
    for start in range(0, len(order), per_step):
        for item in order[start : start + per_step]:
            total += sum(lengths[i] for i in item) if isinstance(item, list) else lengths[item]
        tokens.append(total)
    return tokens
