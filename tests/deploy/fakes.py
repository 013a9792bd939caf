"""A ten-line server in vLLM's place, and as much of a run as `lib.deploy` looks at. Light: subprocesses of tests import it."""

from pathlib import Path
from types import SimpleNamespace

from lib.llm import Format
from lib.run import write_json, write_jsonl

FAKE = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"version": "fake-1"}'
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class FakeRun:
    """What `lib.deploy` asks of a Run."""

    def __init__(self, folder, **p):
        defaults = {
            "engine": "vllm",
            "student_model": str(folder / "base"),
            "top_k": [1, 2],
            "max_reply_tokens": 50,
            "keep_serving": False,
        }
        self.p, self.dir, self.notebook = SimpleNamespace(**defaults | p), folder, "3_deploy"
        self.stand_ins = []

    def stand_in(self, role, what):
        self.stand_ins.append((role, what))

    def path(self, name):
        (self.dir / name).parent.mkdir(parents=True, exist_ok=True)
        return self.dir / name

    def need(self, name):
        return self.dir / name


def write_run(folder: Path) -> None:
    """The files of a run that has been fine-tuned: a base, a model, chunks, the format."""
    for name in ("base", "model"):
        write_json(folder / name / "config.json", {"max_position_embeddings": 4096, "name": name})
    write_jsonl(folder / "dataset" / "chunks.jsonl", [{"n_tokens": n} for n in (10, 90, 40)])
    Format().save(folder / "dataset" / "format.json")


# Answers chat requests like vLLM, in pieces where asked to; sleeps argv[2] seconds first; counts a token a word. It quotes the
# first document's first sentence, or refuses where none is shown. With argv[3] it kills itself after so many replies.
ANSWERING = '''
import http.server, itertools, json, os, re, socketserver, sys, time
COUNT = itertools.count(1)
REFUSAL = "Sorry, I don't know the answer to this question because related documents are not found. Please try again."
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.say(200, {"version": "fake-1"})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/tokenize":
            return self.say(200, {"count": sum(len(m["content"].split()) for m in body["messages"])})
        time.sleep(float(sys.argv[2]))
        if len(sys.argv) > 3 and next(COUNT) > int(sys.argv[3]):
            os.kill(os.getpid(), 9)
        shown = re.search("<DOCUMENT>(.*?)[.]", body["messages"][-1]["content"], re.S)
        text = f"##begin_quote##{shown[1]}.##end_quote## <ANSWER>: {shown[1]}" if shown else f"<ANSWER>: {REFUSAL}"
        if not body.get("stream"):
            usage = {"prompt_tokens": 3, "completion_tokens": 4}
            return self.say(200, {"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": usage})
        self.send_response(200); self.send_header("Content-Type", "text/event-stream"); self.end_headers()
        for piece in re.findall("[ ]?[^ ]+", text):
            event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": piece}}]}
            self.wfile.write(f"data: {json.dumps(event)}\\n\\n".encode()); self.wfile.flush()
        self.wfile.write(b"data: [DONE]\\n\\n")
    def say(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status); self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
'''
