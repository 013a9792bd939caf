"""Scores into tables: one row per system and top_k, one per slice, and what separates the systems. Everything from `scores.jsonl`."""

import dataclasses
import math
import random
from collections.abc import Callable, Sequence

import pandas as pd

from lib.eval.conditions import CLOSED_BOOK, NO_ORACLE, RAG, REPLACED
from lib.eval.stats import Difference, paired_difference, wilson

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
    for system in _systems(scores):
        asked = [row for row in scores if row["system"] == system and row["condition"] in (CLOSED_BOOK, RAG)]
        for k in sorted({row["top_k"] for row in asked}):
            rows.append({"system": system, "top_k": k, **_rates([row for row in asked if row["top_k"] == k])})
    return pd.DataFrame(rows)


def _systems(scores: Sequence[dict]) -> list[str]:
    return list(dict.fromkeys(row["system"] for row in scores))


def _rates(rows: list[dict]) -> dict:
    asked = [row for row in rows if row["answerable"]]
    unanswerable = [row for row in rows if not row["answerable"]]
    known = [row["oracle_shown"] for row in asked if row["oracle_shown"] is not None]
    quotes, verbatim = sum(row["n_quotes"] for row in rows), sum(row["n_verbatim"] for row in rows)
    return {
        **judged(asked),
        **{name: _mean(row[name] for row in asked) for name in ("exact_match", "f1", "rouge1", "rouge2", "rougeL")},
        "recall_at_k": _share(sum(known), len(known)), "n_known_source": len(known),
        "n_unanswerable": len(unanswerable),
        **_counted("refused_unanswerable", sum(row["refused"] for row in unanswerable), len(unanswerable)),
        "n_quotes": quotes, "quotes_verbatim": _share(verbatim, quotes),
        "cut": sum(row["cut"] for row in rows), "failed": sum(row["failed"] for row in rows),
        "latency_s": _mean(row["latency_s"] for row in rows),
        "prompt_tokens": sum(row["prompt_tokens"] for row in rows), "completion_tokens": sum(row["completion_tokens"] for row in rows),
    }  # fmt: skip


def judged(rows: Sequence[dict]) -> dict:
    """Judge score, refusals and precision of answerable questions, each with its count and 95 % interval."""
    n, correct = len(rows), sum(row["judge"] is True for row in rows)
    refusals = sum(row["refused"] for row in rows)
    low, high = wilson(correct, n)
    precision_low, precision_high = wilson(correct, n - refusals)
    refused_low, refused_high = wilson(refusals, n)
    return {
        "n": n, "correct": correct, "judge_score": _share(correct, n), "judge_low": low, "judge_high": high,
        "unjudged": sum(row["judge"] is None for row in rows),
        "refusals": refusals, "refusals_low": refused_low, "refusals_high": refused_high,
        "answered": n - refusals, "precision": _share(correct, n - refusals),
        "precision_low": precision_low, "precision_high": precision_high,
    }  # fmt: skip


def _counted(name: str, count: int, n: int) -> dict:
    low, high = wilson(count, n)
    return {name: count, f"{name}_rate": _share(count, n), f"{name}_low": low, f"{name}_high": high}


def _share(count: int, n: int) -> float:
    return count / n if n else math.nan  # not None: a column of nothing but None is no column of numbers


def _mean(values) -> float:
    kept = [value for value in values if value is not None]
    return sum(kept) / len(kept) if kept else math.nan


def headline_k(scores: Sequence[dict], width: int) -> int:
    """The top_k that verdict and slices speak of: the width of training if it was asked, else the largest; never the best."""
    asked = {row["top_k"] for row in scores if row["condition"] == RAG}
    return width if width in asked else max(asked, default=0)


def slices_of(scores: Sequence[dict], top_k: int) -> dict[str, list[dict]]:
    """Answerable questions apart: by whether their document was tuned on (with retrieval at `top_k`), and under the controls."""
    found: dict[str, list[dict]] = {
        name: [] for name in (TUNED_ON, HELD_OUT, ELSEWHERE, NO_ORACLE_SHOWN, VALUE_REPLACED)
    }
    for row in scores:
        if row["answerable"] and row["condition"] == RAG and row["top_k"] == top_k:
            found[SPLITS.get(row["split"], ELSEWHERE)].append(row)
        elif row["condition"] in (NO_ORACLE, REPLACED):
            found[NO_ORACLE_SHOWN if row["condition"] == NO_ORACLE else VALUE_REPLACED].append(row)
    return {name: rows for name, rows in found.items() if rows}


def summarise_slices(scores: Sequence[dict], top_k: int) -> pd.DataFrame:
    """`eval/slices.csv`: one row per slice and system; `follows` and `repeats` are filled for replaced values, the rest otherwise."""
    table = []
    for name, rows in slices_of(scores, top_k).items():
        for system in _systems(scores):
            held = [row for row in rows if row["system"] == system]
            if name == VALUE_REPLACED:
                values = [row["value"] for row in held]
                rates = {"n": len(held), "refusals": values.count("refused")}
                for value in VALUES:
                    rates |= _counted(value, values.count(value), len(held))
            else:
                rates = judged(held)
            table.append({"slice": name, "system": system, "top_k": held[0]["top_k"] if held else top_k, **rates})
    names = [*judged([]), *(name for value in VALUES for name in _counted(value, 0, 0))]
    return pd.DataFrame(table, columns=["slice", "system", "top_k", *names])  # the same columns whatever was asked


def compare(scores: Sequence[dict], top_k: int, rng: random.Random) -> pd.DataFrame:
    """`eval/comparisons.csv`: the first system against every other, paired by question, at every top_k and in every slice.

    Returns:
        Rows `where, top_k, first, second, n, n_clusters, difference, low, high, only_first, only_second, p, word`; for
        replaced values the outcome compared is following the passage, elsewhere the judge's YES.
    """
    first, *others = _systems(scores) or [""]
    asked = [row for row in scores if row["answerable"]]
    plain = [("closed book", [r for r in asked if r["condition"] == CLOSED_BOOK])]
    plain += [
        (f"top-k {k}", [r for r in asked if r["condition"] == RAG and r["top_k"] == k])
        for k in sorted({r["top_k"] for r in asked if r["condition"] == RAG})
    ]
    table = []
    for where, rows in [*plain, *slices_of(scores, top_k).items()]:
        for second in others:
            pairs = _pair(rows, first, second, _follows if where == VALUE_REPLACED else _right)
            found = paired_difference([p[0] for p in pairs], [p[1] for p in pairs], [p[2] for p in pairs], rng)
            table.append(
                {
                    "where": where,
                    "top_k": rows[0]["top_k"] if rows else None,
                    "first": first,
                    "second": second,
                    **vars(found),
                }
            )
    names = [field.name for field in dataclasses.fields(Difference)]
    return pd.DataFrame(table, columns=["where", "top_k", "first", "second", *names])


def _right(row: dict) -> bool:
    return row["judge"] is True


def _follows(row: dict) -> bool:
    return row["value"] == "follows"


def _pair(rows: Sequence[dict], first: str, second: str, good: Callable[[dict], bool]) -> list[tuple[bool, bool, str]]:
    """Outcomes of both systems and the source document, for each question that both were asked."""
    by_id = {row["question_id"]: row for row in rows if row["system"] == second}
    return [
        (good(row), good(by_id[row["question_id"]]), row["source"] or row["question_id"])
        for row in rows
        if row["system"] == first and row["question_id"] in by_id
    ]


def find_differences(scores: Sequence[dict], answers: Sequence[dict], questions: Sequence[dict]) -> list[dict]:
    """`eval/differences.jsonl`: the cases in which the systems' outcomes differ, with what each said."""
    said = {(row["system"], row["condition"], row["top_k"], row["question_id"]): row["answer"] for row in answers}
    by_id = {row["id"]: row for row in questions}
    cases: dict[tuple, dict[str, str]] = {}
    for row in scores:
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
