"""Further figures, each from one of the run's tables: differences, wins, places, distractors, risk and coverage, cost.

Like those of lib.eval.figures: n and 95 % intervals, one colour a system, and a `describe_` sentence that is the alt text.
"""

import math
from typing import TYPE_CHECKING

import pandas as pd

from lib.eval.conditions import RAG
from lib.eval.contexts import HARD, NONE, ORACLE, PLACES, RANDOM
from lib.eval.figures import WIDTH, colour, new_axes, percent, put_legend, put_ticks
from lib.eval.verdict import points
from lib.run import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONTEXT_NAMES = {
    ORACLE: "right passage alone", RANDOM: "random distractors", HARD: "hard distractors", PLACES: "hard distractors, every place",
    NONE: "random passages only", RAG: "as retrieved", "no_oracle": "no right passage",
}  # fmt: skip
STYLES = {RANDOM: "-", HARD: "--", PLACES: "-.", NONE: ":", RAG: "-"}
OUTCOMES = (("only the first is right", "only_first"), ("only the second is right", "only_second"))


def plot_differences(comparisons: pd.DataFrame) -> "Figure":
    """Paired differences as horizontal bars around 0, each with its interval, n and word."""
    rows = comparisons[comparisons["n"] > 0].to_dict("records")
    seconds = list(dict.fromkeys(row["second"] for row in rows))
    figure, axes = new_axes(f"{rows[0]['first'].capitalize()} minus the others, paired by question", WIDTH + 1.2, 1.3 + 0.42 * len(rows))
    for y, row in enumerate(rows):
        axes.barh(y, row["difference"], 0.6, color=colour(row["second"], seconds.index(row["second"]) + 1))
        error = [[row["difference"] - row["low"]], [row["high"] - row["difference"]]]
        axes.errorbar(row["difference"], y, xerr=error, fmt="none", ecolor=COLOURS["ink"], elinewidth=1, capsize=2.5)
    widest = max(0.1, *(abs(row[end]) for row in rows for end in ("low", "high")))
    for y, row in enumerate(rows):
        text = f"{points(row['difference'])}  n = {row['n']}  {row['word']}"
        axes.annotate(text, (1.06 * widest, y), va="center", fontsize=8.5, annotation_clip=False)
    axes.axvline(0, color=COLOURS["ink"], linewidth=1)
    axes.set_xlim(-1.05 * widest, 1.05 * widest)
    axes.xaxis.set_major_formatter(lambda x, _: points(x)[:-2] if abs(x) >= 0.005 else "0")
    axes.set_yticks(range(len(rows)), [f"{row['where']}: {row['second']}" for row in rows])
    axes.invert_yaxis()
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("difference of the shares right, points")
    return figure


def describe_differences(comparisons: pd.DataFrame) -> str:
    """The numbers of `plot_differences` as a sentence."""
    said = [
        f"{row['where']}, {row['first']} minus {row['second']}: {points(row['difference'])} ({points(row['low'])} to "
        f"{points(row['high'])}, n = {row['n']}): {row['word']}"
        for row in comparisons[comparisons["n"] > 0].to_dict("records")
    ]
    return f"Paired differences in points, with 95 % intervals. {'; '.join(said)}."


def plot_wins(comparisons: pd.DataFrame) -> "Figure":
    """For each comparison the questions that only one of the two systems answers rightly, of n."""
    rows = comparisons[comparisons["n"] > 0].to_dict("records")
    figure, axes = new_axes("Win and loss: questions that only one of two gets right", WIDTH + 1.2, 1.5 + 0.42 * len(rows))
    for sign, (label, name), tint in zip((1, -1), OUTCOMES, (colour(rows[0]["first"], 0), COLOURS["distractor"]), strict=True):
        shares = [row[name] / row["n"] for row in rows]
        axes.barh(range(len(rows)), [sign * share for share in shares], 0.6, color=tint, label=label)
        for y, (row, share) in enumerate(zip(rows, shares, strict=True)):
            axes.annotate(
                f"{row[name]}/{row['n']}", (sign * share, y), textcoords="offset points", xytext=(4 * sign, 0),
                ha="left" if sign > 0 else "right", va="center", fontsize=8.5,
            )  # fmt: skip
    widest = max(0.1, *(row[name] / row["n"] for row in rows for _, name in OUTCOMES))
    axes.axvline(0, color=COLOURS["ink"], linewidth=1)
    axes.set_xlim(-1.35 * widest, 1.35 * widest)
    axes.xaxis.set_major_formatter(lambda x, _: f"{100 * abs(x):.0f} %")
    axes.set_yticks(range(len(rows)), [f"{row['where']}: {row['first']}, {row['second']}" for row in rows])
    axes.invert_yaxis()
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("share of questions; the rest both get right, or neither")
    put_legend(axes, 2)
    return figure


def describe_wins(comparisons: pd.DataFrame) -> str:
    """The numbers of `plot_wins` as a sentence."""
    said = [
        f"{row['where']}: only {row['first']} {row['only_first']}, only {row['second']} {row['only_second']} of {row['n']} (p {row['p']:.3g})"
        for row in comparisons[comparisons["n"] > 0].to_dict("records")
    ]
    return f"Questions that only one of two systems gets right. {'; '.join(said)}."


def plot_pairs(wins: pd.DataFrame) -> "Figure":
    """The first system's share of the pairs that the judge decided in both orders, by opponent and top_k."""
    table = pd.DataFrame(
        {
            "system": wins["second"], "top_k": wins["top_k"], "n": wins["win"] + wins["loss"], "correct": wins["win"],
            "judge_score": wins["win_rate"], "judge_low": wins["win_low"], "judge_high": wins["win_high"],
        }
    )  # fmt: skip
    figure, axes = new_axes(f"{wins['first'].iloc[0].capitalize()} preferred by the judge, in both orders", WIDTH)
    _lines(axes, table, "top_k", style="none", begin=1)
    axes.axhline(0.5, color=COLOURS["grey"], linewidth=1, linestyle=":")
    put_ticks(axes, None, "share of decided pairs won")
    axes.set_xticks(sorted(set(table["top_k"])))
    axes.set_xlabel("top-k (0: closed book)")
    put_legend(axes, table["system"].nunique())
    return figure


def describe_pairs(wins: pd.DataFrame) -> str:
    """The numbers of `plot_pairs` as a sentence."""
    said = [
        f"top-k {row['top_k']} against {row['second']}: {row['win']} won, {row['loss']} lost, {row['tie']} tied, {row['order']} decided by order"
        f" of {row['n']} ({percent(row['win_rate'])}, interval {percent(row['win_low'])} to {percent(row['win_high'])})"
        for row in wins.to_dict("records")
    ]
    return f"Pairs of answers judged in both orders, for {wins['first'].iloc[0]}. {'; '.join(said)}."


def places_of(contexts: pd.DataFrame) -> pd.DataFrame:
    """The rows of `contexts.csv` that say how often an answer is right by the place of the right passage.

    Of the largest number of distractors asked at every place; without `oracle_places` what retrieval happened to give.
    """
    placed = contexts[(contexts["place"] > 0) & contexts["context"].isin([PLACES, RAG]) & (contexts["n"] > 0)]
    chosen = placed[placed["context"] == (PLACES if (placed["context"] == PLACES).any() else RAG)]
    return chosen[chosen["n_distractors"] == chosen["n_distractors"].max()]


def plot_places(contexts: pd.DataFrame) -> "Figure":
    """Judge score by the place of the right passage among those shown."""
    from matplotlib.ticker import MaxNLocator  # here: see new_axes

    rows = places_of(contexts)
    how = CONTEXT_NAMES[rows["context"].iloc[0]]
    figure, axes = new_axes(f"Right by place of the right passage ({how})", WIDTH)
    _lines(axes, rows, "place")
    put_ticks(axes, None, "share of questions right")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(f"place of the right passage, of {rows['n_distractors'].iloc[0] + 1} shown")
    put_legend(axes, rows["system"].nunique())
    return figure


def describe_places(contexts: pd.DataFrame) -> str:
    """The numbers of `plot_places` as a sentence."""
    rows = places_of(contexts)
    return f"Judged right by place of the right passage among {rows['n_distractors'].iloc[0] + 1} shown. {_said(rows, 'place')}."


def distractors_of(contexts: pd.DataFrame) -> pd.DataFrame:
    """The rows of `contexts.csv` that part right answers by kind and number of distractors; the right passage alone has none."""
    asked = contexts[(contexts["place"] == 0) & contexts["context"].isin([ORACLE, RANDOM, HARD, PLACES, NONE]) & (contexts["n"] > 0)]
    # Asked once a place, a question counts several times: only bounds that resample documents hold.
    repeated = asked["context"] == PLACES
    bounds = {f"judge_{end}": asked[f"judge_{end}"].mask(repeated, asked[f"judge_cluster_{end}"]) for end in ("low", "high")}
    return asked.assign(**bounds)


def plot_distractors(contexts: pd.DataFrame) -> "Figure":
    """Judge score by number and kind of distractors, the right passage alone at 0."""
    from matplotlib.ticker import MaxNLocator  # here: see new_axes

    rows = distractors_of(contexts)
    figure, axes = new_axes("Right by number and kind of distractors", WIDTH)
    alone = rows[rows["context"] == ORACLE]
    kinds = [name for name in (RANDOM, HARD, PLACES, NONE) if (rows["context"] == name).any()]
    if HARD in kinds and PLACES in kinds:
        kinds.remove(PLACES)  # the same passages again
    for i, kind in enumerate(kinds or [ORACLE]):
        # The right passage alone begins every line that shows it: it is the same line with no distractor.
        held = rows[rows["context"] == kind]
        joined = held if kind in (ORACLE, NONE) else pd.concat([alone, held])
        _lines(axes, joined, "n_distractors", style=STYLES.get(kind, "-"), suffix=f", {CONTEXT_NAMES[kind]}", shift=i)
    put_ticks(axes, None, "share of questions right")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("distractors shown")
    put_legend(axes, 2)
    return figure


def describe_distractors(contexts: pd.DataFrame) -> str:
    """The numbers of `plot_distractors` as a sentence."""
    rows = distractors_of(contexts)
    said = [
        f"{row['system']}, {CONTEXT_NAMES[row['context']]}, {row['n_distractors']}: {row['correct']:.0f} of {row['n']} ({percent(row['judge_score'])})"
        for row in rows.to_dict("records")
    ]
    return f"Judged right by number and kind of distractors. {'; '.join(said)}."


def plot_risk(curve: pd.DataFrame) -> "Figure":
    """The share wrong among the surest answers, by the share of questions answered, at the largest top_k."""
    rows = curve[curve["top_k"] == curve["top_k"].max()]
    systems = list(dict.fromkeys(rows["system"]))
    figure, axes = new_axes(f"Risk and coverage, top-k {rows['top_k'].iloc[0]}", WIDTH)
    for i, system in enumerate(systems):
        held = rows[rows["system"] == system]
        label = f"{system} (n = {held['n'].iloc[0]}, area {held['aurc'].iloc[0]:.2f})"
        axes.plot(held["coverage"], held["risk"], color=colour(system, i), marker="o", markersize=3.5, linewidth=2, label=label)
        axes.fill_between(held["coverage"], held["risk_low"], held["risk_high"], color=colour(system, i), alpha=0.15, linewidth=0)
    put_ticks(axes, None, "share wrong among those answered")
    axes.set_xlim(0, 1.02)
    axes.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f} %")
    axes.set_xlabel("share of questions answered, the surest first")
    put_legend(axes, 2)
    return figure


def describe_risk(curve: pd.DataFrame) -> str:
    """The ends of `plot_risk` as a sentence."""
    rows = curve[curve["top_k"] == curve["top_k"].max()]
    said = [
        f"{system}: at full coverage of {percent(held['coverage'].iloc[-1])} {percent(held['risk'].iloc[-1])} are wrong "
        f"({held['wrong'].iloc[-1]} of {held['covered'].iloc[-1]}), area {held['aurc'].iloc[0]:.2f}"
        for system, held in rows.groupby("system", sort=False)
    ]
    return f"Share wrong among the surest answers by share answered, bands are 95 % intervals. {'; '.join(said)}."


def plot_cost(summary: pd.DataFrame) -> "Figure":
    """Judge score against what an answer costs: USD where every system has a price, else tokens per answer."""
    rows, label = cost_of(summary)
    figure, axes = new_axes("Quality against cost (at each point: top-k)", WIDTH)
    systems = list(dict.fromkeys(rows["system"]))
    for i, system in enumerate(systems):
        held = rows[rows["system"] == system].sort_values("cost")
        error = [held["judge_score"] - held["judge_low"], held["judge_high"] - held["judge_score"]]
        axes.errorbar(
            held["cost"], held["judge_score"], yerr=error, color=colour(system, i), marker="o", linestyle=":", capsize=2.5,
            elinewidth=1, label=f"{system}, n = {held['n'].iloc[0]}",
        )  # fmt: skip
        for row in held.to_dict("records"):
            axes.annotate(f"{row['top_k']}", (row["cost"], row["judge_score"]), textcoords="offset points", xytext=(6, 4), fontsize=8)
    put_ticks(axes, None, "share of questions right")
    axes.set_xlim(left=0)
    axes.set_xlabel(label)
    put_legend(axes, len(systems))
    return figure


def cost_of(summary: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The summary with a column `cost`, and what that is."""
    priced = "cost_usd_per_answer" in summary and summary["cost_usd_per_answer"].notna().all()
    if priced:
        return summary.assign(cost=summary["cost_usd_per_answer"]), "USD per answer"
    answers = (summary["n"] + summary["n_unanswerable"]).replace(0, math.nan)
    tokens = summary["prompt_tokens"] + summary["completion_tokens"]
    return summary.assign(cost=tokens / answers), "tokens per answer, prompt and reply; no price is known"


def describe_cost(summary: pd.DataFrame) -> str:
    """The numbers of `plot_cost` as a sentence."""
    rows, label = cost_of(summary)
    said = [f"{row['system']} top-k {row['top_k']}: {percent(row['judge_score'])} at {row['cost']:.3g}" for row in rows.to_dict("records")]
    return f"Judged right against {label}. {'; '.join(said)}."


def _lines(axes, rows: pd.DataFrame, by: str, *, style: str = "-", suffix: str = "", shift: int = 0, begin: int = 0) -> None:
    """One line a system through the judge scores, with intervals, and n in its label; `begin` is the first one's place among all systems."""
    systems = list(dict.fromkeys(rows["system"]))
    spread = 0.04 * max(1.0, float(rows[by].max() - rows[by].min()))
    for i, system in enumerate(systems):
        held = rows[rows["system"] == system].sort_values(by)
        at = held[by] + spread * (i - (len(systems) - 1) / 2 + 0.35 * shift)  # beside each other, not over
        n = sorted({int(value) for value in held["n"]})
        label = f"{system}{suffix}, n = {n[0] if len(n) == 1 else f'{n[0]}–{n[-1]}'}"
        error = [held["judge_score"] - held["judge_low"], held["judge_high"] - held["judge_score"]]
        axes.errorbar(
            at, held["judge_score"], yerr=error, color=colour(system, i + begin), marker="o", linestyle=style, linewidth=2, capsize=2.5,
            elinewidth=1, label=label,
        )  # fmt: skip


def _said(rows: pd.DataFrame, by: str) -> str:
    return "; ".join(
        f"{row['system']}, {by} {row[by]}: {row['correct']:.0f} of {row['n']} ({percent(row['judge_score'])}, "
        f"interval {percent(row['judge_low'])} to {percent(row['judge_high'])})"
        for row in rows.to_dict("records")
    )
