import pytest

from lib.run import BadInput, cli, open_run
from lib.run.ledger import record_created, record_removed
from lib.run.manifest import read_manifest, update_manifest
from lib.run.params import NOTEBOOKS
from lib.run.preflight import Findings
from lib.run.resume import RunLock, reason_to_run


@pytest.fixture
def finished(workshop, monkeypatch):
    """A run of the toy 1_gen made by hand, and a function giving the reason to run it again."""
    monkeypatch.chdir(workshop.folder)
    values = {"run": "toy", "params_file": "", "seed": 42, "documents": "words.txt", "chunk_chars": 1000}
    run = open_run("1_gen", dict(values))
    run.reads("words.txt")
    run.path("dataset/train.jsonl").write_text("{}")
    run.finish([run.path("dataset/train.jsonl")])

    def reason(**changes):
        return reason_to_run("1_gen", read_manifest(workshop.run_dir / "run.json"), {**values, **changes}, workshop.folder)

    return reason


def test_a_finished_notebook_with_nothing_changed_is_not_run_again(finished):
    assert finished() is None
    assert finished(run="copy", params_file="other.yaml") is None
    assert finished(max_in_flight=8, budget_usd=1.0) is None, "how fast it asks and what it may cost change no result"


def test_a_changed_parameter_is_the_reason_and_named(finished):
    assert finished(chunk_chars=300) == "parameter chunk_chars changed 1000 -> 300"


def test_a_changed_or_missing_input_or_output_is_the_reason_and_named(finished, workshop):
    (workshop.folder / "words.txt").write_text("other words")
    assert finished() == "words.txt changed"
    (workshop.folder / "words.txt").unlink()
    assert finished() == "words.txt is gone"
    (workshop.folder / "words.txt").write_text("one two three four")
    (workshop.run_dir / "dataset" / "train.jsonl").write_text("[]")
    assert finished() == "runs/toy/dataset/train.jsonl changed"


def test_changed_code_is_the_reason(finished, monkeypatch):
    monkeypatch.setattr("lib.run.resume.code_hash", lambda notebook: "other")
    assert finished() == "its code changed"


def test_another_endpoint_is_the_reason_and_another_key_is_not(finished, monkeypatch, workshop):
    monkeypatch.setenv("TEACHER_OPENAI_API_KEY", "canary")
    assert finished() is None
    (workshop.folder / ".env").write_text("# mine\nexport TEACHER_OPENAI_BASE_URL='http://127.0.0.1:1/v1'\n")
    assert finished() == "the endpoints of its roles changed"
    assert "canary" not in (workshop.run_dir / "run.json").read_text()


def test_variables_in_another_encoding_are_refused_and_not_shown(finished, workshop):
    (workshop.folder / ".env").write_bytes("# clé\nTEACHER_OPENAI_API_KEY=canary".encode("cp1252"))
    with pytest.raises(BadInput, match=r"\.env: cannot be read: is not UTF-8") as error:
        finished()
    assert "canary" not in str(error.value)


@pytest.mark.parametrize("text", ["", '{"run": ', "[]", '{"run": "toy", "steps": {}}'])
def test_a_damaged_or_foreign_run_json_is_refused_with_what_to_do(finished, workshop, capsys, text):
    (workshop.run_dir / "run.json").write_text(text)
    assert cli.main(["--run", "toy", "--only", "1"]) == 2
    assert "runs/toy/run.json is damaged, or not what this version writes: choose another name with --run" in capsys.readouterr().err
    assert (workshop.run_dir / "run.json").read_text() == text


def test_a_run_whose_folder_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(BadInput, match="run mine: its folder cannot be written: .*File exists"):
        RunLock(tmp_path / "mine")


@pytest.mark.parametrize(("kind", "id"), [("model", "ft:mini:demo"), ("job", "ftjob-1")])
def test_a_model_or_job_that_a_teardown_removed_is_the_reason_and_named(finished, workshop, kind, id):
    def tuned(manifest):
        manifest["stages"]["1_gen"]["training"] = {"model": "ft:mini:demo", "job_id": "ftjob-1"}

    update_manifest(workshop.run_dir / "run.json", tuned)
    assert finished() is None, "a ledger that is not there says nothing"
    record_created(workshop.run_dir, kind, id)
    record_created(workshop.run_dir, "model", "ft:of-another-job")
    record_removed(workshop.run_dir, "model", "ft:of-another-job")
    assert finished() is None
    record_removed(workshop.run_dir, kind, id)
    assert finished() == f"its {kind} {id} was removed by a teardown"
    record_created(workshop.run_dir, kind, id)
    assert finished() is None


@pytest.mark.parametrize(
    ("arguments", "change", "checked"),
    [
        (["--only", "1"], None, []),
        ([], None, NOTEBOOKS[1:]),
        (["-y", "chunk_chars", "300"], None, NOTEBOOKS),
        (["--only", "1,4"], "documents", ["1_gen", "4_eval"]),
        (["--only", "1"], "endpoint", ["1_gen"]),
        (["--only", "1"], "teardown", ["1_gen"]),
    ],
)  # fmt: skip
def test_what_is_going_to_run_again_is_checked_before_anything_is_spent_and_so_is_all_after_it(
    finished, workshop, monkeypatch, arguments, change, checked
):
    if change == "documents":
        (workshop.folder / "words.txt").write_text("other words")
    if change == "endpoint":
        monkeypatch.setenv("TEACHER_OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    if change == "teardown":
        update_manifest(workshop.run_dir / "run.json", lambda manifest: manifest["stages"]["1_gen"].update(training={"model": "ft:demo"}))
        record_removed(workshop.run_dir, "model", "ft:demo")
    looked_at = []

    def check(values, notebooks, folder):
        looked_at.extend(notebooks)
        return Findings(problems=["so that nothing is run"])

    monkeypatch.setattr(cli, "check_run", check)
    assert cli._main(arguments) == 2
    assert looked_at == list(checked)


def test_an_unfinished_or_unknown_notebook_is_run(finished, workshop):
    open_run("1_gen", {"run": "toy", "params_file": "", "seed": 42, "documents": "words.txt", "chunk_chars": 1000})
    assert finished() == "did not finish last time"
    assert reason_to_run("4_eval", read_manifest(workshop.run_dir / "run.json"), {}, workshop.folder) == "not run before"


def test_the_second_holder_of_a_run_is_refused_with_the_first_ones_pid(tmp_path):
    import os

    lock = RunLock(tmp_path / "mine")
    with pytest.raises(BadInput, match=f"run mine is being made by process {os.getpid()} already"):
        RunLock(tmp_path / "mine")
    lock.release()
    RunLock(tmp_path / "mine").release()
