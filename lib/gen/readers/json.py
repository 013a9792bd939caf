"""JSON and JSONL: objects with a text field, or API Zoo records (`api_name`, `api_call`), one document each."""

import json

from lib.gen.readers.text import build
from lib.gen.records import API, Document, Mark

_PRIVATE = ("user_name",)  # who wrote the record is no part of the documentation


def read_json(text: str, source: str, column: str = "text") -> tuple[list[Document], list[tuple[str, str]]]:
    """Make a document of every object that holds text.

    Args:
        text: The file: one object, a list of objects, or one object a line.
        source: What the file is called.
        column: Field that holds the text.

    Returns:
        The documents, and (which, reason) for every object that could not be used.

    Raises:
        ValueError: Nothing in the file is JSON.
    """
    records, bad = _records(text)
    documents = []
    for name, record in records:
        try:
            documents.append(_document(record, source, column))
        except ValueError as error:
            bad.append((name, str(error)))
    return documents, bad


def _records(text: str) -> tuple[list[tuple[str, object]], list[tuple[str, str]]]:
    try:
        whole = json.loads(text)
        records = whole if isinstance(whole, list) else [whole]
        return [(f"#{number}", record) for number, record in enumerate(records, 1)], []
    except json.JSONDecodeError as whole_error:
        records, bad = [], []
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                try:
                    records.append((f"line {number}", json.loads(line)))
                except json.JSONDecodeError as error:
                    bad.append((f"line {number}", f"not JSON ({error.msg})"))
        if not any(isinstance(record, (dict, list)) for _, record in records):
            raise ValueError(f"not JSON ({whole_error})") from whole_error
        return records, bad


def _document(record: object, source: str, column: str) -> Document:
    if isinstance(record, str):
        record = {column: record}
    if not isinstance(record, dict):
        raise ValueError(f"expected an object, found {type(record).__name__}")
    if record.get("api_call"):
        lines = [f"{name}: {_plain(value)}" for name, value in record.items() if name not in _PRIVATE and value]
        return build(source, str(record.get("api_name") or record["api_call"]), [(Mark(0), "\n".join(lines))], type=API)
    if not isinstance(record.get(column), str):
        raise ValueError(f"no `{column}` field (fields: {', '.join(sorted(map(str, record))[:8]) or 'none'})")
    return build(source, str(record.get("title") or ""), [(Mark(0), record[column])])


def _plain(value: object) -> str:
    """A value as a reader would write it: code as lines, lists with commas, nested fields as `name: value`."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_plain(held)}" for name, held in value.items())
    if isinstance(value, list):
        parts = [_plain(held) for held in value]
        code = any(mark in part for part in parts for mark in ("import ", " = ", "("))
        return ("\n" if code else ", ").join(parts)
    return str(value)
