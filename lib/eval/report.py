"""`report.html`: one self-contained page that works from disk; every number in it comes from the run's own files."""

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader

from lib.eval.drilldown import build_questions
from lib.eval.figures import percent
from lib.eval.verdict import bounds, points, say_verdict
from lib.run import read_json, read_jsonl, write_text

TEMPLATE = "report.html.j2"


def build_report(
    *, manifest: dict, questions: Sequence[dict], chunks: Sequence[dict], answers: Sequence[dict], scores: Sequence[dict],
    summary: pd.DataFrame, slices: pd.DataFrame, comparisons: pd.DataFrame, figures: Sequence[tuple[str, Path, str]],
    top_k: int, servers: dict,
) -> str:  # fmt: skip
    """The page as text.

    Args:
        manifest: The run's `run.json`.
        questions, chunks, answers, scores: Rows of the run's files; answers and scores in the same order.
        summary, slices, comparisons: Tables of `lib.eval.summary`.
        figures: (title, PNG file, alt text), in the order shown.
        top_k: The number of passages that the verdict speaks of.
        servers: What `serving/servers.json` says; empty if nothing was served here.
    """
    # Every blank is escaped: documents, questions and replies are other people's text.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(bounds=bounds)
    environment.filters.update(percent=percent, points=points, slug=lambda text: re.sub(r"\W+", "-", text))
    drilled = build_questions(questions, chunks, answers, scores)
    return environment.get_template(TEMPLATE).render(
        run=manifest["run"],
        verdict=say_verdict(summary, slices, comparisons, top_k),
        stand_ins=_distinct(manifest.get("stand_ins", [])),
        warnings=_warnings(manifest, summary),
        summary=_records(summary), slices=_records(slices), comparisons=_records(comparisons), top_k=top_k,
        figures=[(title, base64.b64encode(Path(path).read_bytes()).decode(), alt) for title, path, alt in figures],
        questions=drilled, systems=list(dict.fromkeys(row["system"] for row in scores)),
        outcomes=sorted({name for row in drilled for name in row["outcomes"]}),
        n_answerable=sum(bool(row["answerable"]) for row in questions),
        provenance=_provenance(manifest), stages=_stages(manifest), servers=servers,
        parameters=manifest.get("parameters", {}), packages=manifest.get("packages", {}),
    )  # fmt: skip


def write_report(run_dir: Path, *, manifest: dict, figures: Sequence[tuple[str, Path, str]], top_k: int) -> Path:
    """Write `report.html` from the files that the run's folder holds; arguments as of `build_report`."""
    rows = {name: read_jsonl(run_dir / "eval" / f"{name}.jsonl") for name in ("answers", "scores")}
    tables = {name: pd.read_csv(run_dir / "eval" / f"{name}.csv") for name in ("summary", "slices", "comparisons")}
    servers = run_dir / "serving" / "servers.json"
    page = build_report(
        manifest=manifest,
        questions=read_jsonl(run_dir / "dataset" / "eval.jsonl"),
        chunks=read_jsonl(run_dir / "dataset" / "chunks.jsonl"),
        figures=figures,
        top_k=top_k,
        servers=read_json(servers) if servers.is_file() else {},
        **rows,
        **tables,
    )
    return write_text(run_dir / "report.html", page)


def _records(table: pd.DataFrame) -> list[dict]:
    """Rows with None where a table has nan."""
    return [{key: None if pd.isna(value) else value for key, value in row.items()} for row in table.to_dict("records")]


def _distinct(stand_ins: list[dict]) -> list[dict]:
    """One entry for each role and thing, whichever notebooks named it."""
    return list({(entry["role"], entry["what"]): entry for entry in stand_ins}.values())


def _warnings(manifest: dict, summary: pd.DataFrame) -> list[str]:
    found = [text for stage in manifest.get("stages", {}).values() for text in stage.get("warnings", {}).values()]
    for name, what in (
        ("failed", "requests got no reply; they count as not right"),
        ("unjudged", "answers have no readable verdict; they count as not right"),
        ("cut", "replies were cut at the longest length allowed"),
    ):
        if name in summary and (n := int(summary[name].sum())):
            found.append(f"{n} {what}.")
    return list(dict.fromkeys(found))


def _provenance(manifest: dict) -> list[tuple[str, str]]:
    git = manifest.get("git") or {}
    revision = (git.get("revision") or "no checkout") + (" with changes not committed" if git.get("dirty") else "")
    seeds = sorted({values["seed"] for values in manifest.get("parameters", {}).values() if "seed" in values})
    return [
        ("Run", manifest["run"]), ("Begun", manifest.get("created", "")), ("Seed", ", ".join(map(str, seeds))), ("Git revision", revision),
        ("Python", manifest.get("python", "")), ("Platform", f"{manifest.get('platform', '')}, {manifest.get('cpus', '?')} CPUs"),
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
