"""Attention for one context with many branches: every branch sees the context and itself, never another branch.

A batch is laid out as `context_length` columns and then `n_branches` blocks of `branch_length` columns, all padded on
the right. The outcome equals a plain causal Llama run on context + branch for each branch alone; only the work shared
by the branches is done once. `use` points a model at it for training; the weights stay those of a plain Llama.
"""

import torch
from transformers import AttentionInterface, AttentionMaskInterface

LAYOUT = {"context_length": 0, "n_branches": 0, "branch_length": 0}


def attend(module, query, key, value, attention_mask, scaling=None, **_):
    """Attention over (rows, heads, length, head_dim); `attention_mask` (rows, 1, 1, context_length) is true on real tokens."""
    c, n, k = LAYOUT["context_length"], LAYOUT["n_branches"], LAYOUT["branch_length"]
    rows, heads, _, dim = query.shape
    key_c, value_c = key[:, :, :c], value[:, :, :c]
    context = torch.nn.functional.scaled_dot_product_attention(query[:, :, :c], key_c, value_c, is_causal=True,
                                                               scale=scaling)
    query_b = query[:, :, c:] * scaling
    key_b = key[:, :, c:].reshape(rows, heads, n, k, dim)
    value_b = value[:, :, c:].reshape(rows, heads, n, k, dim)
    to_context = (query_b @ key_c.transpose(2, 3)).masked_fill_(~attention_mask, -1e4)
    to_self = query_b.reshape(rows, heads, n, k, dim) @ key_b.transpose(3, 4)
    to_self = to_self.masked_fill_(torch.ones(k, k, dtype=torch.bool).triu(1), -1e4)
    weights = torch.cat([to_context, to_self.reshape(rows, heads, n * k, k)], dim=-1).softmax(-1).to(value.dtype)
    inner = weights[..., c:].reshape(rows, heads, n, k, k) @ value_b
    branch = weights[..., :c] @ value_c + inner.reshape(rows, heads, n * k, dim)
    return torch.cat([context, branch], dim=2).transpose(1, 2).contiguous(), None


def use(model) -> None:
    AttentionInterface.register("branches", attend)
    AttentionMaskInterface.register("branches", lambda *args, attention_mask=None, **_: attention_mask)
    model.set_attn_implementation("branches")
