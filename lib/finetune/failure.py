"""Why a training failed, from its log: its own last errors, and what to do."""

import re
from pathlib import Path

from lib.run import machine

NOISE = re.compile(
    r"warn|^\s*(File |\^|~|self\.|return |torchrun|=+$|-+$)|ChildFailedError|elastic|^\s*$|^W\d{4}|^E\d{4}|^\[rank\d+\]:\s*$",
    re.IGNORECASE,
)
ERROR = re.compile(r"(?:\[rank\d+\]:\s*)?((?:[\w.]*(?:Error|Exception|Interrupt)|BadInput)\b:? .*)")
FULL = "the disk is full: free some"
FULL_BYTES = 1 << 20
ADVICE = (
    (r"shape '\[\d+, \d+\]' is invalid for input of size", "bitsandbytes packs 4-bit weights on a CPU only where the widths of the layers are multiples of 64: set tuning to lora, or take another model"),
    (r"out of memory|OutOfMemory|Cannot allocate memory|DefaultCPUAllocator", "not enough memory: lower batch_size and raise grad_accumulation, set gradient_checkpointing, or take a launcher with more GPUs"),
    # The second and third are what torch says when a file of its checkpoint could not be written to its end.
    (r"No space left|Disk quota exceeded|File too large|PytorchStreamWriter failed writing|unexpected pos \d+ vs \d+", FULL),
    (r"Ninja is required|Error building extension|(ninja|g\+\+|c\+\+)\S* .*(not found|No such file)|No such file or directory: '(ninja|g\+\+|c\+\+)", "DeepSpeed builds a small extension once: install g++ and ninja and see that both are on PATH"),
    (r"address already in use|EADDRINUSE", "the port of the processes' meeting point was taken: end what holds it (29500 on the first of several machines), then start the run again"),
    (r"signal 9|SIGKILL|exitcode: -9|exit code -9", "a process was killed from outside, by the kernel for want of memory perhaps: close other programs or lower batch_size, then start the same run again"),
    (r"loss is (nan|inf)", "lower the learning_rate"),
    (r"invalid device ordinal|CUDA-capable device|no CUDA", "the launcher asks for more GPUs than there are: choose another in parameters/launchers"),
)  # fmt: skip


def explain(log_path: Path, status: int, begun: int = 0) -> str:
    """Why a training failed: the last errors in its log from byte `begun` on, else its last plain lines, and what to do."""
    text = log_path.read_bytes()[begun:].decode("utf-8", errors="replace") if log_path.is_file() else ""
    lines = text.splitlines()[-2000:]
    # Each process tells the same error; the launcher's own last, that a child failed, says nothing.
    errors = [line for line in lines if ERROR.match(line.strip()) and "ChildFailedError" not in line]
    shown = list(dict.fromkeys(errors))[-3:] or [line for line in lines if not NOISE.search(line)][-8:]
    tail = "\n".join(line[:400] for line in lines[-400:])
    advice = FULL if machine.free_disk(log_path.parent) < FULL_BYTES else ""  # the log's last words may be missing then
    advice = advice or next((what for pattern, what in ADVICE if re.search(pattern, tail)), "read the whole log, mend the cause")
    return (
        f"the training ended with exit status {status}. Its log's last words:\n"
        + "".join(f"  {line.strip()[:300]}\n" for line in shown)
        + f"What to do: {advice}. Whole log: {log_path}. A new start of the same run goes on from the last checkpoint."
    )
