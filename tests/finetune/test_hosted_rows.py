"""Rows, prices and parameters of a hosted fine-tuning: everything that is refused before a request is sent."""

import json

import pytest

from lib.finetune.hosted.order import build_order
from lib.finetune.hosted.price import check_budget, estimate
from lib.finetune.hosted.rows import check_rows
from lib.llm.tuning_prices import tuning_price
from lib.run import BadInput

GOOD = {"messages": [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "That."}]}


def turn(role, content):
    return {"role": role, "content": content}


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def rows(tmp_path):
    return lambda *more, n=12: write(tmp_path / "train.jsonl", [GOOD] * n + list(more))


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({"messages": [turn("user", "a"), turn("assistant", "  ")]}, "assistant is empty"),
        ({"messages": [turn("user", "a"), turn("bot", "b")]}, "role 'bot'"),
        ({"messages": [turn("user", "a")]}, "last message is not the assistant's"),
        ({"messages": [turn("user", "a"), turn("user", "b"), turn("assistant", "c")]}, "do not take turns"),
        ({"messages": [turn("user", "a"), turn("system", "b"), turn("assistant", "c")]}, "do not take turns"),
        ({"messages": [turn("user", ["a"]), turn("assistant", "c")]}, "is no text"),
        ({"messages": []}, "empty"),
        ({"text": "a"}, "expected messages; found text"),
        ({"prompt": "a", "completion": "b"}, "set dataset_format to chat"),
    ],
)
def test_a_row_that_the_provider_would_reject_is_named_with_its_number(rows, row, word):
    with pytest.raises(BadInput, match="row 13") as caught:
        check_rows(rows(row), "openai", row_tokens=None)
    assert word in str(caught.value)


def test_a_conversation_of_several_turns_with_a_system_message_is_good(rows):
    many = {"messages": [turn("system", "s"), *[turn(r, "x") for r in ("user", "assistant") * 3]]}
    assert check_rows(rows(many), "openai", row_tokens=None).n == 13


def test_together_takes_prompt_and_completion_but_no_empty_completion(rows):
    assert check_rows(rows({"prompt": "a", "completion": "b"}), "together", row_tokens=None).n == 13
    with pytest.raises(BadInput, match="completion is empty"):
        check_rows(rows({"prompt": "a", "completion": ""}), "together", row_tokens=None)


def test_fewer_than_ten_rows_are_refused_and_ten_are_not(rows):
    with pytest.raises(BadInput, match="at least 10 rows; found 9"):
        check_rows(rows(n=9), "openai", row_tokens=None)
    assert check_rows(rows(n=10), "openai", row_tokens=None).n == 10


def test_a_row_that_would_be_cut_is_an_error_and_one_near_the_limit_a_warning(rows):
    long = {"messages": [turn("user", "x" * 400), turn("assistant", "y")]}
    assert check_rows(rows(long), "openai", row_tokens=1000).warning == ""
    assert "may be cut" in check_rows(rows(long), "openai", row_tokens=120).warning
    with pytest.raises(BadInput, match="1 of 13 rows are longer than the 100 tokens"):
        check_rows(rows(long), "openai", row_tokens=100)


def test_tokens_are_counted_by_the_tokenizer_where_there_is_one(rows):
    checked = check_rows(rows(), "openai", row_tokens=None, count=len)
    assert checked.tokens[0] == len("What?") + len("That.") + 8
    assert not checked.estimated


def test_the_price_is_tokens_times_epochs_times_the_list_price():
    wanted = estimate("openai", "gpt-4o-mini-2024-07-18", [1000] * 100, [500] * 10, 3, lora=False)
    assert wanted.tokens == 300_000
    assert wanted.usd == pytest.approx(300_000 * tuning_price("openai", "gpt-4o-mini").train / 1e6)
    assert tuning_price("openai", "gpt-4o-mini").as_of in wanted.note


def test_together_bills_its_evaluations_and_less_for_adapters():
    full = estimate("together", "togethercomputer/LLaMA-2-7B-32K", [1000] * 100, [500] * 10, 2, lora=False)
    lora = estimate("together", "togethercomputer/LLaMA-2-7B-32K", [1000] * 100, [500] * 10, 2, lora=True)
    assert full.tokens == lora.tokens == 200_000 + 4 * 5000
    assert lora.usd < full.usd


@pytest.mark.parametrize(
    ("model", "same_as"),
    [
        ("mistralai/Mistral-7B-Instruct-v0.2", "x/y-14b"),
        ("meta-llama/Llama-3.3-70B-Instruct", "x/y-100B"),
    ],
)
def test_a_model_without_a_line_of_its_own_is_priced_by_its_size(model, same_as):
    assert tuning_price("together", model) == tuning_price("together", same_as)
    assert tuning_price("together", "no-size-in-this-name") is None


def test_the_longest_name_decides_the_price_so_that_mini_is_not_priced_as_its_elder():
    assert tuning_price("openai", "gpt-4o-mini-2024-07-18").train < tuning_price("openai", "gpt-4o-2024-08-06").train


def test_the_budget_counts_what_the_run_has_cost_and_refuses_an_unknown_price():
    wanted = estimate("openai", "gpt-4o-mini", [1_000_000], [], 1, lora=False)
    check_budget(wanted, 0.0)
    check_budget(wanted, wanted.usd + 1.0, 0.9)
    with pytest.raises(BadInput, match="more than budget_usd"):
        check_budget(wanted, wanted.usd + 1.0, 1.1)
    with pytest.raises(BadInput, match="no price is listed"):
        check_budget(estimate("openai", "mystery", [1], [], 1, lora=False), 1.0)


PARAMETERS = {
    "run": "My run: a very long name indeed, longer than any suffix", "backend": "openai", "student_model": "gpt-4o-mini-2024-07-18",
    "epochs": 3.0, "batch_size": 4, "grad_accumulation": 2, "seed": 7, "learning_rate": 1e-5, "tuning": "full",
    "scheduler": "cosine", "warmup_ratio": 0.0, "weight_decay": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(("backend", "limit"), [("openai", 40), ("azure", 18), ("together", 40)])
def test_the_suffix_names_the_run_within_the_providers_limit_and_changes_with_what_decides_the_result(rows, backend, limit):
    p = PARAMETERS | {"backend": backend}
    order = build_order(p, "https://a/v1", rows(), None)
    assert len(order.suffix) <= limit
    assert order.suffix.startswith("my-run")
    assert set(order.suffix) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert build_order(p, "https://a/v1", rows(), None) == order
    for other in ({"seed": 8}, {"epochs": 2.0}, {"student_model": "gpt-4o"}):
        assert build_order(p | other, "https://a/v1", rows(), None).suffix != order.suffix
    assert build_order(p, "https://b/v1", rows(), None).suffix != order.suffix
    assert build_order(p, "https://a/v1", rows(GOOD), None).suffix != order.suffix


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"epochs": 0.5}, "whole numbers"),
        ({"tuning": "qlora"}, "full and lora"),
        ({"backend": "together", "scheduler": "constant"}, "cosine and linear"),
        ({"learning_rate_multiplier": -1.0}, "0 or more"),
    ],
)
def test_what_a_provider_cannot_do_is_refused(rows, change, word):
    with pytest.raises(BadInput, match=word):
        build_order(PARAMETERS | change, "https://a/v1", rows(), None)
