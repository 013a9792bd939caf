"""Retrieval over the chunks: what lib.llm.search finds for every question, and how often and how high the right chunk is among it."""

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from lib.eval.stats import wilson
from lib.llm.raft import squeeze
from lib.llm.search import Search

DEPTH = 1000  # chunks ranked for a question at most: controls look below the top_k for passages that do not give the answer away


def retrieve(
    chunks: Sequence[dict],
    questions: Sequence[dict],
    *,
    retriever: str,
    depth: int = DEPTH,
    embedder=None,
    reranker: str = "",
    cache: Path | None = None,
) -> dict[str, list[str]]:
    """Rank chunks for every question.

    Args:
        chunks: Rows of `dataset/chunks.jsonl`.
        questions: Rows of the eval set.
        retriever: `bm25`, `dense` or `hybrid`.
        depth: Chunks to rank for each question; all, where there are fewer.
        embedder: Asker of the embedder role; `bm25` needs none.
        reranker: Cross-encoder that reorders the first ones, a folder or hub name; empty for none.
        cache: Folder where indices are kept; None keeps none.

    Returns:
        Chunk ids by question id, best first.

    Raises:
        BadInput: No chunks, an unknown retriever, or a reranker that cannot be loaded.
    """
    search = Search(chunks, retriever, embedder=embedder, reranker=reranker, cache=cache)
    ids = [chunk["chunk_id"] for chunk in chunks]
    found = search.rank([row["question"] for row in questions], depth)
    return {row["id"]: [ids[i] for i in order] for row, order in zip(questions, found, strict=True)}


def oracle_ids(question: dict, chunks: Sequence[dict]) -> set[str]:
    """Chunks that hold the evidence of an answerable question: its own, and those that overlap or repeat it word for word."""
    if not question["answerable"]:
        return set()
    found = {question["chunk_id"]} if question.get("chunk_id") else set()
    evidence = squeeze(question.get("evidence") or "").casefold()
    if found and evidence:
        found |= {chunk["chunk_id"] for chunk in chunks if evidence in _flat(chunk["text"])}
    return found


@lru_cache(1 << 17)  # a chunk is looked at for every question
def _flat(text: str) -> str:
    return squeeze(text).casefold()


def recall_table(rankings: dict[str, list[str]], oracles: dict[str, set[str]], ks: Sequence[int]) -> list[dict]:
    """How often and how high a right chunk stands among the first k, over questions with a known source.

    Returns:
        Rows `k, n, found, recall, low, high, mrr, ndcg`: recall with Wilson's interval; the mean of 1/rank of the first right
        chunk, 0 where none is found; and nDCG with every right chunk worth 1.
    """
    known = [key for key in rankings if oracles.get(key)]
    rows = []
    for k in ks:
        places = [[i for i, held in enumerate(rankings[key][:k], 1) if held in oracles[key]] for key in known]
        found = sum(bool(held) for held in places)
        low, high = wilson(found, len(known))
        ideal = [_gain(range(1, min(k, len(oracles[key])) + 1)) for key in known]
        gains = [_gain(held) / best for held, best in zip(places, ideal, strict=True)]
        rows.append(
            {
                "k": k, "n": len(known), "found": found, "recall": found / len(known) if known else math.nan, "low": low, "high": high,
                "mrr": _mean([1 / held[0] if held else 0.0 for held in places]), "ndcg": _mean(gains),
            }
        )  # fmt: skip
    return rows


def _gain(places) -> float:
    return sum(1 / math.log2(place + 1) for place in places)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def chunk_mismatch(examples: Sequence[dict], chunks: Sequence[dict]) -> str:
    """A warning where training showed other chunks than are searched; empty where they agree.

    Args:
        examples: Rows of `dataset/raft.jsonl`; empty where no dataset was made here.
        chunks: Rows of `dataset/chunks.jsonl`.
    """
    texts = {chunk["chunk_id"]: chunk["text"] for chunk in chunks}
    seen: dict[str, str] = {}
    for row in examples:
        if row.get("context_chunk_ids"):
            seen |= zip(row["context_chunk_ids"], row["context"]["sentences"][0], strict=True)
    other = sum(texts.get(key) != text for key, text in seen.items())
    if not other:
        return ""
    return (
        f"{other} of {len(seen)} passages that training showed are not among the {len(chunks)} chunks searched: "
        "student and retrieval were not made from the same dataset; run 1_gen and 2_finetune again"
    )
