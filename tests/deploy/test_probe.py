"""The probe: every prompt asked once, each width in flight filled, tokens counted, and what was stored not timed again."""

import os
import sys
from pathlib import Path

import pytest

import lib.deploy.serve as serve
from lib.deploy import probe
from lib.run import read_json, write_json, write_jsonl

from .fakes import ANSWERING, FakeRun, write_run


@pytest.fixture
def run(tmp_path, monkeypatch):
    write_run(tmp_path)
    rows = [
        {"kind": "oracle", "split": "valid" if i == 5 else "train", "question": f"Question {i}?", "answer": "a",
         "context": {"sentences": [[f"Fact {i}.", f"Other {i}.", f"Third {i}."]]}}
        for i in range(6)
    ]  # fmt: skip
    write_jsonl(tmp_path / "dataset" / "raft.jsonl", rows)
    monkeypatch.setenv("RAFT_OWNER_PID", str(os.getpid()))
    monkeypatch.setattr(serve, "SERVER_PYTHON", Path(sys.executable))
    monkeypatch.setattr(serve, "build_command", lambda server, **_: [sys.executable, "-c", ANSWERING, str(server.port), "0.01"])
    monkeypatch.setattr(probe, "N_TIMED", {1: 2, 8: 4, 32: 8})
    run = FakeRun(tmp_path)
    run.record = lambda **_: None
    yield run
    for record in read_json(tmp_path / "serving" / "servers.json").values():
        serve.stop_process(record["pid"])


def test_speed_is_measured_at_every_width_and_not_of_stored_replies(run):
    serve.ensure_served(run, ["student"])
    speed = probe.time_replies(run, ["student"])
    assert speed["in_flight"].tolist() == [1, 8, 32]
    assert speed["n"].tolist() == [2, 4, 8]
    assert (speed["tokens_per_s"] > 0).all()
    assert (speed["p95_latency_s"] >= speed["median_latency_s"]).all()
    again = probe.time_replies(run, ["student"])
    assert again["tokens_per_s"].isna().all()
    assert again["median_latency_s"].tolist() == speed["median_latency_s"].tolist()


def test_no_two_timed_prompts_are_the_same():
    rows = [{"question": f"q{i}", "context": {"sentences": [[f"{i}{d}" for d in range(3)]]}} for i in range(4)]
    prompts = probe._prompts(rows)
    assert len({(tuple(documents), question) for documents, question in prompts}) == len(prompts) == 12
    assert len({documents[0] for documents, _ in prompts}) == 12


def test_the_first_question_is_asked_with_its_documents_and_without(run):
    serve.ensure_served(run, ["student"])
    asked = probe.ask_one(run, ["student"])
    assert asked.attrs["question"] == "Question 5?"  # not trained on
    assert asked["documents"].tolist() == [3, 0]
    assert asked["refused"].tolist() == [False, True]


def test_a_system_may_be_silent_closed_book_and_never_with_documents_whatever_it_or_another_says_besides():
    replies = {"student": ("a quote", ""), "baseline": (" \n", "from memory"), "large": ("", "")}
    rows = [
        {"system": system, "documents": n, "reply": reply} for system, said in replies.items() for n, reply in zip((3, 0), said, strict=True)
    ]
    assert probe.silent(probe.pd.DataFrame(rows)) == ["baseline", "large"]
    assert probe.silent(probe.pd.DataFrame(rows[:2])) == []


def test_rows_without_any_oracle_are_asked_and_timed_too(run):
    """As `p_oracle` 0 makes them, and so few that one is all there is."""
    row = {"kind": "no_oracle", "split": "train", "question": "Q?", "answer": "a", "context": {"sentences": [["Fact.", "Other."]]}}
    write_jsonl(run.dir / "dataset" / "raft.jsonl", [row])
    serve.ensure_served(run, ["student"])
    assert probe.ask_one(run, ["student"]).attrs["question"] == "Q?"
    assert probe.time_replies(run, ["student"])["n"].tolist() == [2]


def test_a_further_system_with_a_tokenizer_of_its_own_is_not_compared_with_training(run, monkeypatch):
    write_jsonl(run.dir / "training" / "prompts.jsonl", [{"prompt": "p", "prompt_ids": [1, 2]}])
    record = {"engine": "vllm", "base_url": "http://127.0.0.1:1/v1", "model": "m", "pid": None}
    write_json(run.dir / "serving" / "servers.json", {"student": record, "large": record})
    monkeypatch.setattr(probe, "tokens_at_server", lambda record, prompt: [1, 2])
    table = probe.compare_tokens(run, ["student", "large"])
    assert table["prompts"].to_dict() == {"student": 1, "large": 0}
    assert "not the student's" in table["difference"]["large"]


def test_models_in_turn_are_each_looked_at_while_they_are_up(run, monkeypatch):
    run.p.sharing = "in_turn"
    monkeypatch.setattr(probe, "compare_tokens", lambda run, group: probe.pd.DataFrame({"system": group, "equal": 1}).set_index("system"))
    looked = probe.look(run, ["student", "baseline"])
    assert list(looked.servers) == ["student", "baseline"]
    assert looked.tokens.index.tolist() == ["student", "baseline"]
    assert looked.asked["system"].tolist() == ["student"] * 2 + ["baseline"] * 2
    assert looked.speed["system"].tolist() == ["student"] * 3 + ["baseline"] * 3
    assert looked.asked.attrs["answer"] == "a"
