"""What `lib.llm`'s client costs: calls of a fixed latency, against the ideal n × latency / concurrency.

A server in a process of its own answers every chat request after exactly one second. `Asker.ask` sends `--calls` requests at each
concurrency, with its request store, its reply checks, its accounting and a budget (one that pays for all even if the endpoint counts
far more than is sent, so that no request has to wait for the first price); a plain AsyncOpenAI with neither goes first for comparison.
Calls come in whole waves: 3,000 of them in 6 waves of 512, 12 of 256 or 47 of 64, so that 0.977, 0.977 and 0.997 are the most there is.

    python benchmarks/client.py [--calls 3000] [--in-flight 64 256 512] [--repeat 3] [--no-plain]

Prints, for each concurrency: share of the ideal (median of the repeats), seconds, CPU milliseconds of the client for a call, and the
machine's load. On a machine with other work to do the share falls while the CPU time stays about the same: look at both.
"""

import argparse
import asyncio
import contextlib
import io
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

LATENCY_S = 1.0
TEXT = "The pier was opened in 1907 and rebuilt after the storm. " * 18  # about a thousand characters, a usual chunk
TARGETS = {64: 0.97, 256: 0.90, 512: 0.75}


class FixedLatency(asyncio.Protocol):
    """Just enough HTTP/1.1 to answer every request after LATENCY_S; its cost is a tenth of any client's."""

    text = "##begin_quote##The pier was opened in 1907##end_quote## so it is. " * 8
    usage = {"prompt_tokens": 300, "completion_tokens": 150, "total_tokens": 450}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    body = json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}).encode()
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def connection_made(self, transport) -> None:
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].lower()
            start = head.find(b"content-length:")
            whole = end + 4 + int(head[start + 15 :].split(b"\r\n", 1)[0])
            if len(self.received) < whole:
                return
            self.received = self.received[whole:]
            asyncio.get_running_loop().call_later(LATENCY_S, self.transport.write, self.reply)


def serve(port: "multiprocessing.Queue") -> None:
    """Run the server; puts its port into a queue."""

    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(FixedLatency, "127.0.0.1", 0, backlog=4096)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


class Run:
    """What `lib.run.Run` offers to an asker."""

    def __init__(self, folder: str):
        self.dir = Path(folder)

    def record(self, **facts) -> None:
        """Nothing is recorded."""


def ask_with_asker(url: str, n: int, in_flight: int) -> None:
    """The product's client, everything on."""
    from lib.llm import Asker, Request, Role
    from lib.llm.store import Store

    with tempfile.TemporaryDirectory() as folder:
        asker = Asker(
            Role("teacher", url, "m", price=(1.0, 1.0)), Run(folder), Store(Path(folder) / "requests.sqlite"),
            max_in_flight=in_flight, budget_usd=100.0,
        )  # fmt: skip
        requests = [Request(messages=({"role": "system", "content": TEXT}, {"role": "user", "content": f"{TEXT} {i}?"})) for i in range(n)]
        with contextlib.redirect_stdout(io.StringIO()):
            replies = asker.ask(requests)
        assert all(reply.finish_reason == "stop" and not reply.error and reply.text for reply in replies)
        asker.close()


def ask_plainly(url: str, n: int, in_flight: int) -> None:
    """AsyncOpenAI as its README shows it, keeping nothing."""
    import openai

    async def work() -> None:
        client, numbers = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0), iter(range(n))

        async def worker() -> None:
            for i in numbers:
                messages = [{"role": "system", "content": TEXT}, {"role": "user", "content": f"{TEXT} {i}?"}]
                await client.chat.completions.create(model="m", messages=messages, max_tokens=512, temperature=0.0)

        await asyncio.gather(*(worker() for _ in range(in_flight)))
        await client.close()

    asyncio.run(work())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--in-flight", type=int, nargs="+", default=list(TARGETS))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-plain", action="store_true")
    given = parser.parse_args()
    import lib.llm.wire  # noqa: F401 (a second of imports does not belong to the first measurement)

    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    server = context.Process(target=serve, args=(queue,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{queue.get(timeout=30)}/v1"
    print(f"{given.calls} calls of {LATENCY_S:g} s, {os.cpu_count()} cores, median of {given.repeat}")
    print("client     in flight   share of ideal   seconds   CPU ms a call   load")
    for in_flight in given.in_flight:
        for name, ask in (("plain", ask_plainly), ("asker", ask_with_asker)):
            if name == "plain" and given.no_plain:
                continue
            seconds, cpu = [], []
            for _ in range(given.repeat):
                start, cpu_start = time.monotonic(), time.process_time()
                ask(url, given.calls, in_flight)
                seconds.append(time.monotonic() - start)
                cpu.append((time.process_time() - cpu_start) / given.calls * 1000)
            share = given.calls * LATENCY_S / in_flight / statistics.median(seconds)
            target = f" (at least {TARGETS[in_flight]:.2f})" if name == "asker" and in_flight in TARGETS else ""
            row = f"{name:<10} {in_flight:>9}   {share:>14.3f}   {statistics.median(seconds):>7.2f}   {statistics.median(cpu):>13.2f}"
            print(f"{row}   {os.getloadavg()[0]:.1f}{target}", flush=True)
    server.terminate()


if __name__ == "__main__":
    main()
