"""Tables of what options bring, and every table recomputed from the files alone."""

import json
import math
import random

import pandas as pd
import pytest

import lib.eval
from lib.eval.answer import answer_cases
from lib.eval.breakdown import (
    KEY,
    build_tables,
    risk_coverage,
    summarise_contexts,
    summarise_repeats,
    summarise_sets,
    write_tables,
)
from lib.eval.conditions import build_cases, repeat_cases
from lib.eval.contexts import CONTEXTS, build_contexts
from lib.eval.opinions import compare_pairs
from lib.eval.retrieve import oracle_ids, recall_table, retrieve
from lib.eval.score import score_rows
from lib.eval.sets import read_sets
from lib.eval.stats import wilson
from lib.eval.summary import compare, find_differences, summarise, summarise_slices
from lib.llm import Format
from lib.run import BadInput, read_jsonl, write_jsonl

from .conftest import FakeAsker, score_row


def test_the_place_of_the_right_passage_is_told_apart_and_all_places_add_up():
    rows = [score_row(f"q{i}", 3, condition="oracle_places", place=p, oracle_position=p, oracle_shown=True, judge=p == 1) for i in range(4) for p in (1, 2, 3)]
    table = summarise_contexts(rows).set_index("place")
    assert table["n_distractors"].tolist() == [2] * 4
    assert table["correct"].to_dict() == {0: 4, 1: 4, 2: 0, 3: 0}
    assert table["n"].to_dict() == {0: 12, 1: 4, 2: 4, 3: 4}


def test_repeats_say_how_far_the_score_moves_and_do_not_count_twice():
    rows = [score_row(f"q{i}", judge=i < 5 + r, repeat=r) for r in range(3) for i in range(10)]
    (line,) = summarise_repeats(rows).to_dict("records")
    assert (line["repeats"], line["n"], line["judge_score_mean"], line["judge_score_sd"]) == (3, 10, 0.6, pytest.approx(0.1))
    assert line["always_the_same"] == 0.8
    assert summarise(rows)["n"].tolist() == [10]
    assert summarise_repeats(rows[:10]).empty


def test_risk_grows_with_coverage_for_a_model_that_knows_what_it_knows():
    rows = [score_row(f"q{i:02}", judge=i < 15, confidence=-0.01 * i, refused=i == 19) for i in range(20)]
    table = risk_coverage(rows)
    assert table["coverage"].iloc[-1] == 19 / 20  # a refusal is never covered
    assert table.set_index("covered")["wrong"].to_dict()[15] == 0
    assert table["wrong"].iloc[-1] == 4
    assert table["risk"].is_monotonic_increasing
    assert tuple(table[["risk_low", "risk_high"]].iloc[-1]) == wilson(4, 19)
    upside_down = risk_coverage([{**r, "confidence": -r["confidence"]} for r in rows])
    assert upside_down["aurc"].iloc[0] > table["aurc"].iloc[0]
    assert risk_coverage([score_row("q")]).empty


@pytest.fixture
def everything(corpus, judge, reader, tmp_path):
    """Files of an evaluation with every option on."""
    chunks, questions = corpus
    path = tmp_path / "colleagues.jsonl"
    rows = [
        {"question": "What does a berth at Skarra Bay cost per night?", "answer": "£45", "evidence": "costs £45 a night", "source": "rules.md"},
        {"question": "Summarise.", "answer": "dogs stay outside", "context": "A long section. Dogs stay outside."},
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    more = read_sets([str(path)], chunks)["colleagues"]
    asked = [*questions, *more]
    rankings = retrieve(chunks, asked, retriever="bm25", depth=len(chunks))
    cases = build_cases(questions, chunks, rankings, top_k=[1, 3], width=3, rng=random.Random(3))
    cases += build_contexts(questions, chunks, rankings, contexts=list(CONTEXTS), n_distractors=[2], rng=random.Random(4))
    cases += build_cases(more, chunks, rankings, top_k=[1, 3], width=0, rng=random.Random(5))
    cases = repeat_cases(cases, 2)
    rules = {"student": lambda text: reader(text) if "<DOCUMENT>A long" not in text and "per night" not in text else "dogs stay outside", "baseline": lambda text: "<ANSWER>: £45"}
    answers = [row for name, rule in rules.items() for row in answer_cases(cases, FakeAsker(rule, name), Format(), system=name, max_tokens=9)]
    for i, row in enumerate(answers):
        row["confidence"] = -i / len(answers)
    scores = score_rows(answers, asked, chunks, judge, others={"second": judge})
    pair_judge = FakeAsker(lambda text: '{"reason": "", "verdict": "TIE"}', "judge")
    pairs = compare_pairs(answers, {row["id"]: row for row in asked}, pair_judge)
    recall = recall_table(rankings, {row["id"]: oracle_ids(row, chunks) for row in questions}, [1, 3])
    for name, held in {"answers": answers, "scores": scores, "pairwise": pairs}.items():
        write_jsonl(tmp_path / f"{name}.jsonl", held)
    return tmp_path, asked, recall


def test_every_table_follows_from_the_files_alone_and_every_column_is_described(everything):
    folder, asked, recall = everything
    answers, scores, pairs = (read_jsonl(folder / f"{name}.jsonl") for name in ("answers", "scores", "pairwise"))
    assert len({tuple(row[key] for key in KEY) for row in scores}) == len(scores) == len(answers)

    def tables():
        rng = random.Random(1)
        found = {"summary": summarise(scores), "slices": summarise_slices(scores, 3), "comparisons": compare(scores, 3, rng)}
        return found | build_tables(scores, pairs, recall, rng)

    found, again = tables(), tables()
    assert [name for name, table in found.items() if table.empty] == []
    described = lib.eval.__doc__
    for name, table in found.items():
        pd.testing.assert_frame_equal(table, again[name])
        assert f"{name}.csv" in described
        assert [c for c in table.columns if c not in described.replace("_rate, _low, _high", "") and not c.endswith(("_rate", "_low", "_high"))] == []
    for rows in (answers, scores, pairs, find_differences(scores, answers, asked)):
        assert [column for column in rows[0] if column not in described] == []
    written = write_tables(folder, found)
    for name, table in written.items():
        pd.testing.assert_frame_equal(pd.read_csv(folder / f"{name}.csv"), table, check_dtype=False)
    write_tables(folder, {"wins": found["wins"].head(0)})
    assert not (folder / "wins.csv").exists()


def test_further_sets_are_reported_apart_and_change_nothing_of_the_main_one(everything):
    scores = read_jsonl(everything[0] / "scores.jsonl")
    main = [row for row in scores if row["eval_set"] == "eval"]
    pd.testing.assert_frame_equal(summarise(scores), summarise(main))
    table = summarise_sets(scores).set_index(["condition", "system", "top_k"])
    assert set(table["eval_set"]) == {"colleagues"}
    assert table.loc[("given", "student", 1), "rougeL"] == 1 and table.loc[("given", "baseline", 1), "rougeL"] == 0
    assert table.loc[("rag", "baseline", 3), "judge_score"] == 1
    assert table.loc[("rag", "baseline", 3), "recall_at_k"] == 1  # its evidence was found in a chunk
    assert ("closed_book", "student", 0) in table.index


def test_abstention_is_scored_as_a_test_of_having_no_answer():
    rows = [score_row(f"q{i}", refused=i < 2, judge=False, oracle_shown=True) for i in range(6)]
    rows += [score_row(f"u{i}", refused=i < 3, answerable=False, judge=None) for i in range(4)]
    (line,) = summarise(rows).to_dict("records")
    assert (line["abstention_precision"], line["abstention_recall"]) == (3 / 5, 3 / 4)
    assert line["abstention_f1"] == pytest.approx(2 / (5 / 3 + 4 / 3))
    assert (line["refused_oracle_shown"], line["n_oracle_shown"]) == (2, 6)
    assert math.isnan(summarise(rows[:6])["abstention_f1"].iloc[0])


def test_latencies_reasons_and_money_are_those_of_the_rows():
    rows = [score_row(f"q{i}", latency_s=i / 100, finish_reason="length" if i > 97 else "stop", cost_usd=0.01 if i else None) for i in range(100)]
    (line,) = summarise(rows).to_dict("records")
    assert (line["latency_p50_s"], line["latency_p95_s"], line["finish_reasons"]) == (0.49, 0.94, "stop 98, length 2")
    assert line["cost_usd_per_answer"] == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"question": ""}', "row 1 has no question"),
        ('{"question": "a", "answerable": true}', "row 1 is answerable and has no answer"),
        ('{"question": "a", "answer": "b"}\n{"question": "a", "answer": "c"}', "row 2 repeats"),
        ("[1", "cannot be read"),
        ("", "no rows"),
    ],
)
def test_an_eval_set_that_cannot_be_used_is_said_with_its_row(tmp_path, text, message):
    (tmp_path / "mine.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        read_sets([str(tmp_path / "mine.jsonl")], [])


def test_the_name_of_the_frozen_set_is_taken(tmp_path):
    (tmp_path / "eval.csv").write_text("question,answer\na,b\n", encoding="utf-8")
    with pytest.raises(BadInput, match="different names"):
        read_sets([str(tmp_path / "eval.csv")], [])


@pytest.mark.parametrize("context", [{"sentences": [["One.", "Two."]], "title": [["", ""]]}, [["One.", "Two."]], [1, 2]])
def test_a_context_that_is_no_text_is_refused_and_not_shown_as_something_else(tmp_path, context):
    write_jsonl(tmp_path / "raft.jsonl", [{"question": "What?", "answer": "this", "context": "One."}, {"question": "Why?", "answer": "that", "context": context}])
    with pytest.raises(BadInput, match=r"raft.jsonl: row 2: expected a text or a list of texts as context.*--format eval"):
        read_sets([str(tmp_path / "raft.jsonl")], [])
