"""An invented corpus of eight passages, its questions, and askers that answer from a function."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from lib.llm import Reply
from lib.run import text_hash


def chunk(source, text, split="train", section=""):
    return {
        "chunk_id": text_hash(source + text)[:16],
        "source": source,
        "title": "",
        "section": section,
        "text": text,
        "split": split,
    }


def question(key, asked, answer, held=None, evidence="", answerable=True):
    held = held or {"source": "", "chunk_id": "", "split": ""}
    place = {name: held[name] for name in ("source", "chunk_id", "split")}
    return {"id": key, "question": asked, "answer": answer, "answerable": answerable, "evidence": evidence, **place}


class FakeAsker:
    """Answers with `rule(text of the last message)`, which gives a text or a Reply; remembers what it was asked."""

    def __init__(self, rule, name="student", completion=False):
        self.rule, self.asked = rule, []
        self.role = SimpleNamespace(
            name=name, completion=completion, batch=False, stand_in=False, price=(1.0, 2.0), model=name, base_url="http://127.0.0.1:1/v1"
        )

    def ask(self, requests, label="", then=None):
        requests, replies = list(requests), []
        for place, request in enumerate(requests):  # which grow while they are asked
            self.asked.append(request)
            found = self.rule(request.prompt if request.prompt is not None else request.messages[-1]["content"])
            replies.append(found if isinstance(found, Reply) else Reply(found, "stop", 10, 5, 0.1))
            requests += then(place, replies[-1]) if then else ()
        return replies


def embed(texts):
    """Bags of hashed words, of length 1: (n, 64)."""
    rows = np.zeros((len(texts), 64), dtype=np.float32)
    for i, text in enumerate(texts):
        for word in text.lower().split():
            rows[i, int(text_hash(word.strip(".?,")), 16) % 64] += 1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def score_row(key, k=3, *, system="student", judge=True, refused=False, **changed):
    """One row of scores of a retrieval answer to an answerable question; a document of its own."""
    return {
        "system": system, "eval_set": "eval", "condition": "rag" if k else "closed_book", "top_k": k, "question_id": key, "place": 0,
        "repeat": 0, "answerable": True, "split": "", "source": "", "judge": judge, "judge_reason": "compared", "exact_match": 0.0,
        "f1": 0.0, "rouge1": 0.0, "rouge2": 0.0, "rougeL": 0.0, "bleu": 0.0, "refused": refused, "failed": False, "cut": False,
        "finish_reason": "stop", "oracle_shown": None, "oracle_position": None, "n_quotes": 0, "n_verbatim": 0, "cites_oracle": None,
        "value": None, "p_blind": None, "outcome": "right" if judge else "wrong", "latency_s": 0.1, "prompt_tokens": 10,
        "completion_tokens": 5, "cost_usd": None, "confidence": None, "judges": {}, "refused_by_judge": None, "groundedness": None,
        "relevance": None, "coherence": None, "fluency": None, "similarity": None, **changed,
    }  # fmt: skip


@pytest.fixture
def corpus():
    """(chunks, questions): seven questions with an answer, of which five have a value to replace, and one without."""
    chunks = [
        chunk("rules.md", "The berth at Skarra Bay costs £45 a night. Pay at the office."),
        chunk("rules.md", "The crane at Kettle Haven lifts £62 worth of coal, or 900 kg at most."),
        chunk("fares.md", "A day ticket for the ferry costs £12.50 and is valid on Sunday.", "test"),
        chunk("fares.md", "The first boat leaves Orrin Point at 6:15 and the office opens then.", "test"),
        chunk("people.md", "The warden of Tarn Light is Ailsa Moor, who keeps the lamp log."),
        chunk("people.md", "In the canteen the cook is Ruben Vale, who bakes bread daily."),
        chunk("times.md", "The museum shuts at 17:40 in winter. Dogs stay outside.", "valid"),
        chunk("times.md", "Volunteers meet in the hall and bring boots and a lunch."),
    ]
    asked = [
        question(
            "q1",
            "What does a berth at Skarra Bay cost?",
            "£45",
            chunks[0],
            "The berth at Skarra Bay costs £45 a night.",
        ),
        question("q2", "How much may the crane at Kettle Haven lift?", "900 kg", chunks[1], "or 900 kg at most"),
        question(
            "q3",
            "What is the price of a ferry day ticket?",
            "£12.50",
            chunks[2],
            "A day ticket for the ferry costs £12.50",
        ),
        question(
            "q4",
            "When does the first boat leave Orrin Point?",
            "6:15",
            chunks[3],
            "The first boat leaves Orrin Point at 6:15",
        ),
        question(
            "q5", "Who is the warden of Tarn Light?", "Ailsa Moor", chunks[4], "The warden of Tarn Light is Ailsa Moor"
        ),
        question("q6", "Who cooks in the canteen?", "Ruben Vale", chunks[5], "the cook is Ruben Vale"),
        question(
            "q7",
            "At what hour does the museum shut in winter?",
            "17:40",
            chunks[6],
            "The museum shuts at 17:40 in winter.",
        ),
        question("q8", "How many lamps does the pier have?", "", answerable=False),
    ]
    return chunks, asked


@pytest.fixture
def embedder():
    """Bags of words as vectors; `texts` is everything that was embedded."""
    texts = []
    return SimpleNamespace(
        embed=lambda asked: (texts.extend(asked), embed(asked))[1], texts=texts, role=SimpleNamespace(identity="bags")
    )


@pytest.fixture
def reader(corpus):
    """A rule that reads: the answer's value from the passage that starts as the evidence does; else it refuses."""
    from lib.llm import REFUSAL

    starts = {row["question"]: row["evidence"][:18] for row in corpus[1]}
    values = {row["question"]: row["answer"] for row in corpus[1]}

    def rule(text):
        asked = text.rstrip("\n").rsplit("\n", 1)[-1]
        for document in text.split("<DOCUMENT>")[1:]:
            passage = document.split("</DOCUMENT>")[0]
            if starts[asked] and starts[asked] in passage:
                value = values[asked] if values[asked] in passage else "something else"
                return f"It says: ##begin_quote##{passage}##end_quote##\n<ANSWER>: {value}"
        return REFUSAL

    return rule


class FakeRun:
    """What `connect` needs of an open run; `told` is everything recorded."""

    def __init__(self, folder):
        self.dir, self.told = folder, []

    def path(self, name):
        (self.dir / name).parent.mkdir(parents=True, exist_ok=True)
        return self.dir / name

    def stand_in(self, *_):
        return ""

    def record(self, **facts):
        self.told.append(facts)

    def requests(self, role):
        """Requests that were sent to a role's endpoint, not found in the store."""
        return sum(facts["tokens"].get(role, {}).get("requests", 0) for facts in self.told if "tokens" in facts)


def fenced(text, tag):
    """What a judge's message says between the tags of a name."""
    return re.search(rf"<{tag}-(\w+)>(.*?)</{tag}-\1>", text, re.DOTALL)[2]


@pytest.fixture
def judge():
    """YES where the candidate is the reference, letter by letter aside from case."""

    def rule(text):
        reference, candidate = fenced(text, "REFERENCE"), fenced(text, "CANDIDATE")
        verdict = "YES" if reference.casefold() in candidate.casefold() else "NO"
        return f'{{"reason": "compared", "verdict": "{verdict}"}}'

    return FakeAsker(rule, "judge")
