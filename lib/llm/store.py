"""The request store: one SQLite file (WAL) in which every reply is kept within milliseconds of its arrival, so that none is paid twice.

Keyed by what decides a reply: the endpoint's identity and the request's whole body. Holds no key and no header. Several runs, and
several processes, may share one; copied while no run is open it is one file. For a look:
`sqlite3 requests.sqlite "SELECT role, stage, SUM(requests), SUM(cost_usd) FROM costs GROUP BY role, stage"`.
"""

import collections
import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from lib.run import BadInput
from lib.run.manifest import now

GATHER_S = 0.005  # replies that arrive within so long are written in one transaction
_TABLES = """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, role TEXT NOT NULL, identity TEXT NOT NULL, request TEXT NOT NULL, reply TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost_usd REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS embeddings (key TEXT PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS costs (
    run TEXT NOT NULL, stage TEXT NOT NULL, role TEXT NOT NULL, identity TEXT NOT NULL, day TEXT NOT NULL,
    requests INTEGER NOT NULL, tokens INTEGER NOT NULL, cost_usd REAL NOT NULL, PRIMARY KEY (run, stage, role, identity, day)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
    tag TEXT PRIMARY KEY, identity TEXT NOT NULL, id TEXT, status TEXT NOT NULL, created TEXT NOT NULL, requests TEXT NOT NULL
) WITHOUT ROWID;
"""
_COLUMNS = {"run": "TEXT NOT NULL DEFAULT ''", "stage": "TEXT NOT NULL DEFAULT ''", "created": "TEXT NOT NULL DEFAULT ''"}
_ADD_COST = """
INSERT INTO costs VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,
tokens = tokens + excluded.tokens, cost_usd = cost_usd + excluded.cost_usd
"""


def request_key(identity: str, body: dict) -> str:
    """SHA-256, hex, of an endpoint's identity and a request's body."""
    text = json.dumps([identity, body], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Store:
    """Replies, embeddings, costs and open batches on disk; safe between threads, and between processes by SQLite's own locks.

    A thread of its own writes, so that whoever receives replies never waits for the disk.

    Args:
        path: The file; made where it is missing.
        run: Name of the run that asks.
        stage: Name of its stage.

    Raises:
        BadInput: It cannot be opened or made.
    """

    def __init__(self, path: str | Path, run: str = "", stage: str = ""):
        self.run, self.stage, self._path = run, stage, path
        self._lock = threading.Lock()
        self._queue: collections.deque = collections.deque()
        self._due = threading.Event()
        self._writer: threading.Thread | None = None
        self._failure: Exception | None = None
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_TABLES)
            self._bring_up_to_date()
        except (OSError, sqlite3.Error) as error:
            raise BadInput(
                f"request store {path}: expected an SQLite file that can be written, or a folder where one can be made; found: {error}; "
                "name another file in store, or mend this one's rights"
            ) from error

    def _bring_up_to_date(self) -> None:
        """Give a file of an earlier version the columns that it lacks, and its costs their place."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            have = {row[1] for row in self._db.execute("PRAGMA table_info(replies)")}
            for name, kind in _COLUMNS.items():
                if name not in have:
                    self._db.execute(f"ALTER TABLE replies ADD COLUMN {name} {kind}")
            if self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'spent'").fetchone():
                for role, cost in self._db.execute("SELECT role, cost_usd FROM spent").fetchall():
                    self._db.execute(_ADD_COST, (self.run, "", role, "", "", 0, 0, cost))
                self._db.execute("DROP TABLE spent")
            self._db.execute("COMMIT")

    def get(self, key: str) -> dict | None:
        """The reply stored under `key`."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, dict]:
        """Those of `keys` that are stored, with their replies."""
        rows = self._select("SELECT key, reply FROM replies WHERE key IN ({})", list(keys))
        return {key: json.loads(reply) for key, reply in rows}

    def put(self, key: str, *, role: str, identity: str, body: dict, reply: dict, cost_usd: float) -> None:
        """Keep a reply and count what it cost, in one transaction with those that arrive at the same time. Returns at once.

        Raises:
            RuntimeError: Something before it could not be written: whoever asks has to stop, lest more is paid for and lost.
        """
        self._enqueue("reply", (key, role, identity, body, reply, cost_usd))

    def get_vectors(self, keys: Sequence[str]) -> dict[str, np.ndarray]:
        """Those of `keys` that are stored, with their vectors, float32 (d,)."""
        rows = self._select("SELECT key, vector FROM embeddings WHERE key IN ({})", list(keys))
        return {key: np.frombuffer(vector, dtype="<f4") for key, vector in rows}

    def put_vectors(
        self, vectors: dict[str, np.ndarray], *, role: str, cost_usd: float, identity: str = "", tokens: int = 0
    ) -> None:
        """Keep vectors and count what they cost, in one transaction. Returns at once."""
        rows = [(key, np.asarray(vector, dtype="<f4").tobytes()) for key, vector in vectors.items()]
        self._enqueue("vectors", (rows, role, identity, tokens, cost_usd))

    def add_cost(self, *, role: str, identity: str, tokens: int, cost_usd: float) -> None:
        """Count what gave no reply that could be kept."""
        self._enqueue("cost", (role, identity, 0, tokens, cost_usd))

    def flush(self) -> None:
        """Return when everything put so far is on disk.

        Raises:
            RuntimeError: Something could not be written.
        """
        if self._writer:
            written = threading.Event()
            self._enqueue("flush", written)
            while not written.wait(1.0):
                if not self._writer.is_alive():
                    break
        self._check()

    def spent_usd(self, run: str | None = None) -> float:
        """Money that a run has cost so far, over all roles and all attempts; of every run where none is named."""
        self.flush()
        where, values = ("", ()) if run is None else (" WHERE run = ?", (run,))
        with self._lock:
            return self._db.execute(f"SELECT COALESCE(SUM(cost_usd), 0) FROM costs{where}", values).fetchone()[0]

    def tokens_today(self, identity: str) -> int:
        """Tokens that an endpoint has taken today (UTC), over all runs."""
        self.flush()
        sql = "SELECT COALESCE(SUM(tokens), 0) FROM costs WHERE identity = ? AND day = ?"
        with self._lock:
            return self._db.execute(sql, (identity, _day())).fetchone()[0]

    def save_batch(self, tag: str, identity: str, status: str, requests: dict[str, dict], batch_id: str | None) -> None:
        """Note a batch, before and after it is sent, so that it is found again whatever happens."""
        values = (tag, identity, batch_id, status, now(), json.dumps(requests))
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?, ?, ?)", values)

    def close_batch(self, tag: str, status: str) -> None:
        """Note that a batch needs no more looking after; what it asked is dropped, its replies are stored."""
        self.flush()
        with self._lock:
            self._db.execute("UPDATE batches SET status = ?, requests = '{}' WHERE tag = ?", (status, tag))

    def open_batches(self, identity: str) -> list[tuple[str, str | None, dict[str, dict]]]:
        """Batches whose replies were not collected: tag, the endpoint's id where it is known, requests by key."""
        sql = "SELECT tag, id, requests FROM batches WHERE identity = ? AND status = 'open' ORDER BY created, tag"
        with self._lock:
            rows = self._db.execute(sql, (identity,)).fetchall()
        return [(tag, batch_id, json.loads(requests)) for tag, batch_id, requests in rows]

    def count_batches(self) -> int:
        """Batches that were ever noted."""
        with self._lock:
            return self._db.execute("SELECT COUNT(*) FROM batches").fetchone()[0]

    def close(self) -> None:
        """Write what is left and close the file."""
        self.flush()
        if self._writer:
            self._enqueue("end", None)
            self._writer.join()
            self._writer = None
        with self._lock:
            self._db.close()

    def _select(self, sql: str, keys: list[str]) -> list[tuple]:
        self.flush()
        rows = []
        with self._lock:
            for start in range(0, len(keys), 500):
                some = keys[start : start + 500]
                rows += self._db.execute(sql.format(",".join("?" * len(some))), some)
        return rows

    def _check(self) -> None:
        if self._failure:
            raise RuntimeError(
                f"the request store {self._path} could not be written ({self._failure}), and nothing more is asked; "
                "see to its disk and folder, then run again: what was written is not asked twice"
            ) from self._failure

    def _enqueue(self, kind: str, values) -> None:
        if kind not in ("flush", "end"):
            self._check()
        if self._writer is None:
            self._writer = threading.Thread(target=self._write_all, name="request-store", daemon=True)
            self._writer.start()
        self._queue.append((kind, values))
        if not self._due.is_set():  # waking the thread is dear, so it is done once for all that it will find
            self._due.set()

    def _write_all(self) -> None:
        while True:
            self._due.wait()
            if self._queue and self._queue[0][0] not in ("flush", "end"):
                time.sleep(GATHER_S)
            self._due.clear()
            items = [self._queue.popleft() for _ in range(len(self._queue))]
            try:
                with self._lock:
                    self._write([item for item in items if item[0] not in ("flush", "end")])
            except Exception as failure:  # told by the next flush; nothing that follows may be lost silently either
                self._failure = self._failure or failure
            for kind, values in items:
                if kind == "flush":
                    values.set()
            if any(kind == "end" for kind, _ in items):
                return

    def _write(self, items: list[tuple]) -> None:
        if not items:
            return
        replies, vectors, costs, written, day = [], [], {}, now(), _day()

        def count(role: str, identity: str, requests: int, tokens: int, usd: float) -> None:
            n, t, c = costs.get((role, identity), (0, 0, 0.0))
            costs[role, identity] = n + requests, t + tokens, c + usd

        for kind, values in items:
            if kind == "reply":
                key, role, identity, body, reply, usd = values
                tokens = reply["prompt_tokens"], reply["completion_tokens"]
                replies.append((key, role, identity, json.dumps(body), json.dumps(reply), *tokens, usd, self.run, self.stage, written))
                count(role, identity, 1, sum(tokens), usd)
            elif kind == "vectors":
                rows, role, identity, tokens, usd = values
                vectors += rows
                count(role, identity, 1, tokens, usd)
            else:
                count(*values)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(
                "INSERT OR REPLACE INTO replies (key, role, identity, request, reply, prompt_tokens, completion_tokens, cost_usd,"
                " run, stage, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", replies,
            )  # fmt: skip
            self._db.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?)", vectors)
            rows = [(self.run, self.stage, role, identity, day, *sums) for (role, identity), sums in costs.items()]
            self._db.executemany(_ADD_COST, rows)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk has ended it already
                self._db.execute("ROLLBACK")
            raise


def _day() -> str:
    return now()[:10]
