from dataclasses import replace
from types import SimpleNamespace

import pytest

from lib.gen import answers
from lib.gen.chains import run_chains
from lib.gen.records import API, Answer, Drop, Question
from lib.llm.raft import REFUSAL

from .corpus import make_chunk

PASSAGE = "The ferry Tansy Rowe carries 149 passengers.\nShe entered service in 1998, after two years of building at Port Assel."
QUESTION = "How many passengers does the Tansy Rowe carry?"
GOOD = (
    "The documents say: ##begin_quote##The ferry Tansy Rowe carries 149 passengers.##end_quote## So 149.\n<ANSWER>: 149"
)

CASES = {
    "the usual form": (GOOD, ""),
    "no space after the tag": (GOOD.replace(": 149", ":149"), ""),
    "the answer on the next line": (GOOD.replace(": 149", ":\n149"), ""),
    "other whitespace in the quote": (GOOD.replace("ferry Tansy", "ferry\n  Tansy"), ""),
    "a quote over a line break": (
        "##begin_quote##149 passengers. She entered service in 1998##end_quote##\n<ANSWER>: 149 passengers",
        "",
    ),
    "no tag": (GOOD.replace("<ANSWER>:", "Answer:"), "no <ANSWER>: tag"),
    "two tags": (GOOD + "\n<ANSWER>: 149", "more than one <ANSWER>: tag"),
    "nothing after the tag": (GOOD.removesuffix(" 149"), "nothing after <ANSWER>:"),
    "no quote": ("It says 149.\n<ANSWER>: 149", "no quote"),
    "a changed quote": (GOOD.replace("carries 149", "can carry 149"), "a quote is not word for word in the document"),
    "an open quote": (GOOD.replace("##end_quote##", ""), "no quote"),
    "a second open quote": (GOOD.replace(" So", " ##begin_quote##So"), "quote marks do not pair"),
    "a quote after the tag": (GOOD + " ##begin_quote##149##end_quote##", "the answer after the tag is not short"),
    "a number that is not quoted": (GOOD.replace(": 149", ": 150"), "the quotes do not support the answer"),
    "words that are not quoted": (
        GOOD.replace(": 149", ": the harbour master"),
        "the quotes do not support the answer",
    ),
    "words of the question alone": (GOOD.replace(": 149", ": How many"), "the quotes do not support the answer"),
    "a refusal": (REFUSAL, answers.REFUSED),
    "nothing": ("  ", "empty reply"),
    "yes with its reason": (GOOD.replace(": 149", ": Yes, 149 passengers"), ""),
}


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_used_only_with_one_tag_verbatim_quotes_and_their_support(case):
    text, problem = CASES[case]
    assert answers.find_problem(text, QUESTION, PASSAGE) == problem


def _ask(fake, text=QUESTION):
    chunk = make_chunk(PASSAGE)
    return _settle(fake, [Question("q", chunk.chunk_id, text, "fake-teacher", "0")], chunk)


def _settle(fake, questions, chunk):
    [settled] = run_chains(fake, [answers.answer_chain(questions, chunk)], answers.TURNS)
    return [held for held in settled if isinstance(held, Answer)], [held for held in settled if isinstance(held, Drop)]


class Replies:
    """Gives the replies listed, whatever it is asked."""

    role = SimpleNamespace(model="fake-teacher")

    def __init__(self, *texts, finish="stop", error=None):
        self.texts, self.finish, self.error, self.asked = list(texts), finish, error, []

    def ask(self, requests, label=""):
        """One text a request."""
        self.asked += requests
        return [SimpleNamespace(text=self.texts.pop(0), finish_reason=self.finish, error=self.error) for _ in requests]


@pytest.mark.parametrize(
    "wrapped",
    [
        GOOD,
        GOOD.replace(": 149", ":149"),
        GOOD.replace(": 149", ":\n 149 "),
        GOOD.replace("149\n<ANSWER>", "149\n**<ANSWER>") + "**",
        f"<think>Maybe <ANSWER>: 150?</think>\n{GOOD}",
        f"Maybe <ANSWER>: 150?\n</think>\n{GOOD}",
    ],
)
def test_the_gold_answer_never_holds_the_tag_or_the_reasoning(wrapped):
    kept, _ = _ask(Replies(wrapped))
    assert kept[0].answer == "149"
    assert kept[0].cot_answer == GOOD


def test_a_bad_answer_is_asked_again_once_with_what_was_wrong():
    fake = Replies(GOOD.replace("<ANSWER>:", ""), GOOD)
    kept, dropped = _ask(fake)
    assert kept[0].repaired
    assert not dropped
    assert "no <ANSWER>: tag" in fake.asked[1].messages[-1]["content"]
    assert len(fake.asked) == 2


def test_an_answer_that_stays_bad_is_rejected_with_its_reason():
    bad = "It says 149.\n<ANSWER>: 149"
    good_question, bad_question = (Question(name, "c", f"{QUESTION} {name}", "t", "0") for name in ("good", "bad"))
    chunk = make_chunk(PASSAGE)
    asked = [Question(q.question_id, chunk.chunk_id, q.question, "t", "0") for q in (good_question, bad_question)]
    kept, dropped = _settle(Replies(GOOD, bad, bad), asked, chunk)
    assert [a.question.question_id for a in kept] == ["good"]
    assert [(d.id, d.stage, d.reason) for d in dropped] == [("bad", "answer", "no quote")]
    assert dropped[0].detail == bad


def test_an_answer_cut_off_is_never_kept():
    kept, dropped = _ask(Replies(GOOD, GOOD, finish="length"))
    assert not kept
    assert [drop.reason for drop in dropped] == ["cut off"]


def test_a_refusal_by_the_teacher_is_not_asked_again():
    fake = Replies(REFUSAL)
    kept, dropped = _ask(fake)
    assert not kept
    assert [drop.reason for drop in dropped] == [answers.REFUSED]
    assert len(fake.asked) == 1


@pytest.mark.parametrize(("kind", "recipe"), [("text", "raft"), ("text", "qa"), (API, "raft")])
def test_all_requests_for_answers_of_a_chunk_are_alike_up_to_the_question_so_that_a_prefix_cache_reads_it_once(kind, recipe):
    chunk = replace(make_chunk(PASSAGE), type=kind)
    texts = [f"How many boats of kind {i} carry passengers?" for i in range(5)]
    chain = answers.answer_chain([Question(str(i), chunk.chunk_id, text, "t", "0") for i, text in enumerate(texts)], chunk, recipe=recipe)
    asked = next(chain)  # all of a chunk's questions go together
    heads = set()
    for request, text in zip(asked, texts, strict=True):
        system, user = request.messages
        assert chunk.text in user["content"] and user["content"].endswith(text)
        heads.add((system["content"], user["content"].removesuffix(text), request.max_tokens))
    assert len(heads) == 1
    repairs = chain.send([SimpleNamespace(text="It says 149.", finish_reason="stop", error=None)] * 5)
    assert all(repair.messages[:2] == request.messages for repair, request in zip(repairs, asked, strict=True))


@pytest.mark.parametrize(
    ("answer", "quote"),
    [
        ("两年", "经过两年建造，于1998年投入使用。"),
        ("zwölf Männer", "Zwölf Männer trugen ihn."),
        ("2 years", "after two years of building"),
        ("£1,250.50", "It costs £1,250.50 a year."),
    ],
)
def test_support_is_seen_in_other_scripts_cases_and_number_words(answer, quote):
    assert answers.is_supported(answer, [quote], "How long did it take?")
