"""The frozen eval set: its record, the user's file of questions and answers, their chunks, its hash.

Eval sets made of generated questions are `lib/gen/heldout.py`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lib.gen.records import Chunk, content_id
from lib.llm.evidence import locate
from lib.run import BadInput, file_hash, write_jsonl
from lib.run.questions import COLUMNS, parse_rows, read_file

ORIGINS = ("documents", "rows")


@dataclass(frozen=True)
class EvalQuestion:
    """One line of `dataset/eval.jsonl`; `split` is that of the source document: train, valid, test or empty for none."""

    id: str
    question: str
    answer: str
    answerable: bool
    source: str = ""
    chunk_id: str = ""
    evidence: str = ""
    split: str = ""

    def row(self) -> dict:
        """The line as written."""
        return asdict(self)


def parse_columns(eval_columns: Sequence[str]) -> dict[str, str]:
    """Which column of the user's file holds what: `["question=prompt"]` reads questions from the column `prompt`.

    Raises:
        BadInput: Not `name=column`, or a name that an eval set does not have.
    """
    columns = {name: name for name in COLUMNS}
    for entry in eval_columns:
        name, _, column = str(entry).partition("=")
        if name.strip() not in COLUMNS or not column.strip():
            raise BadInput(f"eval_columns: expected name=column with a name of {', '.join(COLUMNS)}, found {entry!r}")
        columns[name.strip()] = column.strip()
    return columns


def read_eval_set(path: Path, eval_columns: Sequence[str] = ()) -> list[EvalQuestion]:
    """Read a user's questions and answers.

    Columns: those of `lib.run.questions`; other names by `eval_columns` (`parse_columns`).

    Raises:
        BadInput: Names the first rows that cannot be used, or the column that is not there.
    """
    columns = parse_columns(eval_columns)
    rows = read_file("eval_set", path)
    missing = [c for name, c in columns.items() if c != name and rows and not any(c in row for row in rows)]
    if missing:
        raise BadInput(f"eval_columns: expected a column {missing[0]!r} in {path}, found {', '.join(rows[0])}")
    lacks = [] if any(columns["question"] in row for row in rows) else ["question"]
    lacks += [] if any(columns[name] in row for row in rows for name in ("answer", "answerable")) else ["answer"]
    if rows and lacks:
        raise BadInput(
            f"eval_set: {path}: row 1 has no {' and no '.join(lacks)}, and no row has: the columns are {', '.join(map(str, rows[0]))}; "
            "name those that hold question and answer: eval_columns ['question=…', 'answer=…']"
        )
    rows = [{name: row.get(column) for name, column in columns.items() if column in row} for row in rows]
    found = parse_rows(f"eval_set: {path}", rows, lambda said, _: said["id"] or content_id(said["question"]))
    return [EvalQuestion(**said) for said in found]


def locate_evidence(questions: Sequence[EvalQuestion], chunks: Sequence[Chunk]) -> list[EvalQuestion]:
    """Find the chunk that holds each answer, and the split of its document (`lib.llm.evidence`)."""
    found = locate([question.row() for question in questions], [vars(chunk) for chunk in chunks])
    return [replace(question, **place) for question, place in zip(questions, found, strict=True)]


def describe_origin(eval_path: Path | None, eval_from: str) -> str:
    """Where the eval set's questions come from, in words."""
    if eval_path:
        return f"questions of `{eval_path}`"
    if eval_from == "rows":
        return "generated questions held out row by row (weak: training sees their passages and their other questions)"
    return "generated questions of documents kept out of training"


def freeze(path: Path, questions: Sequence[EvalQuestion], expected: str = "") -> str:
    """Write `eval.jsonl` and return its SHA-256, which freezes it.

    Args:
        path: Where to.
        questions: The eval set.
        expected: The hash that it must have; empty for any.

    Raises:
        BadInput: Another hash came out; the file is written, so that the two can be compared.
    """
    found = file_hash(write_jsonl(path, [question.row() for question in questions]))
    if expected and found != expected.lower():
        raise BadInput(
            f"eval_sha256: expected {expected}, found {found}: the eval set in {path} is not the frozen one. Use the documents, "
            "questions and seed it was made with, or take the new hash and compare no score with an older one"
        )
    return found


def eval_table(questions: Sequence[EvalQuestion]):
    """Questions by split of their document, counted: split, questions, answerable, unanswerable, chunk_known."""
    import pandas as pd

    rows = []
    for split in ("train", "valid", "test", ""):
        held = [question for question in questions if question.split == split]
        if held:
            n = sum(question.answerable for question in held)
            known = sum(bool(question.chunk_id) for question in held)
            rows.append(
                {
                    "split": split or "none",
                    "questions": len(held),
                    "answerable": n,
                    "unanswerable": len(held) - n,
                    "chunk_known": known,
                }
            )
    return pd.DataFrame(rows)
