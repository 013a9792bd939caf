"""The request store: one SQLite file a run, in which every reply is kept the moment it arrives, so that none is paid twice.

Keyed by what decides a reply: the endpoint's identity and the request's whole body. Holds no key and no header.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_TABLES = """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, role TEXT NOT NULL, identity TEXT NOT NULL, request TEXT NOT NULL, reply TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost_usd REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS embeddings (key TEXT PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (role TEXT PRIMARY KEY, cost_usd REAL NOT NULL) WITHOUT ROWID;
"""


def request_key(identity: str, body: dict) -> str:
    """SHA-256, hex, of an endpoint's identity and a request's body."""
    text = json.dumps([identity, body], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Store:
    """Replies and embeddings on disk; safe between threads, and between processes by SQLite's own locks (WAL)."""

    def __init__(self, path: str | Path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)

    def get(self, key: str) -> dict | None:
        """The reply stored under `key`."""
        with self._lock:
            row = self._db.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, key: str, *, role: str, identity: str, body: dict, reply: dict, cost_usd: float) -> None:
        """Keep a reply and count what it cost, in one transaction."""
        values = (
            key, role, identity, json.dumps(body, ensure_ascii=True), json.dumps(reply, ensure_ascii=True),
            reply["prompt_tokens"], reply["completion_tokens"], cost_usd,
        )  # fmt: skip
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            self._spend(role, cost_usd)
            self._db.execute("COMMIT")

    def get_vectors(self, keys: Sequence[str]) -> dict[str, np.ndarray]:
        """Those of `keys` that are stored, with their vectors, float32 (d,)."""
        found = {}
        with self._lock:
            for start in range(0, len(keys), 500):
                some = list(keys[start : start + 500])
                marks = ",".join("?" * len(some))
                rows = self._db.execute(f"SELECT key, vector FROM embeddings WHERE key IN ({marks})", some)
                found.update({key: np.frombuffer(vector, dtype="<f4") for key, vector in rows})
        return found

    def put_vectors(self, vectors: dict[str, np.ndarray], *, role: str, cost_usd: float) -> None:
        """Keep vectors and count what they cost, in one transaction."""
        rows = [(key, np.asarray(vector, dtype="<f4").tobytes()) for key, vector in vectors.items()]
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?)", rows)
            self._spend(role, cost_usd)
            self._db.execute("COMMIT")

    def _spend(self, role: str, cost_usd: float) -> None:
        if cost_usd:
            self._db.execute(
                "INSERT INTO spent VALUES (?, ?) ON CONFLICT(role) DO UPDATE SET cost_usd = cost_usd + excluded.cost_usd",
                (role, cost_usd),
            )

    def spent_usd(self) -> float:
        """Money that this run has cost so far, over all roles and all attempts."""
        with self._lock:
            return self._db.execute("SELECT COALESCE(SUM(cost_usd), 0) FROM spent").fetchone()[0]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
