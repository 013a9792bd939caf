"""The run's money: what was spent, and what is reserved for requests under way, so that a budget is never passed."""

import asyncio
import threading
import weakref
from collections.abc import Callable

from lib.llm.roles import Role
from lib.llm.usage import cost_usd

POLL_S = 0.05
MESSAGE_TOKENS = 16  # of a chat template, about
GUESS_ERROR, HIDDEN_TOKENS = 4, 32_768  # until a reply tells what is counted: over a token a byte, and instructions of the endpoint's own
_ledgers: "weakref.WeakKeyDictionary[object, Ledger]" = weakref.WeakKeyDictionary()


class BudgetSpent(RuntimeError):
    """The run's budget is used up; everything paid for is stored, and a higher budget goes on from there."""


class Ledger:
    """Money of one run, shared by all its askers in this process.

    Args:
        spent_usd: What the run has cost before.
    """

    def __init__(self, spent_usd: float):
        self.spent_usd, self.reserved_usd = spent_usd, 0.0
        self._lock = threading.Lock()

    async def reserve(self, usd: float, limit_usd: float, wish: Callable[[], float] = lambda: 0.0) -> float:
        """Set aside what a request may cost at most; while that does not fit, wait for others to come in cheaper.

        Args:
            usd: At most so much.
            limit_usd: The budget.
            wish: What to set aside instead while that is more; where it does not fit, a request goes alone and takes all that is
                left. Looked at on every try, so that those who wait go together once a reply has shown how good the guess is.

        Returns:
            What was set aside.

        Raises:
            BudgetSpent: It does not fit, and nothing is under way.
        """
        while (reserved := self.take(usd, limit_usd, wish())) is None:
            if not self.reserved_usd:
                raise BudgetSpent(
                    f"the budget of {limit_usd:g} USD is spent ({self.spent_usd:.4f} USD so far, and the next request may cost "
                    f"{usd:.4f} USD); every reply is stored: raise budget_usd and run again to go on from here"
                )
            await asyncio.sleep(POLL_S)
        return reserved

    def take(self, usd: float, limit_usd: float, wished: float) -> float | None:
        """Set aside what `wished` says, or all that is left where nothing else is under way and `usd` fits; None where that fails."""
        wished = max(usd, wished)
        with self._lock:
            left = limit_usd * (1 + 1e-9) - self.spent_usd - self.reserved_usd
            if usd > left or (wished > left and self.reserved_usd):
                return None
            usd = min(wished, left)
            self.reserved_usd += usd
            return usd

    def settle(self, reserved_usd: float, cost: float) -> None:
        """Give back what was set aside and count what it came to."""
        with self._lock:
            left = self.reserved_usd - reserved_usd
            self.reserved_usd = left if left > 1e-9 else 0.0  # what sums lose: a rest would be waited for
            self.spent_usd += cost


def ledger_of(run, store) -> Ledger:
    """The ledger of an open run, made from its store when first asked for."""
    if run not in _ledgers:
        _ledgers[run] = Ledger(store.spent_usd(store.run))
    return _ledgers[run]


class Estimate:
    """Tokens that a request may take, guessed from its text and corrected upwards by what replies report."""

    def __init__(self):
        self._factor, self._is_tried = 1.0, False

    def prompt_tokens(self, body: dict) -> float:
        """At most so many prompt tokens: 0.4 a character, about one for a character outside ASCII."""
        return self._factor * self._plain(body)

    def most_tokens(self, body: dict) -> tuple[float, int]:
        """Prompt and reply tokens at most."""
        return self.prompt_tokens(body), int(body.get("max_tokens") or 0)

    def most_usd(self, role: Role, body: dict) -> float:
        """What a request may cost at most."""
        return cost_usd(role, *self.most_tokens(body)) or 0.0

    def safe_usd(self, role: Role, body: dict) -> float:
        """What to set aside for a request: as long as no reply has been seen, what it costs if the guess is badly wrong."""
        prompt, reply = self.most_tokens(body)
        return self.most_usd(role, body) if self._is_tried else cost_usd(role, GUESS_ERROR * prompt + HIDDEN_TOKENS, reply) or 0.0

    def bounds_usd(self, role: Role, body: dict, factor: float) -> tuple[float, float]:
        """`most_usd` and `safe_usd` at a share of the price."""
        return factor * self.most_usd(role, body), factor * self.safe_usd(role, body)

    def learn(self, body: dict, prompt_tokens: int) -> None:
        """Correct by what a prompt really took."""
        self._is_tried = True
        self._factor = max(self._factor, prompt_tokens / self._plain(body))

    @staticmethod
    def _plain(body: dict) -> float:
        texts = [str(m.get("content") or "") for m in body.get("messages", ())] or [str(body.get("prompt") or body.get("embed") or "")]
        if body.get("response_format"):
            texts.append(str(body["response_format"]))
        chars = sum(map(len, texts))
        outside = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) - chars
        return MESSAGE_TOKENS * len(texts) + 0.4 * chars + 0.7 * outside
