"""The two indices that retrieval searches, BM25 and dense (FAISS), kept on disk under the hash of what they were made from.

Another text, order, embedding model or version of the library gives another name, so that an index is never one of other chunks.
"""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from lib.eval.text import words
from lib.run import text_hash

FORMAT = 1  # part of every name; raise it when what is indexed of a text changes


def rank_lexical(texts: Sequence[str], queries: Sequence[str], cache: Path | None = None) -> np.ndarray:
    """Indices of all texts by BM25 score, (n_queries, n_texts), best first; ties in the texts' order.

    Args:
        texts, queries: What is searched, and for what.
        cache: Folder of kept indices; None keeps none.
    """
    import bm25s  # here: it brings scipy, which planning does not need

    place = index_path(cache, "bm25", version("bm25s"), texts)
    if place and (place / "params.index.json").is_file():
        index = bm25s.BM25.load(place, load_vocab=True)
    else:
        index = bm25s.BM25()
        index.index([words(text) or [""] for text in texts], show_progress=False)
        if place:
            index.save(place, show_progress=False)
    scores = (
        np.stack([index.get_scores(words(query) or [""]) for query in queries])
        if queries
        else np.empty((0, len(texts)))
    )
    return np.argsort(-scores, axis=1, kind="stable")


def rank_dense(texts: Sequence[str], queries: Sequence[str], embedder, cache: Path | None = None) -> np.ndarray:
    """Indices of all texts by cosine similarity, (n_queries, n_texts), best first; arguments as of `rank_lexical`."""
    import faiss

    place = index_path(cache, "dense", embedder.role.identity, texts) if cache else None
    if place and place.is_file():
        index = faiss.read_index(str(place))
    else:
        vectors = np.ascontiguousarray(embedder.embed(list(texts)), dtype=np.float32)  # (n_texts, d), of length 1
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        if place:
            place.parent.mkdir(parents=True, exist_ok=True)
            partial = place.with_suffix(".partial")
            faiss.write_index(index, str(partial))
            partial.replace(place)
    asked = np.ascontiguousarray(embedder.embed(list(queries)), dtype=np.float32)
    return index.search(asked, len(texts))[1]


def index_path(cache: Path | None, kind: str, maker: str, texts: Sequence[str]) -> Path | None:
    """Where the index of these texts, in this order, made by `maker`, is kept; None without a folder."""
    if cache is None:
        return None
    name = text_hash(json.dumps([FORMAT, kind, maker, list(texts)], ensure_ascii=True))[:32]
    return Path(cache) / f"{kind}-{name}"
