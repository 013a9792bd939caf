"""A saved adapter: checked against its base, loaded upon it, merged into it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from lib.finetune.check import Check, named, open_tensors
from lib.finetune.weights import KEPT, four_bits
from lib.run import BadInput, file_hash, read_json


def base_hashes(source: Path) -> dict[str, str]:
    """SHA-256 of each file of a model's weights."""
    return {file.name: file_hash(file) for file in sorted(source.glob("*.safetensors"))}


def check_base(adapter: str, source: Path) -> None:
    """See that an adapter that is to be trained further was made for this student.

    Raises:
        BadInput: It belongs to other weights.
    """
    record = Path(adapter) / "base.json"
    if not adapter or not record.is_file():  # an adapter from elsewhere says nothing about the weights
        return
    base = read_json(record)
    if base["weights_sha256"] != base_hashes(source):
        raise BadInput(
            f"adapter {adapter}: it was trained upon {base['student_model']} with other weights than {source} has; "
            "set student_model to the model that it belongs to"
        )


def compare_adapter(config: dict, folder: Path, n_trained: int) -> Iterator[Check]:
    """Names, shapes, bytes; that every map moved; and that the adapter says which model it belongs to."""
    import torch

    about = read_json(folder / "adapter_config.json")
    named_base = about.get("base_model_name_or_path")
    yield Check("adapter names its base", f"{named_base}", named_base == config["student_model"])
    same = read_json(folder / "base.json")["weights_sha256"] == base_hashes(Path(config["source"]))
    yield Check("adapter's base has the source's weights", "by their hashes", same)
    tensors = {name: read() for name, read in open_tensors(folder).items()}
    firsts = {name for name in tensors if ".lora_A." in name}
    alone = {name for name in firsts if name.replace(".lora_A.", ".lora_B.") not in tensors}
    yield Check("every map has both its halves", named(f"{len(firsts)} maps", alone), bool(firsts) and not alone)
    ranks = {name for name in firsts if tensors[name].shape[0] != about["r"]}
    yield Check("every map has its rank", named(f"rank {about['r']}", ranks), not ranks)
    n = sum(tensor.numel() for tensor in tensors.values())
    yield Check("all trained parameters are saved", f"{n:,} of {n_trained:,} parameters", n == n_trained)
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    n_bytes = sum(tensor.nbytes for tensor in tensors.values())
    yield Check("the files hold all bytes", f"{size:,} bytes on disk for {n_bytes:,} of tensors", size >= n_bytes)
    finite = all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())
    yield Check("every number is finite", "no nan, no inf" if finite else "nan or inf", finite)
    # The second half begins at 0: what is still 0 was never trained.
    still = {name for name, tensor in tensors.items() if ".lora_B." in name and not tensor.any()}
    yield Check("every map moved", named(f"{len(firsts) - len(still)} of {len(firsts)} maps", still), not still)


def load_adapted(config: dict, folder: Path, precision: str, *, whole: bool = False):
    """The source with the adapter on it, as it was trained; `whole`: the source in its full precision even so."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    dtype, more = torch.bfloat16 if precision == "bf16" else torch.float32, {}
    if config["tuning"] == "qlora" and not whole:
        more["quantization_config"] = four_bits(dtype)
    base = AutoModelForCausalLM.from_pretrained(config["source"], dtype=dtype, **more)
    return PeftModel.from_pretrained(base, folder).eval()


def merge(config: dict, run_dir: Path, precision: str) -> Path:
    """Add the adapter to the source's weights and write `model/`."""
    target = run_dir / "model"
    merged = load_adapted(config, run_dir / "adapter", precision, whole=True).merge_and_unload()
    merged.save_pretrained(target)
    for name in KEPT:
        if (Path(config["source"]) / name).is_file():
            shutil.copyfile(Path(config["source"]) / name, target / name)
    return target


def compare_merged(config: dict, run_dir: Path, precision: str, probe: Path) -> Iterator[Check]:
    """The merged model's tensors against the source's, its logits against those of source and adapter apart."""
    import numpy as np
    import torch
    from transformers import AutoModelForCausalLM

    tied = {"lm_head.weight"} if read_json(Path(config["source"]) / "config.json").get("tie_word_embeddings") else set()
    other = (set(open_tensors(Path(config["source"]))) ^ set(open_tensors(run_dir / "model"))) - tied
    yield Check("merged: tensor names equal the source's", named("same names", other), not other)
    apart = load_adapted(config, run_dir / "adapter", precision, whole=True)
    merged = AutoModelForCausalLM.from_pretrained(run_dir / "model", dtype="auto")
    worst, scale = 0.0, 1.0
    with np.load(probe) as file, torch.no_grad():
        for name in (name for name in file.files if name.startswith("ids")):
            ids = torch.from_numpy(file[name].astype("int64"))[None]
            x, y = apart(input_ids=ids).logits.float(), merged(input_ids=ids).logits.float()
            worst, scale = max(worst, (x - y).abs().max().item()), max(scale, x.abs().max().item())
    allowed = (1e-4 if precision == "fp32" else 0.05) * scale
    yield Check("merged: logits equal source and adapter apart", f"largest difference {worst:.1e}, allowed {allowed:.1e}", worst <= allowed)
