"""Calibrating the judge by people: a sheet of answers to label, and what the labels say of the judge's score.

The sheet does not say who answered nor what the judge found. Questions are drawn at random at one top_k, each with the answers
of all systems, so that every answer of a system is as likely to be labelled, whoever else gave it; the corrected score needs
that. Labels belong to one answer of one question: a sheet of other answers is not read.
"""

import csv
import io
import math
import random
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lib.eval.conditions import CLOSED_BOOK, RAG
from lib.eval.stats import Z95, ratio, wilson
from lib.eval.summary import is_main, systems_of
from lib.run import BadInput, text_hash, write_text
from lib.run.questions import cell_text, read_file
from lib.run.tables import read_rows

SHEET = ("key", "question", "reference", "answer", "right", "note")
USABLE = 0.6  # kappa from which a judge may speak for people (FIELD: on 50 to 200 labelled answers)
_LABELS = {"yes": True, "y": True, "1": True, "true": True, "right": True, "no": False, "n": False, "0": False, "false": False, "wrong": False}  # fmt: skip


def answer_key(question: dict, answer: str) -> str:
    """What a label belongs to: this question, this reference, this answer."""
    return text_hash("\0".join((question["question"], question["answer"], answer)))[:16]


def build_sheet(
    answers: Sequence[dict], scores: Sequence[dict], questions: dict[str, dict], *, top_k: int, n: int, rng: random.Random
) -> str:
    """`eval/label_sheet.csv`: answers to label, as CSV text with the columns `SHEET`; `right` is to be filled with yes or no.

    Args:
        answers, scores: Rows of the run's files, in the same order.
        questions: Rows of the eval sets by id.
        top_k: Where the answers come from.
        n: Answers wanted, equal ones of a question counted once; fewer where there are fewer. Refusals, empty and failed replies
            are settled without a judge and need no label.
        rng: The only source of chance.
    """
    given: dict[str, dict[str, dict]] = {}  # by question, then by key
    for answer, score in zip(answers, scores, strict=True):
        if _is_sampled(score, top_k):
            question = questions[answer["question_id"]]
            held = given.setdefault(answer["question_id"], {})
            held[answer_key(question, answer["answer"])] = {**question, "given": answer["answer"]}
    drawn: dict[str, dict] = {}
    for name in rng.sample(sorted(given), len(given)):
        if len(drawn) + len(given[name]) > n:
            break
        drawn |= given[name]
    order = list(drawn)
    rng.shuffle(order)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(SHEET)
    writer.writerows((key, drawn[key]["question"], drawn[key]["answer"], drawn[key]["given"], "", "") for key in order)
    return out.getvalue()


def _is_sampled(score: dict, top_k: int) -> bool:
    """Whether a judge was needed: an answer to an answerable question, at the top_k that the verdict speaks of."""
    condition = RAG if top_k else CLOSED_BOOK
    return (
        is_main(score) and score["condition"] == condition and score["top_k"] == top_k and score["answerable"]
        and score["judge"] is not None and not score["refused"] and score["judge_reason"] != "empty answer"
    )  # fmt: skip


def read_labels(path: Path) -> dict[str, bool]:
    """Labels by key of a filled sheet, with commas, semicolons or tabs, as spreadsheets save it; rows left empty are passed over.

    Raises:
        BadInput: No such file, one that cannot be read, no columns `key` and `right`, or a label that is neither yes nor no.
    """
    if not path.is_file():
        raise BadInput(f"human_labels: no such file: {path}")
    rows = read_file("human_labels", path)
    if not rows or not {"key", "right"} <= set(rows[0]):
        raise BadInput(
            f"human_labels: expected the columns key and right, as in eval/label_sheet.csv; found {', '.join(rows[0]) if rows else 'no rows'}"
        )
    labels = {}
    for number, row in enumerate(rows, 2):
        said = cell_text(row.get("right")).lower()
        if said and said not in _LABELS:
            raise BadInput(f"human_labels: {path}, line {number}: expected yes or no in right; found {said!r}")
        if said:
            labels[row["key"]] = _LABELS[said]
    return labels


def calibrate(
    answers: Sequence[dict], scores: Sequence[dict], questions: dict[str, dict], labels: dict[str, bool], *, top_k: int
) -> pd.DataFrame:
    """`eval/calibration.csv`: per system what people and judge say of the same answers, and the judge score corrected by it.

    Args:
        answers, scores, questions, top_k: As of `build_sheet`.
        labels: What `read_labels` gives.

    Returns:
        Rows `system` (`all` last)`, n, n_labelled, human_score, agree, agreement, kappa, false_yes, false_no, judge_score, corrected,
        corrected_low, corrected_high, usable`. The corrected score is over all `n` answerable questions.

    Raises:
        BadInput: No label belongs to an answer of this run.
    """
    where, table, everyone = (RAG if top_k else CLOSED_BOOK, top_k), [], []
    for system in systems_of(scores):
        judged = []
        for a, s in zip(answers, scores, strict=True):
            if s["system"] == system and is_main(s) and s["answerable"] and (s["condition"], s["top_k"]) == where:
                sampled = _is_sampled(s, top_k)
                label = labels.get(answer_key(questions[a["question_id"]], a["answer"])) if sampled else None
                judged.append((s["judge"] is True, label, sampled))
        everyone += judged
        table.append({"system": system, **_calibrated(judged)})
    if not any(label is not None for _, label, _ in everyone):
        raise BadInput(
            f"human_labels: none of the {len(labels)} labels belongs to an answer of this run at top-k {top_k}; "
            "label the sheet that this run wrote, eval/label_sheet.csv"
        )
    return pd.DataFrame([*table, {"system": "all", **_calibrated(everyone)}])


def _calibrated(judged: Sequence[tuple[bool, bool | None, bool]]) -> dict:
    both = [(verdict, label) for verdict, label, _ in judged if label is not None]
    agree = sum(a == b for a, b in both)
    found = kappa(both)
    needed = [verdict for verdict, _, asked in judged if asked]
    share = len(needed) / len(judged) if judged else math.nan  # the rest is settled: refused, empty, failed, all not right
    corrected, low, high = prediction_powered(needed, both)
    return {
        "n": len(judged), "n_labelled": len(both), "human_score": ratio(sum(label for _, label in both), len(both)),
        "agree": agree, "agreement": ratio(agree, len(both)), "kappa": found,
        "false_yes": sum(v and not x for v, x in both), "false_no": sum(x and not v for v, x in both),
        "judge_score": ratio(sum(v for v, _, _ in judged), len(judged)),
        "corrected": corrected * share, "corrected_low": low * share, "corrected_high": high * share,
        "usable": bool(found >= USABLE),
    }  # fmt: skip


def prediction_powered(verdicts: Sequence[bool], labelled: Sequence[tuple[bool, bool]]) -> tuple[float, float, float]:
    """The share that people would find right, with its 95 % interval, from a judge's verdicts and a random sample of labels.

    The verdicts' mean, plus the mean of (label − verdict) where both are known: unbiased whatever the judge does, and
    narrow where it is good. `lam` weighs the judge by what it explains of the labels, so that the interval is never much
    wider than that of the labels alone.

    Args:
        verdicts: The judge's, of all answers, labelled ones included.
        labelled: (verdict, label) of those drawn at random.

    Source: Angelopoulos et al. 2023, Prediction-powered inference, arXiv:2301.09633; lam as in arXiv:2311.01453.
    """
    n, total = len(labelled), len(verdicts)
    if n < 2:
        return math.nan, math.nan, math.nan
    f = [float(v) for v, _ in labelled]
    y = [float(x) for _, x in labelled]
    mean_f, mean_y, mean_all = sum(f) / n, sum(y) / n, sum(map(float, verdicts)) / total
    variance_f = sum((v - mean_f) ** 2 for v in f) / (n - 1)
    covariance = sum((v - mean_f) * (x - mean_y) for v, x in zip(f, y, strict=True)) / (n - 1)
    lam = min(1.0, max(0.0, covariance / ((1 + n / total) * variance_f))) if variance_f else 0.0
    estimate = mean_y + lam * (mean_all - mean_f)
    rest = [x - lam * v for v, x in zip(f, y, strict=True)]
    mean_rest = sum(rest) / n
    variance = lam**2 * mean_all * (1 - mean_all) / total + sum((r - mean_rest) ** 2 for r in rest) / (n - 1) / n
    half = Z95 * math.sqrt(variance)
    if not half:  # every label alike: Wilson's interval still knows that n is small
        low, high = wilson(round(sum(y)), n)
        return estimate, low, high
    return min(1.0, max(0.0, estimate)), max(0.0, estimate - half), min(1.0, estimate + half)


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Cohen's kappa of two raters: agreement beyond what their shares of yes alone would give; nan where neither ever varies."""
    n = len(pairs)
    if not n:
        return math.nan
    seen = sum(a == b for a, b in pairs) / n
    a, b = sum(x for x, _ in pairs) / n, sum(y for _, y in pairs) / n
    chance = a * b + (1 - a) * (1 - b)
    return math.nan if chance == 1 else (seen - chance) / (1 - chance)


def write_sheet(path: Path, sheet: str) -> str:
    """Write the sheet, unless the one that lies there has labels already, or is no such sheet; returns a sentence on what was done."""
    try:
        labelled = path.is_file() and any(cell_text(row.get("right", "no such column")) for row in read_rows(path))
    except BadInput as error:
        return f"{error}; it is left as it is, since it may hold labels"
    if labelled:
        return f"{path} has labels and is left as it is; set human_labels to it"
    write_text(path, sheet)
    n = len(list(csv.reader(io.StringIO(sheet)))) - 1
    return f"{n} answers to label: fill in yes or no under right in {path}, and set human_labels to it"
