"""Several values in one sentence: each is asked for by what tells it from the others."""

import pytest

from lib.llm.offline.answers import find_answer
from lib.llm.offline.facts import find_facts
from lib.llm.offline.questions import write_questions


@pytest.mark.parametrize(
    ("passage", "values"),
    [
        ("The Heron room is ready at 13:00 and must be free by 09:30.", {"13:00", "09:30"}),
        ("A punt costs £6.00 from Kettle Wharf and £4.50 from Mill Steps.", {"£6.00", "£4.50"}),
        ("Black cake takes 1.8 kg of plain flour, 900 g of treacle and 12 eggs.", {"1.8 kg", "900 g", "12"}),
        ("The mooring form, which costs £3, is to be returned by 30 November.", {"£3", "30 November"}),
        ("The loft sleeps six guests, costs £45 and was rebuilt in 1974.", {"six", "£45", "1974"}),
        ("In the mill breakfast is free; the lift carries 8 passengers and the cellar is locked at 22:15.", {"8", "22:15"}),
        ("Adults pay £8, children £5 and a family £20 a day.", {"£8", "£5", "£20"}),
        ("The pool is open until 20:00, the sauna until 22:15.", {"20:00", "22:15"}),
        ("Membership costs £20 a year, for couples £35.", {"£20", "£35"}),
        ("The pool is open until 20:00, on Sundays until 18:15.", {"20:00", "18:15"}),
        ("Herring is salted for 6 hours and then hung in smoke for 19 hours.", {"6 hours", "19 hours"}),
        ("The mooring fee of €18.20 can be split into 12 parts.", {"€18.20", "12"}),
        ("The driver must pay 20 euros and hold a licence for 3 years.", {"20 euros", "3 years"}),
        ("The chandlery is open 9:00 to 17:30 in April and 10:00 to 16:15 in June.", {"9:00", "17:30", "10:00", "16:15"}),
        ("Dues are 18 percent of the yearly rent, or 12 percent if you moor by the week.", {"18 percent"}),
        ("Rent is 18 euros in the first year and 12 euros if you moor by the week.", {"18 euros", "12 euros"}),
        ("In summer the tower opens at 9:00 and closes at 18:30.", {"9:00", "18:30"}),
    ],
)  # fmt: skip
def test_every_value_of_a_sentence_is_asked_for(passage, values):
    answers = {find_answer([passage], question).value for question in write_questions(passage, 12)}
    assert values <= answers


def test_a_question_names_what_tells_its_value_from_the_other():
    passage = "A punt costs £6.00 from Kettle Wharf and £4.50 from Mill Steps."
    for fact in (fact for fact in find_facts(passage) if fact.kind == "money"):
        place = "Kettle Wharf" if fact.value == "£6.00" else "Mill Steps"
        assert all(place in wording for wording in fact.wordings)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("From when is the tower open in winter?", "07:30"),
        ("Until what time is the tower open in winter?", "16:45"),
        ("Until when is the tower open in summer?", "21:00"),
        ("When is the tower open in summer?", "from 06:15 to 21:00"),
    ],
)
def test_both_ends_of_a_range_are_told_apart(question, value):
    passage = "The tower is open from 06:15 to 21:00 in summer and from 07:30 to 16:45 in winter."
    assert find_answer([passage], question).value == value
    assert {find_answer([passage], asked).value for asked in write_questions(passage, 20)} >= {value}


@pytest.mark.parametrize(
    ("passage", "never"),
    [
        ("Evenings get cold on deck: bring a blanket, or hire one for 9 crowns at the gate.", "evenings hire"),
        ("The lamp rent is £9 a year, of which oil and wicks took £4.", "wicks t"),
        ("Music ends at 20:30, doors close at 22:45.", "close end"),
        ("Punts cost £4 for the first hour and £2 for each further one.", "further one"),
        ("The mate opened a shop in 24 Orrin Street, which failed within 3 years.", "Street fail"),
        ("Results go on the blue sheet, which Ada Nord collects at 11:20.", "the blue sheet Ada"),
    ],
)
def test_no_value_is_asked_of_what_it_does_not_belong_to(passage, never):
    assert not any(never in wording for fact in find_facts(passage) for wording in fact.wordings)
