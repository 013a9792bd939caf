"""The teardown: everything a run made is listed and removed after a yes, nothing without one, and what stays is on record."""

import json
import subprocess
import sys

import pytest

from lib.deploy import azure, teardown
from lib.run import launch, write_json
from lib.run.ledger import NAME, read_ledger, record_created, record_removed
from lib.run.resume import RunLock
from lib.run.supervise import process_start
from tests.fakes.azure import ROOT, TOKEN, FakeManager
from tests.fakes.hosted import KEY, FakeOpenAI, FakeTogether


def answer(text):
    asked = []

    def ask(question):
        asked.append(question)
        return text

    return ask, asked


@pytest.fixture
def openai(tmp_path, monkeypatch):
    with FakeOpenAI() as fake:
        monkeypatch.setenv("STUDENT_OPENAI_API_KEY", KEY)
        monkeypatch.setenv("STUDENT_OPENAI_BASE_URL", fake.base_url)
        fake.files = {"file-1": {}, "file-other": {}}
        fake.models = {"ft:a": "j"}
        fake.jobs = {"j": {"states": ["running"], "wanted": {"model": "m", "training_file": "f", "seed": 1, "suffix": "s"}, "hyper": {}, "id": "j", "events": []}}
        for kind, id in (("file", "file-1"), ("job", "j"), ("model", "ft:a")):
            record_created(tmp_path / "demo", kind, id, backend="openai", base_url=fake.base_url)
        yield fake, tmp_path / "demo"


def test_without_a_yes_nothing_is_removed(openai):
    fake, run_dir = openai
    ask, asked = answer("no")
    lines = []
    assert teardown.teardown(run_dir, yes=False, ask=ask, tell=lines.append) == 0
    assert len(asked) == 1
    assert len(fake.files) == 2
    assert len(read_ledger(run_dir)) == 3
    assert all(any(id in line for line in lines) for id in ("file-1", "j", "ft:a"))


def test_after_a_yes_all_that_the_run_made_is_gone_and_nothing_else(openai):
    fake, run_dir = openai
    assert teardown.teardown(run_dir, yes=False, ask=answer("yes")[0], tell=lambda _: None) == 0
    assert list(fake.files) == ["file-other"]
    assert fake.models == {}
    assert fake.jobs["j"]["states"] == ["cancelled"]
    assert read_ledger(run_dir) == []
    assert teardown.find_all(run_dir) == []


def test_what_is_gone_already_and_a_job_that_has_ended_are_no_errors(openai):
    fake, run_dir = openai
    fake.files.clear()
    fake.jobs["j"]["states"] = ["succeeded"]
    assert teardown.teardown(run_dir, yes=True, tell=lambda _: None) == 0
    assert read_ledger(run_dir) == []


def test_what_cannot_be_removed_stays_on_record_and_the_rest_goes(openai, monkeypatch):
    fake, run_dir = openai
    record_created(run_dir, "file", "file-elsewhere", backend="openai", base_url="https://other/v1")
    lines = []
    assert teardown.teardown(run_dir, yes=True, tell=lines.append) == 1
    assert [entry["id"] for entry in read_ledger(run_dir)] == ["file-elsewhere"]
    monkeypatch.delenv("STUDENT_OPENAI_API_KEY")
    assert teardown.teardown(run_dir, yes=True, tell=lines.append) == 1
    assert any("STUDENT_OPENAI_API_KEY not set" in line for line in lines)
    assert KEY not in "".join(lines)


def test_together_deletes_files_and_jobs_and_a_model_goes_with_its_job(tmp_path, monkeypatch):
    with FakeTogether() as fake:
        monkeypatch.setenv("TOGETHER_API_KEY", KEY)
        monkeypatch.setenv("STUDENT_OPENAI_BASE_URL", fake.base_url)
        fake.files, fake.jobs = {"file-1": {}}, {"ft-1": {}}
        for kind, id in (("file", "file-1"), ("job", "ft-1"), ("model", "acme/x")):
            record_created(tmp_path, kind, id, backend="together", base_url=fake.base_url)
        assert teardown.teardown(tmp_path, yes=True, tell=lambda _: None) == 0
        assert (fake.files, fake.jobs, read_ledger(tmp_path)) == ({}, {}, [])


def test_azure_deployments_go_first_since_they_cost_by_the_hour(tmp_path, monkeypatch):
    monkeypatch.setattr(azure, "POLL_S", 0.0)
    with FakeOpenAI(azure=True) as fake, FakeManager() as manager:
        url = manager.url + ROOT.removesuffix("/deployments/")
        variables = {
            "STUDENT_AZURE_OPENAI_API_KEY": KEY, "STUDENT_AZURE_OPENAI_ENDPOINT": fake.base_url, "OPENAI_API_VERSION": "2024-10-21",
            "AZURE_SUBSCRIPTION_ID": "sub", "AZURE_RESOURCE_GROUP": "group", "AZURE_MANAGEMENT_TOKEN": TOKEN,
        }  # fmt: skip
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        azure.ensure_deployed(azure.Resource(url, TOKEN), "raft-demo", "m", sleep=lambda _: None)
        fake.files = {"file-1": {}}
        record_created(tmp_path, "file", "file-1", backend="azure", base_url=fake.base_url)
        record_created(tmp_path, "deployment", "raft-demo", backend="azure", base_url=fake.base_url, resource=url)
        assert [thing["kind"] for thing in teardown.find_all(tmp_path)] == ["deployment", "file"]
        assert teardown.teardown(tmp_path, yes=True, tell=lambda _: None) == 0
        assert (manager.deployments, fake.files) == ({}, {})


def test_a_local_server_of_the_run_is_listed_and_stopped(tmp_path):
    process = launch([sys.executable, "-c", "import time; time.sleep(60)"], log_path=tmp_path / "log")
    record = {"pid": process.pid, "pid_start": process_start(process.pid), "base_url": "http://127.0.0.1:1/v1"}
    write_json(tmp_path / "demo" / "serving" / "servers.json", {"student": record})
    assert [thing["kind"] for thing in teardown.find_all(tmp_path / "demo")] == ["server"]
    assert teardown.teardown(tmp_path / "demo", yes=True, tell=lambda _: None) == 0
    assert process.wait(5) is not None
    assert teardown.find_all(tmp_path / "demo") == []


def test_a_damaged_record_of_servers_ends_a_teardown_in_a_line(openai, capsys):
    fake, run_dir = openai
    (run_dir / "serving").mkdir()
    (run_dir / "serving" / "servers.json").write_text('{"student": {"pid"')
    assert teardown.main(["--run", run_dir.name, "--yes"], run_dir.parent) == 2
    assert "servers.json cannot be read" in capsys.readouterr().err
    assert len(fake.files) == 2


def test_the_ledger_survives_a_torn_line_and_counts_a_thing_once(tmp_path):
    record_created(tmp_path, "file", "a", backend="openai", base_url="u")
    record_created(tmp_path, "file", "a", backend="openai", base_url="u")
    with open(tmp_path / NAME, "a") as file:
        file.write('{"did": "created", "kind": "fi')
    record_created(tmp_path, "file", "b", backend="openai", base_url="u")
    assert [entry["id"] for entry in read_ledger(tmp_path)] == ["a", "b"]
    record_removed(tmp_path, "file", "a")
    assert [entry["id"] for entry in read_ledger(tmp_path)] == ["b"]
    assert len((tmp_path / NAME).read_text().splitlines()) == 4


def test_the_command_refuses_an_unknown_run_and_does_not_remove_without_a_terminal(tmp_path, openai, capsys):
    _, run_dir = openai
    assert teardown.main(["--run", "nobody"], tmp_path) == 2
    asked = subprocess.run(
        [sys.executable, "-c", f"import sys; from pathlib import Path; from lib.deploy.teardown import main; sys.exit(main(['--run', 'demo'], Path({json.dumps(str(tmp_path))})))"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert len(read_ledger(run_dir)) == 3


def test_a_run_that_is_being_made_is_not_torn_down(openai, capsys):
    fake, run_dir = openai
    lock = RunLock(run_dir)
    try:
        assert teardown.main(["--run", run_dir.name, "--yes"], root=run_dir.parent) == 2
    finally:
        lock.release()
    assert "is being made by process" in capsys.readouterr().err and fake.models
    assert teardown.main(["--run", run_dir.name, "--yes"], root=run_dir.parent) == 0 and not fake.models
