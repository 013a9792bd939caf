"""`Asker`: sends requests to one role's endpoint, many at a time, and never one twice.

Every reply goes into the request store as it arrives. What it does not do: build prompts or parse replies.
What sends requests is imported when the first one goes out: it takes a second, and a run whose replies are all stored asks nothing.
"""

import contextlib
import weakref
from collections.abc import Callable, Sequence

import numpy as np

from lib.llm.budget import BudgetSpent, Estimate, ledger_of
from lib.llm.crew import Crew
from lib.llm.records import Reply, Request
from lib.llm.roles import Role
from lib.llm.store import Store, request_key
from lib.llm.trouble import EndpointError
from lib.llm.usage import Usage, batch_factor, cost_usd
from lib.llm.worker import Worker
from lib.run import BadInput, Progress
from lib.run.progress import say

EMBED_BATCH = 64

__all__ = ["Asker", "BudgetSpent"]


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
                f'set {role.name.upper()}_PRICE_USD_PER_MTOKENS="PROMPT REPLY", name a price list in prices, or set budget_usd to 0'
            )
        self.role, self.usage = role, Usage()
        self._run, self._store, self._max_in_flight, self._budget_usd = run, store, max_in_flight, budget_usd
        self._ledger, self._estimate = ledger_of(run, store), Estimate()
        self._has_price = cost_usd(role, 0, 0) is not None
        self._worker = self._pool = None

    def ask(self, requests: Sequence[Request], label: str = "requests", then: Callable[[int, Reply], Sequence[Request]] | None = None) -> list[Reply]:
        """Replies in the order of `requests`; what the store holds is not asked again, equal requests are asked once.

        A reply has `error` set where this one request could not be answered: refused by a content filter (kept like any other
        reply), too long, or failing again and again (asked again by the next run).

        Args:
            requests: To be asked.
            label: What they are, for the progress line.
            then: Is handed each reply with its place the moment it is there, in the event loop, and returns requests that follow
                from it; these are asked at once, and take the next places. Not for an endpoint that is asked in batches.

        Raises:
            EndpointError: The endpoint is gone, or refuses key or model, or request after request; replies so far are stored.
            BudgetSpent: The next request might go over the budget, or over the tokens of the day.
            KeyboardInterrupt: Ctrl-C; what was under way was waited for and is stored.
        """
        replies: dict[str, Reply] = {}
        wanted: dict[str, dict] = {}
        keys: list[str] = []  # of every request, in the order of places
        places: dict[str, list[int]] = {}  # of requests under way

        def admit(requests: Sequence[Request]) -> list[str]:
            """Take requests in, and what follows from those whose replies are known; returns keys that are to be asked."""
            fresh: list[str] = []
            while requests:
                bodies = [request.body() for request in requests]
                new = [request_key(self.role.identity, body) for body in bodies]
                unknown = [key for key in dict.fromkeys(new) if key not in replies and key not in wanted]
                replies.update((key, Reply(**{**kept, "cached": True})) for key, kept in self._store.get_many(unknown).items())
                followers: list[Request] = []
                for key, body in zip(new, bodies):
                    keys.append(key)
                    if key in replies:
                        followers += then(len(keys) - 1, replies[key]) if then else ()
                        continue
                    if key not in wanted:
                        wanted[key] = body
                        fresh.append(key)
                    places.setdefault(key, []).append(len(keys) - 1)
                requests = followers
            return fresh

        fresh = admit(requests)
        self._begin(cached=(n_cached := len(keys) - len(wanted)))
        counter = Progress(len(wanted), f"{self.role.name}: {label}")

        def keep(key: str, reply: Reply, factor: float = 1.0, body: dict | None = None) -> float:
            cost = self._keep(key, body or wanted[key], reply, factor)
            if key in wanted:
                replies[key] = reply
                counter.advance(note=self._note())
            return cost

        def follow(key: str, crew: Crew) -> None:
            if then:
                crew.add(new := admit([request for place in places.pop(key) for request in then(place, replies[key])]))
                counter.total += len(new)

        async def one(key: str, crew: Crew) -> None:
            from lib.llm.wire import send_request

            body = wanted[key]
            async with self._reserved(body) as settle:
                reply = await self._call(
                    lambda client: send_request(client, self.role.model, self._pool.fit(body)), crew, key, body
                )
                settle(keep(key, reply))
            follow(key, crew)

        async def batches(crew: Crew) -> None:
            from lib.llm.batch import ask_in_batches

            await ask_in_batches(
                self._pool.addresses[0].client, self._store, self.role, wanted, crew, keep,
                ledger=self._ledger, limit_usd=self._budget_usd, prices=lambda body: self._estimate.bounds_usd(self.role, body, batch_factor(self.role)),
                fit=self._pool.fit, learn=self._pool.learn,
            )  # fmt: skip

        if self.role.batch and wanted:
            self._do(None, [None], label, first=batches)
            self._begin()
        try:
            self._do(one, [key for key in fresh if key not in replies], label, grows=then is not None)
        finally:
            if more := len(keys) - len(wanted) - n_cached:  # known only when all that follows has been taken in
                self._begin(cached=more)
                self._record()
        return [replies[key] for key in keys]

    def embed(self, texts: Sequence[str], label: str = "embeddings") -> np.ndarray:
        """Vectors of `texts`, float32 (n_texts, d), each of length 1; known texts are not sent again."""
        keys = [request_key(self.role.identity, {"embed": text}) for text in texts]
        vectors = self._store.get_vectors(list(dict.fromkeys(keys)))
        wanted = {key: text for key, text in zip(keys, texts) if key not in vectors}
        order = list(wanted)
        batches = [order[start : start + EMBED_BATCH] for start in range(0, len(order), EMBED_BATCH)]
        counter = Progress(len(wanted), f"{self.role.name}: {label}") if wanted else None
        self._begin(cached=len(keys) - len(wanted))

        async def one(batch: list[str], crew: Crew) -> None:
            from lib.llm.wire import send_embeddings

            inputs = [wanted[key] or " " for key in batch]  # an empty text is an error to most endpoints
            body = {"messages": [{"content": text} for text in inputs]}
            async with self._reserved(body) as settle:
                answer = await self._call(lambda client: send_embeddings(client, self.role.model, inputs, self._pool), crew, batch[0], body)
                if isinstance(answer, Reply):
                    raise EndpointError(f"{self.role.name} at {self.role.base_url}: {answer.error}")
                rows, tokens = answer
                new = {key: _unit(row) for key, row in zip(batch, rows)}
                cost = cost_usd(self.role, tokens, 0) or 0.0
                self._store.put_vectors(new, role=self.role.name, cost_usd=cost, identity=self.role.identity, tokens=tokens)
                self._estimate.learn(body, tokens)
                settle(cost)
            vectors.update(new)
            self._usage_now.requests += 1
            self._usage_now.prompt_tokens += tokens
            self._cost_now += cost
            counter.advance(len(batch), note=self._note())

        self._do(one, batches, label)
        if len({len(vector) for vector in vectors.values()}) > 1:
            raise EndpointError(f"{self.role.name} at {self.role.base_url}: its vectors are of several lengths; do all addresses serve one model?")
        return np.stack([vectors[key] for key in keys]) if keys else np.zeros((0, 0), dtype=np.float32)

    def close(self) -> None:
        """Close connections and the worker thread; the asker cannot be used afterwards."""
        if self._worker:
            self._end()
            self._worker = None
        self._store.close()

    def _begin(self, cached: int = 0) -> None:
        self._usage_now, self._cost_now = Usage(cached=cached), 0.0

    async def _call(self, send, crew: Crew, key: str, body: dict):
        """One request through the pool; tokens of attempts that gave nothing are priced, since they may be charged."""
        from lib.llm.retry import call_with_retries

        def lost(tokens: tuple[int, int]) -> None:
            prompt, reply = tokens[0] or int(self._estimate.prompt_tokens(body)), tokens[1]
            cost = cost_usd(self.role, prompt, reply) or 0.0
            self._usage_now.lost_tokens += prompt + reply
            self._cost_now += cost
            self._ledger.settle(0.0, cost)
            self._store.add_cost(role=self.role.name, identity=self.role.identity, tokens=prompt + reply, cost_usd=cost)

        expected = sum(self._estimate.most_tokens(body)) if self.role.tpm else 0
        reply = await call_with_retries(send, self._pool, crew, key, self._usage_now, lost, expected)
        if self.role.tpm and isinstance(reply, Reply):
            self._pool.pace.settle(expected, reply.prompt_tokens + reply.completion_tokens)
        return reply

    def _keep(self, key: str, body: dict, reply: Reply, factor: float) -> float:
        """Store and count a reply; returns what it cost."""
        now, filtered = self._usage_now, reply.finish_reason == "content_filter"
        now.requests += 1
        now.filtered += filtered
        if reply.error and not filtered:
            now.failed += 1
            return 0.0
        now.prompt_tokens += reply.prompt_tokens
        now.completion_tokens += reply.completion_tokens
        cost = (cost_usd(self.role, reply.prompt_tokens, reply.completion_tokens) or 0.0) * factor
        self._cost_now += cost
        stored = {k: v for k, v in vars(reply).items() if k != "cached" and v is not None}
        self._store.put(key, role=self.role.name, identity=self.role.identity, body=body, reply=stored, cost_usd=cost)
        if self._budget_usd or self.role.tpm:
            self._estimate.learn(body, reply.prompt_tokens)
        return cost

    @contextlib.asynccontextmanager
    async def _reserved(self, body: dict):
        """Money set aside for a request while it is under way."""
        self._check_day()
        most = 0.0
        if self._budget_usd:
            most = self._estimate.most_usd(self.role, body)
            most = await self._ledger.reserve(most, self._budget_usd, wish=lambda: self._estimate.safe_usd(self.role, body))
        cost = [0.0]
        try:
            yield lambda usd: cost.__setitem__(0, usd)
        finally:
            self._ledger.settle(most, cost[0])

    def _check_day(self) -> None:
        now = self._usage_now
        used = self._tokens_before + now.prompt_tokens + now.completion_tokens + now.lost_tokens if self.role.tpd else 0
        if self.role.tpd and used >= self.role.tpd:
            raise BudgetSpent(
                f"{self.role.name}: {used:,} tokens were used today and {self.role.name.upper()}_TPD allows {self.role.tpd:,}; "
                "every reply is stored: run again after midnight UTC to go on from here"
            )

    def _note(self) -> str:
        now = self._usage_now
        tokens = f"{now.prompt_tokens:,} + {now.completion_tokens:,} tokens"
        return f"{tokens} · {self._cost_now:.4f} USD" if self._has_price and not self.role.stand_in else tokens

    def _do(self, one, items: list, label: str, first=None, grows: bool = False) -> None:
        """Run `one(item, crew)` over `items`, some at a time, or `first(crew)`; record usage whatever happens."""
        try:
            if items:
                self._start()
                crew = Crew(self._max_in_flight)
                if first:
                    work = crew.run(lambda _: first(crew), items)
                else:
                    work = crew.run(lambda item: one(item, crew), items, grows)
                try:
                    self._worker.run(work, crew)
                except KeyboardInterrupt:
                    message = (
                        f"{self.role.name}: {label} stopped after {self._usage_now.requests} replies, which are stored; "
                        "run this again to go on from there, nothing is asked twice"
                    )
                    say(message)
                    raise KeyboardInterrupt(message) from None
        finally:
            self._store.flush()
            self._record()

    def _start(self) -> None:
        self._tokens_before = self._store.tokens_today(self.role.identity) if self.role.tpd else 0
        if self._worker is None:
            from lib.llm.pool import Pool, warner

            self._worker = Worker(self.role.name)
            self._pool = Pool(self.role, self._max_in_flight, warner(self.role, self._run))
            self._end = weakref.finalize(self, self._worker.end, self._pool.close)  # at the latest when the process ends
        self._pool.begin()

    def _record(self) -> None:
        now = self._usage_now
        for name, value in vars(now).items():
            setattr(self.usage, name, getattr(self.usage, name) + value)
        self._run.record(tokens={self.role.name: now.counts()})
        if self._cost_now:
            self._run.record(cost_usd={self.role.name: self._cost_now})


def _unit(row) -> np.ndarray:
    vector = np.asarray(row, dtype=np.float32)
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
