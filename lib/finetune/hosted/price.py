"""What a hosted job will cost, before it is ordered: tokens x epochs x the list price, and whether the budget allows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.llm.tuning_prices import TuningPrice, tuning_price
from lib.run import BadInput

EVALUATIONS = 4  # how often Together reads the held-out rows; OpenAI and Azure do not bill theirs


@dataclass(frozen=True)
class Estimate:
    """Tokens that are billed, their price in USD (None: the list has none for this model), and where the price is from."""

    tokens: int
    usd: float | None
    note: str
    price: TuningPrice | None


def estimate(backend: str, model: str, tokens: Sequence[int], valid: Sequence[int], n_epochs: int, *, lora: bool) -> Estimate:
    """Estimate a job.

    Args:
        backend: Where.
        model: Base model.
        tokens: Of each training row.
        valid: Of each held-out row.
        n_epochs: Passes over the rows.
        lora: Whether adapters alone are trained.
    """
    billed = n_epochs * sum(tokens) + (EVALUATIONS * sum(valid) if backend == "together" else 0)
    price = tuning_price(backend, model)
    if price is None:
        return Estimate(billed, None, f"no price is listed for {model} at {backend}: see lib/llm/tuning_prices.yaml", None)
    rate = price.lora if lora and price.lora is not None else price.train
    note = f"{rate:g} USD per million tokens, list of {price.as_of}; an estimate"
    if price.hosting_usd_per_hour:
        note += f"; then {price.hosting_usd_per_hour:g} USD an hour while it is deployed"
    return Estimate(billed, billed * rate / 1e6, note, price)


def check_budget(wanted: Estimate, budget_usd: float, spent_usd: float = 0.0) -> None:
    """Refuse what would cost more than is left.

    Raises:
        BadInput: It would, or a budget is set and no price is known.
    """
    if not budget_usd:
        return
    if wanted.usd is None:
        raise BadInput(f"budget_usd is {budget_usd:g}, but {wanted.note}; add one, or set budget_usd to 0 for no limit")
    if wanted.usd + spent_usd > budget_usd:
        before = f" beside the {spent_usd:.2f} USD that the run has cost" if spent_usd else ""
        raise BadInput(
            f"the job would cost about {wanted.usd:.2f} USD ({wanted.tokens:,} tokens){before}, more than budget_usd = {budget_usd:g}: "
            "raise it, or lower epochs or the number of rows"
        )


def spent(manifest: dict, without: str = "2_finetune") -> float:
    """USD that the run's other stages have cost."""
    return sum(sum(stage.get("cost_usd", {}).values()) for name, stage in manifest["stages"].items() if name != without)
