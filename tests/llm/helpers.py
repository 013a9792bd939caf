"""What the tests of lib.llm say again and again: a chat reply, a server that repeats, a request, an asker, a loopback server."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lib.llm import Asker, Request
from lib.llm.store import Store

CANARY = "sk-canary-7d1f"


def chat(text, prompt_tokens=10, completion_tokens=2, finish="stop"):
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    return 200, {}, {"choices": [{"message": {"content": text}, "finish_reason": finish}], "usage": usage}


def echo(number, body, headers):
    return chat(body["messages"][-1]["content"])


def ask(text, **more):
    return Request(messages=({"role": "user", "content": text},), **more)


def make(role, run, **more):
    return Asker(role, run, Store(run.path("requests.sqlite")), **more)


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A loopback server with this handler, silent and over HTTP/1.1; gives its base URL."""
    quiet = type("Quiet", (handler,), {"protocol_version": "HTTP/1.1", "log_message": lambda *_: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), quiet)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
