"""Retrieval over the chunks: BM25, dense (embeddings and FAISS), or both fused by rank; how often it finds the right chunk."""

import math
from collections.abc import Sequence

import numpy as np

from lib.eval.stats import wilson
from lib.eval.text import squeeze, words
from lib.run import BadInput

RETRIEVERS = ("bm25", "dense", "hybrid")
RRF = 60  # Cormack et al. 2009: large enough that one ranking's first place does not outvote both second places


def retrieve(
    chunks: Sequence[dict], questions: Sequence[dict], *, retriever: str, depth: int, embedder=None
) -> dict[str, list[str]]:
    """Rank chunks for every question.

    Args:
        chunks: Rows of `dataset/chunks.jsonl`.
        questions: Rows of the eval set.
        retriever: `bm25`, `dense` or `hybrid`.
        depth: Chunks to rank for each question; all, where there are fewer.
        embedder: Asker of the embedder role; `bm25` needs none.

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
        rankings.append(rank_lexical(texts, asked))
    if retriever in ("dense", "hybrid"):
        rankings.append(rank_dense(texts, asked, embedder))
    ids = [chunk["chunk_id"] for chunk in chunks]
    fused = fuse(rankings) if len(rankings) > 1 else rankings[0]
    return {row["id"]: [ids[i] for i in order[:depth]] for row, order in zip(questions, fused, strict=True)}


def passage_text(chunk: dict) -> str:
    """What is indexed: title and section, which say what a passage is about when it does not, then its text."""
    return " \n".join(part for part in (chunk.get("title"), chunk.get("section"), chunk["text"]) if part)


def rank_lexical(texts: Sequence[str], queries: Sequence[str]) -> np.ndarray:
    """Indices of all texts by BM25 score, (n_queries, n_texts), best first; ties in the texts' order."""
    import bm25s  # here: it brings scipy, which planning does not need

    index = bm25s.BM25()
    index.index([words(text) or [""] for text in texts], show_progress=False)
    scores = (
        np.stack([index.get_scores(words(query) or [""]) for query in queries])
        if queries
        else np.empty((0, len(texts)))
    )
    return np.argsort(-scores, axis=1, kind="stable")


def rank_dense(texts: Sequence[str], queries: Sequence[str], embedder) -> np.ndarray:
    """Indices of all texts by cosine similarity, (n_queries, n_texts), best first."""
    import faiss

    vectors = np.ascontiguousarray(embedder.embed(list(texts)), dtype=np.float32)  # (n_texts, d), of length 1
    asked = np.ascontiguousarray(embedder.embed(list(queries)), dtype=np.float32)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index.search(asked, len(texts))[1]


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
    """How often a right chunk is among the first k, over questions with a known source.

    Returns:
        Rows `k, n, found, recall, low, high`.
    """
    known = [key for key in rankings if oracles.get(key)]
    rows = []
    for k in ks:
        found = sum(bool(oracles[key] & set(rankings[key][:k])) for key in known)
        low, high = wilson(found, len(known))
        rows.append(
            {
                "k": k,
                "n": len(known),
                "found": found,
                "recall": found / len(known) if known else math.nan,
                "low": low,
                "high": high,
            }
        )
    return rows
