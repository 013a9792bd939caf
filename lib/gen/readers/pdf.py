"""PDF: the text of every page with its number; words broken at a line's end joined, wrapped lines flowing again.

Not done: columns beyond what pypdf untangles, scanned pages (no text recognition), tables as tables.
"""

import re
from collections import Counter
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import FileNotDecryptedError

from lib.gen.readers.text import build
from lib.gen.records import Document, Mark

PROSE_CHARS = 35  # a shorter line is taken for a heading, a cell or a list item


def read_pdf(path: Path, source: str) -> list[Document]:
    """Make one document of a PDF; a mark stands at the start of every page.

    Raises:
        ValueError: Encrypted, or no page holds text.
    """
    reader = PdfReader(path)
    try:
        pages = [page.extract_text() or "" for page in reader.pages]
        title = str((reader.metadata or {}).get("/Title") or "")
    except FileNotDecryptedError:
        raise ValueError("encrypted: remove the password first") from None
    pages = drop_running_lines([re.split(r"\r\n|\r|\n", page) for page in pages])
    if not any(line.strip() for lines in pages for line in lines):
        raise ValueError(f"no text on its {len(pages)} pages (a scan? run text recognition first)")
    pieces = [(Mark(0, number), flow(lines)) for number, lines in enumerate(pages, 1)]
    return [build(source, title, pieces)]


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


def flow(lines: list[str]) -> str:
    """Join wrapped lines into paragraphs.

    A line goes on in the next one when it is about as long as the lines around it, long enough for prose, and does not end
    a sentence; `hydro-` + `foil` becomes `hydrofoil`. Short lines (headings, tables, lists) stay lines.
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
            out = out[:-1] + line
        elif out and not out.endswith("\n"):
            ended = re.search(r"[.!?:;。！？][\"”')\]]*(?:\[\d+\])*$", out)
            out += (" " if wrapped and not ended else "\n") + line
        else:
            out += line
        previous = len(line)
    return out
