"""The RAFT mix: which chunks stand beside each question, in exact shares, from one source of chance.

Source: RAFT, arXiv:2403.10131, section 3; refusal rows as in DESIGN.md.
"""

import random
from collections.abc import Mapping, Sequence

from lib.gen.distractors import Distractor, Distractors
from lib.gen.records import Answer, Chunk, Example
from lib.llm.raft import ANSWER_TAG, BEGIN_QUOTE, END_QUOTE, REFUSAL
from lib.llm.words import facts, holds_answer
from lib.run import BadInput

PARAMETERS = ("n_distractors", "max_distractors", "p_hard", "p_oracle", "p_refusal", "both_contexts", "no_oracle_label")
LABELS = ("answer", "cot", "refusal")
KINDS = ("oracle", "no_oracle", "refusal")


def share(p: float, n: int) -> int:
    """The whole number nearest to `p * n`, halves up."""
    return int(p * n + 0.5 + 1e-9)  # 0.7 * 45 is 31.499999999999996


def count_kinds(n: int, *, p_oracle: float, p_refusal: float, both_contexts: bool = False) -> dict[str, int]:
    """Rows of each kind that `n` questions give."""
    n_refusal = share(p_refusal, n)
    if both_contexts:
        return {"oracle": n, "no_oracle": n - n_refusal, "refusal": n_refusal}
    return {"oracle": share(p_oracle, n), "no_oracle": n - share(p_oracle, n), "refusal": n_refusal}


def check_shares(
    *,
    n_distractors: int,
    p_oracle: float,
    p_refusal: float,
    p_hard: float,
    max_distractors: int = 0,
    both_contexts: bool = False,
    no_oracle_label: str = "answer",
) -> None:
    """Refuse what no corpus could be mixed by.

    Raises:
        BadInput: A share outside [0, 1], a count below 0, a range that is none, or an unknown label.
    """
    for name, value in (("p_oracle", p_oracle), ("p_refusal", p_refusal), ("p_hard", p_hard)):
        if not 0 <= value <= 1:
            raise BadInput(f"{name}: expected a share in [0, 1], found {value}")
    if n_distractors < 0:
        raise BadInput(f"n_distractors: expected 0 or more, found {n_distractors}")
    if max_distractors and max_distractors < n_distractors:
        raise BadInput(
            f"max_distractors: expected 0, or n_distractors ({n_distractors}) or more, found {max_distractors}"
        )
    if no_oracle_label not in LABELS:
        raise BadInput(f"no_oracle_label: expected one of {', '.join(LABELS)}, found {no_oracle_label!r}")


def check_corpus(chunks: Sequence[Chunk], **shares) -> None:
    """Refuse, before anything is spent, what cannot be mixed.

    Args:
        chunks: The corpus, with its splits.
        shares: What `check_shares` takes.

    Raises:
        BadInput: What `check_shares` refuses, or too few training chunks; names the smallest corpus that works.
    """
    check_shares(**shares)
    most = max(shares["n_distractors"], shares.get("max_distractors", 0))
    name = "max_distractors" if most > shares["n_distractors"] else "n_distractors"
    hides = shares["p_oracle"] < 1 or shares["p_refusal"] > 0 or shares.get("both_contexts", False)
    have = len({chunk.duplicate_group for chunk in chunks if chunk.split == "train"})
    # A row without its oracle shows one chunk more than its distractors, and the oracle is in the corpus besides.
    need = most + (2 if hides else 1)
    if have < need:
        less = f"set {name} to {most - (need - have)} or less, " if most >= need - have else ""
        raise BadInput(
            f"{name}: {most} distractors need at least {need} training chunks that do not repeat each other, "
            f"found {have}; {less}add documents or lower chunk_chars"
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
    max_distractors: int = 0,
    both_contexts: bool = False,
    no_oracle_label: str = "answer",
    refusals: Sequence[str] = (REFUSAL,),
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
        max_distractors: Where more than `n_distractors`: rows have from the one to the other, each number equally often.
        both_contexts: Give every question a row with its oracle and one without (`p_oracle` is not used); of the latter
            `share(p_refusal, n)` are refusals. Source: PA-RAG.
        no_oracle_label: What a `no_oracle` row teaches: `answer`; `cot`, the reasoning without its quote marks, since
            what was quoted is not shown; or `refusal`.
        refusals: Sentences that refuse; each row draws one.

    Returns:
        Rows in the order of the answers, train before valid; a row without oracle follows its question's row with it.

    Raises:
        BadInput: Too few chunks that do not give an answer away.
    """
    by_id = {chunk.chunk_id: chunk for chunk in chunks}
    span = range(n_distractors, max(n_distractors, max_distractors) + 1)
    examples: list[Example] = []
    for split, shown in (("train", ("train",)), ("valid", ("train", "valid"))):
        asked = [a for a in answers if a.question.chunk_id in by_id and by_id[a.question.chunk_id].split == split]
        if asked:
            pool = Distractors([chunk for chunk in chunks if chunk.split in shown])
            counts = count_kinds(len(asked), p_oracle=p_oracle, p_refusal=p_refusal, both_contexts=both_contexts)
            draw = _Draw(asked, by_id, pool, span, p_hard, rng)
            examples += _mix_split(draw, split, counts, both_contexts, no_oracle_label, refusals)
    return examples


class _Draw:
    """Draws the contexts of one split's questions; a question is named by its place in `asked`."""

    def __init__(
        self,
        asked: Sequence[Answer],
        by_id: Mapping[str, Chunk],
        pool: Distractors,
        span: range,
        p_hard: float,
        rng: random.Random,
    ):
        self.asked, self.pool, self.span, self.p_hard, self.rng = asked, pool, span, p_hard, rng
        self.oracles = [by_id[answer.question.chunk_id] for answer in asked]

    def slots(self, n_rows: int) -> list[tuple[int, int]]:
        """Number of distractors and place of the oracle for each row: every number, and every place in it, equally often."""
        # Numbers and places in random order: what is left over of n_rows must not fall on the first ones always.
        widths = self.rng.sample(self.span, len(self.span))
        places = {width: self.rng.sample(range(width + 1), width + 1) for width in widths}
        turns = [(widths[row % len(widths)], row // len(widths)) for row in range(n_rows)]
        slots = [(width, places[width][turn % (width + 1)]) for width, turn in turns]
        self.rng.shuffle(slots)
        return slots

    def beside(self, i: int, n: int, n_hard: int) -> list[Distractor]:
        """Distractors beside an oracle. A second chunk with the answer does no harm there, but is taken only for want of others."""
        for strict in (True, False):
            found = self.pool.find(self.asked[i], self.oracles[i], n=n, n_hard=n_hard, strict=strict, rng=self.rng)
            if found is not None:
                return found
        raise BadInput(
            f"n_distractors: fewer than {n} chunks differ from a chunk of {self.oracles[i].source}; "
            "add documents or lower n_distractors"
        )

    def instead(self, candidates: Sequence[int], n_rows: int, kind: str) -> dict[int, list[Distractor]]:
        """Contexts without oracle or answer for the first `n_rows` candidates that can have one."""
        turns = self.rng.sample(self.span, len(self.span)) if len(self.span) > 1 else self.span
        widths = [turns[row % len(turns)] + 1 for row in range(n_rows)]
        hard = hard_counts(widths, self.p_hard)
        rows: dict[int, list[Distractor]] = {}
        for i in candidates:
            if len(rows) == n_rows:
                break
            n, n_hard = widths[len(rows)], hard[len(rows)]
            found = self.pool.find(self.asked[i], self.oracles[i], n=n, n_hard=n_hard, strict=True, rng=self.rng)
            if found is not None:
                rows[i] = found
        if len(rows) < n_rows:
            raise BadInput(
                f"{n_rows} {kind} rows need {widths[len(rows)]} chunks each that do not hold the answer; only {len(rows)} of "
                f"{len(candidates)} questions have them. Add documents, lower n_distractors, or set {_LESS[kind]}"
            )
        return rows


_LESS = {
    "no_oracle": "p_oracle nearer to 1", "refusal": "p_refusal nearer to 0", "oracle-free": "both_contexts to false",
}  # fmt: skip


def _mix_split(
    draw: _Draw, split: str, counts: Mapping[str, int], both: bool, no_oracle_label: str, refusals: Sequence[str]
) -> list[Example]:
    """The rows of one split, in exact numbers."""
    rng, n = draw.rng, len(draw.asked)
    order = rng.sample(range(n), n)
    if both:
        free = draw.instead(order, n, "oracle-free")
        refused = {i: free[i] for i in order[: counts["refusal"]]}
        hidden = {i: free[i] for i in order[counts["refusal"] :]}
        with_oracle = set(order)
    else:
        hidden = draw.instead(order, counts["no_oracle"], "no_oracle")
        with_oracle = set(order) - set(hidden)
        refused = draw.instead([i for i in order if i in with_oracle] + list(hidden), counts["refusal"], "refusal")
    slots = draw.slots(len(with_oracle))
    places = iter(zip(slots, hard_counts([width for width, _ in slots], draw.p_hard), strict=True))
    examples = []
    for i, (answer, oracle) in enumerate(zip(draw.asked, draw.oracles, strict=True)):
        if i in with_oracle:
            (width, position), n_hard = next(places)
            found = draw.beside(i, width, n_hard)
            label = answer.cot_answer, answer.answer
            examples.append(_example("oracle", answer, oracle, found, position, label, split, rng))
        if i in hidden:
            label = _label(no_oracle_label, answer, refusals, rng)
            examples.append(_example("no_oracle", answer, oracle, hidden[i], None, label, split, rng))
        if i in refused:
            label = _label("refusal", answer, refusals, rng)
            examples.append(_example("refusal", answer, oracle, refused[i], None, label, split, rng))
    return examples


def _label(kind: str, answer: Answer, refusals: Sequence[str], rng: random.Random) -> tuple[str, str]:
    """What a row without oracle teaches, and its short answer."""
    if kind == "refusal":
        sentence = refusals[0] if len(refusals) == 1 else rng.choice(refusals)
        return sentence, sentence
    if kind == "cot":
        return answer.cot_answer.replace(BEGIN_QUOTE, "").replace(END_QUOTE, ""), answer.answer
    return f"{ANSWER_TAG} {answer.answer}", answer.answer


def hard_counts(widths: Sequence[int], p_hard: float) -> list[int]:
    """Retrieved distractors of each row: as even as whole numbers allow, a share `p_hard` of all in sum."""
    counts, before = [], 0
    for width in widths:
        after = before + width
        counts.append(int(after * p_hard + 1e-9) - int(before * p_hard + 1e-9))
        before = after
    return counts


def _example(
    kind: str,
    answer: Answer,
    oracle: Chunk,
    found: list[Distractor],
    position: int | None,
    label: tuple[str, str],
    split: str,
    rng: random.Random,
) -> Example:
    """Order a context: distractors shuffled, the oracle at `position`."""
    context = [distractor.chunk for distractor in found]
    rng.shuffle(context)
    if position is not None:
        context.insert(position, oracle)
    hard_ids = tuple(distractor.chunk.chunk_id for distractor in found if distractor.is_hard)
    return Example(kind, answer.question, oracle, tuple(context), *label, split, hard_ids)


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
        others = sorted({example.kind for example in examples} - set(KINDS))
        for kind in others or KINDS:
            n = sum(example.kind == kind for example in held)
            per_question = n / n_questions if n_questions else None
            rows.append({"split": split, "kind": kind, "rows": n, "questions": n_questions, "share": per_question})
    return pd.DataFrame(rows)
