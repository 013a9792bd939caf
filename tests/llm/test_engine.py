"""The engine under strain: several addresses, quotas, budgets under way, content filters, runs of failures, Ctrl-C, a shared store."""

import _thread
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from lib.llm import BudgetSpent, EndpointError, connect
from lib.llm.limiter import Limiter, Pace
from lib.llm.roles import Role, resolve_role
from lib.llm.store import Store, request_key
from lib.llm.usage import cost_usd, read_prices, with_price
from lib.run import BadInput

from .helpers import CANARY, ask, chat, echo, make


def two(first, second):
    return Role("teacher", f"{first.base_url},{second.base_url}", "m", identity="m-1")


def test_several_addresses_share_the_work_and_the_less_busy_one_gets_more(scripted, run):
    fast, seen_fast = scripted(lambda *a: (time.sleep(0.01), echo(*a))[1])
    slow, seen_slow = scripted(lambda *a: (time.sleep(0.1), echo(*a))[1])
    replies = make(two(fast, slow), run, max_in_flight=4).ask([ask(str(i)) for i in range(60)])
    assert [r.text for r in replies] == [str(i) for i in range(60)]
    assert len(seen_fast) + len(seen_slow) == 60 and len(seen_fast) > len(seen_slow) > 0


def test_an_address_that_does_not_answer_is_left_out_and_named(scripted, run):
    alive, seen = scripted(echo)
    role = Role("teacher", f"http://127.0.0.1:9/v1, {alive.base_url}", "m", identity="m-1")
    replies = make(role, run, max_in_flight=4).ask([ask(str(i)) for i in range(30)])
    assert all(not r.error for r in replies) and len(seen) == 30
    warned = [facts["warnings"] for facts in run.recorded if "warnings" in facts]
    assert "http://127.0.0.1:9/v1 was left out" in warned[0]["teacher endpoint"]


def test_a_second_address_does_not_change_what_is_known(scripted, run):
    role, seen = scripted(echo)
    make(role, run).ask([ask("a")])
    one = Role("teacher", role.base_url, "m")
    assert Role("teacher", f"{role.base_url},http://127.0.0.1:9/v1", "m").identity == one.identity


def test_the_limit_falls_when_refused_once_a_wave_and_recovers_while_answered():
    limiter = Limiter(64)
    limiter.refused(0.05)
    limiter.refused(0.05)
    assert limiter.limit == 44 and limiter.load > 1e5
    for _ in range(44 * 64):
        limiter.answered()
    assert limiter.limit == 64


def test_an_endpoint_that_wants_to_rest_is_asked_nothing_by_the_other_requests_either(scripted, run):
    times = []

    def busy(number, body, headers):
        times.append(time.monotonic())
        if number == 0:
            return 429, {"Retry-After": "0.7"}, {"error": {"message": "slow down"}}
        time.sleep(0.1)
        return echo(number, body, headers)

    role, _ = scripted(busy)
    replies = make(role, run, max_in_flight=4).ask([ask(str(i)) for i in range(32)])  # 0.8 s at four a time, if nobody paused
    assert [r.text for r in replies] == [str(i) for i in range(32)] and len(times) == 33
    assert not [t for t in times if times[0] + 0.35 < t < times[0] + 0.65]
    assert times[-1] - times[0] > 1.4


def test_requests_start_no_faster_than_their_quota():
    import asyncio

    async def both():
        return await asyncio.gather(times(Pace(rpm=600), 20, 1), times(Pace(tpm=60_000), 20, 100))

    async def times(pace, n, tokens):
        start = time.monotonic()
        for _ in range(n):
            await pace.wait(tokens)
        return time.monotonic() - start

    assert all(0.9 <= took <= 2.5 for took in asyncio.run(both()))  # ten a second, a second's worth at once
    assert asyncio.run(times(Pace(), 1000, 100)) < 0.5


def test_quotas_timeouts_and_batch_are_read_by_role_and_checked():
    base = {"JUDGE_OPENAI_BASE_URL": "http://h/v1", "JUDGE_OPENAI_DEPLOYMENT": "m"}
    role = resolve_role(
        "judge",
        base
        | {"JUDGE_RPM": "500", "JUDGE_TPM": "30_000", "JUDGE_TPD": "1e6", "JUDGE_TIMEOUT_S": "2.5", "JUDGE_BATCH": "1"},
    )
    assert (role.rpm, role.tpm, role.tpd, role.timeout_s, role.batch) == (500, 30_000, 1_000_000, 2.5, True)
    for name, value in {"JUDGE_RPM": "fast", "JUDGE_TPD": "0", "JUDGE_BATCH": "perhaps"}.items():
        with pytest.raises(BadInput, match=name):
            resolve_role("judge", base | {name: value})


def test_the_tokens_of_a_day_are_counted_over_runs_and_stop_cleanly(scripted, run):
    role, seen = scripted(lambda *_: chat("ok", 90, 10), tpd=250)
    with pytest.raises(BudgetSpent, match="TEACHER_TPD"):
        make(role, run, max_in_flight=1).ask([ask(str(i)) for i in range(9)])
    assert len(seen) == 3
    with pytest.raises(BudgetSpent, match="midnight UTC"):
        make(role, run).ask([ask("other")])
    assert len(seen) == 3


def test_azure_takes_a_token_instead_of_a_key_and_shows_it_nowhere(scripted, run):
    azure = {
        "TEACHER_AZURE_OPENAI_ENDPOINT": "https://a.example",
        "TEACHER_AZURE_OPENAI_DEPLOYMENT": "d",
        "TEACHER_OPENAI_API_VERSION": "v",
    }
    with pytest.raises(BadInput, match="TEACHER_AZURE_OPENAI_API_KEY"):
        resolve_role("teacher", azure)
    role = resolve_role("teacher", azure | {"TEACHER_AZURE_OPENAI_AD_TOKEN": CANARY})
    assert CANARY not in repr(role) and role.token == CANARY
    local, seen = scripted(echo)
    role = Role(
        "teacher", local.base_url.removesuffix("/v1"), "dep", azure=True, api_version="2025-01-01", token=CANARY
    )
    assert make(role, run).ask([ask("a")])[0].text == "a"
    path, body, headers = seen[0]
    assert path == "/openai/deployments/dep/chat/completions?api-version=2025-01-01"
    assert {k.lower(): v for k, v in headers.items()}["authorization"] == f"Bearer {CANARY}"
    assert not any(CANARY.encode() in p.read_bytes() for p in run.dir.rglob("*") if p.is_file())


def test_a_content_filter_is_a_result_with_a_reason_kept_and_not_asked_again(scripted, run):
    def picky(number, body, headers):
        text = body["messages"][0]["content"]
        if text == "azure":
            return 400, {}, {"error": {"code": "content_filter", "message": "The response was filtered"}}
        return chat("half a", finish="content_filter") if text == "cut" else chat("ok")

    role, seen = scripted(picky)
    requests = [ask("azure"), ask("cut"), ask("fine")]
    replies = make(role, run).ask(requests)
    assert [bool(r.error) for r in replies] == [True, True, False] and "content filter" in replies[0].error
    assert [r.finish_reason for r in replies] == ["content_filter", "content_filter", "stop"] and replies[1].text == ""
    again = make(role, run).ask(requests)
    assert len(seen) == 3 and [r.error for r in again] == [r.error for r in replies]
    assert run.recorded[-2]["tokens"]["teacher"]["filtered"] == 2 or any(
        facts.get("tokens", {}).get("teacher", {}).get("filtered") == 2 for facts in run.recorded
    )


@pytest.mark.parametrize("in_flight", [1, 4])
def test_a_run_of_failures_stops_early_with_a_sample_of_them(scripted, run, in_flight):
    """Four good replies, then 20 bad ones, each `in_flight` of them given together; after the 20th nothing new is sent."""
    all_here = threading.Barrier(in_flight)

    def odd(number, body, headers):
        if number < 24:
            all_here.wait(timeout=60)
        return chat("ok") if number < 4 else (400, {}, {"error": {"message": f"context is too long {CANARY}"}})

    role, seen = scripted(odd, api_key=CANARY)
    with pytest.raises(
        EndpointError, match=r"20 requests in a row failed: 20 × HTTP 400: context is too long"
    ) as error:
        make(role, run, max_in_flight=in_flight).ask([ask(str(i)) for i in range(500)])
    assert 24 <= len(seen) < 24 + in_flight and CANARY not in str(error.value)  # the others may have sent one more each


def test_one_request_that_fails_again_and_again_does_not_end_the_others(scripted, run, monkeypatch):
    monkeypatch.setattr("lib.llm.retry._backoff_s", lambda attempt, key: 0.02)

    def broken(number, body, headers):
        bad = body["messages"][0]["content"] == "7"
        return (500, {}, {"error": {"message": "oops"}}) if bad else (time.sleep(0.02), chat("ok"))[1]

    role, seen = scripted(broken)
    replies = make(role, run, max_in_flight=2).ask([ask(str(i)) for i in range(40)])
    assert [i for i, r in enumerate(replies) if r.error] == [7] and "oops" in replies[7].error
    assert sum(body["messages"][0]["content"] == "7" for _, body, _ in seen) == 7


def test_a_reply_that_never_comes_is_asked_for_again_and_priced(scripted, run):
    def late(number, body, headers):
        if number == 0:
            time.sleep(1.0)
        return chat("ok")

    role, seen = scripted(late, timeout_s=0.3, price=(1e6, 1e6))
    asker = make(role, run)
    assert asker.ask([ask("a")])[0].text == "ok" and len(seen) == 2
    assert asker.usage.retries == 1 and asker.usage.lost_tokens > 0
    spent = Store(run.path("requests.sqlite")).spent_usd()
    assert spent == pytest.approx(asker.usage.prompt_tokens + asker.usage.completion_tokens + asker.usage.lost_tokens)


def test_a_field_that_the_model_does_not_take_is_renamed_or_left_out_and_the_run_says_so(scripted, run):
    def strict(number, body, headers):
        if "max_tokens" in body:
            return (
                400,
                {},
                {"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}},
            )
        if "temperature" in body:
            return 400, {}, {"error": {"message": "Unsupported value: 'temperature' does not support 0.0"}}
        return chat("ok") if body["max_completion_tokens"] == 512 else chat("bad")

    role, seen = scripted(strict)
    replies = make(role, run, max_in_flight=2).ask([ask(str(i)) for i in range(20)])
    assert all(r.text == "ok" for r in replies) and len(seen) <= 26
    warned = [facts["warnings"]["teacher endpoint"] for facts in run.recorded if "warnings" in facts][-1]
    assert "max_tokens, which is sent as max_completion_tokens" in warned and "temperature, which is left out" in warned


def test_a_budget_is_not_passed_by_what_is_under_way(scripted, run):
    def slow(number, body, headers):
        time.sleep(0.02)
        return chat("x", 200, 100)  # 0.3 USD

    role, seen = scripted(slow, price=(1000.0, 1000.0))
    with pytest.raises(BudgetSpent, match="raise budget_usd"):
        make(role, run, max_in_flight=16, budget_usd=3.0).ask(
            [ask("w" * 450 + str(i), max_tokens=200) for i in range(100)]
        )
    spent = Store(run.path("requests.sqlite")).spent_usd()
    assert 2.5 <= spent <= 3.0 and len(seen) == round(spent / 0.3)


def test_requests_need_not_wait_for_the_first_price_where_the_budget_covers_the_worst(scripted, run):
    """All 32 stand at the server together: none is answered before the others are there, so none was waited for."""
    all_here = threading.Barrier(32)
    role, _ = scripted(lambda *a: (all_here.wait(timeout=60), echo(*a))[1], price=(1.0, 1.0))
    replies = make(role, run, max_in_flight=32, budget_usd=5.0).ask([ask(str(i)) for i in range(32)])
    assert [reply.text for reply in replies] == [str(i) for i in range(32)]


def test_an_endpoint_that_counts_much_more_than_is_sent_does_not_pass_the_budget(scripted, run):
    """30,000 tokens for a word (instructions of the endpoint's own): as many go at first as can be paid even so."""
    role, seen = scripted(lambda *_: (time.sleep(0.05), chat("x", 30_000, 0))[1], price=(10.0, 10.0))  # 0.3 USD each
    with pytest.raises(BudgetSpent):
        make(role, run, max_in_flight=16, budget_usd=2.0).ask([ask(str(i), max_tokens=1) for i in range(40)])
    assert len(seen) == 6 and Store(run.path("requests.sqlite")).spent_usd() == pytest.approx(1.8)


def test_every_asker_of_a_run_draws_on_the_same_budget(scripted, run):
    role, _ = scripted(lambda *_: chat("x", 1000, 0), price=(1000.0, 1000.0))
    make(role, run, budget_usd=10.0).ask([ask(str(i), max_tokens=1) for i in range(9)])
    judge = Role(**{**vars(role), "name": "judge", "identity": "j"})
    with pytest.raises(BudgetSpent):
        make(judge, run, budget_usd=10.0).ask([ask(str(i), max_tokens=1) for i in range(9)])
    assert Store(run.path("requests.sqlite")).spent_usd() <= 10.0


def test_money_stands_in_the_store_by_run_stage_role_and_day_for_sqlite3_to_read(scripted, run):
    role, _ = scripted(lambda *_: chat("x", 1000, 500), price=(2.0, 10.0))
    run.notebook = "1_gen"
    connect(role, run).ask([ask(str(i)) for i in range(4)])
    rows = (
        sqlite3.connect(run.dir / "requests.sqlite")
        .execute("SELECT run, stage, role, requests, tokens, cost_usd FROM costs")
        .fetchall()
    )
    assert rows == [("run", "1_gen", "teacher", 4, 6000, pytest.approx(0.028))]
    request, reply = (
        sqlite3.connect(run.dir / "requests.sqlite").execute("SELECT request, reply FROM replies LIMIT 1").fetchone()
    )
    assert json.loads(request)["messages"][0]["role"] == "user" and json.loads(reply)["text"] == "x"


def test_a_store_can_be_shared_by_runs_and_each_has_its_own_budget(scripted, run, tmp_path):
    role, seen = scripted(lambda *_: chat("x", 1000, 0), price=(1000.0, 1000.0))
    run.p = SimpleNamespace(store=str(tmp_path / "shared.sqlite"), prices="")
    connect(role, run, budget_usd=2.5).ask([ask("a", max_tokens=1), ask("b", max_tokens=1)])
    other = type(run)(tmp_path / "other")
    other.p = run.p
    replies = connect(role, other, budget_usd=2.5).ask([ask(t, max_tokens=1) for t in "abcd"])
    assert [r.cached for r in replies] == [True, True, False, False] and len(seen) == 4
    assert not (run.dir / "requests.sqlite").exists()


def test_a_store_of_an_earlier_version_is_brought_up_to_date(tmp_path):
    db = sqlite3.connect(tmp_path / "old.sqlite")
    db.executescript(
        "CREATE TABLE replies (key TEXT PRIMARY KEY, role TEXT NOT NULL, identity TEXT NOT NULL, request TEXT NOT NULL, reply TEXT NOT NULL,"
        " prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost_usd REAL NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE spent (role TEXT PRIMARY KEY, cost_usd REAL NOT NULL) WITHOUT ROWID; INSERT INTO spent VALUES ('teacher', 1.5);"
        "INSERT INTO replies VALUES ('k', 'teacher', 'i', '{}', '{\"text\": \"kept\"}', 1, 1, 1.5);"
    )
    db.close()
    store = Store(tmp_path / "old.sqlite", run="r")
    store.put(
        "n", role="teacher", identity="i", body={}, reply={"prompt_tokens": 1, "completion_tokens": 1}, cost_usd=0.5
    )
    assert store.get("k") == {"text": "kept"} and store.spent_usd("r") == 2.0


def test_processes_that_write_to_one_store_at_the_same_time_lose_nothing(tmp_path):
    code = (
        "import sys; from lib.llm.store import Store; s = Store(sys.argv[1], run=sys.argv[2])\n"
        "for i in range(200): s.put(f'{sys.argv[2]}-{i}', role='t', identity='i', body={}, reply={'prompt_tokens': 1, 'completion_tokens': 1}, cost_usd=0.5)\n"
        "s.close()"
    )
    path = str(tmp_path / "s.sqlite")
    children = [subprocess.Popen([sys.executable, "-c", code, path, name]) for name in "ab"]
    assert [child.wait(60) for child in children] == [0, 0]
    store = Store(path)
    assert len(store.get_many([f"{n}-{i}" for n in "ab" for i in range(200)])) == 400 and store.spent_usd() == 200.0


def test_a_dated_name_costs_what_its_model_does_unless_the_list_has_it():
    dated = {"gpt-4o-2024-08-06": (2.5, 10.0), "gpt-4o-2024-05-13": (5.0, 15.0), "gpt-4o-mini-2024-07-18": (0.15, 0.6), "gpt-5-2024-08-06": None}
    assert {name: with_price(Role("teacher", "https://api.openai.com/v1", name)).price for name in dated} == dated
    assert with_price(Role("teacher", "http://elsewhere/v1", "gpt-4o-2024-08-06")).price is None


def test_prices_come_from_a_list_with_a_date_and_a_role_variable_goes_before(tmp_path):
    assert read_prices()["as_of"] and with_price(Role("teacher", "https://api.openai.com/v1", "gpt-4o")).price == (
        2.5,
        10.0,
    )
    assert with_price(Role("teacher", "http://elsewhere/v1", "gpt-4o")).price is None
    path = tmp_path / "mine.yaml"
    path.write_text("as_of: 2026-11\nmodels:\n  'big@elsewhere': [1, 2]\n")
    assert cost_usd(with_price(Role("teacher", "http://elsewhere/v1", "big"), path), 1_000_000, 1_000_000) == 3.0
    assert with_price(Role("teacher", "http://elsewhere/v1", "big", price=(9.0, 9.0)), path).price == (9.0, 9.0)
    path.with_name("bad.yaml").write_text("models:\n  m: cheap\n")
    with pytest.raises(BadInput, match="two numbers"):
        read_prices(path.with_name("bad.yaml"))


def test_progress_tells_tokens_and_money(scripted, run, capsys):
    role, _ = scripted(lambda *_: chat("x", 1000, 500), price=(2.0, 10.0))
    make(role, run).ask([ask(str(i)) for i in range(4)], label="answers")
    assert "teacher: answers: 4/4" in (said := capsys.readouterr().out) and "4,000 + 2,000 tokens · 0.0280 USD" in said


def test_ctrl_c_waits_for_what_is_under_way_stores_it_and_says_how_to_go_on(scripted, run, capsys):
    def slow(number, body, headers):
        if number == 3:
            _thread.interrupt_main()
        time.sleep(0.3)
        return chat("ok")

    role, seen = scripted(slow)
    requests = [ask(str(i)) for i in range(40)]
    with pytest.raises(KeyboardInterrupt, match="run this again"):
        make(role, run, max_in_flight=4).ask(requests)
    assert 4 <= len(seen) <= 8 and "replies under way" in capsys.readouterr().out
    store = Store(run.path("requests.sqlite"))
    assert len(store.get_many([request_key("m-1", r.body()) for r in requests])) == len(seen)


def test_a_second_ctrl_c_stops_at_once(scripted, run):
    began = []  # from here on: before it, the client is imported

    def stuck(number, body, headers):
        began.append(time.monotonic())
        _thread.interrupt_main()
        threading.Timer(0.3, _thread.interrupt_main).start()
        time.sleep(3)
        return chat("late")

    role, _ = scripted(stuck)
    with pytest.raises(KeyboardInterrupt):
        make(role, run, max_in_flight=1).ask([ask("a")])
    assert time.monotonic() - began[0] < 2.5


def test_requests_wait_for_none_but_their_turn(scripted, run):
    """All 32 stand at the server together: none is asked before it is answered that the others are there."""
    all_here = threading.Barrier(32)
    role, _ = scripted(lambda *a: (all_here.wait(timeout=60), echo(*a))[1])
    replies = make(role, run, max_in_flight=32).ask([ask(str(i)) for i in range(32)])
    assert [reply.text for reply in replies] == [str(i) for i in range(32)]


@pytest.mark.smoke
def test_nothing_is_left_running_or_complained_about_when_a_process_ends_without_closing(scripted, run):
    role, _ = scripted(echo)
    code = (
        "import sys, pathlib; from lib.llm import Asker, Request, Role; from lib.llm.store import Store\n"
        "class Run:\n    def record(self, **facts): pass\n"
        "asker = Asker(Role('teacher', sys.argv[1], 'm'), Run(), Store(sys.argv[2]))\n"
        "print(asker.ask([Request(messages=({'role': 'user', 'content': 'hello'},))])[0].text)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, role.base_url, str(run.path("s.sqlite"))],
        capture_output=True,
        text=True,
        timeout=60,
        env=dict(os.environ),
    )
    assert done.returncode == 0 and done.stdout.endswith("hello\n") and done.stderr == ""
