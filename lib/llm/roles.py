"""Roles: which endpoint plays teacher, judge, embedder, student or baseline, read from the environment and `.env`.

A role is set by `<ROLE>_OPENAI_BASE_URL`, `_OPENAI_DEPLOYMENT` (the model's name) and, where the endpoint asks for one,
`_OPENAI_API_KEY`; or by `<ROLE>_AZURE_OPENAI_ENDPOINT`, `_AZURE_OPENAI_API_KEY`, `_AZURE_OPENAI_DEPLOYMENT` and
`_OPENAI_API_VERSION`. Instead of Azure's key a token (`_AZURE_OPENAI_AD_TOKEN`), or neither where azure-identity is installed.
Several addresses of the same model stand in `_OPENAI_BASE_URL` with commas between. Keys live here and in the client's headers, nowhere else.

Also by role: quotas `_RPM`, `_TPM`, `_TPD` (requests and tokens a minute, tokens a day), `_TIMEOUT_S`, `_BATCH` (1: ask through the
endpoint's batch interface, for half the price and replies within a day), `_PRICE_USD_PER_MTOKENS`.
"""

import importlib.util
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from lib.run import BadInput
from lib.run.endpoints import read_env_file

ROLES = ("teacher", "judge", "embedder", "student", "baseline")
ALIASES = {"teacher": "COMPLETION", "embedder": "EMBEDDING"}
ENV_FILE = ".env"
_OPENAI = ("OPENAI_BASE_URL", "OPENAI_DEPLOYMENT", "OPENAI_API_KEY")
_AZURE = ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_API_KEY")
_VERSION = "OPENAI_API_VERSION"
_TOKEN = "AZURE_OPENAI_AD_TOKEN"
_PRICE = "PRICE_USD_PER_MTOKENS"
_NUMBERS = {"RPM": "rpm", "TPM": "tpm", "TPD": "tpd", "TIMEOUT_S": "timeout_s"}
_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Role:
    """One endpoint in one role.

    Attributes:
        name: `teacher`, `judge`, `embedder`, `student`, `baseline`, or what the user called a system.
        base_url: Address up to and including `/v1`; for Azure the resource's endpoint. Of several, with commas between, the first stays here.
        model: Model or deployment name that requests carry.
        api_key: Never shown, logged or stored; empty for an endpoint that asks for none.
        azure: Whether this is Azure OpenAI.
        api_version: Azure's API version.
        identity: What the request store keys replies by: model and address, or the hash of weights, or a stand-in's version.
        stand_in: Whether this is the offline endpoint.
        completion: Whether the model is asked with prompts (`/completions`) instead of messages.
        price: USD per million prompt and reply tokens; None where only tokens are known.
        token: Azure's token instead of a key, kept as the key is.
        more_urls: Further addresses of the same model; they share the first one's stored replies.
        rpm: Requests a minute at most; 0 for no limit.
        tpm: Tokens a minute at most, prompts and replies; 0 for no limit.
        tpd: Tokens a day (UTC) at most, over all runs of one store; 0 for no limit.
        timeout_s: Seconds without a reply after which a request is asked again.
        batch: Whether requests go through the endpoint's batch interface.
        batch_factor: Share of the price that a batch costs, where the run's own price list says so.
        remedy: What to do when it cannot be reached, where that is not its user's to start; ends a message.
    """

    name: str
    base_url: str
    model: str
    api_key: str = field(default="", repr=False)
    azure: bool = False
    api_version: str = ""
    identity: str = ""
    stand_in: bool = False
    completion: bool = False
    price: tuple[float, float] | None = None
    token: str = field(default="", repr=False)
    more_urls: tuple[str, ...] = ()
    rpm: int = 0
    tpm: int = 0
    tpd: int = 0
    timeout_s: float = TIMEOUT_S
    batch: bool = False
    batch_factor: float | None = None
    remedy: str = ""

    def __post_init__(self):
        first, *more = (url.strip() for url in self.base_url.split(","))
        if more:
            object.__setattr__(self, "base_url", first)
            object.__setattr__(self, "more_urls", (*(url.rstrip("/") for url in more if url), *self.more_urls))
        for url in self.urls:
            self._check(url)
        if not self.identity:
            object.__setattr__(self, "identity", f"{self.model}@{self.base_url.rstrip('/')}")

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address, the first one first."""
        return tuple(dict.fromkeys((self.base_url, *self.more_urls)))

    def _check(self, url: str) -> None:
        try:
            parts, is_whole = urlsplit(url), urlsplit(url).port != 0  # .port reads it
        except ValueError:
            is_whole = False
        if not is_whole or parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInput(
                f"{self.name}: expected an address such as https://host/v1 as base URL; found {_safe(url)!r}"
            )
        if parts.username or parts.password or parts.query:
            raise BadInput(
                f"{self.name}: the base URL of {parts.hostname} carries a user, password or query; "
                f"put the key into {self.name.upper()}_OPENAI_API_KEY and the bare address into the base URL"
            )


def environment(env_file: str | Path | None = None) -> dict[str, str]:
    """The process's environment laid over `.env`."""
    return {**read_env_file(Path(env_file or ENV_FILE)), **os.environ}


def local_model(name: str) -> str:
    """`<ROLE>_LOCAL_MODEL`: the folder or hub name of a model to serve here in a role; empty if unset."""
    return environment().get(f"{name.upper()}_LOCAL_MODEL", "").strip()


def resolve_role(name: str, env: Mapping[str, str] | None = None) -> Role | None:
    """The endpoint that the environment names for a role, or None if it names none.

    Args:
        name: `teacher`, `judge`, …
        env: Variables to read; default the process's environment laid over `.env`.

    Raises:
        BadInput: The role is set by half; names what is missing.
    """
    env = environment() if env is None else env
    for prefix in (name.upper(), ALIASES.get(name, "")):
        if prefix and any(_get(env, prefix, v) for v in (*_OPENAI, *_AZURE)):
            return _from_prefix(name, prefix, env)
    return None


def _get(env: Mapping[str, str], prefix: str, variable: str) -> str:
    return (env.get(f"{prefix}_{variable}") or "").strip()


def _from_prefix(name: str, prefix: str, env: Mapping[str, str]) -> Role:
    azure = [v for v in _AZURE if _get(env, prefix, v)]
    plain = [v for v in _OPENAI if _get(env, prefix, v)]
    if azure and plain:
        raise BadInput(
            f"{name}: both {prefix}_{plain[0]} and {prefix}_{azure[0]} are set; "
            f"keep either the {prefix}_OPENAI_ or the {prefix}_AZURE_OPENAI_ variables"
        )
    version = _get(env, prefix, _VERSION) or (env.get(_VERSION) or "").strip()
    url, model, key = (_get(env, prefix, v) for v in (_AZURE if azure else _OPENAI))
    token = _get(env, prefix, _TOKEN) if azure else ""
    entered = key or token or ("azure-identity" if _has_azure_identity() else "")
    needed = (
        {_AZURE[0]: url, _AZURE[1]: model, _AZURE[2]: entered, _VERSION: version}
        if azure
        else {_OPENAI[0]: url, _OPENAI[1]: model}
    )
    missing = [f"{prefix}_{variable}" for variable, value in needed.items() if not value]
    if missing:
        given = ", ".join(f"{prefix}_{v}" for v in azure or plain)
        raise BadInput(
            f"{name}: {' and '.join(missing)} not set, though {given} is; set what is missing or remove what is there"
        )
    return Role(
        name, url.rstrip("/"), model, api_key=key, azure=bool(azure), api_version=version if azure else "",
        token=token, **terms(prefix, env),
    )  # fmt: skip


def terms(prefix: str, env: Mapping[str, str]) -> dict:
    """Price, limits and batches that a role's variables set, whatever it is reached by.

    Raises:
        BadInput: A value that cannot be read.
    """
    numbers = {name: _number(prefix, variable, text) for variable, name in _NUMBERS.items() if (text := _get(env, prefix, variable))}
    return {"price": _price(prefix, _get(env, prefix, _PRICE)), "batch": _switch(prefix, _get(env, prefix, "BATCH")), **numbers}


def _has_azure_identity() -> bool:
    try:
        return importlib.util.find_spec("azure.identity") is not None
    except ModuleNotFoundError:
        return False


def _number(prefix: str, variable: str, text: str) -> float:
    try:
        value = float(text.replace("_", ""))
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise BadInput(f"{prefix}_{variable}: expected a number above 0; found {text!r}")
    return value if variable == "TIMEOUT_S" else int(value) or 1


def _switch(prefix: str, text: str) -> bool:
    if text.lower() not in _YES + _NO:
        raise BadInput(f"{prefix}_BATCH: expected 1 or 0; found {text!r}")
    return text.lower() in _YES


def _price(prefix: str, text: str) -> tuple[float, float] | None:
    """`"2.5 10"` as USD per million prompt and reply tokens."""
    if not text:
        return None
    try:
        prompt, reply = (float(part) for part in text.replace(",", " ").split())
        if not (0 <= prompt < math.inf and 0 <= reply < math.inf):
            raise ValueError
    except ValueError:
        raise BadInput(
            f'{prefix}_{_PRICE}: expected two numbers, prompt and reply, such as "2.5 10"; found {text!r}'
        ) from None
    return prompt, reply


def _safe(url: str) -> str:
    """An address without what may be a secret: no user, no query."""
    return url.split("?")[0].rpartition("@")[2][:80]
