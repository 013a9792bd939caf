"""The RAFT mix: which chunks stand beside each question, in exact shares, from one source of chance.

Source: RAFT, arXiv:2403.10131, section 3; refusal rows as in DESIGN.md.
"""

import random
from collections.abc import Mapping, Sequence

from lib.gen.distractors import Distractor, Distractors
from lib.gen.records import Answer, Chunk, Example
from lib.gen.text import facts, holds_answer
from lib.llm.raft import ANSWER_TAG, REFUSAL
from lib.run import BadInput


def share(p: float, n: int) -> int:
    """The whole number nearest to `p * n`, halves up."""
    return int(p * n + 0.5)


def check_corpus(
    chunks: Sequence[Chunk], *, n_distractors: int, p_oracle: float, p_refusal: float, p_hard: float
) -> None:
    """Refuse, before anything is spent, what cannot be mixed.

    Raises:
        BadInput: A share outside [0, 1], or too few training chunks; names the smallest corpus that works.
    """
    for name, value in (("p_oracle", p_oracle), ("p_refusal", p_refusal), ("p_hard", p_hard)):
        if not 0 <= value <= 1:
            raise BadInput(f"{name}: expected a share in [0, 1], found {value}")
    if n_distractors < 0:
        raise BadInput(f"n_distractors: expected 0 or more, found {n_distractors}")
    have = len({chunk.duplicate_group for chunk in chunks if chunk.split == "train"})
    # A row without its oracle shows n_distractors + 1 other chunks; a row with it, n_distractors.
    need = n_distractors + (2 if p_oracle < 1 or p_refusal > 0 else 1)
    if have < need:
        most = f"set n_distractors to {n_distractors - (need - have)} or less, " if n_distractors >= need - have else ""
        raise BadInput(
            f"n_distractors: {n_distractors} distractors need at least {need} training chunks that do not repeat each other, "
            f"found {have}; {most}add documents or lower chunk_chars"
        )


def build_examples(
    answers: Sequence[Answer],
    chunks: Sequence[Chunk],
    *,
    n_distractors: int,
    p_oracle: float,
    p_refusal: float,
    p_hard: float,
    rng: random.Random,
) -> list[Example]:
    """Mix the rows of `train` and `valid`.

    Of a split's n questions, `share(p_oracle, n)` show their oracle and the others do not; `share(p_refusal, n)` of them give
    a refusal row besides, drawn from those that show it where there are enough: a question is not to be refused here and
    answered from memory there. Rows for training show chunks of train only; rows for validation may show those too.

    Args:
        answers: Verified answers; those to chunks of other splits, or to chunks that are gone, are left out.
        chunks: The corpus, with its splits.
        n_distractors: Distractors beside the oracle; a row without oracle shows one more.
        p_oracle: Share of the questions that show their oracle, in [0, 1].
        p_refusal: Refusal rows per question, in [0, 1].
        p_hard: Share of the distractors that come from retrieval, in [0, 1].
        rng: The only source of chance.

    Returns:
        Rows in the order of the answers, train before valid; a refusal row follows its question's other row.

    Raises:
        BadInput: Too few chunks that do not give an answer away.
    """
    by_id = {chunk.chunk_id: chunk for chunk in chunks}
    examples: list[Example] = []
    for split, shown in (("train", ("train",)), ("valid", ("train", "valid"))):
        asked = [a for a in answers if a.question.chunk_id in by_id and by_id[a.question.chunk_id].split == split]
        if asked:
            pool = Distractors([chunk for chunk in chunks if chunk.split in shown])
            draw = _Draw(asked, by_id, pool, n_distractors, p_hard, rng)
            examples += _mix_split(draw, split, share(p_oracle, len(asked)), share(p_refusal, len(asked)))
    return examples


class _Draw:
    """Draws the contexts of one split's questions; a question is named by its place in `asked`."""

    def __init__(
        self,
        asked: Sequence[Answer],
        by_id: Mapping[str, Chunk],
        pool: Distractors,
        n_distractors: int,
        p_hard: float,
        rng: random.Random,
    ):
        self.asked, self.pool, self.n_distractors, self.p_hard, self.rng = asked, pool, n_distractors, p_hard, rng
        self.oracles = [by_id[answer.question.chunk_id] for answer in asked]

    def beside(self, i: int, n_hard: int) -> list[Distractor]:
        """Distractors beside an oracle. A second chunk with the answer does no harm there, but is taken only for want of others."""
        for strict in (True, False):
            found = self.pool.find(
                self.asked[i], self.oracles[i], n=self.n_distractors, n_hard=n_hard, strict=strict, rng=self.rng
            )
            if found is not None:
                return found
        raise BadInput(
            f"n_distractors: fewer than {self.n_distractors} chunks differ from a chunk of {self.oracles[i].source}; "
            "add documents or lower n_distractors"
        )

    def instead(self, candidates: Sequence[int], n_rows: int, kind: str) -> dict[int, list[Distractor]]:
        """Contexts without oracle or answer for the first `n_rows` candidates that can have one."""
        n = self.n_distractors + 1
        hard = hard_counts(n_rows, n, self.p_hard)
        rows: dict[int, list[Distractor]] = {}
        for i in candidates:
            if len(rows) == n_rows:
                break
            n_hard = hard[len(rows)]
            found = self.pool.find(self.asked[i], self.oracles[i], n=n, n_hard=n_hard, strict=True, rng=self.rng)
            if found is not None:
                rows[i] = found
        if len(rows) < n_rows:
            raise BadInput(
                f"{n_rows} {kind} rows need {n} chunks each that do not hold the answer; only {len(rows)} of {len(candidates)} "
                f"questions have them. Add documents, lower n_distractors, or set {_LESS[kind]}"
            )
        return rows


_LESS = {"no_oracle": "p_oracle nearer to 1", "refusal": "p_refusal nearer to 0"}


def _mix_split(draw: _Draw, split: str, n_oracle: int, n_refusal: int) -> list[Example]:
    """The rows of one split, in exact numbers."""
    rng, n = draw.rng, len(draw.asked)
    order = rng.sample(range(n), n)
    hidden = draw.instead(order, n - n_oracle, "no_oracle")
    shown = [i for i in order if i not in hidden]
    refused = draw.instead(shown + list(hidden), n_refusal, "refusal")
    positions = [row % (draw.n_distractors + 1) for row in range(n_oracle)]  # every place equally often
    rng.shuffle(positions)
    places = iter(zip(positions, hard_counts(n_oracle, draw.n_distractors, draw.p_hard), strict=True))
    examples = []
    for i, (answer, oracle) in enumerate(zip(draw.asked, draw.oracles, strict=True)):
        if i in hidden:
            label = f"{ANSWER_TAG} {answer.answer}"
            examples.append(_example("no_oracle", answer, oracle, hidden[i], None, label, answer.answer, split, rng))
        else:
            position, n_hard = next(places)
            found = draw.beside(i, n_hard)
            label = answer.cot_answer
            examples.append(_example("oracle", answer, oracle, found, position, label, answer.answer, split, rng))
        if i in refused:
            examples.append(_example("refusal", answer, oracle, refused[i], None, REFUSAL, REFUSAL, split, rng))
    return examples


def hard_counts(n_rows: int, n: int, p_hard: float) -> list[int]:
    """Retrieved distractors of each row of `n`: as even as whole numbers allow, a share `p_hard` of all in sum."""
    return [int((row + 1) * n * p_hard + 1e-9) - int(row * n * p_hard + 1e-9) for row in range(n_rows)]


def _example(
    kind: str,
    answer: Answer,
    oracle: Chunk,
    found: list[Distractor],
    position: int | None,
    label: str,
    short: str,
    split: str,
    rng: random.Random,
) -> Example:
    """Order a context: distractors shuffled, the oracle at `position`."""
    context = [distractor.chunk for distractor in found]
    rng.shuffle(context)
    if position is not None:
        context.insert(position, oracle)
    hard_ids = tuple(distractor.chunk.chunk_id for distractor in found if distractor.is_hard)
    return Example(kind, answer.question, oracle, tuple(context), label, short, split, hard_ids)


def n_given_away(examples: Sequence[Example], answers: Sequence[Answer]) -> int:
    """How many rows without oracle show a chunk that may hold the answer all the same; counted apart from the drawing, as a check."""
    known = {chunk.chunk_id: facts(chunk.text) for example in examples for chunk in example.context}
    short = {answer.question.question_id: answer.answer for answer in answers}
    return sum(
        any(holds_answer(known[chunk.chunk_id], short[example.question.question_id]) for chunk in example.context)
        for example in examples
        if example.kind != "oracle"
    )


def shares_table(examples: Sequence[Example]):
    """Rows by split and kind, counted: split, kind, rows, questions of the split, rows per question."""
    import pandas as pd

    rows = []
    for split in ("train", "valid"):
        held = [example for example in examples if example.split == split]
        n_questions = sum(example.kind != "refusal" for example in held)
        for kind in ("oracle", "no_oracle", "refusal"):
            n = sum(example.kind == kind for example in held)
            per_question = n / n_questions if n_questions else None
            rows.append({"split": split, "kind": kind, "rows": n, "questions": n_questions, "share": per_question})
    return pd.DataFrame(rows)
