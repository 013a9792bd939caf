"""Documents from a file or a folder: walk, read by type, and a reason for everything that could not be read.

Sitemaps and columns of CSV or Parquet are not read yet.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from lib.gen.readers.html import looks_like_html, read_html
from lib.gen.readers.json import read_json
from lib.gen.readers.text import decode, read_markdown, read_text
from lib.gen.records import Document, Drop, content_id
from lib.run import BadInput

TEXT_SUFFIXES = {".txt", ".text", ".md", ".markdown", ".rst", ".html", ".htm", ".xhtml", ".json", ".jsonl", ".ndjson"}
SUFFIXES = TEXT_SUFFIXES | {".pdf", ".docx"}


@dataclass(frozen=True)
class Loaded:
    """Documents in the order of their paths, and what was dropped on the way."""

    documents: tuple[Document, ...]
    dropped: tuple[Drop, ...]

    def table(self):
        """One row per file or dropped record: source, documents, pages, sections, n_chars, problem."""
        import pandas as pd

        rows: dict[str, dict] = {}
        for document in self.documents:
            row = rows.setdefault(
                document.source, {"documents": 0, "pages": 0, "sections": 0, "n_chars": 0, "problem": ""}
            )
            row["documents"] += 1
            row["pages"] = max(row["pages"], *(mark.page or 0 for mark in document.marks))
            row["sections"] += len({mark.section for mark in document.marks if mark.section})
            row["n_chars"] += len(document.text)
        table = [{"source": source, **row} for source, row in rows.items()]
        empty = {"documents": 0, "pages": 0, "sections": 0, "n_chars": 0}
        table += [
            {"source": drop.source, **empty, "problem": " ".join([drop.reason, drop.detail]).strip()}
            for drop in self.dropped
        ]
        return pd.DataFrame(table).sort_values("source", kind="stable", ignore_index=True)


def load_documents(path: str | Path) -> Loaded:
    """Read a file, or every file below a folder.

    Args:
        path: PDF, Markdown, text, HTML, DOCX, JSON or JSONL, or a folder of such files. Hidden files do not count.

    Returns:
        The documents; a broken, empty or unsupported file, and a second copy of a document, is a `Drop` with its reason.

    Raises:
        BadInput: The path does not exist, or nothing below it can be read.
    """
    root = Path(path)
    if not root.exists():
        raise BadInput(f"documents: expected a file or folder, found nothing at {root}")
    files = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
    documents: list[Document] = []
    dropped: list[Drop] = []
    texts: dict[str, str] = {}  # text -> source that first held it
    for file in files:
        source = file.name if root.is_file() else file.relative_to(root).as_posix()
        if any(part.startswith(".") for part in source.split("/")):
            continue
        found, bad = _read(file, source)
        dropped += [Drop("load", reason, content_id(source, which), source, which) for which, reason in bad]
        for document in found:
            first = texts.setdefault(document.text, source)
            if first != source or any(held.doc_id == document.doc_id for held in documents[-len(found) :]):
                dropped.append(
                    Drop("load", "copy of another document", document.doc_id, source, document.text[:200], first)
                )
            else:
                documents.append(document)
    if not documents:
        reasons = "; ".join(f"{drop.source}: {drop.reason}" for drop in dropped[:3]) or "the folder is empty"
        raise BadInput(
            f"documents: no readable document in {root} ({reasons}); readable are {', '.join(sorted(SUFFIXES))}"
        )
    return Loaded(tuple(documents), tuple(dropped))


def _read(file: Path, source: str) -> tuple[list[Document], list[tuple[str, str]]]:
    """Read one file; whatever goes wrong becomes a reason."""
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        return [], [("", f"unsupported type {suffix or 'without suffix'}")]
    try:
        if file.stat().st_size == 0:
            raise ValueError("empty: 0 bytes")
        if suffix == ".pdf":
            from lib.gen.readers.pdf import read_pdf

            logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its complaints name no file; what matters is raised
            return read_pdf(file, source), []
        if suffix == ".docx":
            from lib.gen.readers.docx import read_docx

            return read_docx(file, source), []
        text = decode(file.read_bytes())
        if suffix in (".json", ".jsonl", ".ndjson"):
            return read_json(text, source)
        if suffix in (".html", ".htm", ".xhtml") or looks_like_html(text):
            return read_html(text, source), []
        return (read_markdown if suffix in (".md", ".markdown") else read_text)(text, source), []
    except Exception as error:  # any parser may fail in any way on a broken file; the rest of the folder goes on
        reason = str(error) if isinstance(error, ValueError) else f"broken: {type(error).__name__}: {error}"
        return [], [("", " ".join(reason.split())[:200])]
