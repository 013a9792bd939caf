"""The frozen eval set: the user's file of questions and answers, or held-out generated questions; evidence found in chunks.

What a generated eval set means. Its answerable questions were written from test chunks, which training never saw but
retrieval finds, since they stay in the corpus: they measure reading of new passages, in the teacher's wordings. For its
unanswerable ones some test chunks are taken out of the corpus altogether and their questions kept, save those that
another chunk may answer: the right reply is a refusal, because what would answer is really gone.
"""

import csv
import io
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lib.gen.records import Answer, Chunk, Drop, content_id
from lib.gen.text import facts, holds_answer, squeeze, words
from lib.run import BadInput

P_UNANSWERABLE = 0.2  # share of a generated eval set's chunks that are taken out of the corpus
SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")


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


def find_eval_set(eval_set: str, documents: str) -> Path | None:
    """Path of the user's eval set: the one named, else `eval_set.jsonl` (.json, .csv, .parquet) beside the documents, else None.

    Raises:
        BadInput: The named file does not exist or is of no known kind.
    """
    if eval_set:
        path = Path(eval_set)
        if not path.is_file() or path.suffix.lower() not in SUFFIXES:
            raise BadInput(f"eval_set: expected a file ending in {', '.join(SUFFIXES)}, found {eval_set!r}")
        return path
    beside = [Path(documents).parent / f"eval_set{suffix}" for suffix in SUFFIXES]
    return next((path for path in beside if path.is_file()), None)


def read_eval_set(path: Path) -> list[EvalQuestion]:
    """Read a user's questions and answers.

    Columns: `question` and `answer`; as far as given also `answerable` (else: whether there is an answer), `source` (path
    below the documents), `evidence` (verbatim in the source) and `id`.

    Raises:
        BadInput: Names the first rows that cannot be used.
    """
    rows = _read_rows(path)
    questions, problems, ids = [], [], set()
    for number, row in enumerate(rows, 1):
        value = {name: _text(row.get(name)) for name in ("id", "question", "answer", "source", "evidence")}
        answerable = _claim(row.get("answerable"), bool(value["answer"]))
        value["id"] = value["id"] or content_id(value["question"])
        if not value["question"]:
            problems.append(f"row {number} has no question")
        elif answerable is None:
            problems.append(f"row {number}: answerable is {row['answerable']!r}, expected true or false")
        elif answerable and not value["answer"]:
            problems.append(f"row {number} is answerable and has no answer")
        elif value["id"] in ids:
            problems.append(f"row {number} repeats the {'id' if row.get('id') else 'question'} of an earlier one")
        else:
            ids.add(value["id"])
            questions.append(EvalQuestion(answerable=answerable, **value))
    if problems or not questions:
        columns = ", ".join(rows[0]) if rows else "none"
        found = "; ".join(problems[:5]) or "no rows"
        raise BadInput(
            f"eval_set: {path}: expected rows with question and answer, found {found} ({len(rows)} rows, columns {columns})"
        )
    return questions


def _read_rows(path: Path) -> list[dict]:
    import pandas as pd

    from lib.gen.readers.text import decode

    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            return pd.read_parquet(path).to_dict("records")
        if suffix == ".csv":
            return list(csv.DictReader(io.StringIO(decode(path.read_bytes()), newline="")))
        text = decode(path.read_bytes())
        rows = (
            json.loads(text) if suffix == ".json" else [json.loads(line) for line in text.split("\n") if line.strip()]
        )
        rows = rows if isinstance(rows, list) else [rows]
        if not all(isinstance(row, dict) for row in rows):
            raise ValueError("expected objects")
        return rows
    except Exception as error:  # pandas and json raise many kinds; all mean that the user's file is broken
        raise BadInput(f"eval_set: {path} cannot be read: {type(error).__name__}: {error}") from error


def _text(value: object) -> str:
    """A cell as text; an empty cell (None, or a table's nan) is an empty text."""
    return "" if value is None or value != value else str(value).strip()


def _claim(value: object, default: bool) -> bool | None:
    """Read true or false as people write it; None for anything else."""
    if value is None or value == "" or value != value:
        return default
    return {
        "true": True,
        "1": True,
        "1.0": True,
        "yes": True,
        "false": False,
        "0": False,
        "0.0": False,
        "no": False,
    }.get(str(value).strip().lower())


def locate_evidence(questions: Sequence[EvalQuestion], chunks: Sequence[Chunk]) -> list[EvalQuestion]:
    """Find the chunk that holds each answer, and the split of its document.

    The evidence decides, compared word by word, since extraction changes marks and line breaks; where a chunk border cuts
    it, the chunk with the most of it, at least half. Without evidence: the one chunk of the source that may hold the answer.
    """
    by_source: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        by_source.setdefault(chunk.source, []).append(chunk)
    located = []
    for question in questions:
        held = by_source.get(question.source, [] if question.source else list(chunks))
        chunk = _holder(question, held) if question.answerable else None
        splits = {c.split for c in held} if question.source else set()
        split = chunk.split if chunk else splits.pop() if len(splits) == 1 else ""
        source = question.source or (chunk.source if chunk else "")
        located.append(replace(question, chunk_id=chunk.chunk_id if chunk else "", split=split, source=source))
    return located


def _holder(question: EvalQuestion, chunks: Sequence[Chunk]) -> Chunk | None:
    if not question.evidence:
        may = [chunk for chunk in chunks if holds_answer(facts(chunk.text), question.answer)]
        return may[0] if len(may) == 1 else None
    wanted = words(question.evidence)
    best, most = None, 0.5
    for chunk in chunks:
        score = _overlap(wanted, words(chunk.text))
        if score > most or (score == most and best is None):
            best, most = chunk, score
    return best


def _overlap(wanted: list[str], found: list[str]) -> float:
    """Share of `wanted` that stands in `found` as one run from its start or to its end."""
    flat = f" {' '.join(found)} "
    if f" {' '.join(wanted)} " in flat:
        return 1.0
    for n in range(len(wanted) - 1, len(wanted) // 2 - 1, -1):
        if any(f" {' '.join(part)} " in flat for part in (wanted[:n], wanted[-n:])):
            return n / len(wanted)
    return 0.0


def build_eval_set(
    answers: Sequence[Answer], chunks: Sequence[Chunk], rng: random.Random
) -> tuple[list[EvalQuestion], list[Chunk], list[Drop]]:
    """Make an eval set of the verified questions of test chunks; take some of these chunks out of the corpus.

    Args:
        answers: Verified answers; those of other splits are ignored.
        chunks: The whole corpus.
        rng: The only source of chance.

    Returns:
        The questions in order, the chunks that stay in the corpus, and what was dropped: removed chunks, and questions of
        removed chunks that another chunk may answer.

    Raises:
        BadInput: No question of a test chunk was answered.
    """
    by_id = {chunk.chunk_id: chunk for chunk in chunks}
    asked = [answer for answer in answers if by_id[answer.question.chunk_id].split == "test"]
    if not asked:
        raise BadInput(
            "eval_set: no generated question fell into the test split; raise p_test, add documents, or give an eval_set file"
        )
    order = sorted({answer.question.chunk_id for answer in asked})
    rng.shuffle(order)
    held = {chunk.chunk_id: (facts(chunk.text), squeeze(chunk.text)) for chunk in chunks}
    n_removed = max(int(P_UNANSWERABLE * len(order) + 0.5), min(1, len(order) - 1))
    removed: list[str] = []
    orphans: dict[str, str] = {}  # question_id -> fate
    for chunk_id in order:
        if len(removed) == n_removed:
            break
        rest = [known for other, known in held.items() if other != chunk_id]
        fates = {a.question.question_id: _fate(a, rest) for a in asked if a.question.chunk_id == chunk_id}
        if "unanswerable" in fates.values():
            removed.append(chunk_id)
            orphans |= fates
            del held[chunk_id]
    questions: list[EvalQuestion] = []
    dropped: list[Drop] = []
    for chunk_id in removed:
        chunk = by_id[chunk_id]
        dropped.append(
            Drop("eval", "chunk taken out of the corpus for unanswerable questions", chunk_id, chunk.source, chunk.text)
        )
    for answer in asked:
        question, chunk = answer.question, by_id[answer.question.chunk_id]
        fate = orphans.get(question.question_id)
        if fate == "answerable":
            dropped.append(
                Drop(
                    "eval",
                    "its chunk is gone, another may answer it",
                    question.question_id,
                    chunk.source,
                    question.question,
                )
            )
        elif fate:
            questions.append(
                EvalQuestion(question.question_id, question.question, "", False, chunk.source, split="test")
            )
        else:
            where = {"chunk_id": chunk.chunk_id, "evidence": answer.quotes[0], "split": "test"}
            questions.append(
                EvalQuestion(question.question_id, question.question, answer.answer, True, chunk.source, **where)
            )
    return questions, [chunk for chunk in chunks if chunk.chunk_id not in removed], dropped


def _fate(answer: Answer, rest: list[tuple[set[str], str]]) -> str:
    """Whether a question can still be answered when its chunk is gone; a chunk that says the answer and all names of the question may."""
    about = facts(answer.question.question)
    for known, flat in rest:
        near = len(about & known) >= 0.5 * len(about)
        if any(squeeze(quote) in flat for quote in answer.quotes) or (near and holds_answer(known, answer.answer)):
            return "answerable"
    return "unanswerable"


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
