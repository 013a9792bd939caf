#!/usr/bin/env python3
"""Write the PDF and DOCX sample documents from their text in ``data/sources``.

    pip install reportlab python-docx
    python data/make_documents.py

The sources use a very small markup, one block per line: ``# `` title,
``## `` heading, ``> `` note under the title, ``- `` and ``1. `` list items,
``| a | b |`` table rows (the first row of a table is its header; a row that
begins with one of TABLE_BREAKS starts a new table), and everything else is a
paragraph.  Both writers are deterministic: running the script twice with
the same library versions gives the same bytes.
"""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "sources"
DOCUMENTS = HERE / "documents"

TARGETS = {
    "tansy-rowe-maintenance-manual.md": "ferry/tansy-rowe-maintenance-manual.pdf",
    "pilotage-notes.md": "harbour/pilotage-notes.pdf",
    "annual-report-2024.md": "office/annual-report-2024.pdf",
    "fuel-supply-contract-extract.md": "office/fuel-supply-contract-extract.pdf",
    "incident-report-corrie-lamb.md": "ferry/incident-report-corrie-lamb-2024.docx",
    "collections-policy.md": "museum/collections-policy.docx",
    "grant-application-shore-power.md": "office/grant-application-shore-power.docx",
    "letter-to-residents-quay-row.md": "office/letter-to-residents-quay-row.docx",
}

AUTHOR = "Veldrey Harbour & Ferry Trust"
STAMP = datetime.datetime(2025, 5, 2, 9, 0, 0)
TABLE_BREAKS = ("Expenditure 2024",)


def parse(text: str) -> list[tuple[str, object]]:
    """Blocks of a source file as (kind, content) pairs."""
    blocks: list[tuple[str, object]] = []
    for line in text.splitlines():
        line = line.strip()
        if not line:
            continue
        if line.startswith("|"):
            row = [cell.strip() for cell in line.strip("|").split("|")]
            if blocks and blocks[-1][0] == "table" and row[0] not in TABLE_BREAKS:
                blocks[-1][1].append(row)
            else:
                blocks.append(("table", [row]))
        elif line.startswith("## "):
            blocks.append(("heading", line[3:]))
        elif line.startswith("# "):
            blocks.append(("title", line[2:]))
        elif line.startswith("> "):
            blocks.append(("note", line[2:]))
        elif line.startswith("- "):
            blocks.append(("bullet", line[2:]))
        elif re.match(r"\d+\. ", line):
            blocks.append(("number", line))
        else:
            blocks.append(("paragraph", line))
    return blocks


def write_pdf(blocks: list[tuple[str, object]], target: Path) -> None:
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
    from reportlab.lib.units import mm
    from reportlab.pdfbase.pdfmetrics import stringWidth
    from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer

    class Row(Flowable):
        """A ruled table row written as one text object, so that text extraction
        keeps the cells of a row on one line."""

        def __init__(self, cells: list[str], widths: list[float], bold: bool) -> None:
            super().__init__()
            self.cells, self.widths, self.bold = cells, widths, bold
            self.width, self.height = sum(widths), 15
            self.keepWithNext = bold

        def wrap(self, *_: float) -> tuple[float, float]:
            return self.width, self.height

        def draw(self) -> None:
            canvas = self.canv
            canvas.setLineWidth(0.4)
            left = 0.0
            for width in self.widths:
                canvas.rect(left, 0, width, self.height)
                left += width
            text = canvas.beginText(5, 4)
            text.setFont("Times-Bold" if self.bold else "Times-Roman", 9.5)
            for width, cell in zip(self.widths, self.cells, strict=True):
                text.textOut(cell)
                text.moveCursor(width, 0)
            canvas.drawText(text)

    sheet = getSampleStyleSheet()
    body = ParagraphStyle(
        "Body", parent=sheet["BodyText"], fontName="Times-Roman", fontSize=10.5, leading=14, spaceAfter=5
    )
    styles = {
        "title": ParagraphStyle("DocTitle", parent=sheet["Title"], fontSize=17, leading=21),
        "heading": ParagraphStyle("Head", parent=sheet["Heading2"], fontSize=12.5, spaceBefore=8, keepWithNext=1),
        "note": ParagraphStyle("Note", parent=body, fontName="Times-Italic", textColor=colors.grey),
        "paragraph": body,
        "bullet": ParagraphStyle("Item", parent=body, leftIndent=12, bulletIndent=2, bulletFontName="Times-Roman"),
        "number": ParagraphStyle("Number", parent=body, leftIndent=12),
    }
    story: list = []
    title = ""
    for kind, content in blocks:
        if kind == "table":
            widths = [
                10 + max(stringWidth(c, "Times-Bold", 9.5) for c in column) for column in zip(*content, strict=True)
            ]
            story += [Row(row, widths, bold=number == 0) for number, row in enumerate(content)]
            story.append(Spacer(1, 8))
        elif kind == "bullet":
            story.append(Paragraph(escape(content), styles[kind], bulletText="\u2013"))
        else:
            title = title or content
            story.append(Paragraph(escape(content), styles[kind]))

    def footer(canvas, doc):
        canvas.saveState()
        canvas.setFont("Helvetica", 8)
        canvas.drawString(22 * mm, 12 * mm, AUTHOR)
        canvas.drawRightString(A4[0] - 22 * mm, 12 * mm, f"page {doc.page}")
        canvas.restoreState()

    document = SimpleDocTemplate(
        str(target),
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=20 * mm,
        bottomMargin=22 * mm,
        title=title,
        author=AUTHOR,
        invariant=1,
    )
    document.build(story, onFirstPage=footer, onLaterPages=footer)


def write_docx(blocks: list[tuple[str, object]], target: Path) -> None:
    from docx import Document

    document = Document()
    properties = document.core_properties
    properties.author = properties.last_modified_by = AUTHOR
    properties.created = properties.modified = STAMP
    properties.comments = ""
    for kind, content in blocks:
        if kind == "title":
            properties.title = content
            document.add_heading(content, level=0)
        elif kind == "heading":
            document.add_heading(content, level=1)
        elif kind == "note":
            document.add_paragraph().add_run(content).italic = True
        elif kind == "bullet":
            document.add_paragraph(content, style="List Bullet")
        elif kind == "number":
            document.add_paragraph(content.split(". ", 1)[1], style="List Number")
        elif kind == "table":
            table = document.add_table(rows=0, cols=len(content[0]), style="Table Grid")
            for number, row in enumerate(content):
                for cell, value in zip(table.add_row().cells, row, strict=True):
                    run = cell.paragraphs[0].add_run(value)
                    run.bold = number == 0
            document.add_paragraph()
        else:
            document.add_paragraph(content)
    raw = io.BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, date_time=(2025, 5, 2, 9, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            new.writestr(info, old.read(name))


def main() -> None:
    for source, relative in sorted(TARGETS.items()):
        target = DOCUMENTS / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        blocks = parse((SOURCES / source).read_text(encoding="utf-8"))
        (write_pdf if target.suffix == ".pdf" else write_docx)(blocks, target)
        print(f"{relative}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
