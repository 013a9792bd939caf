"""The model card, `README.md` in `model/` or `adapter/`: what the student was made from, how, and how it ended."""

from pathlib import Path

from lib.run import write_text


def write_card(
    model: Path, *, run: str, student_model: str, config: dict, metrics: dict, launcher: str, dataset_format: str
) -> Path:
    """Write the card.

    Args:
        model: Folder of the model, or of the adapter.
        run: The run's name.
        student_model: What was tuned.
        config: `training/config.json`.
        metrics: `training/metrics.json`.
        launcher: Path of the launcher's configuration.
        dataset_format: `chat` or `completion`.
    """
    valid = "no held-out rows" if metrics["valid_loss"] is None else f"{metrics['valid_loss']:.3f} on held-out rows"
    library, how = "transformers", "tuned in full"
    if config["tuning"] != "full":
        how = f"tuned with {'QLoRA (over its weights in 4 bits; over the whole ones it answers with other probabilities)' if config['tuning'] == 'qlora' else 'LoRA'}, rank {config['lora_rank']}"
        if is_adapter := (model / "adapter_config.json").is_file():
            library = "peft"
        how += ": this is the adapter, to be loaded upon it" if is_adapter else ": the adapter is merged into these weights"
    # A folder's path means nothing to whoever reads the card on a hub.
    base = f"base_model: {student_model}\n" if student_model.count("/") == 1 and not Path(student_model).exists() else ""
    text = f"""---
library_name: {library}
pipeline_tag: text-generation
{base}tags: [raft, sft]
---
# {run}: a student tuned on its documents

`{student_model}`, {how}. Supervised fine-tuning on RAFT rows ({dataset_format} format): it is shown documents and a
question and learns to quote, to answer, and to refuse when the documents do not hold the answer. The loss is on the answer
alone, its stop token included.

| | |
|---|---|
| rows | {metrics["rows_trained"]} of {metrics["rows"]} |
| steps, tokens | {metrics["steps"]}, {metrics["tokens"]:,}{", rows packed" if config["packing"] else ""} |
| trained parameters | {metrics["trained_parameters"]:,} |
| learning rate, schedule | {config["learning_rate"]:g}, {config["scheduler"]}, {config["warmup_ratio"]:.0%} warm-up |
| epochs | {config["epochs"]:g} |
| rows a step | {config["batch_size"]} x {metrics["processes"]} processes x {config["grad_accumulation"]} |
| precision | {metrics["precision"]}, {f'DeepSpeed ZeRO stage {metrics["zero_stage"]}' if metrics["zero_stage"] else "no DeepSpeed"} (`{launcher}`) |
| loss | {metrics["loss_first"]:.3f} over the first tenth of the steps, {metrics["loss_last"]:.3f} over the last, {valid} |
| weights kept | of step {metrics["kept_step"]}{" (lowest loss on held-out rows)" if config["keep"] == "best" else ""}{", stopped early" if metrics["stopped_early"] else ""} |
| seed | {config["seed"]} |

Ask it as it was taught: `<DOCUMENT>…</DOCUMENT>` for each passage, then the question, in the user's turn. How well it answers
is in the run's `report.html`; this card claims nothing about that. Limits: it knows these documents, and repeats their errors.
"""
    return write_text(model / "README.md", text)
