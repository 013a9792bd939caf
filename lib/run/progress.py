"""Progress that reads well in a terminal, in a notebook and in a log: a line at the start, every tenth, and the end."""

import sys
import time
from collections.abc import Iterable, Iterator

STEPS = 10


class Progress:
    """Counts towards a total and prints a line each time another tenth is reached, at most one a second but the last.

    Args:
        total: Items to come.
        label: What they are.
    """

    def __init__(self, total: int, label: str):
        self.total, self.label, self.done = total, label, 0
        self._start = time.monotonic()
        self._next, self._last_line = 1, 0.0

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count `n` more items; `note` is shown at the end of the line, if one is due."""
        self.done += n
        elapsed = time.monotonic() - self._start
        if self.done < self.total:
            due = self.done * STEPS >= self._next * self.total and elapsed - self._last_line >= 1.0
        else:
            due = True
        if due:
            self._next = self.done * STEPS // max(self.total, 1) + 1
            self._last_line = elapsed
            say(f"{self.label}: {self.done}/{self.total} · {elapsed:.0f} s" + (f" · {note}" if note else ""))


def progress(items: Iterable, label: str, total: int | None = None) -> Iterator:
    """Yield `items`, saying every tenth how far it is."""
    items = items if total is not None else list(items)
    counter = Progress(total if total is not None else len(items), label)
    for item in items:
        yield item
        counter.advance()


def say(line: str) -> None:
    """One line of progress, flushed."""
    print(line, file=sys.stdout, flush=True)
