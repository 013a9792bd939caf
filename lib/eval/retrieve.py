"""Retrieval over the chunks: BM25, dense, or both fused by rank, reranked if wanted; how often and how high it finds the right chunk."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lib.eval.index import rank_dense, rank_lexical
from lib.eval.stats import wilson
from lib.eval.text import squeeze
from lib.run import BadInput

RETRIEVERS = ("bm25", "dense", "hybrid")
RRF = 60  # Cormack et al. 2009: large enough that one ranking's first place does not outvote both second places


def retrieve(
    chunks: Sequence[dict],
    questions: Sequence[dict],
    *,
    retriever: str,
    depth: int,
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
        BadInput: No chunks, or an unknown retriever.
    """
    if retriever not in RETRIEVERS:
        raise BadInput(f"retriever: expected one of {', '.join(RETRIEVERS)}; found {retriever!r}")
    if not chunks:
        raise BadInput("retrieval: expected chunks in dataset/chunks.jsonl, found none; run 1_gen again")
    texts = [passage_text(chunk) for chunk in chunks]
    asked = [row["question"] for row in questions]
    rankings = []
    if retriever in ("bm25", "hybrid"):
        rankings.append(rank_lexical(texts, asked, cache))
    if retriever in ("dense", "hybrid"):
        rankings.append(rank_dense(texts, asked, embedder, cache))
    ids = [chunk["chunk_id"] for chunk in chunks]
    fused = fuse(rankings) if len(rankings) > 1 else rankings[0]
    if reranker:
        from lib.eval.rerank import rerank  # here: it brings torch

        fused = rerank(reranker, texts, asked, fused)
    return {row["id"]: [ids[i] for i in order[:depth]] for row, order in zip(questions, fused, strict=True)}


def passage_text(chunk: dict) -> str:
    """What is indexed: title and section, which say what a passage is about when it does not, then its text."""
    return " \n".join(part for part in (chunk.get("title"), chunk.get("section"), chunk["text"]) if part)


def fuse(rankings: Sequence[np.ndarray]) -> np.ndarray:
    """Reciprocal rank fusion: a text scores the sum of 1 / (60 + rank) over rankings of shape (n_queries, n_texts)."""
    scores = np.zeros(rankings[0].shape)
    for ranking in rankings:
        ranks = np.argsort(ranking, axis=1, kind="stable") + 1  # the inverse permutation: each text's place
        scores += 1 / (RRF + ranks)
    return np.argsort(-scores, axis=1, kind="stable")


def oracle_ids(question: dict, chunks: Sequence[dict]) -> set[str]:
    """Chunks that hold the evidence of an answerable question: its own, and those that overlap or repeat it word for word."""
    if not question["answerable"]:
        return set()
    found = {question["chunk_id"]} if question.get("chunk_id") else set()
    evidence = squeeze(question.get("evidence") or "").casefold()
    if found and evidence:
        found |= {chunk["chunk_id"] for chunk in chunks if evidence in squeeze(chunk["text"]).casefold()}
    return found


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
