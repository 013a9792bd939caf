"""Several runs on the questions they share: `python -m lib.eval.compare RUN… [--common] [--out FOLDER]`.

RUN is a name (runs/NAME) or a folder with `eval/scores.jsonl`. Every system of every run is set against the first run's first
one, paired by question, at closed book and at every top_k that both asked. Prints the table and writes `compare.html`,
`compare.csv` (differences) and `compare_rates.csv` (each system on the common questions). Asks no model anything.
"""

import argparse
import base64
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lib.eval import cells, charts, tables
from lib.eval.conditions import CLOSED_BOOK, RAG
from lib.eval.figures import percent
from lib.eval.report import environment, page_file
from lib.eval.summary import corrected, difference, main_rows, summarise, systems_of
from lib.eval.verdict import interval, points
from lib.run import BadInput, apply_style, file_hash, read_jsonl, show_figure, text_hash, write_text
from lib.run.leftovers import read_servers
from lib.run.manifest import read_manifest

RUNS = Path("runs")
SEED = 42  # of the resampling: the same runs give the same table
JUDGING = ("judges", "judge model", "max_reply_tokens", "answer_temperature")  # must be the same for scores to mean the same


@dataclass(frozen=True)
class Evaluated:
    """One run that was evaluated.

    Attributes:
        name: Its folder's name.
        eval_sha256: Hash of its frozen eval set.
        scores: Rows of the main eval set's first askings; `question_id` is the question's own hash, `system` begins with the run.
        settings: Parameters of all its notebooks, its git revision, hashes of the weights it served, and the model that judged where
            the run says it.
        stand_ins: What it names as not the real thing.
    """

    name: str
    eval_sha256: str
    scores: list[dict]
    settings: dict
    stand_ins: list[str]


def load_run(folder: Path) -> Evaluated:
    """A run from its folder.

    Raises:
        BadInput: It was not evaluated.
    """
    needed = [folder / "eval" / "scores.jsonl", folder / "dataset" / "eval.jsonl", folder / "run.json"]
    if missing := [str(path) for path in needed if not path.is_file()]:
        raise BadInput(f"{folder.name}: expected {', '.join(missing)}; run 4_eval.ipynb with run = {folder.name!r} first")
    keys = {row["id"]: text_hash(json.dumps([row["question"], row["answer"], row["answerable"]])) for row in read_jsonl(needed[1])}
    manifest = read_manifest(needed[2])
    scores = [
        {**row, "question_id": keys[row["question_id"]], "system": f"{folder.name}: {row['system']}"}
        for row in main_rows(read_jsonl(needed[0]))
        if row["condition"] in (CLOSED_BOOK, RAG)
    ]
    settings = {name: value for stage in manifest["parameters"].values() for name, value in stage.items()}
    settings["git revision"] = (manifest.get("git") or {}).get("revision") or "–"
    for system, server in read_servers(folder).items():
        settings[f"weights of {system}, sha256"] = (server.get("model_sha256") or "–")[:16]
    models = manifest["stages"].get("4_eval", {}).get("models", {})
    settings["judge model"] = models.get((settings.get("judges") or ["judge"])[0], "")
    stand_ins = [f"{entry['role']}: {entry['what']}" for entry in manifest["stand_ins"]]
    return Evaluated(folder.name, file_hash(needed[1]), scores, settings, list(dict.fromkeys(stand_ins)))


def common_scores(runs: Sequence[Evaluated], *, only_common: bool = False) -> list[dict]:
    """The rows of all runs on the questions that all of them asked.

    Args:
        runs: Two or more.
        only_common: Whether eval sets may differ, as long as some questions are the same.

    Raises:
        BadInput: One run, two of a name, different eval sets without `only_common`, or no common question.
    """
    names = [run.name for run in runs]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise BadInput(f"expected two or more runs of different names; found {', '.join(names) or 'none'}")
    other = [run.name for run in runs if run.eval_sha256 != runs[0].eval_sha256]
    if other and not only_common:
        raise BadInput(
            f"{', '.join(other)}: another eval set than {runs[0].name}'s, so the scores are not of the same questions; "
            "--common compares on the questions that all runs have"
        )
    common = set.intersection(*({row["question_id"] for row in run.scores} for run in runs))
    if not any(row["answerable"] and row["question_id"] in common for row in runs[0].scores):
        raise BadInput(f"{', '.join(names)}: expected some questions with an answer that all of them asked; found none")
    return [row for run in runs for row in run.scores if row["question_id"] in common]


def compare_runs(scores: Sequence[dict], rng: random.Random) -> pd.DataFrame:
    """Every system against the first one wherever both were asked: `where, top_k, …` as in `comparisons.csv`, corrected together."""
    first, *others = systems_of(scores)
    table = []
    for k in sorted({row["top_k"] for row in scores}):
        rows = [row for row in scores if row["top_k"] == k and row["answerable"]]
        asked = set(systems_of(rows))
        for second in others:
            if {first, second} <= asked:
                table.append({"where": f"top-k {k}" if k else "closed book", "top_k": k, **difference(rows, first, second, rng)})
    return corrected(table, ["where", "top_k", "first", "second"])


def warnings_of(runs: Sequence[Evaluated]) -> list[str]:
    """What makes the runs' scores hard to set side by side."""
    found = []
    if len({run.eval_sha256 for run in runs}) > 1:
        found.append("The eval sets differ; only the questions that all runs asked are compared.")
    for name in JUDGING:
        # Of several judges the first one's verdicts are the scores.
        values = {json.dumps((run.settings.get(name) or [])[:1] if name == "judges" else run.settings.get(name)) for run in runs}
        if len(values) > 1:
            found.append(f"{name} differs between the runs ({', '.join(sorted(values))}): the scores were not made in the same way.")
    return found


def stand_ins_of(runs: Sequence[Evaluated]) -> list[str]:
    """Every stand-in once, with the runs that it played in."""
    return [
        f"{text} ({', '.join(run.name for run in runs if text in run.stand_ins)})"
        for text in dict.fromkeys(text for run in runs for text in run.stand_ins)
    ]


def settings_table(runs: Sequence[Evaluated]) -> pd.DataFrame:
    """Settings that differ, a column a run: what else than chance may stand behind a difference."""
    names = list(dict.fromkeys(name for run in runs for name in run.settings))
    rows = [{"parameter": name, **{run.name: str(run.settings.get(name, "–")) for run in runs}} for name in names if name != "run"]
    differing = [row for row in rows if len({row[run.name] for run in runs}) > 1]
    return pd.DataFrame(differing, columns=["parameter", *(run.name for run in runs)])


def say_comparison(rates: pd.DataFrame, comparisons: pd.DataFrame) -> list[str]:
    """The verdict: the first against each other at the largest top_k that they share, and what that word rests on."""
    if not len(comparisons):
        return ["The runs share no top-k, so nothing can be compared."]
    k = comparisons["top_k"].max()
    at = {row["system"]: row for row in rates[rates["top_k"] == k].to_dict("records")}
    rows = comparisons[comparisons["top_k"] == k].to_dict("records")
    first = at[rows[0]["first"]]
    own = f"At {rows[0]['where']}, {first['system']} gets {percent(first['judge_score'])} of {first['n']} common questions right"
    said = [
        f"{row['second']} {percent(at[row['second']]['judge_score'])} ({points(row['difference'])} points, {points(row['low'])} to "
        f"{points(row['high'])}: {_word(row)})"
        for row in rows
    ]
    smallest = max(row["smallest"] for row in rows)
    return [
        f"{own} ({interval(first, 'judge_low', 'judge_high')}); {'; '.join(said)}.",
        f"Words are said of p corrected for {len(comparisons)} comparisons; so many questions could be expected to show a difference of "
        f"{points(smallest)} points.",
    ]  # fmt: skip


def _word(row: dict) -> str:
    return "cannot tell" if row["word"] == "cannot tell" else f"the first is {row['word']}"


def write_comparison(runs: Sequence[Evaluated], out: Path, *, only_common: bool = False) -> tuple[Path, pd.DataFrame]:
    """Write `compare.html`, `compare.csv` and `compare_rates.csv`; returns the page and the table of differences."""
    scores = common_scores(runs, only_common=only_common)
    rates, comparisons = summarise(scores), compare_runs(scores, random.Random(SEED))
    write_text(out / "compare.csv", comparisons.to_csv(index=False))
    write_text(out / "compare_rates.csv", rates.to_csv(index=False))
    settings = settings_table(runs)
    columns = [("Parameter", False, cells.word("parameter")), *((run.name, False, cells.word(run.name)) for run in runs)]
    page = environment().get_template("compare.html.j2").render(
        runs=[run.name for run in runs], verdict=say_comparison(rates, comparisons), warnings=warnings_of(runs),
        stand_ins=stand_ins_of(runs), n_common=len({row["question_id"] for row in scores}),
        comparisons=cells.build_grid("compare", "Paired differences", comparisons, [("Where", False, cells.word("where")), *cells.COMPARED]),
        results=cells.build_grid("compare_rates", "Each system on the common questions", rates, cells.RESULTS),
        settings=cells.build_grid("run", "Settings that differ", settings, columns),
        figures=_draw(comparisons), style=page_file("style.css"), scripts=page_file("tables.js"),
    )  # fmt: skip
    return write_text(out / "compare.html", page), comparisons


def _draw(comparisons: pd.DataFrame) -> list[tuple[str, str, str]]:
    if not len(comparisons):
        return []
    drawn = [("Paired differences", charts.plot_differences, charts.describe_differences), ("Win and loss", charts.plot_wins, charts.describe_wins)]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for title, plot, describe in drawn:
            path = Path(folder) / "figure.png"
            show_figure(plot(comparisons), path, describe(comparisons))
            found.append((title, base64.b64encode(path.read_bytes()).decode(), describe(comparisons)))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m lib.eval.compare", description=__doc__.split("\n\n")[0])
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a name, for runs/NAME, or a run's folder; the first is compared with the others")
    parser.add_argument("--common", action="store_true", help="compare on common questions where the eval sets differ")
    parser.add_argument("--out", type=Path, default=RUNS, help="folder for compare.html and compare.csv (default: runs/)")
    given = parser.parse_args(arguments)
    apply_style()
    folders = [Path(name) if Path(name).is_dir() and not (RUNS / name).is_dir() else RUNS / name for name in given.runs]
    runs = [load_run(folder) for folder in folders]
    page, comparisons = write_comparison(runs, given.out, only_common=given.common)
    rates, settings = pd.read_csv(given.out / "compare_rates.csv"), settings_table(runs)
    print("\n".join([*say_comparison(rates, comparisons), *warnings_of(runs)]))
    print(f"\n{tables.comparisons_table(comparisons).reset_index().to_string(index=False)}")
    print(f"\nSettings that differ:\n{settings.to_string(index=False)}" if len(settings) else "\nNo setting differs.")
    print(f"\n{page}")


if __name__ == "__main__":
    try:
        main()
    except BadInput as error:
        sys.exit(f"{error}")
