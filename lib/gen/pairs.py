"""Questions and their verified answers: a chunk's answers are asked for as soon as its questions are there.

chunks, and what each is asked → questions, answers, and a reason for everything that was dropped. The result is that of asking
one chunk after another: which of two equal questions stays, and where a target is reached, is decided by the order of the
chunks, never by the order in which replies come.
"""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from lib.gen import answers as answering
from lib.gen.chains import Chain, run_chains
from lib.gen.mix import count_kinds
from lib.gen.questions import Sieve, build_request, made_with, no_question, read_reply
from lib.gen.quota import Ask
from lib.gen.records import Answer, Drop, Question

TURNS = ("questions", *answering.TURNS)
ENOUGH = "the target was reached before its turn"


@dataclass(frozen=True)
class Pairs:
    """What was generated: kept questions, verified answers, drops of every stage, all in order; `n_asked` chunks were asked about."""

    questions: tuple[Question, ...]
    answers: tuple[Answer, ...]
    dropped: tuple[Drop, ...]
    n_asked: int


@dataclass(frozen=True)
class _Made:
    found: list[Question]
    lost: list[Drop]
    settled: dict[str, Answer | Drop]


def generate_pairs(
    asks: Sequence[Ask],
    teacher,
    *,
    recipe: str = "raft",
    language: str = "",
    structured: bool = True,
    folder: str = "",
    taken: Collection[str] = (),
    n_wanted: int = 0,
    rng: random.Random | None = None,
) -> Pairs:
    """Ask for questions and answers.

    Args:
        asks: What each chunk is asked, in chunk order.
        teacher: An asker of `lib.llm`.
        recipe: `raft` or `qa`.
        language: Language of the questions; empty for that of the passage.
        structured: Whether the endpoint takes a JSON schema.
        folder: The user's prompts.
        taken: Questions that must not come up (those of the eval set).
        n_wanted: Verified answers to train chunks after which to stop; 0 for all. Chunks are then asked in random order, so
            that the target is not filled from the first documents; chunks of other splits come along in their share.
        rng: The source of that order; needed where `n_wanted` is set.

    Returns:
        Everything in chunk order.

    Raises:
        BadInput: No usable question, or no usable answer; says why most were dropped.
    """
    sieve = Sieve(taken)
    order = list(range(len(asks)))
    if n_wanted:
        rng.shuffle(order)
    made: dict[int, _Made] = {}  # by place in `order`
    rows: list[tuple[int, list[Question], list[Answer], list[Drop]]] = []  # one a chunk, settled, in `order`
    while len(rows) < len(order):
        n_next = _next_wave(rows, asks, order, n_wanted)
        if not n_next:
            break
        places = range(len(rows), len(rows) + n_next)
        chains = [
            _chain(place, asks[order[place]], sieve, teacher.role.model, recipe, language, structured, folder)
            for place in places
        ]
        made.update(zip(places, run_chains(teacher, chains, TURNS), strict=True))
        for place in places:
            rows.append((order[place], *_settle(place, asks[order[place]], made.pop(place), sieve)))
    rows = _cut(rows, asks, n_wanted)
    rows.sort(key=lambda row: row[0])
    questions = [question for _, kept, _, _ in rows for question in kept]
    answers = [answer for _, _, given, _ in rows for answer in given]
    dropped = [drop for _, _, _, lost in rows for drop in lost]
    dropped.sort(key=lambda drop: drop.stage == "answer")  # those of questions first, each in chunk order
    if not questions:
        raise no_question(teacher.role.model, len(rows), dropped)
    if not answers:
        raise answering.no_answer(len(questions), dropped)
    return Pairs(tuple(questions), tuple(answers), tuple(dropped), len(rows))


def _chain(place: int, ask: Ask, sieve: Sieve, model: str, recipe, language, structured, folder) -> Chain:
    wish = {"style": ask.style, "difficulty": ask.difficulty, "language": language, "folder": folder}
    [reply] = yield [build_request(ask.chunk, ask.n, structured=structured, **wish)]
    found, lost = read_reply(ask, reply, model, made_with(**wish))
    hopeful = sieve.offer(place, ask, found)
    settled = yield from answering.answer_chain(hopeful, ask.chunk, recipe=recipe, folder=folder)
    return _Made(found, lost, dict(zip((q.question_id for q in hopeful), settled, strict=True)))


def _settle(place: int, ask: Ask, made: _Made, sieve: Sieve) -> tuple[list[Question], list[Answer], list[Drop]]:
    kept, bad = sieve.settle(place, ask, made.found)
    settled = [made.settled[question.question_id] for question in kept]
    answers = [held for held in settled if isinstance(held, Answer)]
    return kept, answers, [*made.lost, *bad, *(held for held in settled if isinstance(held, Drop))]


def _counts(asks: Sequence[Ask]) -> Callable[[int], bool]:
    """Whether the chunk at an index counts towards the target."""
    return lambda i: asks[i].chunk.split in ("train", "")


def _next_wave(rows, asks: Sequence[Ask], order: Sequence[int], n_wanted: int) -> int:
    """How many chunks to ask about next: all, or as many as it should take by what came so far.

    Decided between waves from whole waves only, so it does not depend on which reply came first.
    """
    left = len(order) - len(rows)
    if not n_wanted:
        return left
    counts = _counts(asks)
    have = sum(len(answers) for i, _, answers, _ in rows if counts(i))
    if have >= n_wanted:
        return 0
    asked = sum(asks[i].n for i, *_ in rows if counts(i))
    each = have / asked if have else 1.0 if not rows else 0.1  # answers kept for each question asked for
    expected, n = 0.0, 0
    for i in order[len(rows) :]:
        n += 1
        expected += asks[i].n * each if counts(i) else 0.0
        if expected >= n_wanted - have:
            break
    return min(left, n)


def _cut(rows: list, asks: Sequence[Ask], n_wanted: int) -> list:
    """Let the answers that come after the target is reached go, with that as their reason."""
    if not n_wanted:
        return rows
    counts, have, cut = _counts(asks), 0, []
    for i, questions, answers, lost in rows:
        is_done = have >= n_wanted
        room = 0 if is_done else n_wanted - have if counts(i) else len(answers)
        over = [
            Drop("answer", ENOUGH, a.question.question_id, asks[i].chunk.source, a.question.question)
            for a in answers[room:]
        ]
        have += min(room, len(answers)) if counts(i) else 0
        cut.append((i, questions, answers[:room], [*lost, *over]))
    return cut


def needed_answers(target_rows: int, **shares) -> int:
    """Answered train questions that make at least `target_rows` training rows; `shares` are those of the mix. 0 stays 0."""
    wanted = ("p_oracle", "p_refusal", "both_contexts")
    shares = {name: shares[name] for name in wanted if name in shares}
    low, high = 0, target_rows  # every question gives a row at least
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if sum(count_kinds(middle, **shares).values()) >= target_rows else (middle + 1, high)
    return low
