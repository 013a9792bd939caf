"""The offline teacher asks for values that are no numbers: why, on what condition, who, what of, what is allowed."""

import pytest

from lib.llm.offline.answers import find_answer
from lib.llm.offline.facts import find_facts
from lib.llm.offline.questions import write_questions


def kept(passage: str) -> dict[str, str]:
    """Each question of a passage that comes back, with its answer."""
    wordings = [(wording, fact.value) for fact in find_facts(passage) for wording in fact.wordings]
    return {wording: value for wording, value in wordings if (found := find_answer([passage], wording)) and found.value == value}


REASONS = [
    ("Wax candles are kept upright in the crypt, as the vault is warm in June.", "Why are wax candles kept upright in the crypt?", "the vault is warm in June"),
    ("The ponds are netted so that herons cannot fish.", "Why are the ponds netted?", "so that herons cannot fish"),
    ("The sluice at Orrin is shut for the sake of the eels.", "For what reason is the sluice at Orrin shut?", "the eels"),
    ("Grease the axle twice, because the first coat runs off.", "Why should you grease the axle twice?", "because the first coat runs off"),
    ("Old kayaks are taken back if the hull is sound.", "On what condition are old kayaks taken back?", "the hull is sound"),
    ("Lanterns stay lit unless fog is forecast.", "What is the exception to the rule that lanterns stay lit?", "fog is forecast"),
    ("If the quay floods, the choir sings in the granary.", "What happens if the quay floods?", "the choir sings in the granary"),
    ("Ring the harbour master if a mooring has come loose.", "What should you do if a mooring has come loose?", "Ring the harbour master"),
]  # fmt: skip


@pytest.mark.parametrize(("passage", "question", "value"), REASONS)
def test_reasons_conditions_and_consequences_are_asked_for(passage, question, value):
    assert kept(passage)[question] == value
    assert write_questions(passage, 8)


@pytest.mark.parametrize(
    "passage",
    [
        "The keeper rows across and rests, because it is far.",
        "Ask whether the gate is open if it rains.",
        "If it leaks, the tank is emptied.",
        "The bell hangs lower, as agreed with the dean.",
    ],
)
def test_no_reason_is_asked_of_a_clause_that_does_not_stand_alone(passage):
    assert not any(fact.kind in ("reason", "condition", "result") for fact in find_facts(passage))


OTHERS = [
    ("who", "The vice-chair, Hanne Ostrow, opens letters on Mondays.", "Who is the vice-chair?", "Hanne Ostrow"),
    ("who", "Hanne Ostrow, the vice-chair, opens letters on Mondays.", "What is the name of the vice-chair?", "Hanne Ostrow"),
    ("who", "Tours begin with Ada Lind, a former diver.", "Who is Ada Lind?", "a former diver"),
    ("who", "The skylight was mended by Leopold Wray, who lives upstairs.", "Who mended the skylight?", "Leopold Wray"),
    ("who", "Wet ropes must be shown to Leopold Wray before the race.", "To whom must wet ropes be shown before the race?", "Leopold Wray"),
    ("who", "Report torn nets to Leopold Wray at once.", "To whom should you report torn nets at once?", "Leopold Wray"),
    ("who", "Members of the choir may use the boathouse in winter.", "Who may use the boathouse in winter?", "Members of the choir"),
    ("allowed", "Open flames are forbidden in the hayloft of the inn.", "Where are open flames forbidden?", "in the hayloft of the inn"),
    ("allowed", "Eating and knitting are not allowed in the reading room.", "What is not allowed in the reading room?", "Eating and knitting"),
    ("allowed", "No kite may be flown over the paddock.", "What may not be flown over the paddock?", "kite"),
    ("allowed", "Guests may not feed the storks on the roof.", "What are guests not allowed to do?", "feed the storks on the roof"),
    ("given", "Newcomers get a brass whistle.", "What do newcomers get?", "a brass whistle"),
    ("made of", "The lids should be of oak.", "What should the lids be made of?", "oak"),
    ("colour", "Spare oars hang in the green shed.", "What colour is the shed in which spare oars hang?", "green"),
    ("name", "The winter exhibition “Glass and Tide” opens in May.", "What is the winter exhibition called?", "Glass and Tide"),
    ("where", "Life jackets hang behind the pantry door.", "Where do life jackets hang?", "behind the pantry door"),
    ("where", "The order book lies on the shelf beside the till, under a cloth.", "Where does the order book lie?", "on the shelf beside the till"),
    ("what", "Solar panels feed the harbour lights.", "What do solar panels feed?", "the harbour lights"),
]  # fmt: skip


@pytest.mark.parametrize(("about", "passage", "question", "value"), OTHERS)
def test_values_that_are_no_numbers_are_asked_for(about, passage, question, value):
    assert kept(passage).get(question) == value, about


@pytest.mark.parametrize(
    ("passage", "odd"),
    [
        ("Boats are stored at the owner's expense.", "Where"),
        ("No boat sails when the harbour flag is white.", "What colour is the harbour flag"),
        ("Plan Medium adds six channels for families.", "Who"),
        ("The motto is taught by Dr Falk of Orrin Brothers.", "taught of"),
        ("Money left at the end of the fair goes to the choir.", "did money leave"),
        ("The coach may stop for an hour at the goods gate.", "Who"),
        ("Whatever is not fetched within a week goes to the choir.", "What is not fetched"),
        ("If the date does not suit a diver, choose another at the kiosk.", "What happens if"),
        ("Helpers get the corner by the bank.", "by the bank"),
    ],
)
def test_what_a_clause_does_not_state_is_not_asked(passage, odd):
    assert not any(odd in question for question in kept(passage))


def test_a_number_with_a_decimal_point_in_a_question_is_one_word():
    passage = "A netting set can be bought on the jetty for €57.50."
    assert find_answer([passage], "Where can a netting set be bought for €57.50?").value == "on the jetty"
