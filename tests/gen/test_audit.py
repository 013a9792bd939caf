"""Each test spoils a good row the way a published system does, and the audit must notice."""

import random

import pytest

from lib.gen import audit
from lib.gen.formats import raft_row
from lib.gen.mix import build_examples
from lib.llm.raft import REFUSAL

from .corpus import make_corpus

SHARES = {"n_distractors": 3, "p_oracle": 0.7, "p_refusal": 0.2, "p_hard": 0.5}


@pytest.fixture
def rows():
    chunks, answers = make_corpus(30)
    return list(map(raft_row, build_examples(answers, chunks, rng=random.Random(1), **SHARES)))


def one(rows, kind):
    return next(row for row in rows if row["kind"] == kind)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"no_oracle_label": "cot"},
        {"no_oracle_label": "refusal"},
        {"both_contexts": True},
        {"max_distractors": 6},
        {"refusals": ("I pass.", "No idea.")},
    ],
)
def test_every_row_of_every_mix_is_without_defect(changed):
    chunks, answers = make_corpus(40)
    examples = build_examples(answers, chunks, rng=random.Random(1), **{**SHARES, **changed})
    assert {e.kind for e in examples} == {"oracle", "no_oracle", "refusal"}
    assert not audit.count_defects(map(raft_row, examples), "\n".join(changed.get("refusals", [REFUSAL])))


def test_a_refusal_row_that_keeps_the_oracle_in_its_structured_fields_is_noticed(rows):
    row = one(rows, "refusal")
    sentences = [[*row["context"]["sentences"][0], "the oracle"]]
    spoilt = row | {"context": {"sentences": sentences, "title": [[""] * 5]}, "oracle_context": "the oracle"}
    assert audit.row_defects(spoilt) == [audit.DISAGREE, audit.REFUSES]


def test_an_oracle_free_row_that_keeps_quotes_from_a_document_not_shown_is_noticed(rows):
    quoted = one(rows, "oracle")["cot_answer"]
    assert audit.row_defects(one(rows, "no_oracle") | {"cot_answer": quoted}) == [audit.QUOTE]


def test_a_slot_of_a_dropped_oracle_that_repeats_a_distractor_is_noticed(rows):
    row = one(rows, "no_oracle")
    first = row["context"]["sentences"][0][0]
    repeated = [first, *row["context"]["sentences"][0][:-1]]
    instruction = audit.build_instruction(repeated, row["question"])
    spoilt = row | {"context": {"sentences": [repeated], "title": [[""] * 4]}, "instruction": instruction}
    assert audit.row_defects(spoilt) == [audit.REPEATS]


def test_a_prompt_that_shows_other_documents_than_the_fields_or_names_an_oracle_not_shown_is_noticed(rows):
    row = one(rows, "oracle")
    assert audit.row_defects(row | {"instruction": row["instruction"].replace("<DOCUMENT>", "<DOC>", 1)}) == [audit.DISAGREE]
    assert audit.row_defects(row | {"oracle_context": "elsewhere"}) == [audit.NO_ORACLE]


@pytest.mark.parametrize("answer", ["no tag", "<ANSWER>: a <ANSWER>: b"])
def test_an_answer_without_its_one_tag_is_noticed(rows, answer):
    assert audit.row_defects(one(rows, "oracle") | {"cot_answer": answer}) == [audit.TWO_TAGS]
