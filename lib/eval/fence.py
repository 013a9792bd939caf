"""Building what a judge is asked: untrusted texts between tags that no text can close, a typed reply, the reason first."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from lib.llm import Request
from lib.run import text_hash

KEY_CHARS = 16
OPINIONS = ("scores", "refusal", "pairwise")  # what a judge can be asked besides its verdict
MAX_TOKENS = 300


@cache
def instruction(name: str) -> str:
    """A judge's instruction, `prompts/<name>.txt`."""
    return (Path(__file__).parent / "prompts" / f"{name}.txt").read_text(encoding="utf-8").strip()


def fence(parts: Sequence[tuple[str, str]]) -> str:
    """Texts between tags whose names end in a key.

    The key is a hash of all the texts: whoever writes one of them cannot know it, since writing it down would change it; and
    the same texts give the same request, so that a verdict paid for is found again.

    Args:
        parts: Names of tags, capitals, each with its text.
    """
    key = text_hash(json.dumps(parts, ensure_ascii=True))[:KEY_CHARS]
    return "\n".join(f"<{tag}-{key}>{text}</{tag}-{key}>" for tag, text in parts)


def typed_request(prompt: str, name: str, fields: Mapping[str, Mapping], parts: Sequence[tuple[str, str]]) -> Request:
    """A request for a reason and the fields.

    Args:
        prompt: The instruction's name.
        name: The schema's name.
        fields: JSON schema of each field after `reason`.
        parts: What `fence` takes.
    """
    # The reason stands first, so that what follows is drawn from it.
    properties = {"reason": {"type": "string"}, **fields}
    schema = {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip
    form = {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}
    messages = ({"role": "system", "content": instruction(prompt)}, {"role": "user", "content": fence(parts)})
    return Request(messages=messages, max_tokens=MAX_TOKENS, response_format=form)


def parse_object(text: str) -> dict | None:
    """The one JSON object of a reply, bare or in a code fence; None for anything else."""
    match = re.fullmatch(r"\s*(?:```(?:json)?\s*)?(\{.*\})\s*(?:```)?\s*", text, re.DOTALL)
    try:
        value = json.loads(match[1]) if match else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def parse_choice(text: str, choices: Sequence[str]) -> tuple[str, str] | None:
    """Verdict and reason of a reply whose `verdict` is one of the choices, in any case; never a word found in a sentence."""
    value = parse_object(text)
    word = value.get("verdict") if value else None
    if not isinstance(word, str) or word.strip().upper() not in choices:
        return None
    return word.strip().upper(), str(value.get("reason", ""))
