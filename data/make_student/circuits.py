"""Starts a small Llama with the parts of a search in its attention heads, where random weights would have to find them first.

Search, spread over five layers (the first head or two of each; the others and the MLPs start random and quiet):

    0  every token looks at the one before it, and at the one before that
    1  an induction head goes on with what followed the same two tokens earlier; a second head fetches the first token of one's own line
    2  a token looks for itself far back and fetches the line that it found there; what is found nowhere fetches nothing
    3  a reply looks at the question's tokens and sums the lines that they found
    4  two induction heads again, for one token and for two, which prefer the line most found; the first its start where a quote begins

Nothing of this is any text's content, and all of it is trained on. With it 225 steps copy lines of random tokens (97 % of the tokens); which
line was asked for is found later.

Source: heads of this kind as found in trained models by Olsson et al., In-context Learning and Induction Heads, 2022.
"""

from collections.abc import Sequence

import torch

GAIN = 6.0  # attention score that sets a token apart
SPREAD = 0.07  # standard deviation of the embeddings
BIAS = 0.4  # what every embedding holds in dimension 0: a constant for queries and keys to lean on; same for all tokens, so no logit sees it
# what a dimension of the residual stream holds: the token, the one before it, the one before that, the first of its line, the lines found
OWN, PREVIOUS, SECOND, LINE, FOUND = slice(1, 64), slice(64, 88), slice(88, 112), slice(112, 136), slice(136, 160)
WIDTH, LAYERS, HEADS, HEAD_SIZE, ROTARY_BASE = 160, 5, 4, 64, 1e8
N = 24  # dimensions of a part
SIZE = SPREAD * 63**0.5  # length of an embedding
QUIET = 0.08


def install(model, *, starts: Sequence[int], begin_quote: int, begin_text: int, first_word: int, seed: int = 0) -> None:
    """Write the search into a fresh model of this module's shape.

    Args:
        model: A `LlamaForCausalLM` with tied embeddings; changed in place.
        starts: Tokens after which a line or sentence starts.
        begin_quote, begin_text: The tokens that open a quote and a conversation.
        first_word: Tokens from here on are words; a sample of them tells how large the parts of the residual stream are.
        seed: Of the random projections.
    """
    with torch.no_grad():
        for layer in model.model.layers:
            layer.mlp.down_proj.weight.mul_(QUIET)
            layer.self_attn.o_proj.weight.mul_(QUIET)
        build = _Build(model, starts, first_word, torch.Generator().manual_seed(seed))
        before = build.previous_token(0, 0, 1, PREVIOUS)
        build.previous_token(0, 1, 2, SECOND, before)
        build.induction(1, 0, before)
        build.line_start(1, 1, before, starts)
        build.far_match(2, 0, begin_text)
        build.gather(3, 0)
        build.quote(4, 0, before, starts, begin_quote)
        build.induction(4, 1, before, in_line=True)


def orthonormal(rows: int, columns: int, generator: torch.Generator) -> torch.Tensor:
    """A random projection, (rows, columns)."""
    square = torch.linalg.qr(torch.randn(max(rows, columns), max(rows, columns), generator=generator))[0]
    return square[:rows, :columns]


class _Head:
    """One attention head's rows of the projections, emptied; `x` is what the layer reads of the sample, (rows, length, width)."""

    def __init__(self, attention, number: int, x: torch.Tensor):
        at = slice(number * HEAD_SIZE, (number + 1) * HEAD_SIZE)
        self.q, self.k, self.v = (p.weight[at] for p in (attention.q_proj, attention.k_proj, attention.v_proj))
        self.o = attention.o_proj.weight[:, at]
        for weight in (self.q, self.k, self.v, self.o):
            weight.zero_()
        self.x, self.bias = x, x[..., 0].mean()

    def length(self, part: slice, projection: torch.Tensor | None = None) -> torch.Tensor:
        """Mean length of a part of the residual stream, projected or as it is."""
        held = self.x[..., part]
        return (held if projection is None else held @ projection.T).norm(dim=-1).mean()


class _Build:
    def __init__(self, model, starts: Sequence[int], first_word: int, generator: torch.Generator):
        self.model, self.generator = model, generator
        frequency = ROTARY_BASE ** (-torch.arange(HEAD_SIZE // 2) / (HEAD_SIZE // 2))  # radians per token
        self.frequency = frequency
        slow = torch.nonzero(frequency < 2.5e-3).flatten()  # hardly turn within a prompt: tokens are compared in these
        self.slow = torch.cat([slow, slow + HEAD_SIZE // 2])
        self.middle = torch.nonzero((frequency > 5e-3) & (frequency < 0.12)).flatten()  # near or far
        self.fast = torch.nonzero(frequency > 0.05).flatten()  # the very next
        self.embeddings = model.model.embed_tokens.weight
        n, width = self.embeddings.shape
        self.embeddings.zero_()
        self.embeddings[:, OWN] = torch.randn(n, 63, generator=generator) * SPREAD
        self.embeddings[:, 0] = BIAS
        self.embeddings[:, 64:] = torch.randn(n, width - 64, generator=generator) * 0.01
        self.sample = torch.randint(first_word, n - 5, (4, 200), generator=generator)
        for row in self.sample:
            row[::10] = torch.tensor(starts)[torch.randint(0, len(starts), (20,), generator=generator)]

    def head(self, layer: int, number: int) -> _Head:
        return _Head(self.model.model.layers[layer].self_attn, number, self.read(layer, self.sample))

    def read(self, layer: int, ids: torch.Tensor) -> torch.Tensor:
        """What a layer's attention reads of some tokens, (rows, length, width)."""
        seen = []
        hook = self.model.model.layers[layer].input_layernorm.register_forward_hook(lambda *call: seen.append(call[2]))
        self.model(input_ids=ids)
        hook.remove()
        return seen[0].detach().float()

    def by_distance(self, head: _Head, dims: torch.Tensor, score: float, offset: float = 0.0) -> None:
        """Add score x mean over `dims` of cos(frequency x (distance - offset)), whatever the tokens are."""
        size = (abs(score) * HEAD_SIZE**0.5 / len(dims)) ** 0.5 / head.bias
        sign = 1 if score > 0 else -1
        head.q[dims, 0] += size
        head.k[dims, 0] += sign * size * torch.cos(self.frequency[dims] * offset)
        head.k[dims + HEAD_SIZE // 2, 0] += sign * size * torch.sin(self.frequency[dims] * offset)

    def by_match(self, head: _Head, dims, query: tuple, key: tuple, score: float) -> None:
        """Add up to `score` where the key's part looks like the query's; both are (part, projection onto `dims`)."""
        (asked, ask), (held, hold) = query, key
        lengths = head.length(asked, ask) * head.length(held, hold)
        size = (score * HEAD_SIZE**0.5 / lengths) ** 0.5
        head.q[dims, asked] = ask * size
        head.k[dims, held] = hold * size

    def by_token(self, head: _Head, dim: int, part: slice, looks: torch.Tensor, score: float) -> None:
        """Add up to `score` for keys whose part looks like a vector."""
        size = (score * HEAD_SIZE**0.5) ** 0.5
        head.k[dim, part] += looks / looks.norm() * size / head.length(part)
        head.q[dim, 0] += size / head.bias

    def write(self, head: _Head, source: slice, target: slice, size: float = SIZE, projection=None) -> torch.Tensor:
        """Carry a part of what is looked at into another part of the one who looks; returns the projection between them."""
        n, wide = target.stop - target.start, source.stop - source.start
        if projection is None:
            projection = torch.eye(n) if n == wide else orthonormal(n, wide, self.generator)
        head.v[:n, source] = projection
        head.o[target, :n] = torch.eye(n) * size / head.length(source, projection)
        return projection

    def previous_token(self, layer: int, number: int, distance: int, target: slice, projection=None) -> torch.Tensor:
        head = self.head(layer, number)
        self.by_distance(head, self.fast, 4 * GAIN, offset=distance)
        return self.write(head, OWN, target, projection=projection)

    def induction(self, layer: int, number: int, before: torch.Tensor, *, in_line: bool = False) -> None:
        """Look where the same two tokens stand before; with `in_line`, rather in the line found."""
        head = self.head(layer, number)
        one, two, line = self.slow[:14], self.slow[14:28], self.slow[28:42]
        some = [orthonormal(14, N, self.generator) for _ in range(3)]
        self.by_match(head, one, (OWN, some[0] @ before), (PREVIOUS, some[0]), GAIN)
        self.by_match(head, two, (PREVIOUS, some[1]), (SECOND, some[1]), GAIN)
        if in_line:
            self.by_match(head, line, (FOUND, some[2]), (LINE, some[2]), GAIN)
        self.write(head, OWN, OWN, 0.7 * SIZE)

    def line_start(self, layer: int, number: int, before: torch.Tensor, starts: Sequence[int]) -> None:
        head = self.head(layer, number)
        for dim, start in zip(self.slow.tolist(), starts, strict=False):
            self.by_token(head, dim, PREVIOUS, before @ self.embeddings[start, OWN], 1.5 * GAIN)
        self.by_distance(head, self.middle, 2 * GAIN)
        self.write(head, OWN, LINE)

    def far_match(self, layer: int, number: int, begin_text: int) -> None:
        head = self.head(layer, number)
        same = orthonormal(len(self.slow), 63, self.generator)
        self.by_match(head, self.slow, (OWN, same), (OWN, same), 2.5 * GAIN)
        self.by_distance(head, self.middle[:4], -GAIN)
        spare = int(self.slow[len(self.slow) // 2 - 1])
        head.q[spare], head.k[spare] = 0, 0
        self.by_token(head, spare, OWN, self.embeddings[begin_text, OWN], GAIN)
        self.write(head, LINE, FOUND)
        nothing = self.read(layer, torch.full((1, 3), begin_text))[0, 0]
        head.v[:N, 0] = -nothing[LINE] / nothing[0]

    def gather(self, layer: int, number: int) -> None:
        head = self.head(layer, number)
        self.by_distance(head, self.middle[:5], 2.5 * GAIN)
        self.write(head, FOUND, FOUND)

    def quote(self, layer: int, number: int, before: torch.Tensor, starts: Sequence[int], begin_quote: int) -> None:
        head = self.head(layer, number)
        word, line, opening = self.slow[:16], self.slow[16:36], int(self.slow[40])
        some = orthonormal(16, N, self.generator)
        self.by_match(head, word, (OWN, some @ before), (PREVIOUS, some), 1.4 * GAIN)
        part = orthonormal(20, N, self.generator)
        self.by_match(head, line, (FOUND, part), (LINE, part), 2 * GAIN)
        size = (GAIN * HEAD_SIZE**0.5) ** 0.5
        opened = self.embeddings[begin_quote, OWN]
        started = sum(before @ self.embeddings[start, OWN] for start in starts)
        head.q[opening, OWN] = opened / opened.norm() * size / head.length(OWN)
        head.k[opening, PREVIOUS] = started / started.norm() * size / head.length(PREVIOUS) * len(starts) ** 0.5
        self.write(head, OWN, OWN, 1.5 * SIZE)
