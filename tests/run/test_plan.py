import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lib.run import cli
from lib.run.params import NOTEBOOKS
from lib.run.plan import add_up, check_rooms, format_rows, plan_run

ROOM = """import json, sys
from lib.run import BadInput
values = json.load(open(sys.argv[1]))
if values["n"] < 0:
    raise BadInput("n: expected 0 or more; found -1")
print(json.dumps([{"item": "calls of the teacher", "value": values["n"], "unit": "calls", "note": "upper bound"}]))
"""


def test_a_room_is_asked_with_the_resolved_parameters_and_its_refusal_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "room.py").write_text(ROOM)
    real = plan_run.__globals__["subprocess"].run

    def ask(command, **options):
        assert command[:3] == [sys.executable, "-m", "lib.gen.plan"]
        return real([sys.executable, str(tmp_path / "room.py"), command[3]], **options)

    monkeypatch.setattr("lib.run.plan.subprocess.run", ask)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path.cwd()))
    text, problems = plan_run({"n": 1200}, ["1_gen"], tmp_path)
    assert not problems
    assert text.splitlines()[:2] == ["1_gen", "  calls of the teacher  1,200 calls  upper bound"]
    assert plan_run({"n": -1}, ["1_gen"], tmp_path) == ("", ["1_gen: n: expected 0 or more; found -1"])


def test_what_1_gen_foretells_is_what_the_stages_after_it_plan_with(tmp_path, monkeypatch):
    seen = {}

    def ask(command, **options):
        seen[command[2]] = json.loads(Path(command[3]).read_text())
        return SimpleNamespace(returncode=0, stdout=json.dumps([{"item": "training rows", "value": 70, "unit": "rows"}]))

    monkeypatch.setattr("lib.run.plan.subprocess.run", ask)
    text, problems = plan_run({"n": 1}, ["1_gen", "2_finetune"], tmp_path)
    assert not problems and text.index("1_gen") < text.index("2_finetune")
    assert seen == {"lib.gen.plan": {"n": 1}, "lib.finetune.plan": {"n": 1, "foretold": {"training rows": 70}}}


@pytest.mark.parametrize(
    ("only", "changes", "lines"),
    [
        ("2,4", ["contexts", "[orcale]", "scheduler", "cosin"], ["2_finetune: scheduler: expected cosine or", "4_eval: contexts: expected some of oracle"]),
        ("3,4", ["judges", "[juge]", "systems", "[student, teachr]"], ["3_deploy: systems: teachr is served nowhere"]),
        ("1,4", ["chunker", "wavy", "repeats", "3", "top_k", "[0]"], ["top_k: expected", "1_gen: chunker: expected"]),
    ],
)  # fmt: skip
def test_a_run_asks_the_rooms_of_its_later_stages_before_the_first_is_paid(monkeypatch, capsys, only, changes, lines):
    monkeypatch.setattr(cli, "_run", lambda *_: 0)
    given = [word for name, value in zip(changes[::2], changes[1::2], strict=True) for word in ("-y", name, value)]
    assert cli._main(["--run", "never-made", "--only", only, "-y", "engine", "transformers", *given]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(lines), errors
    assert all(error.startswith(f"error: {line}") for line, error in zip(lines, errors, strict=True)), errors


def test_rooms_refuse_only_what_is_wrong_and_each_parameter_once(tmp_path, monkeypatch):
    said = {"gen": "", "finetune": "epochs: too few", "deploy": "top_k: not 0", "eval": "top_k: 0 is not allowed"}

    def ask(command, **options):
        problem = said[command[2].split(".")[1]]
        assert command[4:] == ["check"]
        return SimpleNamespace(returncode=int(bool(problem)), stdout="null", stderr=f"Traceback\nlib.run.errors.BadInput: {problem}\n")

    monkeypatch.setattr("lib.run.plan.subprocess.run", ask)
    assert check_rooms({}, list(NOTEBOOKS), tmp_path, []) == [], "a folder without rooms has none to ask"
    assert check_rooms({}, list(NOTEBOOKS), Path(), []) == ["2_finetune: epochs: too few", "3_deploy: top_k: not 0"]
    assert check_rooms({}, list(NOTEBOOKS), Path(), ["epochs: expected more"]) == ["3_deploy: top_k: not 0"]
    assert check_rooms({}, ["1_gen"], Path(), []) == []


def test_totals_add_up_what_adds_up_and_nothing_else():
    rows = [
        {"item": "questions", "value": 10, "unit": "calls", "note": ""},
        {"item": "answers", "value": 5, "unit": "calls", "note": ""},
        {"item": "memory", "value": 3.0, "unit": "GB", "note": ""},
    ]
    assert [(row["item"], row["value"]) for row in add_up(rows)] == [("calls", 15)]
    assert format_rows(rows).splitlines()[2].split() == ["memory", "3", "GB"]


def test_a_long_note_is_shown_whole_below_itself():
    note = "no price is known, " * 10 + "TEACHER_PRICE_USD_PER_MTOKENS sets one: --model runs/a-long-name/model"
    first, *more = format_rows([{"item": "cost", "value": "?", "unit": "", "note": note}]).splitlines()
    assert " ".join([first.partition("?")[2].strip(), *map(str.strip, more)]) == note
    assert more and all(len(line) - len(line.lstrip()) == first.index("no price") for line in more)
