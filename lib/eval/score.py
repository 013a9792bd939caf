"""One row of `eval/scores.jsonl` for each answer: everything that summary, figures and report are computed from."""

from collections.abc import Sequence

from lib.eval.conditions import REPLACED, shown
from lib.eval.judge import Verdict, judge_rows
from lib.eval.metrics import exact_match, f1, rouge, verbatim_quotes
from lib.eval.replace import which_value
from lib.eval.retrieve import oracle_ids


def score_rows(rows: Sequence[dict], questions: Sequence[dict], chunks: Sequence[dict], judge) -> list[dict]:
    """Score answers.

    Args:
        rows: Rows of `eval/answers.jsonl`.
        questions: Rows of the eval set.
        chunks: Rows of `dataset/chunks.jsonl`.
        judge: Asker of the judge.

    Returns:
        One row for each answer, in order; its fields are described at `score`.
    """
    by_id = {row["id"]: row for row in questions}
    texts = {chunk["chunk_id"]: chunk["text"] for chunk in chunks}
    oracles = {row["id"]: oracle_ids(row, chunks) for row in questions}
    verdicts = judge_rows(rows, by_id, judge)
    return [
        score(row, by_id[row["question_id"]], verdict, oracles[row["question_id"]], texts)
        for row, verdict in zip(rows, verdicts, strict=True)
    ]


def score(row: dict, question: dict, verdict: Verdict, oracles: set[str], texts: dict[str, str]) -> dict:
    """The scores of one answer.

    Returns:
        The keys of the answer, then: `answerable, split, source` of the question; `judge` (null: not judged), `judge_reason`;
        `exact_match, f1, rouge1, rouge2, rougeL` (0 for a refusal, null where there is no reference); `refused, failed, cut`;
        `oracle_shown` (null: source unknown); `n_quotes, n_verbatim`; `value` (only for replaced values: follows, repeats, both,
        neither or refused); `outcome` in a word; latency and tokens.
    """
    passages = shown([texts[key] for key in row["context_chunk_ids"]], row["original"], row["replacement"])
    referenced = question["answerable"] and row["condition"] != REPLACED
    given = "" if row["refused"] else row["answer"]
    found = (
        {
            "exact_match": exact_match(given, question["answer"]),
            "f1": f1(given, question["answer"]),
            **rouge(given, question["answer"]),
        }
        if referenced
        else {}
    )
    value = which_value(row["answer"], row["refused"], row["original"], row["replacement"]) if row["original"] else None
    return {
        **{key: row[key] for key in ("system", "condition", "top_k", "question_id")},
        "answerable": question["answerable"], "split": question.get("split", ""), "source": question.get("source", ""),
        "judge": verdict.right, "judge_reason": verdict.reason,
        **{name: round(found[name], 6) if found else None for name in ("exact_match", "f1", "rouge1", "rouge2", "rougeL")},
        "refused": row["refused"], "failed": bool(row["error"]), "cut": row["finish_reason"] == "length",
        "oracle_shown": bool(oracles & set(row["context_chunk_ids"])) if oracles else None,
        "n_quotes": len(row["quotes"]), "n_verbatim": verbatim_quotes(row["quotes"], passages),
        "value": value, "outcome": outcome(row, question["answerable"], verdict, value),
        **{key: row[key] for key in ("latency_s", "prompt_tokens", "completion_tokens")},
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
