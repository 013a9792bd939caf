"""Reading, writing and hashing the files that one stage hands to the next. Writes are atomic: temporary name, then rename."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def write_text(path: str | Path, text: str) -> Path:
    """Write `text` as UTF-8 so that a reader sees the old file or the new one, never a half."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with open(partial, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    return path


def write_json(path: str | Path, value) -> Path:
    """Write one JSON value, indented, keys in their given order."""
    return write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: str | Path):
    """Read one JSON value."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_jsonl(path: str | Path, rows: Iterable[dict]) -> Path:
    """Write one JSON object a line, keys in their given order, accents as they are."""
    return write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read_jsonl(path: str | Path) -> list[dict]:
    """Read one JSON object a line; blank lines are skipped.

    Raises:
        ValueError: A line is not JSON; names the file and the line.
    """
    return list(_rows(Path(path)))


def _rows(path: Path) -> Iterator[dict]:
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield json.loads(line)
                except json.JSONDecodeError as error:
                    raise ValueError(f"{path}, line {number}: expected a JSON object ({error})") from error


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def tree_hash(path: str | Path) -> str:
    """SHA-256 over the relative names and bytes of a file or of every file below a folder, hex.

    Hidden files and Python's caches do not count; order does not matter. A file that cannot be read counts with its reason.
    """
    path = Path(path)
    if path.is_file():
        return _hash_or_reason(path)
    digest = hashlib.sha256()
    for file in sorted(filter(os.path.isfile, path.rglob("*"))):
        name = file.relative_to(path).as_posix()
        if "__pycache__" in name or any(part.startswith(".") for part in name.split("/")):
            continue
        digest.update(f"{name}\0{_hash_or_reason(file)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _hash_or_reason(file: Path) -> str:
    try:
        return file_hash(file)
    except OSError as error:
        return f"unreadable: {error.strerror}"


def text_hash(text: str) -> str:
    """SHA-256 of a text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()
