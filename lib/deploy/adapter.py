"""LoRA adapters as 2_finetune leaves them (PEFT's layout): what vLLM can serve of them, checked before it starts."""

from pathlib import Path

from lib.run import BadInput, read_json

RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # those vLLM can be told


def read_adapter(folder: str | Path) -> dict:
    """The `adapter_config.json` of an adapter that vLLM can serve.

    Raises:
        BadInput: Files are missing, or it is of a kind that vLLM does not serve.
    """
    folder = Path(folder)
    if not (folder / "adapter_config.json").is_file():
        raise BadInput(f"{folder}: expected an adapter in PEFT's layout; there is no adapter_config.json in it")
    if not any(folder.glob("adapter_model.*")):
        raise BadInput(f"{folder}: there is no adapter_model.safetensors in it; run 2_finetune again")
    config = read_json(folder / "adapter_config.json")
    kind = config.get("peft_type")
    if kind != "LORA" or config.get("use_dora") or config.get("modules_to_save") or config.get("bias", "none") != "none":
        what = [name for name in ("use_dora", "modules_to_save", "bias") if config.get(name) not in (None, False, "none", [])]
        raise BadInput(
            f"{folder}: vLLM serves plain LoRA adapters; this is {kind} with {', '.join(what) or 'nothing else'}: "
            "merge it into the model, or tune again without"
        )
    adapter_rank(config, folder)
    return config


def adapter_rank(config: dict, folder: str | Path = "adapter") -> int:
    """The smallest rank that vLLM can be told and that holds the adapter's.

    Raises:
        BadInput: None is large enough.
    """
    rank = max([config.get("r", 8), *(config.get("rank_pattern") or {}).values()])
    known = next((r for r in RANKS if r >= rank), None)
    if known is None:
        raise BadInput(f"{folder}: rank {rank}; vLLM serves adapters up to rank {RANKS[-1]}: merge it into the model")
    return known


def is_other_base(config: dict, model: str) -> bool:
    """Whether an adapter names another base than `model`, by name and by folder."""
    named = config.get("base_model_name_or_path") or model
    return named != model and Path(named).resolve() != Path(model).resolve()
