"""Several runs compared: only on the same questions, paired, corrected, from their files alone."""

import dataclasses
import shutil

import pandas as pd
import pytest

from lib.eval.compare import (
    common_scores,
    compare_runs,
    load_run,
    main,
    settings_table,
    stand_ins_of,
    warnings_of,
    write_comparison,
)
from lib.eval.stats import holm, mcnemar
from lib.run import BadInput, read_json, read_jsonl, write_json, write_jsonl
from tests.fakes.evaluation import make_run


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two runs of the same eval set, the second with other systems and only one common top_k."""
    runs = tmp_path_factory.mktemp("runs")
    make_run(runs / "first", n_questions=24, controls=False)
    make_run(runs / "second", n_questions=24, systems=("student", "other"), top_k=(3, 4), controls=False)
    scores = read_jsonl(runs / "second/eval/scores.jsonl")
    wrong = [{**row, "judge": row["judge"] and i % 3 > 0} for i, row in enumerate(scores)]
    write_jsonl(runs / "second/eval/scores.jsonl", wrong)
    return runs


def asked(folder, system, k):
    rows = read_jsonl(folder / "eval/scores.jsonl")
    return {r["question_id"]: r["judge"] is True for r in rows if (r["system"], r["condition"], r["top_k"]) == (system, "rag" if k else "closed_book", k) and r["answerable"]}


def test_every_system_of_every_run_meets_the_first_ones_first_at_each_common_top_k(folders, tmp_path):
    page, table = write_comparison([load_run(folders / "first"), load_run(folders / "second")], tmp_path)
    assert list(table["where"]) == ["closed book"] * 3 + ["top-k 1"] + ["top-k 3"] * 3
    assert set(table["first"]) == {"first: student"}
    row = table[(table["top_k"] == 3) & (table["second"] == "second: other")].iloc[0]
    a, b = asked(folders / "first", "student", 3), asked(folders / "second", "other", 3)
    assert row["n"] == len(a) == 21
    assert (row["only_first"], row["only_second"]) == (sum(a[q] and not b[q] for q in a), sum(b[q] and not a[q] for q in a))
    assert row["difference"] == pytest.approx((sum(a.values()) - sum(b.values())) / len(a))
    assert row["p"] == pytest.approx(mcnemar(row["only_first"], row["only_second"]))
    assert list(table["p_holm"]) == pytest.approx(holm(list(table["p"])))
    assert pd.read_csv(tmp_path / "compare.csv")["p_holm"].tolist() == pytest.approx(list(table["p_holm"]))
    rates = pd.read_csv(tmp_path / "compare_rates.csv")
    held = rates[(rates["system"] == "first: student") & (rates["top_k"] == 3)].iloc[0]
    assert held["judge_score"] == pytest.approx(sum(a.values()) / len(a))
    text = page.read_text(encoding="utf-8")
    assert "first: student − second: other" in text
    assert "top_k" in text[text.index("settings differ") :]


def test_the_same_runs_give_the_same_table(folders):
    import random

    scores = common_scores([load_run(folders / name) for name in ("first", "second")])
    assert compare_runs(scores, random.Random(1)).equals(compare_runs(scores, random.Random(1)))


@pytest.mark.parametrize(("file", "says"), [("run.json", "run.json is damaged"), ("serving/servers.json", "servers.json cannot be read")])
def test_a_run_with_a_damaged_file_is_refused_in_a_line(folders, tmp_path, file, says):
    copy = shutil.copytree(folders / "first", tmp_path / "damaged")
    (copy / file).parent.mkdir(exist_ok=True)
    (copy / file).write_text('{"run": ')
    with pytest.raises(BadInput, match=says):
        load_run(copy)


def test_another_eval_set_is_refused_unless_common_questions_are_asked_for(folders, tmp_path):
    make_run(tmp_path / "runs" / "longer", n_questions=32, controls=False)
    old = read_jsonl(folders / "first/dataset/eval.jsonl")
    longer = read_jsonl(tmp_path / "runs/longer/dataset/eval.jsonl")
    # The same seven questions under other ids and in another order; the rest are others.
    shared = [{**row, "id": longer[i]["id"]} for i, row in enumerate(reversed(old[:7]))]
    write_jsonl(tmp_path / "runs/longer/dataset/eval.jsonl", [*shared, *({**row, "question": f"{row['question']} Truly?"} for row in longer[7:])])
    runs = [load_run(folders / "first"), load_run(tmp_path / "runs" / "longer")]
    with pytest.raises(BadInput, match=r"longer: another eval set than first's.*--common"):
        write_comparison(runs, tmp_path)
    page, table = write_comparison(runs, tmp_path, only_common=True)
    assert set(table["n"]) == {sum(row["answerable"] for row in old[:7])}
    assert "The eval sets differ" in page.read_text(encoding="utf-8")


def test_runs_without_a_common_question_are_refused(folders, tmp_path):
    make_run(tmp_path / "alien", n_questions=9, controls=False, seed=5)
    with pytest.raises(BadInput, match="expected some questions"):
        common_scores([load_run(folders / "first"), load_run(tmp_path / "alien")], only_common=True)


def test_one_run_twice_or_alone_or_never_evaluated_is_an_error_that_says_what_to_do(folders, tmp_path):
    first = load_run(folders / "first")
    with pytest.raises(BadInput, match="two or more runs of different names"):
        common_scores([first, first])
    with pytest.raises(BadInput, match="two or more runs"):
        common_scores([first])
    with pytest.raises(BadInput, match=r"expected .*scores.jsonl.*; run 4_eval.ipynb"):
        load_run(tmp_path)


def test_another_judge_is_a_warning_on_the_page(folders, tmp_path):
    manifest = read_json(folders / "second/run.json")
    manifest["stages"]["4_eval"]["models"] = {"judge": "a-larger-one"}
    copy = tmp_path / "runs" / "copy"
    for name in ("dataset/eval.jsonl", "eval/scores.jsonl"):
        write_jsonl(copy / name, read_jsonl(folders / "second" / name))
    write_json(copy / "run.json", manifest)
    page, _ = write_comparison([load_run(folders / "second"), load_run(copy)], tmp_path)
    assert "judge model differs between the runs" in page.read_text(encoding="utf-8")


def test_a_further_judge_changes_no_score_and_is_no_warning(folders):
    first = load_run(folders / "first")
    two = dataclasses.replace(first, name="two", settings=first.settings | {"judges": ["judge", "second"]})
    assert warnings_of([dataclasses.replace(first, settings=first.settings | {"judges": ["judge"]}), two]) == []
    other = dataclasses.replace(two, settings=first.settings | {"judges": ["second", "judge"]})
    (said,) = warnings_of([two, other])
    assert said.startswith("judges differs between the runs")


def test_a_runs_name_goes_before_a_folder_of_the_same_name(folders, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("lib.eval.compare.RUNS", folders)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first").mkdir()
    main(["first", "second", "--out", str(tmp_path / "out")])
    assert "first: student gets" in capsys.readouterr().out


def test_the_command_prints_the_table_and_the_page(folders, tmp_path, capsys):
    main([str(folders / "first"), str(folders / "second"), "--out", str(tmp_path)])
    said = capsys.readouterr().out
    assert "At top-k 3, first: student gets" in said
    assert "first: student − second: other" in said and "p corrected" in said
    assert "Settings that differ" in said and "systems" in said[said.index("Settings that differ") :]
    assert str(tmp_path / "compare.html") in said
    assert {path.name for path in tmp_path.iterdir()} == {"compare.html", "compare.csv", "compare_rates.csv"}


def test_what_differs_before_the_evaluation_is_named_too(folders, tmp_path, capsys):
    copy = tmp_path / "copy"
    for name in ("dataset/eval.jsonl", "eval/scores.jsonl"):
        write_jsonl(copy / name, read_jsonl(folders / "first" / name))
    manifest = read_json(folders / "first/run.json")
    manifest["parameters"] |= {"2_finetune": {"epochs": 2.0}, "1_gen": {**manifest["parameters"]["1_gen"], "p_refusal": 0.3}}
    write_json(copy / "run.json", manifest | {"git": {"revision": "def456", "dirty": False}})
    write_json(copy / "serving/servers.json", {"baseline": {"model_sha256": "0" * 64}})
    runs = [load_run(folders / "first"), load_run(copy)]
    differing = settings_table(runs).set_index("parameter")
    assert set(differing.index) == {"epochs", "p_refusal", "git revision", "weights of baseline, sha256"}
    assert tuple(differing.loc["epochs"]) == ("–", "2.0")
    (once,) = stand_ins_of(runs)
    assert once.endswith("(first, copy)")
