"""The training script: `accelerate launch --config_file LAUNCHER -m lib.finetune.train runs/<run>/training`.

`training/config.json`, `training/rows.npz` → `training/log.jsonl`, `checkpoints/`, `probe.npz`, `model/` or `adapter/`, and last of
all `metrics.json`, which says that it finished. Every process of the launcher runs it. It renders and tokenises nothing,
chooses nothing by chance, and goes on from the last whole checkpoint if there is one.
"""

import ctypes
import json
import math
import os
import resource
import signal
import sys
import traceback
from pathlib import Path

from lib.finetune import batches, weights
from lib.finetune.checkpoints import Log, callback, check_kept, gather, last_checkpoint, meet, rows_seen
from lib.finetune.rows import load_labels, load_rows


def main(folder: Path) -> None:
    """Train as `folder/config.json` says; see the module's text for what it reads and writes."""
    import torch
    import transformers
    from trl import SFTTrainer

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    os.environ.setdefault("WANDB_DIR", str(folder))  # else it writes into the working folder
    on_gpu = torch.cuda.is_available()
    bf16 = on_gpu and os.environ.get("ACCELERATE_MIXED_PRECISION", "no") == "bf16"
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # else every new tensor is filled first, for debugging
    weights.score_learnt_positions()
    # Before the model: it is this object that has transformers load parameters straight into their ZeRO-3 partitions.
    arguments = build_arguments(config, folder, on_gpu=on_gpu, bf16=bf16)
    tokenizer = transformers.AutoTokenizer.from_pretrained(config["source"])
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    attention, reason = weights.choose_attention(config["attention"], bf16)
    model, adapter = weights.load_model(config, bf16=bf16, attention=attention)
    rows, order = batches.load_dataset(folder / "rows.npz", config["order"])
    collator = batches.Collator(tokenizer.pad_token_id, packing=config["packing"], flash=attention.startswith("flash"))
    checkpoint = last_checkpoint(folder / "checkpoints")
    log = Log(folder / "log.jsonl", config["tokens_by_step"], checkpoint)
    stopping = [transformers.EarlyStoppingCallback(config["early_stop"])] if config["early_stop"] else []
    trainer = SFTTrainer(
        model=model, args=arguments, train_dataset=order, processing_class=tokenizer, data_collator=collator, peft_config=adapter,
        callbacks=[callback(collator, log, lambda: begin(trainer, collator, folder, config)), *stopping],
        eval_dataset=batches.valid_dataset(folder / "valid.npz", config["packing"]),
    )  # fmt: skip
    check_kept(len(config["order"]), len(trainer.train_dataset))
    first = trainer.is_world_process_zero()
    if first:
        print(f"attention: {attention} ({reason}); loss: TRL's fused head, in chunks, over the positions in the loss", flush=True)
    if checkpoint:
        resume(trainer, collator, checkpoint, config)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    peaks = peak_memory(on_gpu)
    valid_loss = trainer.evaluate()["eval_loss"] if trainer.eval_dataset is not None else None

    close_tracker(config["tracker"])
    seen, stopped = gather(collator.seen), trainer.state.global_step < config["steps"]
    if config["epochs"] >= 1 and not stopped:
        check_kept(rows, len(seen))
    weights.record_probe(trainer, folder)
    weights.save(trainer, config, folder.parent)
    if first:
        metrics = {
            "fingerprint": config["fingerprint"], "rows": rows, "rows_trained": len(seen), "steps": trainer.state.global_step,
            "stopped_early": stopped, "kept_step": trainer.state.best_global_step if config["keep"] == "best" else trainer.state.global_step,
            "processes": trainer.args.world_size, "precision": "bf16" if bf16 else "fp32", "zero_stage": _zero_stage(trainer),
            "attention": attention, "trained_parameters": trained_parameters(trainer.model),
            "tokens": config["tokens_by_step"][trainer.state.global_step - 1], "loss_first": log.mean_loss(first=True),
            "loss_last": log.mean_loss(first=False), "valid_loss": valid_loss, "train_seconds": round(log.seconds(), 1), **peaks,
        }  # fmt: skip
        from lib.run.files import write_json

        write_json(folder / "metrics.json", metrics)
    meet()


def build_arguments(config: dict, folder: Path, *, on_gpu: bool, bf16: bool):
    """TRL's arguments; what is not named here is TRL's or DeepSpeed's default."""
    from trl import SFTConfig

    plain = os.environ.get("ACCELERATE_USE_DEEPSPEED", "false") != "true"
    alone = plain and os.environ.get("WORLD_SIZE", "1") == "1"
    more = {"eval_strategy": "steps", "eval_steps": config["eval_steps"]} if config["eval_steps"] else {}
    if config["keep"] == "best":
        more |= {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss", "greater_is_better": False}
    if config["early_stop"]:  # else a training that goes on after a kill has forgotten how often its loss did not fall
        more |= {"restore_callback_states_from_checkpoint": True}
    return SFTConfig(
        output_dir=str(folder / "checkpoints"), seed=config["seed"], bf16=bf16, ddp_backend=None if on_gpu or alone else "gloo",
        # With DeepSpeed accelerate finds the CPU itself, and `use_cpu` would make it plain DDP.
        use_cpu=plain and not on_gpu,
        per_device_train_batch_size=config["batch_size"], per_device_eval_batch_size=config["eval_batch_size"],
        gradient_accumulation_steps=config["grad_accumulation"], activation_checkpointing=config["gradient_checkpointing"],
        learning_rate=config["learning_rate"], lr_scheduler_type=config["scheduler"], weight_decay=config["weight_decay"],
        # Epochs are laid out in the order of the rows, so that to the trainer it is one pass from first to last.
        num_train_epochs=1, warmup_steps=math.ceil(config["warmup_ratio"] * config["steps"]), train_sampling_strategy="sequential",
        max_length=None, remove_unused_columns=False, save_strategy="steps", save_steps=config["save_steps"], save_total_limit=2,
        logging_steps=config["logging_steps"], logging_first_step=True, disable_tqdm=True, dataloader_num_workers=0,
        report_to=config["tracker"], run_name=config["run"] or None, **more,
    )  # fmt: skip


def begin(trainer, collator, folder: Path, config: dict) -> None:
    """Before the first step: see that packed rows do not see each other, in the model as it is trained."""
    if config.get("universal"):
        mend_optimizer(trainer.model_wrapped.optimizer.optimizer, config["weight_decay"])
    if not config["packing"]:
        return
    pairs = zip(load_rows(folder / "rows.npz"), load_labels(folder / "rows.npz"), strict=True)
    examples = [{"input_ids": ids.tolist(), "labels": part.tolist()} for (ids, _), part in pairs]
    examples = sorted(examples, key=lambda example: len(example["input_ids"]))[:3]  # as little memory as a look needs
    share = batches.check_packing(trainer.model_wrapped, collator, examples, trainer.args.device)
    if trainer.is_world_process_zero():
        print(f"packing: a packed row's logits differ from its own by {share:.1e} of the largest", flush=True)


def resume(trainer, collator, checkpoint: Path, config: dict) -> None:
    """Take up where a checkpoint ended, written by another number of processes perhaps."""
    collator.seen = rows_seen(checkpoint, trainer.args.process_index)
    if config.get("universal"):
        trainer.accelerator.state.deepspeed_plugin.deepspeed_config["checkpoint"] = {"load_universal": True}
    if trainer.is_world_process_zero():
        print(f"resuming after step {checkpoint.name.split('-')[1]} from {checkpoint.name}", flush=True)


def mend_optimizer(optimizer, weight_decay: float) -> None:
    """Undo what DeepSpeed does to Adam when it loads a universal checkpoint under ZeRO-3.

    It gives all groups one tensor for their count of steps, so that each of them counts for all, and the first group's weight decay,
    which norms and biases must not have.
    """
    for state in optimizer.state.values():
        if hasattr(state.get("step"), "clone"):
            state["step"] = state["step"].clone()
    for group, decay in zip(optimizer.param_groups, (weight_decay, 0.0)):
        group["weight_decay"] = decay


def close_tracker(name: str) -> None:
    """Have a tracker write what it still holds: this process ends without an interpreter's goodbyes."""
    tracker = sys.modules.get(name)
    if name == "wandb" and tracker and tracker.run:
        tracker.finish()
    # Trackio's callback ends its run with the training and opens it again for the losses on held-out rows after it.
    if name == "trackio" and tracker and tracker.context_vars.current_run.get():
        tracker.finish()


def peak_memory(on_gpu: bool) -> dict[str, float | None]:
    """Most memory that this process has had so far, in GiB: its own, and of its GPU."""
    import torch

    return {
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "peak_gpu_memory_gb": round(torch.cuda.max_memory_allocated() / 2**30, 2) if on_gpu else None,
    }


def trained_parameters(model) -> int:
    """Numbers that are trained, those that ZeRO-3 keeps in other processes included."""
    return sum(getattr(p, "ds_numel", p.numel()) for p in model.parameters() if p.requires_grad)


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
