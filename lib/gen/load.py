"""Documents from a file, a folder or the pages of a sitemap: read by type, and a reason for everything that could not be read."""

import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lib.gen.crawl import Manners, crawl
from lib.gen.readers.html import looks_like_html, read_html
from lib.gen.readers.json import read_json
from lib.gen.readers.table import read_csv, read_parquet
from lib.gen.readers.text import html_charset, read_markdown, read_text
from lib.gen.records import Document, Drop, content_id
from lib.gen.sitemap import ENDINGS, is_sitemap, parse_sitemap
from lib.gen.webstore import Page, PageStore
from lib.run import BadInput
from lib.run.decode import decode, describe_guess

HTML = (".html", ".htm", ".xhtml")
TEXT_SUFFIXES = {".txt", ".text", ".md", ".markdown", ".rst", ".json", ".jsonl", ".ndjson", ".csv", ".tsv", *HTML}
_PLACE = re.compile(r"(line |row |#)\d+")  # of a record in its file
SUFFIXES = TEXT_SUFFIXES | {".pdf", ".docx", ".parquet"}


@dataclass(frozen=True)
class Loaded:
    """Documents in the order of their paths, what was dropped on the way, and the pages where they came from the web.

    `guessed` are files and pages, and the encoding that had to be guessed for each.
    """

    documents: tuple[Document, ...]
    dropped: tuple[Drop, ...]
    pages: tuple[Page, ...] = ()
    guessed: tuple[tuple[str, str], ...] = ()

    def warnings(self) -> dict[str, str]:
        """What the reader of a report should know."""
        if not self.guessed:
            return {}
        files = ", ".join(f"{source} ({encoding})" for source, encoding in self.guessed[:5])
        more = f" and {len(self.guessed) - 5} more" if len(self.guessed) > 5 else ""
        return {"encoding": f"the encoding was guessed of {files}{more}; if letters are wrong, save them as UTF-8"}

    def table(self):
        """One row per file, page or dropped record: source, documents, pages, sections, n_chars, problem.

        A page of the web has its provenance besides: final_url, fetched_at, status, content_type, sha256.
        """
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
        for source, encoding in self.guessed:
            if source in rows:
                rows[source]["problem"] = describe_guess(encoding)
        table = [{"source": source, **row} for source, row in rows.items()]
        empty = {"documents": 0, "pages": 0, "sections": 0, "n_chars": 0}
        table += [{"source": drop.source, **empty, "problem": problem} for drop, problem in _by_reason(self.dropped)]
        if self.pages:
            about = {page.url: page for page in self.pages}
            none = Page("")
            names = ("final_url", "fetched_at", "status", "content_type", "sha256")
            table = [row | {name: getattr(about.get(row["source"], none), name) for name in names} for row in table]
        return pd.DataFrame(table).sort_values("source", kind="stable", ignore_index=True)


def _by_reason(dropped: Sequence[Drop]) -> list[tuple[Drop, str]]:
    """The first drop of every file and reason, and its problem in words; further records of that file are counted."""
    held: dict[tuple[str, str], list[Drop]] = {}
    for drop in dropped:
        held.setdefault((drop.source, f"{drop.reason} {drop.detail}".strip()), []).append(drop)
    problems = []
    for (_, reason), drops in held.items():
        which = f"{drops[0].text}: " if _PLACE.fullmatch(drops[0].text) else ""
        more = f" (and {len(drops) - 1} more records)" if len(drops) > 1 else ""
        problems.append((drops[0], f"{which}{reason}{more}"))
    return problems


def load_documents(
    path: str | Path,
    *,
    text_column: str = "text",
    crawl_dir: Path | None = None,
    manners: Manners | None = None,
    refresh: bool = False,
) -> Loaded:
    """Read a file, every file below a folder, or every page of a sitemap.

    Args:
        path: PDF, Markdown, text, HTML, DOCX, JSON, JSONL, CSV, TSV or Parquet, a folder of such files (hidden files do not
            count), or the address or local file of a sitemap.
        text_column: Field of JSON, CSV, TSV and Parquet that holds the text.
        crawl_dir: Where the pages of a sitemap are kept, `runs/<run>/crawl`.
        manners: How a sitemap's pages are fetched; default `Manners()`.
        refresh: Ask again for pages that are kept.

    Returns:
        The documents; a broken, empty or unsupported file, and a second copy of a document, is a `Drop` with its reason.

    Raises:
        BadInput: The path does not exist, or nothing below it can be read.
    """
    if not is_sitemap(str(path)):
        _refuse_broken_sitemap(Path(path))
        found, dropped = _walk(Path(path))
        loaded = _load([(file, source, "") for file, source in found], text_column, ())
        return _some(replace(loaded, dropped=(*dropped, *loaded.dropped)), path)
    if crawl_dir is None:
        raise BadInput(f"documents: {path} is a sitemap, and this call was given no folder for its pages")
    pages = crawl(str(path), crawl_dir, manners or Manners(), refresh=refresh)
    files = [(crawl_dir / page.file, page.url, page.charset) for page in pages if page.file]
    return _some(_load(files, text_column, pages), path)


def _refuse_broken_sitemap(path: Path) -> None:
    """A file that is called like a sitemap can be nothing else; say what is wrong with it."""
    if path.name.lower().endswith(ENDINGS) and path.is_file():
        try:
            parse_sitemap(path.read_bytes())
        except ValueError as error:
            raise BadInput(f"documents: cannot read the sitemap {path}: {error}") from None


def read_kept(crawl_dir: Path, text_column: str) -> Loaded | None:
    """The documents that a crawl has fetched so far, nothing asked for; None where there are none."""
    pages = [page for page in PageStore(crawl_dir).pages() if page.file and (crawl_dir / page.file).is_file()]
    files = [(crawl_dir / page.file, page.url, page.charset) for page in pages]
    loaded = _load(files, text_column, pages)
    return loaded if loaded.documents else None


def _some(loaded: Loaded, path: str | Path) -> Loaded:
    if not loaded.documents:
        reasons = "; ".join(f"{drop.source}: {drop.reason}" for drop in loaded.dropped[:3]) or "the folder is empty"
        raise BadInput(
            f"documents: no readable document in {path} ({reasons}); readable are {', '.join(sorted(SUFFIXES))}"
        )
    return loaded


def _load(files: Sequence[tuple[Path, str, str]], text_column: str, pages: Sequence[Page]) -> Loaded:
    """Read files given as (path, what it is called, encoding if known); the first of several copies is kept."""
    documents: list[Document] = []
    dropped = [Drop("load", page.problem, content_id(page.url), page.url) for page in pages if page.problem]
    guessed: list[tuple[str, str]] = []
    texts: dict[str, str] = {}  # text -> source that first held it
    for file, source, charset in files:
        found, bad, guess = _read(file, source, text_column, charset)
        guessed += [(source, guess)] if guess else []
        bad = bad if found or bad else [("", "empty: no record in it")]
        dropped += [Drop("load", reason, content_id(source, which), source, which) for which, reason in bad]
        for document in found:
            if document.text in texts:
                about = (document.doc_id, source, document.text[:200], texts[document.text])
                dropped.append(Drop("load", "copy of another document", *about))
            else:
                texts[document.text] = source
                documents.append(document)
    return Loaded(tuple(documents), tuple(dropped), tuple(pages), tuple(guessed))


def _walk(root: Path) -> tuple[list[tuple[Path, str]], list[Drop]]:
    """Files to read in the order of their paths, and what each is called; and what is there and is no file to read."""
    if not os.path.exists(root):
        raise BadInput(f"documents: expected a file, a folder or a sitemap, found nothing at {root}")
    if root.is_file():
        return [(root, _name(root.name))], []
    files, dropped = [], []
    for folder, folders, names in os.walk(root, onerror=lambda error: dropped.append(_gone(root, error))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in (*folders, *names):
            path = Path(folder, name)
            if name.startswith(".") or (name in folders and not os.path.islink(path)):
                continue
            source, reason = _name(path.relative_to(root).as_posix()), _no_file(path)
            if reason:
                dropped.append(Drop("load", reason, content_id(source), source))
            else:
                files.append((path, source))
    return sorted(files), dropped


def _no_file(path: Path) -> str:
    """Why something in a folder is no file to read, or an empty string."""
    if os.path.isfile(path):  # unlike Path's, it does not raise in a folder that may not be entered
        return ""
    if os.path.isdir(path):
        return "a link to a folder, which is not followed: copy the folder here, or name it as documents"
    try:
        path.lstat()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "a link to nothing" if os.path.islink(path) else "no regular file"


def _gone(root: Path, error: OSError) -> Drop:
    source = _name(Path(error.filename).relative_to(root).as_posix())
    return Drop("load", f"the folder cannot be read: {error.strerror}", content_id(source), source)


def _name(name: str) -> str:
    """A file name as text: bytes that are not UTF-8 are written out, since no file, table or log could hold them."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _read(file: Path, source: str, text_column: str, charset: str) -> tuple[list[Document], list[tuple[str, str]], str]:
    """Read one file; whatever goes wrong becomes a reason. With the encoding that had to be guessed."""
    suffix, guess = file.suffix.lower(), ""
    if suffix not in SUFFIXES:
        return [], [("", f"unsupported type {suffix or 'without suffix'}")], guess
    try:
        if file.stat().st_size == 0:
            raise ValueError("empty: 0 bytes")
        if suffix == ".pdf":
            from lib.gen.readers.pdf import read_pdf

            logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its complaints name no file; what matters is raised
            return read_pdf(file, source), [], guess
        if suffix == ".docx":
            from lib.gen.readers.docx import read_docx

            return read_docx(file, source), [], guess
        if suffix == ".parquet":
            return *read_parquet(file, source, text_column), guess
        data = file.read_bytes()
        text, guess = decode(data, charset or (html_charset(data) if suffix in HTML else ""))
        if suffix in (".json", ".jsonl", ".ndjson"):
            return *read_json(text, source, text_column), guess
        if suffix in (".csv", ".tsv"):
            return *read_csv(text, source, text_column), guess
        if suffix in HTML or looks_like_html(text):
            return read_html(text, source), [], guess
        return (read_markdown if suffix in (".md", ".markdown") else read_text)(text, source), [], guess
    except Exception as error:  # any parser may fail in any way on a broken file; the rest of the folder goes on
        reason = str(error) if isinstance(error, ValueError) else f"broken: {type(error).__name__}: {error}"
        reason = f"cannot be read: {error.strerror}" if isinstance(error, PermissionError) else reason
        return [], [("", " ".join(reason.split())[:200])], guess
