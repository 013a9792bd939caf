"""Calibration by people: the sheet hides who answered, labels belong to answers, and the corrected interval covers the truth."""

import csv
import io
import json
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lib.eval import breakdown, tables
from lib.eval import calibrate as calibration
from lib.eval.calibrate import build_sheet, calibrate, kappa, prediction_powered, read_labels, write_sheet
from lib.eval.stats import wilson
from lib.run import BadInput

from .conftest import score_row


@pytest.fixture
def labelled():
    """(answers, scores, questions): 60 answers of each of two systems, a tenth of them refused."""
    questions = {f"q{i}": {"question": f"What is {i}?", "answer": str(i)} for i in range(60)}
    scores = [
        score_row(f"q{i}", system=system, judge=i % 3 > 0 and i % 10 > 0, refused=i % 10 == 0)
        for system in ("student", "baseline")
        for i in range(60)
    ]
    answers = [{"question_id": s["question_id"], "answer": f"{s['system'][0]}{s['question_id']}"} for s in scores]
    return answers, scores, questions


def test_the_sheet_holds_answers_of_every_system_and_says_neither_who_nor_what_the_judge_found(labelled):
    text = build_sheet(*labelled, top_k=3, n=40, rng=random.Random(1))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == ["key", "question", "reference", "answer", "right", "note"]
    assert len(rows) == 40 and sum(row["answer"].startswith("s") for row in rows) == 20
    assert all(row["right"] == "" for row in rows)
    refused = {f"{a}q{i}" for a in "sb" for i in range(0, 60, 10)}
    assert not refused & {row["answer"] for row in rows}
    assert text == build_sheet(*labelled, top_k=3, n=40, rng=random.Random(1))
    assert build_sheet(*labelled, top_k=7, n=40, rng=random.Random(1)).count("\n") == 1


def fill(text, right, path):
    rows = list(csv.DictReader(io.StringIO(text)))
    lines = ["key,right", *(f"{row['key']},{right(row)}" for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_labels(path)


def test_an_answer_that_two_systems_gave_is_no_likelier_to_be_labelled():
    """Half of the answers are the same and mostly right, the rest mostly wrong, the judge is poor: 300 sheets, unbiased all the same."""
    questions = {f"q{i}": {"question": f"What is {i}?", "answer": "r"} for i in range(40)}
    cases = [(name, i, "both" if i < 20 else name) for name in ("student", "baseline") for i in range(40)]
    scores = [score_row(f"q{i}", system=name, judge=i % 2 == 0) for name, i, _ in cases]
    answers = [{"question_id": f"q{i}", "answer": said} for _, i, said in cases]
    found = []
    for seed in range(300):
        sheet = build_sheet(answers, scores, questions, top_k=3, n=24, rng=random.Random(seed))
        labels = {row["key"]: row["answer"] == "both" for row in csv.DictReader(io.StringIO(sheet))}
        assert 23 <= len(labels) <= 24
        found += calibrate(answers, scores, questions, labels, top_k=3)["corrected"].tolist()[:2]
    assert np.mean(found) == pytest.approx(0.5, abs=0.02)


def test_labels_give_kappa_and_a_corrected_score(labelled, tmp_path):
    text = build_sheet(*labelled, top_k=3, n=200, rng=random.Random(1))
    labels = fill(text, lambda row: "Yes" if int(row["reference"]) % 3 else "no", tmp_path / "same.csv")
    table = calibrate(*labelled, labels, top_k=3).set_index("system")
    assert table.loc["student", "kappa"] == 1 and table.loc["all", "usable"]
    assert table.loc["student", "corrected"] == pytest.approx(table.loc["student", "judge_score"])
    labels = fill(text, lambda row: "no" if int(row["reference"]) % 3 != 1 else "yes", tmp_path / "strict.csv")
    strict = calibrate(*labelled, labels, top_k=3).set_index("system")
    assert strict.loc["student", "corrected"] < strict.loc["student", "judge_score"]
    assert strict.loc["student", "false_yes"] > 0 == strict.loc["student", "false_no"]
    assert strict.loc["student", "corrected_low"] <= strict.loc["student", "corrected"] <= strict.loc["student", "corrected_high"]


def test_labels_that_leave_kappa_open_condemn_no_judge(labelled):
    answers, scores, questions = labelled
    keys = [calibration.answer_key(questions["q1"], "sq1"), calibration.answer_key(questions["q2"], "sq2")]
    table = calibrate(*labelled, dict.fromkeys(keys, True), top_k=3)
    said = tables.say_calibration(table)
    assert "2 labels, the judge agrees in 2 (100.0 %, too few or all alike for kappa)" in said and "not good enough" not in said
    assert "nan" not in said


def test_an_evaluation_without_labels_leaves_no_calibration_of_earlier_ones(labelled, tmp_path):
    """The notebook's own cell: the report shows every table that lies in the folder."""
    cells = json.loads(Path("4_eval.ipynb").read_text(encoding="utf-8"))["cells"]
    (source,) = ["".join(cell["source"]) for cell in cells if "calibrate.read_labels" in "".join(cell["source"])]
    answers, scores, questions = labelled
    parameters = SimpleNamespace(label_sheet=20, human_labels="")
    run = SimpleNamespace(p=parameters, dir=tmp_path, path=lambda name: tmp_path / name, rng=random.Random, reads=lambda path: None)
    names = {
        "run": run, "by_id": questions, "top_k": 3, "answers": answers, "scores": scores, "calibrate": calibration, "tables": tables,
        "breakdown": breakdown, "Path": Path, "Markdown": str,
    }  # fmt: skip
    (tmp_path / "eval").mkdir()
    exec(source, names)
    parameters.human_labels = str(tmp_path / "filled.csv")
    fill((tmp_path / "eval/label_sheet.csv").read_text(encoding="utf-8"), lambda row: "yes", tmp_path / "filled.csv")
    exec(source, names)
    assert (tmp_path / "eval/calibration.csv").is_file()
    parameters.human_labels = ""
    exec(source, names)
    assert not (tmp_path / "eval/calibration.csv").exists()


def test_labels_of_other_answers_are_not_read_and_bad_sheets_are_named(labelled, tmp_path):
    with pytest.raises(BadInput, match="none of the 1 labels belongs"):
        calibrate(*labelled, {"0123": True}, top_k=3)
    path = tmp_path / "labels.csv"
    path.write_text("key,right\na,perhaps\n", encoding="utf-8")
    with pytest.raises(BadInput, match="line 2: expected yes or no"):
        read_labels(path)
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(BadInput, match="columns key and right"):
        read_labels(path)


def test_a_sheet_with_labels_is_never_overwritten(tmp_path):
    path = tmp_path / "label_sheet.csv"
    assert "2 answers" in write_sheet(path, "key,question,reference,answer,right,note\na,,,,,\nb,,,,,\n")
    write_sheet(path, "key,right\nc,\n")
    path.write_text("key,right\na,yes\n", encoding="utf-8")
    assert "left as it is" in write_sheet(path, "key,right\nd,\n")
    assert path.read_text(encoding="utf-8") == "key,right\na,yes\n"


@pytest.mark.filterwarnings("ignore:.*a guess")
@pytest.mark.parametrize(("separator", "encoding"), [(",", "utf-8-sig"), (";", "utf-8"), (";", "cp1252"), ("\t", "utf-16")])
def test_a_sheet_that_a_spreadsheet_saved_is_read_and_kept(tmp_path, separator, encoding):
    path, lines = tmp_path / "label_sheet.csv", [("key", "question", "reference", "answer", "right", "note"), ("a", "Cost?", "£5", "é", "Yes", "")]
    saved = "\n".join(map(separator.join, [*lines, ("b", "Why?", "x", "y")])).encode(encoding)  # the last row lacks its empty cells
    path.write_bytes(saved)
    assert read_labels(path) == {"a": True}
    assert "left as it is" in write_sheet(path, "key,right\nd,\n")
    assert path.read_bytes() == saved


def test_a_sheet_that_cannot_be_read_is_named_and_kept(tmp_path):
    path = tmp_path / "label_sheet.csv"
    path.write_text('key,right\na,"yes\nb,no\n', encoding="utf-8")
    with pytest.raises(BadInput, match="human_labels: .* not closed"):
        read_labels(path)
    assert "left as it is" in write_sheet(path, "key,right\nd,\n")
    assert path.read_text(encoding="utf-8").endswith("b,no\n")


def test_kappa_is_agreement_beyond_chance():
    assert kappa([(True, True), (False, False)]) == 1
    assert kappa([(True, True), (True, False), (False, True), (False, False)]) == 0
    assert np.isnan(kappa([(True, True)] * 5)) and np.isnan(kappa([]))


def test_the_corrected_interval_covers_the_truth_where_the_judges_own_misses_it():
    """A judge who calls 30 % of wrong answers right: 1,000 simulations, 500 answers, 100 labels."""
    rng = np.random.default_rng(5)
    covered, plain, wider = 0, 0, []
    for _ in range(1000):
        truth = rng.random(500) < 0.6
        verdict = np.where(truth, rng.random(500) < 0.95, rng.random(500) < 0.3)
        chosen = rng.choice(500, 100, replace=False)
        _, low, high = prediction_powered(verdict.tolist(), [(verdict[i], truth[i]) for i in chosen])
        covered += low <= 0.6 <= high
        own = wilson(int(verdict.sum()), 500)
        plain += own[0] <= 0.6 <= own[1]
        by_hand = wilson(int(truth[chosen].sum()), 100)
        wider.append((high - low) / (by_hand[1] - by_hand[0]))
    assert 930 <= covered <= 970
    assert plain < 100
    assert np.median(wider) < 1
