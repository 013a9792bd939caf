"""Reranking: a cross-encoder reads question and passage together and puts the best of the first ones in order. Optional."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lib.run import BadInput

CANDIDATES = 50  # the first ones, which are reordered; what comes after keeps its place
BATCH = 32


def rerank(model: str, texts: Sequence[str], queries: Sequence[str], ranking: np.ndarray) -> np.ndarray:
    """A ranking whose first `CANDIDATES` places are put in a cross-encoder's order.

    Args:
        model: Folder of a cross-encoder, or its name on a model hub.
        texts: What was ranked.
        queries: The questions, (n_queries,).
        ranking: Indices of texts, best first, (n_queries, n_texts).

    Raises:
        BadInput: The model cannot be loaded, or does not give one number for a pair.
    """
    from sentence_transformers import CrossEncoder  # here: it brings torch

    try:
        encoder = CrossEncoder(str(Path(model).resolve()) if Path(model).is_dir() else model, device="cpu")
    except (OSError, ValueError) as error:
        raise BadInput(
            f"reranker: expected a cross-encoder's folder or hub name; {model!r} cannot be loaded ({str(error).splitlines()[0]})"
        ) from error
    reordered = ranking.copy()
    n = min(CANDIDATES, ranking.shape[1])
    pairs = [(query, texts[i]) for query, order in zip(queries, ranking, strict=True) for i in order[:n]]
    scores = np.asarray(encoder.predict(pairs, batch_size=BATCH, show_progress_bar=False)) if pairs else np.empty(0)
    if scores.ndim != 1:
        raise BadInput(f"reranker: expected one score for each pair; {model!r} gives {scores.shape[1]}")
    best = np.argsort(-scores.reshape(len(queries), n), axis=1, kind="stable")
    reordered[:, :n] = np.take_along_axis(ranking[:, :n], best, axis=1)
    return reordered
