"""From cases to tables: every reply lands where it should, and every number can be recomputed from the scores."""

import json
import math
import random
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from lib.eval.answer import answer_cases, answers_of_run, ask_systems, build_request
from lib.eval.conditions import Case, build_cases, repeat_cases
from lib.eval.other_run import other_run
from lib.eval.retrieve import retrieve
from lib.eval.score import score_rows
from lib.eval.stats import wilson
from lib.eval.summary import compare, find_differences, headline_k, summarise, summarise_slices
from lib.llm import REFUSAL, EndpointError, Format, Reply, connect
from lib.run import BadInput, write_json, write_jsonl

from .conftest import FakeAsker, FakeRun, score_row


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
    assert score["cites_oracle"] == (True if score["n_quotes"] else None)
    assert score["bleu"] == (1.0 if exact else pytest.approx(score["bleu"], abs=0.99))


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


def test_a_request_without_a_reply_and_a_verdict_that_cannot_be_read_are_numbers_and_count_as_not_right(corpus, judge):
    chunks, questions = corpus
    values, strict = {row["question"]: row["answer"] or REFUSAL for row in questions}, judge.rule
    judge.rule = lambda text: "Surely YES" if "900 kg" in text else strict(text)
    cases = [Case("closed_book", 0, row["id"], row["question"]) for row in questions]
    system = FakeAsker(lambda text: Reply("", "error", 0, 0, 0.0, error="timeout") if "Skarra" in text else values[text])
    scores = score_rows(answer_cases(cases, system, Format(), system="student", max_tokens=8), questions, chunks, judge)
    (line,) = summarise(scores).to_dict("records")
    assert (line["n"], line["failed"], line["unjudged"], line["correct"]) == (7, 1, 2, 5)
    assert line["judge_score"] == line["precision"] == 5 / 7
    assert [row["outcome"] for row in scores] == ["failed", "not judged", *["right"] * 5, "rightly refused"]


def test_the_interval_by_document_of_none_right_is_no_point():
    (line,) = summarise([score_row(f"q{i}", judge=False, source=f"doc{i % 4}") for i in range(48)]).to_dict("records")
    assert (line["judge_cluster_low"], line["judge_cluster_high"]) == wilson(0, 48)


PUBLISHED = [  # top_k, right, refused of 71; judge score and precision in percent, recomputed with one denominator
    (3, 41, 8, 57.75, 65.08),
    (5, 43, 9, 60.56, 69.35),
    (7, 54, 6, 76.06, 83.08),
]


@pytest.mark.parametrize(("k", "right", "refused", "score", "precision"), PUBLISHED)
def test_the_published_counts_give_the_published_scores_and_one_denominator(k, right, refused, score, precision):
    scores = [score_row(f"q{i}", k, judge=i < right, refused=i >= 71 - refused) for i in range(71)]
    (line,) = summarise(scores).to_dict("records")
    assert (line["n"], line["refusals"], line["answered"]) == (71, refused, 71 - refused)
    assert round(100 * line["judge_score"], 2) == score
    assert round(100 * line["precision"], 2) == precision
    assert line["precision"] == pytest.approx(line["judge_score"] / (1 - refused / 71))
    assert (line["judge_low"], line["judge_high"]) == wilson(right, 71)


def test_the_published_lead_of_76_06_over_74_65_cannot_be_told_from_chance():
    rows = [
        score_row(f"q{i}", 7, system=system, judge=i < right)
        for system, right in (("student", 54), ("large", 53))
        for i in range(71)
    ]
    assert round(100 * (54 / 71) / (1 - 6 / 72), 2) == 82.97  # the published precision mixes two denominators
    (line,) = compare(rows, 7, random.Random(1)).query("where == 'top-k 7'").to_dict("records")
    assert (line["only_first"], line["only_second"], line["word"]) == (1, 0, "cannot tell")
    assert [round(100 * s, 2) for s in summarise(rows)["judge_score"]] == [76.06, 74.65]
    assert line["smallest"] > abs(line["difference"])


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


def test_an_interrupted_evaluation_goes_on_and_nothing_of_another_model_prompt_index_or_reference_is_reused(corpus, tmp_path):
    def asked(*, cases, form=None, questions=corpus[1], **changed):
        """Answers and verdicts that were asked of the endpoints, not found in the store."""
        run = FakeRun(tmp_path)
        teacher, judging = connect("teacher", run), connect("judge", run)
        system = connect(replace(teacher.role, **changed), run) if changed else teacher
        rows = answer_cases(cases, system, form or Format(), system="student", max_tokens=64)
        for row in rows:
            row["answer"], row["refused"] = "£45", False
        score_rows(rows, questions, corpus[0], judging)
        return run.requests("teacher"), run.requests("judge")

    chunks, questions = corpus
    texts = [(chunks[i]["chunk_id"], chunks[i]["text"]) for i in range(4)]
    cases = [Case("rag", 1, row["id"], row["question"], (key,), (text,)) for row, (key, text) in zip(questions, texts)]
    assert asked(cases=cases[:2]) == (2, 2)  # stopped here
    assert asked(cases=cases) == (2, 2)
    assert asked(cases=cases) == (0, 0)
    assert asked(cases=cases, identity="another model") == (4, 0)  # its answers are the same, so their verdicts are
    assert asked(cases=cases, form=Format(system_prompt="Answer briefly.")) == (4, 0)
    assert asked(cases=[replace(case, documents=("Another chunk.",)) for case in cases]) == (4, 0)
    assert asked(cases=cases, questions=[{**row, "answer": f"{row['answer']}!"} for row in questions]) == (0, 4)


def test_another_runs_student_is_compared_by_its_answers_to_the_same_prompts_only(corpus, reader, judge, tmp_path):
    chunks, questions = corpus
    rankings = retrieve(chunks, questions, retriever="bm25", depth=len(chunks))
    cases = build_cases(questions, chunks, rankings, top_k=[1], width=0, rng=random.Random(3))
    theirs = answer_cases(cases, FakeAsker(reader), Format(), system="student", max_tokens=64)
    folder = tmp_path / "other"
    write_jsonl(folder / "eval/answers.jsonl", theirs)
    write_json(folder / "run.json", {"stand_ins": [], "parameters": {"4_eval": {"max_reply_tokens": 64, "answer_temperature": 0.0}}, "stages": {}})
    askers = {"student": FakeAsker(lambda text: "<ANSWER>: £45"), "run:other": other_run("run:other", tmp_path)}
    answers = ask_systems(cases, askers, Format(), max_tokens=64)
    assert [row["system"] for row in answers] == ["student"] * len(cases) + ["run:other"] * len(cases)
    assert [row["reply"] for row in answers[len(cases) :]] == [row["reply"] for row in theirs]
    assert set(summarise(score_rows(answers, questions, chunks, judge))["system"]) == {"student", "run:other"}
    with pytest.raises(BadInput, match="8 of 16 prompts were not asked there"):
        answers_of_run(folder, [c if c.top_k else replace(c, question="Else?") for c in cases], Format(), max_tokens=64)
    with pytest.raises(BadInput, match="max_reply_tokens"):
        answers_of_run(folder, cases, Format(), max_tokens=65)
    with pytest.raises(BadInput, match="answer_temperature"):
        answers_of_run(folder, cases, Format(), max_tokens=64, temperature=0.7)
    write_json(folder / "run.json", {"stand_ins": [], "parameters": {"4_eval": {"max_reply_tokens": 64, "answer_temperature": 0.7}}, "stages": {}})
    assert len(answers_of_run(folder, cases, Format(), max_tokens=64, temperature=0.7)) == len(cases)
    with pytest.raises(BadInput, match="answer_temperature"):
        answers_of_run(folder, cases, Format(), max_tokens=64)
    with pytest.raises(BadInput, match="run 4_eval"):
        answers_of_run(tmp_path / "none", cases, Format(), max_tokens=64)


def test_each_runs_student_refuses_in_the_sentence_that_it_was_taught(corpus, tmp_path):
    ours, theirs = Format(refusal="Pass."), Format(refusal="Nothing here.")
    cases = [Case("rag", 1, row["id"], row["question"], ("a",), ("text",)) for row in corpus[1][:2]]
    said = {"student": FakeAsker(lambda text: "<ANSWER>: Pass."), "other": FakeAsker(lambda text: "<ANSWER>: Nothing here.")}
    for name, form, reply in (("taught", theirs, "other"), ("untaught", theirs, "student")):
        write_jsonl(tmp_path / name / "eval/answers.jsonl", answer_cases(cases, said[reply], form, system="student", max_tokens=64))
        write_json(tmp_path / name / "run.json", {"stand_ins": [], "parameters": {"4_eval": {"max_reply_tokens": 64}}, "stages": {}})
    askers = {"student": said["student"], "baseline": said["other"]} | {f"run:{name}": tmp_path / name for name in ("taught", "untaught")}
    rows = ask_systems(cases, askers, ours, max_tokens=64)
    assert {row["system"]: row["refused"] for row in rows} == {"student": True, "baseline": False, "run:taught": True, "run:untaught": False}


def test_another_runs_answers_are_an_input_so_that_new_ones_are_noticed(tmp_path):
    cells = {cell.get("id"): "".join(cell["source"]) for cell in json.loads(Path("4_eval.ipynb").read_text())["cells"]}
    read, run = [], SimpleNamespace(dir=tmp_path / "mine", p=SimpleNamespace(systems=["run:other"], judges=["judge"], max_reply_tokens=9, answer_temperature=0.0))
    run.reads = lambda *paths: read.extend(paths)
    asked = SimpleNamespace(other_run=other_run, ask_systems=lambda *_, **__: [])
    known = {"run": run, "answer": asked, "local_model": lambda _: "x", "everything": [], "served_here": lambda _: [], "take_turns": lambda *_: [], "cases": [], "form": None}
    exec(cells["ask-systems"], known)
    assert read == [tmp_path / "other" / "eval/answers.jsonl"]


def test_decoding_is_greedy_and_repeats_have_a_seed_each():
    case = Case("rag", 1, "q1", "q?", ("a",), ("text",))
    plain = build_request(case, Format(), completion=False, max_tokens=8)
    assert (plain.temperature, plain.seed, dict(plain.extra)) == (0.0, None, {})
    how = {"completion": False, "max_tokens": 8, "temperature": 0.7}
    assert [build_request(c, Format(), **how).seed for c in repeat_cases([case], 3)] == [0, 1, 2]
    assert build_request(case, Format(), **how, logprobs=True).extra == {"logprobs": True}


def test_the_log_probability_of_a_reply_becomes_the_answers_confidence(corpus, judge):
    chunks, questions = corpus
    cases = [Case("rag", 1, row["id"], row["question"], (chunks[0]["chunk_id"],), ("x",)) for row in questions[:2]]
    sure = FakeAsker(lambda text: replace(Reply("£45", "stop", 10, 5, 0.1), logprob=-0.25))
    answers = answer_cases(cases, sure, Format(), system="student", max_tokens=8, logprobs=True)
    assert [row["confidence"] for row in answers] == [-0.25, -0.25]
    assert [row["confidence"] for row in score_rows(answers, questions, chunks, judge)] == [-0.25, -0.25]
    assert all(request.extra == {"logprobs": True} for request in sure.asked)


def test_a_system_that_is_lost_is_said_while_the_others_still_answer(corpus, monkeypatch):
    lines, said = [], threading.Event()
    monkeypatch.setattr("lib.eval.answer.say", lambda line: (lines.append(line), said.set()))

    def gone(_):
        raise EndpointError("student at http://h/v1: cannot be reached")

    def slow(_):
        assert said.wait(20), "nothing was said while another system was being asked"
        return "<ANSWER>: 1"

    cases = [Case("closed_book", 0, "q", "how much?")]
    with pytest.raises(EndpointError, match="cannot be reached"):
        ask_systems(cases, {"student": FakeAsker(gone, "student"), "baseline": FakeAsker(slow, "baseline")}, Format(), max_tokens=9)
    assert lines == ["student at http://h/v1: cannot be reached; this stops when the other systems have answered"]
