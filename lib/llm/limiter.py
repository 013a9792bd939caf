"""How many requests may be under way, and how fast they may start: shrinks when the endpoint says "too many", grows again while it answers."""

import asyncio
import time
from collections import deque

DECREASE = 0.7
BURST_S = 1.0  # of a quota may be used at once after a quiet time


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
        self._waiting: deque[asyncio.Future] = deque()

    @property
    def load(self) -> float:
        """How busy it is: requests under way or waiting, for each one allowed; a pause counts as full."""
        busy = (self.in_flight + len(self._waiting)) / self.limit
        return busy + (1e6 if self._not_before > time.monotonic() else 0.0)

    async def __aenter__(self):
        while self.in_flight >= self.limit:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._wake()
                raise
        self.in_flight += 1
        try:
            while (wait_s := self._not_before - time.monotonic()) > 0:
                await asyncio.sleep(wait_s)
        except asyncio.CancelledError:
            await self.__aexit__()
            raise

    async def __aexit__(self, *_):
        self.in_flight -= 1
        self._wake()

    def answered(self) -> None:
        """Note a reply: after as many as are allowed in flight, one more is."""
        self._good += 1
        if self.limit < self.most and self._good >= self.limit:
            self._good = 0
            self.limit += 1
            self._wake()

    def refused(self, wait_s: float) -> bool:
        """Note a "too many requests": allow fewer, and let nobody send before `wait_s` seconds have gone; True for the first of a wave."""
        is_first = time.monotonic() >= self._not_before
        if is_first:  # once for each wave of refusals, not once for each request in it
            self.limit = max(1, int(self.limit * DECREASE))
        self._good = 0
        self._not_before = max(self._not_before, time.monotonic() + wait_s)
        return is_first

    def _wake(self) -> None:
        free = self.limit - self.in_flight
        while self._waiting and free > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1


class Pace:
    """Starts requests no faster than quotas of requests and tokens a minute allow; a second's worth may start at once.

    Args:
        rpm: Requests a minute; 0 for no limit.
        tpm: Prompt and reply tokens a minute; 0 for no limit.
    """

    def __init__(self, rpm: int = 0, tpm: int = 0):
        self.rpm, self.tpm = rpm, tpm
        self._request_at = self._token_at = 0.0

    async def wait(self, tokens: float) -> None:
        """Wait for the turn of a request that may take so many tokens."""
        now, turn = time.monotonic(), 0.0
        if self.rpm:
            turn = max(self._request_at, now - BURST_S)
            self._request_at = turn + 60 / self.rpm
        if self.tpm:
            at = max(self._token_at, now - BURST_S)
            self._token_at = at + tokens * 60 / self.tpm
            turn = max(turn, at)
        if turn > now:
            await asyncio.sleep(turn - now)

    def settle(self, expected: float, used: float) -> None:
        """Correct for what a request really took."""
        if self.tpm:
            self._token_at += (used - expected) * 60 / self.tpm
