"""Every question as the report shows it: the passages with oracle and quotes marked, and each system's reply and verdict."""

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

from lib.eval.conditions import CLOSED_BOOK, NO_ORACLE, RAG, REPLACED, shown
from lib.eval.retrieve import oracle_ids

TITLES = {
    RAG: "Closed book and retrieval",
    NO_ORACLE: "Control: no passage holds the answer",
    REPLACED: "Control: the value was replaced",
}


def build_questions(
    questions: Sequence[dict], chunks: Sequence[dict], answers: Sequence[dict], scores: Sequence[dict]
) -> list[dict]:
    """One dictionary for each question, in the eval set's order, for the report's template."""
    by_id = {chunk["chunk_id"]: chunk for chunk in chunks}
    pairs: dict[str, list[tuple[dict, dict]]] = {}
    for answer, score in zip(answers, scores, strict=True):
        pairs.setdefault(answer["question_id"], []).append((answer, score))
    return [_question(row, pairs.get(row["id"], []), by_id, oracle_ids(row, chunks)) for row in questions]


def _question(row: dict, pairs: list[tuple[dict, dict]], chunks: dict[str, dict], oracles: set[str]) -> dict:
    panels = []
    for conditions in ((CLOSED_BOOK, RAG), (NO_ORACLE,), (REPLACED,)):
        held = [pair for pair in pairs if pair[0]["condition"] in conditions]
        if held:
            panels.append(_panel(conditions[-1], held, chunks, oracles))
    cases: dict[tuple, set[str]] = {}
    for _, score in pairs:
        cases.setdefault((score["condition"], score["top_k"]), set()).add(score["outcome"])
    return {
        **{key: row.get(key, "") for key in ("id", "question", "answer", "answerable", "source", "split", "evidence")},
        "panels": panels,
        "outcomes": sorted(set().union(*cases.values())) if cases else [],
        "differs": any(len(found) > 1 for found in cases.values()),
        "strip": [
            (system, [score["outcome"] for _, score in panels_pairs])
            for system in dict.fromkeys(score["system"] for _, score in pairs)
            if (
                panels_pairs := [
                    p for p in pairs if p[1]["system"] == system and p[1]["condition"] in (CLOSED_BOOK, RAG)
                ]
            )
        ],
    }


def _panel(condition: str, pairs: list[tuple[dict, dict]], chunks: dict[str, dict], oracles: set[str]) -> dict:
    widest = max((answer for answer, _ in pairs), key=lambda answer: len(answer["context_chunk_ids"]))
    quotes = [quote for answer, _ in pairs for quote in answer["quotes"]]
    ids = widest["context_chunk_ids"]
    texts = shown([chunks[key]["text"] for key in ids], widest["original"], widest["replacement"])
    rows: dict[str, list] = {}
    for answer, score in pairs:
        label = "closed book" if score["condition"] == CLOSED_BOOK else f"top-k {score['top_k']}"
        rows.setdefault(label if condition == RAG else f"{score['top_k']} passages", []).append(_cell(answer, score))
    return {
        "title": TITLES[condition] + (f": {widest['original']} → {widest['replacement']}" if widest["original"] else ""),
        "best_first": condition == RAG,
        "passages": [
            {"rank": i, "source": chunks[key].get("source", ""), "section": chunks[key].get("section", ""), "oracle": key in oracles,
             "text": highlight(text, quotes, widest["replacement"])}
            for i, (key, text) in enumerate(zip(ids, texts, strict=True), 1)
        ],
        "rows": list(rows.items()),
    }  # fmt: skip


def _cell(answer: dict, score: dict) -> dict:
    return {
        "system": score["system"], "outcome": score["outcome"], "answer": answer["answer"] or "(empty)", "reply": answer["reply"],
        "reason": score["judge_reason"], "cut": score["cut"], "n_quotes": score["n_quotes"], "n_verbatim": score["n_verbatim"],
        "exact_match": score["exact_match"], "f1": score["f1"],
    }  # fmt: skip


def highlight(text: str, quotes: Sequence[str], value: str = "") -> Markup:
    """A passage as HTML, with the quotes found in it marked, and a replaced value set off."""
    spans = sorted(span for quote in quotes if quote.strip() for span in _find(text, quote))
    merged: list[list[int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    out, at = Markup(""), 0
    for start, end in merged:
        out += _value(text[at:start], value) + Markup("<mark>") + _value(text[start:end], value) + Markup("</mark>")
        at = end
    return out + _value(text[at:], value)


def _find(text: str, quote: str) -> list[tuple[int, int]]:
    pattern = r"\s+".join(re.escape(part) for part in quote.split())
    return [match.span() for match in re.finditer(pattern, text)]


def _value(text: str, value: str) -> Markup:
    if not value:
        return escape(text)
    parts = text.split(value)
    return (Markup("<b class=swapped>") + escape(value) + Markup("</b>")).join(escape(part) for part in parts)
