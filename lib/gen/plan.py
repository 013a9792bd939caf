"""What 1_gen would do with these parameters, without spending anything: `python -m lib.gen.plan PARAMS.json`.

Documents are read and cut; calls and tokens of the teacher are estimated from the chunks.
"""

import json
import random
import sys
from pathlib import Path

from lib.gen.chunk import cut_chunks, token_counter
from lib.gen.evalset import find_eval_set, read_eval_set
from lib.gen.formats import build_format
from lib.gen.load import load_documents
from lib.gen.mix import check_corpus, share
from lib.gen.prompt import read_prompt, system_prompt
from lib.gen.split import assign_splits
from lib.run import BadInput

QUESTION_TOKENS = 30  # of a written question, in the reply
ANSWER_TOKENS = 120  # reasoning, quote and answer


def plan(p: dict) -> list[dict]:
    """Predict the stage.

    Args:
        p: Parameters of 1_gen by name.

    Returns:
        Rows of item, value, unit and note.

    Raises:
        BadInput: What the notebook would refuse.
    """
    check_parameters(p)
    form = build_format(p["dataset_format"], system_prompt(p["system_prompt"]))
    eval_path = find_eval_set(p["eval_set"], p["documents"])
    n_eval = len(read_eval_set(eval_path)) if eval_path else None
    loaded = load_documents(p["documents"])
    count = token_counter(p["student_model"])
    chunks, _ = cut_chunks(
        loaded.documents,
        chunker=p["chunker"],
        chunk_chars=p["chunk_chars"],
        p_overlap=p["p_overlap"],
        count_tokens=count,
    )
    chunks, split_by = assign_splits(chunks, p_valid=p["p_valid"], p_test=p["p_test"], rng=random.Random(p["seed"]))
    shares = {name: p[name] for name in ("n_distractors", "p_oracle", "p_refusal", "p_hard")}
    check_corpus(chunks, **shares)
    asked = [chunk for chunk in chunks if chunk.split != "test" or not eval_path]
    n_questions = p["questions_per_chunk"] * len(asked)
    n_trained = p["questions_per_chunk"] * sum(chunk.split != "test" for chunk in chunks)
    chars = sum(chunk.n_chars for chunk in asked)
    head, answer_head = len(read_prompt("questions")) // 4, len(read_prompt("answer")) // 4
    prompt_tokens = (
        chars // 4 * (1 + p["questions_per_chunk"]) + head * len(asked) + (answer_head + QUESTION_TOKENS) * n_questions
    )
    reply_tokens = n_questions * (QUESTION_TOKENS + ANSWER_TOKENS)
    longest = (
        (p["n_distractors"] + 1) * max(chunk.n_tokens for chunk in chunks)
        + count(form.system_prompt)
        + QUESTION_TOKENS
        + ANSWER_TOKENS
    )

    def row(item: str, value: object, unit: str, note: str = "") -> dict:
        return {"item": item, "value": value, "unit": unit, "note": note}

    unread = (
        f"{len(loaded.dropped)} could not be read: {loaded.dropped[0].source} ({loaded.dropped[0].reason})"
        if loaded.dropped
        else ""
    )
    return [
        row("documents", len(loaded.documents), "documents", unread),
        row("chunks", len(chunks), "chunks", f"at most {p['chunk_chars']} characters; split by {split_by}"),
        row("teacher calls", len(asked) + n_questions, "calls", "at most, repairs aside: a question request a chunk, an answer request a question"),
        row("teacher prompt tokens", prompt_tokens, "tokens", "estimate: four characters a token"),
        row("teacher reply tokens", reply_tokens, "tokens", f"estimate: {QUESTION_TOKENS + ANSWER_TOKENS} a question"),
        row("training and validation rows", n_trained + share(p["p_refusal"], n_trained), "rows", "at most: every question written, answered and kept"),
        row("longest row", longest, "tokens a row", "estimate: the longest chunk in every place"),
        row("eval questions", n_eval if n_eval is not None else "about " + str(n_questions - n_trained), "questions", str(eval_path or "held-out generated questions")),
    ]  # fmt: skip


def input_paths(p: dict) -> list[Path]:
    """The user's files that decide the dataset: documents, eval set, a system prompt of their own, the student's tokenizer."""
    tokenizer, prompt = Path(p["student_model"]) / "tokenizer.json", Path(p["system_prompt"])
    eval_path = find_eval_set(p["eval_set"], p["documents"])
    found = [
        Path(p["documents"]),
        *([eval_path] if eval_path else []),
        *(f for f in (tokenizer, prompt) if f.is_file()),
    ]
    return [path for path in found if path.exists()]


def check_parameters(p: dict) -> None:
    """Refuse, before anything is read or spent, what cannot work.

    Raises:
        BadInput: Names the parameter, what was expected and what came.
    """
    if p["recipe"] != "raft":
        raise BadInput(f"recipe: expected 'raft', found {p['recipe']!r}")
    if p["questions_per_chunk"] < 1:
        raise BadInput(f"questions_per_chunk: expected 1 or more, found {p['questions_per_chunk']}")
    build_format(p["dataset_format"], system_prompt(p["system_prompt"]))
    if not find_eval_set(p["eval_set"], p["documents"]) and not p["p_test"]:
        raise BadInput(
            "p_test: expected more than 0 where no eval set is given: the eval set is made of held-out questions"
        )


if __name__ == "__main__":
    print(json.dumps(plan(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), ensure_ascii=False, indent=2))
