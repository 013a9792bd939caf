"""Which further figures a run has: each drawn from the run's own tables, or named with the reason why it is not."""

import base64
import html
from pathlib import Path

import pandas as pd

from lib.eval import charts
from lib.run import show_figure

FIGURES = {  # file: title, table, how it is drawn and described
    "differences": ("Paired differences", "comparisons", charts.plot_differences, charts.describe_differences),
    "wins": ("Win and loss", "comparisons", charts.plot_wins, charts.describe_wins),
    "pairwise": ("Preferred by the judge", "wins", charts.plot_pairs, charts.describe_pairs),
    "places": ("Place of the right passage", "contexts", charts.plot_places, charts.describe_places),
    "distractors": ("Number and kind of distractors", "contexts", charts.plot_distractors, charts.describe_distractors),
    "risk_coverage": ("Risk and coverage", "risk_coverage", charts.plot_risk, charts.describe_risk),
    "cost": ("Quality against cost", "summary", charts.plot_cost, charts.describe_cost),
}
REASONS = {
    "differences": "one system was asked",
    "wins": "one system was asked",
    "pairwise": "pairs were not asked (opinions: [pairwise])",
    "places": "no right passage was among several shown",
    "distractors": "no controlled contexts were asked (contexts: [oracle, oracle_hard, …])",
    "risk_coverage": "no endpoint gave log probabilities of its replies (logprobs: true asks for them)",
    "cost": "no question was asked with or without retrieval",
}


def draw_figures(folder: Path, out: Path) -> tuple[list[tuple[str, Path, str]], list[tuple[str, str]]]:
    """Draw every figure that the tables of a run allow.

    Args:
        folder: The run's `eval/`, with its tables.
        out: Where the PNGs go; one that cannot be drawn any more is removed.

    Returns:
        (title, PNG file, alt text) of those drawn, and (title, reason) of those that are not.
    """
    drawn, skipped = [], []
    for name, (title, table, plot, describe) in FIGURES.items():
        path, rows = out / f"{name}.png", _rows(folder / f"{table}.csv", name)
        if len(rows):
            alt = describe(rows)
            show_figure(plot(rows), path, alt)
            drawn.append((title, path, alt))
        else:
            path.unlink(missing_ok=True)
            skipped.append((title, REASONS[name]))
    return drawn, skipped


def _rows(path: Path, name: str) -> pd.DataFrame:
    """The rows of a table that a figure is drawn from; none where there is nothing to see in it."""
    table = pd.read_csv(path) if path.is_file() else pd.DataFrame()
    if not len(table):
        return table
    if name in ("places", "distractors"):
        return table if len({"places": charts.places_of, "distractors": charts.distractors_of}[name](table)) else table.iloc[:0]
    if name in ("differences", "wins"):
        return table[table["n"] > 0]
    return table[table["win"] + table["loss"] > 0] if name == "pairwise" else table


def show_drawn(drawn: list[tuple[str, Path, str]], skipped: list[tuple[str, str]]):
    """Figures one below the other, as a notebook shows them, and why the others are missing."""
    from IPython.display import HTML  # here: only notebooks have it

    images = [
        f'<img src="data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}" alt="{html.escape(alt)}" style="max-width:100%">'
        for _, path, alt in drawn
    ]
    missing = [f"{html.escape(title)}: not drawn, since {html.escape(reason)}." for title, reason in skipped]
    return HTML("<br>".join(images + missing))
