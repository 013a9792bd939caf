"""The asker: in order, at most so many at once, never twice, patient with a busy endpoint, clear about a dead one."""

import gzip
import json
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler

import numpy as np
import pytest

from lib.llm import BudgetSpent, EndpointError, Request, probe
from lib.llm.retry import retry_after_s
from lib.llm.roles import Role
from lib.llm.store import Store, request_key
from lib.run import BadInput

from .helpers import CANARY, ask, chat, echo, make, serving


def test_replies_come_in_the_order_of_the_requests_and_equal_requests_are_asked_once(scripted, run):
    role, seen = scripted(echo)
    replies = make(role, run, max_in_flight=8).ask([ask(str(i % 20)) for i in range(60)])
    assert [r.text for r in replies] == [str(i % 20) for i in range(60)] and len(seen) == 20
    assert run.recorded[-1]["tokens"]["teacher"]["requests"] == 20


def test_what_the_store_holds_is_never_asked_again_and_any_change_of_the_request_is(scripted, run):
    role, seen = scripted(echo)
    first = make(role, run).ask([ask("a")])[0]
    again = make(role, run).ask([ask("a")])[0]
    assert (first.text, first.cached, again.text, again.cached, len(seen)) == ("a", False, "a", True, 1)
    changed = [
        ask("a", seed=1),
        ask("a", max_tokens=7),
        ask("a", temperature=0.5),
        ask("a", stop=("x",)),
        ask("a", extra={"top_k": 1}),
        ask("a", response_format={"type": "json_object"}),
        ask("b"),
    ]
    make(role, run).ask(changed)
    make(Role(**{**vars(role), "identity": "m-2"}), run).ask([ask("a")])
    assert len(seen) == 9
    assert sum(body.get("response_format") == {"type": "json_object"} for _, body, _ in seen) == 1


def test_a_process_whose_replies_are_all_stored_loads_no_client_and_needs_no_endpoint(scripted, run):
    role, _ = scripted(echo)
    make(role, run).ask([ask("a")])
    code = f"""
import sys
from lib.llm import Asker, Request
from lib.llm.roles import Role
from lib.llm.store import Store
class Run:
    def record(self, **facts): pass
role = Role(**{ {**vars(role), "base_url": "http://127.0.0.1:9/v1"} })
asker = Asker(role, Run(), Store({str(run.path("requests.sqlite"))!r}))
reply, = asker.ask([Request(messages=({{"role": "user", "content": "a"}},))])
print(reply.text, reply.cached, sorted({{"openai", "aiohttp", "httpx2"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "a True []\n", done.stderr


def test_no_more_than_so_many_are_under_way(scripted, run):
    now, most, lock = [0], [0], threading.Lock()

    def slow(number, body, headers):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        return chat("ok")

    role, _ = scripted(slow)
    make(role, run, max_in_flight=5).ask([ask(str(i)) for i in range(40)])
    assert 2 <= most[0] <= 5


def test_a_busy_endpoint_is_waited_for_as_long_as_it_says(scripted, run, monkeypatch):
    monkeypatch.setattr("lib.llm.retry._backoff_s", lambda attempt, key: 0.01)  # had it said nothing
    times = []

    def busy(number, body, headers):
        times.append(time.monotonic())
        return (429, {"Retry-After": "0.5"}, {"error": {"message": "slow down"}}) if number == 0 else chat("ok")

    role, seen = scripted(busy)
    assert make(role, run).ask([ask("a")])[0].text == "ok"
    assert 0.45 <= times[1] - times[0] <= 2.5 and run.recorded[-1]["tokens"]["teacher"]["retries"] == 1


@pytest.mark.parametrize(("headers", "low", "high"), [
    ({"retry-after": "3"}, 3, 3), ({"retry-after-ms": "250"}, 0.25, 0.25), ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0, 0),
    ({"retry-after": "99999"}, 120, 120),
])  # fmt: skip
def test_retry_after_is_understood_in_every_form(headers, low, high):
    assert low <= retry_after_s(headers) <= high


def test_retry_after_that_makes_no_sense_is_ignored():
    assert retry_after_s({"retry-after": "soon"}) is None and retry_after_s({}) is None


def test_one_request_that_is_refused_is_a_reply_with_an_error_and_is_not_stored(scripted, run):
    def picky(number, body, headers):
        long = body["messages"][0]["content"] == "long"
        return (400, {}, {"error": {"message": "too long"}}) if long else chat("ok")

    role, seen = scripted(picky)
    replies = make(role, run).ask([ask("long"), ask("short")])
    assert "too long" in replies[0].error and replies[1].text == "ok"
    make(role, run).ask([ask("long")])
    assert len(seen) == 3


def test_a_refused_key_ends_everything_with_one_line_that_does_not_repeat_it(scripted, run):
    role, seen = scripted(lambda *_: (401, {}, {"error": {"message": f"bad key {CANARY}"}}), api_key=CANARY)
    with pytest.raises(EndpointError, match="TEACHER_OPENAI_API_KEY") as error:
        make(role, run, max_in_flight=2).ask([ask(str(i)) for i in range(50)])
    assert CANARY not in str(error.value) and len(seen) <= 4 and "\n" not in str(error.value)


def test_replies_paid_for_before_a_failure_are_kept(scripted, run):
    role, seen = scripted(lambda n, *_: chat("ok") if n < 3 else (401, {}, {"error": {"message": "no"}}))
    with pytest.raises(EndpointError):
        make(role, run, max_in_flight=1).ask([ask(str(i)) for i in range(10)])
    assert run.recorded[-1]["tokens"]["teacher"]["requests"] == 3
    store = Store(run.path("requests.sqlite"))
    assert sum(store.get(request_key("m-1", ask(str(i)).body())) is not None for i in range(10)) == 3


def test_the_key_is_in_the_header_and_in_no_file(scripted, run):
    role, seen = scripted(echo, api_key=CANARY)
    make(role, run).ask([ask("a")])
    headers = {name.lower(): value for name, value in seen[0][2].items()}
    assert headers["authorization"] == f"Bearer {CANARY}"
    files = [p for p in run.dir.rglob("*") if p.is_file()]
    assert files and not any(CANARY.encode() in p.read_bytes() for p in files)
    assert CANARY not in str(run.recorded)


def test_the_budget_stops_before_it_is_passed_and_a_higher_one_goes_on(scripted, run):
    role, seen = scripted(lambda *_: chat("ok", 1_000_000, 0), price=(1.0, 1.0))
    with pytest.raises(BudgetSpent, match="2.01 USD"):
        make(role, run, max_in_flight=1, budget_usd=2.01).ask([ask(str(i)) for i in range(5)])
    assert len(seen) == 2
    make(role, run, max_in_flight=1, budget_usd=9.0).ask([ask(str(i)) for i in range(5)])
    assert len(seen) == 5 and run.recorded[-1]["cost_usd"] == {"teacher": 3.0}


def test_a_budget_for_a_model_without_a_price_is_an_error(scripted, run):
    role, _ = scripted(echo)
    with pytest.raises(BadInput, match="no price is known"):
        make(role, run, budget_usd=1.0)


def test_completion_prompts_go_to_completions(scripted, run):
    role, seen = scripted(lambda *_: (200, {}, {"choices": [{"text": "out", "finish_reason": "length"}]}))
    reply = make(role, run).ask([Request(prompt="in")])[0]
    assert (reply.text, reply.finish_reason, seen[0][0]) == ("out", "length", "/v1/completions")


def test_vectors_have_length_one_and_known_texts_are_not_sent_again(scripted, run):
    def vectors(number, body, headers):
        rows = [{"index": i, "embedding": [3.0, len(t)], "object": "embedding"} for i, t in enumerate(body["input"])]
        return (
            200,
            {},
            {"data": rows[::-1], "model": "m", "object": "list", "usage": {"prompt_tokens": 1, "total_tokens": 1}},
        )

    role, seen = scripted(vectors)
    asker = make(role, run)
    first = asker.embed(["aaaa", "b", "aaaa"])
    assert (
        first.shape == (3, 2)
        and first.dtype == np.float32
        and np.allclose(first[0], [0.6, 0.8])
        and np.allclose(first[0], first[2])
    )
    assert np.array_equal(make(role, run).embed(["b", "aaaa"]), first[[1, 0]]) and len(seen) == 1
    assert len(seen[0][1]["input"]) == 2


def test_a_reply_that_lies_elsewhere_and_is_compressed_is_found_and_read(run):
    asked = []

    class Moved(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            there = self.path == "/there"
            data = gzip.compress(json.dumps(chat("found")[2]).encode()) if there else b""
            self.send_response(200 if there else 307)
            for name, value in {"Content-Encoding": "gzip"}.items() if there else {"Location": "/there"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with serving(Moved) as url:
        assert make(Role("teacher", url, "m"), run).ask([ask("a")])[0].text == "found"
    assert asked[0][0] == "/v1/chat/completions" and asked[-1] == ("/there", asked[0][1])


def test_a_connection_that_breaks_off_is_tried_again_and_its_prompt_is_priced(run, monkeypatch):
    monkeypatch.setattr("lib.llm.retry._backoff_s", lambda attempt, key: 0.02)
    asked = []

    class Breaking(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            if len(asked) == 1:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            data = json.dumps(chat("whole")[2]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with serving(Breaking) as url:
        asker = make(Role("teacher", url, "m", price=(1.0, 1.0)), run)
        assert asker.ask([ask("a")])[0].text == "whole"
    assert len(asked) == 2 and asked[0] == asked[1] and asker.usage.retries == 1 and asker.usage.lost_tokens > 0


def test_it_works_while_another_event_loop_runs_as_in_jupyter(scripted, run):
    import asyncio

    role, _ = scripted(echo)

    async def cell():
        return make(role, run).ask([ask("a")])

    assert asyncio.run(cell())[0].text == "a"


def models(status=200, ids=("m",)):
    return lambda number, body, headers: (
        (
            status,
            {},
            {"object": "list", "data": [{"id": i, "object": "model", "created": 0, "owned_by": "x"} for i in ids]},
        )
        if body is None
        else (404, {}, {"error": {"message": "no such model"}})
    )


def test_a_probe_of_a_good_endpoint_says_nothing(scripted):
    assert probe(scripted(models())[0]) is None


def test_a_probe_says_in_one_line_that_nobody_answers():
    line = probe(Role("judge", "http://127.0.0.1:9/v1", "m", api_key=CANARY), timeout_s=2)
    assert "cannot be reached" in line and "JUDGE_OPENAI_BASE_URL" in line and "\n" not in line and CANARY not in line


def test_a_probe_says_that_the_key_is_refused(scripted):
    line = probe(scripted(lambda *_: (401, {}, {"error": {"message": f"bad {CANARY}"}}), api_key=CANARY)[0])
    assert "key was refused" in line and CANARY not in line


def test_a_probe_says_that_the_model_is_unknown(scripted):
    line = probe(scripted(models(ids=("other",)))[0])
    assert "'m'" in line and "TEACHER_OPENAI_DEPLOYMENT" in line


def test_log_probabilities_that_were_asked_for_are_averaged_in_both_forms(scripted, run):
    def probable(number, body, headers):
        content = {"content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -1.5}]}
        choice = {"message": {"content": "ab"}, "finish_reason": "stop", "logprobs": content}
        if "prompt" in body:
            choice = {"text": "ab", "finish_reason": "stop", "logprobs": {"token_logprobs": [-1.0, -3.0]}}
        return 200, {}, {"choices": [choice]}

    role, _ = scripted(probable)
    requests = [ask("a", extra={"logprobs": True}), Request(prompt="a", extra={"logprobs": 1})]
    assert [r.logprob for r in make(role, run).ask(requests)] == [-1.0, -2.0]
    assert [r.logprob for r in make(role, run).ask(requests)] == [-1.0, -2.0]
