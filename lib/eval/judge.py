"""The judge: is a candidate answer right, given the reference? Prompt out, typed verdict in; what cannot be read is counted."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lib.llm import Request

MAX_TOKENS = 300
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "verdict",
        "strict": True,
        "schema": {
            "type": "object",
            # The reason stands first, so that the verdict is drawn from it.
            "properties": {"reason": {"type": "string"}, "verdict": {"type": "string", "enum": ["YES", "NO"]}},
            "required": ["reason", "verdict"],
            "additionalProperties": False,
        },
    },
}
_TAG = re.compile(r"<(/?)(QUESTION|REFERENCE|CANDIDATE|DOCUMENT)>", re.IGNORECASE)


@dataclass(frozen=True)
class Verdict:
    """`right` is None where nothing was judged; the reason then says why."""

    right: bool | None
    reason: str


@cache
def _instruction() -> str:
    return (Path(__file__).parent / "prompts" / "judge.txt").read_text(encoding="utf-8").strip()


def _disarm(text: str) -> str:
    return _TAG.sub(r"[\1\2]", text)


def build_request(question: str, reference: str, candidate: str) -> Request:
    """The request for one verdict; tags within the three texts are disarmed, so that none can end early."""
    parts = (("QUESTION", question), ("REFERENCE", reference), ("CANDIDATE", candidate))
    user = "\n".join(f"<{tag}>{_disarm(text)}</{tag}>" for tag, text in parts)
    messages = ({"role": "system", "content": _instruction()}, {"role": "user", "content": user})
    return Request(messages=messages, max_tokens=MAX_TOKENS, response_format=SCHEMA)


def parse_verdict(text: str) -> Verdict | None:
    """The verdict of a reply, or None: only a JSON object with `verdict` YES or NO counts, never a word found in a sentence."""
    match = re.fullmatch(r"\s*(?:```(?:json)?\s*)?(\{.*\})\s*(?:```)?\s*", text, re.DOTALL)
    try:
        value = json.loads(match[1]) if match else None
        word = value["verdict"].strip().upper() if value else ""
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    return Verdict(word == "YES", str(value.get("reason", ""))) if word in ("YES", "NO") else None


def settle(row: dict, question: dict) -> Verdict | None:
    """The verdict that needs no judge, or None where one is needed.

    Args:
        row: A row of answers.
        question: Its row of the eval set.
    """
    if not question["answerable"]:
        return Verdict(None, "no reference: the documents do not answer this question")
    if row["condition"] == "replaced":
        return Verdict(None, "control: which value the answer gives is counted instead")
    if row["error"]:
        return Verdict(None, f"no reply: {row['error']}")
    if row["refused"]:
        return Verdict(False, "refused, though the question has an answer")
    if not row["answer"].strip():
        return Verdict(False, "empty answer")
    return None


def judge_rows(rows: Sequence[dict], questions: dict[str, dict], asker) -> list[Verdict]:
    """Verdicts in the order of the rows.

    Args:
        rows: Rows of answers.
        questions: Rows of the eval set by id.
        asker: The judge.
    """
    verdicts = [settle(row, questions[row["question_id"]]) for row in rows]
    open_ = [i for i, verdict in enumerate(verdicts) if verdict is None]
    pairs = [(questions[rows[i]["question_id"]], rows[i]["answer"]) for i in open_]
    replies = asker.ask([build_request(q["question"], q["answer"], answer) for q, answer in pairs], label="verdicts")
    for i, reply in zip(open_, replies, strict=True):
        failed = Verdict(
            None,
            f"not judged: {reply.error}" if reply.error else f"not judged: unreadable verdict {reply.text[:200]!r}",
        )
        verdicts[i] = (None if reply.error else parse_verdict(reply.text)) or failed
    return verdicts
