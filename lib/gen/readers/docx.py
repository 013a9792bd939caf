"""DOCX: paragraphs in order, headings as section paths, list items as `- ` lines, tables as `| a | b |` rows."""

import re
from pathlib import Path

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from docx.table import Table, _Cell, _Row

from lib.gen.readers.text import build
from lib.gen.records import Document, Mark

# What stands around runs and paragraphs; python-docx leaves out what is inside.
_WRAPS = [qn(f"w:{name}") for name in ("ins", "moveTo", "sdt", "sdtContent", "smartTag", "customXml", "fldSimple")]


def read_docx(path: Path, source: str) -> list[Document]:
    """Make one document of a Word file, tracked changes accepted. Headers, footers, notes, comments and text boxes are not read."""
    try:
        word = docx.Document(str(path))
    except (KeyError, ValueError, PackageNotFoundError) as error:
        raise ValueError("not a DOCX file, whatever its name says (an old DOC or another archive?)") from error
    _unwrap(word.element.body)
    title = ""
    headings: dict[int, str] = {}
    pieces: list[tuple[Mark, str]] = []
    lines: list[str] = []

    def close() -> None:
        pieces.append((Mark(0, None, " > ".join(headings[level] for level in sorted(headings))), "\n".join(lines)))

    for block in word.iter_inner_content():
        if isinstance(block, Table):
            lines += ["", *_rows(block), ""]
            continue
        text, style = block.text.strip(), (block.style.name if block.style is not None else "") or ""
        heading = re.match(r"(?:Heading|heading|Überschrift|Titre)\s*(\d)", style)
        if text and (heading or style == "Title"):
            close()
            level = int(heading.group(1)) if heading else 0
            headings = {depth: name for depth, name in headings.items() if depth < level} | {level: text}
            title = title or (text if level < 2 else "")
            lines = [text]
        elif text:
            lines.append(f"- {text}" if style.startswith("List") else text)
            lines += [] if style.startswith("List") else [""]
    close()
    return [build(source, title or (word.core_properties.title or ""), pieces)]


def _unwrap(body) -> None:
    """Put what stands in wraps in their place; a table of contents, which Word wraps too, goes."""
    for gallery in list(body.iter(qn("w:docPartGallery"))):
        wrap = next(gallery.iterancestors(qn("w:sdt")), None)
        if gallery.get(qn("w:val")) == "Table of Contents" and wrap is not None:
            wrap.getparent().remove(wrap)
    for wrap in list(body.iter(*_WRAPS)):
        for held in list(wrap):
            wrap.addprevious(held)
        wrap.getparent().remove(wrap)


def _rows(table: Table) -> list[str]:
    """A table as Markdown; Word does not say which row is the header, and the first is taken for it."""
    rows = []
    for row in table.rows:
        cells = [" ".join(_text(cell).split()) for cell in _cells(row)]
        if any(cells):
            rows.append("| " + " | ".join(cells) + " |")
            rows += ["|" + "---|" * len(cells)] if len(rows) == 1 and len(table.rows) > 1 else []
    return rows


def _cells(row: _Row) -> list[_Cell]:
    """The cells of a row; python-docx gives a merged one once per column it spans."""
    return [cell for before, cell in zip([None, *row.cells], row.cells, strict=False) if before is None or cell._tc is not before._tc]


def _text(cell: _Cell) -> str:
    """What stands in a cell, tables within it too."""
    parts: list[str] = []
    for block in cell.iter_inner_content():
        parts += [_text(held) for row in block.rows for held in _cells(row)] if isinstance(block, Table) else [block.text]
    return " ".join(parts)
