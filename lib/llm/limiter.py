"""How many requests may be under way: shrinks when the endpoint says "too many", grows again while it answers."""

import asyncio
import time


class Limiter:
    """Adaptive concurrency, additive increase and multiplicative decrease, with a common pause after a Retry-After.

    Args:
        most: Requests in flight at most.
    """

    def __init__(self, most: int):
        self.most = self.limit = max(1, most)
        self.in_flight = 0
        self._good = 0
        self._not_before = 0.0
        self._change = asyncio.Condition()

    async def __aenter__(self):
        async with self._change:
            await self._change.wait_for(lambda: self.in_flight < self.limit)
            self.in_flight += 1
        while (wait_s := self._not_before - time.monotonic()) > 0:
            await asyncio.sleep(wait_s)

    async def __aexit__(self, *_):
        async with self._change:
            self.in_flight -= 1
            self._change.notify()

    async def answered(self) -> None:
        """Note a reply: after as many as are allowed in flight, one more is."""
        self._good += 1
        if self.limit < self.most and self._good >= self.limit:
            async with self._change:
                self._good = 0
                self.limit += 1
                self._change.notify()

    def refused(self, wait_s: float) -> None:
        """Note a "too many requests": halve, and let nobody send before `wait_s` seconds have gone."""
        if time.monotonic() >= self._not_before:  # once for each wave of refusals, not once for each request in it
            self.limit = max(1, self.limit // 2)
        self._good = 0
        self._not_before = max(self._not_before, time.monotonic() + wait_s)
