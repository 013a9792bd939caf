"""The report: self-contained, escaped, with verdict and stand-ins first, and no number that its files do not give."""

import base64
import dataclasses
import gzip
import html
import json
import math
import random
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from lib.eval import cells, figures, gallery
from lib.eval.changes import Change, best_and_worst, compared_systems, find_changes
from lib.eval.drilldown import build_data, pack
from lib.eval.report import write_report
from lib.eval.stats import mcnemar, wilson
from lib.eval.summary import compare, summarise, summarise_slices
from lib.eval.verdict import bounds, points, say_verdict
from lib.run import read_json, read_jsonl, show_figure, write_jsonl, write_text
from tests.fakes.evaluation import HOSTILE, make_run


def read_page(page: str) -> dict:
    """The data that a page carries, as `build_data` made it but for keys of `changed`, which are text."""
    found = re.search(r'<script id="data" type="application/octet-stream">([A-Za-z0-9+/=]*)</script>', page)
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run whose passages, question and answers hold markup, with every option that the report has a place for."""
    contexts = ("oracle", "oracle_random", "oracle_hard", "oracle_places")
    return make_run(tmp_path_factory.mktemp("runs") / "sample", n_questions=24, contexts=contexts, hostile=True, pairs=True)


@pytest.fixture(scope="module")
def further(made):
    """(drawn, skipped): the further figures of that run."""
    return gallery.draw_figures(made.folder / "eval", made.folder / "figures")


@pytest.fixture(scope="module")
def page(made, further):
    """The report of that run, with its further figures."""
    drawn, skipped = further
    path = write_report(made.folder, manifest=read_json(made.folder / "run.json"), figures=drawn, skipped=skipped, top_k=made.top_k)
    return path.read_text(encoding="utf-8")


class Tables(HTMLParser):
    """The page's sortable tables: [(file, titles, [[(text, small lines, sort)]])]."""

    def __init__(self, page):
        super().__init__()
        self.found, self.cell = [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "table":
            self.found.append((given.get("data-file"), [], []))
        elif tag == "tr" and self.found:
            self.found[-1][2].append([])
        elif tag in ("td", "th") and self.found:
            self.cell = {"text": "", "small": [], "sort": given.get("data-sort"), "column": given.get("scope") == "col"}
        elif tag == "small" and self.cell is not None:
            self.cell["small"].append("")

    def handle_data(self, data):
        if self.cell is not None:
            if self.cell["small"]:
                self.cell["small"][-1] += data
            else:
                self.cell["text"] += data

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self.cell is not None:
            held, self.cell = self.cell, None
            if held["column"]:
                self.found[-1][1].append(held["text"])
            else:
                self.found[-1][2][-1].append((held["text"], held["small"], held["sort"]))


def rows_of(page, file, column):
    """The rows of the table of a file that has this column, as dictionaries of (text, small lines, sort)."""
    _, titles, rows = next(t for t in Tables(page).found if t[0] == f"eval/{file}.csv" and column in t[1])
    return [dict(zip(titles, row, strict=True)) for row in rows if row]


def test_the_report_is_one_file_that_says_verdict_and_stand_ins_first(made, page):
    body = page[page.index("<body>") :]
    first = re.sub(r"<[^>]+>", " ", body)[:1200]
    for sentence in say_verdict(*(pd.read_csv(made.folder / f"eval/{name}.csv") for name in ("summary", "slices", "comparisons")), made.top_k):
        assert html.escape(sentence) in first.replace("&#39;", "'")
    assert "judge: rules, no language model" in first
    assert "the judge is the teacher" in first
    assert not re.search(r"""(src|href)=["']?(https?:|//|/|file:)""", page)
    assert body.count("<img ") == len(re.findall(r'<img src="data:image/png;base64,[^"]+" alt="[^"]{20,}"', body)) >= 6
    assert "1,234" in body
    assert "1.50" in body


def test_text_of_documents_questions_and_answers_is_inert(made, page):
    assert any(HOSTILE in chunk["text"] for chunk in made.chunks)
    assert any(HOSTILE in row["question"] for row in made.questions)
    assert any(HOSTILE in row["reply"] for row in made.answers)
    assert "<script>document" not in page
    assert "<img src=x" not in page
    assert page.count("<script") == page.count("</script>") == 2  # the data, and the page's own script
    assert HOSTILE in json.dumps(read_page(page), ensure_ascii=False).replace('\\"', '"')


def test_the_page_carries_every_question_and_answer_of_the_files(made, page):
    data = read_page(page)
    answers = {tuple(a[k] for k in ("system", "condition", "top_k", "place", "repeat", "question_id")): a for a in read_jsonl(made.folder / "eval/answers.jsonl")}
    scores = {tuple(s[k] for k in ("system", "condition", "top_k", "place", "repeat", "question_id")): s for s in read_jsonl(made.folder / "eval/scores.jsonl")}
    seen = set()
    for question in data["questions"]:
        for case in question["cases"]:
            for said in case["answers"]:
                key = (said["system"], case["condition"], case["top_k"], case["place"], case["repeat"], question["id"])
                seen.add(key)
                assert {name: said[name] for name in ("answer", "reply", "quotes")} == {name: answers[key][name] for name in ("answer", "reply", "quotes")}
                assert all(said[name] == scores[key][name] for name in ("outcome", "judge", "judge_reason", "f1", "exact_match"))
                assert [data["chunks"][i][0] for i in case["chunks"]] == answers[key]["context_chunk_ids"]
    assert seen == set(answers)


def test_a_passage_is_carried_once_however_many_questions_show_it(made, page):
    ids = [chunk[0] for chunk in read_page(page)["chunks"]]
    assert len(ids) == len(set(ids)) <= len(made.chunks)
    changed = [case for q in read_page(page)["questions"] for case in q["cases"] if case["changed"]]
    assert changed
    for case in changed:
        for text in case["changed"].values():
            assert case["replacement"] in text
            assert case["original"] not in text


def test_the_same_data_is_packed_to_the_same_text():
    data = build_data([], [], [], [])
    assert pack(data) == pack(data)


def test_every_number_of_the_results_follows_from_scores_and_answers(made, page):
    rows = rows_of(page, "summary", "Precision")
    assert len(rows) == 2 * 3
    for row in rows:
        system, k = row["System"][0], int(row["Top‑k"][0])
        held = [s for s in read_jsonl(made.folder / "eval/scores.jsonl") if (s["system"], s["top_k"]) == (system, k) and s["condition"] in ("closed_book", "rag")]
        asked, others = [s for s in held if s["answerable"]], [s for s in held if not s["answerable"]]
        n, right, refused = len(asked), sum(s["judge"] is True for s in asked), sum(s["refused"] for s in asked)
        assert float(row["Judged right"][2]) == pytest.approx(right / n)
        assert row["Judged right"][1] == [f"{right}/{n}", bounds(*wilson(right, n))]
        assert (row["Refused"][0], row["Refused"][1]) == (str(refused), [f"of {n}", bounds(*wilson(refused, n))])
        if n > refused:
            assert float(row["Precision"][2]) == pytest.approx((right / n) / (1 - refused / n))
            assert row["Precision"][1] == [f"{right}/{n - refused}", bounds(*wilson(right, n - refused))]
        for title, name in (("Exact match", "exact_match"), ("F1", "f1"), ("ROUGE‑L", "rougeL")):
            assert float(row[title][2]) == pytest.approx(sum(s[name] for s in asked) / n, abs=1e-9)
        said_no = sum(s["refused"] for s in others)
        assert row["No answer exists: refused"][1] == [f"{said_no}/{len(others)}", bounds(*wilson(said_no, len(others)))]
        found = [s["oracle_shown"] for s in asked if s["oracle_shown"] is not None]
        assert float(row["Right passage shown"][2]) == pytest.approx(sum(found) / len(found))
    answers = read_jsonl(made.folder / "eval/answers.jsonl")
    for row in rows_of(page, "summary", "Prompt tokens"):
        asked = (row["System"][0], int(row["Top‑k"][0]))
        held = [a for a in answers if (a["system"], a["top_k"]) == asked and a["condition"] in ("closed_book", "rag")]
        assert float(row["Prompt tokens"][2]) == sum(a["prompt_tokens"] for a in held)
        assert float(row["USD per answer"][2]) == pytest.approx(sum(a["cost_usd"] for a in held) / len(held))


def test_every_number_of_the_differences_follows_from_the_scores(made, page):
    scores = read_jsonl(made.folder / "eval/scores.jsonl")
    by_hand = 0
    for row in rows_of(page, "comparisons", "p, corrected"):
        if not row["Where"][0].startswith("top-k"):
            continue
        k = int(row["Where"][0].split()[-1])
        right = {s: {r["question_id"]: r["judge"] is True for r in scores if (r["system"], r["condition"], r["top_k"]) == (s, "rag", k) and r["answerable"]}
                 for s in ("student", "baseline")}  # fmt: skip
        gained = sum(right["student"][q] and not right["baseline"][q] for q in right["student"])
        lost = sum(right["baseline"][q] and not right["student"][q] for q in right["student"])
        assert row["Only first / only second right"][0] == f"{gained} / {lost}"
        assert float(row["Difference, points"][2]) == pytest.approx((gained - lost) / len(right["student"]))
        assert float(row["p"][2]) == pytest.approx(mcnemar(gained, lost))
        by_hand += 1
    assert by_hand == 2
    again = compare(scores, made.top_k, random.Random(1))
    assert [float(row["p, corrected"][2]) for row in rows_of(page, "comparisons", "p, corrected")] == pytest.approx(list(again["p_holm"]))
    assert [row["Difference, points"][1] for row in rows_of(page, "comparisons", "p, corrected")] == [
        [f"{points(low)} to {points(high)}"] for low, high in zip(again["low"], again["high"], strict=True)
    ]


def test_the_whole_page_follows_from_answers_and_scores_alone(made, page, tmp_path):
    """Every table made again from the two files gives the same page, byte for byte."""
    from lib.eval import breakdown

    for name in ("dataset/eval", "dataset/chunks", "eval/answers", "eval/scores"):
        write_jsonl(tmp_path / f"{name}.jsonl", read_jsonl(made.folder / f"{name}.jsonl"))
    scores = read_jsonl(tmp_path / "eval/scores.jsonl")
    tables = {"summary": summarise(scores), "slices": summarise_slices(scores, made.top_k), "comparisons": compare(scores, made.top_k, random.Random(1))}
    for name, table in tables.items():
        write_text(tmp_path / f"eval/{name}.csv", table.to_csv(index=False))
    pairs, recall = read_jsonl(made.folder / "eval/pairwise.jsonl"), pd.read_csv(made.folder / "eval/recall.csv").to_dict("records")
    breakdown.write_tables(tmp_path / "eval", breakdown.build_tables(scores, pairs, recall, random.Random(1)))
    drawn, skipped = gallery.draw_figures(tmp_path / "eval", tmp_path / "figures")
    again = write_report(tmp_path, manifest=read_json(made.folder / "run.json"), figures=drawn, skipped=skipped, top_k=made.top_k)
    assert again.read_text(encoding="utf-8") == page


def test_best_and_worst_changes_are_those_of_the_scores(made, page):
    pair = compared_systems(made.scores)
    assert pair == ("student", "baseline")
    changes = find_changes(made.scores, made.answers, pair, made.top_k)
    best, worst = best_and_worst(changes, limit=3)
    assert all(change.right == 1 for change in best)
    assert all(change.right == -1 for change in worst)
    assert not {change.question_id for change in best} & {change.question_id for change in worst}
    assert f"Of {len(changes)} questions {sum(c.right == 1 for c in changes)} turn right" in page
    for change in (*best, *worst):
        assert f'href="#q={change.question_id}"' in page


def test_a_question_that_did_not_change_is_neither_gained_nor_lost():
    same = Change("a", 0, 0.0, ("right", "x"), ("right", "x"))
    up, down = dataclasses.replace(same, question_id="b", f1=0.5), dataclasses.replace(same, question_id="c", right=-1, f1=0.9)
    assert best_and_worst([up, same, down]) == ([up], [down])
    assert compared_systems([{"system": "mine"}]) is None
    assert compared_systems([{"system": "mine"}, {"system": "yours"}]) == ("mine", "yours")


def test_one_system_and_no_controls_still_make_a_report_that_says_what_is_missing(tmp_path):
    alone = make_run(tmp_path / "alone", n_questions=9, systems=("student",), controls=False)
    drawn, skipped = gallery.draw_figures(alone.folder / "eval", alone.folder / "figures")
    path = write_report(alone.folder, manifest={"run": "x"}, figures=drawn, skipped=skipped, top_k=alone.top_k)
    page = path.read_text(encoding="utf-8")
    assert "nothing to compare" in page
    assert dict(skipped) == {"Paired differences": "one system was asked", "Win and loss": "one system was asked",
                             "Preferred by the judge": "pairs were not asked (opinions: [pairwise])",
                             "Number and kind of distractors": gallery.REASONS["distractors"]}  # fmt: skip
    assert "Not drawn: paired differences, since one system was asked" in page
    slices = summarise_slices(alone.scores, alone.top_k)
    show_figure(figures.plot_memory(slices), tmp_path / "m.png", figures.describe_memory(slices))
    assert "no question allows this" in figures.describe_memory(slices)


def test_a_figure_that_can_no_longer_be_drawn_is_removed(made, tmp_path):
    for name in ("summary", "comparisons", "contexts", "risk_coverage"):
        write_text(tmp_path / f"{name}.csv", (made.folder / f"eval/{name}.csv").read_text())
    drawn, skipped = gallery.draw_figures(tmp_path, tmp_path)
    assert {path.name for _, path, _ in drawn} == {"differences.png", "wins.png", "places.png", "distractors.png", "risk_coverage.png", "cost.png"}
    assert [title for title, _ in skipped] == ["Preferred by the judge"]
    for name in ("comparisons", "contexts", "risk_coverage"):
        (tmp_path / f"{name}.csv").unlink()
    _, skipped = gallery.draw_figures(tmp_path, tmp_path)
    assert ("Risk and coverage", gallery.REASONS["risk_coverage"]) in skipped
    assert [path.name for path in tmp_path.glob("*.png")] == ["cost.png"]


def test_every_figure_says_its_numbers_n_and_intervals_in_words(made, further, tmp_path):
    said = {path.stem: alt for _, path, alt in further[0]}
    row = pd.read_csv(made.folder / "eval/comparisons.csv").iloc[0]
    assert f"n = {row['n']}" in said["differences"]
    assert f"only student {row['only_first']}, only baseline {row['only_second']} of {row['n']}" in said["wins"]
    assert all(len(alt) > 60 for alt in said.values())
    assert "95 %" in said["risk_coverage"]
    summary, slices = (pd.read_csv(made.folder / f"eval/{name}.csv") for name in ("summary", "slices"))
    recall = pd.read_csv(made.folder / "eval/recall.csv").to_dict("records")
    for figure, alt in (
        *((figures.plot_rate(summary, name), figures.describe_rate(summary, name)) for name in ("judge_score", "refusals", "precision")),
        (figures.plot_recall(recall, "bm25"), figures.describe_recall(recall)), (figures.plot_slices(slices), figures.describe_slices(slices)),
    ):  # fmt: skip
        show_figure(figure, tmp_path / "f.png", alt)
        assert re.search(r"\d+ of \d+", alt)


def test_the_verdict_is_two_sentences_with_the_numbers_of_the_tables(made):
    summary, slices, comparisons = (pd.read_csv(made.folder / f"eval/{name}.csv") for name in ("summary", "slices", "comparisons"))
    first, second = say_verdict(summary, slices, comparisons, made.top_k)
    row = summary[(summary["system"] == "student") & (summary["top_k"] == made.top_k)].iloc[0]
    pair = comparisons[comparisons["where"] == f"top-k {made.top_k}"].iloc[0]
    assert first.startswith(f"At top-k {made.top_k} the student gets {100 * row['judge_score']:.1f} % of {row['n']} answerable questions right (95 % interval")
    assert f"a difference of {points(pair['difference'])} points ({points(pair['low'])} to {points(pair['high'])}, paired; p {pair['p_holm']:.2g}, corrected)" in first
    assert ("cannot tell" in first) == (pair["word"] == "cannot tell")
    assert f"{row['refused_unanswerable']} of {row['n_unanswerable']} that have none" in second
    assert "follows the passage in" in second


def test_a_row_with_its_own_context_and_a_further_eval_set_is_carried_too(made):
    row = {"id": "more/1", "eval_set": "more", "question": "Summed up?", "answer": "short", "answerable": True, "context": "A section of its own."}
    place = {"condition": "given", "top_k": 1, "place": 0, "repeat": 0, "question_id": row["id"], "eval_set": "more"}
    answer, score = ({**held[0], **place} for held in (made.answers, made.scores))
    (question,) = build_data([row, {**row, "id": "never asked"}], made.chunks, [answer | {"context_chunk_ids": []}], [score])["questions"]
    assert (question["set"], question["context"]) == ("more", ["A section of its own."])
    assert [case["condition"] for case in question["cases"]] == ["given"]


def test_a_column_without_values_is_left_out_and_numbers_sort_by_their_full_value():
    table = pd.DataFrame({"system": ["a", "b"], "judge_score": [1 / 3, math.nan], "bleu": [math.nan, math.nan], "n": [3, 0], "correct": [1, 0]})
    right = cells.rate("judge_score", count="correct", of="n")
    grid = cells.build_grid("x", "X", table, [cells.SYSTEM, ("Right", True, right), ("BLEU", True, cells.rate("bleu")), ("Gone", True, cells.number("gone"))])
    assert grid.columns == (("System", False), ("Right", True))
    assert grid.rows[0][1] == cells.Cell("33.3 %", 1 / 3, ("1/3",))
    assert grid.rows[1][1].text == "–"


def test_summary_and_scores_load_in_pandas_in_one_line(made):
    summary = pd.read_csv(made.folder / "eval/summary.csv")
    scores = pd.read_json(made.folder / "eval/scores.jsonl", lines=True)
    assert len(scores) == len(made.scores)
    asked = scores[scores["answerable"] & scores["condition"].isin(["closed_book", "rag"])]
    again = asked.assign(right=asked["judge"].eq(1)).groupby(["system", "top_k"])["right"].mean()
    for row in summary.to_dict("records"):
        assert again[row["system"], row["top_k"]] == pytest.approx(row["judge_score"])


def test_failed_requests_and_unreadable_verdicts_stand_in_the_reports_first_lines(tmp_path):
    made = make_run(tmp_path / "sample", n_questions=12, controls=False)
    scores = [dict(row) for row in made.scores]
    asked = [row for row in scores if row["answerable"]]
    for row in asked[:3]:  # a request that failed is no verdict that could not be read
        row |= {"judge": None, "failed": True, "outcome": "failed", "condition": "oracle_hard"}
    for row in asked[3:5]:
        row |= {"judge": None, "outcome": "not judged", "condition": "rag"}
    write_jsonl(made.folder / "eval/scores.jsonl", scores)
    text = write_report(made.folder, manifest=read_json(made.folder / "run.json"), figures=[], top_k=made.top_k).read_text(encoding="utf-8")
    head = text[: text.index('id="results"')]
    assert "3 requests got no reply (oracle_hard 3); they count as not right." in head
    assert "2 answers have no readable verdict (rag 2); they count as not right." in head


def test_an_eval_set_without_any_answer_divides_nothing_by_zero(tmp_path):
    made = make_run(tmp_path / "sample", n_questions=24, controls=False)
    scores = [row for row in made.scores if not row["answerable"]]
    tables = {"summary": summarise(scores), "slices": summarise_slices(scores, 3), "comparisons": compare(scores, 3, random.Random(1))}
    for name, table in tables.items():
        write_text(made.folder / f"eval/{name}.csv", table.to_csv(index=False))
    write_jsonl(made.folder / "eval/scores.jsonl", scores)
    write_jsonl(made.folder / "eval/answers.jsonl", [row for row, score in zip(made.answers, made.scores, strict=True) if not score["answerable"]])
    write_jsonl(made.folder / "dataset/eval.jsonl", [row for row in made.questions if not row["answerable"]])
    assert tables["summary"]["judge_score"].isna().all() and (tables["summary"]["n_unanswerable"] == 3).all()
    drawn, skipped = gallery.draw_figures(made.folder / "eval", made.folder / "figures")
    page = write_report(made.folder, manifest=read_json(made.folder / "run.json"), figures=drawn, skipped=skipped, top_k=3)
    text = page.read_text(encoding="utf-8")
    said = [text[: text.index('id="data"')], *(figures.describe_rate(tables["summary"], name) for name in ("judge_score", "refusals", "precision"))]
    assert not any(re.search(r"\bnan\b", part) for part in said), said[1:]
    assert "None of the questions has an answer" in said[0]
    for name in ("judge_score", "refusals", "precision"):
        show_figure(figures.plot_rate(tables["summary"], name), tmp_path / "figure.png", "nothing")
