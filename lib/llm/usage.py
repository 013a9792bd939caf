"""Tokens and money by role. A model without a known price is counted in tokens only, and that is said."""

from dataclasses import dataclass

from lib.llm.roles import Role

# List prices in USD per million prompt and reply tokens as published in 2025. They change: `<ROLE>_PRICE_USD_PER_MTOKENS="2.5 10"` goes before.
PRICES = {
    "gpt-4o": (2.50, 10.00), "gpt-4o-mini": (0.15, 0.60), "gpt-4.1": (2.00, 8.00), "gpt-4.1-mini": (0.40, 1.60),
    "gpt-4.1-nano": (0.10, 0.40), "text-embedding-3-small": (0.02, 0.0), "text-embedding-3-large": (0.13, 0.0),
}  # fmt: skip


def price_of(role: Role) -> tuple[float, float] | None:
    """USD per million prompt and reply tokens: (0, 0) for a stand-in, None where nobody said."""
    if role.stand_in:
        return 0.0, 0.0
    return role.price or (PRICES.get(role.model) if "openai.com" in role.base_url or role.azure else None)


def cost_usd(role: Role, prompt_tokens: int, completion_tokens: int) -> float | None:
    """What so many tokens cost, or None where the price is not known."""
    price = price_of(role)
    return None if price is None else (prompt_tokens * price[0] + completion_tokens * price[1]) / 1e6


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
    """A running count for one role; `cached` requests were answered by the store and cost nothing again."""

    requests: int = 0
    cached: int = 0
    failed: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def counts(self) -> dict[str, int]:
        """The counts as `run.record(tokens={role: …})` takes them."""
        return dict(vars(self))
