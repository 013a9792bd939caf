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
    ("Every spring the ropes are tested by hand for wear.", "every spring the ropes"),
])  # fmt: skip
def test_a_subject_is_whole(passage, torn):
    assert torn not in everything(passage)


@pytest.mark.parametrize(("passage", "right", "wrong"), [
    ("The Tarn museum is open from Monday to Saturday.", "On which days is the Tarn museum open?", "which dates"),
    ("Warm soup is handed out on Wednesday and Thursday in the parish hall.", "On which days is warm soup handed out in the parish hall?", "on which day "),
    ("The old footbridge was painted in the summer of 2024.", "When was the old footbridge painted?", "In which month"),
])  # fmt: skip
def test_days_are_no_dates_and_a_summer_is_no_month(passage, right, wrong):
    assert right in wordings(passage)
    assert wrong.lower() not in everything(passage).lower()


def test_a_place_is_a_place_and_ends_where_the_next_verb_begins():
    assert "Where is the boat key fetched?" in wordings("The boat key is fetched at the inn Murrow and returned the same evening.")
    assert all("returned" not in fact.value for fact in find_facts("The boat key is fetched at the inn Murrow and returned the same evening."))
    assert not any(word in everything("Larch and ash are sold by the stacked metre, at £46 roadside.") for word in ("Where", "place", "Who or what sells"))
    assert "Where are the statements for" not in everything("The statements are in the letter box of the app for 74 days.")


@pytest.mark.parametrize(("passage", "wrong"), [
    ("Prams get through on the gravel path, sledges as far as the hide.", "through"),
    ("The bulletin is sent every 3 weeks, on bad days two.", "on bad days two"),
    ("Many old seats came from a bankrupt circus and creaked so badly that comedies did better.", "and creaked"),
])  # fmt: skip
def test_nothing_is_asked_with_what_belongs_to_another_phrase(passage, wrong):
    assert wrong not in everything(passage)


@pytest.mark.parametrize(("passage", "right", "wrong"), [
    ("The lodgers have 30 days to answer a letter.", "How long do the lodgers have to answer a letter?", "do the lodgers have?"),
    ("Booked berths are exchanged for a voucher up to 16 days before the ferry sails.", "How many days before the ferry sails are booked berths exchanged for a voucher?", "voucher before"),
    ("If nothing happens for two weeks, complain to the harbour warden.", "What should you do if nothing happens for two weeks?", "What applies"),
    ("Spare coupons must be used within ten days.", "Within how many days must spare coupons be used?", "What must be used"),
    ("Documents kept on board MV Orla Finch: Towing Manual", "", "Who is named"),
])  # fmt: skip
def test_the_question_holds_what_its_answer_needs(passage, right, wrong):
    assert not right or right in wordings(passage)
    assert wrong not in everything(passage)


@pytest.mark.parametrize(("passage", "wrong"), [
    ("# Harbour office\nPauses are deducted automatically: eight minutes an hour.", "pauses are"),
    ("# Harbour office\nTenders received: 58; excluded: 25, as a form was missing", "tenders received"),
    ("# Minutes of the Meadow Choir\nVenue: rehearsal hall, 9 Dand Street", "of Minutes"),
    ("Midday rest is kept from 19:45 to 2.30; no mowers, no saws.", "to 2.30"),
])  # fmt: skip
def test_a_key_is_a_noun_and_a_range_is_whole(passage, wrong):
    assert wrong not in everything(passage)
