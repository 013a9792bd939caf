"""Where a question's evidence stands: the one rule by which 1_gen and 4_eval give a user's questions their chunk."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from lib.llm.words import facts, holds_answer, words

LEAST = 3  # words of a piece of evidence: one or two ("in 1907") stand in many chunks


def locate(questions: Sequence[Mapping], chunks: Sequence[Mapping]) -> list[dict]:
    """Find the chunk that holds each answer, and the split of its document.

    The evidence decides, compared word by word, since extraction changes marks and line breaks; where a chunk border cuts
    it, the chunk with the most of it, at least half and `LEAST` words. Without evidence: the one chunk that may hold the answer. Only chunks
    of the question's source count, where it names one. Each chunk is read once, however many questions there are.

    Args:
        questions: Rows with `answer, answerable, source, evidence`.
        chunks: Rows with `chunk_id, source, text` and, where there are splits, `split`.

    Returns:
        `chunk_id, source, split` of each question, empty where they are not known; `source` is never another than the question's.
    """
    asked: dict[str, list[_Evidence | _Guess]] = {}
    searches = [_Evidence(row["evidence"]) if row["evidence"] else _Guess(row["answer"]) for row in questions]
    for row, search in zip(questions, searches, strict=True):
        if row["answerable"]:
            asked.setdefault(row["source"], []).append(search)
    splits: dict[str, set[str]] = {}
    for chunk in chunks:
        splits.setdefault(chunk["source"], set()).add(chunk.get("split", ""))
        read = _Read(chunk)
        for source in {chunk["source"], ""}:
            for search in asked.get(source, []):
                search.look_at(read)
    return [_place(row, search.found(), splits) for row, search in zip(questions, searches, strict=True)]


def _place(row: Mapping, chunk: Mapping | None, splits: Mapping[str, set[str]]) -> dict:
    source = row["source"] or (chunk["source"] if chunk else "")
    held = splits.get(row["source"], set()) if row["source"] else set()
    split = chunk.get("split", "") if chunk else next(iter(held)) if len(held) == 1 else ""
    return {"chunk_id": chunk["chunk_id"] if chunk else "", "source": source, "split": split}


class _Read:
    """A chunk with its words, cut when they are first wanted."""

    def __init__(self, chunk: Mapping):
        self.chunk = chunk

    @cached_property
    def flat(self) -> str:
        return _flat(words(self.chunk["text"]))

    @cached_property
    def facts(self) -> set[str]:
        return facts(self.chunk["text"])


class _Evidence:
    """The chunk with the most of a piece of evidence."""

    def __init__(self, evidence: str):
        self.wanted = words(evidence)
        self.least = min(max(len(self.wanted) // 2, LEAST), len(self.wanted))
        # A chunk with any piece that counts has the shortest one at that end, so that most are told by two looks.
        self.ends = [_flat(part) for part in (self.wanted[: self.least], self.wanted[-self.least :])]
        self.best: Mapping | None = None
        self.most = 0.5

    def look_at(self, read: _Read) -> None:
        if any(end in read.flat for end in self.ends):
            score = self._overlap(read.flat)
            if score > self.most or (score == self.most and self.best is None):
                self.best, self.most = read.chunk, score

    def found(self) -> Mapping | None:
        return self.best

    def _overlap(self, flat: str) -> float:
        """Share of the words that stands in `flat` as one run from their start or to their end."""
        wanted = self.wanted
        for n in range(len(wanted), self.least - 1, -1):
            if any(_flat(part) in flat for part in (wanted[:n], wanted[len(wanted) - n :])):
                return n / len(wanted) if wanted else 1.0
        return 0.0


class _Guess:
    """The one chunk that may hold an answer."""

    def __init__(self, answer: str):
        self.answer = answer
        self.may: list[Mapping] = []

    def look_at(self, read: _Read) -> None:
        if len(self.may) < 2 and holds_answer(read.facts, self.answer):
            self.may.append(read.chunk)

    def found(self) -> Mapping | None:
        return self.may[0] if len(self.may) == 1 else None


def _flat(found: Sequence[str]) -> str:
    """Words between spaces, so that none is found within another."""
    return f" {' '.join(found)} "
