"""Sitemaps: the addresses in one, and the sitemaps that an index names. XML, a plain list of addresses, and gzip of both.

A document type declaration is refused, since that is where entities that grow without end are declared; sitemaps have none.
"""

import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

MAX_BYTES = 50 * 1024 * 1024  # unpacked; the protocol's limit (sitemaps.org)
ENDINGS = (".xml", ".xml.gz")  # of a local file
_ROOTS = ("urlset", "sitemapindex")


@dataclass(frozen=True)
class Sitemap:
    """Pages named, in order; and further sitemaps, where this is an index."""

    pages: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()


def is_sitemap(documents: str) -> bool:
    """Whether `documents` names a sitemap: an http or https address, or a local file that is one."""
    if re.match(r"https?://", documents, re.IGNORECASE):
        return True
    path = Path(documents)
    if not documents.lower().endswith(ENDINGS) or not path.is_file():
        return False
    try:
        parse_sitemap(path.read_bytes())
    except ValueError:
        return False
    return True


def parse_sitemap(data: bytes) -> Sitemap:
    """Read one sitemap.

    Raises:
        ValueError: Not a sitemap, broken, over 50 MiB unpacked, or with a document type declaration.
    """
    data = _unpack(data)
    lines = [line.strip() for line in data[:2_000_000].decode("utf-8-sig", "replace").splitlines() if line.strip()]
    if lines and all(re.match(r"https?://\S+$", line) for line in lines[:100]):
        text = data.decode("utf-8-sig", "replace")
        return Sitemap(tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip())))
    return _Reader().read(data)


def _unpack(data: bytes) -> bytes:
    if data[:2] == b"\x1f\x8b":
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            data = unpack.decompress(data, MAX_BYTES + 1)
        except zlib.error as error:
            raise ValueError(f"broken gzip ({error})") from None
        if not unpack.eof and len(data) <= MAX_BYTES:
            raise ValueError("broken gzip (cut off)")
    if len(data) > MAX_BYTES:
        raise ValueError(f"too large: over {MAX_BYTES:,} bytes unpacked")
    return data


class _Reader:
    """Collects `<loc>` under `<url>` or `<sitemap>`, whatever the namespace."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._text = ""
        self._found: dict[str, list[str]] = {"url": [], "sitemap": []}

    def read(self, data: bytes) -> Sitemap:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._add
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise ValueError(f"not a sitemap: no XML ({error})") from None
        return Sitemap(*(tuple(dict.fromkeys(self._found[kind])) for kind in ("url", "sitemap")))

    def _refuse(self, name: str, *_rest: object) -> None:
        if name.lower() == "html":
            raise ValueError("not a sitemap: a page; expected XML with <urlset> or <sitemapindex>")
        raise ValueError("a document type declaration, which sitemaps do not have; not read")

    def _start(self, name: str, _attributes: dict) -> None:
        name = name.rpartition(":")[2]
        if not self._open and name not in _ROOTS:
            raise ValueError(f"not a sitemap: expected <urlset> or <sitemapindex>, found <{name}>")
        self._open.append(name)
        self._text = ""

    def _add(self, text: str) -> None:
        self._text += text

    def _end(self, _name: str) -> None:
        name = self._open.pop()
        if name == "loc" and self._open and self._open[-1] in self._found and self._text.strip():
            self._found[self._open[-1]].append(self._text.strip())
        self._text = ""
