"""Checks the saved model against its source and against what the trainer computed, in a process of its own.

`model/`, `training/probe.npz`, `training/prompts.jsonl` → `training/verify.json`, one entry a check. After a ZeRO-3 run
a model cannot be loaded in the trainer's own process, and a check that shares its memory would prove little.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from lib.run import launch, read_json, read_jsonl, write_json

BF16_TOLERANCE, FP32_TOLERANCE = 0.05, 1e-4


@dataclass(frozen=True)
class Check:
    """One claim about the saved model: what was compared, what was found, whether it holds."""

    check: str
    found: str
    holds: bool


def verify_model(run_dir: Path):
    """Check `run_dir/model` in a separate process.

    Returns:
        A DataFrame, one row a check: `check`, `found`, `holds`.

    Raises:
        RuntimeError: A check failed, or the model could not be loaded; says which.
    """
    import pandas as pd

    log = run_dir / "training" / "verify.txt"
    log.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "HF_HUB_OFFLINE": "1"}
    process = launch([sys.executable, "-m", "lib.finetune.verify", str(run_dir)], log_path=log, env=environment)
    try:
        status = process.wait()
    finally:
        process.stop()
    if status:
        raise RuntimeError(
            f"{run_dir / 'model'} could not be checked:\n" + "\n".join(log.read_text().splitlines()[-5:])
        )
    table = pd.DataFrame(read_json(run_dir / "training" / "verify.json"))
    if failed := [f"{row.check}: {row.found}" for row in table.itertuples() if not row.holds]:
        raise RuntimeError(f"{run_dir / 'model'} is not what was trained: " + "; ".join(failed))
    return table


def checks(run_dir: Path) -> Iterator[Check]:
    """Every check, one after the other."""
    config, folder = read_json(run_dir / "training" / "config.json"), run_dir / "model"
    source = Path(config["source"])
    yield from compare_weights(source, folder, read_json(run_dir / "training" / "metrics.json")["precision"])
    yield from compare_logits(folder, run_dir / "training" / "probe.npz")
    yield from compare_tokenizer(source, folder, read_jsonl(run_dir / "training" / "prompts.jsonl"))


def compare_weights(source: Path, saved: Path, precision: str) -> Iterator[Check]:
    """Names, shapes, dtypes, bytes; and that every parameter moved."""
    import torch

    before, after = _tensors(source), _tensors(saved)
    tied = {"lm_head.weight"} if read_json(source / "config.json").get("tie_word_embeddings") else set()
    missing, more = set(before) - set(after) - tied, set(after) - set(before) - tied
    yield Check("tensor names equal the source's", _named(f"{len(after)} tensors", missing | more), not missing | more)
    both = sorted(set(before) & set(after))
    other, still, dtypes, n_bytes, n_parameters, finite = [], [], set(), 0, 0, True
    for name in both:
        x, y = before[name](), after[name]()
        if x.shape != y.shape:
            other.append(name)
            continue
        dtypes.add((str(x.dtype), str(y.dtype)))
        n_bytes, n_parameters = n_bytes + y.nbytes, n_parameters + y.numel()
        finite &= bool(torch.isfinite(y).all())
        if torch.equal(x.to(y.dtype), y):
            still.append(name)
    yield Check("shapes equal the source's", _named(f"{n_parameters:,} parameters", other), not other)
    expected = {"bf16": "torch.bfloat16", "fp32": "torch.float32"}[precision]
    shown = ", ".join(f"{a} → {b}".replace("torch.", "") for a, b in sorted(dtypes))
    yield Check(f"stored as trained, in {precision}", shown, all(b == expected for _, b in dtypes))
    size = sum(path.stat().st_size for path in saved.glob("*.safetensors"))
    yield Check("the files hold all bytes", f"{size:,} bytes on disk for {n_bytes:,} of tensors", size >= n_bytes)
    yield Check("every number is finite", "no nan, no inf" if finite else "nan or inf", finite)
    # A norm's weight lies near 1, where bf16 steps by 0.8 %: a low learning rate may round back to where it began.
    stuck = still if precision == "fp32" else [name for name in still if "norm" not in name]
    yield Check(
        "every parameter moved",
        _named(f"{len(both) - len(still)} of {len(both)} tensors differ from the source", stuck),
        not stuck,
    )


def _tensors(folder: Path) -> dict:
    """Name → a function that reads that tensor, over all shards."""
    from safetensors import safe_open

    found = {}
    for shard in sorted(folder.glob("*.safetensors")):
        file = safe_open(shard, framework="pt")
        found |= {name: (lambda file=file, name=name: file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 (no mapping)
    return found


def _named(text: str, names) -> str:
    return text + (f"; not so: {', '.join(sorted(names)[:5])}" + (" …" if len(names) > 5 else "") if names else "")


def compare_logits(saved: Path, probe: Path) -> Iterator[Check]:
    """The reloaded model's logits against those that the trainer wrote down before it saved."""
    import numpy as np
    import torch
    from transformers import AutoModelForCausalLM

    model, loading = AutoModelForCausalLM.from_pretrained(saved, dtype="auto", output_loading_info=True)
    lost = [*loading["missing_keys"], *loading["unexpected_keys"], *loading["mismatched_keys"]]
    yield Check(
        "transformers loads it whole", _named("no missing or unexpected key", [str(key) for key in lost]), not lost
    )
    worst, scale = 0.0, 0.0
    with np.load(probe) as file, torch.no_grad():
        n = len(file.files) // 2
        for i in range(n):
            trained = torch.from_numpy(file[f"logits{i}"])
            ids = torch.from_numpy(file[f"ids{i}"].astype("int64"))[None]
            reloaded = model(input_ids=ids).logits[0, -len(trained) :].float()
            worst = max(worst, (trained - reloaded).abs().max().item())
            scale = max(scale, trained.abs().max().item())
    share = FP32_TOLERANCE if model.dtype == torch.float32 else BF16_TOLERANCE
    allowed = share * max(scale, 1.0)
    found = f"largest difference {worst:.1e}, allowed {allowed:.1e} ({share:g} of the largest logit), {n} rows"
    yield Check("logits equal those in the trainer", found, worst <= allowed)


def compare_tokenizer(source: Path, saved: Path, prompts: list[dict]) -> Iterator[Check]:
    """Generation config and chat template are there, and the saved tokenizer renders prompts to the ids trained on."""
    from transformers import AutoTokenizer

    tokenizer, original = AutoTokenizer.from_pretrained(saved), AutoTokenizer.from_pretrained(source)
    yield Check("generation config present", "generation_config.json", (saved / "generation_config.json").is_file())
    found = (
        "none, as in the source"
        if not original.chat_template
        else f"{len(original.chat_template)} characters, the source's"
    )
    yield Check("chat template present", found, tokenizer.chat_template == original.chat_template)
    same = 0
    for row in prompts:
        if "messages" in row:
            ids = tokenizer.apply_chat_template(row["messages"], add_generation_prompt=True, return_dict=False)
        else:
            ids = tokenizer(row["prompt"])["input_ids"]
        same += ids == row["prompt_ids"]
    yield Check("prompt ids equal training's", f"{same} of {len(prompts)} prompts", same == len(prompts))


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    write_json(directory / "training" / "verify.json", [asdict(check) for check in checks(directory)])
