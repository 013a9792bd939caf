"""What else a judge can be asked: scores from 1 to 5, whether a reply refuses, and which of two answers is better.

Each is an option, since each is another call for every answer. A pair is asked in both orders, and only a verdict that both
give counts as a win: what changes with the order is a tie and is counted apart.
"""

from collections.abc import Sequence

import pandas as pd

from lib.eval.conditions import CLOSED_BOOK, MAIN, RAG, REPLACED, passages_of
from lib.eval.fence import parse_choice, parse_object, typed_request
from lib.eval.stats import wilson

SCALES = ("groundedness", "relevance", "coherence", "fluency", "similarity")
_SCALE = {"type": "integer", "minimum": 1, "maximum": 5}
_YES_NO = {"verdict": {"type": "string", "enum": ["YES", "NO"]}}
_PAIR = {"verdict": {"type": "string", "enum": ["A", "B", "TIE"]}}


def parse_scores(text: str) -> dict[str, int] | None:
    """The five scores of a reply; None unless all are there, whole and from 1 to 5."""
    value = parse_object(text)
    found = [value.get(name) for name in SCALES] if value else []
    if not found or not all(type(score) is int and 1 <= score <= 5 for score in found):
        return None
    return dict(zip(SCALES, found, strict=True))


def rate_rows(rows: Sequence[dict], questions: dict[str, dict], texts: dict[str, str], asker) -> list[dict[str, int | None]]:
    """Scores of answers, in the order of the rows.

    Args:
        rows: Rows of answers.
        questions: Rows of the eval sets by id.
        texts: Chunks' texts by id.
        asker: The judge.

    Returns:
        One dictionary an answer; all None where there is no reference, no reply, or nothing readable came back.
        `groundedness` is None too where no passage was shown.
    """
    asked = [
        i for i, row in enumerate(rows)
        if questions[row["question_id"]]["answerable"] and row["condition"] != REPLACED and not row["error"] and row["answer"].strip()
    ]  # fmt: skip
    requests = [_scores_request(rows[i], questions[rows[i]["question_id"]], texts) for i in asked]
    found: list[dict[str, int | None]] = [dict.fromkeys(SCALES) for _ in rows]
    for i, reply in zip(asked, asker.ask(requests, label="scores"), strict=True):
        scores = None if reply.error else parse_scores(reply.text)
        found[i] |= scores or {}
        if not passages_of(rows[i], questions[rows[i]["question_id"]], texts):
            found[i]["groundedness"] = None
    return found


def _scores_request(row: dict, question: dict, texts: dict[str, str]):
    passages = passages_of(row, question, texts)
    parts = (
        ("QUESTION", question["question"]), ("REFERENCE", question["answer"]), ("PASSAGES", "\n\n".join(passages) or "(none shown)"),
        ("CANDIDATE", row["reply"]),
    )  # fmt: skip
    return typed_request("scores", "scores", dict.fromkeys(SCALES, _SCALE), parts)


def judge_refusals(rows: Sequence[dict], questions: dict[str, dict], asker) -> list[bool | None]:
    """Whether the judge takes each reply for a refusal; None where there is no reply or no readable verdict."""
    asked = [i for i, row in enumerate(rows) if not row["error"] and row["reply"].strip()]
    requests = [
        typed_request(
            "refusal", "refusal", _YES_NO,
            (("QUESTION", questions[rows[i]["question_id"]]["question"]), ("CANDIDATE", rows[i]["reply"])),
        )
        for i in asked
    ]  # fmt: skip
    found: list[bool | None] = [None] * len(rows)
    for i, reply in zip(asked, asker.ask(requests, label="refusals"), strict=True):
        verdict = None if reply.error else parse_choice(reply.text, ("YES", "NO"))
        found[i] = verdict[0] == "YES" if verdict else None
    return found


def compare_pairs(rows: Sequence[dict], questions: dict[str, dict], asker) -> list[dict]:
    """`eval/pairwise.jsonl`: the first system's answers against every other's, each pair in both orders.

    Args:
        rows: Rows of answers; closed book and retrieval of the main eval set, first askings, are compared.
        questions: Rows of the eval sets by id.
        asker: The judge.

    Returns:
        Rows `first, second, condition, top_k, question_id, forward, backward, outcome`: the verdicts said of (first, second) and of
        (second, first) as `A`, `B`, `TIE` or null, and `win`, `loss`, `tie`, `order` (the order decided) or `unjudged`, said
        of the first system. Equal answers tie unasked.
    """
    held = {
        (row["system"], row["condition"], row["top_k"], row["question_id"]): row
        for row in rows
        if row["condition"] in (CLOSED_BOOK, RAG) and row["eval_set"] == MAIN and row["repeat"] == 0
    }
    systems = list(dict.fromkeys(row["system"] for row in rows))
    pairs = [
        (row, other)
        for key, row in held.items()
        if key[0] == systems[0] and questions[key[3]]["answerable"]
        for name in systems[1:]
        if (other := held.get((name, *key[1:])))
    ]
    differ = [(a, b) for a, b in pairs if a["answer"].strip() != b["answer"].strip()]
    requests = [_pair_request(x, y, questions) for a, b in differ for x, y in ((a, b), (b, a))]
    replies = iter(asker.ask(requests, label="pairs"))
    said = {}
    for a, b in differ:
        forward, backward = (None if r.error else parse_choice(r.text, ("A", "B", "TIE")) for r in (next(replies), next(replies)))
        said[id(a), id(b)] = forward and forward[0], backward and backward[0]
    return [
        {
            "first": a["system"], "second": b["system"], "condition": a["condition"], "top_k": a["top_k"], "question_id": a["question_id"],
            "forward": verdicts[0], "backward": verdicts[1], "outcome": settle_pair(*verdicts),
        }
        for a, b in pairs
        for verdicts in [said.get((id(a), id(b)), ("TIE", "TIE"))]
    ]  # fmt: skip


def _pair_request(a: dict, b: dict, questions: dict[str, dict]):
    question = questions[a["question_id"]]
    parts = (
        ("QUESTION", question["question"]), ("REFERENCE", question["answer"]), ("A", a["answer"]), ("B", b["answer"]),
    )  # fmt: skip
    return typed_request("pairwise", "pairwise", _PAIR, parts)


def settle_pair(forward: str | None, backward: str | None) -> str:
    """What two verdicts in opposite orders come to, for the answer that stood first in the first of them."""
    if forward is None or backward is None:
        return "unjudged"
    turned = {"A": "B", "B": "A", "TIE": "TIE"}[backward]
    if forward != turned:
        return "order"
    return {"A": "win", "B": "loss", "TIE": "tie"}[forward]


def summarise_pairs(pairs: Sequence[dict]) -> pd.DataFrame:
    """`eval/wins.csv`: per pair of systems and top_k the counts of `pairwise.jsonl`, and the first's share of decided pairs with interval."""
    table = []
    for first, second, k in dict.fromkeys((row["first"], row["second"], row["top_k"]) for row in pairs):
        outcomes = [r["outcome"] for r in pairs if (r["first"], r["second"], r["top_k"]) == (first, second, k)]
        counts = {name: outcomes.count(name) for name in ("win", "loss", "tie", "order", "unjudged")}
        decided = counts["win"] + counts["loss"]
        low, high = wilson(counts["win"], decided)
        table.append(
            {
                "first": first, "second": second, "top_k": k, "n": len(outcomes), **counts,
                "win_rate": counts["win"] / decided if decided else float("nan"), "win_low": low, "win_high": high,
            }
        )  # fmt: skip
    columns = ["first", "second", "top_k", "n", "win", "loss", "tie", "order", "unjudged", "win_rate", "win_low", "win_high"]
    return pd.DataFrame(table, columns=columns)
