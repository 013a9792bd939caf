"""Further eval sets: files of questions and answers beside the frozen one, each asked of every system and reported apart.

Columns: those of `lib.run.questions`, and as far as given `context`: what is shown beside the question instead of retrieved
passages, such as a section whose summary is asked for.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lib.eval.conditions import MAIN
from lib.llm.evidence import locate
from lib.run import BadInput, text_hash
from lib.run.questions import cell_text, parse_rows, read_file


def read_sets(paths: Sequence[str], chunks: Sequence[dict]) -> dict[str, list[dict]]:
    """Rows of further eval sets by name, which is the file's stem.

    Args:
        paths: The files.
        chunks: Rows of `dataset/chunks.jsonl`, among which `lib.llm.evidence` finds each question's.

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
        found[path.stem] = _usable(path, chunks)
    return found


def _usable(path: Path, chunks: Sequence[dict]) -> list[dict]:
    def make_id(said: dict, row: Mapping) -> str:
        return f"{path.stem}:{said['id'] or text_hash(said['question'] + _flat(row.get('context')))[:12]}"

    rows, found = read_file("more_eval_sets", path), []
    for number, row in enumerate(rows, 1):
        if not all(isinstance(part, str) for part in _parts(row.get("context"))):
            raise BadInput(
                f"more_eval_sets: {path}: row {number}: expected a text or a list of texts as context; "
                "of RAFT rows `python -m lib.gen.convert IN OUT --format eval` makes an eval set"
            )
    parsed = parse_rows(f"more_eval_sets: {path}", rows, make_id)
    for said, row, place in zip(parsed, rows, locate(parsed, chunks), strict=True):
        context = _context(row.get("context"))
        if context and not (said["source"] or said["evidence"]):  # what it was asked about is at hand, and need not be guessed
            place = {"chunk_id": "", "source": "", "split": ""}
        found.append({**said, **place, "eval_set": path.stem, "context": context})
    return found


def _context(value: object) -> str | list[str]:
    """One text, or several: a list (of JSON, of Parquet) is several documents."""
    return _parts(value) if hasattr(value, "__iter__") and not isinstance(value, str) else cell_text(value)


def _parts(value: object) -> list:
    """What a context is made of, texts unless the file holds something else: the items of a list, else one text or object."""
    if isinstance(value, Mapping):
        return [value]
    return list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else [cell_text(value)]


def _flat(value: object) -> str:
    held = _context(value)
    return held if isinstance(held, str) else "\n".join(held)
