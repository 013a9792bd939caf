"""Rows in files: JSONL, JSON, CSV, Parquet, Arrow and `datasets` folders, read and written one part at a time.

A row is a dict. Nothing is held that was written: memory does not grow with the rows, save for a JSON file, which is read whole.
"""

import csv
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from lib.run.decode import decode_file
from lib.run.errors import BadInput

READ = (".jsonl", ".json", ".csv", ".parquet", ".arrow")
WRITTEN = (".jsonl", ".parquet", ".arrow")
KINDS = ("jsonl", "parquet", "arrow", "hf")
csv.field_size_limit(1 << 30)  # the default of 128 KiB is shorter than many documents
BATCH = 500  # rows in memory while they are written; also the row group of a Parquet file


def read_rows(path: str | Path, split: str = "train") -> Iterator[dict]:
    """Rows of a file, or of a folder that `datasets` saved.

    Args:
        path: A file ending in one of `READ`, or a folder with `.arrow` files, in it or in its folder `split`.
        split: The part of a folder that has several.

    Raises:
        BadInput: No such file, an ending that is not known, or a file that cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(path.glob("*.arrow")) or sorted((path / split).glob("*.arrow"))
        if not files:
            parts = sorted(f.parent.name for f in path.glob("*/*.arrow"))
            raise BadInput(f"{path}: expected a folder with .arrow files or one for split {split!r}, found {', '.join(parts) or 'none'}")
    elif not path.is_file():
        raise BadInput(f"{path}: expected a file or folder, found nothing there")
    elif path.suffix.lower() not in READ:
        raise BadInput(f"{path}: expected a file ending in {', '.join(READ)}")
    else:
        files = [path]
    try:
        for file in files:
            yield from _READERS[file.suffix.lower()](file)
    except (ValueError, OSError, KeyError, csv.Error) as error:  # what json, csv and pyarrow raise at a broken file
        raise BadInput(f"{path} cannot be read: {type(error).__name__}: {error}") from error


def _jsonl(path: Path) -> Iterator[dict]:
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            try:
                yield _object(json.loads(line))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file, one in memory at a time; a file that is not UTF-8 is read whole."""
    done = 0
    with open(path, "rb") as file:
        head = file.read(1 << 20)
        file.seek(0)
        narrow = b"\0" not in head and head[:2] not in (b"\xff\xfe", b"\xfe\xff")  # else UTF-16: no line ends to be seen in the bytes
        for line in file if narrow else ():
            try:
                text = line.decode("utf-8-sig")
            except UnicodeDecodeError:
                narrow = False
                break
            yield text
            done += 1
    if not narrow:
        yield from islice(decode_file(path).split("\n"), done, None)


def _json(path: Path) -> Iterator[dict]:
    rows = json.loads(decode_file(path))
    yield from map(_object, rows if isinstance(rows, list) else [rows])


def _object(row: object) -> dict:
    if not isinstance(row, dict):
        raise ValueError("expected objects")
    return row


def _csv(path: Path) -> Iterator[dict]:
    for row, problem in csv_rows(decode_file(path))[1]:
        if problem:
            raise ValueError(problem)
        yield row


def csv_rows(text: str) -> tuple[list[str], Iterator[tuple[dict, str]]]:
    """Column names and rows of a CSV or TSV text; the delimiter is the one of `,`, `;`, tab and `|` that the header row holds most.

    With every row comes what is wrong with it, else an empty text: more cells than the header, as where a text's comma is not quoted; or
    a quote that is never closed, which would make one cell of the lines that follow.

    Raises:
        ValueError: The header row has such a quote.
    """
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=head.count), strict=True)
    try:
        reader.fieldnames = [name.strip() for name in reader.fieldnames or []]  # "title, text" names `text`
        return list(reader.fieldnames), _checked(reader)
    except csv.Error:
        raise ValueError(_broken_quote(1, reader.reader.line_num)) from None


def _checked(rows: csv.DictReader) -> Iterator[tuple[dict, str]]:
    while True:
        first = rows.reader.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield {}, _broken_quote(first, rows.reader.line_num)
        else:
            yield row, f"more cells than the header's {len(row) - 1}" if any(row.get(None) or ()) else ""


def _broken_quote(first: int, last: int) -> str:
    where = f"line {first}" if last <= first else f"lines {first} to {last}"
    return f'{where}: a quoted cell is not closed, or text follows its closing quote; write a quote inside a cell as ""'


def _parquet(path: Path) -> Iterator[dict]:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH):
            yield from batch.to_pylist()


def _arrow(path: Path) -> Iterator[dict]:
    """The stream that `datasets` writes, or the file format."""
    import pyarrow

    with pyarrow.memory_map(str(path)) as source:
        try:
            batches = pyarrow.ipc.open_stream(source)
        except pyarrow.ArrowInvalid:
            file = pyarrow.ipc.open_file(source)
            batches = (file.get_batch(i) for i in range(file.num_record_batches))
        for batch in batches:
            yield from batch.to_pylist()


_READERS = {".jsonl": _jsonl, ".json": _json, ".csv": _csv, ".parquet": _parquet, ".arrow": _arrow}


def write_rows(path: str | Path, rows: Iterable[dict]) -> int:
    """Write rows by the ending of `path` (`WRITTEN`; none: a `datasets` folder) and return how many; a reader sees all of them or none.

    Raises:
        BadInput: Another ending, or no rows: a table without rows has no columns.
    """
    path = Path(path)
    if path.suffix not in ("", *WRITTEN):
        raise BadInput(f"{path}: expected a file ending in {', '.join(WRITTEN)}, or a name without ending for a datasets folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        n = {".jsonl": _write_jsonl, ".parquet": _write_parquet, ".arrow": _write_arrow, "": _write_folder}[path.suffix](partial, rows)
        remove_folder(path)
        os.replace(partial, path)
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        partial.unlink(missing_ok=True)
    return n


def remove_folder(path: Path) -> None:
    """Remove a folder that the `datasets` library wrote, if there is one.

    Raises:
        BadInput: A folder of another kind.
    """
    if path.is_dir():
        if not (path / "dataset_info.json").is_file():
            raise BadInput(f"{path}: is a folder that no datasets library wrote; name another")
        shutil.rmtree(path)


def _write_jsonl(path: Path, rows: Iterable[dict]) -> int:
    n = 0
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            n += 1
        file.flush()
        os.fsync(file.fileno())
    return n


def _batches(rows: Iterable[dict], path: Path) -> Iterator:
    """Record batches of one schema, that of the first batch; a column that is empty there is text."""
    import pyarrow

    rows, schema = iter(rows), None
    while part := list(islice(rows, BATCH)):
        if schema is None:
            found = pyarrow.Table.from_pylist(part).schema
            schema = pyarrow.schema([_known(field) for field in found])
        yield pyarrow.RecordBatch.from_pylist(part, schema=schema)
    if schema is None:
        raise BadInput(f"{path.name.strip('.').split('.')[0]}: no rows to write")


def _known(field):
    """A column of nothing but null or empty lists holds text."""
    import pyarrow

    kind = field.type
    if pyarrow.types.is_null(kind):
        kind = pyarrow.string()
    elif pyarrow.types.is_list(kind) and pyarrow.types.is_null(kind.value_type):
        kind = pyarrow.list_(pyarrow.string())
    return pyarrow.field(field.name, kind)


def _write_parquet(path: Path, rows: Iterable[dict]) -> int:
    import pyarrow.parquet

    return _write_batches(lambda schema: pyarrow.parquet.ParquetWriter(path, schema), path, rows)


def _write_arrow(path: Path, rows: Iterable[dict]) -> int:
    import pyarrow

    return _write_batches(lambda schema: pyarrow.ipc.new_stream(str(path), schema), path, rows)


def _write_batches(open_writer, path: Path, rows: Iterable[dict]) -> int:
    n, writer = 0, None
    try:
        for batch in _batches(rows, path):
            writer = writer or open_writer(batch.schema)
            writer.write_batch(batch)
            n += batch.num_rows
    finally:
        if writer:
            writer.close()
    return n


def _write_folder(path: Path, rows: Iterable[dict]) -> int:
    """What `datasets.load_from_disk` opens."""
    from datasets import Dataset, disable_progress_bars, enable_progress_bars

    stream = path.with_name(path.name + ".arrow")
    try:
        n = _write_arrow(stream, rows)
        disable_progress_bars()
        Dataset.from_file(str(stream)).save_to_disk(str(path))
    finally:
        enable_progress_bars()
        stream.unlink(missing_ok=True)
    return n
