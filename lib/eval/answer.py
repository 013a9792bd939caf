"""Asking every system the same cases in the same format: cases in, rows of `eval/answers.jsonl` out."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from lib.eval.conditions import Case
from lib.eval.other_run import OTHER_RUN, find_answers
from lib.llm import Format, Reply, Request, cost_usd, parse_reply
from lib.run import BadInput, read_jsonl, say, text_hash

LOGPROBS = {"logprobs": True}


def build_request(
    case: Case, form: Format, *, completion: bool, max_tokens: int, temperature: float = 0.0, logprobs: bool = False
) -> Request:
    """The request of one case: the instruction, template and decoding that every system gets.

    Greedy unless a temperature is given; then each asking has a seed of its own, its `repeat`.
    """
    how = {"max_tokens": max_tokens, "temperature": temperature, "seed": case.repeat if temperature else None}
    if completion:
        stop = (form.completion_stop,) if form.completion_stop else ()
        extra = {"logprobs": 1} if logprobs else {}
        return Request(prompt=form.prompt(case.documents, case.question), stop=stop, extra=extra, **how)
    extra = LOGPROBS if logprobs else {}
    return Request(messages=tuple(form.messages(case.documents, case.question)), extra=extra, **how)


def ask_systems(
    cases: Sequence[Case], askers: Mapping, form: Format, *, max_tokens: int, temperature: float = 0.0, logprobs: bool = False,
    ahead=None,
) -> list[dict]:  # fmt: skip
    """Ask every system all cases, the systems at the same time: each has a server of its own.

    Args:
        cases: What `build_cases` made.
        askers: The systems' Askers by name; for `run:NAME` that run's folder, whose answers are taken.
        form: The format that the dataset was written in.
        max_tokens: Longest reply.
        temperature: 0 for greedy decoding.
        logprobs: Also ask for the tokens' log probabilities, which make an answer's confidence.
        ahead: Given every row the moment it is there (`judge.Ahead`); None where nobody waits for it.

    Returns:
        One row a case and system, system by system, the cases in order.
    """
    how = {"max_tokens": max_tokens, "temperature": temperature, "logprobs": logprobs, "ahead": ahead}
    with ThreadPoolExecutor(max(1, len(askers))) as pool:
        asked = [
            pool.submit(answers_of_run, asker, cases, form, system=system, max_tokens=max_tokens, temperature=temperature)
            if isinstance(asker, Path)
            else pool.submit(answer_cases, cases, asker, form, system=system, **how)
            for system, asker in askers.items()
        ]
        for future in asked:
            future.add_done_callback(_tell_failure)
        return [row for answers in asked for row in answers.result()]


def _tell_failure(future: Future) -> None:
    """Say at once that a system is lost: what the others are being asked may take hours, and is kept."""
    if not future.cancelled() and (error := future.exception()):
        say(f"{error}; this stops when the other systems have answered")


def answer_cases(
    cases: Sequence[Case], asker, form: Format, *, system: str, max_tokens: int, temperature: float = 0.0, logprobs: bool = False,
    ahead=None,
) -> list[dict]:  # fmt: skip
    """Ask one system all cases; arguments as of `ask_systems`.

    Replies already in the request store are not asked again. A request that failed gives a row with `error` and an empty reply.
    """
    how = {"max_tokens": max_tokens, "temperature": temperature, "logprobs": logprobs}
    requests = [build_request(case, form, completion=asker.role.completion, **how) for case in cases]

    def row(place: int, reply: Reply) -> dict:
        cost = cost_usd(asker.role, reply.prompt_tokens, reply.completion_tokens)
        return _row(system, cases[place], requests[place], reply, form.refusal, cost)

    def hand_on(place: int, reply: Reply) -> tuple:
        ahead.take(row(place, reply))
        return ()

    # An endpoint asked in batches has nothing to hand on before the end.
    replies = asker.ask(requests, label="answers", then=hand_on if ahead and not asker.role.batch else None)
    return [row(place, reply) for place, reply in enumerate(replies)]


def answers_of_run(
    folder: Path, cases: Sequence[Case], form: Format, *, max_tokens: int, temperature: float = 0.0, system: str = ""
) -> list[dict]:
    """What another run's student said to these very prompts, from that run's `eval/answers.jsonl`.

    What counts as a refusal was found there, by the sentences that this student was taught: `refused` is taken as it stands and
    never found again by the sentences of `form`, which may be others.

    Args:
        folder: The other run's folder.
        cases, form, max_tokens, temperature: What is asked here; an answer counts only if prompt and decoding are the same.
        system: Its name here; default `run:` and the folder's name.

    Raises:
        BadInput: The run has no answers, decoded otherwise, or was not asked one of the prompts.
    """
    name = system or f"{OTHER_RUN}{folder.name}"
    path = find_answers(folder, max_tokens=max_tokens, temperature=temperature, system=name)
    held = {(r["prompt_sha256"], r.get("repeat", 0)): r for r in read_jsonl(path) if r["system"] == "student"}
    completion = form.dataset_format == "completion"
    rows, missing = [], 0
    for case in cases:
        request = build_request(case, form, completion=completion, max_tokens=max_tokens)
        found = held.get((prompt_hash(request), case.repeat))
        missing += found is None
        if found:
            rows.append({**found, **_place(name, case), "prompt_sha256": prompt_hash(request)})
    if missing:
        raise BadInput(
            f"systems: {name}: {missing} of {len(cases)} prompts were not asked there; run its 4_eval.ipynb with this run's "
            "documents, eval set, chunks, retriever, top_k, controls and seed"
        )
    return rows


def prompt_hash(request: Request) -> str:
    """SHA-256 of the prompt or the messages."""
    if request.prompt is not None:
        return text_hash(request.prompt)
    return text_hash(json.dumps([dict(m) for m in request.messages], ensure_ascii=False))


def _place(system: str, case: Case) -> dict:
    """The columns that say which answer this is."""
    return {
        "system": system, "eval_set": case.eval_set, "condition": case.condition, "top_k": case.top_k, "question_id": case.question_id,
        "place": case.place, "repeat": case.repeat, "context_chunk_ids": list(case.context_chunk_ids),
    }  # fmt: skip


def _row(system: str, case: Case, request: Request, reply, refusal: str, cost: float | None) -> dict:
    parsed = parse_reply(reply.text, refusal)
    return {
        **_place(system, case), "prompt_sha256": prompt_hash(request),
        "reply": reply.text, "answer": parsed.answer, "refused": parsed.refused, "quotes": list(parsed.quotes), "has_tag": parsed.has_tag,
        "original": case.original, "replacement": case.replacement,
        "finish_reason": reply.finish_reason, "error": reply.error, "latency_s": round(reply.latency_s, 3),
        "prompt_tokens": reply.prompt_tokens, "completion_tokens": reply.completion_tokens, "cost_usd": cost,
        "confidence": reply.logprob,
    }  # fmt: skip
