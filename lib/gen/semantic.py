"""Breakpoints: the boundaries between sentences at which the meaning turns most, told by an embedding model."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from lib.gen.records import API, Document

_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=\S)|(?<=[。！？])|\n\s*\n?")
SHOWN_CHARS = 1000  # of a sentence; what models of short contexts read


def find_turns(
    documents: Sequence[Document], embed: Callable[[list[str]], np.ndarray], p_breakpoint: float
) -> dict[str, list[int]]:
    """Offsets by `doc_id` at which a document's subject turns, in order.

    The distance at a boundary is 1 - cosine of the two sentences before it and the two after it, since one alone often says
    little; the `p_breakpoint` largest distances of the whole corpus are its turns.

    Args:
        documents: What is going to be cut; API records stay whole and are not looked at.
        embed: Vectors of length 1, (n_texts, d), for a list of texts.
        p_breakpoint: Share of the boundaries that become turns, in [0, 1].
    """
    starts = {d.doc_id: sentence_starts(d.text) for d in documents if d.type != API}
    pairs: list[str] = []  # of n sentences n + 1: the first alone, every two neighbours, the last alone
    for document in (d for d in documents if d.doc_id in starts):
        offsets = starts[document.doc_id]
        ends = [*offsets[1:], len(document.text)]
        sentences = [document.text[a:b].strip()[:SHOWN_CHARS] for a, b in zip(offsets, ends)]
        pairs += [f"{one} {two}".strip() for one, two in zip(["", *sentences], [*sentences, ""])]
    if not pairs:
        return {}
    vectors = np.asarray(embed(pairs))
    distances, place = [], 0
    for offsets in starts.values():
        held = vectors[place : place + len(offsets) + 1]
        distances.append(1 - np.einsum("ij,ij->i", held[:-2], held[2:]))  # (n_sentences - 1,)
        place += len(offsets) + 1
    everywhere = np.concatenate(distances)
    is_turn = np.zeros(len(everywhere), dtype=bool)
    is_turn[np.argsort(-everywhere, kind="stable")[: round(p_breakpoint * len(everywhere))]] = True
    turns, place = {}, 0
    for doc_id, offsets in starts.items():
        here = is_turn[place : place + len(offsets) - 1]
        turns[doc_id] = [offset for offset, turn in zip(offsets[1:], here) if turn]
        place += len(here)
    return turns


def sentence_starts(text: str) -> list[int]:
    """Offsets at which sentences and lines begin; the first is 0."""
    end = len(text.rstrip())
    found = {match.end() for match in _END.finditer(text) if 0 < match.end() < end}
    return [0, *sorted(found)]
