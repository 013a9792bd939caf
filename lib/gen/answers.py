"""Answers to questions: reasoning, verbatim quotes and a short answer from the teacher, verified before they are believed."""

import re
from collections.abc import Mapping, Sequence

from lib.gen.prompt import fill, read_prompt
from lib.gen.records import Answer, Chunk, Drop, Question, most_common
from lib.gen.text import facts, is_number, squeeze, words
from lib.llm import Request
from lib.llm.raft import ANSWER_TAG, BEGIN_QUOTE, END_QUOTE, build_instruction, parse_reply
from lib.run import BadInput

MAX_TOKENS = 1024
MAX_ANSWER_CHARS = 400
REFUSED = "the teacher finds no answer in the chunk"
_TAG = re.compile(r"<\s*/?\s*ANSWER\s*>", re.IGNORECASE)


def build_request(question: Question, chunk: Chunk) -> Request:
    """Ask one question over its oracle. The chunk stands before the question, so that its questions share a prefix."""
    messages = (
        {"role": "system", "content": read_prompt("answer")},
        {"role": "user", "content": build_instruction([chunk.text], question.question)},
    )
    return Request(messages=messages, prompt=None, max_tokens=MAX_TOKENS)


def build_repair(request: Request, reply, problem: str) -> Request:
    """Ask again, once, saying what was wrong."""
    messages = (
        *request.messages,
        {"role": "assistant", "content": reply.text},
        {"role": "user", "content": fill(read_prompt("repair"), problem=problem)},
    )
    return Request(messages=messages, prompt=None, max_tokens=MAX_TOKENS)


def find_problem(text: str, question: str, passage: str) -> str:
    """Why an answer cannot be used, or an empty string.

    Used is an answer with the tag once, at least one quote, every quote verbatim in the passage (whitespace apart), and a
    short answer that its quotes support.
    """
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
    return find_problem(reply.text, question.question, chunk.text)


def _answer(question: Question, text: str, repaired: bool) -> Answer:
    """Write a verified reply in the one form that rows have: reasoning, then the tag, a space and the answer on a line of its own."""
    parsed = parse_reply(text)
    reasoning = text[: _TAG.search(text).start()].rstrip(" \n*`").strip()
    answer = squeeze(parsed.answer)
    return Answer(question, f"{reasoning}\n{ANSWER_TAG} {answer}", answer, parsed.quotes, repaired)


def generate_answers(
    questions: Sequence[Question],
    chunks: Mapping[str, Chunk],
    teacher,
) -> tuple[list[Answer], list[Drop]]:
    """Ask the teacher every question over its oracle; ask once more where the answer does not pass; drop what still fails.

    Args:
        questions: In the order in which answers shall come.
        chunks: Chunks by id.
        teacher: An asker of `lib.llm`.

    Returns:
        Verified answers in question order, and one `Drop` (stage `answer`) for every other question.

    Raises:
        BadInput: Not one answer can be used; says why most were dropped.
    """
    oracles = [chunks[question.chunk_id] for question in questions]
    requests = [build_request(question, oracle) for question, oracle in zip(questions, oracles, strict=True)]
    replies = teacher.ask(requests, label="answers")
    problems = [_read(*row) for row in zip(replies, questions, oracles, strict=True)]
    # An endpoint's error was retried by the client, and a refusal is the teacher's verdict on the question: neither is repaired.
    again = [i for i, problem in enumerate(problems) if problem not in ("", REFUSED, "endpoint error")]
    repairs = (
        teacher.ask([build_repair(requests[i], replies[i], problems[i]) for i in again], label="repairs")
        if again
        else []
    )
    replies, repaired = list(replies), set()
    for i, reply in zip(again, repairs, strict=True):
        problem = _read(reply, questions[i], oracles[i])
        if not problem:
            replies[i], problems[i] = reply, ""
            repaired.add(i)
    answers, dropped = [], []
    for i, (question, reply, problem, oracle) in enumerate(zip(questions, replies, problems, oracles, strict=True)):
        if problem:
            detail = reply.error or reply.text[:400]
            dropped.append(Drop("answer", problem, question.question_id, oracle.source, question.question, detail))
        else:
            answers.append(_answer(question, reply.text, i in repaired))
    if not answers:
        raise BadInput(f"teacher: no usable answer to {len(questions)} questions; {most_common(dropped)}")
    return answers, dropped
