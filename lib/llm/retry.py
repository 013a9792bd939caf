"""Asking again: which failures are worth it, how long to wait, and which end everything.

Waits honour Retry-After; otherwise they double from half a second, spread by the request's own hash, so that no chance is involved.
"""

import asyncio
import email.utils
import time
from collections.abc import Awaitable, Callable

import openai

from lib.llm.limiter import Limiter
from lib.llm.records import Reply
from lib.llm.roles import Role
from lib.llm.usage import Usage

ATTEMPTS = 7  # waits 0.5 1 2 4 8 16 s: half a minute of an endpoint's absence is survived
LONGEST_WAIT_S = 120.0
AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529))
HOPELESS = frozenset((401, 403, 404))


class EndpointError(RuntimeError):
    """An endpoint that cannot be used at all: it does not answer, or refuses key or model. Names role, address and remedy."""


async def call_with_retries(send: Callable[[], Awaitable], limiter: Limiter, role: Role, key: str, usage: Usage):
    """The result of `send`, tried up to `ATTEMPTS` times.

    Args:
        send: One attempt.
        limiter: Shared by all requests to this endpoint.
        role: For messages.
        key: The request's hash; spreads the waits.
        usage: `retries` is counted here.

    Returns:
        What `send` returned, or a `Reply` with `error` where this one request is refused (too long, filtered, malformed).

    Raises:
        EndpointError: The endpoint cannot be used.
    """
    for attempt in range(ATTEMPTS):
        async with limiter:
            try:
                result = await send()
                await limiter.answered()
                return result
            except openai.APIStatusError as error:
                status, trouble = error.status_code, error
                if status in HOPELESS:
                    raise EndpointError(explain(error, role)) from None
                if status not in AGAIN:
                    return Reply("", "error", 0, 0, 0.0, error=_one_line(f"HTTP {status}: {_said(error)}", role))
                wait_s = retry_after_s(error.response.headers)
                wait_s = _backoff_s(attempt, key) if wait_s is None else wait_s
                if status in (429, 503, 529):
                    limiter.refused(wait_s)
            except (openai.APIConnectionError, openai.APIResponseValidationError, ValueError) as error:
                trouble, wait_s = error, _backoff_s(attempt, key)
        if attempt + 1 < ATTEMPTS:
            usage.retries += 1
            await asyncio.sleep(wait_s)
    raise EndpointError(explain(trouble, role) + f" ({ATTEMPTS} attempts)")


def retry_after_s(headers) -> float | None:
    """Seconds that a reply's headers ask to wait (`retry-after-ms`, `retry-after` as seconds or as a date), at most two minutes."""
    try:
        if value := headers.get("retry-after-ms"):
            wait_s = float(value) / 1000
        elif value := headers.get("retry-after"):
            wait_s = float(value) if value.strip().replace(".", "", 1).isdigit() else _until(value)
        else:
            return None
    except (TypeError, ValueError):
        return None
    return min(max(wait_s, 0.0), LONGEST_WAIT_S)


def _until(date: str) -> float:
    return email.utils.parsedate_to_datetime(date).timestamp() - time.time()


def _backoff_s(attempt: int, key: str) -> float:
    return 0.5 * 2**attempt * (0.75 + int(key[:8], 16) / 2**33)  # 0.75 to 1.25 of the nominal wait


def explain(error: Exception, role: Role) -> str:
    """One line for an endpoint that cannot be used: what happened where, and what to do."""
    prefix, where = role.name.upper(), f"{role.name} at {role.base_url}"
    azure = "AZURE_" if role.azure else ""
    status = getattr(error, "status_code", None)
    if status in (401, 403):
        line = f"{where}: the key was refused (HTTP {status}); set {prefix}_{azure}OPENAI_API_KEY to a key for this endpoint"
    elif status == 404:
        line = (
            f"{where}: model {role.model!r} or the address is unknown (HTTP 404: {_said(error)}); "
            f"check {prefix}_{azure}OPENAI_DEPLOYMENT and {prefix}_{azure}OPENAI_{'ENDPOINT' if azure else 'BASE_URL'}"
        )
    elif status == 429:
        line = f"{where}: too many requests (HTTP 429: {_said(error)}); lower max_in_flight or check the quota, then run again"
    elif status:
        line = f"{where}: HTTP {status}: {_said(error)}; see the server's log"
    elif isinstance(error, openai.APITimeoutError):
        line = f"{where}: no reply in time; is the server overloaded?"
    else:
        cause = error.__cause__ or error
        line = f"{where}: cannot be reached ({cause}); start the server or correct {prefix}_{azure}OPENAI_{'ENDPOINT' if azure else 'BASE_URL'}"
    return _one_line(line, role)


def _said(error: openai.APIStatusError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    inner = body.get("error") if isinstance(body.get("error"), dict) else body
    return str(inner.get("message") or inner.get("detail") or error.message)[:300]


def _one_line(text: str, role: Role) -> str:
    """One line without the key: some servers repeat it in their errors."""
    text = " ".join(text.split())
    return text.replace(role.api_key, "[key]") if role.api_key else text
