"""`runs/<run>/created.jsonl`: everything a run made outside its own folder, one line each, so that it can be taken away again.

Lines are only ever appended, each on disk before the call returns: what was made and what was removed. Never a secret.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from lib.run.manifest import now

NAME = "created.jsonl"


def record_created(run_dir: Path, kind: str, id: str, **facts) -> None:
    """Note that something exists now: `kind` (`file`, `job`, `model`, `deployment`), its id, and what is needed to find it."""
    if (kind, id) not in {(entry["kind"], entry["id"]) for entry in read_ledger(run_dir)}:
        _append(run_dir, {"did": "created", "kind": kind, "id": id, "at": now(), **facts})


def record_removed(run_dir: Path, kind: str, id: str) -> None:
    """Note that it is gone."""
    _append(run_dir, {"did": "removed", "kind": kind, "id": id, "at": now()})


def read_ledger(run_dir: Path) -> list[dict]:
    """What was made and not removed since, in the order of making; a last line torn by a crash is left out."""
    there = {}
    for entry in _entries(run_dir):
        key = (entry["kind"], entry["id"])
        if entry["did"] == "created":
            there[key] = entry
        else:
            there.pop(key, None)
    return list(there.values())


def was_removed(run_dir: Path, kind: str, id: str) -> bool:
    """Whether the last thing noted of it is that it is gone; of what was never noted nothing is known."""
    did = [entry["did"] for entry in _entries(run_dir) if (entry["kind"], entry["id"]) == (kind, id)]
    return did[-1:] == ["removed"]


def _entries(run_dir: Path) -> Iterator[dict]:
    path = Path(run_dir) / NAME
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        with contextlib.suppress(json.JSONDecodeError):
            yield json.loads(line)


def _append(run_dir: Path, entry: dict) -> None:
    path = Path(run_dir) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_bytes() if path.is_file() else b""
    whole = "" if not text or text.endswith(b"\n") else "\n"  # a torn line must not swallow this one
    with open(path, "a", encoding="utf-8") as file:
        file.write(whole + json.dumps(entry, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
