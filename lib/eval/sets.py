"""Further eval sets: files of questions and answers beside the frozen one, each asked of every system and reported apart.

Columns: `question` and `answer`; as far as given `answerable`, `source`, `evidence` (verbatim in a document), `id`, and
`context`: what is shown beside the question instead of retrieved passages, such as a section whose summary is asked for.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from lib.eval.conditions import MAIN
from lib.eval.text import content, holds_answer, squeeze
from lib.run import BadInput, text_hash

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")
_TRUTH = {"true": True, "1": True, "1.0": True, "yes": True, "false": False, "0": False, "0.0": False, "no": False}


def read_sets(paths: Sequence[str], chunks: Sequence[dict]) -> dict[str, list[dict]]:
    """Rows of further eval sets by name, which is the file's stem.

    Args:
        paths: The files.
        chunks: Rows of `dataset/chunks.jsonl`; a chunk that holds the evidence becomes the question's.

    Returns:
        Rows like those of `dataset/eval.jsonl`, with `eval_set`, ids that begin with its name, and `context`, empty for none.

    Raises:
        BadInput: A file that cannot be read, a row that cannot be used, or two files of one name.
    """
    found: dict[str, list[dict]] = {}
    for path in map(Path, paths):
        if path.stem in found or path.stem == MAIN:
            raise BadInput(
                f"more_eval_sets: expected files of different names, none of them {MAIN}; found {path.stem!r} again"
            )
        found[path.stem] = _usable(path, read_rows(path), chunks)
    return found


def read_rows(path: Path) -> list[dict]:
    """A file's rows as they stand."""
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"more_eval_sets: expected files ending in {', '.join(SUFFIXES)}; found {str(path)!r}")
    import pandas as pd

    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path).to_dict("records")
        if path.suffix.lower() == ".csv":
            return pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("records")
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            rows = json.loads(text)
        else:
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError("expected a list of objects")
        return rows
    except Exception as error:  # pandas and json raise many kinds; all mean that the user's file is broken
        raise BadInput(f"more_eval_sets: {path} cannot be read: {type(error).__name__}: {error}") from error


def _usable(path: Path, rows: list[dict], chunks: Sequence[dict]) -> list[dict]:
    found, problems, ids = [], [], set()
    for number, row in enumerate(rows, 1):
        said = {name: _text(row.get(name)) for name in ("id", "question", "answer", "source", "evidence")}
        answerable = _truth(row.get("answerable"), bool(said["answer"]))
        key = f"{path.stem}:{said['id'] or text_hash(said['question'] + _flat(row.get('context')))[:12]}"
        if not said["question"]:
            problems.append(f"row {number} has no question")
        elif answerable is None or (answerable and not said["answer"]):
            problems.append(f"row {number}: answerable is {row.get('answerable')!r} and the answer {said['answer']!r}")
        elif key in ids:
            problems.append(f"row {number} repeats an earlier one")
        ids.add(key)
        held = _holder(said, chunks) if answerable else None
        found.append(
            {
                **said, "id": key, "answerable": answerable, "chunk_id": held["chunk_id"] if held else "",
                "source": said["source"] or (held["source"] if held else ""), "split": held.get("split", "") if held else "",
                "eval_set": path.stem, "context": _context(row.get("context")),
            }
        )  # fmt: skip
    if problems or not found:
        raise BadInput(
            f"more_eval_sets: {path}: expected rows with question and answer; found {'; '.join(problems[:5]) or 'no rows'}"
        )
    return found


def _text(value: object) -> str:
    """A cell as text; an empty cell (None, or a table's nan) is an empty text."""
    return "" if value is None or value != value else str(value).strip()


def _truth(value: object, default: bool) -> bool | None:
    return _TRUTH.get(_text(value).lower()) if _text(value) else default


def _context(value: object) -> str | list[str]:
    """One text, or several: a list (of JSON, of Parquet) is several documents."""
    return [str(part) for part in value] if hasattr(value, "__iter__") and not isinstance(value, str) else _text(value)


def _flat(value: object) -> str:
    held = _context(value)
    return held if isinstance(held, str) else "\n".join(held)


def _holder(said: dict, chunks: Sequence[dict]) -> dict | None:
    """The chunk that holds the evidence; without evidence the one chunk of the source that may hold the answer."""
    held = [chunk for chunk in chunks if not said["source"] or chunk["source"] == said["source"]]
    if said["evidence"]:
        wanted = squeeze(said["evidence"]).casefold()
        return next((chunk for chunk in held if wanted in squeeze(chunk["text"]).casefold()), None)
    may = [chunk for chunk in held if holds_answer(content(chunk["text"]), said["answer"])] if said["source"] else []
    return may[0] if len(may) == 1 else None
