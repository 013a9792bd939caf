"""PDF: the text of every page with its number; words broken at a line's end joined, wrapped lines flowing again, columns one by one.

Not done: scanned pages (no text recognition), tables as tables.
"""

import re
from collections import Counter
from collections.abc import Iterable, Set
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import FileNotDecryptedError

from lib.gen.readers.columns import Piece, untangle
from lib.gen.readers.text import build
from lib.gen.records import Document, Mark

PROSE_CHARS = 35  # a shorter line is taken for a heading, a cell or a list item
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_COMPOUND = frozenset(
    "all cross ex half high long low multi non quasi self semi short well".split()
)  # they keep their hyphen


def read_pdf(path: Path, source: str) -> list[Document]:
    """Make one document of a PDF; a mark stands at the start of every page.

    Raises:
        ValueError: Encrypted, or no page holds text.
    """
    try:
        reader = PdfReader(path)
        pages = [_read_page(page) for page in reader.pages]
        title = str((reader.metadata or {}).get("/Title") or "")
    except FileNotDecryptedError:
        raise ValueError("encrypted: remove the password first") from None
    pages = drop_running_lines([re.split(r"\r\n|\r|\n", page) for page in pages])
    if not any(line.strip() for lines in pages for line in lines):
        raise ValueError(f"no text on its {len(pages)} pages (a scan? run text recognition first)")
    known = _whole_words(line for lines in pages for line in lines)
    pieces = [(Mark(0, number), flow(lines, known)) for number, lines in enumerate(pages, 1)]
    return [build(source, title, pieces)]


def _read_page(page) -> str:
    """A page's text; columns that it draws line by line, from one side to the other, come one after the other."""
    found: list[Piece] = []

    def note(text: str, place, matrix, _font, size: float) -> None:
        if text.strip():
            x = matrix[4] * place[0] + matrix[5] * place[2] + place[4]
            y = matrix[4] * place[1] + matrix[5] * place[3] + place[5]
            found.append(Piece(x, y, abs(size * place[0] * matrix[0]) or abs(size), text))

    text = page.extract_text(visitor_text=note) or ""
    return untangle(found) or text


def _whole_words(lines: Iterable[str]) -> set[str]:
    """Words and compounds that stand whole in a document: not those that a line's end may have cut."""
    known: set[str] = set()
    cut = False
    for line in lines:
        found = _WORD.findall(line.casefold())
        ends = line.rstrip().endswith("-")
        known.update(found[1 if cut else 0 : len(found) - 1 if ends else None])
        cut = ends
    return known


def drop_running_lines(pages: list[list[str]]) -> list[list[str]]:
    """Remove headers, footers and page numbers: lines at a page's edge that come back, digits aside, on most of three or more pages."""

    def shape(line: str) -> str:
        return re.sub(r"\d+", "0", " ".join(line.split()))

    if len(pages) < 3:
        return pages
    edges = Counter(s for lines in pages for s in {shape(line) for line in _edge(lines)})
    running = {s for s, n in edges.items() if s and n > 0.6 * len(pages)}
    return [[line for line in lines if not (shape(line) in running and line in _edge(lines))] for lines in pages]


def _edge(lines: list[str]) -> list[str]:
    full = [line for line in lines if line.strip()]
    return full[:2] + full[-2:]


def flow(lines: list[str], known: Set[str] = frozenset()) -> str:
    """Join wrapped lines into paragraphs.

    A line goes on in the next one when it is about as long as the lines around it, long enough for prose, and does not end
    a sentence; `hydro-` + `foil` becomes `hydrofoil`. Short lines (headings, tables, lists) stay lines.

    Args:
        lines: A page as it stands.
        known: Words that stand whole elsewhere; they tell `land-` + `grant` from `hydro-` + `foil`.
    """
    lines = [" ".join(line.split()) for line in lines]
    out = ""
    previous = 0  # length of the line as it stood on the page
    for number, line in enumerate(lines):
        around = sorted(len(held) for held in lines[max(0, number - 4) : number + 4] if held)
        wrapped = previous >= PROSE_CHARS and previous >= 0.75 * around[len(around) // 2] if around else False
        if not line:
            out += "\n\n"
        elif re.search(r"[^\W\d_]-$", out) and line[:1].islower():
            out = (out if _keeps_hyphen(out, line, known) else out[:-1]) + line
        elif out and not out.endswith("\n"):
            ended = re.search(r"[.!?:;。！？][\"”')\]]*(?:\[\d+\])*$", out)
            out += (" " if wrapped and not ended else "\n") + line
        else:
            out += line
        previous = len(line)
    return out


def _keeps_hyphen(before: str, after: str, known: Set[str]) -> bool:
    """Whether a hyphen at a line's end belongs to the word: as the document writes it elsewhere, else if both parts are words."""
    left, right = re.search(r"([\w-]*)-$", before), _WORD.match(after)
    if not left or not right:
        return False
    one, two = left.group(1).casefold(), right.group().casefold()
    if one + two in known or f"{one}-{two}" in known:
        return one + two not in known
    return one in _COMPOUND or (one in known and two in known and min(len(one), len(two)) >= 3)
