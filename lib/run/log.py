"""What a run says: the same lines in the terminal and in `runs/<run>/run.log`, each with the time in front."""

import sys
import time
from pathlib import Path

WIDTH = 150
LINES_PER_CELL = 40


class RunLog:
    """Writes whole lines, and lines that are finished later (`begin`, then `end`), to stdout and to a file.

    Args:
        path: The log file, appended to; None writes to stdout alone.
    """

    def __init__(self, path: Path | None = None):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "a", encoding="utf-8") if path is not None else None  # noqa: SIM115 (kept open for a whole run)
        self._open_line = False

    def say(self, text: str = "") -> None:
        """One line or several; an unfinished line is ended first."""
        self._break()
        for line in text.split("\n"):
            self._write(f"{_clock()}  {line}".rstrip() + "\n")

    def begin(self, text: str) -> None:
        """The beginning of a line whose end is not known yet."""
        self._break()
        self._write(f"{_clock()}  {text}")
        self._open_line = True

    def end(self, text: str) -> None:
        """The end of the line begun; a line of its own if others came in between."""
        if self._open_line:
            self._open_line = False
            self._write(f"{text}\n")
        else:
            self.say(f"      {text.lstrip(' ·')}")

    def close(self) -> None:
        """End an unfinished line and close the file."""
        self._break()
        if self._file:
            self._file.close()

    def _break(self) -> None:
        if self._open_line:
            self._open_line = False
            self._write("\n")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
        if self._file:
            self._file.write(text)
            self._file.flush()


class CellLog:
    """Follows one notebook's cells: a line for each, its seconds, and the lines of progress that it prints.

    papermill calls `start` and `done`, and writes what cells print to `write`.

    Args:
        log: Where the lines go.
        ids: The ids of the notebook's code cells, in order; a cell that is not among them (papermill's own) is not told.
    """

    def __init__(self, log: RunLog, ids: list[str]):
        self.log, self.ids = log, ids
        self.cell = ""
        self._started, self._printed, self._rest = 0.0, 0, ""

    @property
    def place(self) -> str:
        """`cell train (9 of 14)`; the kernel's start before the first one."""
        return (
            f"cell `{self.cell}` ({self.ids.index(self.cell) + 1} of {len(self.ids)})"
            if self.cell
            else "the start of its kernel"
        )

    def start(self, cell, **_) -> None:
        """A code cell begins."""
        if cell.get("id") in self.ids:
            self.cell = cell["id"]
            self._started, self._printed, self._rest = time.monotonic(), 0, ""
            self.log.begin(f"  {self.ids.index(self.cell) + 1:2}/{len(self.ids)} {self.cell}")

    def done(self, cell, **_) -> None:
        """A code cell has ended."""
        if cell.get("id") == self.cell:
            self.log.end(f" · {time.monotonic() - self._started:.1f} s")

    def write(self, text: str) -> None:
        """What a cell prints; told line by line, at most 40 lines a cell."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in filter(None, map(str.strip, (line.rpartition("\r")[2] for line in lines))):
            self._printed += 1
            if self._printed <= LINES_PER_CELL:
                self.log.say(f"      {line[:WIDTH]}")
            elif self._printed == LINES_PER_CELL + 1:
                self.log.say("      … more in the notebook")

    def flush(self) -> None:
        """Nothing is held back but an unfinished line."""


def _clock() -> str:
    return time.strftime("%H:%M:%S")


def duration(seconds: float) -> str:
    """`48 s` or `3 min 20 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
