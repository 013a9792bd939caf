"""Checks the saved model or adapter against its source and against what the trainer computed, in a process of its own.

`model/` or `adapter/`, `training/probe.npz`, `training/prompts.jsonl` → `training/verify.json`, one entry a check; on request
`adapter/` and the source → a merged `model/`. After a ZeRO-3 run a model cannot be loaded in the trainer's own process, and a check
that shares its memory would prove little.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from lib.finetune import adapter
from lib.finetune.check import Check, named, open_tensors
from lib.run import launch, read_json, read_jsonl, write_json

BF16_TOLERANCE, FP32_TOLERANCE = 0.05, 1e-4


def verify_model(run_dir: Path, *, merge: bool = False):
    """Check `run_dir/model`, or `run_dir/adapter`, in a separate process.

    Args:
        run_dir: The run's folder.
        merge: Whether an adapter is also merged into the source's weights, as `run_dir/model`; else none is left there.

    Returns:
        A DataFrame, one row a check: `check`, `found`, `holds`.

    Raises:
        RuntimeError: A check failed, or the model could not be loaded; says which.
    """
    import pandas as pd

    what = run_dir / ("adapter" if is_adapter(run_dir) else "model")
    if is_adapter(run_dir):
        shutil.rmtree(run_dir / "model", ignore_errors=True)
    log = run_dir / "training" / "verify.txt"
    log.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "HF_HUB_OFFLINE": "1"}
    line = [sys.executable, "-m", "lib.finetune.verify", str(run_dir), *(["merge"] if merge else [])]
    process = launch(line, log_path=log, env=environment)
    try:
        status = process.wait()
    finally:
        process.stop()
    if status:
        raise RuntimeError(f"{what} could not be checked:\n" + "\n".join(log.read_text().splitlines()[-5:]))
    table = pd.DataFrame(read_json(run_dir / "training" / "verify.json"))
    if failed := [f"{row.check}: {row.found}" for row in table.itertuples() if not row.holds]:
        raise RuntimeError(f"{what} is not what was trained: " + "; ".join(failed))
    return table


def is_adapter(run_dir: Path) -> bool:
    """Whether the last training of this run made an adapter."""
    return read_json(run_dir / "training" / "config.json")["tuning"] != "full"


def checks(run_dir: Path, *, merge: bool = False) -> Iterator[Check]:
    """Every check, one after the other."""
    config, metrics = (read_json(run_dir / "training" / f"{name}.json") for name in ("config", "metrics"))
    source, prompts = Path(config["source"]), read_jsonl(run_dir / "training" / "prompts.jsonl")
    probe = run_dir / "training" / "probe.npz"
    if config["tuning"] == "full":
        yield from compare_weights(source, run_dir / "model", metrics["precision"])
        yield from compare_logits(run_dir / "model", probe)
        yield from compare_tokenizer(source, run_dir / "model", prompts)
        return
    yield from adapter.compare_adapter(config, run_dir / "adapter", metrics["trained_parameters"])
    model = adapter.load_adapted(config, run_dir / "adapter", metrics["precision"])
    # QLoRA trains its adapter in bf16, whatever the weights below are computed in; it is loaded in full precision.
    yield compare_with_probe(model, probe, BF16_TOLERANCE if config["tuning"] == "qlora" else None)
    yield from compare_tokenizer(source, run_dir / "adapter", prompts)
    if merge:
        adapter.merge(config, run_dir, metrics["precision"])
        yield from adapter.compare_merged(config, run_dir, metrics["precision"], probe)


def compare_weights(source: Path, saved: Path, precision: str) -> Iterator[Check]:
    """Names, shapes, dtypes, bytes; and that every parameter moved."""
    import torch

    before, after = open_tensors(source), open_tensors(saved)
    tied = {"lm_head.weight"} if read_json(source / "config.json").get("tie_word_embeddings") else set()
    missing, more = set(before) - set(after) - tied, set(after) - set(before) - tied
    yield Check("tensor names equal the source's", named(f"{len(after)} tensors", missing | more), not missing | more)
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
    yield Check("shapes equal the source's", named(f"{n_parameters:,} parameters", other), not other)
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
        named(f"{len(both) - len(still)} of {len(both)} tensors differ from the source", stuck),
        not stuck,
    )


def compare_logits(saved: Path, probe: Path) -> Iterator[Check]:
    """The reloaded model's logits against those that the trainer wrote down before it saved."""
    from transformers import AutoModelForCausalLM

    model, loading = AutoModelForCausalLM.from_pretrained(saved, dtype="auto", output_loading_info=True)
    lost = [*loading["missing_keys"], *loading["unexpected_keys"], *loading["mismatched_keys"]]
    yield Check(
        "transformers loads it whole", named("no missing or unexpected key", [str(key) for key in lost]), not lost
    )
    yield compare_with_probe(model, probe)


def compare_with_probe(model, probe: Path, share: float | None = None) -> Check:
    """A loaded model's logits against those in `probe`; `share`: of the largest logit that they may differ by, if not by its dtype's."""
    import numpy as np
    import torch

    worst, scale, device = 0.0, 0.0, next(model.parameters()).device
    with np.load(probe) as file, torch.no_grad():
        n = len(file.files) // 2
        for i in range(n):
            trained = torch.from_numpy(file[f"logits{i}"])
            ids = torch.from_numpy(file[f"ids{i}"].astype("int64"))[None].to(device)
            reloaded = model(input_ids=ids, logits_to_keep=len(trained)).logits[0, -len(trained) :].float().cpu()
            worst = max(worst, (trained - reloaded).abs().max().item())
            scale = max(scale, trained.abs().max().item())
    share = share or (FP32_TOLERANCE if model.dtype == torch.float32 else BF16_TOLERANCE)
    allowed = share * max(scale, 1.0)
    found = f"largest difference {worst:.1e}, allowed {allowed:.1e} ({share:g} of the largest logit), {n} rows"
    return Check("logits equal those in the trainer", found, worst <= allowed)


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
    found = [asdict(check) for check in checks(directory, merge="merge" in sys.argv[2:])]
    write_json(directory / "training" / "verify.json", found)
