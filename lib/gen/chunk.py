"""Chunks from documents: cut by characters, by the student's tokens or where the meaning turns; copies out, near-copies known.

The chunks made here are the ones that questions are written from, that contexts show and that 4_eval retrieves.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from lib.gen.cut import Span, cut_at, cut_recursive
from lib.gen.dedupe import drop_near_duplicates, flag_near_duplicates
from lib.gen.records import API, Chunk, Document, Drop, Mark, content_id
from lib.gen.semantic import find_turns
from lib.llm.words import split_words
from lib.run import BadInput
from lib.run.tokens import CHARS_A_TOKEN, find_counter, tokenizer_file

CHUNKERS = ("recursive", "tokens", "semantic")
NEAR_DUPLICATES = ("group", "drop")
MIN_CHARS = 40  # a shorter passage is a page number or a stray heading
MIN_TOKENS = 16
_TABLE = re.compile(r"(?:^\|.*\|[ ]*(?:\n|\Z)){3,}", re.MULTILINE)
_DASHES = re.compile(r"\|(?:\s*:?-{2,}:?\s*\|)+\s*")


@dataclass(frozen=True)
class _Ruler:
    """What a chunk may hold: its size, how that is counted, and where a document's meaning turns (None: cut at sizes)."""

    size: int
    overlap: float
    length: Callable[[str], int]
    turns: dict[str, list[int]] | None = field(default=None)

    def holds(self, text: str, start: int, end: int, parts: int = 1) -> bool:
        """Whether a piece fits into a whole chunk, or stays under a part of one."""
        length = end - start if self.length is len else self.length(text[start:end])
        return length <= self.size if parts == 1 else length < self.size // parts

    def cut(self, document: Document, start: int, body: str, size: int) -> list[Span]:
        """Spans of `body`, which stands at `start` in the document."""
        if self.turns is None:
            return cut_recursive(body, size, int(size * self.overlap), self.length)
        found = self.turns.get(document.doc_id, [])
        inside = found[bisect_right(found, start) : bisect_right(found, start + len(body) - 1)]
        return cut_at(body, size, [turn - start for turn in inside])


def check_chunking(
    *,
    chunker: str,
    chunk_chars: int,
    p_overlap: float,
    chunk_tokens: int = 256,
    min_chunk_chars: int = MIN_CHARS,
    p_breakpoint: float = 0.1,
    near_duplicates: str = "group",
) -> None:
    """Refuse sizes that cannot work.

    Raises:
        BadInput: Names the parameter, what was expected and what came.
    """
    if chunker not in CHUNKERS:
        raise BadInput(f"chunker: expected one of {', '.join(CHUNKERS)}; found {chunker!r}")
    if near_duplicates not in NEAR_DUPLICATES:
        raise BadInput(f"near_duplicates: expected one of {', '.join(NEAR_DUPLICATES)}; found {near_duplicates!r}")
    if chunk_chars < 2 * MIN_CHARS or not 0 <= p_overlap <= 0.5:
        found = f"{chunk_chars} and {p_overlap}"
        raise BadInput(f"expected chunk_chars >= {2 * MIN_CHARS} and 0 <= p_overlap <= 0.5, found {found}")
    if chunker == "tokens" and chunk_tokens < MIN_TOKENS:
        raise BadInput(f"chunk_tokens: expected {MIN_TOKENS} or more, found {chunk_tokens}")
    if not 0 <= min_chunk_chars <= chunk_chars // 2:
        raise BadInput(f"min_chunk_chars: expected 0 to half of chunk_chars ({chunk_chars}), found {min_chunk_chars}")
    if not 0 <= p_breakpoint <= 1:
        raise BadInput(f"p_breakpoint: expected a share between 0 and 1, found {p_breakpoint}")


def cut_chunks(
    documents: Sequence[Document],
    *,
    chunker: str,
    chunk_chars: int,
    p_overlap: float,
    count_tokens: Callable[[str], int],
    chunk_tokens: int = 256,
    min_chunk_chars: int = MIN_CHARS,
    p_breakpoint: float = 0.1,
    near_duplicates: str = "group",
    embed: Callable[[list[str]], np.ndarray] | None = None,
) -> tuple[list[Chunk], list[Drop]]:
    """Cut documents into chunks; an API record stays whole.

    A chunk never reaches from one section into another, except that sections too short to stand alone (under a quarter of
    a chunk) are joined with what follows. Every chunk of a section begins with its heading, and one that begins inside
    a table with the table's header: passages without them often do not say what they are about. A chunk's page and section
    are those at its start.

    Args:
        documents: In the order in which chunks shall come.
        chunker: `recursive` (at most `chunk_chars`), `tokens` (at most `chunk_tokens`), or `semantic` (where the meaning turns,
            at most `chunk_chars`, without overlap).
        chunk_chars: Longest chunk, characters.
        p_overlap: Share of a chunk that may be repeated from the one before, in [0, 0.5].
        count_tokens: Length of a text in the student's tokens.
        chunk_tokens: Longest chunk, tokens.
        min_chunk_chars: A shorter chunk is dropped.
        p_breakpoint: Share of the sentence boundaries at which a semantic chunk ends.
        near_duplicates: `group` keeps them, marked as one group; `drop` keeps the first.
        embed: Vectors of length 1 for texts, (n_texts, d); needed by `semantic` only.

    Returns:
        Chunks in document order, without exact copies; and what was dropped.

    Raises:
        BadInput: An unknown chunker, a size out of range, or no passage at all.
    """
    sizes = {"chunker": chunker, "chunk_chars": chunk_chars, "p_overlap": p_overlap, "chunk_tokens": chunk_tokens}
    sizes |= {"min_chunk_chars": min_chunk_chars, "p_breakpoint": p_breakpoint, "near_duplicates": near_duplicates}
    check_chunking(**sizes)
    ruler = _Ruler(chunk_chars, p_overlap, len)
    if chunker == "tokens":
        ruler = _Ruler(chunk_tokens, p_overlap, lru_cache(100_000)(count_tokens))
    elif chunker == "semantic":
        if embed is None:
            raise BadInput("chunker semantic: expected an embedder, found none")
        ruler = _Ruler(chunk_chars, 0.0, len, find_turns(documents, embed, p_breakpoint))
    chunks: list[Chunk] = []
    dropped: list[Drop] = []
    first: dict[str, str] = {}
    for document in documents:
        for start, text in _passages(document, ruler):
            chunk_id = content_id(document.doc_id, text)
            flat = content_id(*split_words(text))
            if len(text) < min_chunk_chars:
                reason = f"shorter than {min_chunk_chars} characters"
                dropped.append(Drop("chunk", reason, chunk_id, document.source, text))
            elif flat in first:
                about = (chunk_id, document.source, text[:200], first[flat])
                dropped.append(Drop("chunk", "copy of another chunk", *about))
            else:
                mark = _mark_at(document, start)
                about = (document.doc_id, document.source, document.title, mark.page, mark.section)
                chunks.append(Chunk(chunk_id, *about, text, len(text), count_tokens(text), type=document.type))
                first[flat] = chunk_id
    if not chunks:
        raise BadInput(f"documents: no passage of at least {min_chunk_chars} characters in {len(documents)} documents")
    chunks = flag_near_duplicates(chunks)
    if near_duplicates == "drop":
        chunks, repeated = drop_near_duplicates(chunks)
        dropped += repeated
    return chunks, dropped


def _mark_at(document: Document, offset: int) -> Mark:
    return document.marks[max(0, bisect_right(document.marks, offset, key=lambda mark: mark.start) - 1)]


def _passages(document: Document, ruler: _Ruler) -> Iterable[tuple[int, str]]:
    """Yield (offset in the document, text) of every passage."""
    if document.type == API:
        yield 0, document.text
        return
    for start, end in _blocks(document, ruler):
        heading = _mark_at(document, start).section.split(" > ")[-1]
        text = document.text[start:end]
        if heading and text.startswith(heading) and ruler.length(heading) <= ruler.size // 4:
            body = text[len(heading) :]
            offset, heading = start + len(heading), heading + "\n"
        else:
            body, offset, heading = text, start, ""
        size = ruler.size - ruler.length(heading)
        tables = [table for table in _tables(body) if ruler.length(table[2]) <= size // 3]
        size -= max((ruler.length(header) for _, _, header in tables), default=0)
        for left, right in ruler.cut(document, offset, body, size):
            header = next((head for first, end, head in tables if first + len(head) <= left < end), "")
            yield from _fit(offset + left, heading + header, body[left:right], ruler)
        if not body.strip():
            yield start, text


def _fit(start: int, head: str, text: str, ruler: _Ruler) -> Iterable[tuple[int, str]]:
    """A passage, or its halves where it is too long after all: tokens of two texts joined may be more than of each."""
    if ruler.length is len or ruler.length(head + text) <= ruler.size or len(text) < 2:
        yield start, head + text
        return
    middle = len(text) // 2
    middle = text.rfind(" ", 1, middle) + 1 or middle
    yield from _fit(start, head, text[:middle].rstrip(), ruler)
    yield from _fit(start + middle, head, text[middle:], ruler)


def _tables(text: str) -> Iterable[tuple[int, int, str]]:
    """Yield (start, end, header) of every table: rows that are cut from their header would be numbers without a name.

    The header is the first row where a line of dashes follows, or where it is the only row kind without a digit.
    """
    for table in _TABLE.finditer(text):
        first, second, *rest = table.group().split("\n")
        if _DASHES.fullmatch(second):
            yield table.start(), table.end(), f"{first}\n{second}\n"
        elif not re.search(r"\d", first) and all(re.search(r"\d", row) for row in (second, *rest) if row):
            yield table.start(), table.end(), f"{first}\n"


def _blocks(document: Document, ruler: _Ruler) -> Iterable[tuple[int, int]]:
    """Yield (start, end) of what is cut on its own: a section, or several where the first ones are too short to stand alone."""
    marks = document.marks
    starts = [mark.start for i, mark in enumerate(marks) if not i or mark.section != marks[i - 1].section]
    ends = [*starts[1:], len(document.text)]
    start = starts[0]
    for number, end in enumerate(ends):
        more = number + 1 < len(ends)
        if more and ruler.holds(document.text, start, end, 4) and ruler.holds(document.text, start, ends[number + 1]):
            continue
        yield start, end
        start = end


def token_counter(student_model: str) -> Callable[[str], int]:
    """Return a function that counts a text's tokens, in `token_unit(student_model)`."""
    return find_counter(student_model) or (lambda text: -(-len(text) // CHARS_A_TOKEN))


def token_unit(student_model: str) -> str:
    """What is counted: the student's tokens where its tokenizer is on this machine, else an estimate."""
    known = tokenizer_file(student_model)
    return "tokens of the student" if known else "tokens (estimate: four characters each)"
