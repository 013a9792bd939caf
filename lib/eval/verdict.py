"""The verdict in two sentences, with its numbers and intervals, as report and notebook say it."""

import pandas as pd

from lib.eval.figures import percent
from lib.eval.summary import VALUE_REPLACED


def say_verdict(summary: pd.DataFrame, slices: pd.DataFrame, comparisons: pd.DataFrame, top_k: int) -> list[str]:
    """Two sentences: who answers how many questions rightly, and what is refused and read.

    Args:
        summary, slices, comparisons: The tables of `lib.eval.summary`.
        top_k: The number of passages that the verdict speaks of.
    """
    rows = {row["system"]: row for row in summary[summary["top_k"] == top_k].to_dict("records")}
    if not rows:
        return ["No question was asked with retrieval, so there is no verdict."]
    first = next(iter(rows.values()))
    return [_correctness(rows, comparisons, top_k, first), _refusals(first, slices)]


def _correctness(rows: dict[str, dict], comparisons: pd.DataFrame, top_k: int, first: dict) -> str:
    if not first["n"]:
        return "None of the questions has an answer in the documents, so none can be judged right."
    own = f"{percent(first['judge_score'])} of {first['n']} answerable questions right ({interval(first, 'judge_low', 'judge_high')})"
    said = []
    for system, row in rows.items():
        if row is first:
            continue
        pair = comparisons[(comparisons["where"] == f"top-k {top_k}") & (comparisons["second"] == system)].iloc[0]
        said.append(
            f"the {system} {percent(row['judge_score'])}, a difference of {points(pair['difference'])} points "
            f"({points(pair['low'])} to {points(pair['high'])}, paired; p {pair['p_holm']:.2g}, corrected): {_word(pair['word'], first['system'])}"
        )
    return f"At top-k {top_k} the {first['system']} gets {own}" + (f"; {'; '.join(said)}." if said else ".")


def _word(word: str, system: str) -> str:
    return "these questions cannot tell them apart" if word == "cannot tell" else f"the {system} is {word}"


def _refusals(first: dict, slices: pd.DataFrame) -> str:
    share = percent(first["refusals"] / first["n"] if first["n"] else None)
    text = f"The {first['system']} refuses {first['refusals']} of {first['n']} questions that have an answer ({share})"
    if first["n_unanswerable"]:
        bounds = interval(first, "refused_unanswerable_low", "refused_unanswerable_high")
        text += f" and {first['refused_unanswerable']} of {first['n_unanswerable']} that have none ({percent(first['refused_unanswerable_rate'])}, {bounds})"
    replaced = (
        slices[(slices["slice"] == VALUE_REPLACED) & (slices["system"] == first["system"])] if len(slices) else slices
    )
    if len(replaced):
        row = replaced.iloc[0]
        text += f"; where the value in the passage was replaced, it follows the passage in {row['follows']:.0f} and repeats the original in {row['repeats']:.0f} of {row['n']}"
    return text + "."


def interval(row: dict, low: str, high: str) -> str:
    """`95 % interval 41.2 to 63.0 %`."""
    return "no interval" if pd.isna(row[low]) else f"95 % interval {100 * row[low]:.1f} to {100 * row[high]:.1f} %"


def bounds(low: float | None, high: float | None) -> str:
    """`41.2 – 63.0 %`; nothing for an interval that does not exist."""
    return "" if low is None or pd.isna(low) else f"{100 * low:.1f} – {100 * high:.1f} %"


def points(value: float) -> str:
    """`+12.5`: a difference of rates in points, signed where it is not 0."""
    if pd.isna(value):
        return "–"
    return "0.0" if abs(value) < 0.0005 else f"{100 * value:+.1f}".replace("-", "−")
