"""A loopback HTTP server for protocol fakes: routes to `answer(method, path, query, headers, body)`, with planned faults."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Fault:
    """What happens instead of (`after=False`) or after doing what a matching request asks: a status, or 0 for a lost connection."""

    method: str
    path: str
    status: int
    times: int = 1
    after: bool = False
    body: dict = field(default_factory=lambda: {"error": {"message": "planned"}})
    headers: dict = field(default_factory=dict)


class FakeServer:
    """Base of the fakes: `with Fake() as fake:` serves on `fake.url`; `fake.requests` holds what was asked; `fake.faults` what fails."""

    def __init__(self):
        self.requests, self.faults = [], []
        self.lock = threading.Lock()

    def __enter__(self):
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def handle_one(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
                    body = read_chunks(self.rfile)
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                with fake.lock:
                    fake.requests.append((self.command, parts.path))
                    fault = fake.planned(self.command, parts.path)
                    reply = None if fault and not fault.after else fake.answer(self.command, parts.path, query, self.headers, body)
                if fault and fault.status == 0:
                    self.close_connection = True
                    return
                status, answer, headers = (fault.status, fault.body, fault.headers) if fault else reply
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815 (the names that the server looks for)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def planned(self, method, path):
        for fault in self.faults:
            if fault.times > 0 and fault.method == method and fault.path in path:
                fault.times -= 1
                return fault
        return None

    def answer(self, method, path, query, headers, body):
        raise NotImplementedError

    def asked(self, method, path):
        """How many requests of this method had `path` in their path."""
        return sum(m == method and path in p for m, p in self.requests)


def read_chunks(file):
    parts = []
    while size := int(file.readline().split(b";")[0], 16):
        parts.append(file.read(size))
        file.readline()
    file.readline()
    return b"".join(parts)


def read_form(headers, body):
    """Fields of a multipart body: name → (file name or None, bytes)."""
    boundary = headers["Content-Type"].split("boundary=")[1].strip('"').encode()
    fields = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, data = part.strip(b"\r\n").partition(b"\r\n\r\n")
        marks = dict(m.strip().split("=", 1) for m in head.decode().split("\r\n")[0].split(";")[1:])
        fields[marks["name"].strip('"')] = (marks.get("filename", "").strip('"') or None, data)
    return fields
