"""What an address tells by itself."""

import re
from urllib.parse import urlsplit


def is_openai(url: str) -> bool:
    """Whether an address is OpenAI's own: openai.com, or a host under it."""
    return f".{urlsplit(url).hostname or ''}".endswith(".openai.com")


def is_loopback(url: str) -> bool:
    """Whether an address is plain HTTP to this machine: no proxy leads there, and there is no certificate to check."""
    parts = urlsplit(url)
    return parts.scheme == "http" and re.fullmatch(r"localhost|127(\.\d+){1,3}|::1", parts.hostname or "") is not None
