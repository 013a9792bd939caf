"""Search over passages: BM25, dense (FAISS), or both by a weighted sum of their scores. What 4_eval measures and what a chat shows is found here.

Indices are kept on disk under the hash of what they were made from: another text, order, embedding model or version of the library
gives another name, so that an index is never one of other passages. Nothing grows with questions times passages.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from lib.llm.rerank import CANDIDATES, load_reranker, rerank
from lib.llm.words import FILLER, stem, words
from lib.run import BadInput, text_hash

RETRIEVERS = ("bm25", "dense", "hybrid")
DENSE_WEIGHT = 0.8  # of the scores scaled to [0, 1], as in Bruch et al. 2023 (An Analysis of Fusion Functions for Hybrid Retrieval), where it beats ranks
FORMAT = 2  # part of every name; raise it when what is indexed of a text changes
EARLIER_WEIGHT = 0.3  # of the question before: "and on Sundays?" needs it, a new subject is not drowned by it
N_CELLS = 1 << 23  # questions times passages ranked by their vectors at once: 0.1 GB


class Search:
    """Chunks and the indices that a retriever looks them up in.

    Args:
        chunks: Rows of `dataset/chunks.jsonl`.
        retriever: `bm25`, `dense` or `hybrid`.
        embedder: Asker of the embedder role; `bm25` needs none.
        reranker: Cross-encoder that reorders the first ones, a folder or hub name; empty for none.
        cache: Folder where indices are kept; None keeps none.

    Raises:
        BadInput: No chunks, an unknown retriever, or a reranker that cannot be loaded.
    """

    def __init__(self, chunks: Sequence[dict], retriever: str, *, embedder=None, reranker: str = "", cache: Path | None = None):
        if retriever not in RETRIEVERS:
            raise BadInput(f"retriever: expected one of {', '.join(RETRIEVERS)}; found {retriever!r}")
        if not chunks:
            raise BadInput("retrieval: expected chunks in dataset/chunks.jsonl, found none; run 1_gen again")
        self.texts = [passage_text(chunk) for chunk in chunks]
        self._reranker = load_reranker(reranker) if reranker else None
        self._lexical = Lexical(self.texts, cache) if retriever != "dense" else None
        self._dense = Dense(self.texts, embedder, cache) if retriever != "bm25" else None

    def rank(self, queries: Sequence[str], depth: int, earlier: Sequence[str] = ()) -> np.ndarray:
        """Indices of the best chunks for each query, (n_queries, min(depth, n_chunks)) int32, best first; ties in the chunks' order.

        Args:
            queries: What is asked.
            depth: Chunks wanted for each.
            earlier: For each query the one before, which it may lean on, or an empty text; none at all where queries are single.
        """
        found = np.empty((len(queries), min(depth, len(self.texts))), dtype=np.int32)
        before = earlier or [""] * len(queries)
        by_vector = self._dense.scores(queries, before) if self._dense else None
        for row, query, previous in zip(found, queries, before, strict=True):
            near = next(by_vector) if by_vector else None
            scores = near if self._lexical is None else self._lexical.scores(query, previous)
            if self._lexical and near is not None:
                scores = fuse(scores, near)
            first = best(scores, max(depth, CANDIDATES) if self._reranker else depth)
            row[:] = rerank(self._reranker, self.texts, query, first)[:depth] if self._reranker else first
        return found


class Lexical:
    """A BM25 index.

    Args:
        texts: What is searched.
        cache: Folder of kept indices; None keeps none.
        split: Gives the words of a text; by default `terms`.
    """

    def __init__(self, texts: Sequence[str], cache: Path | None = None, split: Callable[[str], list[str]] | None = None):
        import bm25s  # here: it brings scipy, which planning does not need

        self._split, self._n = split or terms, len(texts)
        place = index_path(cache, "bm25", version("bm25s"), texts)
        if place and (place / "params.index.json").is_file():
            self._index = bm25s.BM25.load(place, load_vocab=True)
            return
        self._index = bm25s.BM25()
        self._index.index([self._split(text) or [""] for text in texts], show_progress=False)
        if place:
            partial = place.with_suffix(".partial")
            self._index.save(partial, show_progress=False)
            shutil.rmtree(place, ignore_errors=True)
            partial.rename(place)

    def scores(self, query: str, earlier: str = "") -> np.ndarray:
        """How well every text fits a query, and somewhat the one before, (n_texts,) float32; 0 where they share no word."""
        known = [word for word in self._split(query) if word in self._index.vocab_dict]
        scores = self._index.get_scores(known) if known else np.zeros(self._n, dtype=np.float32)
        return scores + EARLIER_WEIGHT * self.scores(earlier) if earlier else scores


class Dense:
    """Vectors in FAISS.

    Args:
        texts: What is searched.
        embedder: Asker of the embedder role.
        cache: Folder of kept indices; None keeps none.
    """

    def __init__(self, texts: Sequence[str], embedder, cache: Path | None = None):
        import faiss

        self._embedder, self._n = embedder, len(texts)
        place = index_path(cache, "dense", embedder.role.identity, texts)
        if place and place.is_file():
            self._index = faiss.read_index(str(place))
            return
        vectors = np.ascontiguousarray(embedder.embed(list(texts)), dtype=np.float32)  # (n_texts, d), of length 1
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)
        if place:
            place.parent.mkdir(parents=True, exist_ok=True)
            partial = place.with_suffix(".partial")
            faiss.write_index(self._index, str(partial))
            partial.replace(place)

    def scores(self, queries: Sequence[str], earlier: Sequence[str]) -> Iterator[np.ndarray]:
        """For each query, and somewhat the one before, the cosine similarity of all texts, (n_texts,) float32."""
        asked = np.ascontiguousarray(self._embedder.embed(list(queries)), dtype=np.float32)
        if leaning := [i for i, text in enumerate(earlier) if text]:
            asked[leaning] += np.float32(EARLIER_WEIGHT) * self._embedder.embed([earlier[i] for i in leaning])
        step = max(1, N_CELLS // self._n)
        for start in range(0, len(queries), step):
            for found, order in zip(*self._index.search(asked[start : start + step], self._n), strict=True):
                scores = np.empty(self._n, dtype=np.float32)
                scores[order] = found
                yield scores


def terms(text: str) -> list[str]:
    """What BM25 compares: words without common endings and without function words, unless there are no others."""
    found = words(text)
    return [stem(word) for word in found if word not in FILLER] or found


def fuse(lexical: np.ndarray, dense: np.ndarray) -> np.ndarray:
    """A weighted sum of two scores of the same texts, each of shape (n_texts,) and scaled to [0, 1] first."""
    return (1 - DENSE_WEIGHT) * _scaled(lexical) + DENSE_WEIGHT * _scaled(dense)


def _scaled(scores: np.ndarray) -> np.ndarray:
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.zeros(len(scores))


def order_of(scores: np.ndarray) -> np.ndarray:
    """Indices by score, best first; ties in order."""
    return np.argsort(-scores, kind="stable")


def best(scores: np.ndarray, n: int) -> np.ndarray:
    """The first `n` of `order_of`; only those that can be among them are put in order."""
    if n >= len(scores):
        return order_of(scores)
    may = np.flatnonzero(scores >= np.partition(scores, -n)[-n]) if n > 0 else np.empty(0, dtype=np.intp)
    return may[order_of(scores[may])][:n]


def passage_text(chunk: dict) -> str:
    """What is indexed of a chunk: title and section, which say what a passage is about when it does not, then its text."""
    return " \n".join(part for part in (chunk.get("title"), chunk.get("section"), chunk["text"]) if part)


def index_path(cache: Path | None, kind: str, maker: str, texts: Sequence[str]) -> Path | None:
    """Where the index of these texts, in this order, made by `maker`, is kept; None without a folder."""
    if cache is None:
        return None
    name = text_hash(json.dumps([FORMAT, kind, maker, list(texts)], ensure_ascii=True))[:32]
    return Path(cache) / f"{kind}-{name}"
