"""Further opinions: typed, in both orders, by several judges; and the judge at work while answers still come in."""

import json
import threading
from types import SimpleNamespace

import pytest

from lib.eval.answer import ask_systems
from lib.eval.breakdown import agreement
from lib.eval.conditions import CLOSED_BOOK, Case, given_documents
from lib.eval.drilldown import build_data
from lib.eval.judge import Ahead, Verdict, judge_rows, same_model_warnings
from lib.eval.opinions import compare_pairs, judge_refusals, parse_scores, rate_rows, settle_pair, summarise_pairs
from lib.eval.score import score
from lib.llm import Format, Role, connect
from tests.fakes.http import FakeServer

from .conftest import FakeAsker, FakeRun, fenced, score_row


def row(answer, system="student", key="q1", **changed):
    base = {
        "system": system, "eval_set": "eval", "condition": "rag", "top_k": 3, "question_id": key, "place": 0, "repeat": 0, "reply": answer,
        "answer": answer, "refused": False, "error": None, "context_chunk_ids": [], "original": "", "replacement": "",
    }  # fmt: skip
    return base | changed


GOOD = {"groundedness": 5, "relevance": 4, "coherence": 5, "fluency": 5, "similarity": 1}


@pytest.mark.parametrize(
    ("changed", "found"),
    [({}, GOOD), ({"fluency": 6}, None), ({"fluency": 0}, None), ({"fluency": "5"}, None), ({"fluency": True}, None), ({"fluency": 4.5}, None)],
)
def test_scores_count_only_where_all_five_are_whole_numbers_from_1_to_5(changed, found):
    assert parse_scores(json.dumps({"reason": "r", **GOOD, **changed})) == found
    assert parse_scores(json.dumps({k: v for k, v in GOOD.items() if k != "fluency"})) is None
    assert parse_scores("5 5 5 5 5") is None


def test_scores_see_the_passages_and_groundedness_needs_some(corpus):
    chunks, questions = corpus
    by_id, texts = {q["id"]: q for q in questions}, {c["chunk_id"]: c["text"] for c in chunks}
    asker = FakeAsker(lambda text: json.dumps({"reason": "r", **GOOD}), "judge")
    rows = [row("£45", context_chunk_ids=[chunks[0]["chunk_id"]]), row("£45"), row(""), row("1", key="q8"), row("x", condition="replaced")]
    found = rate_rows(rows, by_id, texts, asker)
    assert chunks[0]["text"] in fenced(asker.asked[0].messages[-1]["content"], "PASSAGES")
    assert len(asker.asked) == 2
    assert (found[0]["groundedness"], found[1]["groundedness"], found[1]["relevance"]) == (5, None, 4)
    assert all(set(scores.values()) == {None} for scores in found[2:])
    asker.rule = lambda text: "excellent"
    assert set(rate_rows(rows[:1], by_id, texts, asker)[0].values()) == {None}


def test_what_an_eval_sets_row_brings_along_counts_as_shown(corpus):
    chunks, _ = corpus
    context = f"<DOCUMENT>{chunks[0]['text']}</DOCUMENT><DOCUMENT>Of £46.</DOCUMENT>"
    question = {"id": "own:1", "question": "What?", "answer": "£45", "answerable": True, "context": context, "chunk_id": chunks[0]["chunk_id"]}
    asker = FakeAsker(lambda text: json.dumps({"reason": "r", **GOOD}), "judge")
    own = row("£45", key="own:1", condition="given", eval_set="own")
    (found,) = rate_rows([own], {"own:1": question}, {}, asker)
    assert found["groundedness"] == 5
    assert fenced(asker.asked[0].messages[-1]["content"], "PASSAGES") == f"{chunks[0]['text']}\n\nOf £46."
    quoting = own | {"quotes": ["costs £45 a night", "costs £47"], "finish_reason": "stop", "latency_s": 0.1, "prompt_tokens": 1,
                     "completion_tokens": 1, "cost_usd": None, "confidence": None}  # fmt: skip
    scored = score(quoting, question, Verdict(True, ""), {chunks[0]["chunk_id"]}, {})
    assert (scored["n_quotes"], scored["n_verbatim"], scored["oracle_shown"], scored["cites_oracle"]) == (2, 1, None, None)
    assert given_documents(question) == [chunks[0]["text"], "Of £46."]
    made = build_data([question | {"eval_set": "own"}], chunks, [quoting], [scored | {"judges": {}}])
    assert made["questions"][0]["context"] == given_documents(question)


def test_a_pair_counts_only_where_both_orders_agree():
    assert [settle_pair(*pair) for pair in [("A", "B"), ("B", "A"), ("TIE", "TIE"), ("A", "A"), ("A", "TIE"), (None, "B"), ("A", None)]] == [
        "win", "loss", "tie", "order", "order", "unjudged", "unjudged",
    ]  # fmt: skip


def test_a_judge_who_always_takes_the_first_wins_nobody_anything(corpus):
    by_id = {q["id"]: q for q in corpus[1]}
    rows = [row(a, s, k) for k, a, b in (("q1", "£45", "£46"), ("q2", "900 kg", "900 kg"), ("q8", "1", "2")) for s, a in (("student", a), ("baseline", b))]
    first = FakeAsker(lambda text: '{"reason": "", "verdict": "A"}', "judge")
    pairs = compare_pairs(rows, by_id, first)
    assert [p["outcome"] for p in pairs] == ["order", "tie"]  # q8 has no reference; equal answers are not asked
    assert len(first.asked) == 2
    knows = FakeAsker(lambda text: json.dumps({"reason": "", "verdict": "A" if fenced(text, "A") == "£45" else "B"}), "judge")
    table = summarise_pairs(compare_pairs(rows, by_id, knows)).to_dict("records")
    assert [(r["win"], r["loss"], r["tie"], r["order"], r["win_rate"]) for r in table] == [(1, 0, 1, 0, 1.0)]


def test_refusals_by_rule_and_by_judge_are_compared_with_kappa(corpus):
    by_id = {q["id"]: q for q in corpus[1]}
    asker = FakeAsker(lambda text: json.dumps({"reason": "", "verdict": "YES" if "no idea" in text else "NO"}), "judge")
    assert judge_refusals([row("no idea"), row("£45"), row(""), row("", error="timeout")], by_id, asker) == [True, False, None, None]
    scores = [score_row(f"q{i}", refused=i < 4, refused_by_judge=i < 5) for i in range(10)]
    (line,) = agreement(scores).to_dict("records")
    assert (line["what"], line["n"], line["agree"]) == ("refusal", 10, 9)
    assert line["kappa"] == pytest.approx((0.9 - 0.5) / 0.5)


def test_several_judges_are_compared_on_what_both_judged():
    scores = [score_row(f"q{i}", judge=i < 6, judges={"second": i < 5 if i else None}) for i in range(10)]
    (line,) = agreement(scores).to_dict("records")
    assert (line["first"], line["second"], line["n"], line["agree"]) == ("judge", "second", 9, 8)


def test_a_judge_that_is_contestant_or_teacher_is_warned_of():
    def role(name, model, stand_in=False):
        return SimpleNamespace(name=name, model=model, base_url="http://x/v1", stand_in=stand_in)

    big, small = role("judge", "big"), role("student", "small")
    assert same_model_warnings({"judge": big}, {"student": small}) == {}
    found = same_model_warnings({"judge": big}, {"student": small, "teacher": role("teacher", "big")}, role("teacher", "big"))
    assert "contestant (teacher)" in found["judge_is_teacher"]
    assert "teacher at once" in found["judge"]
    assert same_model_warnings({"judge": role("judge", "big", True)}, {}, role("teacher", "big")) == {}


def test_the_judge_works_while_answers_come_in_and_gives_the_same_verdicts(judge, corpus):
    by_id = {q["id"]: q for q in corpus[1]}
    rows = [row("£45"), row("£46"), row("Sorry", refused=True)]
    asked = threading.Event()
    rule = judge.rule
    judge.rule = lambda text: (asked.set(), rule(text))[1]
    with Ahead(judge, by_id) as ahead:
        ahead.take(rows[0])
        assert asked.wait(10), "nothing was judged before the block was left"
        for other in rows[1:]:
            ahead.take(other)
    assert len(judge.asked) == 2
    assert [v.right for v in judge_rows(rows, by_id, judge)] == [True, False, False]


def test_an_error_of_the_judge_is_raised_and_an_error_of_the_systems_stops_the_judge(judge, corpus):
    by_id = {q["id"]: q for q in corpus[1]}
    judge.rule = lambda text: 1 / 0
    with pytest.raises(ZeroDivisionError), Ahead(judge, by_id) as ahead:
        ahead.take(row("£45"))
    closed = []
    judge.close = lambda: closed.append(True)
    with pytest.raises(KeyboardInterrupt), Ahead(judge, by_id):
        raise KeyboardInterrupt
    assert closed == [True]


class Gate(FakeServer):
    """A system and a judge; the system's last answer waits until the judge has been asked `wanted` times."""

    def __init__(self, n_questions, wanted):
        super().__init__()
        self.last, self.wanted, self.judged, self.enough = str(n_questions - 1), wanted, 0, threading.Event()
        self.waited_in_vain = False

    def answer(self, method, path, query, headers, body):
        request = json.loads(body)
        verdict = "response_format" in request
        text = '{"reason": "compared", "verdict": "YES"}' if verdict else f"<ANSWER>: {request['messages'][-1]['content']}"
        self.judged += verdict
        if self.judged >= self.wanted:
            self.enough.set()
        if not verdict and text.endswith(f" {self.last}?"):
            self.lock.release()  # others are answered meanwhile
            self.waited_in_vain = not self.enough.wait(20)
            self.lock.acquire()
        return 200, {"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": {}}, {}


def test_one_slow_answer_holds_up_no_verdict_on_the_others_and_none_is_asked_twice(tmp_path):
    questions = [{"id": str(i), "question": f"What is {i}?", "answer": "42", "answerable": True} for i in range(100)]
    cases = [Case(CLOSED_BOOK, 0, row["id"], row["question"]) for row in questions]
    with Gate(100, wanted=99) as server:
        run = FakeRun(tmp_path)
        student, judging = (connect(Role(name, f"{server.url}/v1", name), run, max_in_flight=8) for name in ("student", "judge"))
        with Ahead(judging, {row["id"]: row for row in questions}) as ahead:
            answers = ask_systems(cases, {"student": student}, Format(), max_tokens=8, ahead=ahead)
        assert not server.waited_in_vain, "verdicts waited for the slowest answer"
        assert server.judged == 100
        verdicts = judge_rows(answers, {row["id"]: row for row in questions}, judging)
        assert server.judged == 100 and all(verdict.right for verdict in verdicts)
        student.close(), judging.close()
