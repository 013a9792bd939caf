"""Pushing to a hub that is a server on this machine: what it is sent, and what it is never sent."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lib.gen.push import check_push, push_dataset
from lib.run import BadInput

TOKEN = "hf_" + "canary" * 5


class Hub(BaseHTTPRequestHandler):
    """Enough of a hub's HTTP: make a repository, take one commit."""

    def do_POST(self):
        home = f"http://127.0.0.1:{self.server.server_port}/datasets/me/facts"
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length)) if length else self._chunked()
        self.server.seen.append((self.path, self.headers.get("Authorization"), body))
        if self.server.refuses and self.server.refuses in self.path:
            return self._say({"error": f"token {TOKEN} may not"}, 403)
        if self.path.endswith("/api/repos/create"):
            return self._say({"url": home, "id": "me/facts", "name": "me/facts"})
        if "/preupload/" in self.path:
            files = [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in json.loads(body)["files"]]
            return self._say({"files": files})
        if "/commit/" in self.path:
            return self._say({"commitUrl": f"{home}/commit/abc", "commitOid": "abc", "pullRequestUrl": None})
        return self._say({"errors": [], "warnings": []})

    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("Authorization"), b""))
        return self._say({"id": "me/facts", "private": True, "sha": "0" * 40, "siblings": [], "tags": [], "xetEnabled": False})

    def _chunked(self):
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _say(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.seen, server.refuses = [], ""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # What the client reads from HF_ENDPOINT when it is imported.
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def dataset(tmp_path):
    for name in ("README.md", "train.jsonl", "train.parquet", "notes.txt", "requests.sqlite", ".env"):
        (tmp_path / name).write_text(f"content of {name}", encoding="utf-8")
    return tmp_path


ENV = {"HF_TOKEN": TOKEN}


@pytest.mark.parametrize("private", [True, False])
def test_the_datasets_files_and_no_other_go_to_a_repository_private_unless_told_otherwise(hub, dataset, private):
    said = push_dataset(dataset, "me/facts", private=private, env=ENV)
    assert said.endswith("/commit/abc")
    made = json.loads(next(body for path, _, body in hub.seen if path.endswith("/repos/create")))
    assert (made["type"], made["visibility"]) == ("dataset", "private" if private else "public")
    commit = next(body for path, _, body in hub.seen if "/commit/" in path)
    sent = [json.loads(line)["value"]["path"] for line in commit.splitlines() if json.loads(line)["key"] == "file"]
    assert sorted(sent) == ["README.md", "train.jsonl", "train.parquet"]
    assert {key for path, key, _ in hub.seen if path.startswith("/api/datasets") or "create" in path} == {f"Bearer {TOKEN}"}
    assert not any(TOKEN.encode() in body for _, _, body in hub.seen)


def test_what_the_hub_refuses_is_one_line_without_the_token(hub, dataset):
    hub.refuses = "/commit/"
    with pytest.raises(BadInput, match="push_to_hub: the hub refused me/facts") as error:
        push_dataset(dataset, "me/facts", env=ENV)
    assert TOKEN not in str(error.value)


def test_nothing_is_sent_unless_asked_for_and_a_push_without_token_is_refused_before_anything_is_spent(hub, dataset):
    assert push_dataset(dataset, "", env=ENV).startswith("not pushed")
    assert hub.seen == []
    with pytest.raises(BadInput, match="HF_TOKEN"):
        check_push("me/facts", {"HF_TOKEN": " "})
    with pytest.raises(BadInput, match="expected owner/name"):
        check_push("facts", {"HF_TOKEN": TOKEN})
    check_push("", {})
