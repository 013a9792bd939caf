"""How an endpoint is reached: by which route, with which key, and through which HTTP client."""

import urllib.request

import aiohttp
import httpx2  # what the openai package itself is built on
import openai
import yarl

from lib.llm.roles import TIMEOUT_S, Role

NO_KEY = "none"  # the client refuses an empty key; servers without keys ignore this one
CONNECT_S = 10.0
_REDIRECTS = (301, 302, 303, 307, 308)


def make_client(role: Role, max_in_flight: int, url: str = "") -> openai.AsyncOpenAI:
    """A client for one address of a role. It makes no retries of its own: ours know the Retry-After of the whole endpoint."""
    url = url or role.base_url
    limits = httpx2.Limits(max_connections=max_in_flight + 4, max_keepalive_connections=max_in_flight + 4)
    timeout = httpx2.Timeout(role.timeout_s or TIMEOUT_S, connect=CONNECT_S)
    way = route(url)
    # Behind a proxy the usual client goes: it knows all the variables that name one.
    kind = openai.DefaultAioHttpClient if way["trust_env"] and urllib.request.getproxies() else LeanHttpClient
    common = {"max_retries": 0, "http_client": kind(limits=limits, timeout=timeout, **way)}
    if role.azure:
        return openai.AsyncAzureOpenAI(azure_endpoint=url, api_version=role.api_version, **entry(role), **common)
    return openai.AsyncOpenAI(base_url=url, api_key=role.api_key or NO_KEY, **common)


def route(url: str) -> dict:
    """Loopback is never reached through a proxy, and has no certificate to check (loading certificates takes 50 ms)."""
    local = url.startswith(("http://127.", "http://localhost", "http://[::1]"))
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


class LeanHttpClient(openai.DefaultAioHttpClient):
    """The HTTP client below the official one, with a short way for what is sent a thousand times: bytes out, bytes in.

    The general way parses the address three times, copies the headers five times and reads the reply as a stream: a third of all
    that a request costs. Everything else (files, streams, redirects) goes the general way.
    """

    def __init__(self, *, limits: httpx2.Limits, timeout: httpx2.Timeout, verify: bool, trust_env: bool):
        super().__init__(limits=limits, timeout=timeout, verify=verify, trust_env=trust_env)
        self._limits, self._verify = limits, verify
        self._urls: dict[str, tuple[httpx2.URL, yarl.URL]] = {}
        self._session: aiohttp.ClientSession | None = None

    def build_request(self, method, url, *, content=None, headers=None, timeout=None, **more) -> httpx2.Request:
        """A request that `send` knows to take the short way, if it is bytes for a plain address."""
        if not isinstance(content, bytes) or any(value is not None for value in more.values()):
            return super().build_request(method, url, content=content, headers=headers, timeout=timeout, **more)
        if url not in self._urls:
            self._urls[url] = httpx2.URL(url), yarl.URL(url, encoded=True)
        parsed, target = self._urls[url]
        return httpx2.Request(
            method, parsed, headers=httpx2.Headers(headers, encoding="ascii"), stream=httpx2.ByteStream(content),
            extensions={"target": target, "short": {"content": content, "headers": headers, "timeout": timeout}},
        )  # fmt: skip

    async def send(self, request: httpx2.Request, *, stream: bool = False, **more) -> httpx2.Response:
        """The response, read whole.

        Raises:
            httpx2.RequestError: Nothing came, as the general way would say it.
        """
        short = request.extensions.get("short")
        if short is None or stream:
            return await super().send(request, stream=stream, **more)
        limit = short["timeout"]
        patience = aiohttp.ClientTimeout(sock_connect=limit.connect, sock_read=limit.read, connect=limit.pool)
        try:
            async with self._open().request(
                request.method, request.extensions["target"], headers=short["headers"], data=short["content"], timeout=patience, allow_redirects=False
            ) as response:
                content = await response.read()
        except aiohttp.ClientConnectorError as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        except (TimeoutError, aiohttp.ClientConnectionError) as error:  # a connection that is lost: the reply may have been made
            raise httpx2.ReadTimeout(str(error), request=request) from error
        except aiohttp.ClientError as error:
            raise httpx2.ReadError(str(error), request=request) from error
        if response.status in _REDIRECTS:
            return await super().send(super().build_request(request.method, request.url, **short), **more)
        return httpx2.Response(response.status, headers=response.raw_headers, content=content, request=request)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            checked = httpx2.create_ssl_context() if self._verify else False
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._limits.max_connections, keepalive_timeout=self._limits.keepalive_expiry, ssl=checked
                ),
                cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, headers={"Accept-Encoding": self.headers["accept-encoding"]},
            )  # fmt: skip
        return self._session

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session:
            await self._session.close()
        await super().aclose()
