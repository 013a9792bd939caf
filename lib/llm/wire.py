"""The wire: the OpenAI client, one chat or completion request, one batch of embeddings, and the probe of an endpoint."""

import time

import httpx2  # what the openai package itself is built on
import openai

from lib.llm.records import Reply
from lib.llm.retry import explain
from lib.llm.roles import Role

TIMEOUT_S = 600.0
NO_KEY = "none"  # the client refuses an empty key; servers without keys ignore this one


def make_client(role: Role, max_in_flight: int, timeout_s: float = TIMEOUT_S) -> openai.AsyncOpenAI:
    """A client for a role's endpoint. It makes no retries of its own: ours know the Retry-After of the whole endpoint."""
    limits = httpx2.Limits(max_connections=max_in_flight + 4, max_keepalive_connections=max_in_flight + 4)
    http = openai.DefaultAsyncHttpxClient(
        limits=limits, timeout=httpx2.Timeout(timeout_s, connect=10.0), **_route(role)
    )
    common = {"api_key": role.api_key or NO_KEY, "max_retries": 0, "http_client": http}
    if role.azure:
        return openai.AsyncAzureOpenAI(azure_endpoint=role.base_url, api_version=role.api_version, **common)
    return openai.AsyncOpenAI(base_url=role.base_url, **common)


def _route(role: Role) -> dict:
    """Loopback is never reached through a proxy, and has no certificate to check (loading certificates takes 50 ms)."""
    local = role.base_url.startswith(("http://127.", "http://localhost", "http://[::1]"))
    return {"trust_env": not local, "verify": not local}


async def send_request(client: openai.AsyncOpenAI, model: str, body: dict) -> Reply:
    """Send one body, to `/chat/completions` if it has messages and to `/completions` if it has a prompt."""
    start = time.monotonic()
    chat = "messages" in body
    known = {"messages": body["messages"]} if chat else {"prompt": body["prompt"]}
    rest = {name: value for name, value in body.items() if name not in known}
    # The raw reply: servers differ in what they leave out, and the client's models cost half a millisecond a reply.
    create = (client.chat.completions if chat else client.completions).with_raw_response.create
    raw = await create(model=model, **known, extra_body=rest)
    seconds = round(time.monotonic() - start, 4)
    reply = raw.http_response.json()
    try:
        choice, usage = reply["choices"][0], reply.get("usage") or {}
        text = choice["message"].get("content") if chat else choice["text"]
    except (KeyError, IndexError, TypeError, AttributeError):
        raise ValueError(f"expected a reply with choices; found {str(reply)[:200]}") from None
    return Reply(
        text or "", choice.get("finish_reason") or "stop",
        int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0), seconds,
    )  # fmt: skip


async def send_embeddings(client: openai.AsyncOpenAI, model: str, texts: list[str]) -> tuple[list, int]:
    """Vectors of `texts`, in their order, and the prompt tokens counted."""
    reply = await client.embeddings.create(model=model, input=texts)
    rows = [row.embedding for row in sorted(reply.data, key=lambda row: row.index)]
    if len(rows) != len(texts):
        raise ValueError(f"expected {len(texts)} vectors; found {len(rows)}")
    return rows, reply.usage.prompt_tokens if reply.usage else 0


def probe(role: Role, timeout_s: float = 10.0) -> str | None:
    """Ask an endpoint whether it is there, takes the key and knows the model, before anything is spent.

    Asks for the list of models; only where that settles nothing does it ask for a reply of one token.

    Returns:
        None when all is well, else one clear line: what is wrong and what to set.
    """
    http = openai.DefaultHttpxClient(timeout=timeout_s, **_route(role))
    common = {"api_key": role.api_key or NO_KEY, "max_retries": 0, "http_client": http}
    try:
        if role.azure:
            client = openai.AzureOpenAI(azure_endpoint=role.base_url, api_version=role.api_version, **common)
        else:
            client = openai.OpenAI(base_url=role.base_url, **common)
            try:
                if role.model in [model.id for model in client.models.list()]:
                    return None
            except (openai.NotFoundError, openai.BadRequestError, openai.UnprocessableEntityError, ValueError):
                pass  # no list of models here: ask the model itself
        if role.name == "embedder":
            client.embeddings.create(model=role.model, input=["ready?"])
        elif role.completion:
            client.completions.create(model=role.model, prompt="ready?", max_tokens=1)
        else:
            client.chat.completions.create(
                model=role.model, messages=[{"role": "user", "content": "ready?"}], max_tokens=1
            )
    except openai.BadRequestError:
        return None  # it is there and knows the model; it only did not like so short a question
    except (openai.APIError, ValueError) as error:
        return explain(error, role)
    finally:
        http.close()
    return None
