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
