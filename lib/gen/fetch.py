"""One HTTP request of the crawler: TLS verified, size and time capped, and never to a private address by accident.

A host is resolved once and the connection goes to the address that was checked, so that a name cannot point elsewhere in between.
Redirects are not followed here. Proxies are not used: behind one, nobody could say which address was reached.
"""

import http.client
import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urldefrag, urlsplit, urlunsplit

BLOCK = 1 << 16
_KEPT = "%/:=&?~+!$,;'@()*[]"  # characters of a path or query that are as they should be


class Refused(ValueError):
    """A request that must not be made, or a reply that must not be read to its end; its text is the reason."""


@dataclass(frozen=True)
class Answer:
    """What one request brought; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def get(
    url: str,
    *,
    agent: str,
    max_bytes: int,
    private: Sequence[str] = (),
    timeout_s: float = 20.0,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ask for one address.

    Args:
        url: http or https; what is not ASCII in it is quoted.
        agent: Name under which the request goes.
        max_bytes: Longest body, before and after decompression.
        private: Hosts (`name` or `name:port`) that may lie at a private address.
        timeout_s: Longest silence, seconds; the whole reply may take three times as long.
        headers: More headers, such as `If-None-Match`.

    Raises:
        Refused: Another scheme, a password in the address, a private address, or a body over `max_bytes`.
        OSError, http.client.HTTPException: The host cannot be found, reached or trusted.
    """
    parts = urlsplit(clean_url(url))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = find_address(parts.hostname, port, private)
    kind = _Secure if parts.scheme == "https" else _Plain
    connection = kind(parts.hostname, port, address, timeout_s)
    deadline = time.monotonic() + 3 * timeout_s
    try:
        target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        sent = {"User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "gzip", "Connection": "close"}
        connection.request("GET", target, headers={**sent, **(headers or {})})
        reply = connection.getresponse()
        found = {name.lower(): value for name, value in reply.getheaders()}
        return Answer(reply.status, found, _read(reply, found, max_bytes, deadline))
    finally:
        connection.close()


def clean_url(url: str) -> str:
    """An address fit to be asked for: no fragment, quoted, host in lower case.

    Raises:
        Refused: Not http or https, without a host, with a user or password, or with a port that is none.
    """
    try:
        parts = urlsplit(urldefrag(url.strip()).url)
    except ValueError as error:
        raise Refused(f"no address ({error}): {url.strip()[:100]!r}") from None
    try:
        port = parts.port
    except ValueError:
        raise Refused("the address has a port that is no number") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused(f"expected an http or https address, found {url.strip()[:100]!r}")
    if parts.username is not None or parts.password is not None:
        raise Refused("the address carries a user or password")
    try:
        host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
    except UnicodeError:
        raise Refused(f"the address has no valid host name: {parts.hostname[:100]!r}") from None
    host = f"[{host}]" if ":" in host else host
    place = host if port in (None, {"http": 80, "https": 443}[parts.scheme]) else f"{host}:{port}"
    return urlunsplit((parts.scheme, place, quote(parts.path or "/", _KEPT), quote(parts.query, _KEPT), ""))


def find_address(host: str, port: int, private: Sequence[str] = ()) -> str:
    """The IP address to connect to: the first one of the host that may be reached.

    Raises:
        Refused: Every address of the host is private, loopback, link-local or reserved, and the host is not in `private`.
        OSError: The name is not known.
    """
    found = list(dict.fromkeys(entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    if host in private or f"{host}:{port}" in private:
        return found[0]
    for address in found:
        if is_public(address):
            return address
    raise Refused(f"{host} lies at the private address {found[0]}; name the host in crawl_private to allow it")


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also when it wraps an IPv4 address."""
    ip = ipaddress.ip_address(address.split("%")[0])
    wrapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    if ip.version == 6 and ip in ipaddress.ip_network("64:ff9b::/96"):  # NAT64
        wrapped = ipaddress.ip_address(int(ip) & 0xFFFFFFFF)
    if wrapped and not is_public(str(wrapped)):
        return False
    return ip.is_global and not ip.is_multicast


class _Plain(http.client.HTTPConnection):
    """Connects to the address that was checked, whatever the name would resolve to now."""

    def __init__(self, host: str, port: int, address: str, timeout_s: float):
        super().__init__(host, port, timeout=timeout_s)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


class _Secure(_Plain):
    """The same with TLS: the certificate must be valid, and for the name."""

    default_port = 443

    def connect(self) -> None:
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _read(reply, headers: Mapping[str, str], max_bytes: int, deadline: float) -> bytes:
    """The body, decompressed; stops as soon as it is too long or takes too long."""
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise Refused(f"too large: {int(declared):,} bytes, {max_bytes:,} allowed")
    packed = headers.get("content-encoding", "").lower() in ("gzip", "x-gzip", "deflate")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed else None
    body = bytearray()
    while block := reply.read1(BLOCK):
        try:
            body += unpack.decompress(block, max_bytes + 1 - len(body)) if unpack else block
        except zlib.error as error:
            raise Refused(f"the body is not the {headers['content-encoding']} it says it is ({error})") from None
        if len(body) > max_bytes:
            raise Refused(f"too large: over {max_bytes:,} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError("the reply took too long")
    return bytes(body)
