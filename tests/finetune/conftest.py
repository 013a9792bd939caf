"""A student that fits in a test."""

import numpy as np
import pytest

from lib.run import write_json

from .tiny import make_tokenizer

SIZES = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
    "max_position_embeddings": 256, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2, "tie_word_embeddings": True,
}  # fmt: skip


@pytest.fixture(scope="session")
def tokenizer():
    return make_tokenizer()


@pytest.fixture(scope="session")
def student_files(tmp_path_factory, tokenizer):
    """The files of an untrained student that are read or hashed and never run: two of its tensors, and no torch, which takes seconds to load."""
    from safetensors.numpy import save_file

    folder = tmp_path_factory.mktemp("files")
    write_json(folder / "config.json", {"model_type": "llama", "vocab_size": len(tokenizer), **SIZES})
    write_json(folder / "generation_config.json", {"eos_token_id": 1})
    embeddings = np.random.default_rng(0).normal(0, 0.02, (len(tokenizer), SIZES["hidden_size"])).astype(np.float32)
    norm = np.ones(SIZES["hidden_size"], np.float32)
    save_file({"model.embed_tokens.weight": embeddings, "model.norm.weight": norm}, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def student_folder(tmp_path_factory, tokenizer):
    """A folder with an untrained student that can be run."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("student")
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **SIZES)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
