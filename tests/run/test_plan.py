import json
import sys
from pathlib import Path
from types import SimpleNamespace

from lib.run.plan import add_up, format_rows, plan_run

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
