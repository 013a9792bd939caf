"""The records that pass from one stage of generation to the next, and the ids made from their content."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from lib.run import BadInput

GENERAL = "general"
API = "api call"


def content_id(*parts: str) -> str:
    """Return 16 hexadecimal digits that depend on nothing but the parts."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


class Mark(NamedTuple):
    """From `start` (a character offset in a document's text) on, the text stands on `page` under `section`."""

    start: int
    page: int | None = None
    section: str = ""


@dataclass(frozen=True)
class Document:
    """One document as plain text; `type` is `general` or `api call` (kept in one chunk)."""

    doc_id: str
    source: str
    title: str
    text: str
    marks: tuple[Mark, ...] = (Mark(0),)
    type: str = GENERAL


@dataclass(frozen=True)
class Chunk:
    """One passage: what a question is written from, what is shown in a context, and what retrieval returns."""

    chunk_id: str
    doc_id: str
    source: str
    title: str
    page: int | None
    section: str
    text: str
    n_chars: int
    n_tokens: int
    split: str = ""
    duplicate_group: str = ""  # chunks of one group are near-duplicates; alone: its own id
    type: str = GENERAL


@dataclass(frozen=True)
class Question:
    """One question written from one chunk; `teacher`, `prompt_sha256` and `style` say how it was made.

    `history` are the turns before it in a conversation, the asker's and the teacher's in turn.
    """

    question_id: str
    chunk_id: str
    question: str
    teacher: str
    prompt_sha256: str
    style: str = "default"
    history: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A verified answer: `cot_answer` as the teacher wrote it, `answer` what follows the tag, `quotes` verbatim in the oracle."""

    question: Question
    cot_answer: str
    answer: str
    quotes: tuple[str, ...]
    repaired: bool = False


@dataclass(frozen=True)
class Example:
    """One RAFT row before it is written; `context` are the chunks shown, in order."""

    kind: str  # oracle, no_oracle or refusal
    question: Question
    oracle: Chunk
    context: tuple[Chunk, ...]
    cot_answer: str
    answer: str
    split: str
    hard_ids: tuple[str, ...] = ()  # chunk_ids of the distractors that came from retrieval


@dataclass(frozen=True)
class Drop:
    """Something left out: at which stage, why (the same words for the same reason), which one, where from, how it began."""

    stage: str
    reason: str
    id: str
    source: str
    text: str = ""
    detail: str = ""

    def row(self) -> dict:
        """The line of `dataset/rejected.jsonl`."""
        return asdict(self)


def most_common(drops: Sequence[Drop]) -> str:
    """Say, for an error message, why most of what was dropped was dropped, with one example."""
    if not drops:
        return "there was nothing to ask"
    reason, n = Counter(drop.reason for drop in drops).most_common(1)[0]
    example = next(drop for drop in drops if drop.reason == reason)
    return f"{n} of {len(drops)} dropped as: {reason} (for example {' '.join((example.detail or example.text).split())[:120]!r})"


def teacher_failed(what: str, drops: Sequence[Drop]) -> BadInput:
    """The error for a teacher that gave nothing to train on: what is missing, why, with an example, and what to do about it."""
    stage, reason = Counter((drop.stage, drop.reason) for drop in drops).most_common(1)[0][0] if drops else ("", "")
    if stage not in ("ask", "answer"):  # its replies were well, and left out for other reasons
        todo = ""
    elif reason == "endpoint error":
        todo = "; mend what its endpoint says, or set the TEACHER_ variables to another"
    else:
        thinks = "does not think aloud at length, and " if reason == "cut off" else ""
        todo = (
            f"; take a teacher that {thinks}follows instructions better: an instruct model of some billion parameters in "
            "TEACHER_LOCAL_MODEL, or an endpoint in TEACHER_OPENAI_BASE_URL and TEACHER_OPENAI_DEPLOYMENT; or give it prompts that it "
            "understands (prompts_dir). Every reply is in requests.sqlite of the run"
        )
    return BadInput(f"teacher: {what}; {most_common(drops)}{todo}")
