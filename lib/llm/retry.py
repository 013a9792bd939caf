"""Asking again: which failures are worth it, how long to wait, and which end everything.

Waits honour Retry-After; otherwise they double from half a second, spread by the request's own hash, so that no chance is involved.
"""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp  # what the client sends with; its errors of a reply's head come as they are
import openai

from lib.llm.crew import Crew, Stopped
from lib.llm.pool import Pool
from lib.llm.records import Reply
from lib.llm.trouble import (
    EndpointError,
    broken,
    cause,
    explain,
    is_filtered,
    one_line,
    retry_after_s,
    said,
    was_refused,
)
from lib.llm.usage import Usage

ATTEMPTS = 7  # waits 0.5 1 2 4 8 16 s: half a minute of an endpoint's absence is survived
TIMEOUTS = 3  # attempts that may go without a reply
AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529))
HOPELESS = frozenset((401, 403, 404))


async def call_with_retries(
    send: Callable[[openai.AsyncOpenAI], Awaitable],
    pool: Pool,
    crew: Crew,
    key: str,
    usage: Usage,
    lost: Callable[[tuple[int, int]], None] = lambda tokens: None,
    tokens: float = 0.0,
):
    """The result of `send`, tried up to `ATTEMPTS` times.

    Args:
        send: One attempt, over a client.
        pool: The role's addresses.
        crew: Whose worker this is; no attempt follows once it is stopping.
        key: The request's hash; spreads the waits.
        usage: `retries` is counted here.
        lost: Told the tokens, as far as known, of an attempt that may be charged and gave nothing.
        tokens: That the request may take; for the quota of a minute.

    Returns:
        What `send` returned, or a `Reply` with `error` where this one request is refused (too long, filtered), or fails
        again and again while others are answered.

    Raises:
        EndpointError: The endpoint cannot be used, or request after request fails.
        Stopped: The crew is stopping.
    """
    role, timeouts = pool.role, 0
    refused_at: int | None = None  # answers that there were when this request found nobody there for the first time
    for attempt in range(ATTEMPTS):
        address = pool.pick()
        wait_s = _backoff_s(attempt, key)
        async with address.limiter:
            await pool.pace.wait(tokens)
            try:
                with crew.sending():
                    result = await send(address.client)
                pool.answered(address)
                return result
            except openai.APIStatusError as error:
                status, trouble = error.status_code, error
                if is_filtered(error):
                    pool.answered(address)
                    return Reply("", "content_filter", 0, 0, 0.0, error=one_line(f"content filter: {said(error)}", role))
                if status in HOPELESS:
                    raise EndpointError(explain(error, role, address.url)) from None
                if status in (400, 422) and pool.learn(said(error)):
                    wait_s = 0.0
                elif status not in AGAIN:
                    return _give_up(pool, one_line(f"HTTP {status}: {said(error)}", role))
                elif asked_s := retry_after_s(error.response.headers):  # none at all, or a date gone by on this clock: as if unsaid
                    wait_s = asked_s
                fails = status >= 500
                if status in (429, 503, 529):
                    fails = address.limiter.refused(wait_s) and fails  # of a server with too much to do, once for each wave
                if fails and pool.unreachable(address, one_line(f"HTTP {status}: {said(error)}", role)):
                    wait_s = 0.0
            except (openai.APIConnectionError, openai.APIResponseValidationError, aiohttp.ClientError, ValueError) as error:
                trouble = error
                if was_refused(error):
                    refused_at = pool.answers if refused_at is None else refused_at
                elif isinstance(error, openai.APITimeoutError):
                    timeouts += 1
                    lost((0, 0))
                elif isinstance(error, ValueError) or broken(error):
                    lost(getattr(error, "tokens", (0, 0)))
                if isinstance(error, openai.APIConnectionError) and pool.unreachable(address, cause(error)):
                    wait_s = 0.0  # another address takes over
        if crew.stopping:
            raise Stopped
        if timeouts >= TIMEOUTS:
            break
        if attempt + 1 < ATTEMPTS:
            usage.retries += 1
            await asyncio.sleep(wait_s)
    line = explain(trouble, role, address.url) + f" ({attempt + 1} attempts)"
    is_gone = was_refused(trouble) and pool.answers == refused_at  # what was answered before does not count: it has ended since
    if is_gone or not pool.answers:
        raise EndpointError(line)
    return _give_up(pool, line)


def _give_up(pool: Pool, why: str) -> Reply:
    """A reply that says why there is none; after too many in a row the run ends."""
    if sample := pool.failed(why):
        raise EndpointError(one_line(f"{pool.role.name} at {pool.role.base_url}: {sample}", pool.role))
    return Reply("", "error", 0, 0, 0.0, error=why)


def _backoff_s(attempt: int, key: str) -> float:
    return 0.5 * 2**attempt * (0.75 + int(key[:8], 16) / 2**33)  # 0.75 to 1.25 of the nominal wait
