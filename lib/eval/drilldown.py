"""Every question as data for the report's page: each passage once, each case with what was shown, said and judged.

The page draws a question when it is opened, so that a report of thousands of answers opens at once. The data travels as
base64 of gzip: it holds no character that HTML could take for markup, whatever the documents say.
"""

import base64
import gzip
import json
from collections.abc import Sequence

from lib.eval.conditions import CLOSED_BOOK, MAIN, NO_ORACLE, RAG, REPLACED, given_documents, shown
from lib.eval.contexts import CONTEXTS
from lib.eval.retrieve import oracle_ids

TITLES = {
    CLOSED_BOOK: "Closed book", RAG: "Retrieval", NO_ORACLE: "Control: no passage holds the answer", REPLACED: "Control: the value was replaced",
    "given": "The row's own context", **{name: f"Context: {name.replace('_', ' ')}" for name in CONTEXTS},
}  # fmt: skip
KEPT = ("outcome", "judge", "judge_reason", "judges", "exact_match", "f1", "n_quotes", "n_verbatim", "cut", "refused", "cites_oracle")


def build_data(
    questions: Sequence[dict], chunks: Sequence[dict], answers: Sequence[dict], scores: Sequence[dict]
) -> dict:
    """What the page draws questions from.

    Args:
        questions: Rows of the eval sets; one that nothing was asked about is left out.
        chunks: Rows of `dataset/chunks.jsonl`.
        answers, scores: Rows of the run's files, in the same order.

    Returns:
        `systems`, `titles` of conditions, `chunks` shown anywhere, each once as [id, source, section, text], and `questions`
        in order; a question's `cases` name chunks by their place in that list.
    """
    by_id = {chunk["chunk_id"]: chunk for chunk in chunks}
    cases: dict[str, dict[tuple, list[tuple[dict, dict]]]] = {}
    for answer, score in zip(answers, scores, strict=True):
        key = tuple(score[name] for name in ("condition", "top_k", "place", "repeat"))
        cases.setdefault(score["question_id"], {}).setdefault(key, []).append((answer, score))
    places: dict[str, int] = {}
    made = [_question(row, cases[row["id"]], by_id, places) for row in questions if row["id"] in cases]
    kept = [by_id[key] for key in places]
    return {
        "systems": list(dict.fromkeys(score["system"] for score in scores)), "titles": TITLES,
        "chunks": [[chunk["chunk_id"], chunk.get("source", ""), chunk.get("section", ""), chunk["text"]] for chunk in kept],
        "questions": made,
    }  # fmt: skip


def _question(row: dict, cases: dict[tuple, list], chunks: dict[str, dict], places: dict[str, int]) -> dict:
    seen = {key: chunks[key] for pairs in cases.values() for answer, _ in pairs for key in answer["context_chunk_ids"]}
    oracles = oracle_ids(row, list(seen.values()))
    for key in seen:
        places.setdefault(key, len(places))
    return {
        "id": row["id"], "set": row.get("eval_set", MAIN),
        **{key: row.get(key) or "" for key in ("question", "answer", "source", "split", "evidence")}, "answerable": row["answerable"],
        "context": given_documents(row),
        "oracles": [places[key] for key in seen if key in oracles],
        "cases": [_case(key, pairs, chunks, places) for key, pairs in sorted(cases.items(), key=lambda item: _order(item[0]))],
    }  # fmt: skip


def _order(key: tuple) -> tuple:
    names = list(TITLES)
    return (names.index(key[0]) if key[0] in names else len(names), *key[1:])


def _case(key: tuple, pairs: list[tuple[dict, dict]], chunks: dict[str, dict], places: dict[str, int]) -> dict:
    condition, top_k, place, repeat = key
    first = pairs[0][0]  # every system was shown the same
    ids, original, new = first["context_chunk_ids"], first["original"], first["replacement"]
    texts = [chunks[chunk_id]["text"] for chunk_id in ids]
    changed = {i: after for i, (text, after) in enumerate(zip(texts, shown(texts, original, new), strict=True)) if text != after}
    return {
        "condition": condition, "top_k": top_k, "place": place, "repeat": repeat, "chunks": [places[chunk_id] for chunk_id in ids],
        "original": original, "replacement": new, "changed": changed,
        "answers": [
            {"system": score["system"], "answer": answer["answer"], "reply": answer["reply"], "quotes": answer["quotes"], "error": answer["error"],
             **{name: score[name] for name in KEPT}}
            for answer, score in pairs
        ],
    }  # fmt: skip


def pack(data: dict) -> str:
    """Data as the page carries it: base64 of gzipped JSON; the same data gives the same text."""
    raw = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(gzip.compress(raw, 6, mtime=0)).decode()
