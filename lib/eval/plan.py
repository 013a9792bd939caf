"""What 4_eval would ask and how long it may take: `python -m lib.eval.plan PARAMS.json` prints it as JSON. Asks nothing, spends nothing."""

import json
import sys
from pathlib import Path

from lib.eval.retrieve import RETRIEVERS
from lib.run import BadInput

N_CONTROLS = 2  # no_oracle and replaced
CHARS_PER_TOKEN = 4
REPLY_TOKENS, JUDGE_TOKENS = 120, (420, 60)  # a usual RAFT answer; a verdict's prompt and reply
SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")


def plan(p: dict) -> list[dict]:
    """The plan's lines.

    Args:
        p: Parameters by name.

    Returns:
        Rows `item, value, unit, note`; counts are upper bounds, since refusals, empty replies and known replies cost no call.

    Raises:
        BadInput: A parameter that cannot work.
    """
    check(p)
    n, note = _count_questions(p)
    systems, widths = list(p.get("systems") or ["student", "baseline"]), sorted(set(p["top_k"]))
    controls = N_CONTROLS if p.get("controls", True) else 0
    chunk_tokens = p.get("chunk_chars", 1000) / CHARS_PER_TOKEN
    shown = sum(widths) + controls * (p.get("n_distractors", 4) + 1)
    answers = n * len(systems) * (1 + len(widths) + controls)
    verdicts = n * len(systems) * (1 + len(widths) + min(controls, 1))
    judge = verdicts * sum(JUDGE_TOKENS)
    asked = int(n * len(systems) * (shown * chunk_tokens + (1 + len(widths) + controls) * (40 + REPLY_TOKENS)))
    return [
        {"item": "questions", "value": n, "unit": "", "note": note},
        {
            "item": "answers asked",
            "value": answers,
            "unit": "calls",
            "note": f"{', '.join(systems)}: closed book, top-k {', '.join(map(str, widths))}"
            + (", two controls" if controls else ""),
        },
        {"item": "answer tokens", "value": asked, "unit": "tokens", "note": "prompts and replies of all systems"},
        {
            "item": "verdicts asked",
            "value": verdicts,
            "unit": "calls",
            "note": "at most: a refusal, or no answer, needs none",
        },
        {"item": "judge tokens", "value": judge, "unit": "tokens", "note": "prompts and replies"},
    ]


def check(p: dict) -> None:
    """Raise BadInput for a parameter that cannot work, before anything is spent."""
    if p.get("retriever", "hybrid") not in RETRIEVERS:
        raise BadInput(f"retriever: expected one of {', '.join(RETRIEVERS)}; found {p['retriever']!r}")
    widths = p.get("top_k")
    if not widths or any(type(k) is not int or k < 1 for k in widths):
        raise BadInput(
            f"top_k: expected a list of whole numbers from 1 on, such as [3, 5, 7]; found {widths!r} (closed book is always asked)"
        )
    systems = p.get("systems", ["student", "baseline"])
    if not systems or len(set(systems)) != len(systems):
        raise BadInput(f"systems: expected different names, such as ['student', 'baseline']; found {systems!r}")
    if p.get("max_reply_tokens", 512) < 1:
        raise BadInput(f"max_reply_tokens: expected at least 1; found {p['max_reply_tokens']}")


def _count_questions(p: dict) -> tuple[int, str]:
    given = Path(p["eval_set"]) if p.get("eval_set") else None
    beside = [Path(p.get("documents", "data/documents")).parent / f"eval_set{suffix}" for suffix in SUFFIXES]
    path = given or next((path for path in beside if path.is_file()), None)
    if path is None:
        documents = Path(p.get("documents", "data/documents"))
        chars = sum(f.stat().st_size for f in documents.rglob("*") if f.is_file()) if documents.exists() else 0
        n = int(chars / p.get("chunk_chars", 1000) * p.get("questions_per_chunk", 5) * p.get("p_test", 0.1))
        return max(n, 1), "a guess: no eval set is given, so generated questions of held-out documents are asked"
    if not path.is_file():
        raise BadInput(f"eval_set: expected a file, found {str(path)!r}")
    text = path.read_text(encoding="utf-8", errors="replace") if path.suffix != ".parquet" else ""
    if path.suffix == ".jsonl":
        return sum(bool(line.strip()) for line in text.splitlines()), str(path)
    if path.suffix == ".json":
        return len(json.loads(text)), str(path)
    import pandas as pd

    return len(pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)), str(path)


if __name__ == "__main__":
    try:
        print(json.dumps(plan(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), ensure_ascii=False))
    except BadInput as error:
        sys.exit(f"{error}")
