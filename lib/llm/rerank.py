"""Reranking: a cross-encoder reads question and passage together and puts the best of the first ones in order. Optional."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lib.run import BadInput

CANDIDATES = 50  # the first ones, which are reordered; what comes after keeps its place
BATCH = 32


def rerank(encoder, texts: Sequence[str], query: str, order: np.ndarray) -> np.ndarray:
    """An order whose first `CANDIDATES` places are put in a cross-encoder's order.

    Args:
        encoder: As `load_reranker` gives it.
        texts: What was ranked.
        query: The question.
        order: Indices of texts, best first, (n,).

    Raises:
        BadInput: The model does not give one number for a pair.
    """
    n = min(CANDIDATES, len(order))
    pairs = [(query, texts[i]) for i in order[:n]]
    scores = np.asarray(encoder.predict(pairs, batch_size=BATCH, show_progress_bar=False))
    if scores.ndim != 1:
        raise BadInput(f"reranker: expected one score for each pair; it gives {scores.shape[1]}")
    return np.concatenate([order[:n][np.argsort(-scores, kind="stable")], order[n:]])


def load_reranker(model: str):
    """A cross-encoder, from its folder or its name on a model hub.

    Raises:
        BadInput: It cannot be loaded.
    """
    from sentence_transformers import CrossEncoder  # here: it brings torch

    try:
        return CrossEncoder(str(Path(model).resolve()) if Path(model).is_dir() else model, device="cpu")
    except (OSError, ValueError) as error:
        raise BadInput(
            f"reranker: expected a cross-encoder's folder or hub name; {model!r} cannot be loaded ({str(error).splitlines()[0]})"
        ) from error
