"""A teacher over HTTP that fails in every way that real ones do, and counts what it answered; and a generation that asks it."""

import hashlib
import json
import random
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

from lib.gen import chunk, formats, funnel, mix, prompt, split
from lib.gen.load import load_documents
from lib.gen.pairs import generate_pairs
from lib.gen.quota import Ask
from lib.llm import Asker, Role
from lib.llm.store import Store
from lib.run import write_jsonl, write_text

TIMEOUT_S = 2.0
RATES = {"429": 0.05, "500": 0.02, "silence": 0.01, "garbled": 0.01}  # of attempts
SPOILT = {"malformed": 0.01, "cut": 0.02}  # of requests, whenever they are asked


class FaultyTeacher:
    """Answers like `rules`, `latency_s` after it was asked, except where a fault is due.

    What is wrong with a connection is drawn for each attempt; what is wrong with a text depends on the request alone, as with a model
    at temperature 0.

    Attributes:
        answered: By request, when a whole reply was sent: seconds of the monotonic clock.
        faults: How often which fault was dealt out.
    """

    def __init__(self, rules, latency_s=0.02, seed=0, faulty=True):
        self.rules, self.latency_s, self.faulty = rules, latency_s, faulty
        self.rng, self.lock = random.Random(seed), threading.Lock()
        self.answered, self.faults, self.asked = {}, Counter(), 0
        teacher = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                teacher.serve(self, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients are killed here
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def serve(self, handler, body):
        key = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        with self.lock:
            self.asked += 1
            fault = self._draw(RATES, self.rng.random()) if self.faulty else ""
        time.sleep(self.latency_s)
        spoilt = self._draw(SPOILT, int(key[:8], 16) / 2**32) if self.faulty else ""
        with self.lock:
            self.faults[fault or spoilt] += 1
        if fault == "silence":
            time.sleep(TIMEOUT_S * 2)
            handler.close_connection = True
            return
        if fault in ("429", "500"):
            self.send(handler, json.dumps({"error": {"message": fault}}).encode(), int(fault))
            return
        request = SimpleNamespace(messages=body["messages"], response_format=body.get("response_format"))
        text, reason = self.rules(request), "stop"
        if spoilt == "malformed":
            text = "Sure! { not json at all"
        if spoilt == "cut":
            text, reason = text[: len(text) // 2], "length"
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": reason}
        data = json.dumps({"choices": [choice], "usage": {"prompt_tokens": 100, "completion_tokens": 20}}).encode()
        if fault == "garbled":
            self.send(handler, data[: len(data) // 2])
            return
        self.send(handler, data)
        with self.lock:
            self.answered.setdefault(key, []).append(time.monotonic())

    @staticmethod
    def send(handler, data, status=200):
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        if status == 429:
            handler.send_header("Retry-After", "0.05")
        handler.end_headers()
        handler.wfile.write(data)
        handler.wfile.flush()

    @staticmethod
    def _draw(rates, x):
        for name, rate in rates.items():
            if x < rate:
                return name
            x -= rate
        return ""


class Run:
    """What `lib.run.Run` offers to an asker."""

    def __init__(self, folder):
        self.dir = Path(folder)

    def record(self, **facts):
        """Nothing is recorded."""


def generate(url, folder, in_flight, documents):
    """Documents to rows with the teacher at `url`; files in `folder`. Returns the asker's usage, the funnel and the examples."""
    folder = Path(folder)
    role = Role("teacher", url, "faulty", identity="faulty-1", timeout_s=TIMEOUT_S)
    teacher = Asker(role, Run(folder), Store(folder / "requests.sqlite"), max_in_flight=in_flight)
    loaded = load_documents(documents)
    chunks, dropped = chunk.cut_chunks(
        loaded.documents, chunker="recursive", chunk_chars=300, p_overlap=0.1, count_tokens=len
    )
    chunks, _ = split.assign_splits(chunks, p_valid=0.1, p_test=0.0, rng=random.Random(1))
    made = generate_pairs([Ask(c, 3) for c in chunks], teacher)
    asked, kept = made.questions, made.answers
    shares = {"n_distractors": 2, "p_oracle": 0.8, "p_refusal": 0.1, "p_hard": 0.5}
    examples = mix.build_examples(kept, chunks, rng=random.Random(1), **shares)
    drops = [*loaded.dropped, *dropped, *made.dropped]
    counts = {"documents": len(loaded.documents), "chunks": len(chunks), "asked": len(chunks), "questions": len(asked)}
    steps = funnel.build_funnel(**counts, answers=len(kept), drops=drops)
    form = formats.build_format("chat", prompt.system_prompt("default"))
    write_jsonl(folder / "raft.jsonl", [formats.raft_row(example) for example in examples])
    write_jsonl(folder / "train.jsonl", formats.training_rows(examples, "train", form))
    write_jsonl(folder / "rejected.jsonl", formats.rejected_rows(drops))
    write_text(folder / "done", "done")
    teacher.close()
    return SimpleNamespace(usage=teacher.usage, steps=steps, examples=examples, drops=drops, kept=kept)


def files(folder):
    """The bytes of everything that generation wrote."""
    return {name: (Path(folder) / name).read_bytes() for name in ("raft.jsonl", "train.jsonl", "rejected.jsonl")}

