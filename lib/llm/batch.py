"""Batch mode: requests as one file to `/v1/batches`, at a reduced price, with replies within a day.

A batch is noted in the request store before and after it is sent: a process that is killed, at whatever moment, finds it again and
collects what was paid for. What a batch did not answer is put into another one; what is left after `ROUNDS` is the caller's.
"""

import asyncio
import hashlib
import io
import json
from collections.abc import Callable

import openai

from lib.llm.budget import BudgetSpent, Ledger
from lib.llm.crew import Crew, Stopped
from lib.llm.records import Reply
from lib.llm.roles import Role
from lib.llm.store import Store
from lib.llm.trouble import BadReply, EndpointError, explain, is_filter_text, one_line, words_of
from lib.llm.usage import batch_factor
from lib.llm.wire import read_reply
from lib.run.progress import say

ROUNDS = 3
MOST_REQUESTS, MOST_BYTES = 50_000, 190_000_000  # of one file
POLL_S = 10.0
RUNNING = ("validating", "in_progress", "finalizing", "cancelling")
_MARK = "raft_tag"
_AGAIN = (408, 409, 425, 429)


async def ask_in_batches(
    client: openai.AsyncOpenAI, store: Store, role: Role, wanted: dict[str, dict], crew: Crew, keep: Callable[..., float],
    *, ledger: Ledger, limit_usd: float = 0.0, prices: Callable[[dict], tuple[float, float]] = lambda body: (0.0, 0.0),
    fit: Callable[[dict], dict] = lambda body: body, learn: Callable[[str], bool] = lambda said: False,
) -> None:  # fmt: skip
    """Send `wanted` in batches, wait, and hand over every reply.

    Args:
        client: The endpoint's.
        store: Where open batches are noted.
        role: The endpoint.
        wanted: Bodies by key.
        crew: Whose worker this is; when it stops, batches go on at the endpoint and are collected by the next run.
        keep: Takes key, reply and share of the price, and the body where `wanted` has none; stores the reply.
        ledger: The run's money.
        limit_usd: Budget; 0 for no limit.
        prices: What a body may cost at most, and what to set aside for it (`Ledger.take`).
        fit: Gives a body in the fields that the endpoint takes.
        learn: Whether a refusal is about a field that `fit` now sends otherwise, so that the request is asked again.

    Raises:
        EndpointError: The endpoint has no batches, or refuses one as a whole.
        BudgetSpent: Nothing more fits into the budget; what was sent is collected and stored.
    """
    missing, refused = dict(wanted), None
    reserved: dict[str, float] = {}
    patient = client.with_options(max_retries=5)  # for looking; a batch is made by one attempt, lest there be two
    try:
        for left in range(ROUNDS, -1, -1):
            opened = [entry for entry in store.open_batches(role.identity) if missing.keys() & entry[2].keys()]
            for tag, batch_id, requests in opened:
                batch_id = batch_id or await _find(patient, tag)
                if batch_id is None:
                    store.close_batch(tag, "never sent")
                    continue
                await _collect(patient, store, role, tag, batch_id, requests, wanted, missing, crew, keep, ledger, learn)
            _give_back(ledger, reserved)
            for key, body in missing.items():
                most, wished = prices(body)
                if (usd := ledger.take(most, limit_usd or float("inf"), wished)) is None:
                    break
                reserved[key] = usd
            fitting = {key: missing[key] for key in reserved}
            if not opened and missing and not fitting:
                raise BudgetSpent(
                    f"the budget of {limit_usd:g} USD is spent ({ledger.spent_usd:.4f} USD so far); every reply is stored: "
                    "raise budget_usd and run again to go on from here"
                )
            if not fitting:
                if not missing:
                    return
                continue
            for part in _parts(role, fitting) if left else ():  # what is sent in the last turn nobody would wait for
                await _send(client, store, role, part, fit)
    except openai.APIError as error:
        refused = error
    finally:
        _give_back(ledger, reserved)
    if refused is not None:
        raise EndpointError(f"{explain(refused, role)}; unset {role.name.upper()}_BATCH where there is no /v1/batches")


def _give_back(ledger: Ledger, reserved: dict[str, float]) -> None:
    """What was set aside for a batch that has come back, or that nobody waits for any more."""
    ledger.settle(sum(reserved.values()), 0.0)
    reserved.clear()


def _parts(role: Role, bodies: dict[str, dict]):
    """Bodies in portions that one file may hold."""
    part, size = {}, 0
    for key, body in bodies.items():
        n = len(_line(role, key, body))
        if part and (len(part) >= MOST_REQUESTS or size + n > MOST_BYTES):
            yield part
            part, size = {}, 0
        part[key], size = body, size + n
    if part:
        yield part


def _path(role: Role, body: dict) -> str:
    return ("" if role.azure else "/v1") + ("/chat/completions" if "messages" in body else "/completions")


def _line(role: Role, key: str, body: dict) -> bytes:
    line = {"custom_id": key, "method": "POST", "url": _path(role, body), "body": {"model": role.model, **body}}
    return json.dumps(line).encode() + b"\n"


async def _send(client: openai.AsyncOpenAI, store: Store, role: Role, bodies: dict[str, dict], fit: Callable[[dict], dict]) -> None:
    """Upload and start one batch. Its tag goes with it, so that it is found even if the endpoint's answer never arrives."""
    closed = store.count_batches()
    tag = hashlib.sha256("".join([role.identity, str(closed), *bodies]).encode()).hexdigest()[:32]
    store.save_batch(tag, role.identity, "open", bodies, None)
    data = b"".join(_line(role, key, fit(body)) for key, body in bodies.items())
    file = await client.files.create(file=(f"{tag}.jsonl", io.BytesIO(data)), purpose="batch")
    path = _path(role, next(iter(bodies.values())))
    batch = await client.batches.create(
        input_file_id=file.id, endpoint=path, completion_window="24h", metadata={_MARK: tag}
    )
    store.save_batch(tag, role.identity, "open", bodies, batch.id)
    say(f"{role.name}: batch {batch.id} sent, {len(bodies)} requests; it goes on even if this process ends")


async def _find(client: openai.AsyncOpenAI, tag: str) -> str | None:
    """The endpoint's id of a batch that may or may not have been started before a process died."""
    async for batch in client.batches.list(limit=100):
        if (batch.metadata or {}).get(_MARK) == tag:
            return batch.id
    return None


async def _collect(client, store, role, tag, batch_id, requests, wanted, missing, crew, keep, ledger, learn) -> None:
    """Wait for a batch and keep its replies, those too that nobody wants now; what it did not answer stays in `missing`."""
    shown = None
    while (batch := await client.batches.retrieve(batch_id)).status in RUNNING:
        counts = batch.request_counts
        line = f"{role.name}: batch {batch_id}: {batch.status}" + (f", {counts.completed} of {counts.total}" if counts else "")
        if line != shown:
            say(line)
            shown = line
        if crew.stopping:
            raise Stopped
        await asyncio.sleep(POLL_S)
    if batch.status == "failed":
        store.close_batch(tag, "failed")
        errors = [error.message or error.code or "" for error in (batch.errors.data if batch.errors else None) or []]
        why = "; ".join(errors[:3]) or "no reason given"
        raise EndpointError(one_line(f"{role.name}: batch {batch_id} was refused: {why}", role))
    others = requests.keys() - wanted  # asked by an earlier run, and paid for
    others -= store.get_many(others).keys()
    for file_id in filter(None, (batch.output_file_id, batch.error_file_id)):
        content = await client.files.content(file_id)
        for line in content.content.split(b"\n"):  # a reply may hold other ends of a line, such as U+2028, as they are
            key, reply = _read(line, requests, role, learn)
            if key in missing and reply is not None:
                ledger.settle(0.0, keep(key, reply, batch_factor(role)))
                del missing[key]
            elif key in others and reply is not None and not reply.error:
                others.discard(key)
                ledger.settle(0.0, keep(key, reply, batch_factor(role), requests[key]))
    store.close_batch(tag, batch.status)


def _read(line: bytes, requests: dict[str, dict], role: Role, learn: Callable[[str], bool]) -> tuple[str, Reply | None]:
    """Key and reply of one line of a batch's output; None for what should be asked again."""
    try:
        row = json.loads(line)
        key, response = row["custom_id"], row.get("response") or {}
        body, status = response.get("body") or {}, response.get("status_code")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", None
    if status == 200:
        try:
            return key, read_reply(body, "messages" in requests.get(key, {}), 0.0)
        except BadReply:
            return key, None
    message = one_line(words_of(body) or str(row.get("error") or "")[:300], role)
    if is_filter_text(f"{body} {message}"):
        return key, Reply("", "content_filter", 0, 0, 0.0, error=f"content filter: {message}")
    if status is None or status >= 500 or status in _AGAIN or (status in (400, 422) and learn(message)):
        return key, None
    return key, Reply("", "error", 0, 0, 0.0, error=f"HTTP {status}: {message}")
