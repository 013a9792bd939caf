"""Answers to questions: reasoning, verbatim quotes and a short answer from the teacher, verified before they are believed."""

import re
from collections.abc import Sequence

from lib.gen.apis import find_api_problem
from lib.gen.chains import Chain
from lib.gen.prompt import fill, read_prompt
from lib.gen.records import API, Answer, Chunk, Drop, Question, teacher_failed
from lib.gen.text import without_thoughts
from lib.llm import Request
from lib.llm.raft import ANSWER_TAG, BEGIN_QUOTE, END_QUOTE, build_instruction, parse_reply, squeeze
from lib.llm.words import facts, is_number, words
from lib.run import BadInput

MAX_TOKENS = 1024
MAX_ANSWER_CHARS = 400
REFUSED = "the teacher finds no answer in the chunk"
TURNS = ("answers", "repairs")
_TAG = re.compile(r"<\s*/?\s*ANSWER\s*>", re.IGNORECASE)


def prompt_for(chunk: Chunk, recipe: str = "raft") -> str:
    """Name of the prompt that a chunk's questions are answered by: API records have one of their own, and so has `qa`."""
    return "answer_api" if chunk.type == API else "answer_qa" if recipe == "qa" else "answer"


def build_request(question: Question, chunk: Chunk, *, prompt: str = "answer", folder: str = "") -> Request:
    """Ask one question over its oracle. The chunk stands before the question, so that its questions share a prefix."""
    messages = (
        {"role": "system", "content": read_prompt(prompt, folder)},
        {"role": "user", "content": build_instruction([chunk.text], question.question)},
    )
    return Request(messages=messages, prompt=None, max_tokens=MAX_TOKENS)


def build_repair(request: Request, reply, problem: str, *, folder: str = "") -> Request:
    """Ask again, once, saying what was wrong."""
    messages = (
        *request.messages,
        {"role": "assistant", "content": reply.text},
        {"role": "user", "content": fill(read_prompt("repair", folder), problem=problem)},
    )
    return Request(messages=messages, prompt=None, max_tokens=MAX_TOKENS)


def find_problem(text: str, question: str, passage: str) -> str:
    """Why an answer cannot be used, or an empty string.

    Used is an answer with the tag once, at least one quote, every quote verbatim in the passage (whitespace apart), and a
    short answer that its quotes support. What a model thinks aloud before its reply is no part of it.
    """
    text = without_thoughts(text)
    parsed = parse_reply(text)
    if not text.strip():
        return "empty reply"
    if parsed.refused:
        return REFUSED
    n_tags = len(_TAG.findall(text))
    if n_tags != 1:
        return "no <ANSWER>: tag" if not n_tags else "more than one <ANSWER>: tag"
    if not parsed.answer:
        return "nothing after <ANSWER>:"
    if BEGIN_QUOTE in parsed.answer or END_QUOTE in parsed.answer or len(parsed.answer) > MAX_ANSWER_CHARS:
        return "the answer after the tag is not short"
    if not parsed.quotes or not all(parsed.quotes):
        return "no quote"
    if not text.count(BEGIN_QUOTE) == text.count(END_QUOTE) == len(parsed.quotes):
        return "quote marks do not pair"
    flat = squeeze(passage)
    if not all(squeeze(quote) in flat for quote in parsed.quotes):
        return "a quote is not word for word in the document"
    if not is_supported(parsed.answer, parsed.quotes, question):
        return "the quotes do not support the answer"
    return ""


def is_supported(answer: str, quotes: Sequence[str], question: str) -> bool:
    """Whether quotes bear an answer out: it stands in them, or its numbers and half of its other content words do.

    Words may also come from the question, but not all of them. `Yes` and `no` are judgements: only what follows is checked.
    """
    quoted = " ".join(words(" ".join(quotes)))
    wanted = words(answer)
    if f" {' '.join(wanted)} " in f" {quoted} ":
        return True
    if wanted[:1] in (["yes"], ["no"]):
        wanted = wanted[1:]
        if not wanted:
            return True
    in_quotes, known = facts(quoted), facts(quoted) | facts(question)
    wanted_facts = facts(" ".join(wanted))
    rest = {word for word in wanted_facts if not is_number(word)}
    return (
        {word for word in wanted_facts if is_number(word)} <= known
        and len(rest & known) >= 0.5 * len(rest)
        and bool(wanted_facts & in_quotes)
    )  # fmt: skip


def _read(reply, question: Question, chunk: Chunk) -> str:
    if reply.error:
        return "endpoint error"
    if reply.finish_reason == "length":
        return "cut off"
    problem = find_problem(reply.text, question.question, chunk.text)
    if not problem and chunk.type == API:
        problem = find_api_problem(reply.text, parse_reply(reply.text).answer, chunk.text)
    return problem


def _answer(question: Question, text: str, repaired: bool) -> Answer:
    """Write a verified reply in the one form that rows have: reasoning, then the tag, a space and the answer on a line of its own."""
    text = without_thoughts(text)
    parsed = parse_reply(text)
    reasoning = text[: _TAG.search(text).start()].rstrip(" \n*`").strip()
    answer = squeeze(parsed.answer)
    return Answer(question, f"{reasoning}\n{ANSWER_TAG} {answer}", answer, parsed.quotes, repaired)


def answer_chain(questions: Sequence[Question], chunk: Chunk, *, recipe: str = "raft", folder: str = "") -> Chain:
    """Ask a chunk's questions over it, and once more those whose answer does not pass.

    Args:
        questions: Questions written from the chunk.
        chunk: Their oracle.
        recipe: Decides the prompt.
        folder: The user's prompts.

    Returns:
        For every question in its order a verified `Answer`, or a `Drop` of stage `answer`.
    """
    prompt = prompt_for(chunk, recipe)
    requests = [build_request(question, chunk, prompt=prompt, folder=folder) for question in questions]
    replies = list((yield requests)) if requests else []
    problems = [_read(reply, question, chunk) for reply, question in zip(replies, questions, strict=True)]
    # An endpoint's error was retried by the client, and a refusal is the teacher's verdict on the question: neither is repaired.
    again = [i for i, problem in enumerate(problems) if problem not in ("", REFUSED, "endpoint error")]
    repairs = (
        (yield [build_repair(requests[i], replies[i], problems[i], folder=folder) for i in again]) if again else ()
    )
    repaired = set()
    for i, reply in zip(again, repairs, strict=True):
        if not _read(reply, questions[i], chunk):
            replies[i], problems[i] = reply, ""
            repaired.add(i)
    return [
        Drop("answer", problem, question.question_id, chunk.source, question.question, reply.error or reply.text[:400])
        if problem
        else _answer(question, reply.text, i in repaired)
        for i, (question, reply, problem) in enumerate(zip(questions, replies, problems, strict=True))
    ]


def no_answer(n_questions: int, dropped: Sequence[Drop]) -> BadInput:
    """The error for questions of which none could be answered."""
    return teacher_failed(f"no usable answer to {n_questions} questions", dropped)
