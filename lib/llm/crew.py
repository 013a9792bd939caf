"""A crew of workers over a list of items: so many at a time, and a stop that lets what is under way come home."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence

_END = object()
DRAIN_S = 30.0  # what is under way when a stop is asked for has so long


class Stopped(Exception):
    """A worker gives up its item because the crew is stopping."""


class Crew:
    """Runs `one(item)` over items, `most` at a time.

    After `stop` nothing new begins: workers that wait are ended, requests that were sent are waited for (`DRAIN_S`).
    """

    def __init__(self, most: int):
        self.most, self.stopping = most, False
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task] = set()
        self._sending: set[asyncio.Task] = set()
        self._waiting: asyncio.Queue = asyncio.Queue()
        self._left = 0

    async def run(self, one: Callable[[object], Awaitable[None]], items: Sequence, grows: bool = False) -> None:
        """Work through `items`, and through what `add` brings while they are worked on.

        Raises:
            Exception: The first failure of a worker, after the others have come home.
        """

        async def worker() -> None:
            while not self.stopping and (item := await self._waiting.get()) is not _END:
                try:
                    await one(item)
                except Stopped:
                    return
                except Exception as failure:
                    self.stop(failure)
                    return
                self._left -= 1
                if not self._left:
                    for _ in range(n_workers):
                        self._waiting.put_nowait(_END)

        self.add(items)
        n_workers = self.most if grows else min(self.most, len(items))
        try:
            for _ in range(n_workers):
                self._tasks.add(asyncio.create_task(worker()))
                await asyncio.sleep(0)  # one by one: the first requests are on their way before the last are built
            await asyncio.wait(self._tasks)
        except asyncio.CancelledError:
            self.abort()
            raise
        for task in self._tasks:
            if not task.cancelled() and task.exception():
                raise task.exception()
        if self._failure:
            raise self._failure

    def add(self, items: Sequence) -> None:
        """Take in more work. Call it in the crew's event loop, from within `one`."""
        self._left += len(items)
        for item in items:
            self._waiting.put_nowait(item)

    def stop(self, failure: BaseException | None = None) -> None:
        """Begin nothing new; end who waits; give who has sent `DRAIN_S` seconds. Call it in the crew's event loop."""
        self._failure = self._failure or failure
        if self.stopping:
            return
        self.stopping = True
        loop = asyncio.get_running_loop()
        current = asyncio.current_task()
        for task in self._tasks - self._sending - {current}:
            task.cancel()
        loop.call_later(DRAIN_S, self.abort)

    def abort(self) -> None:
        """End everything at once."""
        self.stopping = True
        for task in self._tasks:
            task.cancel()

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Marks a request as sent: a stop waits for it."""
        task = asyncio.current_task()
        self._sending.add(task)
        try:
            yield
        finally:
            self._sending.discard(task)
