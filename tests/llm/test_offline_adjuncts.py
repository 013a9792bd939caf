"""Every adjunct of a clause is asked for, and the question keeps the others, so that no two values of a line share one."""

import pytest

from lib.llm.offline.answers import find_answer
from lib.llm.offline.facts import find_facts


def asked_of(passage: str, value: str) -> list[str]:
    return [wording for fact in find_facts(passage) if fact.value == value for wording in fact.wordings]


@pytest.mark.parametrize(("passage", "value", "question"), [
    ("The Corrow library is open on Tuesdays from 9:00 to 17:00 in winter.", "from 9:00 to 17:00", "Between what times is the Corrow library open on Tuesdays in winter?"),
    ("The Corrow library is open on Tuesdays from 9:00 to 17:00 in winter.", "Tuesdays", "On which days is the Corrow library open from 9:00 to 17:00 in winter?"),
    ("The board meets on 4 March at 18:30 in the school kitchen.", "4 March", "On what date does the board meet at 18:30 in the school kitchen?"),
    ("The board meets on 4 March at 18:30 in the school kitchen.", "18:30", "At what time does the board meet on 4 March in the school kitchen?"),
    ("The board meets on 4 March at 18:30 in the school kitchen.", "in the school kitchen", "Where does the board meet on 4 March at 18:30?"),
    ("The ferry office must be told by 12 May by post.", "12 May", "By what date must the ferry office be told by post?"),
    ("The ferry office must be told by 12 May by post.", "by post", "How must the ferry office be told by 12 May?"),
    ("The moorings were surveyed by Leopold Wray on 3 June 2019.", "Leopold Wray", "Who surveyed the moorings on 3 June 2019?"),
    ("The moorings were surveyed by Leopold Wray on 3 June 2019.", "3 June 2019", "On what date were the moorings surveyed by Leopold Wray?"),
    ("The lock keeper answers on VHF channel 12 until 21:00.", "12", "On which VHF channel does the lock keeper answer until 21:00?"),
    ("The lock keeper answers on VHF channel 12 until 21:00.", "21:00", "Until what time does the lock keeper answer on VHF channel 12?"),
    ("The boathouse keeps 60 litres of diesel in the shed.", "60 litres", "How much diesel does the boathouse keep in the shed?"),
    ("The loaves are baked at 160 °C for 40 minutes.", "160 °C", "At what temperature are the loaves baked for 40 minutes?"),
    ("The loaves are baked at 160 °C for 40 minutes.", "40 minutes", "For how long are the loaves baked at 160 °C?"),
    ("The council pays drivers £0.32 a mile for up to 30 miles a day.", "£0.32", "How much a mile does the council pay drivers for up to 30 miles a day?"),
    ("Apprentices are insured until they are 25 by the guild of Orrin.", "25", "Until what age are apprentices insured by the guild of Orrin?"),
    ("The course takes 6 weeks in the winter term.", "6 weeks", "How long does the course take in the winter term?"),
    ("The clerk can be reached on 01632 960 481 between 8:00 and 16:00.", "01632 960 481", "On what number can the clerk be reached between 8:00 and 16:00?"),
    ("Annual leave must be requested four weeks in advance by email.", "four weeks", "How many weeks in advance must annual leave be requested by email?"),
    ("The tower crane lifts up to 8 tonnes at a radius of 20 metres.", "20 metres", "At what radius does the tower crane lift up to 8 tonnes?"),
    ("The seed samples are kept for six months in freezer 4.", "4", "In which freezer are the seed samples kept for six months?"),
    ("The night guard makes a round every 90 minutes until 5:00.", "every 90 minutes", "How often does the night guard make a round until 5:00?"),
    ("The steering group meets in hall H8 on the first Saturday of each month.", "the first Saturday of each month", "On which day does the steering group meet in hall H8?"),
])  # fmt: skip
def test_an_adjunct_is_asked_for_with_the_rest_of_its_clause(passage, value, question):
    assert question in asked_of(passage, value)
    found = find_answer([passage], question)
    assert found and (found.value, found.quote) == (value, passage)


@pytest.mark.parametrize(("fault", "passage", "never"), [
    ("a second predicate", "The office is open until 17:00 and then locked for 30 minutes.", "then"),
    ("half of two values", "The deposit is 20 % on boats and 30 % on tents.", "30 %"),
    ("a limit for an adjunct", "The policy covers one event of up to 40 guests on one day.", "of up"),
    ("a place that belongs to its noun", "Leftovers go to the pigs at Orrin Farm on Fridays.", "Where"),
    ("whom the question does not name", "Guests must pay the balance to us by 3 May.", " us"),
    ("a rest that is empty", "Electric grills are until 17:00.", "Until what time are"),
    ("a common noun for a name", "Paper is sold by the clerk on Mondays at 9:00.", "Paper"),
])  # fmt: skip
def test_no_adjunct_is_asked_for_out_of(fault, passage, never):
    from lib.llm.offline.adjuncts import adjunct_facts
    from lib.llm.offline.clauses import parse_clause

    clause = parse_clause(passage)
    asked = [question for _, _, questions, _ in adjunct_facts(clause, "") for question in questions] if clause else []
    assert not any(never in question for question in asked), fault
