"""Rows: every way in which a trainer silently loses something is an error here."""

import random

import pytest

from lib.finetune.order import order_rows, pack_rows
from lib.finetune.rows import encode_rows, load_labels, load_rows, longest_allowed, save_rows, stop_ids
from lib.run import BadInput

from .tiny import TEMPLATE, make_rows, make_tokenizer

STOPS = frozenset({1})


def chat(answer="<ANSWER>: 7", question="Berth 1?"):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def test_the_loss_covers_the_answer_and_the_stop_token_and_nothing_else(tokenizer):
    (row,) = encode_rows([chat()], tokenizer, STOPS)
    assert tokenizer.decode(row.completion_ids) == "<ANSWER>: 7<|end|>"
    assert tokenizer.decode(row.prompt_ids) == "<|begin|><|user|>Berth 1?<|end|><|assistant|>"


def test_prompt_ids_are_those_of_the_prompt_rendered_for_serving(tokenizer):
    rows = make_rows(5)
    for row, made in zip(rows, encode_rows(rows, tokenizer, STOPS), strict=True):
        served = tokenizer.apply_chat_template(row["messages"][:-1], add_generation_prompt=True, return_dict=False)
        assert list(made.prompt_ids) == served


def test_a_completion_row_ends_with_the_stop_token(tokenizer):
    (row,) = encode_rows([{"prompt": "Berth 1?\n", "completion": "7 crowns"}], tokenizer, STOPS)
    assert tokenizer.decode(row.completion_ids) == "7 crowns<|end|>"
    assert list(row.prompt_ids) == tokenizer("Berth 1?\n")["input_ids"]


@pytest.mark.parametrize("text", ["Ærøskøbing, 7½ crowns", "价格是七克朗", "two\nlines\n\n- and a list", "🙂"])
def test_any_script_survives(tokenizer, text):
    (row,) = encode_rows([chat(text)], tokenizer, STOPS)
    assert tokenizer.decode(row.completion_ids) == text + "<|end|>"


def test_what_a_template_writes_after_the_stop_token_is_not_trained():
    tokenizer = make_tokenizer(TEMPLATE.replace("eos_token }}", "eos_token + '\n' }}"))
    (row,) = encode_rows([chat()], tokenizer, STOPS)
    assert row.completion_ids[-1] == 1


def test_a_template_that_closes_a_turn_with_another_stop_token_is_understood():
    tokenizer = make_tokenizer(TEMPLATE.replace("eos_token }}", "'<|system|>' }}"))
    stops = stop_ids(tokenizer, {"eos_token_id": [1, 5]})
    (row,) = encode_rows([chat()], tokenizer, stops)
    assert row.completion_ids[-1] == 5


def test_a_stop_token_outside_the_loss_is_an_error():
    tokenizer = make_tokenizer(TEMPLATE.replace(" + eos_token }}", " }}"))
    with pytest.raises(BadInput, match="row 1: expected the answer to end with a stop token"):
        encode_rows([chat()], tokenizer, STOPS)


def test_a_stop_token_of_the_prompt_does_not_count():
    template = (
        "{{ bos_token }}{% for m in messages %}{{ m.content + (eos_token if m.role == 'user' else '') }}{% endfor %}"
    )
    with pytest.raises(BadInput, match="stop token"):
        encode_rows([chat()], make_tokenizer(template), STOPS)


def test_a_template_that_trains_another_prompt_than_it_serves_is_an_error():
    # Thinking models drop or add parts of the assistant's turn when it is the last one.
    template = TEMPLATE.replace("<|assistant|>{% endif %}", "<|assistant|><think>{% endif %}")
    with pytest.raises(BadInput, match="not the beginning of the row as it would be trained"):
        encode_rows([chat()], make_tokenizer(template), STOPS)


def test_a_template_that_drops_a_part_of_the_answer_is_an_error():
    template = TEMPLATE.replace("m.content", "m.content.split('</think>')[-1]")
    with pytest.raises(BadInput, match="does not hold its whole answer"):
        encode_rows([chat("because</think> 7")], make_tokenizer(template), STOPS)


def test_messages_without_a_template_are_an_error():
    with pytest.raises(BadInput, match="dataset_format to completion"):
        encode_rows([chat()], make_tokenizer(None), STOPS)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"story": "x"}, "expected `messages`"),
        ({"text": "x"}, "Plain text has no reply to learn"),
        ({"text": "[INST] x [/INST] "}, "one is empty"),
        ({"text": "[INST] x [/INST] y [INST] z"}, "before every reply"),
        ({"messages": [{"role": "user", "content": "x"}]}, "the last message"),
        (chat(answer="  "), "it is empty"),
    ],
)
def test_rows_of_another_form_are_errors(tokenizer, row, words):
    with pytest.raises(BadInput, match=words):
        encode_rows([row], tokenizer, STOPS)


def test_no_rows_are_an_error(tokenizer):
    with pytest.raises(BadInput, match="it is empty"):
        encode_rows([], tokenizer, STOPS)


def test_a_row_that_would_lose_an_answer_token_is_an_error(tokenizer):
    rows = encode_rows(make_rows(9), tokenizer, STOPS)
    longest = max(map(len, rows))
    assert longest_allowed(rows, 0, 1000) == longest_allowed(rows, longest, 1000) == longest
    with pytest.raises(BadInput, match="longer than max_length"):
        longest_allowed(rows, longest - 1, 1000)
    with pytest.raises(BadInput, match="context of"):
        longest_allowed(rows, 0, longest - 1)


def test_every_epoch_trains_every_row_once():
    lengths = [random.Random(i).randrange(10, 300) for i in range(101)]
    order = order_rows(lengths, 2.5, 8, random.Random(0))
    assert sorted(order[:101]) == sorted(order[101:202]) == list(range(101))
    assert len(order) == 252
    assert len(set(order[202:])) == 50
    assert order == order_rows(lengths, 2.5, 8, random.Random(0)) != order_rows(lengths, 2.5, 8, random.Random(1))


def test_rows_of_like_length_share_a_batch():
    lengths = [random.Random(i).randrange(10, 300) for i in range(800)]
    order = order_rows(lengths, 1.0, 8, random.Random(0))

    def padded(order):
        batches = [order[i : i + 8] for i in range(0, len(order), 8)]
        return sum(max(lengths[i] for i in batch) * len(batch) for batch in batches)

    assert padded(order) < 1.1 * sum(lengths) < padded(range(800))


def test_saved_rows_are_read_back_as_they_were(tmp_path, tokenizer):
    rows = encode_rows(make_rows(7), tokenizer, STOPS)
    read = load_rows(save_rows(tmp_path / "rows.npz", rows))
    assert [(ids.tolist(), n) for ids, n in read] == [
        ([*r.prompt_ids, *r.completion_ids], len(r.prompt_ids)) for r in rows
    ]


def learnt(tokenizer, row):
    """The texts in the loss, one a run of ids."""
    ids, mask, texts = [*row.prompt_ids, *row.completion_ids], row.learnt(), []
    for i, inside in enumerate(mask):
        if inside and (i == 0 or not mask[i - 1]):
            texts.append([])
        if inside:
            texts[-1].append(ids[i])
    return [tokenizer.decode(part) for part in texts]


def test_every_reply_of_a_conversation_is_in_the_loss_with_its_stop_token_and_nothing_else_is(tokenizer):
    messages = [{"role": "system", "content": "Be brief."}]
    for question, answer in (("Berth 1?", "7"), ("And 2?", "14"), ("And 3?", "21")):
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    (row,) = encode_rows([{"messages": messages}], tokenizer, STOPS)
    assert learnt(tokenizer, row) == ["7<|end|>", "14<|end|>", "21<|end|>"]


def test_a_template_that_shortens_earlier_replies_is_an_error():
    # Thinking models drop the reasoning of all turns but the last: what was served is not what would be trained.
    template = TEMPLATE.replace("m.content", "(m.content if loop.last else m.content.split('#')[-1])")
    messages = [*chat("why#7")["messages"], *chat("14")["messages"]]
    with pytest.raises(BadInput, match="message 2: .*not the beginning"):
        encode_rows([{"messages": messages}], make_tokenizer(template), STOPS)


def test_the_replies_of_a_text_are_in_the_loss_and_its_last_one_stops(tokenizer):
    text = "[INST] Berth 1? [/INST] 7 crowns [INST] And 2? [/INST] 14\ncrowns"
    (row,) = encode_rows([{"text": text}], tokenizer, STOPS)
    assert [part.strip() for part in learnt(tokenizer, row)] == ["7 crowns", "14\ncrowns<|end|>"]
    assert row.prompt == "[INST] Berth 1? [/INST] 7 crowns [INST] And 2? [/INST]"
    assert tokenizer.decode(row.prompt_ids) == row.prompt


def test_packs_hold_every_row_of_an_epoch_once_and_whole():
    lengths = [random.Random(i).randrange(10, 300) for i in range(101)]
    packs = pack_rows(lengths, 2.0, 512, random.Random(0))
    assert max(sum(lengths[i] for i in pack) for pack in packs) <= 512
    assert sorted(i for pack in packs for i in pack) == sorted([*range(101)] * 2)
    per_epoch = len(packs) // 2
    assert sorted(i for pack in packs[:per_epoch] for i in pack) == list(range(101))
    assert 2 * sum(lengths) / (512 * len(packs)) > 0.95
    assert packs == pack_rows(lengths, 2.0, 512, random.Random(0)) != pack_rows(lengths, 2.0, 512, random.Random(1))


def test_saved_labels_are_the_ids_in_the_loss(tmp_path, tokenizer):
    rows = encode_rows([*make_rows(3), {"text": "[INST] a [/INST] b [INST] c [/INST] d"}], tokenizer, STOPS)
    save_rows(tmp_path / "rows.npz", rows)
    for row, labels, (ids, _) in zip(rows, load_labels(tmp_path / "rows.npz"), load_rows(tmp_path / "rows.npz"), strict=True):
        assert [i if inside else -100 for i, inside in zip(ids, row.learnt(), strict=True)] == labels.tolist()
