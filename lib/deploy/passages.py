"""The passages of a run, searched by their words for one question at a time: what a chat shows the model."""

import re
import unicodedata
from collections.abc import Sequence

from lib.run import BadInput

_WORD = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+")
EARLIER_WEIGHT = 0.3  # of the question before: "and on Sundays?" needs it, a new subject is not drowned by it


class Passages:
    """Chunks and their BM25 index.

    Args:
        chunks: Rows of `dataset/chunks.jsonl`.
    """

    def __init__(self, chunks: Sequence[dict]):
        import bm25s  # here: it brings scipy

        if not chunks:
            raise BadInput("chat: dataset/chunks.jsonl holds no chunks; run 1_gen again")
        self.chunks = list(chunks)
        self._index = bm25s.BM25()
        texts = [" \n".join(filter(None, (c.get("title"), c.get("section"), c["text"]))) for c in self.chunks]
        self._index.index([words(text) or [""] for text in texts], show_progress=False)

    def find(self, question: str, top_k: int, earlier: str = "") -> list[dict]:
        """The `top_k` chunks that fit a question best, best first; ties in the chunks' order.

        Args:
            question: What is asked.
            top_k: How many.
            earlier: The question before, which this one may lean on.
        """
        scores = self._index.get_scores(words(question) or [""])
        if earlier:
            scores = scores + EARLIER_WEIGHT * self._index.get_scores(words(earlier) or [""])
        return [self.chunks[i] for i in (-scores).argsort(kind="stable")[:top_k]]


def words(text: str) -> list[str]:
    """Words and numbers without case."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def find_quote(passage: str, quote: str) -> tuple[int, int] | None:
    """Where a quote stands in a passage, (start, end), whatever the whitespace between its words; None where it does not."""
    pattern = r"\s+".join(re.escape(word) for word in quote.split())
    found = re.search(pattern, passage) if pattern else None
    return found.span() if found else None


def split_quotes(passage: str, quotes: Sequence[str]) -> list[tuple[str, bool]]:
    """A passage cut into pieces, each with whether it is quoted; quotes that overlap are one."""
    spans = sorted(span for quote in quotes if (span := find_quote(passage, quote)))
    pieces, at = [], 0
    for start, end in spans:
        if end <= at:
            continue
        start = max(start, at)
        pieces += [(passage[at:start], False), (passage[start:end], True)]
        at = end
    return [piece for piece in [*pieces, (passage[at:], False)] if piece[0]]
