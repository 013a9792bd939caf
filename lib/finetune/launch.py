"""Starts the training script under `accelerate launch`, follows it, and says what went wrong.

`training/config.json` and `rows.npz` (written here) → `training/log.txt`, and what `train.py` leaves. A training that was
killed goes on from its last checkpoint; one that finished with the same inputs is not repeated.
"""

import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lib.finetune.rows import Row, save_rows
from lib.finetune.settings import Launcher
from lib.finetune.train import last_checkpoint
from lib.run import Progress, launch, read_json, read_jsonl, say, tree_hash, write_json, write_jsonl

POLL_S = 0.5
CACHE = Path(".cache")
N_PROMPTS = 8
NOISE = re.compile(
    r"warn|^\s*(File |\^|~|self\.|return |torchrun|=+$|-+$)|ChildFailedError|elastic|^\s*$|^W\d{4}|^E\d{4}|^\[rank\d+\]:\s*$",
    re.IGNORECASE,
)
ERROR = re.compile(r"(?:\[rank\d+\]:\s*)?((?:[\w.]*(?:Error|Exception|Interrupt)|BadInput)\b:? .*)")
ADVICE = (
    (r"out of memory|OutOfMemory|Cannot allocate memory|DefaultCPUAllocator", "not enough memory: lower batch_size and raise grad_accumulation, set gradient_checkpointing, or take a launcher with more GPUs"),
    (r"No space left", "the disk is full: free some, then start the same run again; it goes on from its last checkpoint"),
    (r"Ninja is required|Error building extension|(ninja|g\+\+|c\+\+)\S* .*(not found|No such file)|No such file or directory: '(ninja|g\+\+|c\+\+)", "DeepSpeed builds a small extension once: install g++ and ninja and see that both are on PATH"),
    (r"address already in use|EADDRINUSE", "the port of the processes' meeting point was taken: start the run again, or set main_process_port in the launcher"),
    (r"signal 9|SIGKILL|exitcode: -9|exit code -9", "a process was killed from outside, by the kernel for want of memory perhaps: close other programs or lower batch_size, then start the same run again"),
    (r"loss is (nan|inf)", "lower the learning_rate"),
    (r"invalid device ordinal|CUDA-capable device|no CUDA", "the launcher asks for more GPUs than there are: choose another in parameters/launchers"),
)  # fmt: skip


def train(run_dir: Path, config: dict, rows: Sequence[Row], valid: Sequence[Row], launcher: Launcher) -> dict:
    """Train, or find that it is done.

    Args:
        run_dir: Folder of the run; `training/` and `model/` are made in it.
        config: What `build_config` returned.
        rows: Rows to train on.
        valid: Rows for the validation loss; may be empty.
        launcher: What to start.

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
    process = launch(command(launcher, folder), log_path=log, env=environment())
    try:
        status = follow(process, folder / "log.jsonl", config["steps"])
    finally:
        process.stop()  # an interrupted cell leaves nothing running
    if status or not (folder / "metrics.json").is_file():
        raise RuntimeError(explain(log, status, begun))
    metrics = {**read_json(folder / "metrics.json"), "model_sha256": weights_hash(run_dir / "model")}
    write_json(folder / "metrics.json", metrics)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return metrics


def finished(run_dir: Path, fingerprint: str) -> dict | None:
    """The metrics of a training that ended with the same inputs and whose model is as it left it."""
    path = run_dir / "training" / "metrics.json"
    metrics = read_json(path) if path.is_file() else {}
    same = metrics.get("fingerprint") == fingerprint and metrics.get("model_sha256") == weights_hash(run_dir / "model")
    return metrics if same else None


def weights_hash(folder: Path) -> str | None:
    """Hash of a model's weights, all shards; None when there are none."""
    shards = sorted(folder.glob("*.safetensors"))
    return tree_hash(shards[0]) if len(shards) == 1 else "+".join(map(tree_hash, shards)) or None


def _prepare(run_dir: Path, folder: Path, config: dict, rows: Sequence[Row], valid: Sequence[Row]) -> None:
    """Lay out `training/`; the checkpoints of a training with other inputs are dropped."""
    path = folder / "config.json"
    if not path.is_file() or read_json(path)["fingerprint"] != config["fingerprint"]:
        shutil.rmtree(folder, ignore_errors=True)
    (folder / "metrics.json").unlink(missing_ok=True)
    save_rows(folder / "rows.npz", rows)
    if valid:
        save_rows(folder / "valid.npz", valid)
    write_jsonl(folder / "prompts.jsonl", [_prompt(row) for row in rows[:N_PROMPTS]])
    write_json(path, config)
    if step := last_checkpoint(folder / "checkpoints"):
        say(f"going on from {step.name}")


def _prompt(row: Row) -> dict:
    asked = {"prompt": row.prompt} if isinstance(row.prompt, str) else {"messages": list(row.prompt)}
    return {"id": row.row_id, **asked, "prompt_ids": list(row.prompt_ids), "completion_ids": list(row.completion_ids)}


def command(launcher: Launcher, folder: Path) -> list[str]:
    """The command that starts every process of one machine."""
    port = ["--main_process_port", str(_free_port())] if launcher.machines == 1 else []
    return [
        sys.executable, "-m", "accelerate.commands.launch", "--config_file", launcher.path, *port,
        "-m", "lib.finetune.train", str(folder),
    ]  # fmt: skip


def environment() -> dict[str, str]:
    """Environment of the trainer: one thread a process on a CPU, the built extension kept, no hub, few warnings."""
    keep = {
        "TORCH_EXTENSIONS_DIR": str((CACHE / "torch_extensions").resolve()), "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore::FutureWarning,ignore::UserWarning,ignore::DeprecationWarning", "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1", "WANDB_DISABLED": "true", "PYTHONUNBUFFERED": "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",  # ninja lies beside python
    }  # fmt: skip
    secret = re.compile(r"(_API_KEY|_TOKEN)$")
    return {name: value for name, value in os.environ.items() if not secret.search(name)} | keep


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def follow(process, log: Path, steps: int) -> int:
    """Tell the steps and losses of a running training, a line each tenth; returns its exit status."""
    counter, told, started = None, 0, time.monotonic()
    say("starting the launcher (imports, and a build of 20 s the first time)")
    while True:
        status = process.poll()
        lines = _lines(log)
        at = lines[-1]["step"] if lines else 0
        losses = [line["loss"] for line in lines if "loss" in line]
        if losses and counter is None:
            say(f"first step after {time.monotonic() - started:.0f} s, loss {losses[0]:.3f}")
            counter = Progress(steps, "steps")
        if counter and at > told:
            counter.advance(at - told, f"loss {losses[-1]:.3f}")
            told = at
        if status is not None:
            return status
        time.sleep(POLL_S)


def _lines(path: Path) -> list[dict]:
    try:
        return read_jsonl(path)
    except (OSError, ValueError):  # not there yet, or half a line
        return []


def explain(log_path: Path, status: int, begun: int = 0) -> str:
    """Why a training failed: the last errors in its log from byte `begun` on, else its last plain lines, and what to do."""
    text = log_path.read_bytes()[begun:].decode("utf-8", errors="replace") if log_path.is_file() else ""
    lines = text.splitlines()[-2000:]
    # Each process tells the same error; the launcher's own last, that a child failed, says nothing.
    errors = [line for line in lines if ERROR.match(line.strip()) and "ChildFailedError" not in line]
    shown = list(dict.fromkeys(errors))[-3:] or [line for line in lines if not NOISE.search(line)][-8:]
    tail = "\n".join(line[:400] for line in lines[-400:])
    advice = next((what for pattern, what in ADVICE if re.search(pattern, tail)), "read the whole log, mend the cause")
    return (
        f"the training ended with exit status {status}. Its log's last words:\n"
        + "".join(f"  {line.strip()[:300]}\n" for line in shown)
        + f"What to do: {advice}. Whole log: {log_path}. A new start of the same run goes on from the last checkpoint."
    )
