"""Self-curation: a judge reads every verified pair and says, reason first, whether it is worth training on."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lib.gen.prompt import fill, read_parts
from lib.gen.records import Answer, Chunk, Drop, most_common
from lib.gen.structured import takes_schema
from lib.gen.text import without_thoughts
from lib.llm import Request, connect
from lib.run import BadInput

MAX_TOKENS = 300
REJECTED = "the judge would not train on it"
UNREAD = "the judge's verdict could not be read"
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "curation",
        "strict": True,
        "schema": {
            "type": "object",
            # The reason stands first, so that the verdict is drawn from it.
            "properties": {"reason": {"type": "string"}, "verdict": {"type": "string", "enum": ["KEEP", "DROP"]}},
            "required": ["reason", "verdict"],
            "additionalProperties": False,
        },
    },
}
_TAG = re.compile(r"<(/?)(QUESTION|CANDIDATE|DOCUMENT)>", re.IGNORECASE)


@dataclass(frozen=True)
class Curation:
    """A typed verdict: `keep` is None where the judge gave none that can be read."""

    keep: bool | None
    reason: str


def build_request(answer: Answer, chunk: Chunk, *, structured: bool = True, folder: str = "") -> Request:
    """Ask about one pair; tags within the three texts are disarmed, so that none can end early."""
    system, user = read_parts("curate", folder)
    texts = {"chunk": chunk.text, "question": answer.question.question, "answer": answer.answer}
    content = fill(user, **{name: _TAG.sub(r"[\1\2]", text) for name, text in texts.items()})
    messages = ({"role": "system", "content": system}, {"role": "user", "content": content})
    return Request(messages=messages, max_tokens=MAX_TOKENS, response_format=SCHEMA if structured else None)


def parse_curation(text: str) -> Curation:
    """Only a JSON object with `verdict` KEEP or DROP is a verdict, fenced or not; never a word found in a sentence."""
    match = re.search(r"\{.*\}", without_thoughts(text), re.DOTALL)
    try:
        value = json.loads(match[0]) if match else {}
        word = str(value.get("verdict", "")).strip().upper()
    except (json.JSONDecodeError, AttributeError):
        word = ""
    if word not in ("KEEP", "DROP"):
        return Curation(None, text[:200])
    return Curation(word == "KEEP", str(value.get("reason", "")))


def curate(
    answers: Sequence[Answer],
    chunks: Mapping[str, Chunk],
    judge,
    *,
    structured: bool = True,
    folder: str = "",
) -> tuple[list[Answer], list[Drop]]:
    """Keep what the judge would train on.

    Args:
        answers: Verified answers.
        chunks: Chunks by id.
        judge: An asker of `lib.llm`.
        structured: Whether the judge takes a JSON schema.
        folder: The user's prompts.

    Returns:
        The answers kept, in order, and a `Drop` (stage `curate`) for every other: one reason for those that the judge
        rejects, another for those whose verdict could not be read, which are not trained on either.

    Raises:
        BadInput: Nothing is left; says why.
    """
    oracles = [chunks[answer.question.chunk_id] for answer in answers]
    requests = [
        build_request(answer, oracle, structured=structured, folder=folder)
        for answer, oracle in zip(answers, oracles, strict=True)
    ]
    kept: list[Answer] = []
    dropped: list[Drop] = []
    for answer, oracle, reply in zip(answers, oracles, judge.ask(requests, label="curation"), strict=True):
        verdict = Curation(None, reply.error) if reply.error else parse_curation(reply.text)
        if verdict.keep:
            kept.append(answer)
        else:
            reason = UNREAD if verdict.keep is None else REJECTED
            about = f"{answer.question.question} | {answer.answer}"
            dropped.append(Drop("curate", reason, answer.question.question_id, oracle.source, about, verdict.reason))
    if not kept:
        raise BadInput(f"curate: {judge.role.model} left none of {len(answers)} pairs; {most_common(dropped)}")
    return kept, dropped


def judge_pairs(
    p: dict, answers: Sequence[Answer], chunks: Mapping[str, Chunk], run, role_of: Callable = lambda run, name: name
) -> tuple[Sequence[Answer], list[Drop]]:
    """Curate where the parameters ask for it, with the run's judge; else everything stays.

    Args:
        p: Parameters by name.
        answers: Verified answers.
        chunks: Chunks by id.
        run: The open run.
        role_of: Gives what `connect` takes for a role; called only where a judge is needed, since it may start a server.
    """
    if not p["curate"]:
        return answers, []
    judge = connect(role_of(run, "judge"), run, max_in_flight=p["max_in_flight"], budget_usd=p["budget_usd"])
    structured = takes_schema(judge, run, p["structured_output"])
    return curate(answers, chunks, judge, structured=structured, folder=p["prompts_dir"])


def curation_note(n_answers: int, dropped: Sequence[Drop]) -> str:
    """One sentence on what the judge did."""
    n = Counter(drop.reason for drop in dropped if drop.stage == "curate")
    return (
        f"{n_answers} pairs judged: {n_answers - n[REJECTED] - n[UNREAD]} kept, {n[REJECTED]} rejected, "
        f"{n[UNREAD]} without a verdict that can be read"
    )
