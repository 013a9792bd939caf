"""Sentences that invite a crooked question: it is asked rightly or not at all."""

import pytest

from lib.llm.offline.facts import find_facts
from lib.llm.offline.questions import write_questions


def wordings(passage: str) -> list[str]:
    return [wording for fact in find_facts(passage) for wording in fact.wordings]


def everything(passage: str) -> str:
    return "\n".join([*wordings(passage), *write_questions(passage, 8)])


def test_the_second_of_two_participles_stays_passive():
    asked = wordings("The Marigold was hauled up and painted in the shed from 3 May to 9 June 2021.")
    assert "From what date was the Marigold painted in the shed?" in asked
    assert not any("did the Marigold paint" in question for question in asked)


def test_a_noun_behind_and_is_no_verb():
    assert "drop from" not in everything("A hen with mites goes into the small pen by the wall, and drops from the green flask are given for two days.")


def test_all_six_are_counted_as_six():
    asked = wordings("The wardens adopted all six proposals in March.")
    assert "How many proposals did the wardens adopt in March?" in asked
    assert not any("adopt all in" in question or "adopted all in" in question for question in asked)


@pytest.mark.parametrize(("passage", "torn"), [
    ("Whoever takes a boat out late pays 475 EUR for every 78 minutes begun.", "Whoever take"),
    ("Every autumn the ropes are tested by hand for wear.", "every autumn the ropes"),
])  # fmt: skip
def test_a_subject_is_whole(passage, torn):
    assert torn not in everything(passage)
