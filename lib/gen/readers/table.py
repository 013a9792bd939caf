"""CSV, TSV and Parquet: a document for every row of a text column, called by the row's `title` where there is one."""

from collections.abc import Iterable
from pathlib import Path

from lib.gen.readers.text import build
from lib.gen.records import Document, Mark
from lib.run.tables import csv_rows


def read_csv(text: str, source: str, column: str) -> tuple[list[Document], list[tuple[str, str]]]:
    """Make a document of every row; the delimiter is the one of `,`, `;`, tab and `|` that the header row holds most.

    Raises:
        ValueError: The text column is not there, or the header row cannot be read.
    """
    names, rows = csv_rows(text)
    _need(column, names)
    return _documents(((f"row {n}", row, problem) for n, (row, problem) in enumerate(rows, 1)), source, column)


def read_parquet(path: Path, source: str, column: str) -> tuple[list[Document], list[tuple[str, str]]]:
    """Make a document of every row.

    Raises:
        ValueError: The text column is not there.
    """
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        names = file.schema_arrow.names
        _need(column, names)
        wanted = [name for name in names if name in (column, "title")]
        rows = (row for batch in file.iter_batches(batch_size=1024, columns=wanted) for row in batch.to_pylist())
        return _documents(((f"row {n}", row, "") for n, row in enumerate(rows, 1)), source, column)


def _need(column: str, names: Iterable[str]) -> None:
    if column not in names:
        raise ValueError(f"no column {column!r} (columns: {', '.join(list(names)[:8]) or 'none'}); set text_column")


def _documents(rows: Iterable[tuple[str, dict, str]], source: str, column: str):
    documents, bad = [], []
    for which, row, problem in rows:
        text = row.get(column)
        try:
            if text is not None and not isinstance(text, str):
                raise ValueError(f"{column} is no text but {type(text).__name__}")
            if problem:
                raise ValueError(problem)
            documents.append(build(source, str(row.get("title") or ""), [(Mark(0), text or "")]))
        except ValueError as error:
            bad.append((which, str(error)))
    return documents, bad
