import json
import random
import re
from types import SimpleNamespace

import pytest

from lib.gen import pairs
from lib.gen.mix import count_kinds
from lib.gen.quota import Ask, plan_asks
from lib.llm.raft import REFUSAL
from lib.run import BadInput

from .corpus import make_corpus


def _asks(n=30, split=lambda i: "train", per_chunk=2):
    chunks, _ = make_corpus(n, split)
    return plan_asks(chunks, questions_per_chunk=per_chunk, rng=random.Random(1))


def test_pairs_are_the_same_whatever_the_order_of_replies(teacher):
    first = pairs.generate_pairs(_asks(), teacher())
    for seed in (3, 4):
        assert pairs.generate_pairs(_asks(), teacher(rng=random.Random(seed))) == first
    assert len(first.answers) == 60


def test_the_first_of_equal_questions_stays_even_where_a_later_chunk_replies_first():
    asks = _asks(2)
    from lib.gen.questions import Sieve, read_reply

    reply = SimpleNamespace(text='["Who keeps the key of the mill?"]', error=None, finish_reason="stop")
    read = [read_reply(ask, reply, "t", "0")[0] for ask in asks]
    sieve = Sieve()
    assert sieve.offer(1, asks[1], read[1])  # the later one comes first and is asked, since it may be all there is
    assert sieve.offer(0, asks[0], read[0])
    assert [len(sieve.settle(i, asks[i], read[i])[0]) for i in (0, 1)] == [1, 0]


def test_no_answer_is_asked_for_a_question_that_an_earlier_chunk_has_asked(teacher):
    fake = teacher(lambda request, text: '["Who keeps the key of the mill?"]' if request.response_format else text)
    with pytest.raises(BadInput, match="no usable answer to 1 questions"):  # the fake's quote does not stand in the passage
        pairs.generate_pairs(_asks(5), fake)
    answered = [r for r in fake.asked if not r.response_format and len(r.messages) == 2]
    assert len(answered) == 1


def test_a_chunk_asks_its_answers_without_waiting_for_other_chunks(teacher):
    """The chain yields them right after its own reply: nothing else is an input."""
    ask = _asks(1)[0]
    chain = pairs._chain(0, ask, pairs.Sieve(), "t", "raft", "", True, "")
    [first] = chain.send(None)
    fake = teacher()
    answers = chain.send([fake._reply(first)])
    assert [r.messages[1]["content"].split("</DOCUMENT>")[1].strip()[:4] for r in answers] == ["What"] * 2


@pytest.mark.parametrize("n_wanted", [1, 7, 20])
def test_a_target_is_met_exactly_and_what_comes_after_it_is_let_go_with_its_reason(teacher, n_wanted):
    made = pairs.generate_pairs(_asks(40), teacher(), n_wanted=n_wanted, rng=random.Random(1))
    assert len(made.answers) == n_wanted
    assert len(made.questions) == len(made.answers) + sum(drop.stage == "answer" for drop in made.dropped)


def test_a_target_asks_few_chunks_more_than_it_needs_and_not_the_first_ones_only(teacher):
    fake = teacher()
    made = pairs.generate_pairs(_asks(60), fake, n_wanted=20, rng=random.Random(2))
    assert made.n_asked == 10  # two answers each, all good
    assert sum(bool(r.response_format) for r in fake.asked) == 10
    order = [ask.chunk.chunk_id for ask in _asks(60)]
    assert max(order.index(question.chunk_id) for question in made.questions) > 20


def test_a_target_is_reached_in_the_same_way_whatever_the_order_of_replies(teacher):
    def worse(request, text):
        return REFUSAL if "<ANSWER>" in text and re.search(r"(Keld|Moss|Nab|Rigg)", text) else text

    made = [
        pairs.generate_pairs(_asks(60), teacher(worse, rng), n_wanted=33, rng=random.Random(2))
        for rng in (None, random.Random(5), random.Random(6))
    ]
    assert made[0] == made[1] == made[2]
    assert len(made[0].answers) == 33


def test_a_target_beyond_the_corpus_takes_all_of_it(teacher):
    made = pairs.generate_pairs(_asks(10), teacher(), n_wanted=500, rng=random.Random(1))
    assert len(made.answers) == 20
    assert made.n_asked == 10


def test_chunks_held_out_do_not_count_towards_the_target(teacher):
    asks = _asks(40, split=lambda i: "test" if i % 2 else "train")
    made = pairs.generate_pairs(asks, teacher(), n_wanted=10, rng=random.Random(1))
    side = {ask.chunk.chunk_id: ask.chunk.split for ask in asks}
    splits = [side[a.question.chunk_id] for a in made.answers]
    assert splits.count("train") == 10
    assert splits.count("test") > 0


@pytest.mark.parametrize("target", [1, 10, 99, 1000])
@pytest.mark.parametrize(
    "shares", [{"p_oracle": 0.8, "p_refusal": 0.05}, {"p_oracle": 1.0, "p_refusal": 0.2, "both_contexts": True}]
)
def test_needed_answers_is_the_least_number_that_gives_the_rows(target, shares):
    n = pairs.needed_answers(target, **shares)
    assert sum(count_kinds(n, **shares).values()) >= target
    assert sum(count_kinds(n - 1, **shares).values()) < target
    assert pairs.needed_answers(0, **shares) == 0


def test_each_chunk_is_asked_as_often_as_its_ask_says(teacher):
    chunks, _ = make_corpus(2)
    fake = teacher(lambda request, text: json.dumps({"questions": [f"Who is number {i} of all?" for i in range(9)]}))
    asks = [Ask(chunks[0], 1), Ask(chunks[1], 4)]
    with pytest.raises(BadInput):
        pairs.generate_pairs(asks, fake)
    texts = [r.messages[1]["content"] for r in fake.asked if r.response_format]
    assert [re.search(r"Write (\d+)", text)[1] for text in texts] == ["1", "4"]
