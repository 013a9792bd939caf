import random
from dataclasses import replace

import numpy as np
import pytest

from lib.gen.contamination import BATCH, connect_embedder, contamination_table, find_nearest, remove_contaminated
from lib.gen.evalset import EvalQuestion

from .corpus import make_corpus

THRESHOLDS = {"ngram": 5, "overlap": 0.8, "similarity": 0.9}


class Embedder:
    """One direction for every word that a question has from a list of synonyms."""

    SAME = {"built": 0, "erected": 0, "tower": 1, "spire": 1, "soup": 2}

    def __init__(self):
        self.batches = []

    def embed(self, texts, label):
        self.batches.append(len(texts))
        vectors = np.zeros((len(texts), 4), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            row[[self.SAME.get(word.strip("?").lower(), 3) for word in text.split()]] = 1
            row[3] *= 0.1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def ask(*questions):
    return [EvalQuestion(f"e{i}", question, "x", True) for i, question in enumerate(questions)]


def renamed(answer, question):
    return replace(answer, question=replace(answer.question, question=question))


@pytest.mark.parametrize(
    ("trained", "asked", "is_removed"),
    [
        ("When was the Aldern mill built?", "When was the Aldern mill built?", True),
        ("when WAS the  Aldern mill built", "When was the Aldern mill built?", True),
        ("Please say: when was the Aldern mill built, and by whom?", "When was the Aldern mill built?", True),
        ("When was the Aldern tower built?", "When was the Aldern mill built?", False),
        ("At what hour does the old ferry leave on Monday?", "At what hour does the old ferry leave on Sunday in May?", False),
        ("Warum?", "warum", True),
        ("ある日、塔は何時に開きますか", "ある日、塔は何時に開きますか？", True),
        ("", "When was the Aldern mill built?", False),
    ],
)
def test_a_training_question_that_holds_an_eval_question_is_removed_and_a_like_one_is_not(trained, asked, is_removed):
    chunks, answers = make_corpus(3)
    answers[1] = renamed(answers[1], trained)
    found = remove_contaminated(answers[1:2], chunks, ask(asked), **THRESHOLDS)
    assert (len(found.kept), len(found.dropped)) == (0, 1) if is_removed else (1, 0)


def test_split_by_group_and_contamination_leave_no_eval_question_in_training_and_every_removal_has_its_reason():
    chunks, answers = make_corpus(40, lambda i: ("train", "valid", "test")[i % 3])
    asked = ask(*(a.question.question for a in answers[:10]))
    found = remove_contaminated(answers, chunks, asked, **THRESHOLDS)
    side = {c.chunk_id: c.split for c in chunks}
    for answer in found.kept:
        assert side[answer.question.chunk_id] == "test" or answer.question.question not in {q.question for q in asked}
    assert len(found.kept) + len(found.dropped) == 40
    assert {d.stage for d in found.dropped} == {"contamination"}
    assert all(d.reason and d.source and d.detail for d in found.dropped)
    assert len(found.compared) == sum(side[a.question.chunk_id] != "test" for a in answers)
    assert str(len(found.dropped)) in found.sentence()
    assert "embeddings not compared" in found.sentence()
    assert set(contamination_table(found, 3)["removed"]) == {"yes"}


def test_a_question_of_the_same_meaning_in_other_words_is_found_by_embedding_only():
    chunks, answers = make_corpus(3)
    answers = [renamed(answers[0], "Tower erected?"), renamed(answers[1], "Which soup?"), answers[2]]
    asked = ask("Spire built?")
    assert not remove_contaminated(answers, chunks, asked, **THRESHOLDS).dropped
    found = remove_contaminated(answers, chunks, asked, **THRESHOLDS, embedder=Embedder())
    assert [d.id for d in found.dropped] == [answers[0].question.question_id]
    assert found.dropped[0].reason == "means the same as a question of the eval set"
    assert "1 by embedding" in found.sentence()


def test_vectors_are_compared_a_part_at_a_time():
    embedder = Embedder()
    questions = [f"Question number {i}?" for i in range(BATCH + 10)]
    found = find_nearest(questions, ["Which soup?"], 5, embedder)
    assert embedder.batches == [1, BATCH, 10]
    assert len(found) == len(questions)


def test_the_nearest_question_is_the_one_with_most_of_its_words_in_a_row():
    [near] = find_nearest(["a b c d e f g h"], ["x a b c d e y", "b c d e f g", "c d e f g h z z"], 3)
    assert (near.overlap, near.by_words) == (1.0, "b c d e f g")


def test_the_offline_embedder_is_asked_only_when_told_to_and_an_endpoint_of_the_user_always(monkeypatch):
    asked = []
    monkeypatch.setattr("lib.llm.connect", lambda role, run, **limits: asked.append(role) or "asker", raising=False)
    assert connect_embedder("auto", None) is None
    assert connect_embedder("ngram", None) is None
    assert connect_embedder("embedding", None) == "asker"
    monkeypatch.setenv("EMBEDDER_OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("EMBEDDER_OPENAI_DEPLOYMENT", "some-model")
    assert connect_embedder("auto", None) == "asker"
    assert connect_embedder("ngram", None) is None
    assert asked == ["embedder", "embedder"]


def test_nothing_to_compare_removes_nothing():
    chunks, answers = make_corpus(5)
    assert remove_contaminated(answers, chunks, [], **THRESHOLDS, embedder=Embedder()).kept == answers
    assert contamination_table(remove_contaminated([], chunks, ask("x"), **THRESHOLDS)).empty


def test_the_order_of_answers_stays():
    chunks, answers = make_corpus(30)
    shuffled = random.Random(1).sample(answers, 30)
    kept = remove_contaminated(shuffled, chunks, ask(answers[3].question.question), **THRESHOLDS).kept
    assert kept == [a for a in shuffled if a is not answers[3]]
