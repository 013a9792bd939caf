"""A student that was tuned at a provider is served from there, beside its untuned base, and asked like any endpoint."""

import pytest

from lib.deploy import azure, ensure_served, served_role
from lib.deploy.hosted import hosted_job, is_hosted
from lib.llm import Request, connect
from lib.run import BadInput, read_json, write_json
from lib.run.ledger import read_ledger
from tests.deploy.fakes import FakeRun, write_run
from tests.fakes.azure import TOKEN, FakeManager
from tests.fakes.hosted import KEY, FakeOpenAI
from tests.fakes.http import Fault

BASE, TUNED = "gpt-4o-mini-2024-07-18", "ft:gpt-4o-mini-2024-07-18:acme:demo:Ab12"


class Run(FakeRun):
    """What the Asker needs besides."""

    def record(self, **_):
        pass


def hosted_run(folder, backend, url, state="succeeded", model=TUNED):
    write_run(folder)
    write_json(folder / "run.json", {"stand_ins": [], "parameters": {"2_finetune": {"backend": backend}}, "stages": {}})
    job = {"backend": backend, "base_url": url, "base_model": BASE, "model": model, "state": state, "job_id": "j"}
    write_json(folder / "training" / "hosted.json", job)
    return Run(folder, run="demo", student_model=BASE)


@pytest.fixture
def openai(tmp_path, monkeypatch):
    with FakeOpenAI() as fake:
        fake.models[TUNED] = "j"
        monkeypatch.setenv("STUDENT_OPENAI_API_KEY", KEY)
        monkeypatch.setenv("STUDENT_OPENAI_BASE_URL", fake.base_url)
        yield fake, hosted_run(tmp_path, "openai", fake.base_url)


def test_student_and_baseline_are_the_tuned_and_the_untuned_model_of_the_same_account(openai):
    fake, run = openai
    records = ensure_served(run, ["student", "baseline"])
    assert [records[s]["model"] for s in ("student", "baseline")] == [TUNED, BASE]
    assert {record["engine"] for record in records.values()} == {"endpoint"}
    assert records["student"]["model_sha256"] != records["baseline"]["model_sha256"]
    asked = [connect(served_role(run, s), run).ask([Request(messages=({"role": "user", "content": "hi"},))]) for s in records]
    assert [replies[0].text for replies in asked] == [f"I am {m}. <ANSWER>: yes" for m in (TUNED, BASE)]
    assert read_json(run.dir / "serving" / "servers.json") == records
    assert KEY not in (run.dir / "serving" / "servers.json").read_text()


def test_another_job_is_another_student_so_that_its_record_is_an_input(openai, monkeypatch):
    _, run = openai
    needed = []
    monkeypatch.setattr(run, "need", lambda name: needed.append(name) or run.dir / name)
    ensure_served(run, ["student"])
    ensure_served(run, ["student"])  # found again
    assert needed.count("training/hosted.json") == 2


def test_the_tuned_model_has_a_price_so_that_a_budget_can_hold(openai):
    _, run = openai
    ensure_served(run, ["student"])
    assert served_role(run, "student").price == (0.30, 1.20)


def test_a_model_that_does_not_answer_is_named(openai):
    fake, run = openai
    fake.models.clear()
    fake.faults += [Fault("POST", "chat/completions", 404)]
    with pytest.raises(BadInput, match=TUNED):
        ensure_served(run, ["student"])


def test_the_role_variables_of_a_baseline_go_before(openai, monkeypatch):
    fake, run = openai
    monkeypatch.setenv("BASELINE_OPENAI_BASE_URL", fake.base_url)
    monkeypatch.setenv("BASELINE_OPENAI_DEPLOYMENT", "other")
    assert not is_hosted(run, "baseline")
    assert is_hosted(run, "student")


def test_a_job_that_has_not_ended_stops_the_deployment(tmp_path):
    run = hosted_run(tmp_path, "openai", "https://a/v1", state="running")
    with pytest.raises(BadInput, match="run 2_finetune first"):
        ensure_served(run, ["student"])


def test_a_run_trained_here_is_not_hosted_even_if_an_old_job_is_on_record(tmp_path):
    run = hosted_run(tmp_path, "openai", "https://a/v1")
    write_json(tmp_path / "run.json", {"stand_ins": [], "parameters": {"2_finetune": {"backend": "local"}}, "stages": {}})
    assert hosted_job(run) == {}


def test_on_azure_both_are_deployed_on_record_first_and_found_again_without_the_manager(tmp_path, monkeypatch):
    monkeypatch.setattr(azure, "POLL_S", 0.0)
    with FakeOpenAI(azure=True) as fake, FakeManager() as manager:
        run = hosted_run(tmp_path, "azure", fake.base_url, model="gpt-4o-mini-2024-07-18.ft-demo")
        for name, value in {
            "STUDENT_AZURE_OPENAI_API_KEY": KEY, "STUDENT_AZURE_OPENAI_ENDPOINT": fake.base_url, "OPENAI_API_VERSION": "2024-10-21",
            "AZURE_SUBSCRIPTION_ID": "sub", "AZURE_RESOURCE_GROUP": "group", "AZURE_OPENAI_RESOURCE": "res",
            "AZURE_MANAGEMENT_TOKEN": TOKEN, "AZURE_MANAGEMENT_URL": manager.url,
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        records = ensure_served(run, ["student", "baseline"])
        assert [records[s]["model"] for s in ("student", "baseline")] == ["raft-demo", "raft-demo-baseline"]
        assert manager.deployments["raft-demo-baseline"]["model"]["version"] == "2024-07-18"
        assert [(e["kind"], e["id"]) for e in read_ledger(run.dir)] == [("deployment", "raft-demo"), ("deployment", "raft-demo-baseline")]
        monkeypatch.delenv("AZURE_MANAGEMENT_TOKEN")
        assert ensure_served(run, ["student", "baseline"]) == records


@pytest.mark.parametrize("backend", ["openai", "azure", "together"])
def test_the_plan_starts_no_server_and_needs_no_key(backend):
    from lib.deploy.plan import plan

    p = {"engine": "vllm", "systems": ["student", "baseline"], "student_model": BASE, "run": "x", "tensor_parallel": 1,
         "port": 0, "max_model_len": 0, "backend": backend}  # fmt: skip
    lines = {line["item"]: line for line in plan(p)}
    assert lines["student at"]["value"] == backend
    assert "GPUs wanted" not in lines
