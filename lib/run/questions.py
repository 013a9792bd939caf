"""A user's file of questions and answers: 1_gen's `eval_set` and 4_eval's `more_eval_sets` are read alike.

Columns: `question` and `answer`; as far as given also `answerable` (else: whether there is an answer), `source` (path below the
documents), `evidence` (verbatim in the source) and `id`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lib.run.errors import BadInput
from lib.run.tables import read_rows

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")
COLUMNS = ("id", "question", "answer", "answerable", "source", "evidence")
_TRUTH = {"true": True, "1": True, "1.0": True, "yes": True, "false": False, "0": False, "0.0": False, "no": False}


def find_file(named: str, documents: str) -> Path | None:
    """Path of the eval set: the one named, else `eval_set.jsonl` (.json, .csv, .parquet) beside the documents, else None.

    Raises:
        BadInput: The named file does not exist or is of no known kind.
    """
    if named:
        check_file("eval_set", Path(named))
        return Path(named)
    beside = [Path(documents).parent / f"eval_set{suffix}" for suffix in SUFFIXES]
    return next((path for path in beside if path.is_file()), None)


def check_file(parameter: str, path: Path) -> None:
    """Refuse what is no file of a known kind.

    Raises:
        BadInput: Names the parameter and what was found.
    """
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{parameter}: expected a file ending in {', '.join(SUFFIXES)}, found {str(path)!r}")


def read_file(parameter: str, path: Path) -> list[dict]:
    """The rows of a file as they stand.

    Raises:
        BadInput: Names the parameter, and what is wrong with the file.
    """
    check_file(parameter, path)
    try:
        return list(read_rows(path))
    except BadInput as error:
        raise BadInput(f"{parameter}: {error}") from error


def parse_rows(where: str, rows: Sequence[Mapping], make_id: Callable[[dict, Mapping], str]) -> list[dict]:
    """The columns of every row, `answerable` true or false and all else text without space around it.

    Args:
        where: The parameter and the file, for messages.
        rows: As read.
        make_id: Gives the id of a row, from its columns (`id` among them, empty where none is given) and the row itself.

    Raises:
        BadInput: Names the first rows that cannot be used.
    """
    found, problems, ids = [], [], set()
    if rows and not any("answer" in row or "answerable" in row for row in rows):
        problems.append("no row has an answer (nor says by `answerable` that it has none)")
    for number, row in enumerate(rows, 1):
        nested = next((name for name in COLUMNS if isinstance(row.get(name), list | dict)), "")
        if nested:
            problems.append(f"row {number}: {nested} is a {type(row[nested]).__name__}, expected one text")
            continue
        said = {name: cell_text(row.get(name)) for name in COLUMNS}
        given, said["answerable"] = said["id"], cell_truth(row.get("answerable"), bool(said["answer"]))
        said["id"] = make_id(said, row)
        if not said["question"]:
            problems.append(f"row {number} has no question")
        elif said["answerable"] is None:
            problems.append(f"row {number}: answerable is {row['answerable']!r}, expected true or false")
        elif said["answerable"] and not said["answer"]:
            problems.append(f"row {number} is answerable and has no answer")
        elif said["id"] in ids:
            problems.append(f"row {number} repeats the {'id' if given else 'question'} of an earlier one")
        else:
            ids.add(said["id"])
            found.append(said)
    if problems or not found:
        names = ", ".join(rows[0]) if rows else "none"
        raise BadInput(
            f"{where}: expected rows with question and answer, found {'; '.join(problems[:5]) or 'no rows'} "
            f"({len(rows)} rows, columns {names})"
        )
    return found


def cell_text(value: object) -> str:
    """A cell as text; an empty cell (None, or a table's nan) is an empty text, and a whole number that such a cell made a fraction is whole."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # Parquet and pandas keep 1907 beside an empty cell as 1907.0
    return "" if value is None or value != value else str(value).strip()


def cell_truth(value: object, default: bool) -> bool | None:
    """Read true or false as people write it; None for anything else."""
    text = cell_text(value).lower()
    return _TRUTH.get(text) if text else default
