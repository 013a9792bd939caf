"""Where a question's evidence stands: the one rule by which 1_gen and 4_eval give a user's questions their chunk."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from lib.llm.words import facts, holds_answer, words

N_REMEMBERED = 20_000  # texts whose words are kept while questions are gone through
LEAST = 3  # words of a piece of evidence: one or two ("in 1907") stand in many chunks


def locate(questions: Sequence[Mapping], chunks: Sequence[Mapping]) -> list[dict]:
    """Find the chunk that holds each answer, and the split of its document.

    The evidence decides, compared word by word, since extraction changes marks and line breaks; where a chunk border cuts
    it, the chunk with the most of it, at least half and `LEAST` words. Without evidence: the one chunk that may hold the answer. Only chunks
    of the question's source count, where it names one.

    Args:
        questions: Rows with `answer, answerable, source, evidence`.
        chunks: Rows with `chunk_id, source, text` and, where there are splits, `split`.

    Returns:
        `chunk_id, source, split` of each question, empty where they are not known; `source` is never another than the question's.
    """
    by_source: dict[str, list[Mapping]] = {}
    for chunk in chunks:
        by_source.setdefault(chunk["source"], []).append(chunk)
    flat = lru_cache(N_REMEMBERED)(lambda text: f" {' '.join(words(text))} ")
    said = lru_cache(N_REMEMBERED)(facts)
    found = []
    for row in questions:
        held = by_source.get(row["source"], [] if row["source"] else chunks)
        chunk = _holder(row, held, flat, said) if row["answerable"] else None
        splits = {c.get("split", "") for c in held} if row["source"] else set()
        split = chunk.get("split", "") if chunk else splits.pop() if len(splits) == 1 else ""
        source = row["source"] or (chunk["source"] if chunk else "")
        found.append({"chunk_id": chunk["chunk_id"] if chunk else "", "source": source, "split": split})
    return found


def _holder(row: Mapping, chunks: Sequence[Mapping], flat, said) -> Mapping | None:
    if not row["evidence"]:
        may = [chunk for chunk in chunks if holds_answer(said(chunk["text"]), row["answer"])]
        return may[0] if len(may) == 1 else None
    wanted = words(row["evidence"])
    best, most = None, 0.5
    for chunk in chunks:
        score = _overlap(wanted, flat(chunk["text"]))
        if score > most or (score == most and best is None):
            best, most = chunk, score
    return best


def _overlap(wanted: list[str], flat: str) -> float:
    """Share of `wanted` that stands in `flat`, words between spaces, as one run from its start or to its end."""
    if f" {' '.join(wanted)} " in flat:
        return 1.0
    for n in range(len(wanted) - 1, max(len(wanted) // 2, LEAST) - 1, -1):
        if any(f" {' '.join(part)} " in flat for part in (wanted[:n], wanted[-n:])):
            return n / len(wanted)
    return 0.0
