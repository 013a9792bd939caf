"""Replacement values: of the same kind, everywhere in what is shown, and only where the answer is literal."""

import random

import pytest

from lib.eval.replace import Value, choose, find_value, plan_replacements, swap, which_value


@pytest.mark.parametrize(
    ("question", "answer", "evidence", "expected"),
    [
        ("What is the fee?", "£45", "The fee is £45 a night.", Value("money", "£45")),
        ("What is the fee?", "£1,250.50.", "The fee: £1,250.50", Value("money", "£1,250.50")),
        ("What is the fee?", "12 euros", "It is 12 euros.", Value("money", "12 euros")),
        ("When?", "at 6:15", "leaves at 6:15 sharp", Value("time", "6:15")),
        ("When?", "14 May 2025", "on 14 May 2025 at noon", Value("date", "14 May 2025")),
        ("When?", "2025-05-14", "on 2025-05-14", Value("date", "2025-05-14")),
        ("Which day?", "Sundays", "closed on Sundays", Value("weekday", "Sundays")),
        ("In which year?", "1987", "Founded in 1987 by", Value("year", "1987")),
        ("How long?", "14 days", "within 14 days of", Value("number", "14 days")),
        ("How long?", "14 days", "within 14 working days of", Value("number", "14")),
        ("How much?", "40 %", "a share of 40 % is", Value("number", "40 %")),
        ("How many?", "twelve", "holds twelve berths", Value("count", "twelve")),
        ("Who runs it?", "Ailsa Moor", "It is run by Ailsa Moor.", Value("person", "Ailsa Moor")),
        ("How much?", "25 per cent", "is 25 per cent of", Value("number", "25 per cent")),
        ("Who?", "Noémie Hask and Siân Pellow", "by Noémie Hask and Siân Pellow", None),
        ("Which quay?", "the Fennick Quay", "lies at the Fennick Quay now", Value("name", "Fennick Quay", "quay")),
        ("When is it open?", "9:00 to 17:00", "open 9:00 to 17:00", None),
        ("What is the fee?", "£45", "The fee is £450.", None),
        ("What is the fee?", "£45", "The fee is £45.50.", None),
        ("Is the £45 fee per night?", "£45", "It is £45 per night.", None),
        ("May dogs come in?", "Yes", "Yes: dogs may.", None),
        ("What must one bring?", "boots and a lunch", "bring boots and a lunch", None),
    ],
)
def test_the_value_of_a_literal_answer_is_found(question, answer, evidence, expected):
    assert find_value(question, answer, evidence) == expected


def test_every_whole_occurrence_is_replaced_and_no_part_of_another_number():
    text = "Pay £45 now; £450 later, £45.50 then, (£45), £45."
    assert swap(text, "£45", "£62") == "Pay £62 now; £450 later, £45.50 then, (£62), £62."
    assert swap("14\n days and 140 days", "14 days", "21 days") == "21 days and 140 days"


def test_a_replacement_is_another_value_of_the_kind_in_the_same_form_that_nothing_shown_says():
    pool = [
        Value("money", "£45"),
        Value("money", "£45.00"),
        Value("money", "£62"),
        Value("money", "£7.20"),
        Value("money", "£81"),
        Value("time", "6:15"),
    ]
    found = {choose(Value("money", "£45"), pool, ["also £81 here"], random.Random(i)).replacement for i in range(20)}
    assert found == {"£62"}
    assert choose(Value("date", "14 May 2025"), pool, [], random.Random(1)) is None


def test_a_number_keeps_the_unit_of_the_passage():
    change = choose(Value("number", "14 days"), [Value("number", "30 boats")], [], random.Random(1))
    assert change.replacement == "30 days"


def test_a_sum_keeps_its_currency_and_a_ship_gives_way_to_a_ship():
    assert choose(Value("money", "94 pence"), [Value("money", "£20")], [], random.Random(1)).replacement == "20 pence"
    pool = [
        Value("person", "Ruben Vale"),
        Value("name", "Ruben Vale", "cook"),
        Value("name", "Saint Ebba", "ship"),
        Value("name", "Mossgate Hall", "hall"),
    ]
    found = {choose(Value("name", "Veldrey Maid", "ship"), pool, [], random.Random(i)).replacement for i in range(10)}
    assert found == {"Saint Ebba"}
    assert choose(Value("name", "Veldrey Maid", "ship"), pool[:2], [], random.Random(1)) is None


def test_replacements_are_seeded_and_leave_no_trace_of_the_original(corpus):
    chunks, questions = corpus
    texts = {chunk["chunk_id"]: chunk["text"] for chunk in chunks}
    passages = {row["id"]: texts[row["chunk_id"]] for row in questions if row["chunk_id"]}
    changes = plan_replacements(questions, passages, random.Random(7))
    assert changes == plan_replacements(questions, passages, random.Random(7))
    assert set(changes) == {"q1", "q3", "q4", "q5", "q6", "q7"}  # q2 is the only one of its kind
    for key, change in changes.items():
        after = swap(passages[key], change.original, change.replacement)
        assert change.replacement in after
        assert change.original not in after


def test_a_passage_that_says_the_value_in_another_spelling_is_left_alone():
    rows = [
        {"id": "a", "question": "How many?", "answer": "12", "answerable": True, "evidence": "12 berths"},
        {"id": "b", "question": "How many?", "answer": "15", "answerable": True, "evidence": "15 cabins"},
    ]
    passages = {"a": "There are 12 berths, all twelve dry.", "b": "There are 15 cabins."}
    assert set(plan_replacements(rows, passages, random.Random(1))) == {"b"}


@pytest.mark.parametrize(
    ("answer", "refused", "expected"),
    [
        ("£62", False, "follows"), ("62 pounds", False, "follows"), ("It was £45", False, "repeats"), ("£45 or £62", False, "both"),
        ("£620", False, "neither"), ("", False, "neither"), ("Sorry", True, "refused"),
    ],
)  # fmt: skip
def test_an_answer_follows_the_passage_or_repeats_the_original(answer, refused, expected):
    assert which_value(answer, refused, "£45", "£62") == expected
