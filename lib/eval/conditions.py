"""What is shown beside each question: nothing, what retrieval finds, what it finds without the answer, or a changed answer.

`closed_book` and `rag` are the comparison; `no_oracle` and `replaced` are controls at the width that training showed, over
answerable questions only; further controlled contexts are lib.eval.contexts'. `given` shows what the eval set's row brings
along (a section to summarise). Every system is asked exactly the same cases.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lib.eval.replace import Replacement, plan_replacements, swap
from lib.eval.retrieve import oracle_ids
from lib.eval.text import mentions
from lib.llm.words import facts, holds_answer
from lib.run.passages import most_passages

CLOSED_BOOK, RAG, NO_ORACLE, REPLACED, GIVEN = "closed_book", "rag", "no_oracle", "replaced", "given"
N_REMEMBERED = 20_000  # chunks whose content is kept; about 10 kB each, so 0.2 GB whatever the corpus
_DOCUMENT = re.compile(r"<DOCUMENT>(.*?)</DOCUMENT>", re.DOTALL)  # eval rows of gorilla/raft, and of lib.gen.convert
MAIN = "eval"  # the frozen eval set; further ones are called after their files


@dataclass(frozen=True)
class Case:
    """One question with what is shown beside it.

    Attributes:
        top_k: Passages retrieved, 0 for none; for controls the number shown.
        context_chunk_ids: The chunks shown, in order.
        documents: Their texts as shown, so after replacement.
        original, replacement: The value changed in `documents`; empty but for `replaced`.
        eval_set: Which questions it belongs to.
        place: Where the oracle stands among the documents, from 1; 0 where a context was not built around it.
        repeat: Which of several askings this is; 0 for the first.
    """

    condition: str
    top_k: int
    question_id: str
    question: str
    context_chunk_ids: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    original: str = ""
    replacement: str = ""
    eval_set: str = MAIN
    place: int = 0
    repeat: int = 0


def training_width(manifest: dict, top_k: Sequence[int]) -> int:
    """Passages that the widest training row shows: distractors and the oracle; the largest top_k where no dataset was made here."""
    return most_passages(manifest.get("parameters", {}).get("1_gen", {}), max(top_k))


def build_cases(
    questions: Sequence[dict],
    chunks: Sequence[dict],
    rankings: dict[str, list[str]],
    *,
    top_k: Sequence[int],
    width: int,
    rng: random.Random,
) -> list[Case]:
    """Every case that every system is asked.

    Args:
        questions: Rows of the eval set.
        chunks: Rows of `dataset/chunks.jsonl`.
        rankings: Chunk ids by question id, best first, deep enough for the controls.
        top_k: Numbers of passages to retrieve; closed book is always asked as well.
        width: Passages shown in the controls; 0 leaves the controls out.
        rng: The only source of chance: replacement values, and where the changed passage stands.
    """
    texts = {chunk["chunk_id"]: chunk["text"] for chunk in chunks}
    searched = [row for row in questions if not row.get("context")]
    cases = [_given(row) for row in questions if row.get("context")]
    cases += [show(CLOSED_BOOK, row, (), texts, 0) for row in searched]
    for k in sorted(set(top_k) - {0}):
        cases += [show(RAG, row, rankings[row["id"]][:k], texts, k) for row in searched]
    if width:
        safe = without_answer(searched, chunks, rankings)
        asked = [row for row in searched if safe.get(row["id"])]
        cases += [show(NO_ORACLE, row, safe[row["id"]][:width], texts, width) for row in asked]
        passages = {row["id"]: texts[row["chunk_id"]] for row in asked if row.get("chunk_id") in texts}
        changes = plan_replacements(searched, passages, rng)
        for row in asked:
            if change := changes.get(row["id"]):
                cases.append(_show_changed(row, change, safe[row["id"]], texts, width, rng))
    return cases


def show(condition: str, row: dict, ids: Sequence[str], texts: dict[str, str], k: int, place: int = 0) -> Case:
    """The case of one question beside these chunks."""
    shown_ids, documents = tuple(ids), tuple(texts[key] for key in ids)
    eval_set = row.get("eval_set", MAIN)
    return Case(condition, k, row["id"], row["question"], shown_ids, documents, eval_set=eval_set, place=place)


def given_documents(question: dict) -> list[str]:
    """The documents that a row of an eval set brings along, each apart; none for a row without `context`."""
    held = question.get("context") or []
    return (_DOCUMENT.findall(held) or [held]) if isinstance(held, str) else list(held)


def passages_of(row: dict, question: dict, texts: dict[str, str]) -> list[str]:
    """What was shown beside the question of a row of answers; `texts` are the chunks' by id."""
    if row["condition"] == GIVEN:
        return given_documents(question)
    return shown([texts[key] for key in row["context_chunk_ids"]], row["original"], row["replacement"])


def _given(row: dict) -> Case:
    documents = given_documents(row)
    case = Case(GIVEN, len(documents), row["id"], row["question"], documents=tuple(documents))
    return replace(case, eval_set=row.get("eval_set", MAIN))


def without_answer(
    questions: Sequence[dict], chunks: Sequence[dict], rankings: dict[str, list[str]]
) -> dict[str, list[str]]:
    """For each answerable question the chunks that cannot give its answer away, best ranked first."""
    texts, found = {chunk["chunk_id"]: chunk["text"] for chunk in chunks}, {}
    facts_of = lru_cache(N_REMEMBERED)(lambda key: facts(texts[key]))
    for row in questions:
        if row["answerable"]:
            oracles = oracle_ids(row, chunks)
            found[row["id"]] = [
                key for key in rankings[row["id"]] if key not in oracles and not holds_answer(facts_of(key), row["answer"])
            ]
    return found


def _show_changed(
    row: dict, change: Replacement, distractors: Sequence[str], texts: dict[str, str], width: int, rng: random.Random
) -> Case:
    """The oracle with its value changed, at a random place among retrieved passages that say neither value."""
    ids = [
        key
        for key in distractors
        if not mentions(texts[key], change.original) and not mentions(texts[key], change.replacement)
    ][: width - 1]
    ids.insert(rng.randint(0, len(ids)), row["chunk_id"])
    case = show(REPLACED, row, ids, texts, width)
    documents = shown([texts[key] for key in ids], change.original, change.replacement)
    return replace(case, documents=tuple(documents), original=change.original, replacement=change.replacement)


def shown(passages: Sequence[str], original: str = "", replacement: str = "") -> list[str]:
    """Passages as a model saw them, with a value replaced where the row of answers says so."""
    return [swap(text, original, replacement) for text in passages] if original else list(passages)


def repeat_cases(cases: Sequence[Case], repeats: int) -> list[Case]:
    """The cases, and as many further askings of each as make up `repeats`."""
    return [replace(case, repeat=n) for n in range(repeats) for case in cases]
