"""Measures without a judge: a right answer scores 1 whatever its wrapping, in any script; quotes are verbatim or not."""

import pytest

from lib.eval.metrics import exact_match, f1, rouge, verbatim_quotes
from lib.llm import parse_reply


@pytest.mark.parametrize(
    "reply",
    [
        "<ANSWER>: The ferry fare",
        "reasoning\n<ANSWER>:ferry fare.",
        "##begin_quote##ferry fares rise##end_quote## <ANSWER>: “Ferry Fare”",
        "**<ANSWER>: a ferry  fare**",
        "Ferry fare!",
        "<ANSWER>: x\n<ANSWER>: the ferry-fare".replace("-", " "),
    ],
)
def test_a_perfect_answer_scores_one_whatever_its_wrapping(reply):
    answer = parse_reply(reply).answer
    assert exact_match(answer, "ferry fare") == 1
    assert f1(answer, "ferry fare") == 1


@pytest.mark.parametrize(
    ("answer", "reference"),
    [("八千公里", "八千公里"), ("Straße 4", "straße 4"), ("восемь", "Восемь."), ("1,200", "1200")],
)
def test_other_scripts_and_spellings_score_one(answer, reference):
    assert (exact_match(answer, reference), f1(answer, reference)) == (1, 1)
    assert rouge(answer, reference)["rougeL"] == 1


def test_partial_answers_score_in_between_and_empty_ones_zero():
    assert f1("open on Monday", "open on Tuesday") == pytest.approx(2 / 3)
    assert f1("八千里", "八千公里") == pytest.approx(6 / 7)
    assert (exact_match("", ""), f1("", "x"), rouge("", "x")["rouge1"]) == (0, 0, 0)
    assert exact_match("the", "a") == 0


def test_rouge_is_that_of_the_definition():
    found = rouge("the cat sat on a mat", "the cat lay on the mat")
    assert found["rouge1"] == pytest.approx(4 / 6)  # the, cat, on, mat
    assert found["rouge2"] == pytest.approx(1 / 5)  # the cat
    assert found["rougeL"] == pytest.approx(4 / 6)


def test_a_quote_is_verbatim_but_for_whitespace():
    passages = ["Dogs stay\noutside.", "Boots are dry."]
    assert (
        verbatim_quotes(["Dogs stay outside.", "Boots are  dry", "boots are dry", "Dogs stay inside.", " "], passages)
        == 2
    )
