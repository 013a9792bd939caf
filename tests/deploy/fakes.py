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
