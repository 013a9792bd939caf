"""The evaluation's tables as a notebook shows them: rates as percentages with their intervals, one line a row."""

from collections.abc import Sequence

import pandas as pd

from lib.eval.conditions import CLOSED_BOOK, RAG
from lib.eval.figures import percent
from lib.eval.verdict import points


def cases_table(cases: Sequence, n_systems: int) -> pd.DataFrame:
    """What is asked: condition, passages shown, questions, and answers over all systems."""
    counts: dict[tuple[str, int], int] = {}
    for case in cases:
        counts[case.condition, case.top_k] = counts.get((case.condition, case.top_k), 0) + 1
    rows = [
        {"condition": c, "passages": k, "questions": n, "answers, all systems": n * n_systems}
        for (c, k), n in counts.items()
    ]
    return pd.DataFrame(rows).set_index("condition")


def summary_table(summary: pd.DataFrame) -> pd.DataFrame:
    """`summary.csv` to read: system, top_k, and each rate with its interval."""
    rows = [
        {
            "system": row["system"], "top-k": row["top_k"], "n": row["n"],
            "judged right": _with(row, "judge_score", "judge_low", "judge_high"),
            "refused": f"{row['refusals']} of {row['n']}",
            "precision": _with(row, "precision", "precision_low", "precision_high"),
            "exact match": percent(row["exact_match"]), "F1": percent(row["f1"]), "ROUGE-L": percent(row["rougeL"]),
            "no answer exists: refused": f"{row['refused_unanswerable']} of {row['n_unanswerable']}",
            "quotes verbatim": percent(row["quotes_verbatim"]),
            "unjudged / failed / cut": f"{row['unjudged']} / {row['failed']} / {row['cut']}",
        }
        for row in summary.to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(rows).set_index(["system", "top-k"])


def slices_table(slices: pd.DataFrame) -> pd.DataFrame:
    """`slices.csv` to read."""
    rows = [
        {
            "slice": row["slice"], "system": row["system"], "n": row["n"], "refused": row["refusals"],
            "judged right": _with(row, "judge_score", "judge_low", "judge_high"),
            "follows the passage": _with(row, "follows_rate", "follows_low", "follows_high"),
            "repeats the original": _with(row, "repeats_rate", "repeats_low", "repeats_high"),
            "a blind guess follows": percent(row["blind"]),
        }
        for row in slices.to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(
        rows, columns=["slice", "system", "n", "refused", "judged right", "follows the passage", "repeats the original", "a blind guess follows"]
    ).set_index(["slice", "system"])


def comparisons_table(comparisons: pd.DataFrame) -> pd.DataFrame:
    """`comparisons.csv` to read: difference in points, its interval, and the plain word."""
    rows = [
        {
            "where": row["where"], "systems": f"{row['first']} − {row['second']}", "n": row["n"], "documents": row["n_clusters"],
            "difference, points": points(row["difference"]), "95 % interval": f"{points(row['low'])} to {points(row['high'])}",
            "smallest": points(row["smallest"]), "p": f"{row['p']:.3g}", "p corrected": f"{row['p_holm']:.3g}", "the first is": row["word"],
        }
        for row in comparisons.to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=[
            "where", "systems", "n", "documents", "difference, points", "95 % interval", "smallest", "p", "p corrected", "the first is",
        ],  # fmt: skip
    ).set_index("where")


def differences_table(differences: Sequence[dict], top_k: int, limit: int = 12) -> pd.DataFrame:
    """The first questions on which the systems differ with retrieval at `top_k`, with what each said."""
    held = [
        row for row in differences if (row["condition"], row["top_k"]) == ((RAG, top_k) if top_k else (CLOSED_BOOK, 0))
    ]
    rows = [
        {"question": row["question"], "reference": row["reference"] or "(no answer exists)"}
        | {system: f"{row['outcomes'][system]}: {_short(row['answers'][system])}" for system in row["outcomes"]}
        for row in held[:limit]
    ]
    return pd.DataFrame(rows or [{"question": "the systems' outcomes never differ"}]).set_index("question")


def show_tables(tables: dict[str, pd.DataFrame], limit: int = 30):
    """Tables one below the other, as a notebook shows them, each under its name; long ones are cut, and it is said."""
    from IPython.display import HTML  # here: only notebooks have it

    parts = []
    for name, table in ((name, table) for name, table in tables.items() if len(table)):
        kept = table.head(limit).to_html(index=False, float_format=lambda x: f"{x:.3g}", na_rep="–", border=0)
        more = f"<p>{len(table) - limit} more rows in eval/{name}.csv</p>" if len(table) > limit else ""
        parts.append(f"<h4>{name.replace('_', ' ')}</h4>{kept}{more}")
    return HTML("".join(parts) or "<p>none asked for</p>")


def say_calibration(calibration: pd.DataFrame) -> str:
    """What people's labels say of the judge, in a sentence a system."""
    said = []
    for row in calibration.to_dict("records"):
        who = "All together" if row["system"] == "all" else f"The {row['system']}"
        word = "usable" if row["usable"] else "not good enough to speak for people"
        kappa = f"kappa {row['kappa']:.2f}: {word}" if pd.notna(row["kappa"]) else "too few or all alike for kappa"
        said.append(
            f"{who}: {row['n_labelled']} labels, the judge agrees in {row['agree']} ({percent(row['agreement'])}, {kappa}); "
            f"judged right {percent(row['judge_score'])}, corrected {percent(row['corrected'])} "
            f"({percent(row['corrected_low'])} to {percent(row['corrected_high'])})."
        )
    return "\n\n".join(said)


def _with(row: dict, name: str, low: str, high: str) -> str:
    return "–" if pd.isna(row[name]) else f"{percent(row[name])} ({100 * row[low]:.0f}–{100 * row[high]:.0f})"


def _short(text: str, limit: int = 90) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
