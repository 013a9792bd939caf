import random
from collections import Counter
from dataclasses import replace

import pytest

from lib.gen.chunk import flag_near_duplicates
from lib.gen.split import assign_splits, split_table, split_with_questions
from lib.run import BadInput

from .corpus import make_chunk, make_corpus


def splits(chunks, p_valid=0.1, p_test=0.2, seed=1):
    return assign_splits(chunks, p_valid=p_valid, p_test=p_test, rng=random.Random(seed))


def test_chunks_of_a_document_stand_on_one_side():
    chunks, by = splits(make_corpus(120)[0])
    assert by == "document"
    held = {}
    for chunk in chunks:
        held.setdefault(chunk.doc_id, set()).add(chunk.split)
    assert all(len(sides) == 1 for sides in held.values())
    assert Counter(next(iter(s)) for s in held.values()) == {"train": 21, "valid": 3, "test": 6}


def test_near_duplicates_stand_on_one_side_whatever_document_they_are_in():
    chunks, _ = make_corpus(120)
    copies = [make_chunk(c.text + " See map.", f"copy-{i % 30}.md") for i, c in enumerate(chunks[:60])]
    for by_few in (False, True):
        held = flag_near_duplicates([replace(c, doc_id="one" if by_few else c.doc_id) for c in [*chunks, *copies]])
        sides = {}
        for chunk in splits(held)[0]:
            sides.setdefault(chunk.duplicate_group, set()).add(chunk.split)
        assert max(Counter(c.duplicate_group for c in held).values()) == 2
        assert all(len(s) == 1 for s in sides.values())


def test_few_documents_are_split_by_runs_of_neighbours():
    chunks = [replace(c, doc_id="one") for c in make_corpus(80)[0]]
    chunks, by = splits(chunks)
    assert by == "run of chunks"
    sides = [c.split for c in chunks]
    assert set(sides) == {"train", "valid", "test"}
    assert sum(a != b for a, b in zip(sides, sides[1:], strict=False)) <= 12
    assert split_table(chunks, by)["chunks"].sum() == 80


def test_the_same_seed_splits_alike_and_another_does_not():
    chunks, _ = make_corpus(120)
    assert splits(chunks)[0] == splits(chunks)[0]
    assert splits(chunks)[0] != splits(chunks, seed=2)[0]


def test_nothing_is_held_out_when_nothing_is_asked_for():
    assert {c.split for c in splits(make_corpus(40)[0], 0.0, 0.0)[0]} == {"train"}


def test_too_few_passages_to_split_is_one_clear_line():
    with pytest.raises(BadInput, match="too few passages to split: 2 groups"):
        splits(make_corpus(2)[0])
    with pytest.raises(BadInput, match="p_valid"):
        splits(make_corpus(40)[0], 0.5, 0.5)


def test_a_split_without_a_question_to_evaluate_is_drawn_again_and_a_good_one_is_kept():
    chunks, answers = make_corpus(120)
    chunks, _ = splits(chunks)
    parts = {"p_valid": 0.1, "p_test": 0.2}
    assert split_with_questions(chunks, answers, **parts, rng=random.Random(1)) == chunks
    of_train = [a for a, c in zip(answers, chunks, strict=True) if c.split == "train"][::20]
    again = split_with_questions(chunks, of_train, **parts, rng=random.Random(1))
    asked = {a.question.chunk_id for a in of_train}
    assert {"train", "test"} <= {c.split for c in again if c.chunk_id in asked}
    with pytest.raises(BadInput, match="1 answered questions are too few"):
        split_with_questions(chunks, of_train[:1], **parts, rng=random.Random(1))


def test_what_stays_together_can_be_chosen():
    chunks, _ = make_corpus(160)
    few, many = [replace(c, doc_id=f"{i // 40}") for i, c in enumerate(chunks)], [replace(c, doc_id=f"{i // 8}") for i, c in enumerate(chunks)]

    def sides(chunks, unit):
        held, by = assign_splits(chunks, p_valid=0.1, p_test=0.3, rng=random.Random(1), split_unit=unit)
        by_document = {}
        for chunk in held:
            by_document.setdefault(chunk.doc_id, set()).add(chunk.split)
        return by, max(map(len, by_document.values()))

    assert sides(few, "auto")[0] == "run of chunks"
    assert sides(few, "document") == ("document", 1)
    assert sides(many, "auto") == ("document", 1)
    by, most = sides(many, "run")
    assert (by, most > 1) == ("run of chunks", True)
    with pytest.raises(BadInput, match="split_unit: expected one of auto, document, run, found 'page'"):
        sides(many, "page")


def test_documents_too_few_to_split_by_document_are_an_error_that_names_the_way_out():
    chunks = [replace(c, doc_id=f"{i // 20}") for i, c in enumerate(make_corpus(40)[0])]
    with pytest.raises(BadInput, match="2 groups.*set split_unit: run"):
        assign_splits(chunks, p_valid=0.1, p_test=0.1, rng=random.Random(1), split_unit="document")
