"""The whole path for real, through ./run_all.sh: the sample documents, then documents of another kind killed in every stage. Minutes."""

import csv
import json
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from lib.run.leftovers import supervisors

pytestmark = pytest.mark.smoke

CANARY = "canary-5f3a9d17"
LEFT_BEHIND = """run.json run.log report.html
    dataset/chunks.jsonl dataset/questions.jsonl dataset/raft.jsonl dataset/rejected.jsonl dataset/train.jsonl dataset/valid.jsonl
    dataset/eval.jsonl dataset/format.json dataset/README.md
    training/log.txt training/metrics.json model/config.json model/model.safetensors model/tokenizer.json serving/servers.json
    eval/answers.jsonl eval/scores.jsonl eval/summary.csv
    figures/llm_score.png figures/refusals.png figures/precision.png
    notebooks/1_gen.ipynb notebooks/1_gen.html notebooks/2_finetune.html notebooks/3_deploy.html notebooks/4_eval.html""".split()
COLUMNS = {
    "chunks": "chunk_id doc_id source title page section text n_chars n_tokens",
    "questions": "question_id chunk_id question",
    "raft": "id type question context oracle_context cot_answer instruction answer kind question_id chunk_id doc_id context_chunk_ids split",
    "eval": "id question answer answerable source",
}
# A cell in the middle of each stage's work: the run is killed while it is at it.
MIDST = {"1_gen": "generate-answers", "2_finetune": "train", "3_deploy": "start-servers", "4_eval": "ask-systems"}


class Command:
    """`./run_all.sh` with a run's name, in a process group of its own."""

    def __init__(self, run: str):
        self.run, self.dir, self.pids = run, Path("runs") / run, []

    def start(self, *arguments: str) -> subprocess.Popen:
        env = {**os.environ, "HF_TOKEN": CANARY, "UNRELATED_SECRET": CANARY}
        process = subprocess.Popen(
            ["./run_all.sh", "--run", self.run, *arguments], env=env, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.pids.append(process.pid)
        return process

    def finish(self, *arguments: str) -> str:
        """Run to the end; its output. Anything but success fails the test with the last lines."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=1800)
        assert process.returncode == 0, "\n".join(output.splitlines()[-40:])
        return output

    def kill_in(self, stage: str, *arguments: str) -> None:
        """Start, wait until a stage is in the midst of its work, and kill the whole process group."""
        began = (self.dir / "run.log").stat().st_size if (self.dir / "run.log").is_file() else 0
        process = self.start(*arguments)
        deadline = time.monotonic() + 900
        while time.monotonic() < deadline and process.poll() is None:
            said = (self.dir / "run.log").read_text()[began:] if (self.dir / "run.log").is_file() else ""
            _, begun, after = said.partition(f"  {stage}: ")
            if begun and f" {MIDST[stage]}" in after:
                break
            time.sleep(0.2)
        assert process.poll() is None, f"the run ended before it could be killed in {stage}"
        time.sleep(1.5)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)

    def processes(self, wait_s: float = 0.0) -> list[str]:
        """What still runs of all that was started, after at most `wait_s`."""
        deadline = time.monotonic() + wait_s
        while (found := [line for pid in self.pids for line in _descended_from(pid)]) and time.monotonic() < deadline:
            time.sleep(0.2)
        return found


def _descended_from(owner: int) -> list[str]:
    found = [f"supervisor {pid}" for pid, by in supervisors().items() if by.startswith(f"{owner}:")]
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"RAFT_OWNER_PID={owner}\0".encode() in (entry / "environ").read_bytes() + b"\0":
                found.append((entry / "cmdline").read_text().replace("\0", " ")[:120])
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def command():
    """Commands by run name; their folders are removed when all went well."""
    made: list[Command] = []

    def make(name: str) -> Command:
        made.append(Command(f"test-{name}-{os.getpid()}"))
        return made[-1]

    yield make
    for each in made:
        shutil.rmtree(each.dir, ignore_errors=True)


@pytest.fixture(scope="module")
def sample(command):
    """The sample run, made once; the command and what it said."""
    run = command("sample")
    return run, run.finish()


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_sample_run_leaves_every_file_of_the_contract_and_says_where_the_report_is(sample):
    run, output = sample
    assert [name for name in LEFT_BEHIND if not (run.dir / name).is_file()] == []
    assert output.splitlines()[-1].endswith(f"report: {run.dir}/report.html")
    for name, columns in COLUMNS.items():
        assert set(columns.split()) <= set(rows(run.dir / "dataset" / f"{name}.jsonl")[0]), name


def test_what_it_says_reads_well_in_a_log(sample):
    run, output = sample
    lines = output[output.index("run test-sample") :].splitlines()
    assert len(lines) < 250
    assert max(map(len, lines)) < 240
    assert "Traceback" not in output
    assert "\r" not in output
    assert (run.dir / "run.log").read_text().splitlines()[-1] == lines[-1]


def test_the_summary_covers_every_system_and_width_with_rates_between_0_and_1(sample):
    run, _ = sample
    summary = list(csv.DictReader((run.dir / "eval" / "summary.csv").read_text().splitlines()))
    wanted = {(system, str(k)) for system in ("student", "baseline") for k in (0, 1, 2, 3)}
    assert wanted <= {(row["system"], row["top_k"]) for row in summary}
    for row in summary:
        assert all(0 <= float(row[name]) <= 1 for name in ("judge_score", "judge_low", "judge_high") if row[name])
        assert int(row["n"]) >= 150


def test_the_run_names_its_stand_ins_and_keeps_secrets_out_of_every_file(sample):
    run, output = sample
    assert "stand-in: teacher = the offline endpoint" in output
    assert "stand-in" in (run.dir / "report.html").read_text(encoding="utf-8").lower()
    kept = [p for p in run.dir.rglob("*") if p.is_file() and CANARY.encode() in p.read_bytes()]
    assert kept == []


def test_no_process_is_left_when_it_ends(sample):
    run, _ = sample
    assert run.processes() == []


def test_the_executed_notebooks_show_no_error(sample):
    run, _ = sample
    for page in (run.dir / "notebooks").glob("*.ipynb"):
        cells = json.loads(page.read_text(encoding="utf-8"))["cells"]
        assert not [o for cell in cells for o in cell.get("outputs", []) if o["output_type"] == "error"], page


def test_the_second_start_of_the_same_run_does_nothing_in_seconds(sample):
    run, _ = sample
    began = time.monotonic()
    output = run.finish()
    assert output.count("finished before, nothing changed") == 4
    assert time.monotonic() - began < 20


KEEPERS = "Aldith Borne,Casper Dray,Edda Fenn,Gorm Hale,Ilse Jarrow,Kester Lund,Mabel Nye,Orin Pask,Quill Rudd,Sten Tavey,Una Vance,Wilf Yarrow"


@pytest.fixture(scope="module")
def observatories(tmp_path_factory):
    """Plain-text notes about twelve invented observatories, facts of other kinds than the sample's."""
    folder = tmp_path_factory.mktemp("observatories")
    for i, keeper in enumerate(KEEPERS.split(",")):
        place = f"{keeper.split()[1]} Hill Observatory"
        text = (
            f"{place}\n\nThe {place} was opened in {1871 + 7 * i}. Its keeper is {keeper}. The dome of the {place} weighs "
            f"{14 + 3 * i} tonnes and turns once in {40 + 5 * i} minutes.\n\nThe main lens of the {place} was ground in "
            f"{['Osterby', 'Pellwick', 'Marrow Ford'][i % 3]} and measures {31 + 4 * i} centimetres. Visitors are admitted on "
            f"{['Monday', 'Tuesday', 'Thursday', 'Saturday'][i % 4]} evenings. A ticket for the {place} costs {4 + i} crowns.\n\n"
            f"In winter the {place} closes at {17 + i % 5}:30. The catalogue of the {place} lists {1200 + 137 * i} stars. "
            f"Its clock was built by {KEEPERS.split(',')[(i + 5) % 12]} in {1902 + 3 * i}.\n"
        )
        (folder / f"note-{i + 1:02}.txt").write_text(text)
    return folder


def test_documents_of_another_kind_killed_in_every_stage_finish_with_the_bytes_of_an_uninterrupted_run(command, observatories):
    # With rows of every kind, which the sample run's own settings leave out.
    options = ["-y", "documents", str(observatories), "-y", "p_oracle", "0.8", "-y", "p_refusal", "0.1"]
    quiet, killed = command("quiet"), command("killed")
    quiet.finish(*options, "--only", "1")
    for stage in MIDST:
        killed.kill_in(stage, *options)
        assert killed.processes(wait_s=20) == [], stage
    output = killed.finish(*options)
    assert "1_gen: finished before, nothing changed" in output
    assert killed.processes() == []
    for name in ("chunks", "questions", "raft", "rejected", "train", "valid", "eval"):
        file = f"dataset/{name}.jsonl"
        assert (killed.dir / file).read_bytes() == (quiet.dir / file).read_bytes(), name
    assert (killed.dir / "report.html").is_file()
    mixed = rows(killed.dir / "dataset" / "raft.jsonl")
    assert all((row["chunk_id"] in row["context_chunk_ids"]) == (row["kind"] == "oracle") for row in mixed)
    kinds = Counter(row["kind"] for row in mixed if row["split"] == "train")
    n_questions = kinds["oracle"] + kinds["no_oracle"]
    assert kinds["no_oracle"] == pytest.approx(0.2 * n_questions, abs=1) and kinds["no_oracle"] > 0
    assert kinds["refusal"] == pytest.approx(0.1 * n_questions, abs=1) and kinds["refusal"] > 0
    sources = {row["source"] for row in rows(killed.dir / "dataset" / "eval.jsonl") if row["answerable"]}
    assert sources <= {p.name for p in observatories.iterdir()}


def test_ctrl_c_ends_everything_and_says_how_to_resume(command, observatories):
    run = command("stopped")
    process = run.start("-y", "documents", str(observatories))
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and not ((run.dir / "run.log").is_file() and "2_finetune: " in (run.dir / "run.log").read_text()):
        time.sleep(0.2)
    time.sleep(8)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output[-2000:]
    assert "To resume: ./run_all.sh" in output
    assert "Traceback" not in output
    assert run.processes(wait_s=2) == []
