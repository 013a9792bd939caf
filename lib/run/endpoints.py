"""Which role variables (`TEACHER_OPENAI_BASE_URL`, …) a notebook's results depend on: places and models, never keys.

What a role is and how it is asked is lib.llm's; here is only enough to notice that one was set, or changed.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from lib.run.errors import BadInput
from lib.run.files import text_hash

USED_BY = {
    "1_gen": ("TEACHER", "COMPLETION", "EMBEDDER", "EMBEDDING"),
    "2_finetune": (),
    "3_deploy": ("STUDENT", "BASELINE"),
    "4_eval": ("TEACHER", "COMPLETION", "EMBEDDER", "EMBEDDING", "STUDENT", "BASELINE", "JUDGE"),
}
ALIASES = {"COMPLETION": "TEACHER", "EMBEDDING": "EMBEDDER"}
FIELDS = (
    "OPENAI_BASE_URL", "OPENAI_DEPLOYMENT", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_DEPLOYMENT", "OPENAI_API_VERSION",
    "LOCAL_MODEL", "LOCAL_GPUS",
)  # fmt: skip


def named_roles(notebook: str, parameters: Mapping) -> tuple[str, ...]:
    """Further roles that parameters name: systems to compare and judges, as the prefixes of their variables."""
    if notebook not in ("3_deploy", "4_eval"):
        return ()
    named = [*parameters.get("systems", ()), *(parameters.get("judges", ()) if notebook == "4_eval" else ())]
    return tuple(name.upper() for name in named if ":" not in name)  # run:NAME is another run's student


def roles_set(
    notebooks: list[str], folder: str | Path = ".", env: Mapping[str, str] = os.environ, parameters: Mapping = {}
) -> list[str]:
    """The roles that these notebooks use and that are set, even by half: `teacher`, `judge`, …"""
    values = {**read_env_file(Path(folder) / ".env"), **env}
    prefixes = dict.fromkeys(
        prefix for notebook in notebooks for prefix in (*USED_BY.get(notebook, ()), *named_roles(notebook, parameters))
    )
    given = [p for p in prefixes if any(v and n.startswith(f"{p}_") and "OPENAI" in n for n, v in values.items())]
    return list(dict.fromkeys(ALIASES.get(prefix, prefix).lower() for prefix in given))


def role_variables(
    notebook: str, folder: str | Path = ".", env: Mapping[str, str] = os.environ, parameters: Mapping = {}
) -> dict[str, str]:
    """The places and models of the roles that a notebook uses, from `.env` in `folder` and the environment (which wins)."""
    values = {**read_env_file(Path(folder) / ".env"), **env}
    roles = dict.fromkeys((*USED_BY.get(notebook, ()), *named_roles(notebook, parameters)))
    names = [f"{role}_{field}" for role in roles for field in FIELDS]
    return {name: values[name] for name in names if values.get(name)}


def roles_hash(
    notebook: str, folder: str | Path = ".", env: Mapping[str, str] = os.environ, parameters: Mapping = {}
) -> str:
    """One hash of `role_variables`: another endpoint or model makes a stage run again."""
    return text_hash(
        "\n".join(f"{name}={value}" for name, value in sorted(role_variables(notebook, folder, env, parameters).items()))
    )


def read_env_file(path: Path) -> dict[str, str]:
    """Variables of a `.env` file, lines `NAME=value`; `#` comments, quotes, `export` and a byte-order mark are understood.

    Raises:
        BadInput: It cannot be read, or is not UTF-8.
    """
    values = {}
    try:
        text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8, save it as that" if isinstance(error, UnicodeDecodeError) else error.strerror  # its bytes may be a key's
        raise BadInput(f"{path}: cannot be read: {reason}") from None
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.lstrip().startswith("#"):
            value = value.strip()
            if value[:1] in ("'", '"') and value[0] in value[1:]:
                value = value[1 : value.index(value[0], 1)]
            else:
                value = value.split(" #")[0].strip()
            values[name.strip()] = value
    return values
