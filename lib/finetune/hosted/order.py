"""What a provider is asked to do, its states in words common to all three, and `training/hosted.json`, which survives a restart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lib.run import BadInput, file_hash, read_json, text_hash, write_json

ENDED = ("succeeded", "failed", "cancelled")
SUFFIX_CHARS = {"openai": 40, "azure": 18, "together": 40}
SCHEDULERS = {"openai": None, "azure": None, "together": ("cosine", "linear")}


@dataclass(frozen=True)
class Order:
    """One fine-tuning job as it is wanted.

    Attributes:
        backend: Where.
        model: Base model, by the provider's name.
        suffix: End of the tuned model's name: the run's name and the start of `fingerprint`.
        fingerprint: Hash of everything that decides the result, account included.
        train: File of rows.
        valid: File of held-out rows, or None.
        n_epochs: Passes over the rows.
        batch_size: Rows a step.
        seed: The run's.
        learning_rate: Highest learning rate (Together).
        learning_rate_multiplier: Of the provider's own rate (OpenAI, Azure); 0 for its choice.
        lora: Whether adapters alone are trained (Together).
        scheduler: `cosine` or `linear` (Together).
        warmup_ratio: Share of the steps (Together).
        weight_decay: Pull towards 0 (Together).
        lora_rank: Rank of the adapters (Together); 0 for the provider's choice.
        lora_alpha: Their scale (Together); 0 for the provider's choice.
        lora_dropout: Share of an adapter's inputs that is dropped (Together).
        run: The run's name.
    """

    backend: str
    model: str
    suffix: str
    fingerprint: str
    train: Path
    valid: Path | None
    n_epochs: int
    batch_size: int
    seed: int
    learning_rate: float
    learning_rate_multiplier: float
    lora: bool
    scheduler: str
    warmup_ratio: float
    weight_decay: float
    lora_rank: int
    lora_alpha: int
    lora_dropout: float
    run: str

    def file_name(self, part: str) -> str:
        """Name of an uploaded file; no two orders share one, so that a lost id can be found again."""
        return f"raft-{self.suffix}-{self.fingerprint[:12]}-{part}.jsonl"


@dataclass(frozen=True)
class Status:
    """A job as the provider tells it.

    Attributes:
        state: `waiting`, `running`, or one of `ENDED`.
        word: The provider's own word.
        model: Name of the tuned model, once there is one.
        trained_tokens: What is billed; None until it is known.
        price_usd: What the provider says it costs; None where it says nothing.
        error: Why it failed.
    """

    state: str
    word: str
    model: str | None = None
    trained_tokens: int | None = None
    price_usd: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class Event:
    """One line of a job's log; `metrics` holds `step`, `loss`, `valid_loss`, … where the line carries them."""

    id: str
    message: str
    step: int | None = None
    total_steps: int | None = None
    metrics: Mapping = field(default_factory=dict)


def build_order(p: Mapping, base_url: str, train: Path, valid: Path | None) -> Order:
    """The order that a notebook's parameters ask for.

    Raises:
        BadInput: A choice that this provider does not have.
    """
    check_choices(p)
    chosen = {
        "backend": p["backend"], "model": p["student_model"], "n_epochs": round(p["epochs"]),
        "batch_size": p["batch_size"] * p["grad_accumulation"], "seed": p["seed"],
        "learning_rate": p["learning_rate"], "learning_rate_multiplier": p.get("learning_rate_multiplier", 0.0),
        "lora": p["tuning"] == "lora", "scheduler": p["scheduler"], "warmup_ratio": p["warmup_ratio"],
        "weight_decay": p["weight_decay"], "lora_rank": p.get("lora_rank", 0), "lora_alpha": p.get("lora_alpha", 0),
        "lora_dropout": p.get("lora_dropout", 0.0),
    }  # fmt: skip
    decides = {**chosen, "base_url": base_url, "train": file_hash(train), "valid": file_hash(valid) if valid else ""}
    fingerprint = text_hash(repr(sorted(decides.items())))
    name = "".join(c if c.isalnum() else "-" for c in p["run"]).strip("-").lower()
    suffix = f"{name[: SUFFIX_CHARS[p['backend']] - 7].rstrip('-')}-{fingerprint[:6]}"
    return Order(suffix=suffix, fingerprint=fingerprint, train=train, valid=valid, run=p["run"], **chosen)


def check_choices(p: Mapping) -> None:
    """Refuse what a hosted backend cannot do, before anything is spent.

    Raises:
        BadInput: Names the parameter and what is possible.
    """
    backend, problems = p["backend"], []
    if p["epochs"] != round(p["epochs"]) or p["epochs"] < 1:
        problems.append(f"epochs: backend {backend} takes whole numbers from 1; found {p['epochs']}")
    known = SCHEDULERS[backend]
    if known and p["scheduler"] not in known:
        problems.append(f"scheduler: backend {backend} has {' and '.join(known)}; found {p['scheduler']!r}")
    if p["tuning"] not in ("full", "lora"):
        problems.append(f"tuning: backend {backend} has full and lora; found {p['tuning']!r}")
    if p.get("learning_rate_multiplier", 0.0) < 0:
        problems.append(f"learning_rate_multiplier: expected 0 or more; found {p['learning_rate_multiplier']}")
    if problems:
        raise BadInput("\n".join(problems))


def state_path(run_dir: Path) -> Path:
    """Where the job's state is kept."""
    return Path(run_dir) / "training" / "hosted.json"


def read_state(run_dir: Path) -> dict:
    """What is on record of the run's job; empty before there is one."""
    path = state_path(run_dir)
    return read_json(path) if path.is_file() else {}


def write_state(run_dir: Path, state: Mapping) -> None:
    """Put the state on disk before going on."""
    write_json(state_path(run_dir), dict(state))
