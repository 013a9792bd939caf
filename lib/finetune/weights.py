"""The student's weights in a training: loaded whole, in 4 bits or under an adapter; probed and saved at its end."""

import importlib.util
import json
import shutil
from pathlib import Path

from lib.finetune.checkpoints import meet

# Kept as the source has them, to the byte: what a server renders and samples with must not depend on who wrote the files.
KEPT = (
    "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt", "chat_template.jinja", "generation_config.json",
)  # fmt: skip


def choose_attention(wanted: str, bf16: bool) -> tuple[str, str]:
    """The attention implementation, and why it is this one, for the log."""
    if wanted != "auto":
        return wanted, "as asked for"
    if importlib.util.find_spec("flash_attn") is None:
        return "sdpa", "flash attention is not installed"
    return ("flash_attention_2", "flash attention is installed") if bf16 else ("sdpa", "flash attention needs bf16 on a GPU")


def load_model(config: dict, *, bf16: bool, attention: str):
    """The model to train, and the PEFT configuration of an adapter that is still to be made, or None."""
    import torch
    from transformers import AutoModelForCausalLM

    dtype, more = torch.bfloat16 if bf16 else torch.float32, {}
    if config["tuning"] == "qlora":
        more["quantization_config"] = four_bits(dtype)
    model = AutoModelForCausalLM.from_pretrained(config["source"], dtype=dtype, attn_implementation=attention, **more)
    if config["tuning"] == "full":
        return model, None
    from peft import LoraConfig, PeftModel

    if config["adapter"]:
        return PeftModel.from_pretrained(model, config["adapter"], is_trainable=True, autocast_adapter_dtype=False), None
    adapter = LoraConfig(
        r=config["lora_rank"], lora_alpha=config["lora_alpha"], lora_dropout=config["lora_dropout"],
        target_modules="all-linear", task_type="CAUSAL_LM",
    )  # fmt: skip
    return model, adapter


def four_bits(dtype):
    """How QLoRA stores the weights that stay: NF4, its scales quantised too. Source: arXiv:2305.14314."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )


def score_learnt_positions() -> None:
    """Have TRL run the head over the positions in the loss alone on a CPU too, as it does on a GPU.

    Its fused loss does so wherever Triton runs, and scores every position elsewhere, for the sake of compilers that a CPU does not
    have: with answers of 15 % of the tokens that is most of a small model's step.
    """
    from trl.trainer import utils

    if not callable(utils._use_triton):
        raise RuntimeError("this version of TRL chooses the positions it scores otherwise; install the pinned one")
    utils._use_triton = lambda device: device.type in ("cpu", "cuda", "xpu")


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
            logits.append(engine(input_ids=batch, use_cache=False, logits_to_keep=width).logits[0, -width:])
    if trainer.is_world_process_zero():
        arrays = {f"ids{i}": ids for i, ids in enumerate(rows)} | {
            f"logits{i}": x.float().cpu().numpy() for i, x in enumerate(logits)
        }
        np.savez(folder / "probe.npz", **arrays)


def save(trainer, config: dict, run_dir: Path) -> None:
    """Gather the weights from all processes and write `model/`, or `adapter/`, with the source's tokenizer and generation config."""
    source, full = Path(config["source"]), config["tuning"] == "full"
    target, first = run_dir / ("model" if full else "adapter"), trainer.is_world_process_zero()
    if first:
        for name in ("model", "adapter"):
            shutil.rmtree(run_dir / name, ignore_errors=True)
    meet()
    trainer.model.config.use_cache = True  # the trainer switches it off; a server wants it
    trainer.save_model(str(target))
    if first:
        (target / "training_args.bin").unlink(missing_ok=True)
        for name in KEPT:
            if (source / name).is_file():
                shutil.copyfile(source / name, target / name)
        if not full:
            _name_base(target, config)
    meet()


def _name_base(adapter: Path, config: dict) -> None:
    """Say which model an adapter belongs to: by the name it was given here, and by the hashes of its weights."""
    from lib.run.files import file_hash, write_json

    path = adapter / "adapter_config.json"
    write_json(path, {**json.loads(path.read_text()), "base_model_name_or_path": config["student_model"]})
    shards = {file.name: file_hash(file) for file in sorted(Path(config["source"]).glob("*.safetensors"))}
    write_json(adapter / "base.json", {"student_model": config["student_model"], "weights_sha256": shards})
