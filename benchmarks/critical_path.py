"""How long questions and answers of a small corpus take, in latencies of the endpoint.

Serves an endpoint on loopback that replies after a fixed latency, and lets 1_gen's own code ask it for questions and answers of a few
chunks, none of which has to wait for a free place. The ideal is two latencies: one for the questions, one for the answers. With
`--straggler`, one reply takes that many latencies; where answers of other chunks waited for it, it would cost one latency more.

Run:    .venv/bin/python benchmarks/critical_path.py [--latency 0.5] [--chunks 20] [--questions 5] [--straggler 3] [--runs 5]
Prints: seconds, latencies, processor seconds (server and client are one process) and the ratio to the ideal of every run, their
medians, and the machine's load: what a run takes beyond the ideal is work, and on a busy machine waiting for its turn to work.
"""

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[1]))

from lib.gen.pairs import generate_pairs
from lib.gen.quota import plan_asks
from lib.gen.records import Chunk, content_id
from lib.llm import Asker, Role
from lib.llm.store import Store


def reply_to(body: dict) -> str:
    """Questions about the sentences of a passage, or an answer that passes."""
    passage, task = re.search(r"<DOCUMENT>(.*?)</DOCUMENT>\n(.*)", body["messages"][1]["content"], re.DOTALL).groups()
    if "response_format" in body:
        return json.dumps({"questions": [f"What holds for {s}?" for s in passage.rstrip(".").split(". ")]})
    said = task.removeprefix("What holds for ").removesuffix("?")
    return f"The documents say: ##begin_quote##{said}##end_quote##\n<ANSWER>: {' '.join(said.split()[-2:])}"


async def serve(latency_s: float, straggler: float, ready) -> None:
    """HTTP/1.1 with kept connections; the first question request of a run is the straggler."""

    async def handle(reader, writer) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            size = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
            body = json.loads(await reader.readexactly(size))
            is_slow = "response_format" in body and "Chapter 0 " in body["messages"][1]["content"]
            await asyncio.sleep(latency_s * (straggler if is_slow else 1))
            message = {"role": "assistant", "content": reply_to(body)}
            data = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
            await writer.drain()

    async def quietly(reader, writer) -> None:
        try:
            await handle(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0, limit=1 << 20)
    ready(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def make_chunks(n: int, n_sentences: int) -> list[Chunk]:
    """Chunks whose sentences are all different."""
    chunks = []
    for i in range(n):
        text = " ".join(f"Chapter {i} says that lamp {i * 100 + j} burns oil {i * 100 + j}." for j in range(n_sentences))
        name = content_id(text)
        chunks.append(Chunk(name, name, f"{i}.txt", "", None, "", text, len(text), len(text) // 4, "train", name))
    return chunks


class Run:
    """What an asker needs of a run: a name, and somewhere to note what was used."""

    p = SimpleNamespace(run="benchmark")

    def record(self, **facts) -> None:
        """Forget it."""


def describe(seconds: float, worked: float, latency: float, ideal: float) -> str:
    """One measurement in words."""
    return f"{seconds:.2f} s = {seconds / latency:.2f} latencies, {worked:.2f} s of them work, {seconds / ideal:.2f} times the ideal"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.5, help="of every reply, seconds")
    parser.add_argument("--chunks", type=int, default=20)
    parser.add_argument("--questions", type=int, default=5, help="for each chunk")
    parser.add_argument("--straggler", type=float, default=1.0, help="latencies that one question reply takes")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    found: list[int] = []
    started = threading.Event()
    work = serve(options.latency, options.straggler, lambda port: (found.append(port), started.set()))
    threading.Thread(target=asyncio.run, args=(work,), daemon=True).start()
    started.wait()
    chunks = make_chunks(options.chunks, options.questions)
    asks = plan_asks(chunks, questions_per_chunk=options.questions, rng=random.Random(1))
    ideal = max(2.0, options.straggler + 1) * options.latency
    taken, worked = [], []
    for number in range(options.runs):
        with tempfile.TemporaryDirectory() as folder:
            run = Run()
            role = Role("teacher", f"http://127.0.0.1:{found[0]}/v1", "fixed-latency")
            asker = Asker(role, run, Store(Path(folder) / "requests.sqlite"), max_in_flight=512)
            asker.ask([])
            start, work_start = time.perf_counter(), time.process_time()
            made = generate_pairs(asks, asker)
            taken.append(time.perf_counter() - start)
            worked.append(time.process_time() - work_start)
            asker.close()
        n = len(made.answers)
        print(f"run {number + 1}: {n} answers, {describe(taken[-1], worked[-1], options.latency, ideal)}", flush=True)
    median = describe(statistics.median(taken), statistics.median(worked), options.latency, ideal)
    print(f"median: {median}; ideal {ideal:.2f} s; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
