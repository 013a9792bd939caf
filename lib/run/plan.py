"""`--plan`: asks every stage room what a run would do and cost, and prints it. Spends nothing and writes nothing.

A room answers `python -m lib.<room>.plan PARAMS.json` with a JSON list of `{item, value, unit, note}`. With `check` after it the room only
refuses what the parameters tell will not work: a run asks for that before its first stage is paid.
"""

import json
import subprocess
import sys
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOMS = {"1_gen": "gen", "2_finetune": "finetune", "3_deploy": "deploy", "4_eval": "eval"}
CHECK_TIMEOUT_S = 120
TIMEOUT_S = 1800  # reading and cutting documents is part of a plan: 200 MB of text take minutes
NOTE_CHARS = 120


def plan_run(values: dict, notebooks: list[str], folder: Path) -> tuple[str, list[str]]:
    """The plan of the chosen notebooks as text, and the problems that the rooms found, one line each."""
    with tempfile.TemporaryDirectory() as scratch:
        parameters = Path(scratch) / "parameters.json"
        parameters.write_text(json.dumps(values), encoding="utf-8")
        first = {n: _ask(n, parameters, folder) for n in notebooks if n == "1_gen"}
        foretold = {row["item"]: row["value"] for rows, _ in first.values() for row in rows}
        parameters.write_text(json.dumps(values | {"foretold": foretold}), encoding="utf-8")  # what the next stages will find
        with ThreadPoolExecutor() as pool:
            answers = list(pool.map(lambda n: first.get(n) or _ask(n, parameters, folder), notebooks))
    tables, problems, everything = [], [], []
    for notebook, (rows, problem) in zip(notebooks, answers, strict=True):
        if problem:
            problems.append(problem)
        else:
            tables.append(f"{notebook}\n{format_rows(rows)}")
            everything += rows
    if totals := add_up(everything):
        tables.append(f"in all\n{format_rows(totals)}")
    return "\n\n".join(tables), problems


def check_rooms(values: dict, notebooks: list[str], folder: Path, told: list[str]) -> list[str]:
    """What the rooms of the chosen notebooks refuse of the parameters: a line for each parameter of which `told` has none."""
    asked = [n for n in notebooks if (folder / "lib" / ROOMS[n] / "plan.py").is_file()]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor() as pool:
        parameters = Path(scratch) / "parameters.json"
        parameters.write_text(json.dumps(values), encoding="utf-8")
        problems = [problem for _, problem in pool.map(lambda n: _ask(n, parameters, folder, "check"), asked) if problem]
    named, new = {line.split()[0].rstrip(":") for line in told}, []
    for problem in problems:
        name = problem.split()[1].rstrip(":")  # after the notebook's
        if name not in named:
            named.add(name)
            new.append(problem)
    return new


def _ask(notebook: str, parameters: Path, folder: Path, *only: str) -> tuple[list[dict], str | None]:
    command = [sys.executable, "-m", f"lib.{ROOMS[notebook]}.plan", str(parameters), *only]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_TIMEOUT_S if only else TIMEOUT_S, cwd=folder)
    except subprocess.TimeoutExpired:
        if only:
            return [], f"{notebook}: parameters not checked within {CHECK_TIMEOUT_S} s; start again on an idle machine"
        return [], f"{notebook}: no plan within {TIMEOUT_S // 60} minutes; plan with a part of the documents, or on an idle machine"
    if answer.returncode:
        last = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        return [], f"{notebook}: {last.removeprefix('lib.run.errors.BadInput: ')}"
    return json.loads(answer.stdout), None


def format_rows(rows: list[dict]) -> str:
    """Rows as aligned columns: item, value, unit, note; a long note goes on below itself, since its end says what to do."""
    cells = [
        (row["item"], _number(row["value"]), row.get("unit") or "", _lines(row.get("note") or ""))
        for row in rows
    ]  # fmt: skip
    item, value, unit = (max((len(cell[i]) for cell in cells), default=0) for i in range(3))
    below = "\n" + " " * (item + value + unit + 7)
    return "\n".join(f"  {c[0]:<{item}}  {c[1]:>{value}} {c[2]:<{unit}}  {below.join(c[3])}".rstrip() for c in cells)


def _lines(note: str) -> list[str]:
    return textwrap.wrap(note, NOTE_CHARS, break_long_words=False, break_on_hyphens=False)


def add_up(rows: list[dict]) -> list[dict]:
    """Sums of what adds up over the stages: minutes, money, and calls."""
    totals = []
    for unit in ("calls", "tokens", "minutes", "USD"):
        numbers = [row["value"] for row in rows if row.get("unit") == unit and isinstance(row["value"], int | float)]
        if numbers:
            totals.append(
                {"item": unit, "value": sum(numbers), "unit": unit, "note": f"sum of {len(numbers)} lines above"}
            )
    return totals


def _number(value) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
