"""From files to a searchable corpus: `.venv/bin/python benchmarks/chunking.py [--chars 5000000] [--chunker recursive] [--dense 200]`.

Makes its own text (invented sentences, a tenth of the paragraphs near-copies of earlier ones) as Markdown, text, HTML and CSV files,
then loads, chunks, removes near-duplicates and indexes with BM25, on two cores at most, and prints seconds (by the clock and of
the processor) and peak memory of every step, a line of JSON each. `--dense N` embeds N chunks with the offline embedder and prints its rate, and the seconds of the same
request from the store. `--questions N` retrieves for N and for 10 N questions and prints the peak memory of both.
Linux only (reads /proc).
"""

import argparse
import csv
import json
import os
import random
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
os.chdir(ROOT)
os.environ.setdefault("OMP_NUM_THREADS", "2")

NEAR_SHARE = 0.1  # of the paragraphs
SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo yu za bre cla dri fle gro plu ska tre".split()


def make_text(n_chars: int, rng: random.Random) -> list[str]:
    """Paragraphs of invented words, frequent and rare ones as in a language (Zipf), some with one word changed from before."""
    vocabulary = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(40_000)]
    weights = list(accumulate(1 / (rank + 10) for rank in range(len(vocabulary))))
    paragraphs: list[str] = []
    made = 0
    while made < n_chars:
        if paragraphs and rng.random() < NEAR_SHARE:
            found = rng.choice(paragraphs).split(" ")
            found[rng.randrange(len(found))] = rng.choice(vocabulary)
        else:
            found = []
            for _ in range(rng.randint(4, 9)):
                sentence = rng.choices(vocabulary, cum_weights=weights, k=rng.randint(8, 25))
                sentence[-1] = str(rng.randint(1, 9999)) + "."
                found += [sentence[0].capitalize(), *sentence[1:]]
        paragraphs.append(" ".join(found))
        made += len(paragraphs[-1]) + 2
    return paragraphs


def write_files(paragraphs: list[str], folder: Path) -> int:
    """One paragraph after the other into files of four kinds, about 20,000 characters each; returns how many."""
    number = 0
    for start in range(0, len(paragraphs), 24):
        body, number = paragraphs[start : start + 24], number + 1
        name = folder / f"{number:05}"
        if number % 4 == 0:
            parts = "".join(f"<h2>Part {i}</h2><p>{text}</p>" for i, text in enumerate(body))
            page = f"<!doctype html><html><body><main><h1>Page {number}</h1>{parts}</main></body></html>"
            name.with_suffix(".html").write_text(page, encoding="utf-8")
        elif number % 4 == 1:
            parts = "\n\n".join(f"## Part {i}\n{text}" for i, text in enumerate(body))
            name.with_suffix(".md").write_text(f"# Page {number}\n\n{parts}\n", encoding="utf-8")
        elif number % 4 == 2:
            with open(name.with_suffix(".csv"), "w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([["title", "text"], *([f"Row {i}", text] for i, text in enumerate(body))])
        else:
            name.with_suffix(".txt").write_text("\n\n".join(body), encoding="utf-8")
    return number


def status_mb(field: str) -> float:
    """A field of this process's memory, MB: VmHWM is the peak, VmRSS what is held now."""
    text = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith(field))


def reset_peak() -> None:
    """Let VmHWM start again from what is held now."""
    Path("/proc/self/clear_refs").write_text("5")


class Clock:
    """Prints one JSON line for every step, and keeps the sums."""

    def __init__(self):
        self.seconds, self.cpu_seconds, self.peak_mb = 0.0, 0.0, 0.0
        self._at, self._cpu_at = time.monotonic(), time.process_time()

    def step(self, name: str, counted: bool = True, **facts) -> None:
        """The step that ends now; one that is not counted leaves the sums alone."""
        seconds, cpu, peak = time.monotonic() - self._at, time.process_time() - self._cpu_at, status_mb("VmHWM")
        if counted:
            self.seconds, self.cpu_seconds = self.seconds + seconds, self.cpu_seconds + cpu
            self.peak_mb = max(self.peak_mb, peak)
        spent = {"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2), "peak_mb": round(peak)}
        print(json.dumps({"step": name, **spent, **facts}), flush=True)
        reset_peak()
        self._at, self._cpu_at = time.monotonic(), time.process_time()


def main() -> None:
    """Make files, measure every step, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--chars", type=int, default=5_000_000)
    parser.add_argument("--chunker", default="recursive", choices=["recursive", "tokens"])
    parser.add_argument("--chunk-chars", type=int, default=1000)
    parser.add_argument("--dense", type=int, default=0, help="chunks to embed")
    parser.add_argument("--questions", type=int, default=0, help="questions to retrieve for, and ten times as many")
    asked = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    paragraphs = make_text(asked.chars, random.Random(1))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "documents"
        folder.mkdir()
        n_files = write_files(paragraphs, folder)
        n_chars = sum(map(len, paragraphs))
        del paragraphs
        chunks = measure(folder, asked, n_files, n_chars)
        if asked.dense:
            measure_dense([chunk.text for chunk in chunks[: asked.dense]], Path(scratch))
    if asked.questions:
        measure_questions([chunk.text for chunk in chunks], asked.questions)


def measure(folder: Path, asked: argparse.Namespace, n_files: int, n_chars: int) -> list:
    """Load, chunk with near-duplicates dropped, and index."""
    from lib.gen.chunk import cut_chunks, token_counter
    from lib.gen.dedupe import group_near_duplicates
    from lib.gen.load import load_documents

    clock = Clock()
    loaded = load_documents(folder)
    clock.step("load", files=n_files, documents=len(loaded.documents), dropped=len(loaded.dropped), chars=n_chars)
    how = {"chunker": asked.chunker, "chunk_chars": asked.chunk_chars, "p_overlap": 0.1, "near_duplicates": "drop"}
    chunks, dropped = cut_chunks(loaded.documents, count_tokens=token_counter("data/student"), **how)
    clock.step("chunk and de-duplicate", chunks=len(chunks), dropped=len(dropped))
    texts = [chunk.text for chunk in chunks]
    index_lexically(texts)
    clock.step("index with BM25", chunks=len(texts))
    total = {
        "seconds": round(clock.seconds, 1),
        "cpu_seconds": round(clock.cpu_seconds, 1),
        "peak_mb": round(clock.peak_mb),
        "limits": "60 s, 1500 MB",
    }
    print(json.dumps({"step": "in all", **total}), flush=True)
    group_near_duplicates(texts)
    clock.step("of which near-duplicates, again", counted=False)
    return chunks


def index_lexically(texts: list[str]):
    """The index that 4_eval makes of these texts."""
    import bm25s

    from lib.llm.words import words

    index = bm25s.BM25()
    index.index([words(text) or [""] for text in texts], show_progress=False)
    return index


def measure_dense(texts: list[str], folder: Path) -> None:
    """The rate of the offline embedder, and the same from the request store."""
    from lib.llm import connect
    from lib.run import open_run
    from lib.run.params import read_parameters

    run = open_run("1_gen", {p.name: p.default for p in read_parameters(ROOT / "1_gen.ipynb")}, root=folder / "runs")
    embedder = connect("embedder", run)
    embedder.embed(texts[:1])  # loads the model
    for name in ("embed", "embed again, from the store"):
        start = time.monotonic()
        embedder.embed(texts)
        seconds = time.monotonic() - start
        facts = {"chunks": len(texts), "chunks_per_s": round(len(texts) / seconds, 1), "model": embedder.role.model}
        print(json.dumps({"step": name, "seconds": round(seconds, 2), **facts}), flush=True)
    embedder.close()


def measure_questions(texts: list[str], n: int) -> None:
    """Peak memory of retrieving ten passages for n and for 10 n questions, over what the index itself takes."""
    from lib.llm.words import words

    index, rng = index_lexically(texts), random.Random(2)
    for count in (n, 10 * n):
        reset_peak()
        before, start = status_mb("VmRSS"), time.monotonic()
        for _ in range(count):
            index.get_scores(rng.choices(words(rng.choice(texts)), k=8)).argpartition(-10)[-10:]
        facts = {"questions": count, "chunks": len(texts), "seconds": round(time.monotonic() - start, 2)}
        print(json.dumps({"step": "retrieve", **facts, "peak_over_mb": round(status_mb("VmHWM") - before)}), flush=True)


if __name__ == "__main__":
    main()
