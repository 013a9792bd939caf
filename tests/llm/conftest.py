"""A run that only remembers, a role that points at a scripted server, and the offline endpoint in this process."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from lib.llm.offline.server import make_server
from lib.llm.roles import Role

from .helpers import serving


class Run:
    """What `lib.run.Run` offers to `lib.llm`."""

    def __init__(self, folder):
        self.dir, self.recorded, self.stand_ins = folder, [], []

    def path(self, name):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def record(self, **facts):
        self.recorded.append(facts)

    def stand_in(self, role, what):
        self.stand_ins.append((role, what))


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run")


@pytest.fixture(autouse=True)
def no_env_file(monkeypatch, tmp_path):
    """The developer's own .env is not read."""
    monkeypatch.setattr("lib.llm.roles.ENV_FILE", str(tmp_path / "no.env"))


@pytest.fixture
def scripted():
    """A server that answers with `script(number, body, headers) -> (status, headers, body)`; gives its Role and what it saw."""
    servers = contextlib.ExitStack()

    def start(script, **role):
        seen, lock = [], threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    number = len(seen)
                    seen.append((self.path, body, dict(self.headers)))
                self._answer(*script(number, body, self.headers))

            def do_GET(self):
                self._answer(*script(0, None, self.headers))

            def _answer(self, status, headers, value):
                data = json.dumps(value).encode()
                self.send_response(status)
                for name, text in {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(data)),
                    **headers,
                }.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(data)

        url = servers.enter_context(serving(Handler))
        return Role(**{"name": "teacher", "base_url": url, "model": "m", "identity": "m-1", **role}), seen

    with servers:
        yield start


@pytest.fixture(scope="session")
def offline_url():
    server = make_server(0)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()
