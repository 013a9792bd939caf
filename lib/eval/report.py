"""`report.html`: one self-contained page that works from disk; every number in it comes from the run's own files."""

import base64
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from lib.eval import cells
from lib.eval.changes import best_and_worst, compared_systems, find_changes
from lib.eval.drilldown import build_data, pack
from lib.eval.verdict import points, say_verdict
from lib.run import read_jsonl, write_text
from lib.run.leftovers import read_servers

PAGE = Path(__file__).parent / "page"
TEMPLATE, SCRIPTS = "report.html.j2", ("tables.js", "questions.js")
TABLES = ("summary", "slices", "comparisons", *cells.FURTHER)


def build_report(
    *, manifest: dict, questions: Sequence[dict], chunks: Sequence[dict], answers: Sequence[dict], scores: Sequence[dict],
    tables: dict[str, pd.DataFrame], figures: Sequence[tuple[str, Path, str]], skipped: Sequence[tuple[str, str]], top_k: int,
    servers: dict,
) -> str:  # fmt: skip
    """The page as text.

    Args:
        manifest: The run's `run.json`.
        questions, chunks, answers, scores: Rows of the run's files; answers and scores in the same order.
        tables: The run's tables by name: summary, slices and comparisons, and those of `cells.FURTHER` that it has.
        figures: (title, PNG file, alt text), in the order shown.
        skipped: (title, reason) of figures that the run has no data for.
        top_k: The number of passages that the verdict speaks of.
        servers: What `serving/servers.json` says; empty if nothing was served here.
    """
    pair = compared_systems(scores)
    changes = find_changes(scores, answers, pair, top_k) if pair else []
    best, worst = best_and_worst(changes)
    return environment().get_template(TEMPLATE).render(
        run=manifest["run"],
        verdict=say_verdict(tables["summary"], tables["slices"], tables["comparisons"], top_k),
        stand_ins=_distinct(manifest.get("stand_ins", [])),
        warnings=_warnings(manifest, scores),
        results=cells.build_grid("summary", "Results by system and top-k", tables["summary"], cells.RESULTS),
        measures=cells.build_grid("summary", "Further measures by system and top-k", tables["summary"], cells.MEASURES),
        comparisons=cells.build_grid("comparisons", "Paired differences", tables["comparisons"], [("Where", False, cells.word("where")), *cells.COMPARED]),
        slices=cells.build_grid("slices", "Slices", tables["slices"], cells.SLICES),
        further=[
            (title, said, cells.build_grid(name, title, tables[name], columns))
            for name, (title, said, columns) in cells.FURTHER.items() if name in tables and len(tables[name])
        ],
        figures=[(title, base64.b64encode(Path(path).read_bytes()).decode(), alt) for title, path, alt in figures], skipped=skipped,
        pair=pair, best=best, worst=worst, changes=changes, asked={row["id"]: row for row in questions}, top_k=top_k,
        data=pack(build_data(questions, chunks, answers, scores)), style=page_file("style.css"),
        scripts=Markup("").join(page_file(name) for name in SCRIPTS),
        n_asked=len({row["question_id"] for row in scores}), n_answers=len(scores),
        n_answerable=sum(bool(row["answerable"]) for row in questions if row.get("eval_set", "eval") == "eval"),
        provenance=_provenance(manifest), stages=_stages(manifest), servers=servers,
        parameters=manifest.get("parameters", {}), packages=manifest.get("packages", {}),
    )  # fmt: skip


def environment() -> Environment:
    """Jinja over this folder. Every blank is escaped: documents, questions and replies are other people's text."""
    made = Environment(
        loader=FileSystemLoader(PAGE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(points=points, slug=lambda text: re.sub(r"\W+", "-", text))
    return made


def page_file(name: str) -> Markup:
    """A file of the page that is this project's own, so that it needs no escaping."""
    return Markup((PAGE / name).read_text(encoding="utf-8"))


def write_report(
    run_dir: Path, *, manifest: dict, figures: Sequence[tuple[str, Path, str]], top_k: int, skipped: Sequence[tuple[str, str]] = (),
    questions: Sequence[dict] | None = None,
) -> Path:  # fmt: skip
    """Write `report.html` from the files that the run's folder holds.

    Args:
        run_dir: The run's folder.
        manifest, figures, top_k, skipped: As of `build_report`.
        questions: Rows of all eval sets; None for the frozen one alone.
    """
    rows = {name: read_jsonl(run_dir / "eval" / f"{name}.jsonl") for name in ("answers", "scores")}
    paths = {name: run_dir / "eval" / f"{name}.csv" for name in TABLES}
    page = build_report(
        manifest=manifest,
        questions=read_jsonl(run_dir / "dataset" / "eval.jsonl") if questions is None else questions,
        chunks=read_jsonl(run_dir / "dataset" / "chunks.jsonl"),
        tables={name: pd.read_csv(path) for name, path in paths.items() if path.is_file()},
        figures=figures,
        skipped=skipped,
        top_k=top_k,
        servers=read_servers(run_dir),
        **rows,
    )
    return write_text(run_dir / "report.html", page)


def _distinct(stand_ins: list[dict]) -> list[dict]:
    """One entry for each role and thing, whichever notebooks named it."""
    return list({(entry["role"], entry["what"]): entry for entry in stand_ins}.values())


def _warnings(manifest: dict, scores: Sequence[dict]) -> list[str]:
    """What the notebooks warned of, and how many answers of all that were asked, controls and further sets too, are none."""
    found = [text for stage in manifest.get("stages", {}).values() for text in stage.get("warnings", {}).values()]
    for what, end, is_such in (
        ("requests got no reply", "; they count as not right", lambda row: row["failed"]),
        ("answers have no readable verdict", "; they count as not right", lambda row: row["outcome"] == "not judged"),
        ("replies were cut at the longest length allowed", "", lambda row: row["cut"]),
    ):
        if counts := Counter(row["condition"] for row in scores if is_such(row)):
            where = ", ".join(f"{condition} {n}" for condition, n in counts.items())
            found.append(f"{counts.total()} {what} ({where}){end}.")
    return list(dict.fromkeys(found))


def _provenance(manifest: dict) -> list[tuple[str, str]]:
    git = manifest.get("git") or {}
    revision = (git.get("revision") or "no checkout") + (" with changes not committed" if git.get("dirty") else "")
    models = {name: model for stage in manifest.get("stages", {}).values() for name, model in stage.get("models", {}).items()}
    inputs = {path: sha for stage in manifest.get("stages", {}).values() for path, sha in stage.get("inputs", {}).items()}
    hashes = [(what, sha[:16]) for what, name in (("Eval set", "eval.jsonl"), ("Chunks", "chunks.jsonl")) for path, sha in inputs.items()
              if path.endswith(f"dataset/{name}")]  # fmt: skip
    seeds = sorted({values["seed"] for values in manifest.get("parameters", {}).values() if "seed" in values})
    return [
        ("Run", manifest["run"]), ("Begun", manifest.get("created", "")), ("Seed", ", ".join(map(str, seeds))), ("Git revision", revision),
        ("Python", manifest.get("python", "")), ("Platform", f"{manifest.get('platform', '')}, {manifest.get('cpus', '?')} CPUs"),
        ("Models", ", ".join(f"{name}: {model}" for name, model in models.items()) or "not recorded"),
        *((f"{what}, sha256", sha) for what, sha in dict(hashes).items()),
    ]  # fmt: skip


def _stages(manifest: dict) -> list[dict]:
    """Per notebook: minutes, and per role requests, tokens and cost."""
    rows = []
    for name, stage in manifest.get("stages", {}).items():
        costs = stage.get("cost_usd", {})
        roles = [{"role": role, **counts, "cost": costs.get(role)} for role, counts in stage.get("tokens", {}).items()]
        rows.append(
            {
                "name": name,
                "status": stage.get("status"),
                "time": _duration(stage),
                "counts": stage.get("counts", {}),
                "roles": roles,
            }
        )
    return rows


def _duration(stage: dict) -> str:
    try:
        start = datetime.fromisoformat(stage["started"])
        end = datetime.fromisoformat(stage["ended"]) if stage.get("ended") else datetime.now(UTC)
    except (KeyError, TypeError, ValueError):
        return "–"
    seconds = int((end - start).total_seconds())
    return f"{seconds // 60} min {seconds % 60} s" + ("" if stage.get("ended") else ", up to this report")
