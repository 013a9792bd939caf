"""JSON and JSONL: objects with a text field, or API Zoo records (`api_name`, `api_call`), one document each."""

from lib.gen.readers.text import build
from lib.gen.records import API, Document, Mark
from lib.run.talks import read_records

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
    records = read_records(text)
    broken = [record for _, record in records if isinstance(record, ValueError)]
    if broken and not any(isinstance(record, (dict, list)) for _, record in records):
        raise broken[0]
    documents, bad = [], []
    for name, record in records:
        try:
            documents.append(_document(record, source, column))
        except ValueError as error:
            bad.append((name, str(error)))
    return documents, bad


def _document(record: object, source: str, column: str) -> Document:
    if isinstance(record, ValueError):
        raise record
    if isinstance(record, str):
        record = {column: record}
    if not isinstance(record, dict):
        raise ValueError(f"expected an object, found {type(record).__name__}")
    if record.get("api_call"):
        lines = [f"{name}: {_plain(value)}" for name, value in record.items() if name not in _PRIVATE and value]
        return build(source, str(record.get("api_name") or record["api_call"]), [(Mark(0), "\n".join(lines))], type=API)
    if column in record and not isinstance(record[column], str):
        raise ValueError(f"`{column}` is no text but {type(record[column]).__name__}")
    if column not in record:
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
