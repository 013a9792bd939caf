"""Chunks from documents: cut at paragraphs, lines and sentences, without exact copies, near-copies known.

The chunks made here are the ones that questions are written from, that contexts show and that 4_eval retrieves.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from datasketch import MinHash, MinHashLSH
from langchain_text_splitters import RecursiveCharacterTextSplitter

from lib.gen.records import API, Chunk, Document, Drop, Mark, content_id
from lib.gen.text import words
from lib.run import BadInput

MIN_CHARS = 40  # a shorter passage is a page number or a stray heading
NEAR = 0.8  # Jaccard similarity of word triples from which two chunks count as near-duplicates
_TABLE = re.compile(r"(?:^\|.*\|[ ]*(?:\n|\Z)){3,}", re.MULTILINE)
_DASHES = re.compile(r"\|(?:\s*:?-{2,}:?\s*\|)+\s*")
SEPARATORS = ["\n\n", "\n", r"(?<=[.!?])\s+", r"(?<=[。！？])", r"\s+", ""]


def cut_chunks(
    documents: Sequence[Document],
    *,
    chunker: str,
    chunk_chars: int,
    p_overlap: float,
    count_tokens: Callable[[str], int],
) -> tuple[list[Chunk], list[Drop]]:
    """Cut documents into chunks of at most `chunk_chars` characters; an API record stays whole.

    A chunk never reaches from one section into another, except that sections too short to stand alone (under a quarter of
    `chunk_chars`) are joined with what follows. Every chunk of a section begins with its heading, and one that begins inside
    a table with the table's header: passages without them often do not say what they are about. A chunk's page and section
    are those at its start.

    Args:
        documents: In the order in which chunks shall come.
        chunker: `recursive`.
        chunk_chars: Longest chunk, characters.
        p_overlap: Share of a chunk that may be repeated from the one before, in [0, 0.5].
        count_tokens: Length of a text in the student's tokens.

    Returns:
        Chunks in document order, without exact copies; and what was dropped.

    Raises:
        BadInput: An unknown chunker, a size out of range, or no passage at all.
    """
    if chunker != "recursive":
        raise BadInput(f"chunker: expected 'recursive', found {chunker!r}")
    if chunk_chars < 2 * MIN_CHARS or not 0 <= p_overlap <= 0.5:
        found = f"{chunk_chars} and {p_overlap}"
        raise BadInput(f"expected chunk_chars >= {2 * MIN_CHARS} and 0 <= p_overlap <= 0.5, found {found}")
    chunks: list[Chunk] = []
    dropped: list[Drop] = []
    first: dict[str, Chunk] = {}
    for document in documents:
        for start, text in _passages(document, chunk_chars, p_overlap):
            chunk_id = content_id(document.doc_id, text)
            flat = " ".join(words(text))
            if len(text) < MIN_CHARS:
                reason = f"shorter than {MIN_CHARS} characters"
                dropped.append(Drop("chunk", reason, chunk_id, document.source, text))
            elif flat in first:
                known = first[flat].chunk_id
                dropped.append(Drop("chunk", "copy of another chunk", chunk_id, document.source, text[:200], known))
            else:
                mark = _mark_at(document, start)
                about = (document.doc_id, document.source, document.title, mark.page, mark.section)
                chunk = Chunk(chunk_id, *about, text, len(text), count_tokens(text), type=document.type)
                chunks.append(chunk)
                first[flat] = chunk
    if not chunks:
        raise BadInput(f"documents: no passage of at least {MIN_CHARS} characters in {len(documents)} documents")
    return flag_near_duplicates(chunks), dropped


def _mark_at(document: Document, offset: int) -> Mark:
    return document.marks[max(0, bisect_right(document.marks, offset, key=lambda mark: mark.start) - 1)]


def _passages(document: Document, chunk_chars: int, p_overlap: float) -> Iterable[tuple[int, str]]:
    """Yield (offset in the document, text) of every passage."""
    if document.type == API:
        yield 0, document.text
        return
    for start, end in _blocks(document, chunk_chars):
        heading = _mark_at(document, start).section.split(" > ")[-1]
        text = document.text[start:end]
        if heading and text.startswith(heading) and len(heading) <= chunk_chars // 4:
            body = text[len(heading) :]
            offset, heading = start + len(heading), heading + "\n"
        else:
            body, offset, heading = text, start, ""
        size = chunk_chars - len(heading)
        tables = [table for table in _tables(body) if len(table[2]) <= size // 3]
        size -= max((len(header) for _, _, header in tables), default=0)
        for left, right in _cut(body, size, int(size * p_overlap)):
            header = next((head for first, end, head in tables if first + len(head) <= left < end), "")
            yield offset + left, heading + header + body[left:right]
        if not body.strip():
            yield start, text


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


def _cut(text: str, size: int, overlap: int) -> list[tuple[int, int]]:
    """Spans of at most `size` characters; a short span is joined with its neighbour where both fit into one."""
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=size,
        chunk_overlap=overlap,
        separators=SEPARATORS,
        is_separator_regex=True,
        add_start_index=True,
    )
    spans: list[tuple[int, int]] = []
    for piece in splitter.create_documents([text]):
        left = piece.metadata["start_index"]
        right = left + len(piece.page_content)
        last = spans[-1] if spans else None
        if last and right - last[0] <= size and min(last[1] - last[0], right - left) < size // 3:
            spans[-1] = (last[0], right)
        else:
            spans.append((left, right))
    return spans


def _blocks(document: Document, chunk_chars: int) -> Iterable[tuple[int, int]]:
    """Yield (start, end) of what is cut on its own: a section, or several where the first ones are too short to stand alone."""
    marks = document.marks
    starts = [mark.start for i, mark in enumerate(marks) if not i or mark.section != marks[i - 1].section]
    ends = [*starts[1:], len(document.text)]
    start = starts[0]
    for number, end in enumerate(ends):
        is_short = end - start < chunk_chars // 4
        if is_short and number + 1 < len(ends) and ends[number + 1] - start <= chunk_chars:
            continue
        yield start, end
        start = end


def shingles(text: str) -> set[tuple[str, ...]]:
    """Word triples of a text; a text of fewer words is one shingle."""
    found = words(text)
    return {tuple(found[i : i + 3]) for i in range(max(1, len(found) - 2))}


def flag_near_duplicates(chunks: list[Chunk]) -> list[Chunk]:
    """Give every chunk its `duplicate_group`: the id of the first chunk that it repeats, in a chain or directly; else its own.

    MinHash proposes pairs, the exact Jaccard similarity of word triples decides.
    """
    sets = [shingles(chunk.text) for chunk in chunks]
    index = MinHashLSH(threshold=NEAR - 0.15, num_perm=64)
    parent = list(range(len(chunks)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, held in enumerate(sets):
        sketch = MinHash(num_perm=64, seed=1)
        sketch.update_batch(["\0".join(shingle).encode() for shingle in sorted(held)])
        for j in sorted(map(int, index.query(sketch))):
            if len(held & sets[j]) >= NEAR * len(held | sets[j]):
                low, high = sorted((root(i), root(j)))
                parent[high] = low
        index.insert(str(i), sketch)
    return [replace(chunk, duplicate_group=chunks[root(i)].chunk_id) for i, chunk in enumerate(chunks)]


def token_counter(student_model: str) -> Callable[[str], int]:
    """Return a function that counts a text's tokens, in `token_unit(student_model)`."""
    path = Path(student_model) / "tokenizer.json"
    if not path.is_file():
        return lambda text: -(-len(text) // 4)
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def token_unit(student_model: str) -> str:
    """What is counted: the student's tokens where it is a local folder with a tokenizer, else an estimate."""
    known = (Path(student_model) / "tokenizer.json").is_file()
    return "tokens of the student" if known else "tokens (estimate: four characters each)"
