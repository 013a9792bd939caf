"""Scores into tables: one row per system and top_k, one per slice, and what separates the systems. Everything from `scores.jsonl`.

The main eval set, first askings; further sets, repeats, controlled contexts and confidence are lib.eval.breakdown's.
"""

import dataclasses
import math
import random
from collections.abc import Callable, Sequence

import pandas as pd

from lib.eval.conditions import CLOSED_BOOK, MAIN, NO_ORACLE, RAG, REPLACED
from lib.eval.stats import Difference, cluster_interval, cluster_sums, holm, paired_difference, ratio, say, wilson

TUNED_ON, HELD_OUT, ELSEWHERE = "documents tuned on", "documents held out", "documents of unknown split"
NO_ORACLE_SHOWN, VALUE_REPLACED = "no oracle shown", "value replaced"
VALUES = ("follows", "repeats", "both", "neither")
SPLITS = {"train": TUNED_ON, "valid": HELD_OUT, "test": HELD_OUT}


def summarise(scores: Sequence[dict]) -> pd.DataFrame:
    """`eval/summary.csv`: one row per system and top_k (0: closed book), systems in the order they were asked.

    One denominator throughout: `n` answerable questions, failed and unjudged ones included, so that `judge_score` is
    `correct / n` and `precision` is `judge_score / (1 - refusals / n)`, which is `correct / (n - refusals)`. Its interval is
    Wilson's on the answered ones. Questions that the documents do not answer are counted apart.
    """
    rows = []
    for system in systems_of(scores):
        asked = [row for row in main_rows(scores) if row["system"] == system and row["condition"] in (CLOSED_BOOK, RAG)]
        for k in sorted({row["top_k"] for row in asked}):
            rows.append({"system": system, "top_k": k, **rates([row for row in asked if row["top_k"] == k])})
    return pd.DataFrame(rows)


def main_rows(scores: Sequence[dict]) -> list[dict]:
    """Rows of the main eval set, asked for the first time."""
    return [row for row in scores if is_main(row)]


def is_main(row: dict) -> bool:
    """Whether a row of answers or scores is of the main eval set, and its first asking."""
    return row["eval_set"] == MAIN and row["repeat"] == 0


def systems_of(scores: Sequence[dict]) -> list[str]:
    """Systems in the order they were asked."""
    return list(dict.fromkeys(row["system"] for row in scores))


def rates(rows: Sequence[dict]) -> dict:
    """Every rate and count of one system's answers, as `summary.csv` has them; columns are described in lib.eval's docstring."""
    asked = [row for row in rows if row["answerable"]]
    unanswerable = [row for row in rows if not row["answerable"]]
    known = [row["oracle_shown"] for row in asked if row["oracle_shown"] is not None]
    quotes, verbatim = sum(row["n_quotes"] for row in rows), sum(row["n_verbatim"] for row in rows)
    cited = [row["cites_oracle"] for row in asked if row["cites_oracle"] is not None]
    return {
        **judged(asked),
        **{name: _mean(row[name] for row in asked) for name in ("exact_match", "f1", "rouge1", "rouge2", "rougeL", "bleu")},
        "recall_at_k": ratio(sum(known), len(known)), "n_known_source": len(known),
        "n_unanswerable": len(unanswerable),
        **_counted("refused_unanswerable", sum(row["refused"] for row in unanswerable), len(unanswerable)),
        **_abstention(asked, unanswerable),
        "n_quotes": quotes, "quotes_verbatim": ratio(verbatim, quotes),
        "n_cited": len(cited), "cites_oracle": ratio(sum(cited), len(cited)),
        "cut": sum(row["cut"] for row in rows), "failed": sum(row["failed"] for row in rows), "finish_reasons": _reasons(rows),
        "latency_s": _mean(row["latency_s"] for row in rows), "latency_p50_s": _quantile(rows, 0.5), "latency_p95_s": _quantile(rows, 0.95),
        "prompt_tokens": sum(row["prompt_tokens"] for row in rows), "completion_tokens": sum(row["completion_tokens"] for row in rows),
        "cost_usd_per_answer": _mean(row["cost_usd"] for row in rows),
        **{name: _mean(row[name] for row in asked) for name in ("groundedness", "relevance", "coherence", "fluency", "similarity")},
    }  # fmt: skip


def _abstention(asked: Sequence[dict], unanswerable: Sequence[dict]) -> dict:
    """Refusing as a classifier of questions that have no answer; and refusals with the right passage in view."""
    right, wrong = sum(row["refused"] for row in unanswerable), sum(row["refused"] for row in asked)
    precision, recall = ratio(right, right + wrong), ratio(right, len(unanswerable))
    in_view = [row["refused"] for row in asked if row["oracle_shown"]]
    doubled = 2 * right + wrong + len(unanswerable) - right
    return {
        "abstention_precision": precision, "abstention_recall": recall,
        "abstention_f1": ratio(2 * right, doubled) if unanswerable else math.nan,
        "n_oracle_shown": len(in_view), **_counted("refused_oracle_shown", sum(in_view), len(in_view)),
    }  # fmt: skip


def _reasons(rows: Sequence[dict]) -> str:
    """`stop 210, length 4`: finish reasons and their counts, the most frequent first."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["finish_reason"]] = counts.get(row["finish_reason"], 0) + 1
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _quantile(rows: Sequence[dict], q: float) -> float:
    """The smallest latency that a share q of the answers does not exceed."""
    ordered = sorted(row["latency_s"] for row in rows)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)] if ordered else math.nan


def judged(rows: Sequence[dict]) -> dict:
    """Judge score, refusals and precision of answerable questions, each with its count and 95 % interval."""
    n, correct = len(rows), sum(row["judge"] is True for row in rows)
    sums, counts = cluster_sums([row["judge"] is True for row in rows], [_document(row) for row in rows])
    # A generator of its own with a fixed seed: a table must come out the same wherever it is made.
    cluster_low, cluster_high = math.nan, math.nan
    if len(counts) > 1:
        cluster_low, cluster_high = cluster_interval(sums, counts, random.Random(n))
        cluster_low = max(0.0, cluster_low)
    refusals = sum(row["refused"] for row in rows)
    low, high = wilson(correct, n)
    if cluster_high - cluster_low < 1e-9:  # all documents fell alike: resampling them shows no spread, but so few questions allow some
        cluster_low, cluster_high = low, high
    precision_low, precision_high = wilson(correct, n - refusals)
    refused_low, refused_high = wilson(refusals, n)
    return {
        "n": n, "correct": correct, "judge_score": ratio(correct, n), "judge_low": low, "judge_high": high,
        "n_documents": len(counts), "judge_cluster_low": cluster_low, "judge_cluster_high": cluster_high,
        "unjudged": sum(row["judge"] is None for row in rows),
        "refusals": refusals, "refusals_low": refused_low, "refusals_high": refused_high,
        "answered": n - refusals, "precision": ratio(correct, n - refusals),
        "precision_low": precision_low, "precision_high": precision_high,
    }  # fmt: skip


def _counted(name: str, count: int, n: int) -> dict:
    low, high = wilson(count, n)
    return {name: count, f"{name}_rate": ratio(count, n), f"{name}_low": low, f"{name}_high": high}


def _mean(values) -> float:
    kept = [value for value in values if value is not None]
    return sum(kept) / len(kept) if kept else math.nan


def headline_k(scores: Sequence[dict], width: int) -> int:
    """The top_k that verdict and slices speak of: the width of training if it was asked, else the largest; never the best."""
    asked = {row["top_k"] for row in main_rows(scores) if row["condition"] == RAG}
    return width if width in asked else max(asked, default=0)


def slices_of(scores: Sequence[dict], top_k: int) -> dict[str, list[dict]]:
    """Answerable questions apart: by whether their document was tuned on (with retrieval at `top_k`), and under the controls."""
    found: dict[str, list[dict]] = {
        name: [] for name in (TUNED_ON, HELD_OUT, ELSEWHERE, NO_ORACLE_SHOWN, VALUE_REPLACED)
    }
    for row in main_rows(scores):
        if row["answerable"] and row["condition"] == RAG and row["top_k"] == top_k:
            found[SPLITS.get(row["split"], ELSEWHERE)].append(row)
        elif row["condition"] in (NO_ORACLE, REPLACED):
            found[NO_ORACLE_SHOWN if row["condition"] == NO_ORACLE else VALUE_REPLACED].append(row)
    return {name: rows for name, rows in found.items() if rows}


def summarise_slices(scores: Sequence[dict], top_k: int) -> pd.DataFrame:
    """`eval/slices.csv`: one row per slice and system; `follows` and `repeats` are filled for replaced values, the rest otherwise."""
    table = []
    for name, rows in slices_of(scores, top_k).items():
        for system in systems_of(scores):
            held = [row for row in rows if row["system"] == system]
            if name == VALUE_REPLACED:
                values = [row["value"] for row in held]
                found = {"n": len(held), "refusals": values.count("refused")}
                for value in VALUES:
                    found |= _counted(value, values.count(value), len(held))
                found["blind"] = _mean(row["p_blind"] for row in held)
            else:
                found = judged(held)
            table.append({"slice": name, "system": system, "top_k": held[0]["top_k"] if held else top_k, **found})
    names = [*judged([]), *(name for value in VALUES for name in _counted(value, 0, 0)), "blind"]
    return pd.DataFrame(table, columns=["slice", "system", "top_k", *names])  # the same columns whatever was asked


def compare(scores: Sequence[dict], top_k: int, rng: random.Random) -> pd.DataFrame:
    """`eval/comparisons.csv`: the first system against every other, paired by question, at every top_k and in every slice.

    Returns:
        Rows `where, top_k, first, second, n, n_clusters, difference, low, high, only_first, only_second, smallest, p, p_holm, word`;
        for replaced values the outcome compared is following the passage, elsewhere the judge's YES.
    """
    first, *others = systems_of(scores) or [""]
    asked = [row for row in main_rows(scores) if row["answerable"]]
    plain = [("closed book", [r for r in asked if r["condition"] == CLOSED_BOOK])]
    plain += [
        (f"top-k {k}", [r for r in asked if r["condition"] == RAG and r["top_k"] == k])
        for k in sorted({r["top_k"] for r in asked if r["condition"] == RAG})
    ]
    table = []
    for where, rows in [*plain, *slices_of(scores, top_k).items()]:
        good = _follows if where == VALUE_REPLACED else _right
        k = rows[0]["top_k"] if rows else None
        table += [{"where": where, "top_k": k, **difference(rows, first, second, rng, good)} for second in others]
    return corrected(table, ["where", "top_k", "first", "second"])


def difference(
    rows: Sequence[dict], first: str, second: str, rng: random.Random, good: Callable[[dict], bool] | None = None
) -> dict:
    """One system against another over these rows: `first, second` and the fields of `stats.Difference`."""
    pairs = _pair(rows, first, second, good or _right)
    found = paired_difference([p[0] for p in pairs], [p[1] for p in pairs], [p[2] for p in pairs], rng)
    return {"first": first, "second": second, **vars(found)}


def corrected(table: list[dict], keys: list[str]) -> pd.DataFrame:
    """A table of differences with `p_holm` over all of its rows; the word is said of the corrected p."""
    for row, p in zip(table, holm([row["p"] for row in table]), strict=True):
        row |= {"p_holm": p, "word": say(row["low"], row["high"], p)}
    names = [field.name for field in dataclasses.fields(Difference)]
    names.insert(names.index("word"), "p_holm")
    return pd.DataFrame(table, columns=[*keys, *names])


def _right(row: dict) -> bool:
    return row["judge"] is True


def _follows(row: dict) -> bool:
    return row["value"] == "follows"


def _document(row: dict) -> str:
    """What a question is resampled with: its document, or itself where that is not known."""
    return row["source"] or row["question_id"]


def _pair(rows: Sequence[dict], first: str, second: str, good: Callable[[dict], bool]) -> list[tuple[bool, bool, str]]:
    """Outcomes of both systems and the source document, for each question that both were asked."""
    by_id = {row["question_id"]: row for row in rows if row["system"] == second}
    return [
        (good(row), good(by_id[row["question_id"]]), _document(row))
        for row in rows
        if row["system"] == first and row["question_id"] in by_id
    ]


def find_differences(scores: Sequence[dict], answers: Sequence[dict], questions: Sequence[dict]) -> list[dict]:
    """`eval/differences.jsonl`: the cases in which the systems' outcomes differ, with what each said."""
    said = {(r["system"], r["condition"], r["top_k"], r["question_id"]): r["answer"] for r in main_rows(answers)}
    by_id = {row["id"]: row for row in questions}
    cases: dict[tuple, dict[str, str]] = {}
    for row in main_rows(scores):
        if not row["place"]:
            cases.setdefault((row["condition"], row["top_k"], row["question_id"]), {})[row["system"]] = row["outcome"]
    return [
        {
            "condition": case[0], "top_k": case[1], "question_id": case[2],
            "question": by_id[case[2]]["question"], "reference": by_id[case[2]]["answer"], "answerable": by_id[case[2]]["answerable"],
            "outcomes": outcomes, "answers": {system: said[(system, *case)] for system in outcomes},
        }
        for case, outcomes in cases.items()
        if len(set(outcomes.values())) > 1
    ]  # fmt: skip
