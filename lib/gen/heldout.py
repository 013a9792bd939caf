"""An eval set of generated questions: those of held-out documents, or, weaker, a share of the rows.

What one of held-out documents means. Its answerable questions were written from test chunks, which training never saw but
retrieval finds, since they stay in the corpus: they measure reading of new passages, in the teacher's wordings. For its
unanswerable ones some test chunks are taken out of the corpus altogether and their questions kept, save those that
another chunk may answer: the right reply is a refusal, because what would answer is really gone.
"""

import random
from collections.abc import Sequence

from lib.gen.evalset import EvalQuestion
from lib.gen.records import Answer, Chunk, Drop
from lib.llm.raft import squeeze
from lib.llm.words import facts, holds_answer
from lib.run import BadInput

P_UNANSWERABLE = 0.2  # share of a generated eval set's chunks that are taken out of the corpus


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
            Drop("corpus", "chunk taken out of the corpus for unanswerable questions", chunk_id, chunk.source, chunk.text)
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


def sample_eval_set(
    answers: Sequence[Answer], chunks: Sequence[Chunk], p_test: float, rng: random.Random
) -> tuple[list[EvalQuestion], list[Answer]]:
    """Make an eval set of a share of the generated questions themselves.

    Weaker than held-out documents: training sees the passages that answer these questions, and their other questions, so that it
    measures memory and wording more than reading; every one of them has an answer.

    Args:
        answers: Verified answers.
        chunks: The corpus, with its splits.
        p_test: Share of the questions of train that are held out, at least one.
        rng: The only source of chance.

    Returns:
        The questions, and the answers that stay in training, both in order.

    Raises:
        BadInput: Fewer than two questions of train were answered.
    """
    by_id = {chunk.chunk_id: chunk for chunk in chunks}
    may = [a.question.question_id for a in answers if by_id[a.question.chunk_id].split == "train"]
    if len(may) < 2:
        raise BadInput(f"eval_from: rows needs two answered questions of train or more, found {len(may)}; add documents")
    held = set(rng.sample(may, min(max(1, int(p_test * len(may) + 0.5)), len(may) - 1)))
    questions = []
    for answer in answers:
        question, chunk = answer.question, by_id[answer.question.chunk_id]
        if question.question_id in held:
            where = {"chunk_id": chunk.chunk_id, "evidence": answer.quotes[0], "split": chunk.split}
            questions.append(EvalQuestion(question.question_id, question.question, answer.answer, True, chunk.source, **where))
    return questions, [a for a in answers if a.question.question_id not in held]
