"""Whether an endpoint replies in JSON of a given schema: told by the user, known, or found out by asking once."""

import json

from lib.llm import Request
from lib.run import BadInput, read_json, write_json

SETTINGS = ("auto", "yes", "no")
_SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "ready",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"ready": {"type": "boolean"}},
            "required": ["ready"],
            "additionalProperties": False,
        },
    },
}
PROBE = Request(
    messages=({"role": "user", "content": 'Reply with the JSON object {"ready": true} and nothing else.'},),
    max_tokens=50,
    response_format=_SCHEMA,
)


def takes_schema(asker, run, setting: str = "auto") -> bool:
    """Whether requests to this endpoint may carry a JSON schema.

    An endpoint that refuses a schema, or replies in something else, is asked by the prompt alone, and its replies are read
    by the parser that survives preambles and numbering. What was found out is kept in the run, so it is asked once. An endpoint
    that is asked in batches is not: that question alone would be a batch, up to a day of waiting. The schema is sent; where it is
    refused, the next batch goes without it.

    Args:
        asker: The endpoint.
        run: The open run.
        setting: `auto`, `yes` or `no`.
    """
    if setting != "auto" or asker.role.stand_in:
        return setting != "no"
    path = run.path("logs/structured.json")
    known = read_json(path) if path.is_file() else {}
    if asker.role.identity not in known:
        if asker.role.batch:
            return True
        [reply] = asker.ask([PROBE], label="does it take a JSON schema?")
        known[asker.role.identity] = not reply.error and _is_ready(reply.text)
        write_json(path, known)
    return known[asker.role.identity]


def check_setting(setting: str) -> None:
    """Refuse another word.

    Raises:
        BadInput: Neither `auto`, `yes` nor `no`.
    """
    if setting not in SETTINGS:
        raise BadInput(f"structured_output: expected one of {', '.join(SETTINGS)}, found {setting!r}")


def _is_ready(text: str) -> bool:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return False
    return isinstance(value, dict) and value.get("ready") is True
