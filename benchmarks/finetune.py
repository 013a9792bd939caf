"""Throughput, MFU and peak memory of a training, with packing, flash attention and the fused loss on and off.

    python benchmarks/finetune.py                                                            # a tiny shape on the CPU
    python benchmarks/finetune.py --sample runs/smoke                                        # packing against padding on a run's rows
    python benchmarks/finetune.py --shape 1b                                                 # on a GPU, nothing offloaded
    python benchmarks/finetune.py --shape 8b --batch-size 2                                  # on a GPU, offloaded: 217 GB of memory, 40 GB of disk

The student has random weights of the shape asked for, rows are random tokens of uneven lengths (log-normal, answers 15 % of them);
it goes through the very code of 2_finetune: its launcher, trainer, saving (but no checkpoints). Every variant is trained in turn by one
start of this script, on the same rows. It prints one line a variant: tokens/s a process (padding not counted, the first steps left out),
the ratio to the first variant, MFU against the GPU's dense bf16 peak, peak memory of the training steps. Without packing a batch has as many rows
as a packed sequence holds on average. MFU counts what these rows need, forward and back: 6 FLOP a parameter of the layers, and of the head
where a position is scored; 12 x layers x width a position of the row that a token belongs to. Nothing for what is computed twice.
With --sample: tokens/s and validation loss, packed and padded, as many tokens a step, over several seeds.
Without a GPU a second is one of the process's own CPU time, so that other programs on the machine do not count.

Reference: 5,762 tokens/s a GPU at 33-39 % MFU for Llama-3.1-8B in bf16 on 8 x H100 with sequences of 8,192 tokens (36 % by
6 x parameters + 12 x layers x width x 8,192). Where no GPU is found the page says that the GPU figures are missing; none has been measured yet.
"""

import argparse
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from lib.finetune import launch  # noqa: E402
from lib.finetune.launcher import Launcher  # noqa: E402
from lib.finetune.rows import Row, encode_rows  # noqa: E402
from lib.finetune.settings import Settings, build_config  # noqa: E402
from lib.finetune.shape import SHAPES, shape_of  # noqa: E402
from lib.run import machine, read_jsonl  # noqa: E402

TINY = {"vocab_size": 4096, "hidden_size": 128, "intermediate_size": 320, "num_hidden_layers": 4, "num_attention_heads": 4,
        "num_key_value_heads": 4, "max_position_embeddings": 4096, "tie_word_embeddings": True}  # fmt: skip
MODELS = {"tiny": (TINY, 512), "1b": (SHAPES["llama-3.2-1b"], 8192), "8b": (SHAPES["llama-3.1-8b"], 8192)}
LAUNCHERS = {"tiny": "gpu1", "1b": "gpu1", "8b": "gpu1_offload"}
# Dense bf16 FLOP/s, from the makers' data sheets; of the H100 on SXM.
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}
VARIANTS = {
    "all on": {}, "packing off": {"packing": False}, "flash attention off": {"attention": "sdpa"}, "fused loss off": {"fused": False},
}  # fmt: skip
WARM = 3
REFERENCE = "reference: 5,762 tokens/s a GPU, 33-39 % MFU, Llama-3.1-8B in bf16 on 8 x H100, sequences of 8,192 tokens"
MISSING = (
    "GPU figures are missing: there is no GPU here. Tokens/s, MFU and peak memory of the 1b and 8b shapes, and flash attention, are not "
    "measured; what follows is a tiny shape on the CPU, which shows that the code runs and nothing about a GPU"
)


def make_student(folder: Path, about: dict, bf16: bool) -> Path:
    """A student with random weights and the sample student's tokenizer."""
    if (folder / "config.json").is_file():
        return folder
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16 if bf16 else torch.float32)
    LlamaForCausalLM(LlamaConfig(**about)).save_pretrained(folder)
    torch.set_default_dtype(torch.float32)
    AutoTokenizer.from_pretrained(ROOT / "data/student").save_pretrained(folder)
    return folder


def make_rows(n_tokens: int, longest: int, rng: random.Random) -> list[Row]:
    """Random rows of `n_tokens` in all, their lengths log-normal with a median of a quarter of the longest."""
    rows, total = [], 0
    while total < n_tokens:
        length = max(16, min(longest, round(rng.lognormvariate(math.log(longest / 4), 0.6))))
        ids = tuple(rng.randrange(16, 4000) for _ in range(length))
        answer = max(4, length * 15 // 100)
        rows.append(Row(f"{len(rows):x}", "", ids[:-answer], (*ids[1 - answer :], 2)))
        total += length
    return rows


def run_variant(scratch: Path, student: Path, rows, valid, launcher: Launcher, length: int, *, fused: bool = True, **change) -> dict:
    """One training from start to end; its metrics, and tokens/s a process after the first steps."""
    basics = {"learning_rate": 1e-4, "epochs": 1.0, "batch_size": 1, "grad_accumulation": 1, "warmup_ratio": 0.0, "weight_decay": 0.0,
              "scheduler": "constant", "gradient_checkpointing": False, "save_steps": 10**6, "seed": 0}  # fmt: skip
    config = build_config(Settings(**basics | change), launcher, student, rows, valid, length=length)
    config["eval_batch_size"] = 1  # a mean over rows is the same however many rows a training batch has
    shutil.rmtree(scratch, ignore_errors=True)
    os.environ["RAFT_FULL_LOGITS"] = "" if fused else "1"
    metrics = launch.train(scratch, config, rows, valid, launcher)
    lines = [line for line in read_jsonl(scratch / "training/log.jsonl") if "loss" in line]
    first, last = lines[min(WARM, len(lines) - 2)], lines[-1]
    rate = (last["tokens"] - first["tokens"]) / (last["seconds"] - first["seconds"]) / metrics["processes"]
    shutil.rmtree(scratch / "model", ignore_errors=True)
    return metrics | {"tokens_per_s": rate}


def work() -> None:
    """What the launcher starts here in place of `lib.finetune.train`: the same without checkpoints, and without the fused loss if so asked."""
    from transformers.trainer_utils import SaveStrategy

    from lib.finetune import checkpoints, train

    if not gpu_name():
        checkpoints.time = SimpleNamespace(monotonic=time.process_time)
    build = train.build_arguments

    def without_checkpoints(*given, **more):
        arguments = build(*given, **more)
        arguments.save_strategy = SaveStrategy.NO  # one of 8B parameters has 112 GB
        return arguments

    train.build_arguments = without_checkpoints
    if os.environ.get("RAFT_FULL_LOGITS"):
        import transformers
        import trl

        trl.SFTTrainer.compute_loss = transformers.Trainer.compute_loss  # the model's own loss, over full logits
    train.die_with_parent()
    train.main(Path(sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)


def compare_variants(arguments, scratch: Path) -> None:
    """The variants one after the other, a line each."""
    about, longest = MODELS[arguments.shape]
    launcher, longest = Launcher.load(arguments.launcher), arguments.length or longest
    student = make_student(scratch / "student", about, launcher.precision == "bf16")
    shape, gpu = shape_of(about), gpu_name()
    rows = make_rows(arguments.steps * longest * arguments.batch_size * launcher.processes, longest, random.Random(0))
    n_tokens = sum(map(len, rows))
    print(f"{shape.parameters:,} parameters, {len(rows)} rows, {n_tokens:,} tokens, longest {max(map(len, rows))}, {launcher.path}, {gpu or 'no GPU'}")
    print(REFERENCE if gpu else f"{MISSING}\n{REFERENCE}", flush=True)
    per_sequence, base, peak = max(1, round(longest * len(rows) / n_tokens)), None, next((PEAKS[name] for name in PEAKS if name in gpu), None)
    for name, change in VARIANTS.items():
        if base and change.get("attention") and not base["attention"].startswith("flash"):
            print(f"{name:<20} as above: flash attention is not used {'(flash-attn is not installed)' if gpu else 'on a CPU'}", flush=True)
            continue
        how = {"packing": True, "gradient_checkpointing": arguments.shape != "tiny", "batch_size": arguments.batch_size} | change
        how["batch_size"] *= 1 if how["packing"] else per_sequence
        found = run_variant(scratch / "run", student, rows, [], launcher, longest, **how)
        base = base or found
        flop = flop_per_token(shape, about["vocab_size"], rows, fused=how.get("fused", True))
        mfu = f"{found['tokens_per_s'] * flop / peak:.1%}" if peak else "not known for this GPU" if gpu else "missing"
        memory = f"{found['peak_gpu_memory_gb']:.2f} GB of GPU" if gpu else f"{found['peak_memory_gb']:.2f} GB of RAM, GPU's missing"
        ratio = found["tokens_per_s"] / base["tokens_per_s"]
        print(f"{name:<20} {found['tokens_per_s']:>9,.0f} tokens/s a process  {ratio:>5.2f} x  MFU {mfu}  peak {memory}  {found['attention']}", flush=True)


def flop_per_token(shape, vocabulary: int, rows: list[Row], *, fused: bool) -> float:
    """Floating-point operations that a token of these rows needs, forward and back; see the text above for what is counted."""
    n_tokens = sum(map(len, rows))
    scored = sum(len(row.completion_ids) for row in rows) / n_tokens if fused else 1.0
    context = sum(len(row) ** 2 for row in rows) / n_tokens
    return 6 * (shape.parameters - shape.embeddings + vocabulary * shape.hidden * scored) + 12 * shape.layers * shape.hidden * context


def compare_packing(arguments, scratch: Path) -> None:
    """Packing against padding on the rows of a run: tokens/s, and the loss on its held-out rows."""
    from lib.finetune.student import load_student

    base, launcher = load_student(str(ROOT / "data/student")), Launcher.load(arguments.launcher)
    train, valid = (
        encode_rows(read_jsonl(Path(arguments.sample) / f"dataset/{name}.jsonl"), base.tokenizer, base.stops) for name in ("train", "valid")
    )
    mean = statistics.mean(map(len, train))
    length = max(*map(len, train), round(4 * mean))  # as many tokens a step as four padded rows
    result = {"padding": [], "packing": []}
    for seed in range(arguments.seeds):
        for name, how in (("padding", {"batch_size": 4}), ("packing", {"batch_size": 1, "packing": True})):
            found = run_variant(scratch / "run", base.folder, train, valid, launcher, length, learning_rate=1e-3, seed=seed, **how)
            result[name].append(found)
            print(json.dumps({"seed": seed, "how": name, **{key: found[key] for key in ("steps", "tokens_per_s", "valid_loss", "peak_memory_gb")}}), flush=True)
    rates = {name: statistics.median(found["tokens_per_s"] for found in runs) for name, runs in result.items()}
    losses = {name: [found["valid_loss"] for found in runs] for name, runs in result.items()}
    print(f"packing / padding: {rates['packing'] / rates['padding']:.2f} x tokens/s; validation loss {losses}")


def gpu_name() -> str:
    """Name of the first GPU, empty without one; asked from outside, so that this process takes none of its memory."""
    if not machine.gpu_memory():
        return ""
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=MODELS, default="tiny")
    parser.add_argument("--launcher", default="", help="empty: gpu1, for 8b gpu1_offload; without a GPU cpu")
    parser.add_argument("--length", type=int, default=0, help="tokens of the longest row; 0 for the shape's")
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--sample", default="", help="a run's folder: compare packing and padding on its rows")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--scratch", default="runs/benchmark-finetune", help="removed at the end")
    arguments = parser.parse_args()
    arguments.launcher = arguments.launcher or f"parameters/launchers/{LAUNCHERS[arguments.shape] if gpu_name() else 'cpu'}.yaml"
    os.chdir(ROOT)
    scratch = Path(arguments.scratch)
    start_command = launch.command
    # The same launcher line, but for the script that it starts.
    launch.command = lambda *given, **more: [*start_command(*given, **more)[:-3], "benchmarks/finetune.py", "--worker", str(given[1])]
    try:
        (compare_packing if arguments.sample else compare_variants)(arguments, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work()
    else:
        main()
