"""Which chunks may be trained on: train, valid and test, by whole documents, or by runs of chunks where documents are few.

Near-duplicates always stand on the same side, so nothing that is tested has been trained on in another copy.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from lib.gen.records import Answer, Chunk
from lib.run import BadInput

MIN_GROUPS = 10  # fewer documents than this are cut into runs of neighbouring chunks
N_RUNS = 20
N_DRAWS = 1000
UNITS = ("auto", "document", "run")


def assign_splits(
    chunks: Sequence[Chunk], *, p_valid: float, p_test: float, rng: random.Random, split_unit: str = "auto"
) -> tuple[list[Chunk], str]:
    """Give every chunk its split.

    Args:
        chunks: In document order.
        p_valid: Share of the groups used to watch training.
        p_test: Share of the groups kept out of training for the evaluation.
        rng: The only source of chance.
        split_unit: What stays on one side: `document`, `run` (neighbouring chunks), or `auto`: runs where documents are few.

    Returns:
        The chunks in the same order, and what a group is: `document` or `run of chunks`.

    Raises:
        BadInput: Shares out of range, or too few chunks for the parts asked for.
    """
    if min(p_valid, p_test) < 0 or p_valid + p_test >= 1:
        raise BadInput(f"expected p_valid, p_test >= 0 and p_valid + p_test < 1, found {p_valid} and {p_test}")
    if split_unit not in UNITS:
        raise BadInput(f"split_unit: expected one of {', '.join(UNITS)}, found {split_unit!r}")
    by = "document"
    groups = _groups(chunks, [chunk.doc_id for chunk in chunks])
    if split_unit == "run" or (split_unit == "auto" and len(set(groups)) < MIN_GROUPS):
        by = "run of chunks"
        groups = _groups(chunks, _runs(chunks, split_unit))
    names = sorted(set(groups))
    rng.shuffle(names)
    n_test, n_valid = (max(1, round(p * len(names))) if p else 0 for p in (p_test, p_valid))
    if n_test + n_valid >= len(names):
        wanted = f"{n_test} for test, {n_valid} for valid and 1 for train"
        raise BadInput(
            f"too few passages to split: {len(names)} groups, needed {wanted}; add documents, lower chunk_chars or set p_test: 0.0"
            + ("; or set split_unit: run" if split_unit == "document" else "")
        )
    split = dict.fromkeys(names[:n_test], "test") | dict.fromkeys(names[n_test : n_test + n_valid], "valid")
    return [replace(chunk, split=split.get(group, "train")) for chunk, group in zip(chunks, groups, strict=True)], by


def split_with_questions(
    chunks: Sequence[Chunk],
    answers: Sequence[Answer],
    *,
    p_valid: float,
    p_test: float,
    rng: random.Random,
    split_unit: str = "auto",
) -> list[Chunk]:
    """Keep the split where both train and test hold an answered question; otherwise draw again until they do.

    A small corpus, or a teacher that finds few questions, can leave a part of twenty without any.

    Raises:
        BadInput: No draw gives both.
    """
    asked = {answer.question.chunk_id for answer in answers}
    for _ in range(N_DRAWS):
        if {"train", "test"} <= {chunk.split for chunk in chunks if chunk.chunk_id in asked}:
            return list(chunks)
        chunks, _ = assign_splits(chunks, p_valid=p_valid, p_test=p_test, rng=rng, split_unit=split_unit)
    raise BadInput(
        f"eval_set: {len(answers)} answered questions are too few to train and to evaluate with p_test {p_test}; "
        "add documents, raise p_test, or give an eval_set file"
    )


def _runs(chunks: Sequence[Chunk], split_unit: str) -> list[str]:
    """Name the run of each chunk: neighbours in a document, about `N_RUNS` runs in all; where runs were asked for, several a document."""
    size = max(1, len(chunks) // N_RUNS)
    if split_unit == "run":
        size = max(1, min(size, len(chunks) // len({chunk.doc_id for chunk in chunks}) // 4))
    names, position, last = [], 0, None
    for chunk in chunks:
        position = position + 1 if chunk.doc_id == last else 0
        last = chunk.doc_id
        names.append(f"{chunk.doc_id}/{position // size}")
    return names


def _groups(chunks: Sequence[Chunk], names: Sequence[str]) -> list[str]:
    """Unite the groups that share near-duplicate chunks; a group is called by the least of its names."""
    parent = {name: name for name in names}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    holder: dict[str, str] = {}
    for chunk, name in zip(chunks, names, strict=True):
        low, high = sorted((root(name), root(holder.setdefault(chunk.duplicate_group, name))))
        parent[high] = low
    return [root(name) for name in names]


def split_table(chunks: Sequence[Chunk], by: str):
    """Counts by split: split, documents, chunks, share of the chunks; the column says what was kept together."""
    import pandas as pd

    rows = []
    for split in ("train", "valid", "test"):
        held = [chunk for chunk in chunks if chunk.split == split]
        n_documents = len({chunk.doc_id for chunk in held})
        share = round(len(held) / len(chunks), 3)
        rows.append({f"split by {by}": split, "documents": n_documents, "chunks": len(held), "share": share})
    return pd.DataFrame(rows)
