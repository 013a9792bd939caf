"""The figures of the evaluation, each with n and 95 % intervals, and their words for those who cannot see them."""

import math
from typing import TYPE_CHECKING

import pandas as pd

from lib.run import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 6.4  # inches; half a page wide in the report, and still read there
SPARE = ("#56B4E9", "#CC79A7", "#D55E00", "#7A6F9B", "#5B8C5A", "#9A6B4F")
RATES = {
    "judge_score": ("Judged right", "share of answerable questions", "judge_low", "judge_high", "correct", "n"),
    "refusals": (
        "Refused, though answerable",
        "share of answerable questions",
        "refusals_low",
        "refusals_high",
        "refusals",
        "n",
    ),
    "precision": (
        "Right among those answered (precision)",
        "share of answered questions",
        "precision_low",
        "precision_high",
        "correct",
        "answered",
    ),
}


def plot_rate(summary: pd.DataFrame, name: str) -> "Figure":
    """Bars of `judge_score`, `refusals` or `precision` by top_k and system, with intervals, count and n on each."""
    title, ylabel, low, high, count, of = RATES[name]
    widths = sorted(summary["top_k"].unique())
    systems = list(dict.fromkeys(summary["system"]))
    figure, axes = new_axes(title, max(WIDTH, 1.6 + 0.62 * len(widths) * len(systems)))
    for i, system in enumerate(systems):
        rows = summary[summary["system"] == system].set_index("top_k").reindex(widths)
        rates = rows[count] / rows[of].replace(0, math.nan)
        texts = [
            f"{c:.0f}/{n:.0f}" if n > 0 else "none"
            for c, n in zip(rows[count].fillna(0), rows[of].fillna(0), strict=True)
        ]
        _bars(axes, i, len(systems), system, rates, rows[low], rows[high], texts)
    put_ticks(axes, ["closed book" if k == 0 else f"top-k {k}" for k in widths], ylabel)
    put_legend(axes, len(systems))
    return figure


def plot_recall(recall: list[dict], retriever: str) -> "Figure":
    """The share of questions whose right chunk is among the first k retrieved, with its interval."""
    figure, axes = new_axes(f"Retrieval finds the right passage ({retriever})", WIDTH)
    table = pd.DataFrame(recall)
    known = table[table["n"] > 0]
    error = [known["recall"] - known["low"], known["high"] - known["recall"]]
    axes.errorbar(
        known["k"],
        known["recall"],
        yerr=error,
        color=COLOURS["embedder"],
        marker="o",
        linewidth=2,
        capsize=3,
        ecolor=COLOURS["ink"],
        elinewidth=1,
    )
    for row in known.itertuples():
        axes.annotate(
            f"{row.found}/{row.n}", (row.k, row.recall), textcoords="offset points", xytext=(8, -12), fontsize=8.5
        )
    put_ticks(axes, None, "recall at k")
    axes.set_xlabel("passages retrieved, k")
    axes.set_xticks(table["k"])
    return figure


def plot_slices(slices: pd.DataFrame) -> "Figure":
    """Judge score by slice and system: documents tuned on, held out, no oracle shown."""
    return _grouped(
        slices[slices["judge_score"].notna()], "slice", "judge", "Judged right, by what the model could know"
    )


def plot_memory(slices: pd.DataFrame) -> "Figure":
    """Where the shown value was replaced: share of answers that follow the passage, and that repeat the original."""
    rows = slices[slices["follows"].notna()]
    parts = [
        pd.DataFrame({"slice": label, "system": rows["system"], "n": rows["n"], "correct": rows[name], "judge_score": rows[f"{name}_rate"],
                      "judge_low": rows[f"{name}_low"], "judge_high": rows[f"{name}_high"]})
        for label, name in (("follows the passage", "follows"), ("repeats the original", "repeats"))
    ]  # fmt: skip
    return _grouped(pd.concat(parts), "slice", "judge", "Reading or memory: the value in the passage was replaced")


def _grouped(table: pd.DataFrame, by: str, prefix: str, title: str) -> "Figure":
    groups, systems = list(dict.fromkeys(table[by])), list(dict.fromkeys(table["system"]))
    figure, axes = new_axes(title, WIDTH)
    if not groups:
        axes.text(0.5, 0.5, "no question allows this", ha="center", transform=axes.transAxes)
    for i, system in enumerate(systems):
        rows = table[table["system"] == system].set_index(by).reindex(groups)
        texts = [f"{c:.0f}/{n:.0f}" for c, n in zip(rows["correct"].fillna(0), rows["n"].fillna(0), strict=True)]
        _bars(axes, i, len(systems), system, rows["judge_score"], rows[f"{prefix}_low"], rows[f"{prefix}_high"], texts)
    put_ticks(axes, [label.replace("documents ", "documents\n") for label in groups], "share of questions")
    put_legend(axes, len(systems))
    return figure


def new_axes(title: str, width: float, height: float = 3.7):
    """A figure with one pair of axes and a title that leaves room for a legend below it."""
    from matplotlib.figure import Figure  # here: tables and pages are made without it

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", pad=26)
    return figure, axes


def _bars(axes, i: int, n_systems: int, system: str, rates, low, high, texts: list[str]) -> None:
    width = 0.8 / n_systems
    x = [group + (i - (n_systems - 1) / 2) * width for group in range(len(rates))]
    value, low, high = (list(map(float, series)) for series in (rates, low, high))
    axes.bar(x, value, width * 0.92, color=colour(system, i), label=system)
    axes.errorbar(
        x,
        value,
        yerr=[[v - a for v, a in zip(value, low, strict=True)], [b - v for v, b in zip(value, high, strict=True)]],
        fmt="none",
        ecolor=COLOURS["ink"],
        elinewidth=1,
        capsize=2.5,
    )
    for at, v, top, text in zip(x, value, high, texts, strict=True):
        at_least = top if not math.isnan(top) else 0.0
        axes.annotate(
            text,
            (at, at_least),
            textcoords="offset points",
            xytext=(0, 3),
            ha="center",
            fontsize=8 if n_systems < 3 else 6.5,
            color=COLOURS["ink"] if not math.isnan(v) else COLOURS["grey"],
        )


def put_ticks(axes, labels: list[str] | None, ylabel: str) -> None:
    """Shares from 0 to 100 % upwards, and named groups sideways where there are some."""
    if labels is not None:
        axes.set_xticks(range(len(labels)), labels)
        axes.set_xlim(-0.5, max(len(labels), 1) - 0.5)  # a group without bars keeps its place
        axes.tick_params(axis="x", length=0)
    axes.set_ylim(0, 1.08)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.set_ylabel(ylabel)


def put_legend(axes, n_columns: int) -> None:
    """The legend between title and axes, at most so many entries in a row and no more than fit; the title moves up for further rows."""
    labels = axes.get_legend_handles_labels()[1]
    if not labels:
        return
    fitting = int(axes.figure.get_figwidth() * 10.5 / (max(map(len, labels)) + 6))
    columns = max(1, min(n_columns, fitting))
    rows = math.ceil(len(labels) / columns)
    axes.set_title(axes.get_title(loc="left"), loc="left", pad=10 + 16 * rows)
    axes.figure.set_figheight(axes.figure.get_figheight() + 0.22 * (rows - 1))
    legend = axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, frameon=False, borderaxespad=0.2, fontsize=9
    )
    legend.set_in_layout(False)  # it has its room; the layout would squeeze the axes for a wide one


def colour(system: str, i: int) -> str:
    """The role's colour, or a spare one for a system that the user named."""
    return COLOURS[system] if system in ("student", "baseline", "teacher") else SPARE[i % len(SPARE)]


def percent(value: float | None) -> str:
    """`83.1 %`; a dash for what does not exist."""
    return "–" if value is None or pd.isna(value) else f"{100 * value:.1f} %"


def describe_rate(summary: pd.DataFrame, name: str) -> str:
    """The numbers of `plot_rate` as a sentence, its alt text."""
    title, _, low, high, count, of = RATES[name]
    said = [
        f"{row['system']} {'closed book' if row['top_k'] == 0 else 'top-k ' + str(row['top_k'])}: {row[count]} of {row[of]}"
        f" ({percent(row[count] / row[of] if row[of] else None)}, interval {percent(row[low])} to {percent(row[high])})"
        for row in summary.to_dict("records")
    ]
    return f"{title}, with 95 % intervals. {'; '.join(said)}."


def describe_recall(recall: list[dict]) -> str:
    """The numbers of `plot_recall` as a sentence."""
    return (
        "Recall of the right passage: "
        + "; ".join(f"k = {row['k']}: {row['found']} of {row['n']} ({percent(row['recall'])})" for row in recall)
        + "."
    )


def describe_slices(slices: pd.DataFrame) -> str:
    """The numbers of `plot_slices` as a sentence."""
    rows = slices[slices["judge_score"].notna()].to_dict("records")
    return (
        "Judged right by slice. "
        + "; ".join(
            f"{row['slice']}, {row['system']}: {row['correct']:.0f} of {row['n']} ({percent(row['judge_score'])})"
            for row in rows
        )
        + "."
    )


def describe_memory(slices: pd.DataFrame) -> str:
    """The numbers of `plot_memory` as a sentence."""
    rows = slices[slices["follows"].notna()].to_dict("records")
    said = [
        f"{row['system']} follows the passage in {row['follows']:.0f} and repeats the original in {row['repeats']:.0f} of {row['n']}"
        for row in rows
    ]
    return "Value in the passage replaced: " + ("; ".join(said) if said else "no question allows this") + "."
