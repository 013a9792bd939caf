"""Sentences that need what stands around them are asked about with their subject named, and not where it is in doubt."""

import pytest

from lib.llm.offline.answers import find_answer
from lib.llm.offline.facts import find_facts
from lib.llm.offline.questions import write_questions
from lib.llm.offline.verbs import base_of_past


def asked(passage: str) -> dict[str, set[str]]:
    """Values that a passage is asked for, each with its questions."""
    found: dict[str, set[str]] = {}
    for question in write_questions(passage, 20):
        found.setdefault(find_answer([passage], question).value, set()).add(question)
    return found


FERRY = "The ferry Orrin Bird left the pier at 13:40. She rounded the north light at 14:05."
LOAF = "# Cellar rye loaf (4 loaves)\n\nMelt 250 g of butter with 300 ml of treacle and 3 eggs. Bake at 160 °C for 65 minutes."
MINUTES = "# Minutes of the Orrin Boat Club, 3 May 2024\n\nNext meeting: Tuesday 12 November 2024, 19:00, in the sail loft."
NOTICE = "# Notice to skippers\n\nThe lamp is dark.\n\nIssued by Elsa Quarry, harbour master, 3 February 2025"


@pytest.mark.parametrize(
    ("passage", "question", "value", "quote"),
    [
        (FERRY, "When did the ferry Orrin Bird round the north light?", "14:05", "She rounded the north light at 14:05."),
        ("The Orrin ferry runs on oil. It burned 38,200 litres in 2023.", "How many litres did the Orrin ferry burn in 2023?", "38,200 litres", "It burned 38,200 litres in 2023."),
        ("The Orrin ferry runs on oil. Its length is 42 metres.", "What is the length of the Orrin ferry?", "42 metres", "Its length is 42 metres."),
        ("Ada Nord was the first keeper. In 1932 she opened the lamp school.", "When did Ada Nord open the lamp school?", "1932", "In 1932 she opened the lamp school."),
        ("The day ticket is sold at the gate. This ticket costs £7.", "How much does the day ticket cost?", "£7", "This ticket costs £7."),
        ("Guests may stop at the Orrin Mill Farm. Parking there costs £4 a day.", "What does parking at the Orrin Mill Farm cost?", "£4", "Parking there costs £4 a day."),
        ("# Statutes of the Orrin Boat Club\n\nThese statutes were adopted on 22 August 1997.", "When were the statutes of the Orrin Boat Club adopted?", "22 August 1997", "These statutes were adopted on 22 August 1997."),
        (LOAF, "At what temperature is the cellar rye loaf baked?", "160 °C", "Bake at 160 °C for 65 minutes."),
        (LOAF, "How long is the cellar rye loaf baked?", "65 minutes", "Bake at 160 °C for 65 minutes."),
        (LOAF, "How much treacle is needed for the cellar rye loaf?", "300 ml", "Melt 250 g of butter with 300 ml of treacle and 3 eggs."),
        ("# Hall dryer\n\nClean the fluff filter every 14 days.", "How often should the fluff filter be cleaned?", "every 14 days", "Clean the fluff filter every 14 days."),
        (MINUTES, "On what date is the next meeting of the Orrin Boat Club?", "Tuesday 12 November 2024", MINUTES.split("\n")[-1]),
        (MINUTES, "At what time does the next meeting of the Orrin Boat Club begin?", "19:00", MINUTES.split("\n")[-1]),
        (NOTICE, "Who issued the notice to skippers?", "Elsa Quarry", NOTICE.split("\n")[-1]),
        (NOTICE, "When was the notice to skippers issued?", "3 February 2025", NOTICE.split("\n")[-1]),
        ("Regatta on 10 August 2025\n\nThe boats start at the pier.", "When does the regatta take place?", "10 August 2025", "Regatta on 10 August 2025"),
        ("# Guide of January 2025\n\nThe lamps burn at night.", "What is the date of the guide?", "January 2025", "Guide of January 2025"),
        ("# Harbour rules\n\nBe kind to the seals. Approved by the board on 3 May 2024.", "When were the harbour rules approved?", "3 May 2024", "Approved by the board on 3 May 2024."),
        ("# Orrin Mill Hotel\n\nBuilt in 1904 by Hallin & Sons.", "When was the Orrin Mill Hotel built?", "1904", "Built in 1904 by Hallin & Sons."),
        ("# Orrin Mill Hotel\n\nThere are 52 rooms, all with a view.", "How many rooms are there at the Orrin Mill Hotel?", "52", "There are 52 rooms, all with a view."),
        ("# Ada Nord, brewer\n\nShe opened the brewery in 1931.", "When did Ada Nord open the brewery?", "1931", "She opened the brewery in 1931."),
        ("The steamer was the largest vessel on the lake. It cost 5,000 crowns.", "How much did the steamer cost?", "5,000 crowns", "It cost 5,000 crowns."),
        ("## Can I bring my dog on the ferry?\n\nYes, on a short lead.", "Can I bring my dog on the ferry?", "Yes, on a short lead", "Yes, on a short lead."),
        ("When does the last ferry leave? At 21:40.", "When does the last ferry leave?", "21:40", "At 21:40."),
    ],
)  # fmt: skip
def test_what_a_line_leaves_to_its_surroundings_is_named_in_the_question(passage, question, value, quote):
    found = find_answer([passage], question)
    assert (found.value, found.quote) == (value, quote)
    assert value in asked(passage)


@pytest.mark.parametrize(
    ("why", "passage", "line"),
    [
        ("two things may be meant", "The tug pulled the barge to the pier. It burned 200 litres.", "It burned"),
        ("another clause stands between", "The course covers knots; the test is no longer required. It is held on 3 May 2024.", "It is held"),
        ("nothing is meant", "The Orrin Boat Club met in the loft. It was agreed on 3 May 2024 to paint the shed.", "It was agreed"),
        ("two people may be meant", "Ada Nord met Vera Falk at the pier. She opened the lamp school in 1932.", "She opened"),
        ("no thing stands in the heading", "# How to bake\n\nBake at 160 °C for 65 minutes.", "Bake"),
        ("two places may be meant", "The bus runs from the stop at Orrin Mill to the gate at Falk Hall. Parking there costs £4 a day.", "Parking there"),
        ("a question that points elsewhere", "Is it open there in winter? Yes.", "Yes."),
        ("a hedged answer", "Can visitors bring a dog on the ferry? Yes, but only the small ones and only in the months when the deck is empty.", "Yes, but"),
        ("the amount is given twice", "# Cellar rye loaf\n\nMelt 250 g of butter. Brush with 20 g of butter.", "Brush"),
    ],
)  # fmt: skip
def test_no_question_where_the_surroundings_leave_a_doubt(why, passage, line):
    assert not [fact for fact in find_facts(passage) if fact.unit.text.startswith(line)], why


@pytest.mark.parametrize("passage", [FERRY, LOAF, MINUTES, NOTICE])
def test_no_question_holds_a_word_for_what_it_does_not_name(passage):
    questions = [wording for fact in find_facts(passage) for wording in fact.wordings]
    assert questions and not {"it", "she", "he", "they", "there"} & {w for q in questions for w in q.lower().rstrip("?").split()}


@pytest.mark.parametrize(
    ("past", "base"),
    [("rounded", "round"), ("glided", "glide"), ("skidded", "skid"), ("entered", "enter"), ("handled", "handle"), ("patrolled", "patrol"), ("pulled", "pull"), ("capsized", "capsize")],
)  # fmt: skip
def test_the_base_of_an_unknown_past_is_spelt_as_english_spells_it(past, base):
    assert base_of_past(past) == base


def test_every_value_of_a_line_is_asked_for_apart():
    assert {"250 g", "300 ml", "3", "160 °C", "65 minutes"} <= asked(LOAF).keys()
    assert {"Tuesday 12 November 2024", "19:00", "in the sail loft"} <= asked(MINUTES).keys()
