"""What share of the ideal throughput the evaluation reaches: questions × systems × judge against endpoints of a fixed latency.

    python benchmarks/evaluation.py [--questions 1000] [--systems 4] [--latency 1.0] [--in-flight 64]

Each system and the judge is an endpoint of its own on loopback that answers every request after exactly the latency; all of them
share one server process. Every system is asked all questions, every answer is judged, and the judge starts while answers come
in. The ideal is what the latency alone allows: the first answers come after one latency, and the judge, who has the most to
do, then needs ceil(verdicts / in-flight) more. Prints both ideals (with and without overlap), the time taken, the share of the
ideal, requests a second, CPU time of a request (client, prompts, request store, scores: all but the server), and the load of the
machine before and after: the share counts only on an idle machine, the CPU time on any.
"""

import argparse
import asyncio
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

VERDICT = '{"reason": "compared", "verdict": "YES"}'


async def serve(latency_s: float) -> None:
    """A server for all roles: one HTTP/1.1 reply to each POST, `latency_s` after it came in; prints its port."""

    def body(request: bytes) -> bytes:
        # Each system says something else, or the judge would be asked once for all of them.
        text = VERDICT if b'"json_schema"' in request else f"<ANSWER>: 42, says {json.loads(request)['model']}"
        usage = {"prompt_tokens": 100, "completion_tokens": 10}
        return json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": usage}).encode()

    async def connected(reader, writer) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
                request = await reader.readexactly(int(fields.get(b"content-length", b"0")))
                await asyncio.sleep(latency_s)
                reply = body(request)
                start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(reply)
                writer.write(start + reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def evaluate(n_questions: int, n_systems: int, in_flight: int, url: str, folder: Path) -> tuple[int, float, float]:
    """Answers counted, and the seconds and CPU seconds from the first request to the last score."""
    from lib.eval.answer import ask_systems
    from lib.eval.conditions import CLOSED_BOOK, Case
    from lib.eval.judge import Ahead
    from lib.eval.score import score_rows
    from lib.llm import Format, Role, connect

    class Run:
        """What `connect` needs of an open run."""

        p, dir, notebook = SimpleNamespace(run="bench"), folder, "4_eval"

        def path(self, name: str) -> Path:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            return folder / name

        def record(self, **_) -> None:
            """Nothing is kept."""

    run = Run()
    questions = [
        {"id": str(i), "question": f"What is {i}?", "answer": "42", "answerable": True, "source": f"{i % 50}"}
        for i in range(n_questions)
    ]
    cases = [Case(CLOSED_BOOK, 0, row["id"], row["question"]) for row in questions]
    askers = {
        name: connect(Role(name, url, name), run, max_in_flight=in_flight) for name in (f"system{i}" for i in range(n_systems))
    }
    judging = connect(Role("judge", url, "judge"), run, max_in_flight=in_flight)
    score_rows([], questions, [], judging)  # imports are not the endpoint's time
    start, used = time.monotonic(), time.process_time()
    with Ahead(judging, {row["id"]: row for row in questions}) as ahead:
        answers = ask_systems(cases, askers, Format(), max_tokens=64, ahead=ahead)
    scores = score_rows(answers, questions, [], judging)
    seconds, used = time.monotonic() - start, time.process_time() - used
    assert len(scores) == n_questions * n_systems and all(row["judge"] is True for row in scores)
    return len(scores), seconds, used


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("questions", 1000), ("systems", 4), ("in-flight", 64)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.latency))
        return
    command = [sys.executable, __file__, "--serve", "--latency", str(given.latency)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        url, before = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1", os.getloadavg()[0]
        with tempfile.TemporaryDirectory() as folder:
            n, seconds, used = evaluate(given.questions, given.systems, given.in_flight, url, Path(folder))
    finally:
        server.terminate()
        server.wait()
    judging = math.ceil(n / given.in_flight) * given.latency
    ideal, apart = given.latency + judging, math.ceil(given.questions / given.in_flight) * given.latency + judging
    print(f"{given.questions} questions × {given.systems} systems, judged: {2 * n} requests, {given.latency:g} s each, {given.in_flight} in flight")
    print(f"ideal                 {ideal:7.1f} s   ({apart:.1f} s if the judge waited for all answers)")
    print(f"taken                 {seconds:7.1f} s   {2 * n / seconds:.0f} requests a second, {500 * used / n:.2f} ms of CPU each")
    print(f"share of the ideal    {ideal / seconds:7.2f}     load of the machine {before:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
