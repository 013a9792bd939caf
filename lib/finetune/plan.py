"""What 2_finetune would do with these parameters, without spending anything: `python -m lib.finetune.plan PARAMS.json`.

Rows are counted when 1_gen has left them in the run's folder, else estimated from the documents' size.
"""

import json
import math
import sys
from pathlib import Path

from lib.finetune.estimate import estimate_rows, find_shape
from lib.finetune.settings import Launcher, Settings, check_choices
from lib.run import BadInput, read_jsonl

CHARS_A_TOKEN = 4
REPLY_TOKENS = 120
CONTAINERS = {".pdf", ".docx"}


def plan(p: dict, root: str | Path = "runs") -> list[dict]:
    """Predict the stage.

    Args:
        p: Parameters by name, all four notebooks' if they are there.
        root: Folder of all runs.

    Returns:
        Rows of item, value, unit and note.

    Raises:
        BadInput: What the notebook would refuse.
    """
    check_choices(p["backend"], p["tuning"], p["scheduler"])
    launcher, settings = Launcher.load(p["launcher"]), read_settings(p)
    shape = find_shape(p["student_model"])
    rows, length, note = _rows(p, Path(root) / p["run"] / "dataset" / "train.jsonl")
    if shape is None:
        note = f"nothing here tells the shape of {p['student_model']}: no memory and no time can be told before it is fetched"
        return [{"item": "student", "value": p["student_model"], "unit": "", "note": note}]
    limit = min(p["max_length"] or length, shape.context)
    if length > limit:
        note += f"; THE LONGEST ROW ({length} TOKENS) DOES NOT FIT {limit}: the notebook would refuse it"
    trained = round(rows * settings.epochs)
    steps = math.ceil(trained / (settings.batch_size * launcher.processes * settings.grad_accumulation))
    return estimate_rows(
        shape, launcher, settings, rows=rows, tokens=trained * length, steps=steps, length=length, note=note
    )


def read_settings(p: dict) -> Settings:
    """The hyper-parameters among the parameters."""
    return Settings(**{name: p[name] for name in Settings.__dataclass_fields__})


def _rows(p: dict, train: Path) -> tuple[int, int, str]:
    """Number of rows, tokens of the longest, and where both come from."""
    if train.is_file():
        rows = read_jsonl(train)
        chars = max(
            sum(len(m["content"]) for m in row["messages"])
            if "messages" in row
            else len(row["prompt"] + row["completion"])
            for row in rows
        )
        return (
            len(rows),
            math.ceil(chars / CHARS_A_TOKEN),
            f"counted in {train}; tokens at {CHARS_A_TOKEN} characters each",
        )
    documents = Path(p.get("documents", ""))
    if not documents.exists() or "chunk_chars" not in p:
        raise BadInput(f"documents {documents}: no such file or folder, and {train} is not there either")
    size = sum(_text_bytes(path) for path in [documents, *documents.rglob("*")] if path.is_file())
    chunks = max(1, math.ceil(size / (p["chunk_chars"] * (1 - p["p_overlap"]))))
    asked = round(chunks * (1 - p["p_test"] - p["p_valid"])) * p["questions_per_chunk"]
    rows = round(asked * (1 + p["p_refusal"]))
    length = (p["n_distractors"] + 1) * p["chunk_chars"] // CHARS_A_TOKEN + REPLY_TOKENS
    return rows, length, f"at most, from some {size / 1000:,.0f} kB of text; tokens at {CHARS_A_TOKEN} characters each"


def _text_bytes(path: Path) -> int:
    # Fonts, pictures and packing make up most of a PDF or DOCX; 1_gen's own plan reads them, this one only looks.
    return path.stat().st_size // (10 if path.suffix.lower() in CONTAINERS else 1)


if __name__ == "__main__":
    print(json.dumps(plan(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), ensure_ascii=False, indent=2))
