"""The model card, `model/README.md`: what the student was made from, how, and how it ended."""

from pathlib import Path

from lib.run import write_text


def write_card(
    model: Path, *, run: str, student_model: str, config: dict, metrics: dict, launcher: str, dataset_format: str
) -> Path:
    """Write the card.

    Args:
        model: The model's folder.
        run: The run's name.
        student_model: What was tuned.
        config: `training/config.json`.
        metrics: `training/metrics.json`.
        launcher: Path of the launcher's configuration.
        dataset_format: `chat` or `completion`.
    """
    valid = "no held-out rows" if metrics["valid_loss"] is None else f"{metrics['valid_loss']:.3f} on held-out rows"
    text = f"""---
library_name: transformers
pipeline_tag: text-generation
tags: [raft, sft]
---
# {run}: a student tuned on its documents

`{student_model}`, tuned in full by supervised fine-tuning on RAFT rows ({dataset_format} format): it is shown documents and a
question and learns to quote, to answer, and to refuse when the documents do not hold the answer. The loss is on the answer
alone, its stop token included.

| | |
|---|---|
| rows | {metrics["rows_trained"]} of {metrics["rows"]} |
| steps, tokens | {metrics["steps"]}, {metrics["tokens"]:,} |
| learning rate, schedule | {config["learning_rate"]:g}, {config["scheduler"]}, {config["warmup_ratio"]:.0%} warm-up |
| epochs | {config["epochs"]:g} |
| rows a step | {config["batch_size"]} x {metrics["processes"]} processes x {config["grad_accumulation"]} |
| precision | {metrics["precision"]}, DeepSpeed ZeRO stage {metrics["zero_stage"]} (`{launcher}`) |
| loss | {metrics["loss_first"]:.3f} over the first tenth of the steps, {metrics["loss_last"]:.3f} over the last, {valid} |
| seed | {config["seed"]} |

Ask it as it was taught: `<DOCUMENT>…</DOCUMENT>` for each passage, then the question, in the user's turn. How well it answers
is in the run's `report.html`; this card claims nothing about that. Limits: it knows these documents, and repeats their errors.
"""
    return write_text(model / "README.md", text)
