"""What an address tells by itself."""

from urllib.parse import urlsplit


def is_openai(url: str) -> bool:
    """Whether an address is OpenAI's own: openai.com, or a host under it."""
    return f".{urlsplit(url).hostname or ''}".endswith(".openai.com")
