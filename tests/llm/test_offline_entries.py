"""Lines that list values behind a label, and rows of tables: each value has a question that tells it from the others of its line."""

import pytest

from lib.llm.offline.answers import find_answer
from lib.llm.offline.facts import find_facts
from lib.llm.offline.questions import write_questions

LINES = {
    "Sauna: £9 an hour, robe £2, open until 21:00": ("£9", "£2", "21:00"),
    "Swimming: adults £4.50, children £2.80, families £12": ("£4.50", "£2.80", "£12"),
    "Soup of the day ....... small £3.20, large £4.80": ("£3.20", "£4.80"),
    "- Module 4, Fire: 8 hours": ("8 hours",),
    "- Two electric pallet trucks, 1.5 tonnes each, bought 2016": ("1.5 tonnes", "2016"),
    "- Large tent: sleeps 8, £45 a weekend, deposit £20": ("8", "£45", "£20"),
    "- Meeting room, 24 seats, £15 an hour": ("24", "£15"),
    "Chess club: Tuesdays, 19:00, room B12, Hedda Groom": ("Tuesdays", "19:00", "Hedda Groom"),
    "Yoga class: Mondays, 18:30 to 20:00": ("Mondays", "18:30 to 20:00"),
    "Climbing wall: 17 m high, ropes provided, shoes 5 €": ("17 m", "5 €"),
    "Grain dryer: 2,400 litres, 18 kW, bought 2011": ("2,400 litres", "18 kW", "2011"),
    "Fire extinguishers: 12 on board, last checked in June 2023": ("June 2023",),
    "Discount for card holders: 19% on beams, 12% on boards": ("19%", "12%"),
    "Rope store: in the cellar of the old mill": ("in the cellar of the old mill",),
    "| Wash programme | 40 minutes | £3.50 |": ("40 minutes", "£3.50"),
}


@pytest.mark.parametrize(("line", "values"), LINES.items(), ids=LINES)
def test_every_value_of_a_line_is_asked_for(line, values):
    asked = [find_answer([line], question) for question in write_questions(line, 30)]
    assert all(asked)
    assert set(values) <= {found.value for found in asked}


@pytest.mark.parametrize(("passage", "question", "value"), [
    ("Swimming: adults £4.50, children £2.80", "What do children pay for swimming?", "£2.80"),
    ("Bicycle hire: £12 a day, half day £8, tandem £20", "How much does bicycle hire cost for half a day?", "£8"),
    ("- Module 4, Fire: 8 hours\n- Module 5, First aid: 12 hours", "How long is Module 5, First aid?", "12 hours"),
    ("Chips: small £2, large £3", "What do large chips cost?", "£3"),
    ("Fees\n\n| Tool | Day | Weekend | Deposit |\n|---|---|---|---|\n| Floor sander | £40 | £55 | £100 |\n", "How much does the floor sander cost for a weekend?", "£55"),
    ("| Cake | Contains | Keeps for |\n|---|---|---|\n| Carrot cake | egg, wheat | 4 days |\n", "How long does the carrot cake keep?", "4 days"),
    ("| Stop | Time | Guide |\n|---|---|---|\n| Old Pump | 08:15 | Ada Nord |\n", "What time is given for Old Pump?", "08:15"),
    ("| Course | Starts | Fee, members | Fee, guests |\n|---|---|---|---|\n| Basket weaving | 4 March | £40 | £55 |\n", "What do guests pay for basket weaving?", "£55"),
    ("| Boat | Length | Price |\n| Grey Tern | 24 m | £80 |\n", "What does Grey Tern cost?", "£80"),
])  # fmt: skip
def test_a_question_names_what_tells_its_value_from_the_others(passage, question, value):
    assert question in [wording for fact in find_facts(passage) for wording in fact.wordings]
    assert find_answer([passage], question).value == value


@pytest.mark.parametrize("line", [
    "| Adult 2025 | £4.60 | £8.30 |",  # which price is which stands in a header that is not there
    "| Nitrate | 37.8 | 50 |",
    "Wednesday: two bottles broken, £9",
    "Keep every receipt: £31 is the limit",
    "Amount requested: £940, payable in two parts",
    "- Fetch water at the spring, 16 m up the path.",
    "Ticket sales: £700, tombola £25",
    "Bedroom: an iron chest, weighing 226 pounds",
])  # fmt: skip
def test_a_line_whose_values_it_does_not_explain_gives_no_question(line):
    asked = write_questions(line, 30)
    assert not [q for q in asked if any(w in q for w in ("cost", "price", "How long", "weighing", "money", "metres", "is given"))], asked


def test_two_values_that_one_question_fits_are_not_asked_for():
    assert not [q for q in write_questions("Ladder: £30, £45", 30) if "cost" in q or "price" in q]


def test_a_day_and_an_hour_of_one_line_are_asked_for_apart():
    asked = {q: find_answer(["Guided walk: Saturdays at 10:30"], q).value for q in write_questions("Guided walk: Saturdays at 10:30", 30)}
    assert set(asked.values()) == {"Saturdays", "10:30"}
    assert not any(q.startswith("When is") for q in asked)
