"""Memory and time of the RAFT mix over 100,000 chunks, for two numbers of questions; every distractor retrieved.

Hard distractors are retrieved one question at a time, so that no table of questions by chunks is ever held: the peak is that of
the corpus and its index. What grows with the questions are the questions themselves: a few pointers for each row.

    .venv/bin/python benchmarks/mix_memory.py                         # 100,000 chunks; 250 and 1,000 questions
    .venv/bin/python benchmarks/mix_memory.py --chunks 20000 --questions 100 400

Prints for each number of questions: seconds of the mix, the process's peak memory, bytes of the rows written, and what a table of
questions by chunks in float32 would add; then the ratio of the peaks. Each number runs in a process of its own.
"""

import argparse
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]


def measure(n_chunks: int, n_questions: int) -> dict:
    """Mix and write `n_questions` questions over `n_chunks` chunks of about 600 characters, and measure this process."""
    from lib.gen.formats import build_format, write_examples
    from lib.gen.mix import build_examples
    from lib.gen.records import Answer, Chunk, Question, content_id

    rng = random.Random(1)
    words = ["".join(rng.choices(SYLLABLES, k=3)) for _ in range(30_000)]
    chunks, answers = [], []
    for i in range(n_chunks):
        fact = f"The {words[rng.randrange(30_000)]} of {words[rng.randrange(30_000)]} was built in {100_000 + i}."
        text = f"{fact} {' '.join(rng.choices(words, k=85))}."
        key = content_id(str(i))
        chunks.append(Chunk(key, key, f"{i}.md", "", None, "", text, len(text), len(text) // 4, "train", key))
        if i < n_questions:
            asked = Question(key, key, f"When was {fact.split(' was ')[0]} built?", "none", "0")
            answers.append(Answer(asked, f"##begin_quote##{fact}##end_quote##\n<ANSWER>: {100_000 + i}", str(100_000 + i), (fact,)))
    before = time.perf_counter()
    shares = {"n_distractors": 4, "p_oracle": 0.8, "p_refusal": 0.05, "p_hard": 1.0}
    examples = build_examples(answers, chunks, rng=rng, **shares)
    with tempfile.TemporaryDirectory() as folder:
        write_examples(Path(folder), examples, build_format("chat", ""), ["jsonl"])
        n_bytes = sum(path.stat().st_size for path in Path(folder).iterdir())
    seconds = time.perf_counter() - before
    return {
        "questions": n_questions, "rows": len(examples), "seconds": round(seconds, 1), "written_mb": round(n_bytes / 1e6, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), "table_mb": round(4e-6 * n_chunks * n_questions),
    }  # fmt: skip


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--questions", type=int, nargs="+", default=[250, 1000])
    p = parser.parse_args()
    found = []
    for n_questions in p.questions:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found.append(pool.apply(measure, (p.chunks, n_questions)))
        print(json.dumps(found[-1]), flush=True)
    first, last = found[0], found[-1]
    print(
        f"{last['questions'] / first['questions']:.0f} times the questions over {p.chunks:,} chunks: "
        f"{last['peak_mb'] / first['peak_mb']:.3f} times the peak memory"
    )


if __name__ == "__main__":
    main()
