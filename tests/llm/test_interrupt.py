"""Ctrl-C while a notebook is run without a screen: it reaches the cell, and what was paid for is written before all ends."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lib.llm.store import Store, request_key
from lib.run.execute import interrupting

from .helpers import ask, chat

REPOSITORY = Path(__file__).parents[2]
RUN = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell starts in the background
from pathlib import Path
from lib.run import execute
from lib.run.log import RunLog
execute.INTERRUPT_S = float(sys.argv[2])
try:
    execute.execute_notebook("page", {}, folder=Path(sys.argv[1]), run_dir=Path(sys.argv[1]), log=RunLog())
except KeyboardInterrupt:
    sys.exit(130)
"""
ASKING = """
from lib.llm import Asker, Request, Role
from lib.llm.store import Store
class Run:
    def record(self, **facts): pass
asker = Asker(Role("teacher", {url!r}, "m", identity="m-1"), Run(), Store("requests.sqlite"), max_in_flight=4)
asker.ask([Request(messages=({{"role": "user", "content": str(i)}},)) for i in range(40)])
"""
STUBBORN = """
import time
while True:
    try:
        print("at work", flush=True)
        time.sleep(600)
    except KeyboardInterrupt:
        print("stopping? no", flush=True)
"""

HANG_S = 400.0  # a wait that never ends is a failure


class Headless:
    """A notebook of one cell, run in a process of its own, whose lines are read as they come."""

    def __init__(self, folder: Path, source: str, limit_s: float = 40.0):
        cells = [
            {"cell_type": "code", "id": name, "source": text, "outputs": [], "execution_count": None, "metadata": {}}
            for name, text in {"work": source, "after": "print('went on')"}.items()
        ]
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
        page = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
        (folder / "page.ipynb").write_text(json.dumps(page))
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(folder), str(limit_s)], stdout=subprocess.PIPE, text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "JUPYTER_PLATFORM_DIRS": "1"},
        )  # fmt: skip
        self.folder, self.said = folder, ""

    def wait_for(self, words: str) -> None:
        """Read its lines up to one with these words."""
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return
        raise AssertionError(f"it ended without {words!r}: {self.said}")

    def ctrl_c(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self, timeout_s: float) -> int:
        """Wait for its end; the exit status."""
        self.said += self.process.communicate(timeout=timeout_s)[0]
        return self.process.returncode

    def kernels(self) -> list[str]:
        """Live processes that work in its folder."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(entry / "cwd") == str(self.folder):
                    found.append(entry.name)
            except OSError:
                continue
        return found


def test_the_first_ctrl_c_is_handed_on_and_the_second_does_what_it_did_before():
    handed_on = []
    before = signal.getsignal(signal.SIGINT)
    with interrupting(lambda: not handed_on.append("once")) as is_asked:
        assert not is_asked()
        signal.raise_signal(signal.SIGINT)
        assert is_asked() and handed_on == ["once"]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert handed_on == ["once"]
    assert signal.getsignal(signal.SIGINT) is before


def test_the_first_ctrl_c_ends_all_where_there_is_nothing_to_interrupt_yet():
    with interrupting(lambda: False), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_what_takes_no_notice_of_a_ctrl_c_is_ended_when_its_time_is_over(monkeypatch):
    monkeypatch.setattr("lib.run.execute.INTERRUPT_S", 0.1)
    with interrupting(lambda: True), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
        time.sleep(60)


@pytest.fixture
def interrupted(scripted, tmp_path):
    """A notebook that asks, interrupted once while four requests are under way; their replies come when `answer` is set."""
    all_here, answer = threading.Barrier(5), threading.Event()

    def slow(number, body, headers):
        all_here.wait(HANG_S)
        answer.wait(HANG_S)
        return chat("late")

    role, seen = scripted(slow)
    headless = Headless(tmp_path, ASKING.format(url=role.base_url))
    all_here.wait(HANG_S)
    headless.ctrl_c()
    headless.wait_for("replies under way")
    yield headless, seen, answer
    answer.set()


@pytest.mark.smoke
def test_ctrl_c_lets_what_is_under_way_arrive_and_stores_it(interrupted, tmp_path):
    headless, seen, answer = interrupted
    answer.set()
    assert headless.end(HANG_S) == 130 and "went on" not in headless.said
    assert "run this again" in headless.said
    kept = Store(tmp_path / "requests.sqlite").get_many([request_key("m-1", ask(str(i)).body()) for i in range(40)])
    assert len(seen) == len(kept) == 4 and {reply["text"] for reply in kept.values()} == {"late"}
    assert "KeyboardInterrupt" in (tmp_path / "notebooks" / "page.ipynb").read_text()
    assert not headless.kernels()


@pytest.mark.smoke
def test_a_second_ctrl_c_does_not_wait_for_them(interrupted):
    headless, _, _ = interrupted
    began = time.monotonic()
    headless.ctrl_c()
    assert headless.end(HANG_S) == 130 and time.monotonic() - began < 20  # a drain takes 30 s
    assert not headless.kernels()


@pytest.mark.smoke
def test_a_cell_that_takes_no_notice_is_ended_after_a_time(tmp_path):
    headless = Headless(tmp_path, STUBBORN, limit_s=1.0)
    headless.wait_for("at work")
    headless.ctrl_c()
    headless.wait_for("stopping? no")
    assert headless.end(HANG_S) == 130 and not headless.kernels()
