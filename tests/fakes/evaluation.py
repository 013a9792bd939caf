"""A whole evaluation in a folder, of invented passages and systems whose accuracy is set: every file that the report reads.

Answers, scores and tables are made by the project's own code from made-up replies; only the replies and verdicts are invented.
"""

import random
from pathlib import Path
from types import SimpleNamespace

from lib.eval import breakdown
from lib.eval.answer import answer_cases
from lib.eval.conditions import build_cases
from lib.eval.contexts import build_contexts
from lib.eval.judge import Verdict
from lib.eval.metrics import exact_match
from lib.eval.retrieve import recall_table
from lib.eval.score import score
from lib.eval.summary import compare, find_differences, summarise, summarise_slices
from lib.llm import REFUSAL, Format, Reply
from lib.run import text_hash, write_json, write_jsonl, write_text

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><!--"
SKILL = {"student": 0.8, "baseline": 0.45, "teacher": 0.85, "other": 0.6}
WORST_SKILL = 0.5  # of a system that is not named above


def make_run(
    folder: Path, *, n_questions: int = 12, systems=("student", "baseline"), top_k=(1, 3), controls: bool = True, contexts=(),
    passage_words: int = 40, per_document: int = 4, hostile: bool = False, pairs: bool = False, seed: int = 1,
) -> SimpleNamespace:  # fmt: skip
    """Write the folder of a run whose 4_eval has made its tables; one question a passage, and one in eight without an answer.

    Returns:
        `folder, questions, chunks, answers, scores, top_k` (the one that the verdict speaks of).
    """
    rng = random.Random(seed)
    words = ["".join(rng.choice("bdfgklmnprst") + rng.choice("aeiou") for _ in range(rng.randint(1, 4))) for _ in range(4000)]
    chunks, questions = [], []
    for i in range(n_questions):
        name = f"{rng.choice(words).title()} {rng.choice(words).title()}{i}"
        fact = f"The harbour of {name} charges £{rng.randint(20, 900)}.{i % 10}0 a night."
        filler = " ".join(rng.choice(words) for _ in range(passage_words))
        text = f"{fact} {filler}." + (HOSTILE if hostile and i == 0 else "")
        source, split = f"doc{i // per_document}.md", ("train", "train", "test")[(i // per_document) % 3]
        chunks.append({"chunk_id": text_hash(text)[:16], "doc_id": source, "source": source, "title": "", "section": "Fees", "text": text, "split": split})
        asked = f"What does a night in the harbour of {name} cost?" + (HOSTILE if hostile and i == 0 else "")
        answer = fact.split("charges ")[1].split(" a night")[0]
        place = {"source": source, "split": split, "chunk_id": chunks[-1]["chunk_id"], "evidence": fact}
        if i % 8 == 7:
            questions.append({"id": f"q{i:04}", "question": f"Who built the harbour of {name}?", "answer": "", "answerable": False, "source": "",
                              "split": "", "chunk_id": "", "evidence": ""})  # fmt: skip
        else:
            questions.append({"id": f"q{i:04}", "question": asked, "answer": answer, "answerable": True, **place})
    keys = [chunk["chunk_id"] for chunk in chunks]
    rankings = {row["id"]: _ranking(row, keys, max(top_k), controls or contexts, rng) for row in questions}
    cases = build_cases(questions, chunks, rankings, top_k=top_k, width=3 if controls else 0, rng=rng)
    cases += build_contexts(questions, chunks, rankings, contexts=contexts, n_distractors=[2, 4], rng=rng)
    by_id, texts = {row["id"]: row for row in questions}, {chunk["chunk_id"]: chunk["text"] for chunk in chunks}
    answers = [row for system in systems for row in answer_cases(cases, _Said(system, cases, by_id, hostile, seed), Format(), system=system, max_tokens=64)]
    scores = [_score(row, by_id[row["question_id"]], texts) for row in answers]
    oracles = {row["id"]: {row["chunk_id"]} - {""} for row in questions}
    recall = recall_table(rankings, oracles, sorted(top_k))
    judged_pairs = _pairs(scores, rng) if pairs else []
    at = max(top_k)
    tables = {"summary": summarise(scores), "slices": summarise_slices(scores, at), "comparisons": compare(scores, at, random.Random(seed))}
    for name, table in tables.items():
        write_text(folder / f"eval/{name}.csv", table.to_csv(index=False))
    breakdown.write_tables(folder / "eval", breakdown.build_tables(scores, judged_pairs, recall, random.Random(seed)))
    for name, rows in (("dataset/eval", questions), ("dataset/chunks", chunks), ("eval/answers", answers), ("eval/scores", scores),
                       ("eval/differences", find_differences(scores, answers, questions)), ("eval/pairwise", judged_pairs)):  # fmt: skip
        write_jsonl(folder / f"{name}.jsonl", rows)
    write_json(folder / "run.json", manifest(folder.name, systems, top_k, seed))
    return SimpleNamespace(folder=folder, questions=questions, chunks=chunks, answers=answers, scores=scores, top_k=at)


def manifest(name: str, systems, top_k, seed: int = 1) -> dict:
    """A `run.json` as 4_eval finds it."""
    given = {"seed": seed, "systems": list(systems), "top_k": list(top_k), "retriever": "bm25", "judges": ["judge"], "max_reply_tokens": 64}
    return {
        "run": name, "created": "2026-01-01T00:00:00Z", "git": {"revision": "abc123", "dirty": False}, "python": "3.11",
        "packages": {"torch": "2.13.0"}, "stand_ins": [{"role": "judge", "what": "rules, no language model", "notebook": "4_eval"}],
        "parameters": {"1_gen": {"seed": seed}, "4_eval": given},
        "stages": {"4_eval": {
            "status": "running", "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:02:03Z", "warnings": {"judge": "the judge is the teacher"},
            "tokens": {"judge": {"requests": 9, "cached": 1, "prompt_tokens": 1234, "completion_tokens": 5}}, "cost_usd": {"judge": 1.5},
        }},
    }  # fmt: skip


def _ranking(row: dict, keys: list[str], widest: int, deep: bool, rng: random.Random) -> list[str]:
    """Chunks in a random order, the right one among the first for most questions; all of them only where controls need them."""
    others = rng.sample([key for key in keys if key != row["chunk_id"]], len(keys) - 1 if deep else min(widest, len(keys) - 1))
    if row["chunk_id"] and rng.random() < 0.9:
        others.insert(rng.randint(0, widest - 1), row["chunk_id"])
    return others


class _Said:
    """An asker that answers each case as a system of its skill would: from the passage, wrongly, or with a refusal."""

    def __init__(self, system: str, cases, questions: dict, hostile: bool, seed: int):
        self.cases, self.questions, self.hostile, self.rng = iter(cases), questions, hostile, random.Random(f"{seed}/{system}")
        self.system, self.role = system, SimpleNamespace(name=system, completion=False, price=(1.0, 2.0), model=system)

    def ask(self, requests, label="", then=None):
        return [self._reply(next(self.cases)) for _ in requests]

    def _reply(self, case) -> Reply:
        row, able = self.questions[case.question_id], self.rng.random() < SKILL.get(self.system, WORST_SKILL)
        quote = next((text.split(". ")[0] + "." for text in case.documents if row["evidence"] and row["evidence"][:24] in text), "")
        value = case.replacement or row["answer"]
        if not (quote if able else row["answerable"]):
            text = REFUSAL
        elif able:
            text = f"The passage on the harbour says: ##begin_quote##{quote}##end_quote## So that is the price of one night.\n<ANSWER>: {value}"
        else:
            text = f"As far as I can see the price is given there, in the fees.\n<ANSWER>: £{self.rng.randint(1000, 2000)}" + (HOSTILE if self.hostile else "")
        return Reply(text, "stop", 40 + len(" ".join(case.documents)) // 4, len(text) // 4, round(self.rng.uniform(0.1, 0.9), 3),
                     logprob=round(-self.rng.random() * (0.5 if able else 1.5), 4))  # fmt: skip


def _score(row: dict, question: dict, texts: dict) -> dict:
    right = bool(exact_match(row["answer"], question["answer"])) if question["answerable"] and not row["refused"] else None
    verdict = Verdict(False, "refused, though the question has an answer") if right is None and question["answerable"] else Verdict(right, "compared")
    oracles = {question["chunk_id"]} - {""}
    nothing = dict.fromkeys(("groundedness", "relevance", "coherence", "fluency", "similarity"))
    return score(row, question, verdict, oracles, texts) | {"judges": {}, "refused_by_judge": None, **nothing}


def _pairs(scores, rng: random.Random) -> list[dict]:
    asked = [r for r in scores if r["system"] == "student" and r["answerable"] and r["condition"] in ("closed_book", "rag")]
    return [
        {"first": "student", "second": "baseline", "condition": r["condition"], "top_k": r["top_k"], "question_id": r["question_id"],
         "forward": "A", "backward": "B", "outcome": rng.choice(["win", "win", "loss", "tie", "order"])}
        for r in asked
    ]  # fmt: skip
