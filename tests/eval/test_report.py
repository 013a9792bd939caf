"""The report: self-contained, escaped, with verdict and stand-ins first, and the numbers of the tables."""

import random
import re

import pytest

from lib.eval.answer import answer_cases
from lib.eval.conditions import build_cases
from lib.eval.drilldown import highlight
from lib.eval.figures import (
    describe_memory,
    describe_rate,
    describe_recall,
    describe_slices,
    plot_memory,
    plot_rate,
    plot_recall,
    plot_slices,
)
from lib.eval.report import write_report
from lib.eval.retrieve import oracle_ids, recall_table, retrieve
from lib.eval.score import score_rows
from lib.eval.summary import compare, summarise, summarise_slices
from lib.eval.verdict import say_verdict
from lib.llm import Format
from lib.run import show_figure, write_jsonl, write_text

from .conftest import FakeAsker

MANIFEST = {
    "run": "sample", "created": "2026-01-01T00:00:00Z", "git": {"revision": "abc123", "dirty": False}, "python": "3.11", "packages": {"torch": "2.13.0"},
    "stand_ins": [{"role": "judge", "what": "rules, no language model", "notebook": "4_eval"}],
    "parameters": {"1_gen": {"seed": 42}, "4_eval": {"seed": 42}},
    "stages": {"4_eval": {"status": "running", "started": "2026-01-01T00:00:00Z", "ended": None, "warnings": {"judge": "the judge is the teacher"},
                          "tokens": {"judge": {"requests": 9, "cached": 1, "prompt_tokens": 1234, "completion_tokens": 5}}, "cost_usd": {"judge": 1.5}}},
}  # fmt: skip


@pytest.fixture
def tables(corpus, judge, reader):
    chunks, questions = corpus
    chunks[7]["text"] += " <script>alert(1)</script>"
    rankings = retrieve(chunks, questions, retriever="bm25", depth=len(chunks))
    cases = build_cases(questions, chunks, rankings, top_k=[1, 3], width=3, rng=random.Random(3))
    rules = {"student": reader, "baseline": lambda text: "<ANSWER>: £45 <img src=x>"}
    answers = [
        row
        for name, rule in rules.items()
        for row in answer_cases(cases, FakeAsker(rule), Format(), system=name, max_tokens=64)
    ]
    scores = score_rows(answers, questions, chunks, judge)
    recall = recall_table(rankings, {row["id"]: oracle_ids(row, chunks) for row in questions}, [1, 3])
    parts = {
        "questions": questions,
        "chunks": chunks,
        "answers": answers,
        "scores": scores,
        "summary": summarise(scores),
        "slices": summarise_slices(scores, 3),
    }
    return parts | {"comparisons": compare(scores, 3, random.Random(1)), "top_k": 3}, recall


def written(folder, parts, manifest, figures):
    """The page made from a run's folder that holds `parts` as files."""
    for name, place in {
        "questions": "dataset/eval",
        "chunks": "dataset/chunks",
        "answers": "eval/answers",
        "scores": "eval/scores",
    }.items():
        write_jsonl(folder / f"{place}.jsonl", parts[name])
    for name in ("summary", "slices", "comparisons"):
        write_text(folder / f"eval/{name}.csv", parts[name].to_csv(index=False))
    page = write_report(folder, manifest=manifest, figures=figures, top_k=parts["top_k"])
    return page.read_text(encoding="utf-8")


def test_the_report_is_one_file_that_says_verdict_and_stand_ins_first(tables, tmp_path):
    parts, recall = tables
    drawn = [
        (name, plot_rate(parts["summary"], name), describe_rate(parts["summary"], name))
        for name in ("judge_score", "refusals", "precision")
    ]
    drawn += [
        ("recall", plot_recall(recall, "bm25"), describe_recall(recall)),
        ("slices", plot_slices(parts["slices"]), describe_slices(parts["slices"])),
    ]
    drawn.append(("memory", plot_memory(parts["slices"]), describe_memory(parts["slices"])))
    for name, figure, alt in drawn:
        show_figure(figure, tmp_path / f"{name}.png", alt)
    figures = [(name, tmp_path / f"{name}.png", alt) for name, _, alt in drawn]
    page = written(tmp_path, parts, MANIFEST, figures)
    body = page[page.index("<body>") :]
    first = re.sub(r"<[^>]+>", " ", body)[:1200]
    assert "100.0 % of 7 answerable questions" in first
    assert "cannot tell" in first or "is better" in first
    assert "judge: rules, no language model" in first
    assert "the judge is the teacher" in first
    assert not re.search(r"""(src|href)=["']?(https?:|//|/|file:)""", page)
    assert body.count("<img ") == len(re.findall(r'<img src="data:image/png;base64,[^"]+" alt="[^"]{20,}"', body)) == 6
    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert "&lt;img src=x&gt;" in page
    assert body.count('<details class="question"') == 8
    assert "<mark>" in body
    for line in parts["summary"].to_dict("records"):
        assert f"{line['correct']}/{line['n']}" in body
    assert "1,234" in body
    assert "1.50" in body


def test_the_verdict_is_two_sentences_with_the_numbers_of_the_tables(tables):
    parts, _ = tables
    first, second = say_verdict(parts["summary"], parts["slices"], parts["comparisons"], 3)
    assert first.startswith(
        "At top-k 3 the student gets 100.0 % of 7 answerable questions right (95 % interval 64.6 to 100.0 %); the baseline 14.3 %"
    )
    assert "+85.7 points" in first
    assert "1 of 1 that have none" in second
    assert "follows the passage in 0 and repeats the original in 0 of 6" in second


def test_one_system_and_no_controls_still_make_a_report(tables, tmp_path):
    parts, _ = tables
    keep = [
        i
        for i, row in enumerate(parts["scores"])
        if row["system"] == "student" and row["condition"] in ("closed_book", "rag")
    ]
    scores, answers = ([parts[name][i] for i in keep] for name in ("scores", "answers"))
    changed = {
        "scores": scores,
        "answers": answers,
        "summary": summarise(scores),
        "slices": summarise_slices(scores, 3),
        "comparisons": compare(scores, 3, random.Random(1)),
    }
    page = written(tmp_path, {**parts, **changed}, {"run": "x"}, [])
    assert "nothing to compare" in page
    show_figure(plot_memory(changed["slices"]), tmp_path / "m.png", describe_memory(changed["slices"]))


def test_quotes_are_marked_where_they_stand_and_text_is_escaped():
    assert (
        highlight("a <b> dogs\nstay out", ["dogs stay", "stay out", "cats"])
        == "a &lt;b&gt; <mark>dogs\nstay out</mark>"
    )
    assert highlight("costs £62 now", [], "£62") == "costs <b class=swapped>£62</b> now"
