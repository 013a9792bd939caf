"""What further options bring, as tables: eval sets, repeats, controlled contexts, confidence, judges and refusals compared.

Everything from `scores.jsonl`; every rate with its n and interval. A table of something that was not asked for is empty.
"""

import math
import random
import statistics
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lib.eval.calibrate import kappa
from lib.eval.conditions import CLOSED_BOOK, GIVEN, MAIN, NO_ORACLE, RAG
from lib.eval.contexts import CONTEXTS
from lib.eval.opinions import summarise_pairs
from lib.eval.stats import wilson
from lib.eval.summary import corrected, difference, judged, main_rows, rates, systems_of
from lib.run import write_text

KEY = ("system", "eval_set", "condition", "top_k", "question_id", "place", "repeat")  # what names one answer
COVERAGES = 20  # points of a risk–coverage curve


def summarise_sets(scores: Sequence[dict]) -> pd.DataFrame:
    """`eval/sets.csv`: further eval sets, `eval_set, condition, system, top_k` and the columns of `summary.csv`."""
    table = []
    held = [r for r in scores if r["eval_set"] != MAIN and r["repeat"] == 0]
    for name in dict.fromkeys(r["eval_set"] for r in held):
        for system in systems_of(held):
            for condition, k in _widths([r for r in held if r["eval_set"] == name]):
                rows = [
                    r for r in held
                    if (r["eval_set"], r["system"], r["condition"], r["top_k"]) == (name, system, condition, k)
                ]  # fmt: skip
                table.append({"eval_set": name, "condition": condition, "system": system, "top_k": k, **rates(rows)})
    return pd.DataFrame(table, columns=["eval_set", "condition", "system", "top_k", *rates([])])


def compare_sets(scores: Sequence[dict], rng: random.Random) -> pd.DataFrame:
    """`eval/set_comparisons.csv`: the first system against the others in every further eval set, corrected together."""
    held = [r for r in scores if r["eval_set"] != MAIN and r["repeat"] == 0 and r["answerable"]]
    first, *others = systems_of(scores) or [""]
    table = []
    for name in dict.fromkeys(r["eval_set"] for r in held):
        for condition, k in _widths([r for r in held if r["eval_set"] == name]):
            rows = [r for r in held if (r["eval_set"], r["condition"], r["top_k"]) == (name, condition, k)]
            place = {"eval_set": name, "condition": condition, "top_k": k}
            table += [{**place, **difference(rows, first, second, rng)} for second in others]
    return corrected(table, ["eval_set", "condition", "top_k", "first", "second"])


def _widths(rows: Sequence[dict]) -> list[tuple[str, int]]:
    order = (CLOSED_BOOK, RAG, GIVEN)
    found = {(r["condition"], r["top_k"]) for r in rows if r["condition"] in order}
    return sorted(found, key=lambda pair: (order.index(pair[0]), pair[1]))


def summarise_contexts(scores: Sequence[dict]) -> pd.DataFrame:
    """`eval/contexts.csv`: judge score by `system, context, n_distractors, place` (0: all places together).

    Besides the contexts of lib.eval.contexts, `no_oracle`, and `rag` by the place at which retrieval put the right passage.
    """
    table = []
    for system in systems_of(scores):
        rows = [r for r in main_rows(scores) if r["system"] == system and r["answerable"]]
        for context in (*CONTEXTS, NO_ORACLE, RAG):
            held = [r for r in rows if r["condition"] == context]
            for k in sorted({r["top_k"] for r in held}):
                asked = [r for r in held if r["top_k"] == k and (context != RAG or r["oracle_position"])]
                places = sorted({r["oracle_position"] for r in asked if r["oracle_position"]}) if k > 1 else []
                for place in (0, *places):
                    at = [r for r in asked if not place or r["oracle_position"] == place]
                    n = k - bool(asked and asked[0]["oracle_shown"])
                    table.append({"system": system, "context": context, "n_distractors": n, "place": place, **judged(at)})
    return pd.DataFrame(table, columns=["system", "context", "n_distractors", "place", *judged([])])


def summarise_repeats(scores: Sequence[dict]) -> pd.DataFrame:
    """`eval/repeats.csv`: how far the judge score moves from one asking to the next; empty where each was asked once."""
    table = []
    asked = [r for r in scores if r["eval_set"] == MAIN and r["answerable"] and r["condition"] in (CLOSED_BOOK, RAG)]
    for system in systems_of(asked) if any(r["repeat"] for r in asked) else []:
        for k in sorted({r["top_k"] for r in asked}):
            rows = [r for r in asked if r["system"] == system and r["top_k"] == k]
            runs: dict[int, list[bool]] = {}
            same: dict[str, set[bool]] = {}
            for r in rows:
                runs.setdefault(r["repeat"], []).append(r["judge"] is True)
                same.setdefault(r["question_id"], set()).add(r["judge"] is True)
            found = [sum(run) / len(run) for run in runs.values()]
            table.append(
                {
                    "system": system, "top_k": k, "n": len(same), "repeats": len(runs), "judge_score_mean": statistics.mean(found),
                    "judge_score_sd": statistics.stdev(found), "judge_score_min": min(found), "judge_score_max": max(found),
                    "always_the_same": sum(len(held) == 1 for held in same.values()) / len(same),
                }
            )  # fmt: skip
    columns = [
        "system", "top_k", "n", "repeats", "judge_score_mean", "judge_score_sd", "judge_score_min", "judge_score_max", "always_the_same",
    ]  # fmt: skip
    return pd.DataFrame(table, columns=columns)


def risk_coverage(scores: Sequence[dict]) -> pd.DataFrame:
    """`eval/risk_coverage.csv`: the share wrong among the surest answers, by how many of the questions are answered.

    Confidence is the mean log probability of a reply's tokens; refusals, and replies without one, are not covered. Empty
    where no endpoint gave log probabilities. `aurc` is the mean risk over the coverages that are reached, one per curve.
    """
    table = []
    for system in systems_of(scores):
        asked = [r for r in main_rows(scores) if r["system"] == system and r["answerable"] and r["condition"] in (CLOSED_BOOK, RAG)]
        for k in sorted({r["top_k"] for r in asked}):
            rows = [r for r in asked if r["top_k"] == k]
            sure = [r for r in rows if r["confidence"] is not None and not r["refused"] and not r["failed"]]
            sure.sort(key=lambda r: (-r["confidence"], r["question_id"]))
            wrong, risks = 0, []
            for i, r in enumerate(sure, 1):
                wrong += r["judge"] is not True
                risks.append((i, wrong))
            aurc = sum(w / i for i, w in risks) / len(risks) if risks else math.nan
            for i in sorted({math.ceil(len(sure) * step / COVERAGES) for step in range(1, COVERAGES + 1)} - {0}):
                low, high = wilson(risks[i - 1][1], i)
                table.append(
                    {
                        "system": system, "top_k": k, "n": len(rows), "covered": i, "coverage": i / len(rows), "wrong": risks[i - 1][1],
                        "risk": risks[i - 1][1] / i, "risk_low": low, "risk_high": high, "confidence": sure[i - 1]["confidence"], "aurc": aurc,
                    }
                )  # fmt: skip
    columns = [
        "system", "top_k", "n", "covered", "coverage", "wrong", "risk", "risk_low", "risk_high", "confidence", "aurc",
    ]  # fmt: skip
    return pd.DataFrame(table, columns=columns)


def agreement(scores: Sequence[dict]) -> pd.DataFrame:
    """`eval/agreement.csv`: every pair of raters that judged the same answers: judges among each other, refusals by rule and by judge.

    Rows `what, first, second, n, agree, rate, low, high, kappa`; only answers that both rated.
    """
    raters = ["judge", *dict.fromkeys(name for r in scores for name in r["judges"])]
    opinion = {"judge": lambda r: r["judge"]} | {name: (lambda r, name=name: r["judges"].get(name)) for name in raters[1:]}
    # What is settled without asking a judge agrees by construction, so it does not count.
    asked = [r for r in scores if r["judge"] is not None and not r["refused"] and r["judge_reason"] != "empty answer"]
    pairs = [("verdict", a, b, [(opinion[a](r), opinion[b](r)) for r in asked]) for i, a in enumerate(raters) for b in raters[i + 1 :]]
    pairs.append(("refusal", "rule", "judge", [(r["refused"], r["refused_by_judge"]) for r in scores]))
    table = []
    for what, a, b, both in pairs:
        rated = [(x, y) for x, y in both if x is not None and y is not None]
        if rated:
            agree = sum(x == y for x, y in rated)
            low, high = wilson(agree, len(rated))
            table.append(
                {
                    "what": what, "first": a, "second": b, "n": len(rated), "agree": agree, "rate": agree / len(rated), "low": low,
                    "high": high, "kappa": kappa(rated),
                }
            )  # fmt: skip
    return pd.DataFrame(table, columns=["what", "first", "second", "n", "agree", "rate", "low", "high", "kappa"])


def build_tables(scores: Sequence[dict], pairs: Sequence[dict], recall: Sequence[dict], rng: random.Random) -> dict[str, pd.DataFrame]:
    """Every table of this module, with those of retrieval and of pairs, by the name of its file.

    Args:
        scores: Rows of `eval/scores.jsonl`.
        pairs: Rows of `eval/pairwise.jsonl`; empty where pairs were not asked.
        recall: What `retrieve.recall_table` gives.
        rng: The only source of chance.
    """
    return {
        "recall": pd.DataFrame(recall), "contexts": summarise_contexts(scores), "sets": summarise_sets(scores),
        "set_comparisons": compare_sets(scores, rng), "repeats": summarise_repeats(scores), "risk_coverage": risk_coverage(scores),
        "agreement": agreement(scores), "wins": summarise_pairs(pairs),
    }  # fmt: skip


def write_tables(folder: Path, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Write each table that has rows as `<name>.csv`; remove the file of one that has none; returns those written."""
    for name, table in tables.items():
        path = folder / f"{name}.csv"
        if len(table):
            write_text(path, table.to_csv(index=False))
        else:
            path.unlink(missing_ok=True)
    return {name: table for name, table in tables.items() if len(table)}
