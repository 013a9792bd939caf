"""Attention for one context with many branches: every branch sees the context and itself, never another branch.

A row is its context and then its branches, one behind the other, padded on the right. The outcome equals a plain causal
Llama run on context + branch for each branch alone; only the work shared by the branches is done once. `use` points a
model at it for training; the weights stay those of a plain Llama.
"""

import torch
from transformers import AttentionInterface, AttentionMaskInterface


def branch_mask(owner: torch.Tensor) -> torch.Tensor:
    """Who sees whom.

    Args:
        owner: (rows, length), 0 for the context, 1, 2, … for the branches, -1 for padding.

    Returns:
        (rows, 1, length, length), true where the token of the third axis sees that of the last.
    """
    length = owner.shape[1]
    seen = (owner[:, None, :] == owner[:, :, None]) | (owner[:, None, :] == 0)
    return (seen & torch.ones(length, length, dtype=torch.bool).tril())[:, None]


def attend(module, query, key, value, attention_mask, scaling=None, **_):
    """Attention over (rows, heads, length, head_dim) with a `branch_mask`; plain products, faster on a CPU than the fused kernel."""
    scores = (query * scaling) @ key.transpose(2, 3)
    weights = scores.masked_fill_(~attention_mask, -1e4).softmax(-1).to(value.dtype)
    return (weights @ value).transpose(1, 2).contiguous(), None


def use(model) -> None:
    AttentionInterface.register("branches", attend)
    AttentionMaskInterface.register("branches", lambda *args, attention_mask=None, **_: attention_mask)
    model.set_attn_implementation("branches")
