"""Normalised perplexity on held-out text at several lengths: how well a model goes on using a longer past. An option.

Windows of so many tokens are cut from the held-out documents; each token's log probability comes from the server that is
evaluated (vLLM's prompt logprobs), or, where the engine gives none, from the same weights loaded here. Normalised: by
words of the text, not by tokens, so that models with different tokenizers can be compared. Writes `eval/perplexity.csv`.
"""

import math
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from lib.eval.stats import cluster_interval
from lib.llm import Role
from lib.run import BadInput

MOST_WINDOWS = 32  # of one length; evenly spread over the text
COLUMNS = (
    "system", "n_tokens", "windows", "tokens_scored", "words_per_token", "nll_per_token", "perplexity_per_token",
    "normalised_perplexity", "normalised_low", "normalised_high",
)  # fmt: skip


def held_out_text(chunks: Sequence[dict], answers_split: Sequence[str] = ("test", "valid")) -> str:
    """The documents kept out of training, one after the other; what a chunk repeats of the one before is left out.

    Raises:
        BadInput: No document was kept out.
    """
    parts, last = [], ""
    for chunk in chunks:
        if chunk.get("split") in answers_split:
            text = chunk["text"]
            repeated = next((n for n in range(min(len(text), len(last)), 0, -1) if last.endswith(text[:n])), 0)
            parts.append(text[repeated:])
            last = text
    if not parts:
        raise BadInput("perplexity_tokens: expected documents kept out of training (p_valid, p_test); found none")
    return "\n".join(parts)


def measure(sources: Iterable[tuple[str, Role | Path]], text: str, lengths: Sequence[int]) -> pd.DataFrame:
    """The table of `eval/perplexity.csv`.

    Args:
        sources: Systems, each with the Role of a vLLM server, or the folder of a model to load here; one is done before the next is
            taken, so that servers may take turns.
        text: Held-out text.
        lengths: Tokens in a window.

    Raises:
        BadInput: The text has fewer tokens than a window, or the server gives no prompt log probabilities.
    """
    table = []
    for system, source in sources:
        ids, score = _open(source, text)
        words_per_token = len(text.split()) / len(ids)
        for n in sorted(set(lengths)):
            if len(ids) < n:
                raise BadInput(f"perplexity_tokens: {system}: the held-out text has {len(ids)} tokens, fewer than {n}")
            sums, counts = [], []
            for window in windows(ids, n):
                found = score(window)
                sums.append(-sum(found))
                counts.append(len(found))
            table.append({"system": system, "n_tokens": n, **summarise_windows(sums, counts, words_per_token)})
    return pd.DataFrame(table, columns=COLUMNS)


def windows(ids: Sequence[int], n: int) -> list[list[int]]:
    """Up to `MOST_WINDOWS` windows of n tokens that do not overlap, evenly spread."""
    fit = len(ids) // n
    chosen = range(fit) if fit <= MOST_WINDOWS else [i * fit // MOST_WINDOWS for i in range(MOST_WINDOWS)]
    return [list(ids[i * n : (i + 1) * n]) for i in chosen]


def summarise_windows(sums: Sequence[float], counts: Sequence[int], words_per_token: float) -> dict:
    """Perplexities from the windows' summed negative log likelihoods; the interval resamples windows."""
    import numpy as np

    per_token = sum(sums) / sum(counts)
    scale = max(1.0, 2 * max(s / c for s, c in zip(sums, counts, strict=True)))  # the interval's bounds are -1 and 1
    low, high = cluster_interval(np.array(sums) / scale, np.array(counts, float), random.Random(len(sums)))
    low, high = (low, high) if len(sums) > 1 else (math.nan, math.nan)
    return {
        "windows": len(sums), "tokens_scored": sum(counts), "words_per_token": words_per_token, "nll_per_token": per_token,
        "perplexity_per_token": math.exp(per_token),
        "normalised_perplexity": math.exp(per_token / words_per_token),
        "normalised_low": math.exp(low * scale / words_per_token), "normalised_high": math.exp(high * scale / words_per_token),
    }  # fmt: skip


def _open(source: Role | Path, text: str):
    """The text's token ids, and a function from ids to the log probability of each but the first."""
    if isinstance(source, Path):
        return open_model(source, text)
    from lib.llm.logprobs import prompt_logprobs, tokenize

    return tokenize(source, text), lambda ids: prompt_logprobs(source, ids)


def open_model(folder: Path, text: str):
    """As `_open`, with a model loaded here, on the CPU."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def score(ids: list[int]) -> list[float]:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, :-1].float()  # (n - 1, vocabulary)
        return torch.log_softmax(logits, dim=-1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0].tolist()

    return tokenizer(text, add_special_tokens=False)["input_ids"], score
