"""Starts the training script under `accelerate launch`, follows it, and says what went wrong.

`training/config.json` and `rows.npz` (written here) → `training/log.txt`, and what `train.py` leaves. A training that was
killed goes on from its last checkpoint; one that finished with the same inputs is not repeated.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lib.finetune.checkpoints import last_checkpoint
from lib.finetune.failure import explain
from lib.finetune.launcher import Launcher
from lib.finetune.rows import Row, save_rows
from lib.finetune.start import call_machines, command, environment, join_commands
from lib.run import Progress, launch, read_json, read_jsonl, say, tree_hash, write_json, write_jsonl

POLL_S = 0.5
N_PROMPTS = 8
def train(
    run_dir: Path, config: dict, rows: Sequence[Row], valid: Sequence[Row], launcher: Launcher, hosts: Sequence[str] = ()
) -> dict:
    """Train, or find that it is done.

    Args:
        run_dir: Folder of the run; `training/`, and `model/` or `adapter/`, are made in it.
        config: What `build_config` returned.
        rows: Rows to train on.
        valid: Rows for the validation loss; may be empty.
        launcher: What to start.
        hosts: The machines of a launcher of several, this one first.

    Returns:
        `training/metrics.json`.

    Raises:
        RuntimeError: The training failed; the last lines that mean something, and what to do.
    """
    folder = run_dir / "training"
    done = finished(run_dir, config["fingerprint"])
    if done is not None:
        say(f"already trained with these inputs: {done['steps']} steps, {folder / 'metrics.json'}")
        return done
    _prepare(run_dir, folder, config, rows, valid)
    log = folder / "log.txt"
    begun = log.stat().st_size if log.is_file() else 0  # an earlier try's last words explain nothing
    main, called = (hosts[0] if hosts else ""), None
    for host, line in join_commands(run_dir, hosts).items():
        say(f"on {host}, in this folder on the shared disk: {line}")
    process = launch(command(launcher, folder, main=main), log_path=log, env=environment(config["tracker"], launcher))
    try:
        called = call_machines(folder, launcher, main, config["tracker"]) if hosts else None
        status = follow(process, folder / "log.jsonl", config["steps"], called)
    finally:
        process.stop()  # an interrupted cell leaves nothing running
        if called:
            called.unlink(missing_ok=True)
    if status or not (folder / "metrics.json").is_file():
        raise RuntimeError(explain(log, status, begun))
    metrics = {**read_json(folder / "metrics.json"), "model_sha256": weights_hash(saved(run_dir))}
    write_json(folder / "metrics.json", metrics)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return metrics


def finished(run_dir: Path, fingerprint: str) -> dict | None:
    """The metrics of a training that ended with the same inputs and whose model is as it left it."""
    path = run_dir / "training" / "metrics.json"
    metrics = read_json(path) if path.is_file() else {}
    same = metrics.get("fingerprint") == fingerprint and metrics.get("model_sha256") == weights_hash(saved(run_dir))
    return metrics if same else None


def saved(run_dir: Path) -> Path:
    """What a training left: `adapter/` if there is one (`model/` beside it is what was merged), else `model/`."""
    return run_dir / "adapter" if (run_dir / "adapter").is_dir() else run_dir / "model"


def saved_all(run_dir: Path) -> list[Path]:
    """Every folder that a training and its check left: `model/`, or `adapter/`, or the latter and the model merged from it."""
    return [run_dir / name for name in ("adapter", "model") if (run_dir / name).is_dir()]


def weights_hash(folder: Path) -> str | None:
    """Hash of a model's weights, all shards; None when there are none."""
    shards = sorted(folder.glob("*.safetensors"))
    return tree_hash(shards[0]) if len(shards) == 1 else "+".join(map(tree_hash, shards)) or None


def _prepare(run_dir: Path, folder: Path, config: dict, rows: Sequence[Row], valid: Sequence[Row]) -> None:
    """Lay out `training/`; the checkpoints of a training with other inputs are dropped.

    A training that was begun with another number of processes but is the same otherwise (as many rows a step) goes on in the order
    that it began with; `config` is changed to it.
    """
    path = folder / "config.json"
    before, checkpoint = read_json(path) if path.is_file() else {}, last_checkpoint(folder / "checkpoints")
    movable = config["tuning"] == "full" and not config["packing"]
    same = before.get("fingerprint") == config["fingerprint"]
    if checkpoint and (same or movable and before.get("fingerprint_elsewhere") == config["fingerprint_elsewhere"]):
        config.update(order=before["order"], tokens_by_step=before["tokens_by_step"])
        say(f"going on from {checkpoint.name}")
        if len(list(checkpoint.glob("rows-*.json"))) != config["processes"]:
            config["universal"] = _convert(checkpoint, config["processes"], before["launcher"])
    elif not same:
        shutil.rmtree(folder, ignore_errors=True)
    (folder / "metrics.json").unlink(missing_ok=True)
    save_rows(folder / "rows.npz", rows)
    if valid:
        save_rows(folder / "valid.npz", valid)
    write_jsonl(folder / "prompts.jsonl", [_prompt(row) for row in rows[:N_PROMPTS]])
    write_json(path, config)


def _convert(checkpoint: Path, processes: int, launcher: str) -> bool:
    """Make a checkpoint loadable by another number of processes.

    ZeRO's checkpoints are cut to the number of processes that wrote them; DeepSpeed's universal ones are not.
    """
    if (checkpoint / "latest_universal").is_file():
        return True
    tag = (checkpoint / "latest").read_text().strip()
    line = [
        sys.executable, "-m", "deepspeed.checkpoint.ds_to_universal", "--input_folder", str(checkpoint / tag),
        "--output_folder", str(checkpoint / f"{tag}_universal"), "--num_extract_workers", "1", "--num_merge_workers", "1",
    ]  # fmt: skip
    say(f"{checkpoint.name} was written by another number of processes: converting it for {processes}")
    done = subprocess.run(line, capture_output=True, text=True, env=environment())
    if done.returncode:
        raise RuntimeError(
            f"{checkpoint} could not be converted for {processes} processes ({(done.stderr.strip().splitlines() or ['no message'])[-1]}). "
            f"Start it again with the launcher that it began with, {launcher}"
        )
    return True


def _prompt(row: Row) -> dict:
    asked = {"prompt": row.prompt} if isinstance(row.prompt, str) else {"messages": list(row.prompt)}
    return {"id": row.row_id, **asked, "prompt_ids": list(row.prompt_ids), "completion_ids": list(row.completion_ids)}


def follow(process, log: Path, steps: int, called: Path | None = None) -> int:
    """Tell the steps and losses of a running training, a line each tenth; returns its exit status.

    Args:
        process: The launcher.
        log: `training/log.jsonl`.
        steps: Of the whole training.
        called: What calls the other machines, touched while this one trains.
    """
    counter, told, started, before = None, 0, time.monotonic(), _changed(log)
    say("starting the launcher (imports, and a build of 20 s the first time)")
    while True:
        status = process.poll()
        lines = _lines(log) if _changed(log) != before else []  # a training that goes on finds those of its last try
        at = lines[-1]["step"] if lines else 0
        losses = [line["loss"] for line in lines if "loss" in line]
        if losses and counter is None:
            say(f"step {at} after {time.monotonic() - started:.0f} s, loss {losses[-1]:.3f}")
            counter = Progress(steps, "steps")
        if counter and at > told:
            counter.advance(at - told, f"loss {losses[-1]:.3f}")
            told = at
        if status is not None:
            return status
        if called:
            os.utime(called)
        time.sleep(POLL_S)


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


def _lines(path: Path) -> list[dict]:
    try:
        return read_jsonl(path)
    except (OSError, ValueError):  # not there yet, or half a line
        return []
