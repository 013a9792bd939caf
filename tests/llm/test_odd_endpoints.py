"""What endpoints do that are not quite OpenAI's: errors in other forms, pages instead of replies, connections that break in the middle."""

import json
import time
from http.server import BaseHTTPRequestHandler

import pytest

from lib.llm import EndpointError, probe
from lib.llm.provider import Account, ProviderError, make_openai, patiently
from lib.llm.roles import Role
from lib.llm.stream import stream_reply
from lib.llm.transport import make_client
from lib.run import BadInput

from .helpers import CANARY, ask, chat, make, serving


@pytest.mark.parametrize("body", [{"error": "too long"}, [{"error": {"message": "too long"}}], "too long", {"detail": "too long"}])
def test_the_reason_of_a_refusal_is_told_in_whatever_form_it_comes(scripted, run, body):
    role, _ = scripted(lambda *_: (400, {}, body))
    assert make(role, run).ask([ask("a")])[0].error == "HTTP 400: too long"
    account = Account("openai", role.base_url, "k", "K")
    with pytest.raises(ProviderError, match="HTTP 400: too long$"):
        patiently(lambda: make_openai(account).post("/jobs", body={}, cast_to=object), account, "the job")


def test_a_field_that_is_refused_in_a_list_of_errors_is_left_out(scripted, run):
    def strict(number, body, headers):
        return (400, {}, [{"error": {"message": 'Unknown name "seed": Cannot find field.'}}]) if "seed" in body else chat("ok")

    role, _ = scripted(strict)
    assert make(role, run).ask([ask("a", seed=1)])[0].text == "ok"


@pytest.mark.parametrize("status", [502, 503])
def test_an_address_whose_server_only_fails_is_left_out_and_the_others_do_the_work(scripted, run, monkeypatch, status):
    monkeypatch.setattr("lib.llm.retry._backoff_s", lambda attempt, key: 0.02)
    bad, _ = scripted(lambda *_: (status, {}, {"error": {"message": "no upstream"}}))
    good, seen = scripted(lambda *_: (time.sleep(0.1), chat("ok"))[1])  # slower, so that it seems to be the busier one
    role = Role("teacher", f"{bad.base_url},{good.base_url}", "m")
    replies = make(role, run, max_in_flight=4).ask([ask(str(i)) for i in range(20)])
    assert [r.error for r in replies] == [None] * 20 and len(seen) == 20
    warned = [facts["warnings"]["teacher endpoint"] for facts in run.recorded if "warnings" in facts]
    assert f"{bad.base_url} was left out, it does not answer (HTTP {status}: no upstream)" in warned[-1]


def test_a_retry_after_that_has_gone_by_on_this_clock_is_no_leave_to_ask_at_once(scripted, run, monkeypatch):
    monkeypatch.setattr("lib.llm.retry._backoff_s", lambda attempt, key: 0.1)
    began, late = time.monotonic(), {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    role, seen = scripted(lambda *_: chat("ok") if len(seen) > 4 else (429, late, {"error": {"message": "slow down"}}))
    assert make(role, run).ask([ask("a")])[0].text == "ok"
    assert time.monotonic() - began > 0.4


class Breaking(BaseHTTPRequestHandler):
    """Answers with half a body and closes the connection, so many times; then with a whole one."""

    times = 1

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).times -= 1
        data = json.dumps(chat("whole")[2]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:20] if self.times >= 0 else data)
        self.close_connection = True


def test_a_reply_that_breaks_off_in_its_middle_is_priced(run):
    with serving(type("Once", (Breaking,), {"times": 1})) as url:
        asker = make(Role("teacher", url, "m", price=(1.0, 1.0)), run)
        assert asker.ask([ask("a")])[0].text == "whole" and asker.usage.lost_tokens > 0


def test_a_server_that_always_breaks_off_is_told_from_one_that_cannot_be_reached(run, monkeypatch):
    monkeypatch.setattr("lib.llm.retry._backoff_s", lambda attempt, key: 0.01)
    always = type("Always", (Breaking,), {"times": 99})
    with serving(always) as url, pytest.raises(EndpointError, match="connection was lost before the reply was whole"):
        make(Role("teacher", url, "m"), run).ask([ask("a")])


PAGE = {"Content-Type": "text/html"}


@pytest.mark.parametrize("name", ["teacher", "embedder"])
def test_a_probe_of_a_web_page_says_that_this_is_no_endpoint(scripted, name):
    line = probe(scripted(lambda *_: (200, PAGE, "<html>Log in</html>"), name=name)[0])
    assert "its reply cannot be read" in line and "is this an OpenAI-compatible endpoint?" in line


def test_a_list_of_models_without_its_object_is_passed_over_and_the_model_itself_asked(scripted):
    role, seen = scripted(lambda number, body, headers: chat("r") if body else (200, {}, [{"id": "m", "object": "model"}]))
    assert probe(role) is None and len(seen) == 1


def test_vectors_without_places_or_a_count_of_tokens_are_taken_in_their_order(scripted, run):
    role, _ = scripted(lambda _, body, headers: (200, {}, {"data": [{"embedding": [float(t), 1.0]} for t in body["input"]], "usage": {}}))
    assert make(role, run).embed(["0", "1", "7"])[:, 0].argsort().tolist() == [0, 1, 2]


def test_a_page_instead_of_vectors_is_said(scripted, run, monkeypatch):
    monkeypatch.setattr("lib.llm.retry._backoff_s", lambda attempt, key: 0.01)
    role, _ = scripted(lambda *_: (200, PAGE, "<html>Log in</html>"))
    with pytest.raises(EndpointError, match="its reply cannot be read .expected vectors"):
        make(role, run).embed(["a"])


class Streaming(BaseHTTPRequestHandler):
    """Streams these events."""

    events: tuple = ()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write("".join(f"data: {event}\n\n" for event in self.events).encode())
        self.close_connection = True


def streamed(*events):
    with serving(type("These", (Streaming,), {"events": events})) as url:
        return "".join(stream_reply(Role("student", url, "m"), ask("a")))


HELLO = '{"choices": [{"index": 0, "delta": {"content": "hello"}}]}'


def test_a_choice_without_a_part_is_passed_over_in_a_stream():
    assert streamed(HELLO, '{"choices": [{"index": 0, "content_filter_offsets": {}}]}', "[DONE]") == "hello"


@pytest.mark.parametrize(("events", "said"), [
    ([HELLO, '{"error": {"message": "engine died"}}'], "it broke off its reply .engine died.; see the server's log"),
    ([HELLO, "{not json"], "its reply cannot be read"), ([], "found none.; is this an OpenAI-compatible endpoint"),
])  # fmt: skip
def test_a_stream_that_goes_wrong_is_told_for_what_it_is(events, said):
    with pytest.raises(EndpointError, match=said):
        streamed(*events)


def test_what_the_environment_holds_for_openai_goes_to_nobody_else(scripted, run, monkeypatch):
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"X-Gateway: {CANARY}")
    for azure in ({}, {"azure": True, "api_key": "k", "api_version": "1"}):
        role, seen = scripted(lambda _, body, headers: (404, {}, {}) if body is None else chat(""), **azure)
        assert probe(role) is None and make(role, run).ask([ask("a", seed=len(azure))])[0].error is None
        with pytest.raises(EndpointError):
            list(stream_reply(role, ask("a")))  # no stream, but asked
        make_openai(Account("openai", role.base_url, "k", "", "")).post("/jobs", body={}, cast_to=object)
        assert len(seen) == 4 and CANARY not in str(seen)
    client = make_client(Role("teacher", "https://eu.api.openai.com/v1", "m"), 1)
    assert client.default_headers["OpenAI-Project"] == client.default_headers["X-Gateway"] == CANARY


@pytest.mark.parametrize(("name", "address"), [("ALL_PROXY", "socks5://me:secret@127.0.0.1:9"), ("HTTPS_PROXY", "foo://127.0.0.1:9")])
def test_a_proxy_that_is_none_of_http_is_told_in_one_line_without_its_password(name, address, monkeypatch):
    monkeypatch.setenv(name, address)
    line = probe(Role("teacher", "https://example.org/v1", "m"))
    assert f"{name}: expected a proxy such as http://host:port" in line and "secret" not in line
    with pytest.raises(BadInput, match=name):
        make_client(Role("teacher", "https://example.org/v1", "m"), 1)


@pytest.mark.parametrize("vectors", [[[1.0, None], [1.0, 2.0]], [[1.0, 2.0], [1.0]], [[], []]])
def test_vectors_with_holes_or_of_several_lengths_are_refused_and_not_stored(vectors, scripted, run, monkeypatch):
    monkeypatch.setattr("lib.llm.retry._backoff_s", lambda attempt, key: 0.01)
    role, _ = scripted(lambda *_: (200, {}, {"data": [{"index": i, "embedding": v} for i, v in enumerate(vectors)]}))
    for _ in range(2):
        with pytest.raises(EndpointError, match="expected vectors of numbers, all of one length"):
            make(role, run).embed(["a", "b"])


@pytest.mark.parametrize(("status", "message"), [(413, "batch size 64 > maximum allowed batch size 32"), (422, "Validation"), (400, "Too many inputs")])
def test_a_server_that_takes_fewer_texts_at_once_gets_them_by_halves(status, message, scripted, run):
    def serve(_, body, headers):
        if len(body["input"]) > 32:
            return status, {}, {"error": message}
        return 200, {}, {"data": [{"index": i, "embedding": [float(t), 1.0]} for i, t in enumerate(body["input"])]}

    role, _ = scripted(serve)
    assert make(role, run).embed([str(i) for i in range(64)])[:, 0].argsort().tolist() == list(range(64))


def test_the_number_of_texts_that_was_taken_is_remembered_and_not_found_out_again(scripted, run):
    def serve(_, body, headers):
        if len(body["input"]) > 20:
            return 413, {}, {"error": "too many"}
        return 200, {}, {"data": [{"index": i, "embedding": [float(t), 1.0]} for i, t in enumerate(body["input"])]}

    role, seen = scripted(serve)
    asker = make(role, run, max_in_flight=1)
    assert asker.embed([str(i) for i in range(150)])[:, 0].argsort().tolist() == list(range(150))
    asker.embed([str(i) for i in range(200, 240)])
    first, later = [64, 32, 16, 16, 16, 16], [16, 16, 16, 16, 16, 6, 16, 16, 8]  # 64, 64, 22; then 40
    assert [len(body["input"]) for _, body, _ in seen] == first + later


class Choosy(Streaming):
    """Takes no `max_tokens`, as newer models of OpenAI."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.bodies.append(body)
        if "max_tokens" in body:
            data = b'{"error": {"message": "Unsupported parameter: max_tokens. Use max_completion_tokens instead."}}'
            self.send_response(400)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        else:
            self.headers.replace_header("Content-Length", "0")
            super().do_POST()


def test_a_stream_is_asked_for_in_the_fields_that_the_model_takes():
    bodies = []
    with serving(type("These", (Choosy,), {"events": (HELLO, "[DONE]"), "bodies": bodies})) as url:
        role = Role("student", url, "m")
        assert ["".join(stream_reply(role, ask("a", max_tokens=7))) for _ in range(2)] == ["hello"] * 2
    assert len(bodies) == 3 and all(body["max_completion_tokens"] == 7 for body in bodies[1:])  # refused once, not at every turn
