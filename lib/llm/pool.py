"""The addresses of one role: requests go where least is under way; one that cannot be reached is left out, and named."""

import math
from collections.abc import Callable

import openai

from lib.llm.limiter import Limiter, Pace
from lib.llm.roles import Role
from lib.llm.transport import make_client
from lib.run import say

FAILURES = 3  # in a row until an address is left out
FAILED_IN_A_ROW = 20  # requests, until a run is stopped
SAMPLE = 3
_REPLACED = {"max_tokens": "max_completion_tokens", "response_format": "", "temperature": "", "seed": ""}
_DISLIKED = ("unsupported", "not support", "unrecognized", "unknown", "not permitted", "not allowed", "unexpected", "use 'max_completion")


class Address:
    """One base URL: its client, its own limit of requests under way, and how it has fared."""

    def __init__(self, url: str, client: openai.AsyncOpenAI, most: int):
        self.url, self.client, self.limiter = url, client, Limiter(most)
        self.failures, self.left_out = 0, False


class Fields:
    """What fields of a request an endpoint takes, found out from its refusals.

    Args:
        role: The endpoint.
        warn: Takes a sentence about a field that is sent otherwise.
    """

    def __init__(self, role: Role, warn: Callable[[str], None]):
        self.role, self._warn = role, warn
        self._replaced: dict[str, str] = {}

    def fit(self, body: dict) -> dict:
        """The body in the fields that this endpoint takes."""
        if not self._replaced:
            return body
        renamed = {self._replaced.get(name, name): value for name, value in body.items()}
        return {name: value for name, value in renamed.items() if name}

    def learn(self, said: str) -> bool:
        """Whether a refusal is about a field that can be sent under another name, or left out; says so once, in the run."""
        text = said.lower()
        names = [name for name in _REPLACED if name in text and any(mark in text for mark in _DISLIKED)]
        for name in names[:1]:
            if name not in self._replaced:
                self._replaced[name] = _REPLACED[name]
                what = f"is sent as {_REPLACED[name]}" if _REPLACED[name] else "is left out"
                self._warn(f"{self.role.name}: {self.role.model} does not take {name}, which {what} ({said[:120]})")
        return bool(names)


class Pool(Fields):
    """All addresses of a role.

    Args:
        role: The endpoint.
        most: Requests under way at most, at any one address.
        warn: Takes a sentence about an address that is left out.
    """

    def __init__(self, role: Role, most: int, warn: Callable[[str], None]):
        super().__init__(role, warn)
        self.addresses = [Address(url, make_client(role, most, url), most) for url in role.urls]
        self.pace = Pace(role.rpm, role.tpm)
        self.answers = 0
        self.texts_at_once = math.inf  # that an embedder takes, once it has refused more
        self._failed_in_a_row, self._sample = 0, {}

    def begin(self) -> None:
        """Give every address another chance."""
        self._failed_in_a_row, self._sample = 0, {}
        for address in self.addresses:
            address.failures, address.left_out = 0, False

    def pick(self) -> Address:
        """The least busy address that is not left out."""
        if len(self.addresses) == 1:
            return self.addresses[0]
        return min((a for a in self.addresses if not a.left_out), key=lambda a: a.limiter.load)

    def answered(self, address: Address) -> None:
        """Note a usable reply."""
        address.failures = 0
        address.limiter.answered()
        self.answers += 1
        if self._failed_in_a_row:
            self._failed_in_a_row, self._sample = 0, {}

    def unreachable(self, address: Address, why: str) -> bool:
        """Note that an address did not answer; True if it is now left out and others remain."""
        address.failures += 1
        others = [a for a in self.addresses if a is not address and not a.left_out]
        if address.failures >= FAILURES and others and not address.left_out:
            address.left_out = True
            left = ", ".join(a.url for a in others)
            self._warn(f"{self.role.name} at {address.url} was left out, it does not answer ({why}); {left} went on")
        return address.left_out

    def failed(self, why: str) -> str | None:
        """Note a request that was given up; after many in a row, a sample of what went wrong, else None."""
        self._failed_in_a_row += 1
        self._sample[why] = self._sample.get(why, 0) + 1
        if self._failed_in_a_row < FAILED_IN_A_ROW:
            return None
        sample = sorted(self._sample.items(), key=lambda item: -item[1])[:SAMPLE]
        return f"{self._failed_in_a_row} requests in a row failed: " + "; ".join(f"{n} × {text[:200]}" for text, n in sample)

    async def close(self) -> None:
        """Close every connection."""
        for address in self.addresses:
            await address.client.close()


def warner(role: Role, run) -> Callable[[str], None]:
    """What a pool tells with it is said, and stands in the run."""
    told: list[str] = []

    def warn(sentence: str) -> None:
        say(f"warning: {sentence}")
        told.append(sentence)
        run.record(warnings={f"{role.name} endpoint": "; ".join(told)})

    return warn
