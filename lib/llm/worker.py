"""A thread with an event loop, in which a crew works while its caller waits: an ordinary call, in a script and in Jupyter alike."""

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine

from lib.llm.crew import DRAIN_S, Crew
from lib.run.progress import say


class Worker:
    """Runs what it is given, one after the other, until `end`.

    Args:
        name: Who it works for; stands in the thread's name and in what is said.
    """

    def __init__(self, name: str):
        self.name, self._loop = name, asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name=f"asker-{name}", daemon=True).start()

    def run(self, work: Coroutine, crew: Crew) -> None:
        """Wait for `work`, which `crew` does.

        Raises:
            KeyboardInterrupt: Ctrl-C; what was sent was waited for, at most `DRAIN_S`; a second Ctrl-C ended that at once.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            _wait(future)
            future.result()
        except KeyboardInterrupt:
            self._drain(future, crew)
            raise
        except BaseException:
            future.cancel()
            raise

    def _drain(self, future: concurrent.futures.Future, crew: Crew) -> None:
        self._loop.call_soon_threadsafe(crew.stop)  # before it is said: no request goes out after that
        say(f"{self.name}: stopping; replies under way have {DRAIN_S:.0f} s to arrive, Ctrl-C again stops at once")
        try:
            _wait(future, DRAIN_S + 5)
        except KeyboardInterrupt:
            self._loop.call_soon_threadsafe(crew.abort)
            _wait(future, 5.0)

    def end(self, close: Callable[[], Awaitable[None]]) -> None:
        """Close what `close` closes, then end the thread."""
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)


def _wait(future: concurrent.futures.Future, limit_s: float = float("inf")) -> None:
    """Wait in short steps, between which a Ctrl-C is noticed whichever thread the signal reached."""
    deadline = time.monotonic() + limit_s
    while not future.done() and time.monotonic() < deadline:
        concurrent.futures.wait([future], timeout=0.2)
