import os
import signal
import time

import pytest

from lib.run.leftovers import supervisors


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["-y", "chunk_chrs", "3", "-y", "seed", "x"], ["chunk_chrs (-y): no such parameter; did you mean chunk_chars?", "seed (-y): expected int"]),
        (["-y", "params_file", "x.yaml"], ["params_file is for notebooks run by hand"]),
        (["-p", "nowhere.yaml"], ["parameter file nowhere.yaml: no such file; there are parameters/smoke.yaml"]),
        (["--only", "7"], ["--only: expected a notebook's number, 1 to 4; found '7'"]),
        (["-y", "documents", "nowhere"], ["documents: no such file or folder: nowhere"]),
        (["--run", "../up"], ["run: expected a name"]),
        (["--run", ""], ["--run: expected a name; found an empty text"]),
        (["--stop", "--run", ""], ["--run: expected a name; found an empty text"]),
        (["--only", ""], ["--only: expected a notebook's number, 1 to 4; found ''"]),
        (["--from", ""], ["--from: expected a notebook's number, 1 to 4; found ''"]),
        (["-p", ""], ["parameter file .: no such file; there are parameters/smoke.yaml"]),
        (["-y", "sed", "3", "-y", "documents", "nowhere"], ["sed (-y): no such parameter", "documents: no such file or folder"]),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_each_exit_2_and_leaves_nothing(workshop, arguments, lines):
    done = workshop.run(*arguments)
    assert done.returncode == 2, done.stdout
    errors = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(lines)
    assert all(line in error for line, error in zip(lines, errors, strict=True))
    assert "nothing was run" in done.stdout
    assert not (workshop.folder / "runs").exists()


def test_help_lists_the_options_and_every_parameter(workshop):
    done = workshop.run("--help")
    assert done.returncode == 0
    assert "--plan" in done.stdout
    assert "chunk_chars: int = 1000   (notebook 1)\n        size, characters" in done.stdout


@pytest.mark.smoke
def test_a_failing_cell_is_named_and_the_mended_run_resumes_there(workshop):
    workshop.change("4_eval", "answer", "print('asking')\nraise ValueError('first line\\n' * 30 + 'the last line')")
    done = workshop.run("--only", "1,4")
    assert done.returncode == 1
    for text in ("✗ 4_eval failed in cell `answer` (3 of 4):", "the last line", "      asking\n", "it resumes at 4_eval", "--only 1,4"):
        assert text in done.stdout
    assert len(done.stdout.splitlines()) < 40
    assert "Traceback" not in done.stdout
    assert done.stdout == (workshop.run_dir / "run.log").read_text()
    assert "the last line" in (workshop.run_dir / "notebooks" / "4_eval.html").read_text()

    workshop.change("4_eval", "answer", "assert run.need('dataset/train.jsonl')")
    done = workshop.run("--only", "1,4")
    assert done.returncode == 0, done.stdout
    assert "1_gen: finished before, nothing changed" in done.stdout
    assert "4_eval: did not finish last time" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("report: runs/toy/report.html")

    began = time.monotonic()
    done = workshop.run("--only", "1,4", "-y", "top_k", "[1]")
    assert done.stdout.count("finished before, nothing changed") == 2
    assert time.monotonic() - began < 5


@pytest.mark.smoke
def test_a_changed_parameter_runs_its_notebook_and_what_depends_on_its_files(workshop):
    assert workshop.run().returncode == 0
    done = workshop.run("-y", "chunk_chars", "100")
    assert "1_gen: parameter chunk_chars changed 1000 -> 100" in done.stdout
    assert "2_finetune: runs/toy/dataset/train.jsonl changed" in done.stdout
    assert "3_deploy: finished before" in done.stdout  # the toy trainer makes the same model from any data
    assert not workshop.processes()


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("stage", "number", "code"),
    [("2_finetune", signal.SIGINT, 130), ("2_finetune", signal.SIGKILL, -9), ("4_eval", signal.SIGTERM, 143)],
)
def test_whatever_stops_a_run_nothing_is_left_and_it_finishes_later(workshop, number, code, stage):
    workshop.change("4_eval", "answer", "import time\ntime.sleep(30 * (not run.path('again').exists()))")
    busy = ["-y", "seconds", "30"] if stage == "2_finetune" else []
    process = workshop.start(*busy)
    log = workshop.run_dir / "run.log"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (log.is_file() and f"{stage}:" in log.read_text() and log.read_text().endswith(("train", "answer"))):
        time.sleep(0.1)
    time.sleep(0.5)
    assert supervisors()
    assert workshop.processes()
    os.killpg(process.pid, number) if number == signal.SIGKILL else process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == code
    deadline = time.monotonic() + (15 if number == signal.SIGKILL else 1)
    while workshop.processes() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not workshop.processes()
    if number != signal.SIGKILL:
        assert "To resume: ./run_all.sh" in output
        assert "Traceback" not in output

    (workshop.run_dir / "again").write_text("")
    done = workshop.run()
    assert done.returncode == 0, done.stdout
    assert "1_gen: finished before, nothing changed" in done.stdout


@pytest.mark.smoke
def test_a_server_kept_on_purpose_stays_until_stop_is_asked_for(workshop):
    source = workshop.cells["3_deploy"]["serve"].replace("owner_pid=int(os.environ['RAFT_OWNER_PID'])", "owner_pid=1")
    workshop.change("3_deploy", "serve", source)
    assert workshop.run("--only", "1").returncode == 0
    (workshop.run_dir / "model").mkdir()
    assert workshop.run("--only", "3").returncode == 0
    assert any("toy-server" in line for line in workshop.processes())
    done = workshop.run("--stop")
    assert "toy: student at http://x stopped" in done.stdout
    assert not workshop.processes()
    assert workshop.run("--stop").stdout == "no server is running\n"


@pytest.mark.smoke
def test_two_starts_of_one_run_at_once_are_refused(workshop):
    process = workshop.start("-y", "seconds", "20")
    deadline = time.monotonic() + 30
    while not (workshop.run_dir / "run.log").is_file() and time.monotonic() < deadline:
        time.sleep(0.1)
    done = workshop.run()
    process.terminate()
    process.communicate(timeout=30)
    assert done.returncode == 2
    assert f"error: run toy is being made by process {process.pid} already" in done.stdout


@pytest.mark.smoke
def test_3_deploy_is_told_what_4_eval_of_the_same_command_will_ask(workshop):
    workshop.change("3_deploy", "serve", "print('next:', os.environ['RAFT_NEXT'])")
    [line] = [line for line in workshop.run("-y", "top_k", "[2]").stdout.splitlines() if "next:" in line]
    assert '"top_k": [2]' in line
