"""A website on loopback: what it serves is a dictionary, what it was asked is a list."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Reply = tuple[int, dict, bytes]


class Website:
    """`pages` maps a path to bytes or to (status, headers, bytes); `asked` holds (seconds, path, headers) of every request."""

    def __init__(self, port: int):
        self.host, self.url = f"127.0.0.1:{port}", f"http://127.0.0.1:{port}"
        self.pages: dict[str, bytes | Reply] = {}
        self.asked: list[tuple[float, str, dict]] = []

    def paths(self) -> list[str]:
        """Paths asked for, in order."""
        return [path for _, path, _ in self.asked]

    def sitemap(self, *paths: str, kind: str = "url") -> bytes:
        """A sitemap of these paths, or an index of them."""
        root = {"url": "urlset", "sitemap": "sitemapindex"}[kind]
        entries = "".join(f"<{kind}><loc>{path if ':' in path else self.url + path}</loc></{kind}>" for path in paths)
        head = '<?xml version="1.0" encoding="UTF-8"?>'
        return f'{head}<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{root}>'.encode()


def page(text: str) -> bytes:
    """A page with a heading, a menu and a paragraph."""
    return f"<!doctype html><html><body><nav>Menu</nav><h1>Title</h1><p>{text}</p></body></html>".encode()


@contextmanager
def serve() -> Iterator[Website]:
    """A website that answers while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 (the name that the base class calls)
            site.asked.append((time.monotonic(), self.path, dict(self.headers)))
            held = site.pages.get(self.path, (404, {}, b"gone"))
            status, headers, body = held if isinstance(held, tuple) else (200, {"Content-Type": "text/html"}, held)
            if headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
                status, body = 304, b""
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Website(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
