"""One row of `eval/scores.jsonl` for each answer: everything that summary, figures and report are computed from."""

from collections.abc import Mapping, Sequence

from lib.eval.conditions import GIVEN, REPLACED, passages_of
from lib.eval.judge import Verdict, judge_rows
from lib.eval.metrics import bleu, exact_match, f1, rouge, verbatim_quotes
from lib.eval.opinions import SCALES, judge_refusals, rate_rows
from lib.eval.replace import blind_share, which_value
from lib.eval.retrieve import oracle_ids

OVERLAPS = ("exact_match", "f1", "rouge1", "rouge2", "rougeL", "bleu")


def score_rows(
    rows: Sequence[dict],
    questions: Sequence[dict],
    chunks: Sequence[dict],
    judge,
    *,
    others: Mapping | None = None,
    opinions: Sequence[str] = (),
) -> list[dict]:
    """Score answers.

    Args:
        rows: Rows of `eval/answers.jsonl`.
        questions: Rows of the eval sets.
        chunks: Rows of `dataset/chunks.jsonl`.
        judge: Asker of the judge, whose verdict counts.
        others: Askers of further judges by name, whose verdicts are set beside it.
        opinions: What else the judge is asked about each answer: `scores`, `refusal`.

    Returns:
        One row for each answer, in order; its columns are described in lib.eval's docstring.
    """
    by_id = {row["id"]: row for row in questions}
    texts = {chunk["chunk_id"]: chunk["text"] for chunk in chunks}
    oracles = {row["id"]: oracle_ids(row, chunks) for row in questions}
    verdicts = judge_rows(rows, by_id, judge)
    beside = {name: judge_rows(rows, by_id, asker) for name, asker in (others or {}).items()}
    scales = rate_rows(rows, by_id, texts, judge) if "scores" in opinions else [dict.fromkeys(SCALES)] * len(rows)
    refusals = judge_refusals(rows, by_id, judge) if "refusal" in opinions else [None] * len(rows)
    return [
        score(row, by_id[row["question_id"]], verdict, oracles[row["question_id"]], texts)
        | {"judges": {name: found[i].right for name, found in beside.items()}, "refused_by_judge": refusals[i], **scales[i]}
        for i, (row, verdict) in enumerate(zip(rows, verdicts, strict=True))
    ]  # fmt: skip


def score(row: dict, question: dict, verdict: Verdict, oracles: set[str], texts: dict[str, str]) -> dict:
    """The scores of one answer that need no further judge."""
    passages = passages_of(row, question, texts)
    referenced = question["answerable"] and row["condition"] != REPLACED
    given = "" if row["refused"] else row["answer"]
    found = overlaps(given, question["answer"]) if referenced else {}
    value = which_value(row["answer"], row["refused"], row["original"], row["replacement"]) if row["original"] else None
    places = [i for i, key in enumerate(row["context_chunk_ids"], 1) if key in oracles]
    from_oracle = verbatim_quotes(row["quotes"], [passages[i - 1] for i in places])
    return {
        **{key: row[key] for key in ("system", "eval_set", "condition", "top_k", "question_id", "place", "repeat")},
        "answerable": question["answerable"], "split": question.get("split", ""), "source": question.get("source", ""),
        "judge": verdict.right, "judge_reason": verdict.reason,
        **{name: round(found[name], 6) if found else None for name in OVERLAPS},
        "refused": row["refused"], "failed": bool(row["error"]), "cut": row["finish_reason"] == "length",
        "finish_reason": row["finish_reason"],
        "oracle_shown": bool(places) if oracles and row["condition"] != GIVEN else None, "oracle_position": places[0] if places else None,
        "n_quotes": len(row["quotes"]), "n_verbatim": verbatim_quotes(row["quotes"], passages),
        "cites_oracle": from_oracle > 0 if places and row["quotes"] else None,
        "value": value, "p_blind": blind_share(passages, row["replacement"]) if row["original"] else None,
        "outcome": outcome(row, question["answerable"], verdict, value),
        **{key: row[key] for key in ("latency_s", "prompt_tokens", "completion_tokens", "cost_usd", "confidence")},
    }  # fmt: skip


def overlaps(answer: str, reference: str) -> dict[str, float]:
    """Everything that compares an answer's words with the reference's, by name."""
    return {
        "exact_match": exact_match(answer, reference), "f1": f1(answer, reference), **rouge(answer, reference),
        "bleu": bleu(answer, reference),
    }  # fmt: skip


def outcome(row: dict, answerable: bool, verdict: Verdict, value: str | None) -> str:
    """In a word: right, wrong, refused, rightly refused, made up, not judged, failed, or which value a replaced passage drew."""
    if row["error"]:
        return "failed"
    if value:
        return value
    if not answerable:
        return "rightly refused" if row["refused"] else "made up"
    if row["refused"]:
        return "refused"
    return {True: "right", False: "wrong", None: "not judged"}[verdict.right]
