"""The report's tables: what each column is called, how its values read, and what they sort by. A column without values is left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from lib.eval.figures import percent
from lib.eval.verdict import bounds, points


@dataclass(frozen=True)
class Cell:
    """What one cell shows.

    Attributes:
        text: The value as it reads; "–" for none.
        sort: What it sorts by: a number in full, or the text.
        small: Lines below it: counts, interval.
    """

    text: str
    sort: float | str = ""
    small: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grid:
    """A table to show: `columns` are (title, whether numbers), the first column names the row, `key` is its file."""

    key: str
    label: str
    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Cell, ...], ...]


Column = tuple[str, bool, Callable[[dict], Cell]]


def build_grid(key: str, label: str, table: pd.DataFrame, columns: Sequence[Column]) -> Grid:
    """A table's rows through its columns; columns that hold nothing in any row are left out, the first one stays."""
    rows = [{name: None if pd.isna(value) else value for name, value in row.items()} for row in table.to_dict("records")]
    made = [[make(row) for row in rows] for _, _, make in columns]
    kept = [i for i, cells in enumerate(made) if i == 0 or any(cell.text != "–" for cell in cells)]
    return Grid(
        key, label, tuple(columns[i][:2] for i in kept), tuple(tuple(made[i][at] for i in kept) for at in range(len(rows)))
    )


def word(name: str) -> Callable[[dict], Cell]:
    """A column of text."""
    return lambda row: Cell("–") if row.get(name) in (None, "") else Cell(str(row[name]), str(row[name]))


def number(name: str, form: str = "{:,.0f}", of: str = "") -> Callable[[dict], Cell]:
    """A column of counts or measures, with the count they are out of below."""

    def make(row: dict) -> Cell:
        if row.get(name) is None:
            return Cell("–")
        small = (f"of {row[of]:.0f}",) if of and row.get(of) is not None else ()
        return Cell(form.format(row[name]), float(row[name]), small)

    return make


def rate(name: str, *, low: str = "", high: str = "", count: str = "", of: str = "") -> Callable[[dict], Cell]:
    """A column of rates: percent, then count and n, then the interval."""

    def make(row: dict) -> Cell:
        if row.get(name) is None:
            return Cell("–")
        small = [f"{row[count]:.0f}/{row[of]:.0f}"] if count and row.get(count) is not None else []
        small += [f"n = {row[of]:.0f}"] if of and not count and row.get(of) is not None else []
        small += [bounds(row[low], row[high])] if low and row.get(low) is not None else []
        return Cell(percent(row[name]), float(row[name]), tuple(small))

    return make


def gap(name: str, low: str = "", high: str = "") -> Callable[[dict], Cell]:
    """A column of differences in points, with their interval."""

    def make(row: dict) -> Cell:
        if row.get(name) is None:
            return Cell("–")
        small = (f"{points(row[low])} to {points(row[high])}",) if low and row.get(low) is not None else ()
        return Cell(points(row[name]), float(row[name]), small)

    return make


def joined(form: str, *names: str) -> Callable[[dict], Cell]:
    """A column made of several."""

    def make(row: dict) -> Cell:
        values = [row.get(name) for name in names]
        return Cell("–") if any(value is None for value in values) else Cell(form.format(*values), form.format(*values))

    return make


def _interval(row: dict, low: str, high: str) -> Cell:
    return Cell("–") if row.get(low) is None else Cell(bounds(row[low], row[high]), float(row[low]))


def _refused(row: dict) -> Cell:
    if row.get("refusals") is None:
        return Cell("–")
    return Cell(f"{row['refusals']:.0f}", float(row["refusals"]), (f"of {row['n']:.0f}", bounds(row["refusals_low"], row["refusals_high"])))


SYSTEM, TOP_K = ("System", False, word("system")), ("Top‑k", True, number("top_k"))
RIGHT = ("Judged right", True, rate("judge_score", low="judge_low", high="judge_high", count="correct", of="n"))
BY_DOCUMENT = ("Interval by document", True, lambda row: _interval(row, "judge_cluster_low", "judge_cluster_high"))
REFUSED = ("Refused", True, _refused)
PRECISION = ("Precision", True, rate("precision", low="precision_low", high="precision_high", count="correct", of="answered"))
NO_ANSWER = (
    "No answer exists: refused", True,
    rate("refused_unanswerable_rate", low="refused_unanswerable_low", high="refused_unanswerable_high", count="refused_unanswerable", of="n_unanswerable"),
)  # fmt: skip
OVERLAP = [(title, True, rate(name)) for title, name in (("Exact match", "exact_match"), ("F1", "f1"), ("ROUGE‑L", "rougeL"))]
SCALES = ("groundedness", "relevance", "coherence", "fluency", "similarity")
COMPARED = [
    ("Systems", False, joined("{} − {}", "first", "second")), ("n", True, number("n")), ("Documents", True, number("n_clusters")),
    ("Difference, points", True, gap("difference", "low", "high")),
    ("Only first / only second right", True, joined("{:.0f} / {:.0f}", "only_first", "only_second")),
    ("Smallest to be seen", True, gap("smallest")), ("p", True, number("p", "{:.3g}")), ("p, corrected", True, number("p_holm", "{:.3g}")),
    ("The first is", False, word("word")),
]  # fmt: skip
RESULTS = [
    SYSTEM, TOP_K, RIGHT, REFUSED, PRECISION, *OVERLAP, ("Right passage shown", True, rate("recall_at_k", of="n_known_source")), NO_ANSWER,
    ("Quotes verbatim", True, rate("quotes_verbatim", of="n_quotes")),
]  # fmt: skip
MEASURES = [
    SYSTEM, TOP_K, ("Judged right, interval by document", True, BY_DOCUMENT[2]), ("Cites the right passage", True, rate("cites_oracle", of="n_cited")),
    ("ROUGE‑1", True, rate("rouge1")), ("ROUGE‑2", True, rate("rouge2")), ("BLEU", True, rate("bleu")),
    ("Refused with the right passage in view", True, rate("refused_oracle_shown_rate", low="refused_oracle_shown_low",
                                                          high="refused_oracle_shown_high", count="refused_oracle_shown", of="n_oracle_shown")),
    ("Abstention precision", True, rate("abstention_precision")), ("Abstention recall", True, rate("abstention_recall")),
    ("Abstention F1", True, rate("abstention_f1")), *[(name.capitalize() + ", 1–5", True, number(name, "{:.2f}")) for name in SCALES],
    ("Not judged", True, number("unjudged")), ("Failed", True, number("failed")), ("Cut", True, number("cut")),
    ("Finish reasons", False, word("finish_reasons")), ("Latency, median s", True, number("latency_p50_s", "{:.2f}")),
    ("95 % of answers within, s", True, number("latency_p95_s", "{:.2f}")), ("Prompt tokens", True, number("prompt_tokens")),
    ("Reply tokens", True, number("completion_tokens")), ("USD per answer", True, number("cost_usd_per_answer", "{:.5f}")),
]  # fmt: skip
SLICES = [
    ("Slice", False, word("slice")), SYSTEM, ("n", True, number("n")), RIGHT, ("Refused", True, number("refusals")),
    *[(title, True, rate(f"{name}_rate", low=f"{name}_low", high=f"{name}_high", count=name, of="n"))
      for title, name in (("Follows the passage", "follows"), ("Repeats the original", "repeats"), ("Says both", "both"), ("Says neither", "neither"))],
    ("A guess blind to the subject follows", True, rate("blind")),
]  # fmt: skip
SETS = [("Eval set", False, word("eval_set")), ("Condition", False, word("condition"))]
FURTHER: dict[str, tuple[str, str, list[Column]]] = {  # file: title, what it says, columns
    "contexts": (
        "Controlled contexts and places", "Place 0: all places together; rag by the place at which retrieval put the right passage. "
        "Where every question is asked at every place, only the interval by document holds at place 0.",
        [("Context", False, word("context")), SYSTEM, ("Distractors", True, number("n_distractors")), ("Place", True, number("place")), RIGHT,
         BY_DOCUMENT, REFUSED, PRECISION],
    ),
    "sets": ("Further eval sets", "The same measures on the files given beside the frozen eval set.", [*SETS, *RESULTS]),
    "set_comparisons": ("Differences on further eval sets", "Corrected together.", [*SETS, TOP_K, *COMPARED]),
    "repeats": (
        "Repeated askings", "How far the judge score moves from one asking to the next.",
        [SYSTEM, TOP_K, ("n", True, number("n")), ("Askings", True, number("repeats")), ("Mean", True, rate("judge_score_mean")),
         ("Standard deviation, points", True, gap("judge_score_sd")), ("Lowest", True, rate("judge_score_min")),
         ("Highest", True, rate("judge_score_max")), ("Always the same", True, rate("always_the_same"))],
    ),
    "wins": (
        "Pairs, judged in both orders", "A win is what both orders give; where the order decides, it is counted apart.",
        [("First", False, word("first")), ("Second", False, word("second")), TOP_K, ("n", True, number("n")), ("Won", True, number("win")),
         ("Lost", True, number("loss")), ("Tied", True, number("tie")), ("Order decided", True, number("order")), ("Not judged", True, number("unjudged")),
         ("Share of decided won", True, rate("win_rate", low="win_low", high="win_high"))],
    ),
    "agreement": (
        "Agreement of judges", "Between judges, and of refusals by rule and by judge; only answers that both rated.",
        [("What", False, word("what")), ("First", False, word("first")), ("Second", False, word("second")),
         ("Agree", True, rate("rate", low="low", high="high", count="agree", of="n")), ("Kappa", True, number("kappa", "{:.2f}"))],
    ),
    "calibration": (
        "The judge against people's labels", "Corrected by prediction-powered inference; a judge with kappa below 0.6 does not speak for people.",
        [SYSTEM, ("n", True, number("n")), ("Labelled", True, number("n_labelled")), ("Agree", True, rate("agreement", count="agree", of="n_labelled")),
         ("Kappa", True, number("kappa", "{:.2f}")), ("False YES", True, number("false_yes")), ("False NO", True, number("false_no")),
         ("Judge score", True, rate("judge_score")), ("Corrected", True, rate("corrected", low="corrected_low", high="corrected_high")),
         ("Usable", False, word("usable"))],
    ),
    "recall": (
        "Retrieval", "Over questions with a known source; measured on the chunks, whatever the systems answered.",
        [("k", True, number("k")), ("Right passage found", True, rate("recall", low="low", high="high", count="found", of="n")),
         ("MRR", True, number("mrr", "{:.3f}")), ("nDCG", True, number("ndcg", "{:.3f}"))],
    ),
    "perplexity": (
        "Perplexity on held-out documents", "Per word, so that models with different tokenizers compare.",
        [SYSTEM, ("Window, tokens", True, number("n_tokens")), ("Windows", True, number("windows")), ("Tokens scored", True, number("tokens_scored")),
         ("Perplexity per token", True, number("perplexity_per_token", "{:.2f}")), ("Perplexity per word", True, number("normalised_perplexity", "{:.2f}")),
         ("95 % interval", True, joined("{:.2f} – {:.2f}", "normalised_low", "normalised_high"))],
    ),
}  # fmt: skip
