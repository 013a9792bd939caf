"""Batch mode, over the official client, against a local server with the same protocol: submitted once, found again, half the price."""

import _thread
import functools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler

import pytest

from lib.llm import BudgetSpent, EndpointError
from lib.llm.batch import ROUNDS
from lib.llm.roles import Role
from lib.llm.store import Store

from .helpers import CANARY, make, serving
from .helpers import ask as ask_long

ask = functools.partial(ask_long, max_tokens=100)


class BatchServer:
    """`/v1/files` and `/v1/batches` as OpenAI has them; a batch is done after some looks. `answer(body, n) -> (status, text)`."""

    def __init__(self):
        self.files, self.batches, self.asked, self.direct = {}, {}, [], 0
        self.looks, self.status, self.lose_answer = 2, "completed", False
        self.prompt_tokens = 1000
        self.answer = lambda body, n: (200, body["messages"][-1]["content"])
        self.lock = threading.Lock()

    def create_file(self, raw: bytes) -> dict:
        content = re.search(rb'filename="[^"]*"\r\n(?:[^\r]+\r\n)*\r\n(.*?)\r\n--', raw, re.DOTALL)[1]
        return self.add_file(content.decode())

    def add_file(self, text: str) -> dict:
        file_id = f"file-{len(self.files)}"
        self.files[file_id] = text
        return {
            "id": file_id,
            "object": "file",
            "bytes": len(text),
            "created_at": 0,
            "filename": "f",
            "purpose": "batch",
            "status": "processed",
        }

    def create_batch(self, wanted: dict) -> dict:
        batch_id = f"batch-{len(self.batches)}"
        self.batches[batch_id] = {
            "id": batch_id, "object": "batch", "status": "in_progress", "created_at": 0, "looks": 0, **wanted,
        }  # fmt: skip
        return self.batches[batch_id]

    def look(self, batch_id: str) -> dict:
        batch = self.batches[batch_id]
        batch["looks"] += 1
        if batch["status"] == "in_progress" and batch["looks"] >= self.looks:
            self.finish(batch)
        return batch

    def finish(self, batch: dict) -> None:
        good, bad = [], []
        for line in self.files[batch["input_file_id"]].splitlines():
            row = json.loads(line)
            status, text = self.answer(row["body"], len(self.asked))
            self.asked.append(row["custom_id"])
            if status is None:
                continue  # expired before it was its turn
            choice = {"message": {"content": text}, "finish_reason": "stop"}
            usage = {"prompt_tokens": self.prompt_tokens, "completion_tokens": 100}
            body = {"choices": [choice], "usage": usage} if status == 200 else {"error": {"message": text}}
            out = {
                "id": "r",
                "custom_id": row["custom_id"],
                "response": {"status_code": status, "body": body},
                "error": None,
            }
            (good if status == 200 else bad).append(json.dumps(out))
        batch["status"] = self.status
        if self.status == "failed":
            batch["errors"] = {
                "object": "list",
                "data": [{"code": "x", "message": f"model not found {CANARY}", "line": 1}],
            }
        batch["output_file_id"] = self.add_file("\n".join(reversed(good)))["id"] if good else None
        batch["error_file_id"] = self.add_file("\n".join(bad))["id"] if bad else None


@pytest.fixture
def batches(monkeypatch):
    """A batch server, its Role, looked at every 20 ms."""
    monkeypatch.setattr("lib.llm.batch.POLL_S", 0.02)
    state = BatchServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            with state.lock:
                if self.path == "/v1/files":
                    return self._send(state.create_file(raw))
                if self.path == "/v1/batches":
                    made = state.create_batch(json.loads(raw))
                    if state.lose_answer:
                        state.lose_answer = False
                        os.kill(state.victim, signal.SIGKILL)
                    return self._send(made)
                state.direct += 1
            text = json.loads(raw)["messages"][-1]["content"]
            choice = {"message": {"content": text}, "finish_reason": "stop"}
            return self._send({"choices": [choice], "usage": {"prompt_tokens": 1000, "completion_tokens": 100}})

        def do_GET(self):
            with state.lock:
                if self.path.endswith("/content"):
                    return self._send(state.files[self.path.split("/")[-2]].encode())
                if self.path.startswith("/v1/batches/"):
                    return self._send(state.look(self.path.split("/")[-1]))
                return self._send({"object": "list", "data": list(state.batches.values()), "has_more": False})

        def _send(self, value):
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(200)
            self.send_header(
                "Content-Type", "application/octet-stream" if isinstance(value, bytes) else "application/json"
            )
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with serving(Handler) as url:
        state.role = Role("teacher", url, "m", identity="m-1", batch=True, price=(1000.0, 1000.0), api_key=CANARY)
        yield state


def test_requests_go_in_one_batch_and_come_back_in_order_at_half_the_price(batches, run):
    asker = make(batches.role, run)
    replies = asker.ask([ask(str(i)) for i in range(30)])
    assert [r.text for r in replies] == [str(i) for i in range(30)]
    assert len(batches.batches) == 1 and batches.direct == 0
    assert Store(run.path("requests.sqlite")).spent_usd() == pytest.approx(30 * 1.1 / 2)
    assert sum(f.get("cost_usd", {}).get("teacher", 0) for f in run.recorded) == pytest.approx(30 * 1.1 / 2)
    make(batches.role, run).ask([ask(str(i)) for i in range(30)])
    assert len(batches.batches) == 1
    assert not any(CANARY.encode() in p.read_bytes() for p in run.dir.rglob("*") if p.is_file())


def test_what_a_batch_did_not_answer_is_asked_in_another_and_at_last_directly(batches, run):
    def answer(body, n):
        text = body["messages"][-1]["content"]
        if text == "never":
            return None, ""
        return (500, "overloaded") if text == "once" and n < 4 else (400, "too long") if text == "long" else (200, text)

    batches.answer = answer
    replies = make(batches.role, run).ask([ask(t) for t in ("fine", "once", "long", "never")])
    assert [r.text for r in replies] == ["fine", "once", "", "never"] and "too long" in replies[2].error
    assert batches.direct == 1 and len(set(batches.asked)) == 4
    # "fine" and "long" were in one batch alone, "once" in two, "never" in all three, and none is open that "never" would be paid for in again
    assert sorted(batches.asked.count(key) for key in set(batches.asked)) == [1, 1, 2, ROUNDS]
    assert len(batches.batches) == ROUNDS and not Store(run.path("requests.sqlite")).open_batches("m-1")


def test_a_batch_keeps_the_reserve_of_single_requests_until_a_reply_shows_what_is_counted(batches, run):
    """30,000 tokens for a word: as many go at first as can be paid even so, and the next batch knows."""
    batches.prompt_tokens, batches.role = 30_000, Role(**{**vars(batches.role), "price": (10.0, 10.0)})  # 0.15 USD each
    with pytest.raises(BudgetSpent, match="the budget of 2 USD is spent"):
        make(batches.role, run, budget_usd=2.0).ask([ask_long(str(i), max_tokens=1) for i in range(40)])
    assert 1.8 < Store(run.path("requests.sqlite")).spent_usd() <= 2.0 and batches.direct == 0


def test_a_budget_below_the_reserve_sends_one_request_ahead_and_then_all_that_fit(batches, run):
    batches.role = Role(**{**vars(batches.role), "price": (10.0, 10.0)})
    replies = make(batches.role, run, budget_usd=0.2).ask([ask(str(i)) for i in range(20)])  # 0.0055 USD each
    assert [len(sent.splitlines()) for sent in list(batches.files.values())[::2]] == [1, 19]
    assert [r.text for r in replies] == [str(i) for i in range(20)] and batches.direct == 0


def test_a_field_that_the_model_does_not_take_is_renamed_in_the_next_batch(batches, run):
    def answer(body, n):
        if "max_tokens" in body:
            return 400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return 200, str(body["max_completion_tokens"])

    batches.answer = answer
    replies = make(batches.role, run).ask([ask(str(i)) for i in range(5)])
    assert [(r.text, r.error) for r in replies] == [("100", None)] * 5
    assert len(batches.batches) == 2 and batches.direct == 0


def test_a_schema_that_the_model_does_not_take_is_left_out_of_the_next_batch(batches, run):
    def answer(body, n):
        return (400, "Invalid parameter: 'response_format' is not supported.") if "response_format" in body else (200, "plain")

    batches.answer = answer
    replies = make(batches.role, run).ask([ask(str(i), response_format={"type": "json_schema"}) for i in range(5)])
    assert [(r.text, r.error) for r in replies] == [("plain", None)] * 5
    assert len(batches.batches) == 2 and batches.direct == 0


def test_a_batch_that_is_refused_as_a_whole_ends_with_its_reason(batches, run):
    batches.status = "failed"
    with pytest.raises(EndpointError, match="model not found") as error:
        make(batches.role, run).ask([ask("a")])
    assert CANARY not in str(error.value)


def test_a_budget_sends_only_what_it_certainly_pays(batches, run):
    with pytest.raises(BudgetSpent, match="raise budget_usd"):
        make(batches.role, run, budget_usd=2.0).ask([ask("w" * 2600 + str(i)) for i in range(20)])
    spent = Store(run.path("requests.sqlite")).spent_usd()
    assert 0 < spent <= 2.0 and len(batches.asked) == round(spent / 0.55)


def test_a_reply_with_a_line_separator_in_it_is_read_whole_and_paid_once(batches, run):
    add_file = batches.add_file
    batches.add_file = lambda text: add_file(text.replace("~", "\u2028"))  # as servers write it that escape nothing
    batches.answer = lambda body, n: (200, "first~second")
    assert make(batches.role, run).ask([ask("a")])[0].text == "first\u2028second"
    assert len(batches.asked) == 1 and batches.direct == 0


def test_an_error_that_is_a_bare_text_is_that_request_s_own_and_the_others_are_kept(batches, run):
    add_file = batches.add_file
    batches.add_file = lambda text: add_file(text.replace('{"error": {"message": "too long"}}', '"too long"'))
    batches.answer = lambda body, n: (400, "too long") if body["messages"][-1]["content"] == "long" else (200, "ok")
    replies = make(batches.role, run).ask([ask("long"), ask("short")])
    assert [(r.text, r.error) for r in replies] == [("", "HTTP 400: too long"), ("ok", None)]


def test_a_run_that_wants_only_some_of_an_open_batch_keeps_all_that_was_paid(batches, run):
    batches.looks, look = 10**9, batches.look
    batches.look = lambda batch_id: (_thread.interrupt_main(), look(batch_id))[1]
    with pytest.raises(KeyboardInterrupt):
        make(batches.role, run).ask([ask(t) for t in "abc"])
    batches.looks, batches.look = 0, look
    assert [r.text for r in make(batches.role, run).ask([ask(t) for t in "ad"])] == ["a", "d"]
    replies = make(batches.role, run).ask([ask(t) for t in "abc"])
    assert [(r.text, r.cached) for r in replies] == [("a", True), ("b", True), ("c", True)] and len(batches.asked) == 4
    assert Store(run.path("requests.sqlite")).spent_usd() == pytest.approx(4 * 1.1 / 2)


@pytest.mark.smoke
@pytest.mark.parametrize("moment", ["while it runs", "before its answer arrives"])
def test_a_process_killed_with_a_batch_open_is_followed_by_one_that_collects_it(batches, run, moment):
    """Killed after the batch was made, once with and once without the client knowing its id: no second batch is made."""
    batches.looks = 10**9
    code = (
        "import sys; from lib.llm import Asker, Request, Role; from lib.llm.store import Store; from pathlib import Path\n"
        "import lib.llm.batch; lib.llm.batch.POLL_S = 0.02\n"
        "class Run:\n    def record(self, **facts): pass\n"
        "role = Role('teacher', sys.argv[1], 'm', identity='m-1', batch=True, price=(1000.0, 1000.0))\n"
        "asker = Asker(role, Run(), Store(sys.argv[2]))\n"
        "asker.ask([Request(messages=({'role': 'user', 'content': str(i)},), max_tokens=100) for i in range(5)])"
    )
    batches.lose_answer = moment == "before its answer arrives"
    with batches.lock:
        child = subprocess.Popen(
            [sys.executable, "-c", code, batches.role.base_url, str(run.path("requests.sqlite"))],
            stdout=subprocess.DEVNULL,
        )
        batches.victim = child.pid
    deadline = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < deadline:
        if any(batch["looks"] for batch in batches.batches.values()):
            child.kill()
        time.sleep(0.01)
    assert child.wait(10) == -signal.SIGKILL and len(batches.batches) == 1
    batches.looks = 0
    replies = make(batches.role, run).ask([ask(str(i)) for i in range(5)])
    assert [r.text for r in replies] == [str(i) for i in range(5)]
    assert len(batches.batches) == 1 and len(batches.asked) == 5 and batches.direct == 0
