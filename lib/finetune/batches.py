"""From saved rows to the batches that a trainer reads: datasets in training order, padding or packing."""

import itertools
from pathlib import Path

from lib.finetune.rows import load_labels, load_rows


def load_dataset(path: Path, order: list):
    """The number of rows and the dataset in training order.

    Args:
        path: What `save_rows` wrote.
        order: Numbers of rows, or lists of those that share a sequence.

    Returns:
        Columns `input_ids`, `labels` (-100 outside the loss), and `row`; of packed rows `seq_lengths` as well, and `row` is a list.
    """
    from datasets import Dataset

    rows, labels = [ids for ids, _ in load_rows(path)], load_labels(path)
    if order and isinstance(order[0], list):
        columns = {
            "input_ids": [list(itertools.chain.from_iterable(rows[i] for i in pack)) for pack in order],
            "labels": [list(itertools.chain.from_iterable(labels[i] for i in pack)) for pack in order],
            "seq_lengths": [[len(rows[i]) for i in pack] for pack in order],
            "row": order,
        }
        return len(rows), Dataset.from_dict(columns)
    columns = {"input_ids": rows, "labels": [part.tolist() for part in labels], "row": list(range(len(rows)))}
    return len(rows), Dataset.from_dict(columns).select(order)


def valid_dataset(path: Path, packing: bool):
    """The held-out rows, in their own order, or None; `row` is -1, which the count of trained rows leaves out."""
    if not path.is_file():
        return None
    numbers = list(range(len(load_rows(path))))
    rows, dataset = load_dataset(path, [[i] for i in numbers] if packing else numbers)
    return dataset.remove_columns("row").add_column("row", [[-1]] * rows if packing else [-1] * rows)


class Collator:
    """Makes a batch and notes which rows it has seen.

    Unpacked rows are padded on the right to the longest. Packed ones carry positions that begin at 0 with every row, and no
    attention mask: from these transformers derives a mask in which no row sees another. Flash attention takes the whole batch as one
    sequence; other attentions get one sequence an example, since their mask grows with the square of its length.
    """

    def __init__(self, pad_id: int, *, packing: bool = False, flash: bool = False):
        from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

        self.flat = packing and flash
        self.packing, self.pad_id = packing, pad_id
        self.pad = DataCollatorForLanguageModeling(pad_token_id=pad_id, padding_free=self.flat)
        self.seen: set[int] = set()

    def __call__(self, examples: list[dict]) -> dict:
        if not self.packing:
            self.seen.update(example["row"] for example in examples if example["row"] >= 0)
            return self.pad(examples)
        self.seen.update(row for example in examples for row in example["row"] if row >= 0)
        return self.pad(examples) if self.flat else self._pad_packs(examples)

    def _pad_packs(self, examples: list[dict]) -> dict:
        import torch

        shape = (len(examples), max(len(example["input_ids"]) for example in examples))
        batch = {"input_ids": torch.full(shape, self.pad_id), "labels": torch.full(shape, -100)}
        # Padding is a row of its own at each place (positions 0, 0, 0, …), so that it is seen by nobody.
        batch["position_ids"] = torch.zeros(shape, dtype=torch.long)
        for i, example in enumerate(examples):
            n = len(example["input_ids"])
            batch["input_ids"][i, :n] = torch.tensor(example["input_ids"])
            batch["labels"][i, :n] = torch.tensor(example["labels"])
            batch["position_ids"][i, :n] = torch.cat([torch.arange(length) for length in example["seq_lengths"]])
        return batch


def check_packing(engine, collator: Collator, examples: list[dict], device) -> float:
    """See that a packed row's logits are those that it has alone, in the very model that is trained.

    Args:
        engine: The model, wrapped as it is trained; every process calls this.
        collator: Packs the rows.
        examples: Two or more rows, unpacked: `input_ids` and `labels`.
        device: Where the model is.

    Returns:
        The largest difference of a logit, as a share of the largest logit.

    Raises:
        RuntimeError: A row sees another one.
    """
    import torch

    def logits(packs: list[list[dict]]):
        merged = [
            {
                "input_ids": [i for row in pack for i in row["input_ids"]],
                "labels": [i for row in pack for i in row["labels"]],
                "seq_lengths": [len(row["input_ids"]) for row in pack],
                "row": [-1],
            }
            for pack in packs
        ]
        batch = {name: value.to(device) if hasattr(value, "to") else value for name, value in collator(merged).items()}
        batch.pop("labels")
        n = len(examples[-1]["input_ids"])  # the last row, which others precede in one of the two packs
        return engine(**batch, use_cache=False, logits_to_keep=n).logits[0, -n:].float()

    training = engine.training
    engine.eval()
    with torch.no_grad():
        alone, packed = logits([[examples[-1]]]), logits([examples])
    engine.train(training)
    share = (alone - packed).abs().max().item() / max(alone.abs().max().item(), 1e-9)
    allowed = 1e-3 if next(engine.parameters()).dtype == torch.float32 else 0.05
    if share > allowed:
        raise RuntimeError(
            f"packed rows see each other: the logits of a row change by {share:.1%} of the largest when another one precedes it "
            f"(allowed {allowed:.1%}). This model's attention ignores where rows begin; set packing to False, or another attention"
        )
    return share
