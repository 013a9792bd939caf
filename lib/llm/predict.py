"""What calls will cost and how long they will take, before any is made: rows for `--plan`."""

from lib.llm.connection import find_role
from lib.llm.roles import Role, local_model
from lib.llm.usage import batch_factor, cost_usd, price_note, with_price

FIRST_TOKEN_S, TOKENS_A_SECOND = 1.0, 40.0  # of a usual hosted model, for one request
STAND_IN_S = 0.03  # a call of the offline endpoint, which answers a few at a time


def predict(
    name: str, calls: int, prompt_tokens: int, reply_tokens: int, *, max_in_flight: int = 64, n_waves: int = 1, prices: str = "",
    role: Role | None = None,
) -> list[dict]:  # fmt: skip
    """Money and minutes of one role's calls.

    Args:
        name: The role.
        calls: Requests, at most.
        prompt_tokens: Of all of them.
        reply_tokens: Of all of them.
        max_in_flight: Requests under way at most.
        n_waves: Stages of which one has to wait for the other (2 for questions, then answers).
        prices: A price list; empty for the one that comes with lib/llm.
        role: Where it is asked; default what its variables name.

    Returns:
        Rows of item, value, unit and note; no row of money where no price is known.

    Raises:
        BadInput: The role is set by half, or the price list cannot be read.
    """
    if not calls:
        return []
    if role is None and (local := local_model(name)):
        note = f"{name}: {local}, served here while it is needed"
        return [_row(f"{name} cost", 0.0, "USD", note), _row(f"{name} time", "?", "", "as fast as this machine serves it")]
    role = role or find_role(name)
    if role is None:
        note = f"{name}: the offline endpoint, {STAND_IN_S:g} s a call"
        return [_row(f"{name} cost", 0.0, "USD", f"{name}: a stand-in costs nothing"), _row(f"{name} time", calls * STAND_IN_S / 60, "minutes", note)]
    role = with_price(role, prices)
    money = cost_usd(role, prompt_tokens, reply_tokens)
    factor = batch_factor(role) if role.batch else 1.0
    note = price_note(role) + ("; in batches" if role.batch else "")
    rows = [_row(f"{name} cost", "?" if money is None else money * factor, "" if money is None else "USD", note)]
    if role.batch:
        return [*rows, _row(f"{name} time", f"up to {n_waves} days", "", "batches come back within a day, mostly much sooner")]
    latency_s = FIRST_TOKEN_S + reply_tokens / calls / TOKENS_A_SECOND
    limits = {
        f"{max_in_flight} under way, {latency_s:.1f} s a call": (calls / max_in_flight / max(len(role.urls), 1) + n_waves) * latency_s / 60,
        f"{name.upper()}_RPM = {role.rpm}": calls / role.rpm if role.rpm else 0.0,
        f"{name.upper()}_TPM = {role.tpm}": (prompt_tokens + reply_tokens) / role.tpm if role.tpm else 0.0,
    }
    slowest = max(limits, key=limits.get)
    return [*rows, _row(f"{name} time", limits[slowest], "minutes", f"estimate: {slowest}")]


def _row(item: str, value: object, unit: str, note: str) -> dict:
    return {"item": item, "value": value, "unit": unit, "note": note}
