"""One reply, word by word as it is made: for a person who waits, not for a data set. Nothing is stored and nothing is asked twice."""

from collections.abc import Iterator
from functools import lru_cache

import httpx2
import openai

from lib.llm.pool import Fields
from lib.llm.records import Request
from lib.llm.roles import TIMEOUT_S, Role
from lib.llm.transport import NO_KEY, bare, entry, route
from lib.llm.trouble import EndpointError, explain, said
from lib.run import say


def stream_reply(role: Role, request: Request) -> Iterator[str]:
    """Pieces of one reply in order.

    Raises:
        EndpointError: The endpoint cannot be used, or ended in the middle.
    """
    body = request.body()
    chat = "messages" in body
    known = {"messages": body.pop("messages")} if chat else {"prompt": body.pop("prompt")}
    timeout = httpx2.Timeout(role.timeout_s or TIMEOUT_S, connect=10.0)
    with openai.DefaultHttpxClient(timeout=timeout, **route(role.base_url)) as http:
        common = {"max_retries": 0, "http_client": http}
        if role.azure:
            client = openai.AzureOpenAI(azure_endpoint=role.base_url, api_version=role.api_version, **entry(role), **common)
        else:
            client = openai.OpenAI(base_url=role.base_url, api_key=role.api_key or NO_KEY, **common)
        bare(client, role.base_url)
        create = (client.chat.completions if chat else client.completions).create
        piece = None
        try:
            for piece in _open(create, role, body, known):
                if piece.choices:
                    part = piece.choices[0].delta if chat else piece.choices[0]
                    text = part and (part.content if chat else part.text)  # Azure's filter sends choices without a part
                    if text:
                        yield text
            if piece is None:
                raise ValueError("expected a stream of pieces; found none")
        except (openai.APIError, httpx2.HTTPError, ValueError) as error:
            raise EndpointError(explain(error, role)) from None


@lru_cache
def _fields(role: Role) -> Fields:
    """What is known of an endpoint's fields, for all turns of a conversation."""
    return Fields(role, lambda sentence: say(f"warning: {sentence}"))


def _open(create, role: Role, body: dict, known: dict):
    """The stream of a request, in the fields that the endpoint takes."""
    fields = _fields(role)
    while True:
        sent = fields.fit(body)
        try:
            return create(model=role.model, stream=True, extra_body=sent, **known)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if not fields.learn(said(error)) or fields.fit(body) == sent:
                raise
