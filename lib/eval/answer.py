"""Asking every system the same cases in the same format: cases in, rows of `eval/answers.jsonl` out."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from lib.eval.conditions import Case
from lib.llm import Format, Request, parse_reply
from lib.run import text_hash


def build_request(case: Case, form: Format, *, completion: bool, max_tokens: int) -> Request:
    """The request of one case: the instruction, template and decoding (greedy) that every system gets."""
    if completion:
        stop = (form.completion_stop,) if form.completion_stop else ()
        return Request(prompt=form.prompt(case.documents, case.question), max_tokens=max_tokens, stop=stop)
    return Request(messages=tuple(form.messages(case.documents, case.question)), max_tokens=max_tokens)


def ask_systems(cases: Sequence[Case], askers: Mapping, form: Format, *, max_tokens: int) -> list[dict]:
    """Ask every system all cases, the systems at the same time: each has a server of its own.

    Args:
        cases: What `build_cases` made.
        askers: The systems' Askers by name.
        form: The format that the dataset was written in.
        max_tokens: Longest reply.

    Returns:
        One row a case and system, system by system, the cases in order.
    """
    with ThreadPoolExecutor(len(askers)) as pool:
        asked = [
            pool.submit(answer_cases, cases, asker, form, system=system, max_tokens=max_tokens)
            for system, asker in askers.items()
        ]
        return [row for answers in asked for row in answers.result()]


def answer_cases(cases: Sequence[Case], asker, form: Format, *, system: str, max_tokens: int) -> list[dict]:
    """Ask one system all cases.

    Args:
        cases: What `build_cases` made.
        asker: The system's Asker; replies already in the request store are not asked again.
        form: The format that the dataset was written in.
        system: The system's name in files and figures.
        max_tokens: Longest reply.

    Returns:
        One row a case, in order. A request that failed gives a row with `error` and an empty reply.
    """
    requests = [build_request(case, form, completion=asker.role.completion, max_tokens=max_tokens) for case in cases]
    replies = asker.ask(requests, label="answers")
    return [
        _row(system, case, request, reply, form.refusal)
        for case, request, reply in zip(cases, requests, replies, strict=True)
    ]


def _row(system: str, case: Case, request: Request, reply, refusal: str) -> dict:
    parsed = parse_reply(reply.text, refusal)
    asked = (
        request.prompt
        if request.prompt is not None
        else json.dumps([dict(m) for m in request.messages], ensure_ascii=False)
    )
    return {
        "system": system, "condition": case.condition, "top_k": case.top_k, "question_id": case.question_id,
        "context_chunk_ids": list(case.context_chunk_ids), "prompt_sha256": text_hash(asked),
        "reply": reply.text, "answer": parsed.answer, "refused": parsed.refused, "quotes": list(parsed.quotes), "has_tag": parsed.has_tag,
        "original": case.original, "replacement": case.replacement,
        "finish_reason": reply.finish_reason, "error": reply.error, "latency_s": round(reply.latency_s, 3),
        "prompt_tokens": reply.prompt_tokens, "completion_tokens": reply.completion_tokens,
    }  # fmt: skip
