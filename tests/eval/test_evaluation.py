"""From cases to tables: every reply lands where it should, and every number can be recomputed from the scores."""

import math
import random
from collections import Counter
from types import SimpleNamespace

import pytest

from lib.eval.answer import answer_cases
from lib.eval.conditions import Case, build_cases
from lib.eval.retrieve import retrieve
from lib.eval.score import score_rows
from lib.eval.stats import wilson
from lib.eval.summary import compare, find_differences, headline_k, summarise, summarise_slices
from lib.llm import REFUSAL, Format, Reply, connect

from .conftest import FakeAsker


def evaluate(corpus, judge, rules):
    chunks, questions = corpus
    rankings = retrieve(chunks, questions, retriever="bm25", depth=len(chunks))
    cases = build_cases(questions, chunks, rankings, top_k=[1, 3], width=3, rng=random.Random(3))
    answers = [
        row
        for name, rule in rules.items()
        for row in answer_cases(cases, FakeAsker(rule, name), Format(), system=name, max_tokens=64)
    ]
    return answers, score_rows(answers, questions, chunks, judge)


@pytest.fixture
def evaluated(corpus, judge, reader):
    return evaluate(corpus, judge, {"student": reader, "baseline": lambda text: "<ANSWER>: £45"})


CASES = [
    ("<ANSWER>: £45", "right", 1.0),
    ("##begin_quote##The berth at Skarra Bay costs £45 a night.##end_quote##\n<ANSWER>:£45.", "right", 1.0),
    ("£45", "right", 1.0),
    ("**<ANSWER>: £45**", "right", 1.0),
    ("It costs £45 a night.", "right", 0.0),
    ("<ANSWER>: £46", "wrong", 0.0),
    (REFUSAL, "refused", 0.0),
    (f"<ANSWER>: {REFUSAL}", "refused", 0.0),
    ("I could not find this in the passages.", "refused", 0.0),
    ("The documents do not mention the price.", "refused", 0.0),
    ("", "wrong", 0.0),
    ("<ANSWER>:", "wrong", 0.0),
    (Reply("The berth at Skarra", "length", 10, 5, 0.1), "wrong", 0.0),
    (Reply("", "error", 0, 0, 0.0, error="timeout"), "failed", 0.0),
    ("四十五镑", "wrong", 0.0),
]


@pytest.mark.parametrize(("reply", "outcome", "exact"), CASES)
def test_every_reply_lands_where_it_should(corpus, judge, reply, outcome, exact):
    chunks, questions = corpus
    case = Case("rag", 1, "q1", questions[0]["question"], (chunks[0]["chunk_id"],), (chunks[0]["text"],))
    answers = answer_cases([case], FakeAsker(lambda text: reply), Format(), system="student", max_tokens=8)
    (score,) = score_rows(answers, questions, chunks, judge)
    assert (score["outcome"], score["exact_match"]) == (outcome, exact)
    assert score["refused"] == (outcome == "refused")
    assert score["cut"] == (isinstance(reply, Reply) and reply.finish_reason == "length")
    assert score["n_quotes"] == score["n_verbatim"]


def test_all_systems_get_the_same_prompts_and_every_row_its_condition(evaluated):
    answers, _ = evaluated
    prompts = {
        name: [row["prompt_sha256"] for row in answers if row["system"] == name] for name in ("student", "baseline")
    }
    assert prompts["student"] == prompts["baseline"]
    assert Counter(row["condition"] for row in answers if row["system"] == "student") == {
        "closed_book": 8,
        "rag": 16,
        "no_oracle": 7,
        "replaced": 6,
    }


def test_a_completion_dataset_is_asked_with_its_prompt_and_stop(corpus):
    asker = FakeAsker(lambda text: "x", completion=True)
    case = Case("rag", 1, "q1", "q?", ("a",), ("text",))
    answer_cases([case], asker, Format("completion", completion_stop="\n\n"), system="student", max_tokens=8)
    assert asker.asked[0].prompt == "<DOCUMENT>text</DOCUMENT>\nq?\n"
    assert asker.asked[0].stop == ("\n\n",)


def test_every_number_of_the_summary_follows_from_the_scores(evaluated):
    _, scores = evaluated
    summary = summarise(scores)
    assert list(zip(summary["system"], summary["top_k"], strict=True)) == [
        (s, k) for s in ("student", "baseline") for k in (0, 1, 3)
    ]
    for line in summary.to_dict("records"):
        rows = [
            r
            for r in scores
            if r["system"] == line["system"]
            and r["top_k"] == line["top_k"]
            and r["condition"] in ("closed_book", "rag")
        ]
        asked, others = [r for r in rows if r["answerable"]], [r for r in rows if not r["answerable"]]
        n, correct, refused = len(asked), sum(r["judge"] is True for r in asked), sum(r["refused"] for r in asked)
        assert (line["n"], line["correct"], line["refusals"], line["n_unanswerable"]) == (
            n,
            correct,
            refused,
            len(others),
        )
        assert line["judge_score"] == correct / n
        assert (line["judge_low"], line["judge_high"]) == wilson(correct, n)
        if refused < n:
            assert line["precision"] == pytest.approx(line["judge_score"] / (1 - refused / n))
            assert (line["precision_low"], line["precision_high"]) == wilson(correct, n - refused)
        else:
            assert math.isnan(line["precision"])
        assert line["refused_unanswerable"] == sum(r["refused"] for r in others)
        for name in ("exact_match", "f1", "rouge1", "rouge2", "rougeL"):
            assert line[name] == pytest.approx(sum(r[name] for r in asked) / n)
        assert line["recall_at_k"] == sum(r["oracle_shown"] for r in asked) / n
        assert line["n_quotes"] == sum(r["n_quotes"] for r in rows)
        assert line["completion_tokens"] == sum(r["completion_tokens"] for r in rows)


def test_54_right_of_71_with_6_refusals_is_a_precision_of_54_in_65():
    row = {"system": "s", "condition": "rag", "top_k": 7, "answerable": True, "judge_reason": "", "exact_match": 0, "f1": 0, "rouge1": 0, "rouge2": 0,
           "rougeL": 0, "oracle_shown": None, "n_quotes": 0, "n_verbatim": 0, "cut": False, "failed": False, "latency_s": 0, "prompt_tokens": 0,
           "completion_tokens": 0}  # fmt: skip
    scores = [{**row, "question_id": i, "judge": i < 54, "refused": i >= 65} for i in range(71)]
    (line,) = summarise(scores).to_dict("records")
    assert line["judge_score"] == pytest.approx(0.7606, abs=1e-4)
    assert (line["refusals"], line["answered"]) == (6, 65)
    assert line["precision"] == pytest.approx(0.8308, abs=1e-4)


def test_slices_tell_reading_from_memory(evaluated, corpus, judge):
    _, scores = evaluated
    slices = summarise_slices(scores, 3).set_index(["slice", "system"])
    assert slices.loc[("documents tuned on", "student"), "n"] == 4
    assert slices.loc[("documents held out", "student"), "n"] == 3
    assert slices.loc[("no oracle shown", "student"), "correct"] == 0
    assert slices.loc[("value replaced", "student"), "follows"] == 0  # the fake reads no changed value
    answers = {row["question"]: row["answer"] for row in corpus[1]}
    _, remembered = evaluate(
        corpus, judge, {"memory": lambda text: f"<ANSWER>: {answers[text.rsplit(chr(10), 1)[-1]]}"}
    )
    memory = summarise_slices(remembered, 3).set_index("slice")
    assert (memory.loc["value replaced", "repeats"], memory.loc["value replaced", "follows"]) == (6, 0)
    assert memory.loc["no oracle shown", "judge_score"] == 1


def test_the_verdict_speaks_of_the_width_of_training_never_of_the_best(evaluated):
    _, scores = evaluated
    assert [headline_k(scores, width) for width in (1, 3, 5)] == [1, 3, 3]


def test_comparisons_pair_the_first_system_with_every_other(evaluated):
    _, scores = evaluated
    table = compare(scores, 3, random.Random(1)).set_index("where")
    assert list(table.index) == [
        "closed book",
        "top-k 1",
        "top-k 3",
        "documents tuned on",
        "documents held out",
        "no oracle shown",
        "value replaced",
    ]
    assert (table.loc["top-k 3", "only_first"], table.loc["top-k 3", "only_second"]) == (6, 0)
    assert table.loc["top-k 3", "difference"] == pytest.approx(6 / 7)
    assert compare([r for r in scores if r["system"] == "student"], 3, random.Random(1)).empty


def test_differences_are_the_cases_with_different_outcomes(evaluated, corpus):
    answers, scores = evaluated
    found = find_differences(scores, answers, corpus[1])
    assert found
    assert all(len(set(row["outcomes"].values())) > 1 for row in found)
    first = next(row for row in found if (row["condition"], row["top_k"], row["question_id"]) == ("rag", 3, "q3"))
    assert first["outcomes"] == {"student": "right", "baseline": "wrong"}
    assert first["answers"] == {"student": "£12.50", "baseline": "£45"}


def test_an_evaluation_that_is_repeated_asks_nothing_twice(corpus, tmp_path):
    told = []
    run = SimpleNamespace(
        path=lambda name: _made(tmp_path / name), stand_in=lambda *_: "", record=lambda **facts: told.append(facts)
    )
    chunks, questions = corpus
    case = Case("rag", 1, "q1", questions[0]["question"], (chunks[0]["chunk_id"],), (chunks[0]["text"],))
    results = []
    for _ in range(2):
        told.clear()
        answers = answer_cases([case], connect("teacher", run), Format(), system="student", max_tokens=64)
        answers[0]["answer"], answers[0]["refused"] = "£45", False
        scores = score_rows(answers, questions, chunks, connect("judge", run))
        results.append(
            (
                answers[0]["reply"],
                scores[0]["judge"],
                sum(c["requests"] for facts in told for c in facts["tokens"].values()),
            )
        )
    assert results[0][2] == 2
    assert results[1] == (*results[0][:2], 0)


def _made(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
