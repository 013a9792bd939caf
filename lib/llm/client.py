"""`Asker`: sends requests to one role's endpoint, many at a time, and never one twice.

Every reply goes into the request store before it is returned. A worker thread holds the event loop, so that `ask` is an ordinary
call in a script and in Jupyter alike. What it does not do: build prompts or parse replies.
"""

import asyncio
import threading
from collections.abc import Sequence

import numpy as np

from lib.llm.limiter import Limiter
from lib.llm.records import Reply, Request
from lib.llm.retry import call_with_retries
from lib.llm.roles import Role
from lib.llm.store import Store, request_key
from lib.llm.usage import Usage, cost_usd
from lib.llm.wire import make_client, send_embeddings, send_request
from lib.run import BadInput, Progress

EMBED_BATCH = 64


class BudgetSpent(RuntimeError):
    """The run's budget is used up; everything paid for is stored, and a higher budget goes on from there."""


class Asker:
    """One role's endpoint, ready to be asked.

    Args:
        role: The endpoint.
        run: The open run; usage is recorded into it.
        store: Where replies are kept.
        max_in_flight: Requests under way at most.
        budget_usd: Money that the whole run may cost; 0 for no limit.

    Raises:
        BadInput: A budget is set for a model whose price is not known.
    """

    def __init__(self, role: Role, run, store: Store, *, max_in_flight: int = 64, budget_usd: float = 0.0):
        if budget_usd and cost_usd(role, 0, 0) is None:
            raise BadInput(
                f"budget_usd is {budget_usd:g}, but no price is known for {role.name}'s model {role.model}: "
                f'set {role.name.upper()}_PRICE_USD_PER_MTOKENS="PROMPT REPLY", or budget_usd to 0'
            )
        self.role, self.usage = role, Usage()
        self._run, self._store, self._max_in_flight, self._budget_usd = run, store, max_in_flight, budget_usd
        self._loop = self._client = None

    def ask(self, requests: Sequence[Request], label: str = "requests") -> list[Reply]:
        """Replies in the order of `requests`; what the store holds is not asked again, equal requests are asked once.

        Raises:
            EndpointError: The endpoint is gone, or refuses key or model; replies so far are stored.
            BudgetSpent: The next request would go over the budget.
        """
        bodies = [request.body() for request in requests]
        keys = [request_key(self.role.identity, body) for body in bodies]
        found = {key: stored for key in set(keys) if (stored := self._store.get(key))}
        replies = {key: Reply(**{**stored, "cached": True}) for key, stored in found.items()}
        wanted = {key: body for key, body in zip(keys, bodies) if key not in found}
        counter = Progress(len(wanted), f"{self.role.name}: {label}") if wanted else None

        async def one(key: str, limiter: Limiter) -> None:
            self._check_budget()
            reply = await call_with_retries(
                lambda: send_request(self._client, self.role.model, wanted[key]),
                limiter,
                self.role,
                key,
                self._usage_now,
            )
            replies[key] = reply
            self._usage_now.requests += 1
            if reply.error:
                self._usage_now.failed += 1
            else:
                self._count(reply)
                stored = {k: v for k, v in vars(reply).items() if k not in ("cached", "error")}
                money = cost_usd(self.role, reply.prompt_tokens, reply.completion_tokens) or 0.0
                self._store.put(
                    key,
                    role=self.role.name,
                    identity=self.role.identity,
                    body=wanted[key],
                    reply=stored,
                    cost_usd=money,
                )
            counter.advance()

        self._usage_now = Usage(cached=len(keys) - len(wanted))
        self._do(one, list(wanted))
        return [replies[key] for key in keys]

    def embed(self, texts: Sequence[str], label: str = "embeddings") -> np.ndarray:
        """Vectors of `texts`, float32 (n_texts, d), each of length 1; known texts are not sent again."""
        keys = [request_key(self.role.identity, {"embed": text}) for text in texts]
        vectors = self._store.get_vectors(list(dict.fromkeys(keys)))
        wanted = {key: text for key, text in zip(keys, texts) if key not in vectors}
        order = list(wanted)
        batches = [order[start : start + EMBED_BATCH] for start in range(0, len(order), EMBED_BATCH)]
        counter = Progress(len(wanted), f"{self.role.name}: {label}") if wanted else None

        async def one(batch: list[str], limiter: Limiter) -> None:
            self._check_budget()
            inputs = [wanted[key] or " " for key in batch]  # an empty text is an error to most endpoints
            rows, tokens = await call_with_retries(
                lambda: send_embeddings(self._client, self.role.model, inputs),
                limiter,
                self.role,
                batch[0],
                self._usage_now,
            )
            new = {key: _unit(row) for key, row in zip(batch, rows)}
            self._store.put_vectors(new, role=self.role.name, cost_usd=cost_usd(self.role, tokens, 0) or 0.0)
            vectors.update(new)
            self._usage_now.requests += 1
            self._usage_now.prompt_tokens += tokens
            counter.advance(len(batch))

        self._usage_now = Usage(cached=len(keys) - len(wanted))
        self._do(one, batches)
        return np.stack([vectors[key] for key in keys]) if keys else np.zeros((0, 0), dtype=np.float32)

    def close(self) -> None:
        """Close connections and the worker thread; the asker cannot be used afterwards."""
        if self._loop:
            asyncio.run_coroutine_threadsafe(self._client.close(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None
        self._store.close()

    def _count(self, reply: Reply) -> None:
        self._usage_now.prompt_tokens += reply.prompt_tokens
        self._usage_now.completion_tokens += reply.completion_tokens

    def _check_budget(self) -> None:
        if self._budget_usd and (spent := self._store.spent_usd()) >= self._budget_usd:
            raise BudgetSpent(
                f"the budget of {self._budget_usd:g} USD is spent ({spent:.4f} USD so far); every reply is stored: "
                f"raise budget_usd and run again to go on from here"
            )

    def _do(self, one, items: list) -> None:
        """Run `one(item, limiter)` over `items`, some at a time; record usage whatever happens."""
        try:
            if items:
                self._start()
                future = asyncio.run_coroutine_threadsafe(self._work(one, items), self._loop)
                try:
                    future.result()
                except BaseException:  # Ctrl-C too: nothing goes on being asked behind the user's back
                    future.cancel()
                    raise
        finally:
            self._record()

    async def _work(self, one, items: list) -> None:
        limiter = Limiter(self._max_in_flight)
        waiting = iter(items)

        async def worker() -> None:
            for item in waiting:
                await one(item, limiter)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._max_in_flight, len(items))):
                    group.create_task(worker())
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None  # the first one ended the others

    def _start(self) -> None:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name=f"asker-{self.role.name}", daemon=True).start()
            self._client = make_client(self.role, self._max_in_flight)

    def _record(self) -> None:
        now = self._usage_now
        for name, value in vars(now).items():
            setattr(self.usage, name, getattr(self.usage, name) + value)
        self._run.record(tokens={self.role.name: now.counts()})
        if money := cost_usd(self.role, now.prompt_tokens, now.completion_tokens):
            self._run.record(cost_usd={self.role.name: money})


def _unit(row) -> np.ndarray:
    vector = np.asarray(row, dtype=np.float32)
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
