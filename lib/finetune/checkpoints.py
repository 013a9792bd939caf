"""What a training writes while it runs: its log, whole checkpoints, and which rows it has seen."""

import json
import math
import time
from pathlib import Path

WHOLE = "whole"


class Log:
    """`log.jsonl`: one line each logged step; on resuming, lines after the checkpoint's step are taken back."""

    def __init__(self, path: Path, tokens_by_step: list[int], checkpoint: Path | None):
        self.path, self.tokens = path, tokens_by_step
        self.step = json.loads((checkpoint / "trainer_state.json").read_text())["global_step"] if checkpoint else 0
        kept = [json.loads(line) for line in path.read_text().splitlines()] if checkpoint and path.is_file() else []
        # The losses on held-out rows at the very end come again.
        last = len(tokens_by_step)
        self.lines = [line for line in kept if line["step"] <= self.step and ("loss" in line or line["step"] < last)]
        self._before = self.lines[-1]["seconds"] if self.lines else 0.0
        self._start = time.monotonic()

    def mean_loss(self, *, first: bool) -> float:
        """Mean training loss over the first or the last tenth of the logged steps; single batches differ by their rows."""
        losses = [line["loss"] for line in self.lines if "loss" in line]
        n = max(1, len(losses) // 10)
        return sum(losses[:n] if first else losses[-n:]) / n

    def seconds(self) -> float:
        """Seconds of training, those before a kill included."""
        return self._before + time.monotonic() - self._start

    def add(self, step: int, facts: dict) -> None:
        """Write one line."""
        from lib.run.files import write_jsonl

        self.lines.append(
            {"step": step, "seconds": round(self.seconds(), 2), "tokens": self.tokens[step - 1] if step else 0, **facts}
        )
        write_jsonl(self.path, self.lines)  # whole or not at all: a kill may come at any time


def callback(collator, log: Log, begin):
    """What is done when the trainer begins, logs and saves.

    Args:
        collator: Knows the rows seen.
        log: Where losses go.
        begin: Called once, before the first step, when the model is as it is trained.
    """
    from transformers import TrainerCallback

    class Callback(TrainerCallback):
        def on_train_begin(self, args, state, control, **_):
            begin()

        def on_log(self, args, state, control, logs=None, **_):
            names = {"loss": "loss", "eval_loss": "valid_loss", "learning_rate": "learning_rate", "grad_norm": "grad_norm",
                     "mean_token_accuracy": "token_accuracy", "eval_mean_token_accuracy": "valid_token_accuracy"}  # fmt: skip
            facts = {new: float(logs[old]) for old, new in names.items() if old in logs}
            if "loss" in facts and not math.isfinite(facts["loss"]):
                raise FloatingPointError(
                    f"the loss is {facts['loss']} at step {state.global_step}; lower the learning_rate"
                )
            if facts and state.is_world_process_zero:
                log.add(state.global_step, facts)

        def on_save(self, args, state, control, **_):
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            (folder / f"rows-{args.process_index}.json").write_text(json.dumps(sorted(collator.seen)))
            meet()
            if state.is_world_process_zero:
                (folder / WHOLE).touch()

    return Callback()


def last_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint that was written to its end."""
    whole = [path.parent for path in folder.glob(f"checkpoint-*/{WHOLE}")]
    return max(whole, key=lambda path: int(path.name.split("-")[1]), default=None)


def rows_seen(checkpoint: Path, process: int) -> set[int]:
    """The rows that this process had seen; the first one takes over those of processes that are no more."""
    own = checkpoint / f"rows-{process}.json"
    files = checkpoint.glob("rows-*.json") if process == 0 else [own] if own.is_file() else []
    return {row for file in files for row in json.loads(file.read_text())}


def check_kept(given: int, trained: int) -> None:
    """See that no row was dropped on the way.

    Raises:
        RuntimeError: Other than all rows are trained.
    """
    if given != trained:
        raise RuntimeError(f"rows lost: {given} went into the trainer, {trained} are trained on; this is a fault of the trainer, tell its authors")


def meet() -> None:
    """Wait for the other processes, if there are any."""
    from torch import distributed

    if distributed.is_initialized():
        distributed.barrier()


def gather(seen: set[int]) -> set[int]:
    """The rows seen by any process."""
    from torch import distributed

    if not distributed.is_initialized():
        return seen
    parts = [None] * distributed.get_world_size()
    distributed.all_gather_object(parts, seen)
    return set().union(*parts)
