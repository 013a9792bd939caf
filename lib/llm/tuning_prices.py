"""What hosted fine-tuning costs: `tuning_prices.yaml`, looked up by provider and model. Asks nobody."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True)
class TuningPrice:
    """USD per million tokens, and the longest row.

    Attributes:
        train: One trained token in one epoch.
        lora: The same where adapters alone are trained; None where the provider makes no difference.
        prompt: A prompt token of the tuned model; None where it is not known.
        reply: A reply token of the tuned model; None where it is not known.
        hosting_usd_per_hour: While the tuned model is deployed; 0 where only tokens are paid.
        row_tokens: Longest row that is not cut; None where it is not known.
        as_of: Month of the list.
    """

    train: float
    lora: float | None = None
    prompt: float | None = None
    reply: float | None = None
    hosting_usd_per_hour: float = 0.0
    row_tokens: int | None = None
    as_of: str = ""


@cache
def _table() -> dict:
    return yaml.safe_load(Path(__file__).with_name("tuning_prices.yaml").read_text(encoding="utf-8"))


def tuning_price(backend: str, model: str) -> TuningPrice | None:
    """The price of a base model at a provider, or None where the list has none."""
    listed, name = _table()[backend], model.lower().removeprefix("ft:")
    known = max((key for key in listed["models"] if name.startswith(key)), key=len, default=None)
    if known is not None:
        return TuningPrice(**listed["models"][known], as_of=str(listed["as_of"]))
    size = re.search(r"(?<![\d.x])(\d+(?:\.\d+)?)b\b", name.replace("_", "-"))
    for limit, prices in listed.get("sizes", {}).items() if size else ():
        if float(size[1]) <= limit:
            return TuningPrice(**prices, as_of=str(listed["as_of"]))
    return None
