"""The passages of a run, searched for one question at a time as 4_eval searches them, and where quotes stand in them."""

import re
from collections.abc import Callable, Sequence
from functools import cached_property

from lib.llm.search import Search


class Passages:
    """Chunks and their search.

    Args:
        chunks: Rows of `dataset/chunks.jsonl`.
        open_search: Makes their search; called when first needed, since it may embed every chunk.
    """

    def __init__(self, chunks: Sequence[dict], open_search: Callable[[], Search]):
        self.chunks, self._open = list(chunks), open_search

    @cached_property
    def search(self) -> Search:
        """The search, made now if it was not yet."""
        return self._open()

    def find(self, question: str, top_k: int, earlier: str = "") -> list[dict]:
        """The `top_k` chunks that fit a question best, best first: those that 4_eval would show, unless it leans on an earlier one.

        Args:
            question: What is asked.
            top_k: How many.
            earlier: The question before, which this one may lean on.
        """
        return [self.chunks[i] for i in self.search.rank([question], top_k, [earlier])[0]]


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
