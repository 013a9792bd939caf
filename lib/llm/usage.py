"""Tokens and money by role. A model without a known price is counted in tokens only, and that is said."""

import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from lib.llm.address import is_openai
from lib.llm.roles import Role
from lib.run import BadInput

PRICES_FILE = Path(__file__).with_name("prices.yaml")
_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")  # of a snapshot, at its model's price unless the list has the snapshot itself


@lru_cache
def read_prices(path: str | Path = PRICES_FILE) -> dict:
    """A price list: `as_of`, `batch_factor`, and `models` with USD per million prompt and reply tokens.

    Raises:
        BadInput: No such file, an entry that is not a pair of numbers, or a `batch_factor` that is none.
    """
    import yaml

    try:
        table = yaml.safe_load(Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BadInput(f"prices: expected a YAML file such as {PRICES_FILE.name} in lib/llm; {path}: {error}") from None
    models = table.get("models") if isinstance(table, dict) else None
    if not isinstance(models, dict):
        raise BadInput(f"prices: {path} has no `models:`; expected `models: {{name: [PROMPT, REPLY]}}`, USD per million tokens")
    for name, pair in models.items():
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(x, int | float) and 0 <= x < math.inf for x in pair)):
            raise BadInput(f"prices: {path}: {name}: expected two numbers, prompt and reply, such as [2.5, 10]; found {pair!r}")
    factor = table.get("batch_factor", 0.5)
    if not (isinstance(factor, int | float) and 0 <= factor < math.inf):
        raise BadInput(f"prices: {path}: batch_factor: expected the share of the price that a batch costs, such as 0.5; found {factor!r}")
    return {"as_of": str(table.get("as_of", "")), "batch_factor": float(factor), "models": models}


def with_price(role: Role, prices: str | Path = "") -> Role:
    """The role with the price that a list gives its model, unless it has one, and the list's share of it for batches."""
    if prices:
        role = replace(role, batch_factor=read_prices(prices)["batch_factor"])
    if role.price or role.stand_in:
        return role
    models, host = read_prices(prices or PRICES_FILE)["models"], urlsplit(role.base_url).hostname or ""
    listed = models.get(f"{role.model}@{host}")
    if listed is None and (role.azure or is_openai(role.base_url)):
        listed = models.get(role.model, models.get(_DATE.sub("", role.model)))
    return replace(role, price=tuple(map(float, listed))) if listed else role


def price_of(role: Role) -> tuple[float, float] | None:
    """USD per million prompt and reply tokens: (0, 0) for a stand-in, None where nobody said."""
    return (0.0, 0.0) if role.stand_in else with_price(role).price


def cost_usd(role: Role, prompt_tokens: float, completion_tokens: float) -> float | None:
    """What so many tokens cost, or None where the price is not known."""
    price = price_of(role) if role.price is None else role.price
    return None if price is None else (prompt_tokens * price[0] + completion_tokens * price[1]) / 1e6


def batch_factor(role: Role) -> float:
    """The share of the price that a batch costs."""
    return read_prices()["batch_factor"] if role.batch_factor is None else role.batch_factor


def price_note(role: Role) -> str:
    """One sentence on what a role's tokens cost."""
    price = price_of(role)
    if role.stand_in:
        return f"{role.name}: {role.model} costs nothing"
    if price is None:
        return (
            f"{role.name}: no price known for {role.model}, so tokens are counted and money is not; "
            f'{role.name.upper()}_PRICE_USD_PER_MTOKENS="PROMPT REPLY" sets one'
        )
    return f"{role.name}: {role.model} at {price[0]:g} USD per million prompt tokens and {price[1]:g} per million reply tokens"


@dataclass
class Usage:
    """A running count for one role; `cached` requests were answered by the store and cost nothing again.

    `lost_tokens` belong to prompts whose reply never came or could not be read: they may have been charged, so they are priced.
    """

    requests: int = 0
    cached: int = 0
    failed: int = 0
    filtered: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    lost_tokens: int = 0

    def counts(self) -> dict[str, int]:
        """The counts as `run.record(tokens={role: …})` takes them."""
        return dict(vars(self))
