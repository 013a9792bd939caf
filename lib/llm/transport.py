"""How an endpoint is reached: by which route, with which key, and through which HTTP client."""

from urllib.request import getproxies

import httpx2  # what the openai package itself is built on
import openai

from lib.llm.address import is_loopback, is_openai
from lib.llm.roles import TIMEOUT_S, Role
from lib.run import BadInput

NO_KEY = "none"  # the client refuses an empty key; servers without keys ignore this one
CONNECT_S = 10.0


def make_client(role: Role, max_in_flight: int, url: str = "") -> openai.AsyncOpenAI:
    """A client for one address of a role. It makes no retries of its own: ours know the Retry-After of the whole endpoint."""
    url = url or role.base_url
    limits = httpx2.Limits(max_connections=max_in_flight + 4, max_keepalive_connections=max_in_flight + 4)
    timeout = httpx2.Timeout(role.timeout_s or TIMEOUT_S, connect=CONNECT_S)
    common = {"max_retries": 0, "http_client": openai.DefaultAioHttpClient(limits=limits, timeout=timeout, **route(url))}
    if role.azure:
        return bare(openai.AsyncAzureOpenAI(azure_endpoint=url, api_version=role.api_version, **entry(role), **common), url)
    return bare(openai.AsyncOpenAI(base_url=url, api_key=role.api_key or NO_KEY, **common), url)


def bare(client, url: str):
    """The client without what it takes from the environment by itself, unless the address is OpenAI's own: `OPENAI_ORG_ID`,
    `OPENAI_PROJECT_ID` and `OPENAI_CUSTOM_HEADERS`, which may hold a key, are nobody else's to see.
    """
    if not is_openai(url):
        client.organization = client.project = None
        client._custom_headers = {}  # we give none of our own
    return client


def route(url: str) -> dict:
    """Loopback is never reached through a proxy, and has no certificate to check (loading certificates takes 50 ms).

    Raises:
        BadInput: The environment names a proxy that is none of HTTP's.
    """
    local = is_loopback(url)
    for name in () if local else ("http", "https", "all"):
        kind, mark, _ = (getproxies().get(name) or "").partition("://")  # the rest may hold a password
        if mark and kind.lower() not in ("http", "https"):
            raise BadInput(
                f"{name.upper()}_PROXY: expected a proxy such as http://host:port; found one that starts {kind}://, which is not "
                f"supported here; name an HTTP proxy or unset {name.upper()}_PROXY"
            )
    return {"trust_env": not local, "verify": not local}


def entry(role: Role) -> dict:
    """How Azure is entered: a key, a token, or whoever azure-identity finds logged in."""
    if role.api_key:
        return {"api_key": role.api_key}
    if role.token:
        return {"azure_ad_token": role.token}
    from azure.identity import DefaultAzureCredential, get_bearer_token_provider

    scope = "https://cognitiveservices.azure.com/.default"
    return {"azure_ad_token_provider": get_bearer_token_provider(DefaultAzureCredential(), scope)}
