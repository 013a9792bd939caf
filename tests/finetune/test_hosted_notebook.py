"""2_finetune from its first cell to its last with a hosted backend, against a local server of its protocol."""

import json
from pathlib import Path

import pytest

from lib.llm.raft import Format
from lib.run import read_json
from tests.fakes.hosted import KEY, FakeOpenAI


@pytest.mark.smoke
def test_the_notebook_tunes_at_a_provider_and_puts_it_on_record(tmp_path, monkeypatch):
    import papermill  # here: it takes a second to load

    run = "hosted-notebook-test"
    folder = tmp_path / "runs" / run / "dataset"
    folder.mkdir(parents=True)
    row = {"messages": [{"role": "user", "content": "What is it? " * 900}, {"role": "assistant", "content": "That."}]}
    (folder / "train.jsonl").write_text((json.dumps(row) + "\n") * 12)
    (folder / "valid.jsonl").write_text("")
    Format().save(folder / "format.json")
    for name in ("lib", "parameters", "2_finetune.ipynb"):
        (tmp_path / name).symlink_to(Path(name).resolve())
    with FakeOpenAI() as fake:
        monkeypatch.setenv("STUDENT_OPENAI_API_KEY", KEY)
        monkeypatch.setenv("STUDENT_OPENAI_BASE_URL", fake.base_url)
        parameters = {"run": run, "backend": "openai", "student_model": "gpt-4o-mini-2024-07-18", "budget_usd": 5.0}
        out = tmp_path / "out.ipynb"
        papermill.execute_notebook("2_finetune.ipynb", str(out), parameters, cwd=str(tmp_path), progress_bar=False)
        assert len(fake.jobs) == 1
    stage = read_json(tmp_path / "runs" / run / "run.json")["stages"]["2_finetune"]
    assert stage["status"] == "finished"
    assert stage["training"]["model"].startswith("ft:gpt-4o-mini")
    assert stage["cost_usd"]["student"] > 0
    assert KEY not in out.read_text()
