"""What goes wrong while serving: killed under load, the port taken, the disk full, no room for all. Each with its message, nothing left running, and a way on."""

import json
import os
import random
import socket
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

import lib.deploy.serve as serve
from lib.deploy import local_model, served_here
from lib.deploy.health import is_healthy
from lib.deploy.roles import role_of, served_role
from lib.eval import answer, judge, perplexity
from lib.eval.conditions import Case
from lib.llm import EndpointError, Format, Reply, Request, Role, connect
from lib.run import BadInput, read_json, write_json
from lib.run.leftovers import supervisors
from lib.run.machine import free_port, port_is_free
from lib.run.supervise import process_start

from .fakes import ANSWERING, FakeRun, write_run
from .test_stopping import assert_gone, family


def own_supervisors() -> set[int]:
    """Those of this process; others may come and go on the same machine."""
    return {pid for pid, owner in supervisors().items() if owner.startswith(f"{os.getpid()}:")}


@pytest.fixture
def run(tmp_path, monkeypatch):
    write_run(tmp_path)
    monkeypatch.setenv("RAFT_OWNER_PID", str(os.getpid()))
    monkeypatch.setattr(serve, "SERVER_PYTHON", Path(sys.executable))
    monkeypatch.setattr(serve, "build_command", lambda server, **_: [sys.executable, "-c", ANSWERING, str(server.port), "0.05"])
    run = FakeRun(tmp_path)
    run.record = lambda **_: None
    yield run
    path = tmp_path / "serving" / "servers.json"
    for record in read_json(path).values() if path.is_file() else ():
        serve.stop_process(record["pid"])


class FakeJudge:
    """A judge that says YES to everything."""

    role = SimpleNamespace(name="judge", batch=False)

    def ask(self, requests, label="", then=None):
        return [Reply('{"reason": "x", "verdict": "YES"}', "stop", 1, 1, 0.1) for _ in requests]

    def close(self):
        pass


def questions(n):
    return [Request(messages=({"role": "user", "content": f"<DOCUMENT>Fact {i}.</DOCUMENT>\nwhich?"},), max_tokens=9) for i in range(n)]


@pytest.mark.parametrize("n", [40, 15])  # fewer are left than end a run by failing one after the other
def test_killed_under_load_it_says_so_keeps_what_came_and_goes_on_with_a_new_server(run, monkeypatch, n):
    monkeypatch.setattr("lib.llm.retry._backoff_s", lambda attempt, key: 0.05)
    command = serve.build_command
    monkeypatch.setattr(serve, "build_command", lambda server, **_: [*command(server), "12"])  # killed while it makes its 13th reply
    record = serve.ensure_served(run, ["student"])["student"]
    pids = family(run.dir)
    monkeypatch.setattr(serve, "build_command", command)
    asker = connect(served_role(run, "student"), run, max_in_flight=4)
    with pytest.raises(EndpointError, match=r"student at http://127.0.0.1:\d+/v1: cannot be reached .*see .*student.log, then start this again"):
        asker.ask(questions(n))
    asker.close()
    assert_gone(pids)

    again = serve.ensure_served(run, ["student"])["student"]
    assert again["pid"] != record["pid"]
    asker = connect(served_role(run, "student"), run, max_in_flight=8)
    replies = asker.ask(questions(n))
    asker.close()
    assert [f"Fact {i}" in reply.text for i, reply in enumerate(replies)] == [True] * n
    assert 0 < sum(reply.cached for reply in replies) <= 12


def test_a_server_killed_while_4_eval_asks_it_ends_its_cell_in_one_line_and_the_next_start_asks_the_rest(run, monkeypatch):
    monkeypatch.setattr("lib.llm.retry._backoff_s", lambda attempt, key: 0.05)
    command, came = serve.build_command, []
    run.record = lambda **facts: came.append(sum(found["requests"] - found["failed"] for found in facts.get("tokens", {}).values()))
    run.reads = lambda *paths: None
    for name, value in {"judges": ["judge"], "answer_temperature": 0.0, "systems": ["student"], "logprobs": False}.items():
        setattr(run.p, name, value)
    cases = [Case("rag", 1, f"q{i}", f"What is fact {i}?", documents=(f"Fact {i}.",)) for i in range(17)]
    judging = FakeJudge()
    known = {
        "run": run, "cases": cases, "form": Format(), "limits": {"max_in_flight": 4}, "local_model": local_model, "judge": judge,
        "everything": [{"id": case.question_id, "question": case.question, "answer": "x", "answerable": True} for case in cases],
        "answer": answer, "take_turns": serve.take_turns, "served_here": served_here, "served_role": served_role,
        "connect": lambda role, run, **how: judging if role == "judge" else connect(role, run, **how),
    }  # fmt: skip
    notebook = json.loads((Path(__file__).parents[2] / "4_eval.ipynb").read_text(encoding="utf-8"))
    [cell] = ["".join(cell["source"]) for cell in notebook["cells"] if cell.get("id") == "ask-systems"]
    monkeypatch.setattr(serve, "build_command", lambda server, **_: [*command(server), "12"])
    with pytest.raises(EndpointError, match="student at .* cannot be reached .*; the server of this run has ended"):
        exec(cell, dict(known))
    monkeypatch.setattr(serve, "build_command", command)
    kept = sum(came)
    exec(cell, known)
    assert [row["answer"] for row in known["answers"]] == [f"Fact {i}" for i in range(17)]
    assert not any(row["error"] for row in known["answers"])
    assert 0 < kept <= 12 and sum(came) == 17


def test_a_port_that_is_taken_is_named_and_nothing_is_left(run):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run.p.port = taken.getsockname()[1]
        before = own_supervisors()
        with pytest.raises(BadInput, match=f"port {run.p.port} is taken: set port to 0"):
            serve.ensure_served(run, ["student"])
        assert own_supervisors() == before


def bind_after_a_free_port(taken: socket.socket) -> int:
    """Listen where the port before is free, and return that one."""
    while True:
        port = free_port()
        if port_is_free(port + 1) and port_is_free(port):
            taken.bind(("127.0.0.1", port + 1))
            taken.listen()
            return port


def test_a_second_port_that_is_taken_ends_the_first_server_too(run):
    with socket.socket() as taken:
        run.p.port = bind_after_a_free_port(taken)
        with pytest.raises(BadInput, match="is taken"):
            serve.ensure_served(run, ["student", "baseline"])
    assert_gone({record["pid"] for record in read_json(run.dir / "serving" / "servers.json").values()})


def test_a_log_that_cannot_be_written_starts_nothing(run):
    (run.dir / "serving").mkdir()
    (run.dir / "serving" / "student.log").symlink_to("/dev/full")  # every write: no space left on device
    before = own_supervisors()
    with pytest.raises(BadInput, match="student: its log cannot be written .*No space left on device.*nothing was started"):
        serve.ensure_served(run, ["student"])
    assert own_supervisors() == before


def test_a_record_that_cannot_be_written_ends_the_server_and_the_next_start_succeeds(run, monkeypatch):
    def full(path, value):
        raise OSError(28, "No space left on device")

    before = own_supervisors()
    with monkeypatch.context() as patched:
        patched.setattr(serve, "write_json", full)
        with pytest.raises(BadInput, match="servers.json: cannot be written .No space left on device.; free some space"):
            serve.ensure_served(run, ["student"])
    assert_gone(own_supervisors() - before)
    assert serve.ensure_served(run, ["student"])["student"]["engine_version"] == "fake-1"


def test_models_that_do_not_fit_side_by_side_are_served_one_after_the_other(run):
    run.p.sharing = "in_turn"
    with pytest.raises(BadInput, match="one after the other: student, then baseline"):
        serve.ensure_served(run, ["student", "baseline"])
    seen = []
    for group in serve.take_turns(run, ["student", "baseline"]):
        alive = [s for s, r in read_json(run.dir / "serving" / "servers.json").items() if process_start(r["pid"])]
        seen.append((group, alive))
    assert seen == [(["student"], ["student"]), (["baseline"], ["baseline"])]


def test_4_eval_shares_the_machine_and_waits_as_3_deploy_was_told(run, monkeypatch):
    write_json(run.dir / "run.json", {"stand_ins": [], "parameters": {"3_deploy": {"sharing": "in_turn", "start_timeout_s": 1800}}, "stages": {}})
    await_health, waited = serve._await_health, []
    monkeypatch.setattr(serve, "_await_health", lambda servers, timeout_s: (waited.append(timeout_s), await_health(servers, timeout_s)))
    assert list(serve.take_turns(run, ["student", "baseline"])) == [["student"], ["baseline"]]
    assert waited == [1800, 1800]


def test_perplexity_is_asked_of_systems_that_answer_in_turn(run, monkeypatch):
    def read(source, text):
        assert is_healthy(source.base_url), f"{source.name} has made room for another"
        return list(range(8)), lambda ids: [-1.0] * (len(ids) - 1)

    monkeypatch.setattr(perplexity, "_open", read)
    run.p.sharing, run.p.perplexity_tokens, run.p.systems = "in_turn", [4], ["student", "baseline"]
    asked = list(serve.take_turns(run, run.p.systems))
    known = {
        "run": run, "chunks": [{"split": "test", "text": "a b"}], "roles": {s: served_role(run, s) for group in asked for s in group}, "Path": Path,
        "perplexity": perplexity, "served_here": served_here, "served_role": served_role, "take_turns": serve.take_turns,
        "breakdown": SimpleNamespace(write_tables=lambda *_: None), "tables": SimpleNamespace(show_tables=lambda _: None),
    }  # fmt: skip
    notebook = json.loads((Path(__file__).parents[2] / "4_eval.ipynb").read_text(encoding="utf-8"))
    exec(*["".join(cell["source"]) for cell in notebook["cells"] if cell.get("id") == "perplexity"], known)
    assert known["measured"]["system"].tolist() == ["student", "baseline"]


def test_where_all_fit_there_is_one_turn_and_nobody_is_started_twice(run):
    first = serve.ensure_served(run, ["student", "baseline"])
    assert list(serve.take_turns(run, ["student", "baseline"])) == [["student", "baseline"]]
    assert serve.ensure_served(run, ["student", "baseline"]) == first


def test_a_judge_with_a_local_model_takes_the_place_of_servers_that_leave_no_room(run, monkeypatch, tmp_path):
    run.p.sharing = "auto"
    student = serve.ensure_served(run, ["student"])["student"]
    write_json(tmp_path / "large" / "config.json", {"max_position_embeddings": 4096})
    monkeypatch.setenv("JUDGE_LOCAL_MODEL", str(tmp_path / "large"))
    monkeypatch.setattr(serve, "held_bytes", lambda known, gpus: {0: 1e18} if process_start(student["pid"]) else {})
    monkeypatch.setattr("lib.deploy.targets.server_bytes", lambda *_, **__: 1e9)
    role = role_of(run, "judge")
    assert (role.name, role.model, role.completion) == ("judge", "judge", False)
    assert process_start(student["pid"]) is None
    assert role_of(run, "teacher") == "teacher"


def test_a_teacher_with_a_local_model_is_served_for_1_gen_under_a_budget_and_ends_with_it(run, monkeypatch, tmp_path):
    write_json(tmp_path / "large" / "config.json", {"max_position_embeddings": 4096})
    monkeypatch.setenv("TEACHER_LOCAL_MODEL", str(tmp_path / "large"))
    student = serve.ensure_served(run, ["student"])["student"]
    generating = FakeRun(tmp_path)
    generating.notebook, generating.record = "1_gen", lambda **_: None
    generating.p.budget_usd = 0.01
    for name in ("engine", "top_k", "max_reply_tokens", "keep_serving"):  # no parameters of 1_gen
        delattr(generating.p, name)
    asker = connect(role_of(generating, "teacher"), generating, budget_usd=0.01)
    assert "Fact 0" in asker.ask(questions(1))[0].text
    assert not asker.role.stand_in
    asker.close()
    teacher = read_json(run.dir / "serving" / "servers.json")["teacher"]
    assert serve.stop_served(generating) == ["teacher"]
    assert process_start(teacher["pid"]) is None
    assert process_start(student["pid"]), "a server of another notebook was ended"


def test_a_connection_that_breaks_is_not_called_an_overloaded_server(run, monkeypatch):
    monkeypatch.setattr("lib.llm.retry._backoff_s", lambda attempt, key: 0.01)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                connection.recv(100)
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        asker = connect(Role("student", f"http://127.0.0.1:{listening.getsockname()[1]}/v1", "student"), run)
        with pytest.raises(EndpointError, match="the connection was lost before the reply .*; has the server ended"):
            asker.ask(questions(1))
        asker.close()
        listening.shutdown(socket.SHUT_RDWR)


def test_an_embedder_with_a_local_model_is_an_error_and_never_the_stand_in(run, monkeypatch):
    monkeypatch.setenv("EMBEDDER_LOCAL_MODEL", "org/embedder")
    with pytest.raises(BadInput, match="EMBEDDER_LOCAL_MODEL: this role is not served here; start it yourself"):
        connect("embedder", run)
    assert run.stand_ins == []


def test_many_starts_and_stops_leave_nothing(run):
    rng, before = random.Random(3), own_supervisors()
    for _ in range(3):
        serve.ensure_served(run, rng.sample(["student", "baseline"], rng.randint(1, 2)))
        assert serve.stop_served(run)
    assert own_supervisors() == before
