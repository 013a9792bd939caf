"""The wire: one chat or completion request, one batch of embeddings, and the probe of an endpoint."""

import time

import httpx2  # what the openai package itself is built on
import numpy as np
import openai

from lib.llm.pool import Pool
from lib.llm.records import Reply
from lib.llm.roles import Role
from lib.llm.transport import NO_KEY, bare, entry, route
from lib.llm.trouble import BadReply, explain, said
from lib.run import BadInput


async def send_request(client: openai.AsyncOpenAI, model: str, body: dict) -> Reply:
    """Send one body, to `/chat/completions` if it has messages and to `/completions` if it has a prompt."""
    start = time.monotonic()
    chat = "messages" in body
    # The body goes as it is and comes back raw: the client's typed models cost two milliseconds a request, servers differ
    # in what they leave out, and the request store wants to know exactly what was asked.
    path = "/chat/completions" if chat else "/completions"
    raw = await client.post(path, body={"model": model, **body}, cast_to=httpx2.Response)
    return read_reply(raw.json(), chat, round(time.monotonic() - start, 4))


def read_reply(value: object, chat: bool, seconds: float) -> Reply:
    """A reply's JSON as a Reply.

    Raises:
        BadReply: It has no choices; carries the tokens that it reports.
    """
    usage = (value.get("usage") if isinstance(value, dict) else None) or {}
    try:
        tokens = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
        choice = value["choices"][0]
        text = (choice["message"].get("content") or choice["message"].get("refusal")) if chat else choice["text"]
        reason = choice.get("finish_reason") or "stop"
        if text is not None and not isinstance(text, str):
            raise TypeError("the text is no text")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        known = tokens if "tokens" in locals() else (0, 0)
        raise BadReply(f"expected a reply with choices; found {str(value)[:200]}", *known) from None
    error = "content filter: the endpoint withheld its reply" if reason == "content_filter" else None
    return Reply("" if error else text or "", reason, *tokens, seconds, error=error, logprob=_mean_logprob(choice))


def _mean_logprob(choice: dict) -> float | None:
    """The mean over a reply's tokens, in either endpoint's form; None where there is none."""
    given = choice.get("logprobs")
    if not isinstance(given, dict):
        return None
    found = given.get("token_logprobs") or [token.get("logprob") for token in given.get("content") or () if isinstance(token, dict)]
    numbers = [x for x in found if isinstance(x, int | float)]
    return sum(numbers) / len(numbers) if numbers else None


async def send_embeddings(client: openai.AsyncOpenAI, model: str, texts: list[str], pool: Pool) -> tuple[list, int]:
    """Vectors of `texts`, in their order, and the prompt tokens counted; a server that takes fewer at once gets them by halves.

    Args:
        client: Leads to the server.
        model: Its model.
        texts: Any number of texts.
        pool: Remembers how many were taken after more had been refused, for the texts that follow.

    Raises:
        ValueError: The reply is not one vector a text, of numbers, all of one length.
    """
    rows, tokens, most = [], 0, pool.texts_at_once
    while len(rows) < len(texts):
        part = texts[len(rows) : len(rows) + min(len(texts), most)]
        try:
            found, n = await _send_embeddings(client, model, part)
        except openai.APIStatusError as error:
            if len(part) == 1 or not _is_too_many(error):
                raise
            most = len(part) // 2
            continue
        pool.texts_at_once = min(pool.texts_at_once, most)
        rows, tokens = rows + found, tokens + n
    return rows, tokens


async def _send_embeddings(client: openai.AsyncOpenAI, model: str, texts: list[str]) -> tuple[list, int]:
    """Vectors and tokens of texts that are sent together."""
    try:
        reply = await client.embeddings.create(model=model, input=texts)
    except AttributeError:  # of the client, which takes a page for vectors
        raise ValueError("expected vectors; found something else") from None
    try:
        given = list(reply.data)
        if all(isinstance(row.index, int) for row in given):  # some servers give none: then the order is theirs
            given.sort(key=lambda row: row.index)
        rows = [row.embedding for row in given]
        tokens = (reply.usage.prompt_tokens if reply.usage else 0) or 0
    except (AttributeError, TypeError):  # the client reads a page of HTML, or a bare list, as if it were what was asked for
        raise ValueError("expected vectors; found something else") from None
    if len(rows) != len(texts):
        raise ValueError(f"expected {len(texts)} vectors; found {len(rows)}")
    try:
        table = np.asarray(rows, dtype=np.float32)  # makes nan of null
    except (TypeError, ValueError):  # several lengths, or no numbers
        table = np.zeros(0)
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise ValueError("expected vectors of numbers, all of one length; found null, something else, or several lengths")
    return rows, tokens


def _is_too_many(error: openai.APIStatusError) -> bool:
    """Whether texts were refused for how many they are; text-embeddings-inference takes 32."""
    told = error.status_code == 400 and any(mark in said(error).lower() for mark in ("batch", "too many", "per request"))
    return told or error.status_code in (413, 422)


def probe(role: Role, timeout_s: float = 10.0) -> str | None:
    """Ask every address of an endpoint whether it is there, takes the key and knows the model, before anything is spent.

    Asks for the list of models; only where that settles nothing does it ask for a reply of one token.

    Returns:
        None when all is well, else one clear line: what is wrong and what to set.
    """
    lines = [line for url in role.urls if (line := _probe(role, url, timeout_s))]
    return "; ".join(lines) or None


def _probe(role: Role, url: str, timeout_s: float) -> str | None:
    try:
        http = openai.DefaultHttpxClient(timeout=timeout_s, **route(url))
    except BadInput as error:
        return f"{role.name} at {url}: {error}"
    common = {"max_retries": 0, "http_client": http}
    try:
        if role.azure:
            client = bare(openai.AzureOpenAI(azure_endpoint=url, api_version=role.api_version, **entry(role), **common), url)
        else:
            client = bare(openai.OpenAI(base_url=url, api_key=role.api_key or NO_KEY, **common), url)
            try:
                if role.model in [model.id for model in client.models.list()]:
                    return None
            except (openai.NotFoundError, openai.BadRequestError, openai.UnprocessableEntityError, ValueError, AttributeError):
                pass  # no list of models here, or in a form that the client trips over (a bare list, a page): ask the model itself
        if role.name == "embedder":
            given = client.embeddings.create(model=role.model, input=["ready?"])
        elif role.completion:
            given = client.completions.create(model=role.model, prompt="ready?", max_tokens=1)
        else:
            given = client.chat.completions.create(
                model=role.model, messages=[{"role": "user", "content": "ready?"}], max_tokens=1
            )
        if isinstance(given, str):  # what the client makes of a page
            raise ValueError(f"expected a reply with choices; found {given[:100]!r}")
    except openai.BadRequestError:
        return None  # it is there and knows the model; it only did not like so short a question
    except AttributeError:  # of the client, which takes a page for vectors
        return explain(ValueError("expected vectors; found something else"), role, url)
    except (openai.APIError, ValueError) as error:
        return explain(error, role, url)
    finally:
        http.close()
    return None
