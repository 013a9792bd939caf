"""A plan's money and minutes follow from prices, quotas and concurrency."""

import pytest

from lib.llm.predict import predict

ROLE = {"OPENAI_BASE_URL": "http://h/v1", "OPENAI_DEPLOYMENT": "m", "PRICE_USD_PER_MTOKENS": "2 10"}


@pytest.fixture
def teacher(monkeypatch):
    def put(**more):
        for name, value in (ROLE | more).items():
            monkeypatch.setenv(f"TEACHER_{name}", value)

    return put


def value(rows, item):
    return next(row["value"] for row in rows if row["item"] == item)


def test_a_stand_in_costs_nothing_and_says_so():
    rows = predict("teacher", 100, 10_000, 1_000)
    assert value(rows, "teacher cost") == 0 and "stand-in" in rows[0]["note"]


def test_a_model_served_here_is_no_stand_in_and_costs_no_money(monkeypatch):
    monkeypatch.setenv("TEACHER_LOCAL_MODEL", "org/large")
    rows = predict("teacher", 100, 10_000, 1_000)
    assert value(rows, "teacher cost") == 0 and "org/large, served here" in rows[0]["note"]
    assert not any("stand-in" in row["note"] or "offline" in row["note"] for row in rows)


def test_money_is_tokens_times_price_and_half_of_it_in_batches(teacher):
    teacher()
    assert value(predict("teacher", 10, 1_000_000, 100_000), "teacher cost") == pytest.approx(3.0)
    teacher(BATCH="1")
    assert value(predict("teacher", 10, 1_000_000, 100_000), "teacher cost") == pytest.approx(1.5)


def test_a_price_list_of_ones_own_says_what_batches_cost_too(teacher, tmp_path):
    teacher(BATCH="1")
    (tmp_path / "prices.yaml").write_text("batch_factor: 0.8\nmodels: {m: [1, 1]}\n")
    rows = predict("teacher", 10, 1_000_000, 100_000, prices=str(tmp_path / "prices.yaml"))
    assert value(rows, "teacher cost") == pytest.approx(2.4)


def test_time_is_that_of_the_tightest_limit(teacher):
    teacher()
    few = value(predict("teacher", 600, 60_000, 24_000, max_in_flight=1), "teacher time")
    many = value(predict("teacher", 600, 60_000, 24_000, max_in_flight=60), "teacher time")
    assert few == pytest.approx(601 * 2 / 60) and many < few / 40
    teacher(RPM="60")
    assert value(predict("teacher", 600, 60_000, 24_000, max_in_flight=60), "teacher time") == pytest.approx(10)


def test_a_model_without_a_price_gives_no_sum_of_money(teacher, monkeypatch):
    teacher()
    monkeypatch.delenv("TEACHER_PRICE_USD_PER_MTOKENS")
    rows = predict("teacher", 10, 1000, 100)
    assert not any(row["unit"] == "USD" for row in rows) and "no price known" in rows[0]["note"]
