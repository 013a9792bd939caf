"""Summaries: a long section in, a summary instruction and the teacher's summary out."""

import random
from collections.abc import Sequence

from lib.gen.chains import Chain
from lib.gen.conversations import find_problem as find_reply_problem
from lib.gen.prompt import fill, prompt_hash, read_parts, read_prompt
from lib.gen.quota import deal
from lib.gen.records import Answer, Chunk, Drop, Question, content_id
from lib.gen.text import clean, without_thoughts
from lib.llm import Request
from lib.llm.words import is_number, words

SUMMARY = "summary"  # style of the questions that ask for one
MAX_TOKENS = 1024
MIN_CHARS = 600  # a shorter section needs no summary
P_LONGEST = 0.6  # a summary is at most this share of its section


def deal_instructions(n: int, rng: random.Random, folder: str = "") -> list[str]:
    """`n` instructions out of `summary_instructions.txt`, each equally often, in random order."""
    offered = [line.strip() for line in read_prompt("summary_instructions", folder).split("\n") if line.strip()]
    return deal([(instruction, 1 / len(offered)) for instruction in offered], n, rng)


def build_request(chunk: Chunk, instruction: str, *, folder: str = "") -> Request:
    """Ask for the summary of a section."""
    system, user = read_parts(SUMMARY, folder)
    content = fill(user, chunk=chunk.text, instruction=instruction)
    return Request(
        messages=({"role": "system", "content": system}, {"role": "user", "content": content}), max_tokens=MAX_TOKENS
    )


def find_problem(summary: str, section: str) -> str:
    """Why a summary cannot be used, or an empty string: it is short beside its section, and invents no number."""
    if len(words(summary)) < 8:
        return "a summary of fewer than eight words"
    if len(summary) > P_LONGEST * len(section):
        return f"a summary longer than {P_LONGEST:.0%} of its section"
    known = set(words(section))
    if any(is_number(word) and word not in known for word in words(summary)):
        return "a number that the section does not hold"
    return ""


def summary_chain(chunk: Chunk, instruction: str, model: str, *, folder: str = "") -> Chain:
    """Summarise one section.

    Returns:
        The question, and its `Answer` or a `Drop` of stage `answer`.
    """
    [reply] = yield [build_request(chunk, instruction, folder=folder)]
    prompts = prompt_hash(SUMMARY, "summary_instructions", folder=folder)
    question_id = content_id(chunk.chunk_id, instruction)
    question = Question(question_id, chunk.chunk_id, instruction, model, prompts, SUMMARY)
    summary = clean(without_thoughts(reply.text))
    if problem := find_reply_problem(reply) or find_problem(summary, chunk.text):
        detail = reply.error or reply.text[:400]
        return [(question, Drop("answer", problem, question_id, chunk.source, instruction, detail))]
    return [(question, Answer(question, summary, summary, ()))]


def long_sections(chunks: Sequence[Chunk]) -> tuple[list[Chunk], list[Drop]]:
    """The chunks worth a summary, and a `Drop` (stage `chunk`) for each of the others."""
    reason = f"shorter than {MIN_CHARS} characters: nothing to sum up"
    short = [chunk for chunk in chunks if chunk.n_chars < MIN_CHARS]
    drops = [Drop("chunk", reason, chunk.chunk_id, chunk.source, chunk.text[:200]) for chunk in short]
    return [chunk for chunk in chunks if chunk.n_chars >= MIN_CHARS], drops
