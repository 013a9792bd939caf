"""The training script: `accelerate launch --config_file LAUNCHER -m lib.finetune.train runs/<run>/training`.

`training/config.json`, `training/rows.npz` → `training/log.jsonl`, `checkpoints/`, `probe.npz`, `model/`, and last of all
`metrics.json`, which says that it finished. Every process of the launcher runs it. It renders and tokenises nothing,
chooses nothing by chance, and goes on from the last whole checkpoint if there is one.
"""

import ctypes
import json
import math
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

WHOLE = "whole"
# Kept as the source has them, to the byte: what a server renders and samples with must not depend on who wrote the files.
KEPT = (
    "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt", "chat_template.jinja", "generation_config.json",
)  # fmt: skip


def main(folder: Path) -> None:
    """Train as `folder/config.json` says; see the module's text for what it reads and writes."""
    import torch
    import transformers
    from torch.distributed import barrier
    from trl import SFTConfig, SFTTrainer

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    on_gpu = torch.cuda.is_available()
    bf16 = on_gpu and os.environ.get("ACCELERATE_MIXED_PRECISION", "no") == "bf16"
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Before the model: it is this object that has transformers load parameters straight into their ZeRO-3 partitions.
    arguments = SFTConfig(
        output_dir=str(folder / "checkpoints"), seed=config["seed"], bf16=bf16, use_cpu=False, ddp_backend=None if on_gpu else "gloo",
        per_device_train_batch_size=config["batch_size"], per_device_eval_batch_size=config["batch_size"],
        gradient_accumulation_steps=config["grad_accumulation"], activation_checkpointing=config["gradient_checkpointing"],
        learning_rate=config["learning_rate"], lr_scheduler_type=config["scheduler"], weight_decay=config["weight_decay"],
        # Epochs are laid out in the order of the rows, so that to the trainer it is one pass from first to last.
        num_train_epochs=1, warmup_steps=math.ceil(config["warmup_ratio"] * config["steps"]), train_sampling_strategy="sequential",
        max_length=None, remove_unused_columns=False, save_strategy="steps", save_steps=config["save_steps"], save_total_limit=2,
        logging_steps=config["logging_steps"], logging_first_step=True, disable_tqdm=True, report_to="none", dataloader_num_workers=0,
    )  # fmt: skip
    tokenizer = transformers.AutoTokenizer.from_pretrained(config["source"])
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = transformers.AutoModelForCausalLM.from_pretrained(
        config["source"], dtype=torch.bfloat16 if bf16 else torch.float32
    )
    rows, order = load_dataset(folder / "rows.npz", config["order"])
    collator = Collator(tokenizer.pad_token_id)
    checkpoint = last_checkpoint(folder / "checkpoints")
    log = Log(folder / "log.jsonl", config["tokens_by_step"], checkpoint)
    trainer = SFTTrainer(
        model=model, args=arguments, train_dataset=order, processing_class=tokenizer, data_collator=collator,
        callbacks=[_callbacks(collator, log)], eval_dataset=valid_dataset(folder / "valid.npz"),
    )  # fmt: skip
    if len(trainer.train_dataset) != len(config["order"]):
        raise RuntimeError(
            f"rows lost: {len(config['order'])} went into the trainer, {len(trainer.train_dataset)} are left to train on"
        )

    first = trainer.is_world_process_zero()
    if checkpoint:
        collator.seen = set(json.loads((checkpoint / f"rows-{trainer.args.process_index}.json").read_text()))
        if first:
            print(f"resuming after step {log.step} from {checkpoint.name}", flush=True)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    valid_loss = trainer.evaluate()["eval_loss"] if trainer.eval_dataset is not None else None

    seen = _gather(collator.seen)
    if config["epochs"] >= 1 and len(seen) != rows:
        raise RuntimeError(f"rows lost: {rows} went in, {len(seen)} were trained on")
    record_probe(trainer, folder)
    save(trainer, Path(config["source"]), folder.parent / "model")
    if first:
        metrics = {
            "fingerprint": config["fingerprint"], "rows": rows, "rows_trained": len(seen), "steps": trainer.state.global_step,
            "processes": trainer.args.world_size, "precision": "bf16" if bf16 else "fp32", "zero_stage": _zero_stage(trainer),
            "tokens": config["tokens_by_step"][-1], "loss_first": log.mean_loss(first=True),
            "loss_last": log.mean_loss(first=False), "valid_loss": valid_loss, "train_seconds": round(log.seconds(), 1),
            "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
            "peak_gpu_memory_gb": round(torch.cuda.max_memory_allocated() / 2**30, 2) if on_gpu else None,
        }  # fmt: skip
        from lib.run.files import write_json

        write_json(folder / "metrics.json", metrics)
    barrier()


def load_dataset(path: Path, order: list[int]):
    """The number of rows and the dataset in training order: `input_ids`, `labels` (-100 in the prompt), `row`."""
    from datasets import Dataset

    from lib.finetune.rows import load_rows

    rows = load_rows(path)
    columns = {
        "input_ids": [ids for ids, _ in rows],
        "labels": [[-100] * n + ids[n:].tolist() for ids, n in rows],
        "row": list(range(len(rows))),
    }
    return len(rows), Dataset.from_dict(columns).select(order)


def valid_dataset(path: Path):
    """The held-out rows, in their own order, or None; `row` is -1, which the count of trained rows leaves out."""
    from lib.finetune.rows import load_rows

    if not path.is_file():
        return None
    rows, dataset = load_dataset(path, list(range(len(load_rows(path)))))
    return dataset.remove_columns("row").add_column("row", [-1] * rows)


class Collator:
    """Pads a batch on the right to its longest row and notes which rows it has seen."""

    def __init__(self, pad_id: int):
        from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

        self.pad = DataCollatorForLanguageModeling(pad_token_id=pad_id)
        self.seen: set[int] = set()

    def __call__(self, examples: list[dict]) -> dict:
        self.seen.update(example["row"] for example in examples if example["row"] >= 0)
        return self.pad(examples)


class Log:
    """`log.jsonl`: one line each logged step; on resuming, lines after the checkpoint's step are taken back."""

    def __init__(self, path: Path, tokens_by_step: list[int], checkpoint: Path | None):
        self.path, self.tokens = path, tokens_by_step
        self.step = json.loads((checkpoint / "trainer_state.json").read_text())["global_step"] if checkpoint else 0
        kept = [json.loads(line) for line in path.read_text().splitlines()] if checkpoint and path.is_file() else []
        self.lines = [line for line in kept if line["step"] <= self.step and "loss" in line]
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


def _callbacks(collator: Collator, log: Log):
    """What is done when the trainer logs and saves."""
    from torch.distributed import barrier
    from transformers import TrainerCallback

    class Callback(TrainerCallback):
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
            barrier()
            if state.is_world_process_zero:
                (folder / WHOLE).touch()

    return Callback()


def last_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint that was written to its end."""
    whole = [path.parent for path in folder.glob(f"checkpoint-*/{WHOLE}")]
    return max(whole, key=lambda path: int(path.name.split("-")[1]), default=None)


def record_probe(trainer, folder: Path) -> None:
    """Write `probe.npz`: logits of the trained model on the first rows, `(n_rows, positions, vocabulary)`, before it is saved."""
    import numpy as np
    import torch

    from lib.finetune.rows import load_rows

    rows, width = [ids for ids, _ in load_rows(folder / "rows.npz")[:3]], 8
    engine, logits = trainer.model_wrapped, []
    engine.eval()
    with torch.no_grad():  # every process takes part: ZeRO-3 gathers each layer's parameters from all of them
        for ids in rows:
            batch = torch.tensor(ids[None].astype("int64"), device=trainer.args.device)
            logits.append(engine(input_ids=batch, use_cache=False).logits[0, -width:])
    if trainer.is_world_process_zero():
        arrays = {f"ids{i}": ids for i, ids in enumerate(rows)} | {
            f"logits{i}": x.float().cpu().numpy() for i, x in enumerate(logits)
        }
        np.savez(folder / "probe.npz", **arrays)


def save(trainer, source: Path, target: Path) -> None:
    """Gather the weights from all processes and write them with the source's tokenizer and generation config."""
    from torch.distributed import barrier

    first = trainer.is_world_process_zero()
    if first:
        shutil.rmtree(target, ignore_errors=True)
    barrier()
    trainer.model.config.use_cache = True  # the trainer switches it off; a server wants it
    trainer.save_model(str(target))
    if first:
        (target / "training_args.bin").unlink(missing_ok=True)
        for name in KEPT:
            if (source / name).is_file():
                shutil.copyfile(source / name, target / name)
    barrier()


def _gather(seen: set[int]) -> set[int]:
    from torch.distributed import all_gather_object, get_world_size

    parts = [None] * get_world_size()
    all_gather_object(parts, seen)
    return set().union(*parts)


def _zero_stage(trainer) -> int:
    return trainer.accelerator.deepspeed_config["zero_optimization"]["stage"] if trainer.is_deepspeed_enabled else 0


def die_with_parent() -> None:
    """Linux: end this process when the launcher that started it dies, however it dies (PR_SET_PDEATHSIG = 1).

    The launcher gives each process a session of its own, so that a signal to its group does not reach them.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    die_with_parent()
    try:
        main(Path(sys.argv[1]))
        status = 0
    except BaseException:
        traceback.print_exc()
        status = 1
    # Interpreter shutdown after DeepSpeed aborts about one run in eight; all is on disk by now.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
