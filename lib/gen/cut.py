"""Where a text is cut: at paragraphs, lines, sentences and words, in that order, until every piece is short enough.

Lengths are whatever the caller counts in, characters or tokens.
"""

from collections.abc import Callable, Sequence

from langchain_text_splitters import RecursiveCharacterTextSplitter

SEPARATORS = ["\n\n", "\n", r"(?<=[.!?])\s+", r"(?<=[。！？])", r"\s+", ""]
Span = tuple[int, int]


def cut_recursive(text: str, size: int, overlap: int, length: Callable[[str], int] = len) -> list[Span]:
    """Spans of at most `size`; a short span is joined with its neighbour where both fit into one."""
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=size,
        chunk_overlap=overlap,
        length_function=length,
        separators=SEPARATORS,
        is_separator_regex=True,
    )
    spans: list[Span] = []
    for left, right in _find(text, splitter.split_text(text), overlap if length is len else None):
        last = spans[-1] if spans else None
        if (
            last
            and min(length(text[last[0] : last[1]]), length(text[left:right])) < size // 3
            and length(text[last[0] : right]) <= size
        ):
            spans[-1] = (last[0], right)
        else:
            spans.append((left, right))
    return spans


def _find(text: str, pieces: Sequence[str], overlap: int | None) -> list[Span]:
    """Where pieces stand in their text: each starts at most `overlap` characters before the end of the last, if that is known."""
    spans: list[Span] = []
    start = 0
    for piece in pieces:
        left = text.find(piece, max(0, start))
        right = left + len(piece)
        spans.append((left, right))
        start = left + 1 if overlap is None else right - overlap
    return spans


def cut_at(text: str, size: int, turns: Sequence[int]) -> list[Span]:
    """Spans between `turns`, none longer than `size` characters: one that is too long is cut like any text.

    Args:
        text: What is cut.
        size: Longest span, characters.
        turns: Offsets, in order, at which a span may end.
    """
    spans: list[Span] = []
    for left, right in zip([0, *turns], [*turns, len(text)]):
        body = text[left:right]
        left, right = left + len(body) - len(body.lstrip()), left + len(body.rstrip())
        if right <= left:
            continue
        last = spans[-1] if spans else None
        if last and min(last[1] - last[0], right - left) < size // 8 and right - last[0] <= size:
            spans[-1] = (last[0], right)  # a sentence on its own rarely says what it is about
        elif right - left <= size:
            spans.append((left, right))
        else:
            spans += [(left + a, left + b) for a, b in cut_recursive(text[left:right], size, 0)]
    return spans
