"""What went wrong, in one line for people: errors of endpoints, told apart and explained without their secrets."""

import email.utils
import time
from typing import TYPE_CHECKING

from lib.llm.roles import Role

if TYPE_CHECKING:
    import openai  # here and below: it takes a second, and these errors are named where nothing is ever sent

LONGEST_WAIT_S = 120.0
_FILTERS = ("content_filter", "responsibleaipolicyviolation", "content management policy", "content_policy_violation")


class EndpointError(RuntimeError):
    """An endpoint that cannot be used at all: it does not answer, or refuses key or model. Names role, address and remedy."""


class BadReply(ValueError):
    """A reply that cannot be read, with the tokens that it says it took."""

    def __init__(self, message: str, prompt_tokens: int = 0, completion_tokens: int = 0):
        super().__init__(message)
        self.tokens = prompt_tokens, completion_tokens


def is_filtered(error: "openai.APIStatusError") -> bool:
    """Whether an endpoint refused a request for its content."""
    return error.status_code in (400, 403, 422) and is_filter_text(f"{error.body} {said(error)}")


def is_filter_text(text: str) -> bool:
    """Whether an error's text speaks of a content filter."""
    return any(mark in text.lower() for mark in _FILTERS)


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


def explain(error: Exception, role: Role, url: str = "") -> str:
    """One line for an endpoint that cannot be used: what happened where, and what to do."""
    import openai

    prefix, where = role.name.upper(), f"{role.name} at {url or role.base_url}"
    azure = "AZURE_" if role.azure else ""
    status = getattr(error, "status_code", None)
    if status in (401, 403):
        line = f"{where}: the key was refused (HTTP {status}); set {prefix}_{azure}OPENAI_API_KEY to a key for this endpoint"
    elif status == 404:
        line = (
            f"{where}: model {role.model!r} or the address is unknown (HTTP 404: {said(error)}); "
            f"check {prefix}_{azure}OPENAI_DEPLOYMENT and {prefix}_{azure}OPENAI_{'ENDPOINT' if azure else 'BASE_URL'}"
        )
    elif status == 429:
        line = f"{where}: too many requests (HTTP 429: {said(error)}); lower max_in_flight or check the quota, then run again"
    elif status:
        line = f"{where}: HTTP {status}: {said(error)}; see the server's log"
    elif (lost := broken(error)) and not was_refused(error):
        remedy = role.remedy or "has the server ended? its log says why"
        line = f"{where}: the connection was lost before the reply was whole ({str(lost)[:200]}); {remedy}"
    elif isinstance(error, openai.APITimeoutError) and not lost:
        line = f"{where}: no reply in time; is the server overloaded?"
    elif type(error) is openai.APIError:  # an error in the middle of a stream
        line = f"{where}: it broke off its reply ({str(error)[:200]}); see the server's log"
    elif isinstance(error, ValueError):
        line = f"{where}: its reply cannot be read ({error}); is this an OpenAI-compatible endpoint?"
    else:
        remedy = role.remedy or f"start the server or correct {prefix}_{azure}OPENAI_{'ENDPOINT' if azure else 'BASE_URL'}"
        line = f"{where}: cannot be reached ({cause(error)}); {remedy}"
    return one_line(line, role)


def broken(error: BaseException | None) -> BaseException | None:
    """The connection's own error where one was refused or broke, which the client reports as if time had run out; None for any other."""
    import aiohttp
    import httpx2

    kinds = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, httpx2.RemoteProtocolError, httpx2.ReadError)
    while error is not None:
        if isinstance(error, kinds) and not isinstance(error, TimeoutError):
            return error
        error = error.__cause__
    return None


def was_refused(error: BaseException | None) -> bool:
    """Whether nothing was sent, since no connection came about: nobody listens there."""
    import aiohttp

    return isinstance(broken(error), aiohttp.ClientConnectorError)


def cause(error: Exception) -> str:
    """What lies beneath an error of the connection."""
    return str(error.__cause__ or error)[:200]


def said(error: "openai.APIStatusError") -> str:
    """What the endpoint itself said."""
    return words_of(error.body) or str(error.message)[:300]


def words_of(body: object) -> str:
    """The words in an error's body, in each of the forms that servers give it: an object, a list of one, a text; empty for a page of HTML."""
    while isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, dict):
        inner = body.get("error") or body
        body = (inner.get("message") or inner.get("detail") or "") if isinstance(inner, dict) else inner
    text = "" if body is None else str(body)
    return "" if text.lstrip().startswith("<") else text[:300]


def one_line(text: str, role: Role) -> str:
    """One line without the key: some servers repeat it in their errors."""
    text = " ".join(text.split())
    for secret in filter(None, (role.api_key, role.token)):
        text = text.replace(secret, "[key]")
    return text
