import random
from collections import Counter
from dataclasses import replace

import pytest

from lib.gen.chunk import flag_near_duplicates
from lib.gen.formats import raft_row
from lib.gen.mix import build_examples, check_corpus, count_kinds, n_given_away, share
from lib.llm.raft import BEGIN_QUOTE, REFUSAL, build_instruction, parse_reply, squeeze
from lib.llm.words import facts, holds_answer
from lib.run import BadInput

from .corpus import make_answer, make_chunk, make_corpus

SHARES = {"n_distractors": 4, "p_oracle": 0.8, "p_refusal": 0.05, "p_hard": 0.5}


def mixed(n=60, split=lambda i: "train", seed=1, **changed):
    chunks, answers = make_corpus(n, split)
    return build_examples(answers, chunks, rng=random.Random(seed), **{**SHARES, **changed}), chunks


@pytest.mark.parametrize("n", [1, 7, 53, 60])
@pytest.mark.parametrize("p_oracle", [0.0, 0.33, 0.8, 1.0])
@pytest.mark.parametrize("p_refusal", [0.0, 0.05, 1.0])
def test_shares_of_rows_with_their_oracle_and_of_refusals_are_exact_counts_0_and_1_included(n, p_oracle, p_refusal):
    chunks, answers = make_corpus(60)
    shares = {**SHARES, "p_oracle": p_oracle, "p_refusal": p_refusal}
    kinds = Counter(e.kind for e in build_examples(answers[:n], chunks, rng=random.Random(3), **shares))
    n_oracle = int(p_oracle * n + 0.5)
    assert kinds == Counter({"oracle": n_oracle, "no_oracle": n - n_oracle, "refusal": int(p_refusal * n + 0.5)})


def test_a_share_is_rounded_as_its_decimals_say_halves_up():
    shares = {(p, n): share(p / 100, n) for p in range(101) for n in range(1, 200)}
    assert [key for key, found in shares.items() if found != (key[0] * key[1] + 50) // 100] == []


def test_every_row_shows_the_same_number_of_distinct_chunks():
    examples, _ = mixed()
    assert {len({c.chunk_id for c in e.context}) for e in examples} == {5}


def test_the_oracle_is_shown_in_oracle_rows_and_in_no_other():
    examples, _ = mixed()
    assert all((e.oracle in e.context) == (e.kind == "oracle") for e in examples)


def test_no_near_duplicate_of_the_oracle_is_shown_and_no_two_of_each_other():
    chunks, answers = make_corpus(40)
    copies = [make_chunk(c.text + " See map.", f"copy-{i}.md") for i, c in enumerate(chunks)]
    chunks = flag_near_duplicates([replace(c) for c in chunks] + copies)
    assert len({c.duplicate_group for c in chunks}) == 40
    for example in build_examples(answers, chunks, rng=random.Random(2), **SHARES):
        groups = [c.duplicate_group for c in example.context]
        assert len(set(groups)) == 5
        assert (example.oracle.duplicate_group in groups) == (example.kind == "oracle")


def test_no_chunk_of_a_row_without_oracle_holds_the_answer():
    chunks, answers = make_corpus(40)
    repeated = [
        make_chunk(f"Older paper, page {9000 + i}: {a.answer} is the year carved above door {8000 + i}.", "old.md")
        for i, a in enumerate(answers)
    ]
    chunks = flag_near_duplicates([*chunks, *repeated])
    examples = build_examples(answers, chunks, rng=random.Random(4), **{**SHARES, "p_oracle": 0.3, "p_refusal": 0.3})
    by_question = {a.question.question_id: a for a in answers}
    assert n_given_away(examples, answers) == 0
    hidden = [e for e in examples if e.kind != "oracle"]
    assert len(hidden) == 28 + 12
    for example in hidden:
        answer = by_question[example.question.question_id]
        for chunk in example.context:
            assert not holds_answer(facts(chunk.text), answer.answer)
            assert squeeze(answer.quotes[0]) not in squeeze(chunk.text)


def test_an_answer_in_other_words_or_order_counts_as_held():
    assert holds_answer(
        facts("On Fridays, the tower is opened by volunteers from 9:00."),
        "The volunteers open the tower at 9:00 on Friday",
    )
    assert not holds_answer(
        facts("On Fridays, the tower is opened from 10:00."), "The volunteers open the tower at 9:00 on Friday"
    )


def test_every_quote_of_a_label_is_word_for_word_in_a_chunk_shown():
    examples, _ = mixed()
    for example in examples:
        shown = [squeeze(c.text) for c in example.context]
        assert all(any(squeeze(q) in text for text in shown) for q in parse_reply(example.cot_answer).quotes)


def test_rows_without_oracle_keep_the_answer_without_quotes_and_refusals_are_the_sentence_alone():
    examples, _ = mixed(p_refusal=0.2)
    assert all(e.cot_answer == f"<ANSWER>: {e.answer}" for e in examples if e.kind == "no_oracle")
    assert all(e.cot_answer == e.answer == REFUSAL for e in examples if e.kind == "refusal")


def test_no_question_is_refused_and_answered_from_memory():
    examples, _ = mixed(p_refusal=0.5)
    kinds = {}
    for e in examples:
        kinds.setdefault(e.question.question_id, set()).add(e.kind)
    assert {"no_oracle", "refusal"} not in kinds.values()


def test_structured_fields_and_instruction_agree_in_every_row():
    examples, chunks = mixed(p_refusal=0.3)
    text = {c.chunk_id: c.text for c in chunks}
    for row in map(raft_row, examples):
        sentences = row["context"]["sentences"][0]
        assert sentences == [text[i] for i in row["context_chunk_ids"]]
        assert row["instruction"] == build_instruction(sentences, row["question"])
        assert len(row["context"]["title"][0]) == len(sentences)
        assert (row["oracle_context"] in sentences) == (row["kind"] == "oracle")
        assert row["oracle_context"] == (text[row["chunk_id"]] if row["kind"] == "oracle" else "")
        assert row["answer"] == parse_reply(row["cot_answer"]).answer
        assert set(row["hard_chunk_ids"]) <= set(row["context_chunk_ids"])


def test_the_oracle_stands_in_every_place_equally_often():
    examples, _ = mixed(n=50, p_oracle=1.0)
    places = Counter(e.context.index(e.oracle) for e in examples if e.kind == "oracle")
    assert places == dict.fromkeys(range(5), 10)


@pytest.mark.parametrize(("p_hard", "n_hard"), [(0.0, 0), (0.5, 100), (1.0, 200), (0.33, 66)])
def test_the_share_of_retrieved_distractors_is_exact(p_hard, n_hard):
    examples, _ = mixed(n=50, p_oracle=1.0, p_refusal=0.0, p_hard=p_hard)
    assert sum(len(e.hard_ids) for e in examples) == n_hard


def test_retrieved_distractors_share_words_with_the_question():
    chunks = [
        make_chunk(f"The {name} tower closes at {1000 + i} sharp every evening in winter.")
        for i, name in enumerate(("Alder", "Birch", "Cedar"))
    ]
    chunks += [
        make_chunk(f"Soup number {2000 + i} needs leeks, barley and {300 + i} grams of peas.") for i in range(30)
    ]
    chunks = flag_near_duplicates(chunks)
    answer = make_answer(chunks[0], "When does the Alder tower close in winter?", "1000", chunks[0].text)
    [example] = build_examples(
        [answer], chunks, rng=random.Random(1), n_distractors=2, p_oracle=1.0, p_refusal=0.0, p_hard=1.0
    )
    assert {c.chunk_id for c in example.context} == {c.chunk_id for c in chunks[:3]}


def test_all_rows_of_a_question_its_refusal_twin_too_stand_on_the_side_of_their_document():
    examples, chunks = mixed(split=lambda i: "train" if i < 40 else "valid", p_refusal=1.0)
    sides = {chunk.doc_id: chunk.split for chunk in chunks}
    assert all(e.split == sides[e.oracle.doc_id] for e in examples)
    twins = Counter(e.question.question_id for e in examples)
    assert set(twins.values()) == {2} and {e.split for e in examples} == {"train", "valid"}


def test_rows_for_training_show_chunks_of_train_only():
    examples, _ = mixed(split=lambda i: ("train", "train", "train", "valid", "test")[i % 5])
    assert {c.split for e in examples if e.split == "train" for c in e.context} == {"train"}
    assert {e.split for e in examples} == {"train", "valid"}
    assert all(e.oracle.split == e.split for e in examples)
    assert "test" not in {c.split for e in examples for c in e.context}


@pytest.mark.parametrize(("n", "p_oracle", "need"), [(5, 0.8, 6), (4, 1.0, 5), (1, 0.0, 6)])
def test_a_corpus_too_small_is_an_error_that_names_the_smallest_that_works(n, p_oracle, need):
    shares = {**SHARES, "p_oracle": p_oracle, "p_refusal": 0.0}
    with pytest.raises(BadInput, match=f"need at least {need} training chunks.*found {n}"):
        check_corpus(make_corpus(n)[0], **shares)
    chunks, answers = make_corpus(need)
    check_corpus(chunks, **shares)
    assert len(build_examples(answers, chunks, rng=random.Random(1), **shares)) == need


def test_a_corpus_that_gives_every_answer_away_is_an_error_that_says_so():
    chunks = flag_near_duplicates(
        [make_chunk(f"Gate {i} opens at 9:00 for {NAME} number {i + 50}.") for i, NAME in enumerate("abcdefghij")]
    )
    answers = [make_answer(c, f"When does gate {i} open?", "9:00", c.text) for i, c in enumerate(chunks)]
    with pytest.raises(BadInput, match="refusal rows need 5 chunks each that do not hold the answer; only 0 of 10"):
        build_examples(answers, chunks, rng=random.Random(1), **{**SHARES, "p_oracle": 1.0, "p_refusal": 0.5})


@pytest.mark.parametrize("name", ["p_oracle", "p_refusal", "p_hard"])
def test_a_share_outside_0_to_1_is_an_error(name):
    with pytest.raises(BadInput, match=name):
        check_corpus(make_corpus(20)[0], **{**SHARES, name: 1.5})


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    first, second, other = ([raft_row(e) for e in mixed(seed=s)[0]] for s in (1, 1, 2))
    assert first == second
    assert first != other


def test_halves_round_up():
    assert [share(0.5, n) for n in (1, 2, 3)] == [1, 1, 2]
    assert share(0.8, 5) == 4
    assert share(0.05, 10) == 1


def test_a_row_that_gives_its_answer_away_would_be_noticed():
    chunks, answers = make_corpus(12)
    examples = build_examples(answers, chunks, rng=random.Random(1), **SHARES)
    leaky = [replace(e, context=(*e.context[1:], e.oracle)) if e.kind == "no_oracle" else e for e in examples]
    assert n_given_away(leaky, answers) == 2


def test_over_many_seeds_the_oracle_falls_on_every_place_by_chance_alike():
    """Chi-square over single rows, whose place is all chance: 4 degrees of freedom, 18.47 at p = 0.001."""
    chunks, answers = make_corpus(30)
    shares = {**SHARES, "p_oracle": 1.0, "p_refusal": 0.0}
    places = Counter()
    for seed in range(400):
        [example] = build_examples(answers[seed % 30 :][:1], chunks, rng=random.Random(seed), **shares)
        places[example.context.index(example.oracle)] += 1
    fixed = [Counter({0: 400})]
    statistic = [sum((c[i] - 80) ** 2 / 80 for i in range(5)) for c in (places, *fixed)]
    assert statistic[0] < 18.47 < statistic[1], places


def test_a_range_of_distractors_gives_every_number_equally_often_and_every_place_too():
    examples, _ = mixed(n=60, p_oracle=1.0, p_refusal=0.0, n_distractors=2, max_distractors=4)
    widths = Counter(len(e.context) - 1 for e in examples)
    assert widths == {2: 20, 3: 20, 4: 20}
    places = Counter((len(e.context), e.context.index(e.oracle)) for e in examples)
    assert all(max(c) - min(c) <= 1 for w in (3, 4, 5) for c in [[places[w, i] for i in range(w)]])


def test_a_range_holds_for_rows_without_oracle_and_the_hard_share_stays_exact():
    examples, _ = mixed(n=60, p_oracle=0.5, p_refusal=0.2, n_distractors=1, max_distractors=3, p_hard=0.5)
    for kind, n in (("no_oracle", 30), ("refusal", 12)):
        assert Counter(len(e.context) for e in examples if e.kind == kind) == dict.fromkeys((2, 3, 4), n // 3)
    shown = [e for e in examples if e.kind == "oracle"]
    assert sum(len(e.hard_ids) for e in shown) == sum(len(e.context) - 1 for e in shown) // 2
    assert all(len({c.chunk_id for c in e.context}) == len(e.context) for e in examples)


def test_every_question_can_stand_in_an_oracle_and_an_oracle_free_context():
    examples, _ = mixed(n=40, both_contexts=True, p_refusal=0.1)
    kinds = {}
    for e in examples:
        kinds.setdefault(e.question.question_id, []).append(e.kind)
    assert sorted(map(tuple, kinds.values())) == [("oracle", "no_oracle")] * 36 + [("oracle", "refusal")] * 4
    assert Counter(e.kind for e in examples) == count_kinds(40, p_oracle=0.8, p_refusal=0.1, both_contexts=True)
    assert n_given_away(examples, make_corpus(40)[1]) == 0
    assert all((e.oracle in e.context) == (e.kind == "oracle") for e in examples)


@pytest.mark.parametrize("label", ["answer", "cot", "refusal"])
def test_what_an_oracle_free_row_teaches_is_a_parameter_and_never_quotes_what_is_not_shown(label):
    examples, _ = mixed(p_oracle=0.5, no_oracle_label=label)
    rows = [e for e in examples if e.kind == "no_oracle"]
    assert len(rows) == 30
    for e in rows:
        assert BEGIN_QUOTE not in e.cot_answer
        parsed = parse_reply(e.cot_answer)
        assert (parsed.refused, parsed.quotes) == (label == "refusal", ())
        assert parsed.answer == e.answer
        assert (len(e.cot_answer) > len(f"<ANSWER>: {e.answer}")) == (label == "cot")


def test_refusal_wordings_are_drawn_by_seed_and_every_one_is_counted_as_a_refusal():
    wordings = ("The papers keep silent about that.", "Nothing shown here settles it.", "I must pass.")
    first, again, other = (
        [e.cot_answer for e in mixed(p_refusal=0.5, refusals=wordings, seed=s)[0] if e.kind == "refusal"] for s in (1, 1, 2)
    )
    assert first == again != other
    assert set(first) == set(wordings)
    assert all(parse_reply(text, "\n".join(wordings)).refused for text in first)
    assert not parse_reply("The papers speak of three mills.", "\n".join(wordings)).refused


def test_distractors_may_be_random_hard_or_a_share_of_each_and_are_never_the_oracle_or_its_copy():
    for p_hard in (0.0, 0.5, 1.0):
        for e in mixed(n=60, p_hard=p_hard)[0]:
            beside = [c for c in e.context if c != e.oracle]
            assert e.oracle.duplicate_group not in {c.duplicate_group for c in beside}
            assert set(e.hard_ids) <= {c.chunk_id for c in beside}


@pytest.mark.parametrize("n", [5, 8])
def test_the_widest_row_of_a_range_decides_the_smallest_corpus(n):
    shares = {**SHARES, "n_distractors": 2, "max_distractors": 7}
    with pytest.raises(BadInput, match=f"max_distractors: 7 distractors need at least 9 training chunks.*found {n}"):
        check_corpus(make_corpus(n)[0], **shares)
    chunks, answers = make_corpus(9)
    check_corpus(chunks, **shares)
    assert build_examples(answers, chunks, rng=random.Random(1), **shares)


def test_both_contexts_need_a_corpus_that_can_do_without_the_oracle():
    shares = {**SHARES, "p_oracle": 1.0, "p_refusal": 0.0, "both_contexts": True}
    with pytest.raises(BadInput, match="at least 6 training chunks"):
        check_corpus(make_corpus(5)[0], **shares)
    chunks = flag_near_duplicates(
        [make_chunk(f"Gate {i} opens at 9:00 for {name} number {i + 50}.") for i, name in enumerate("abcdefghij")]
    )
    answers = [make_answer(c, f"When does gate {i} open?", "9:00", c.text) for i, c in enumerate(chunks)]
    with pytest.raises(BadInput, match="set both_contexts to false"):
        build_examples(answers, chunks, rng=random.Random(1), **shares)
