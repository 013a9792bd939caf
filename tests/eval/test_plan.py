"""The plan: counts that follow from the parameters, and bad parameters refused in one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lib.eval.plan import check, check_parameters, context_widths, plan
from lib.llm.provider import Account, provider_role
from lib.run import BadInput, write_json, write_jsonl


def test_calls_are_questions_times_systems_times_what_is_shown(tmp_path):
    (tmp_path / "documents").mkdir()
    (tmp_path / "eval_set.jsonl").write_text('{"question": "a"}\n{"question": "b"}\n\n', encoding="utf-8")
    p = {
        "documents": str(tmp_path / "documents"),
        "systems": ["student", "baseline"],
        "top_k": [3, 5],
        "n_distractors": 2,
        "chunk_chars": 300,
    }
    rows = {row["item"]: row["value"] for row in plan(p)}
    assert rows["questions"] == 2
    assert rows["answers asked"] == 2 * 2 * (1 + 2 + 2)
    assert rows["verdicts asked"] == 2 * 2 * (1 + 2 + 1)
    assert {row["item"]: row["value"] for row in plan(p | {"controls": False})}["answers asked"] == 2 * 2 * 3


def test_questions_that_1_gen_holds_out_are_counted_as_it_foretells_them(tmp_path):
    p = {"documents": str(tmp_path), "top_k": [3], "foretold": {"eval questions": 57}}
    assert {row["item"]: row["value"] for row in plan(p)}["questions"] == 57


def test_money_counts_systems_at_endpoints_every_judge_and_further_opinions(tmp_path, monkeypatch):
    (tmp_path / "eval_set.jsonl").write_text('{"question": "a"}\n' * 10, encoding="utf-8")
    (tmp_path / "documents").mkdir()
    for role, price in (("BASELINE", "100 0"), ("RIVAL", "100 0"), ("JUDGE", "1 0"), ("SECOND", "10 0")):
        for name, value in (("OPENAI_BASE_URL", "http://h/v1"), ("OPENAI_DEPLOYMENT", "m"), ("PRICE_USD_PER_MTOKENS", price)):
            monkeypatch.setenv(f"{role}_{name}", value)
    p = {"documents": str(tmp_path / "documents"), "top_k": [3], "controls": False, "systems": ["baseline", "rival"], "chunk_chars": 400}
    p |= {"judges": ["judge", "second"], "opinions": ["scores"], "engine": "vllm"}
    usd = {row["item"]: row["value"] for row in plan(p) if row["unit"] == "USD"}
    assert usd == {
        "rival cost": pytest.approx(10 * (40 + 3 * 100 + 40) * 100 / 1e6),  # the baseline is served here
        "judge cost": pytest.approx(2 * 40 * 420 * 1 / 1e6),  # a verdict and a score each
        "second cost": pytest.approx(40 * 420 * 10 / 1e6),
    }
    assert "baseline cost" in [row["item"] for row in plan(p | {"engine": "endpoint"})]


@pytest.mark.parametrize(
    ("backend", "model", "variables", "prices"),
    [
        ("openai", "gpt-4o-mini-2024-07-18", {}, {"student": (0.30, 1.20), "baseline": (0.15, 0.60)}),
        ("azure", "gpt-4o-mini", {}, {"student": (0.165, 0.66), "baseline": (0.15, 0.60)}),
        ("together", "togethercomputer/LLaMA-2-7B-32K", {}, {}),
        ("together", "togethercomputer/LLaMA-2-7B-32K", {"STUDENT_PRICE_USD_PER_MTOKENS": "2 3"}, {"student": (2, 3)}),
    ],
)
def test_money_counts_a_student_and_a_baseline_that_live_where_they_were_tuned(tmp_path, monkeypatch, backend, model, variables, prices):
    (tmp_path / "eval_set.jsonl").write_text('{"question": "a"}\n' * 10, encoding="utf-8")
    for name, value in {"STUDENT_OPENAI_API_KEY": "k", **variables}.items():
        monkeypatch.setenv(name, value)
    p = {"documents": str(tmp_path / "documents"), "top_k": [3], "controls": False, "chunk_chars": 400, "engine": "vllm"}
    rows = {row["item"]: row for row in plan(p | {"backend": backend, "student_model": model})}
    for system in ("student", "baseline"):
        money = rows[f"{system} cost"]
        if system in prices:
            prompt, reply = prices[system]
            assert money["value"] == pytest.approx(10 * ((40 + 3 * 100 + 40) * prompt + 2 * 120 * reply) / 1e6)
            assert money["unit"] == "USD"
        else:
            assert money["value"] == "?" and f'{system.upper()}_PRICE_USD_PER_MTOKENS="PROMPT REPLY" sets one' in money["note"]
    assert ("1.7 USD an hour deployed" in rows["student cost"]["note"]) == (backend == "azure")


def test_the_price_that_a_message_asks_for_counts_at_a_provider(monkeypatch):
    account = Account("together", "https://api.together.ai/v1", "k", "TOGETHER_API_KEY")
    monkeypatch.setenv("STUDENT_PRICE_USD_PER_MTOKENS", "2 3")
    monkeypatch.setenv("STUDENT_RPM", "60")
    role = provider_role(account, "student", "me/tuned", base_model="meta/x", tuned=True, completion=False)
    assert (role.price, role.rpm) == ((2.0, 3.0), 60)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"top_k": []}, "top_k"),
        ({"top_k": [0, 3]}, "top_k"),
        ({"retriever": "bm52"}, "bm25"),
        ({"systems": ["a", "a"]}, "systems"),
        ({"eval_set": "none.jsonl"}, "none.jsonl"),
    ],
)
def test_what_cannot_work_is_refused(changed, message):
    with pytest.raises(BadInput, match=message):
        plan({"top_k": [3], **changed})


def test_the_command_prints_json_or_one_line(tmp_path):
    path = tmp_path / "p.json"
    for values, code in (({"top_k": [3], "documents": str(tmp_path)}, 0), ({"top_k": [0]}, 1)):
        path.write_text(json.dumps(values), encoding="utf-8")
        done = subprocess.run([sys.executable, "-m", "lib.eval.plan", str(path)], capture_output=True, text=True)
        assert done.returncode == code
        assert json.loads(done.stdout) if code == 0 else done.stderr.startswith("top_k: expected")
        assert "Traceback" not in done.stderr


def test_another_run_without_answers_is_told_before_anything_is_spent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = {"top_k": [3], "systems": ["student", "run:other"], "max_reply_tokens": 64}
    with pytest.raises(BadInput, match=r"run:other: expected runs/other/eval/answers.jsonl; run 4_eval"):
        check(asked)
    write_jsonl(Path("runs/other/eval/answers.jsonl"), [])
    write_json(Path("runs/other/run.json"), {"stand_ins": [], "parameters": {"4_eval": {"max_reply_tokens": 32}}, "stages": {}})
    with pytest.raises(BadInput, match="max_reply_tokens"):
        check(asked)
    check(asked | {"max_reply_tokens": 32})


def test_names_that_something_answers_to_are_taken(monkeypatch):
    check_parameters({"top_k": [3], "judges": ["judge", "teacher"], "systems": ["student", "baseline", "run:other"]})
    monkeypatch.setenv("RIVAL_LOCAL_MODEL", "data/student")
    monkeypatch.setenv("SECOND_OPENAI_BASE_URL", "http://h/v1")
    monkeypatch.setenv("SECOND_OPENAI_DEPLOYMENT", "m")
    check({"top_k": [3], "judges": ["second", "rival"], "systems": ["rival", "second"]})


def test_further_contexts_sets_judges_and_repeats_are_counted(tmp_path, monkeypatch):
    monkeypatch.setenv("SECOND_OPENAI_BASE_URL", "http://h/v1")
    monkeypatch.setenv("SECOND_OPENAI_DEPLOYMENT", "m")
    (tmp_path / "eval_set.jsonl").write_text('{"question": "a"}\n{"question": "b"}\n', encoding="utf-8")
    (tmp_path / "more.csv").write_text("question,answer\nc,d\n", encoding="utf-8")
    plain = {"documents": str(tmp_path / "documents"), "systems": ["student", "run:other"], "top_k": [3], "controls": False, "n_distractors": 2}
    assert context_widths(["oracle", "oracle_hard", "oracle_places"], [1, 2]) == [1, 2, 3, 2, 2, 3, 3, 3]
    changed = plain | {
        "contexts": ["oracle", "oracle_hard"], "context_distractors": [4, 19], "more_eval_sets": [str(tmp_path / "more.csv")],
        "repeats": 2, "answer_temperature": 0.7, "judges": ["judge", "second"], "opinions": ["pairwise"],
    }  # fmt: skip
    rows = {row["item"]: row["value"] for row in plan(changed)}
    cases = (2 * (2 + 3) + 1 * 2) * 2
    assert rows["answers asked"] == cases  # the other run's answers are not asked again
    assert rows["verdicts asked"] == cases * 2 * 2
    assert rows["further opinions asked"] == 2 * 2 * 2
    assert "further opinions asked" not in {row["item"] for row in plan(plain)}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"contexts": ["orakle"]}, "contexts: expected some of oracle"),
        ({"opinions": ["mood"]}, "opinions"),
        ({"context_distractors": [0]}, "context_distractors"),
        ({"perplexity_tokens": ["2K"]}, "perplexity_tokens"),
        ({"perplexity_tokens": [1]}, "from 2 on"),
        ({"judges": []}, "judges"),
        ({"judges": ["juge"]}, "judges: expected judge or teacher, or a role that is set; found 'juge': mend the name, or set JUGE_OPENAI_BASE_URL"),
        ({"systems": ["student", "teachr"]}, "systems: expected student, baseline or run:NAME, or a role that is set; found 'teachr'"),
        ({"repeats": 3}, "answer_temperature"),
        ({"human_labels": "none.csv"}, "human_labels: no such file: none.csv"),
        ({"more_eval_sets": ["none.csv"]}, "more_eval_sets: no such file: none.csv"),
        ({"label_sheet": -1}, "label_sheet"),
    ],
)
def test_new_options_that_cannot_work_are_refused(changed, message):
    with pytest.raises(BadInput, match=message):
        check({"top_k": [3], **changed})
