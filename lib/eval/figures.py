"""The figures of the evaluation, each with n and 95 % intervals, and their words for those who cannot see them."""

import math
from typing import TYPE_CHECKING

import pandas as pd

from lib.run import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 6.4  # inches; half a page wide in the report, and still read there
CHARACTER, BAR = 0.065, 0.17  # inches: a character of a bar's text, and the thickness that a lying bar's text needs
SPARE = ("#7A6F9B", "#5B8C5A", "#D55E00", "#CC79A7", "#56B4E9", "#9A6B4F")  # the third on is least like the roles'
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
    title, label, low, high, count, of = RATES[name]
    widths = sorted(summary["top_k"].unique())
    bars = {}
    for system, rows in summary.groupby("system", sort=False):
        rows = rows.set_index("top_k").reindex(widths)
        rates = rows[count] / rows[of].replace(0, math.nan)
        texts = [
            f"{c:.0f}/{n:.0f}" if n > 0 else "none"
            for c, n in zip(rows[count].fillna(0), rows[of].fillna(0), strict=True)
        ]
        bars[system] = rates, rows[low], rows[high], texts
    return _draw_bars(title, ["closed book" if k == 0 else f"top-k {k}" for k in widths], bars, label)


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
    groups, bars = list(dict.fromkeys(table[by])), {}
    for system, rows in table.groupby("system", sort=False):
        rows = rows.set_index(by).reindex(groups)
        texts = [f"{c:.0f}/{n:.0f}" for c, n in zip(rows["correct"].fillna(0), rows["n"].fillna(0), strict=True)]
        bars[system] = rows["judge_score"], rows[f"{prefix}_low"], rows[f"{prefix}_high"], texts
    return _draw_bars(title, [label.replace("documents ", "documents\n") for label in groups], bars, "share of questions")


def new_axes(title: str, width: float, height: float = 3.7):
    """A figure with one pair of axes and a title that leaves room for a legend below it."""
    from matplotlib.figure import Figure  # here: tables and pages are made without it

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", pad=26)
    return figure, axes


def _draw_bars(title: str, groups: list[str], bars: dict[str, tuple], label: str) -> "Figure":
    """Groups of one bar a system, each with its interval and text: upright where the texts fit side by side, else lying.

    Args:
        title: The figure's.
        groups: Their names.
        bars: By system `rates, low, high, texts`, each as long as `groups`.
        label: What the rates are shares of.
    """
    longest = max((len(text) for *_, texts in bars.values() for text in texts), default=0)
    lying = longest * CHARACTER > 0.8 * (WIDTH - 0.9) / max(len(groups) * len(bars), 1)
    # A figure that grew wide would be shrunk to the report's column, letters and all: it grows down instead.
    figure, axes = new_axes(title, WIDTH, max(3.7, 1.2 + len(groups) * (BAR * len(bars) + 0.08)) if lying else 3.7)
    if not groups:
        axes.text(0.5, 0.5, "no question allows this", ha="center", transform=axes.transAxes)
    for i, (system, (rates, low, high, texts)) in enumerate(bars.items()):
        at = [group + (i - (len(bars) - 1) / 2) * 0.8 / len(bars) for group in range(len(groups))]
        _put_bars(axes, at, 0.8 * 0.92 / len(bars), (rates, low, high), texts, lying, color=colour(system, i), label=system)
    (_put_ticks_down if lying else put_ticks)(axes, groups, label)
    put_legend(axes, len(bars))
    return figure


def _put_bars(axes, at: list[float], thickness: float, rates: tuple, texts: list[str], lying: bool, **style) -> None:
    """One system's bars, with intervals, and texts above them or in a column to the right."""
    value, low, high = (list(map(float, series)) for series in rates)
    error = [[v - a for v, a in zip(value, low, strict=True)], [b - v for v, b in zip(value, high, strict=True)]]
    lines = {"fmt": "none", "ecolor": COLOURS["ink"], "elinewidth": 1, "capsize": 2.5}
    if lying:
        axes.barh(at, value, thickness, **style)
        axes.errorbar(value, at, xerr=error, **lines)
    else:
        axes.bar(at, value, thickness, **style)
        axes.errorbar(at, value, yerr=error, **lines)
    for place, v, top, text in zip(at, value, high, texts, strict=True):
        put = {"fontsize": 8, "color": COLOURS["grey" if math.isnan(v) else "ink"], "annotation_clip": False}
        if lying:
            axes.annotate(text, (1.03, place), va="center", **put)
        else:
            above = (place, 0.0 if math.isnan(top) else top)
            axes.annotate(text, above, textcoords="offset points", xytext=(0, 3), ha="center", **put)


def _put_ticks_down(axes, groups: list[str], label: str) -> None:
    """Named groups downwards, and shares from 0 to 100 % sideways."""
    axes.set_ylim(max(len(groups), 1) - 0.5, -0.5)
    axes.set_yticks(range(len(groups)), groups)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.set_xlabel(label)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x")


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
