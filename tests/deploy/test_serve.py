"""Servers of a run: found again, replaced when the model changed, gone when they should be; with a ten-line server in vLLM's place."""

import json
import os
import sys
from pathlib import Path

import pytest

import lib.deploy.serve as serve
from lib.deploy.probe import describe_difference
from lib.run import BadInput, write_json
from lib.run.machine import port_is_free
from lib.run.supervise import process_start

from .fakes import FAKE, FakeRun, write_run


@pytest.fixture
def run(tmp_path, monkeypatch):
    write_run(tmp_path)
    monkeypatch.setenv("RAFT_OWNER_PID", str(os.getpid()))
    monkeypatch.setattr(serve, "SERVER_PYTHON", Path(sys.executable))
    monkeypatch.setattr(serve, "build_command", lambda server, **_: [sys.executable, "-c", FAKE, str(server.port)])
    run = FakeRun(tmp_path)
    yield run
    path = tmp_path / "serving" / "servers.json"
    for record in json.loads(path.read_text()).values() if path.exists() else ():
        if record["pid"]:
            serve.stop_process(record["pid"])


def test_a_second_call_finds_the_same_servers(run):
    first = serve.ensure_served(run, ["student", "baseline"])
    assert serve.ensure_served(run, ["student", "baseline"]) == first
    assert first["student"]["engine_version"] == "fake-1"
    assert first["student"]["max_model_len"] == 90 + 40 + 2 * 16 + 160 + 50


def test_a_changed_model_is_served_anew_and_the_old_one_ended(run):
    old = serve.ensure_served(run, ["student"])["student"]
    write_json(run.dir / "model" / "config.json", {"max_position_embeddings": 4096, "name": "tuned again"})
    new = serve.ensure_served(run, ["student"])["student"]
    assert new["pid"] != old["pid"]
    assert process_start(old["pid"]) is None


def test_a_server_that_is_gone_is_started_again(run):
    old = serve.ensure_served(run, ["student"])["student"]
    serve.stop_process(old["pid"])
    assert serve.ensure_served(run, ["student"])["student"]["pid"] != old["pid"]


def test_only_the_notebook_that_started_a_server_stops_it(run):
    pid = serve.ensure_served(run, ["student"])["student"]["pid"]
    run.notebook = "4_eval"
    assert serve.stop_served(run) == []
    run.notebook = "3_deploy"
    assert serve.stop_served(run) == ["student"]
    assert process_start(pid) is None


def test_a_server_that_dies_says_why_and_takes_the_others_along(run, monkeypatch):
    def command(server, **_):
        if server.system == "baseline":
            return ["sh", "-c", "echo 'torch.OutOfMemoryError: out of memory'; exit 1"]
        return [sys.executable, "-c", FAKE, str(server.port)]

    monkeypatch.setattr(serve, "build_command", command)
    with pytest.raises(
        RuntimeError, match=r"baseline ended with status 1: it ran out of memory.*(?s:.*)OutOfMemoryError"
    ):
        serve.ensure_served(run, ["student", "baseline"])
    pid = json.loads((run.dir / "serving" / "servers.json").read_text())["student"]["pid"]
    assert process_start(pid) is None


def test_a_context_that_the_model_does_not_take_is_refused(run):
    run.p.max_reply_tokens = 5000
    with pytest.raises(BadInput, match="the model takes 4096: lower top_k"):
        serve.ensure_served(run, ["student"])


def test_a_system_that_nobody_serves_is_refused(run):
    with pytest.raises(BadInput, match="set OTHER_OPENAI_BASE_URL"):
        serve.ensure_served(run, ["other"])


def test_kept_servers_belong_to_nobody(run):
    run.p.keep_serving = True
    assert serve.owner_of(run) == serve.NOBODY


def test_the_first_differing_token_is_named():
    assert describe_difference([1, 2, 3], [1, 1, 2, 3]).startswith(
        "from token 1: trained [2, 3] of 3, served [1, 2, 3] of 4"
    )


def test_a_server_that_comes_back_takes_its_own_place_again(run, monkeypatch):
    # outside of the range that the system gives away, where another test may get the second of the two in the meantime
    run.p.port = next(port for port in range(20_000 + os.getpid() % 5000, 30_000, 2) if port_is_free(port) and port_is_free(port + 1))
    first = serve.ensure_served(run, ["student", "baseline"])
    serve.stop_process(first["baseline"]["pid"])
    again = serve.ensure_served(run, ["student", "baseline"])
    assert again["baseline"]["base_url"] == first["baseline"]["base_url"] != first["student"]["base_url"]
    assert again["student"] == first["student"]


def test_a_death_is_noticed_while_another_server_still_starts(run, monkeypatch):
    commands = {"student": ["sleep", "60"], "baseline": ["sh", "-c", "echo 'Errno 98'; exit 3"]}
    monkeypatch.setattr(serve, "build_command", lambda server, **_: commands[server.system])
    with pytest.raises(RuntimeError, match="baseline ended with status 3: its port is taken"):
        serve.ensure_served(run, ["student", "baseline"])


def test_more_gpus_than_there_are_is_refused(run, monkeypatch):
    run.p.tensor_parallel = 4
    with pytest.raises(BadInput, match="4 GPUs are wanted and there is none here"):
        serve.ensure_served(run, ["student"])
    monkeypatch.setattr(serve, "visible_gpus", lambda: {"0": 80e9, "1": 80e9})
    with pytest.raises(BadInput, match="wants 4 GPUs and this machine has 2"):
        serve.ensure_served(run, ["student"])


def test_a_stand_in_engine_is_named_even_when_its_server_is_found_running(run):
    run.p.engine = "transformers"
    serve.ensure_served(run, ["student"])
    run.stand_ins.clear()  # as opening the notebook again does
    serve.ensure_served(run, ["student"])
    assert run.stand_ins == [("engine", "transformers serve, in vLLM's place")]
