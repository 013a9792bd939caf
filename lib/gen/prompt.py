"""The teacher's prompts: text files that a user may edit, with places like `{chunk}` filled in."""

import re
from pathlib import Path

from lib.llm.raft import REFUSAL
from lib.run import BadInput, text_hash

FOLDER = Path(__file__).parent / "prompts"


def read_prompt(name: str) -> str:
    """Text of `prompts/<name>.txt`, the refusal sentence filled in."""
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8").strip().replace("{refusal}", REFUSAL)


def fill(template: str, **values: object) -> str:
    """Put values in the `{places}` of a template, in one pass: braces inside a value stay what they are."""
    return re.sub(r"\{(\w+)\}", lambda place: str(values.get(place[1], place[0])), template)


def prompt_hash(*names: str) -> str:
    """First 16 digits of the hash of one or more prompt files: part of what says how a question was made."""
    return text_hash("\0".join(read_prompt(name) for name in names))[:16]


def system_prompt(setting: str) -> str:
    """What every row, and later every evaluated system, is told: `default`, `none`, or the text of a file.

    Raises:
        BadInput: No such file.
    """
    if setting == "none":
        return ""
    if setting == "default":
        return read_prompt("system")
    path = Path(setting)
    if not path.is_file():
        raise BadInput(f"system_prompt: expected 'default', 'none' or a text file, found {setting!r}")
    return path.read_text(encoding="utf-8").strip()
