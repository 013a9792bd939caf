"""The HTTP side of the offline endpoint: routes, JSON in and out, streaming, errors in OpenAI's shape. Loopback only."""

import base64
import contextlib
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lib.llm.offline import MINILM, RULES, fingerprint
from lib.llm.offline.embed import embed
from lib.llm.offline.tasks import complete, count_tokens

MAX_BODY_BYTES = 64 << 20


class BadRequest(ValueError):
    """A request that cannot be answered; becomes HTTP 400, or the status given."""

    def __init__(self, message: str, status: int = 400):
        super().__init__(message)
        self.status = status


class Server(ThreadingHTTPServer):
    """One thread for each connection; connections are kept alive by the client."""

    daemon_threads = True
    request_queue_size = 512


def make_server(port: int) -> Server:
    """A server bound to loopback; `port` 0 takes a free one."""
    return Server(("127.0.0.1", port), Handler)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16  # headers and body leave in one packet

    def do_GET(self) -> None:  # noqa: N802
        if self.path == "/health":
            self._send({"status": "ok", "fingerprint": fingerprint()})
        elif self.path.rstrip("/") == "/v1/models":
            models = [{"id": name, "object": "model", "created": 0, "owned_by": "offline"} for name in (RULES, MINILM)]
            self._send({"object": "list", "data": models})
        else:
            self._fail(f"no such path: {self.path}", 404)

    def do_POST(self) -> None:  # noqa: N802
        routes = {
            "/v1/chat/completions": self._chat,
            "/v1/completions": self._completions,
            "/v1/embeddings": self._embeddings,
        }
        try:
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX_BODY_BYTES:
                self.close_connection = True
                raise BadRequest(f"the body has {length} bytes; the most is {MAX_BODY_BYTES}", 413)
            raw = self.rfile.read(length)
            if self.path not in routes:
                raise BadRequest(f"no such path: {self.path}", 404)
            try:
                body = json.loads(raw)
            except ValueError:
                raise BadRequest("expected a JSON body") from None
            if not isinstance(body, dict):
                raise BadRequest("expected a JSON object")
            routes[self.path](body)
        except BadRequest as error:
            self._fail(str(error), error.status)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _chat(self, body: dict) -> None:
        _model(body, RULES)
        messages = body.get("messages")
        if (
            not isinstance(messages, list)
            or not messages
            or not all(isinstance(m, dict) and "role" in m for m in messages)
        ):
            raise BadRequest("messages: expected a list of objects with role and content")
        messages = [{"role": str(m["role"]), "content": _text(m.get("content"))} for m in messages]
        prompt = "\n".join(m["content"] for m in messages)
        text, finish = _cut(complete(messages, _schema_name(body)), body, default_tokens=4096)
        self._reply(body, "chat.completion", prompt, [(text, finish)])

    def _completions(self, body: dict) -> None:
        _model(body, RULES)
        prompts = body.get("prompt")
        prompts = [prompts] if isinstance(prompts, str) else prompts
        if not isinstance(prompts, list) or not prompts or not all(isinstance(p, str) for p in prompts):
            raise BadRequest("prompt: expected a text or a list of texts")
        replies = [
            _cut(complete([{"role": "user", "content": p}], _schema_name(body)), body, default_tokens=16)
            for p in prompts
        ]
        self._reply(body, "text_completion", "\n".join(prompts), replies)

    def _reply(self, body: dict, kind: str, prompt: str, replies: list[tuple[str, str]]) -> None:
        chat = kind == "chat.completion"
        n_prompt, n_reply = count_tokens(prompt), sum(count_tokens(text) for text, _ in replies)
        usage = {"prompt_tokens": n_prompt, "completion_tokens": n_reply, "total_tokens": n_prompt + n_reply}
        digest = hashlib.sha256(json.dumps([prompt, replies]).encode("utf-8", "surrogatepass")).hexdigest()[:24]
        head = {
            "id": f"{'chatcmpl' if chat else 'cmpl'}-{digest}",
            "created": 0,
            "model": body["model"],
            "system_fingerprint": fingerprint(),
        }
        if body.get("stream"):
            options = body.get("stream_options") or {}
            self._stream(
                head | {"object": "chat.completion.chunk" if chat else kind},
                chat,
                replies,
                usage if options.get("include_usage") else None,
            )
            return
        choices = [
            {"index": i, "finish_reason": finish, "logprobs": None}
            | ({"message": {"role": "assistant", "content": text, "refusal": None}} if chat else {"text": text})
            for i, (text, finish) in enumerate(replies)
        ]
        self._send(head | {"object": kind, "choices": choices, "usage": usage})

    def _stream(self, head: dict, chat: bool, replies: list[tuple[str, str]], usage: dict | None) -> None:
        """Server-sent events, a few words each; the usage last, where it was asked for."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for index, (text, finish) in enumerate(replies):
            pieces = [text[i : i + 24] for i in range(0, len(text), 24)]
            if chat:
                self._event(
                    head
                    | {
                        "choices": [
                            {"index": index, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
                        ]
                    }
                )
            for piece in pieces:
                part = {"delta": {"content": piece}} if chat else {"text": piece}
                self._event(head | {"choices": [{"index": index, "finish_reason": None} | part]})
            last = {"delta": {}} if chat else {"text": ""}
            self._event(head | {"choices": [{"index": index, "finish_reason": finish} | last]})
        if usage:
            self._event(head | {"choices": [], "usage": usage})
        self._event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _event(self, value: dict | str) -> None:
        data = f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _embeddings(self, body: dict) -> None:
        _model(body, MINILM)
        texts = body.get("input")
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
            raise BadRequest("input: expected a text or a list of texts")
        vectors = embed(texts)  # float32 (n_texts, 384)
        as_base64 = body.get("encoding_format") == "base64"
        data = [
            {
                "object": "embedding",
                "index": i,
                "embedding": base64.b64encode(v.astype("<f4").tobytes()).decode()
                if as_base64
                else [float(x) for x in v],
            }
            for i, v in enumerate(vectors)
        ]
        n = sum(count_tokens(text) for text in texts)
        self._send({"object": "list", "model": MINILM, "data": data, "usage": {"prompt_tokens": n, "total_tokens": n}})

    def _fail(self, message: str, status: int) -> None:
        kind = "not_found_error" if status == 404 else "invalid_request_error"
        self._send({"error": {"message": message, "type": kind, "param": None, "code": status}}, status)

    def _send(self, value: dict, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_request(self, code="-", size="-") -> None:
        """Nothing: a run makes thousands of requests."""

    def address_string(self) -> str:
        """The peer's address without a look-up of its name."""
        return self.client_address[0]

    def handle(self) -> None:
        """Serve until the client leaves; a client that was killed is no error."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle()


def _model(body: dict, expected: str) -> None:
    if body.get("model") != expected:
        raise BadRequest(f"model {body.get('model')!r} does not exist; this path serves {expected!r}", 404)


def _schema_name(body: dict) -> str:
    schema = (body.get("response_format") or {}).get("json_schema") or {}
    return str(schema.get("name") or "")


def _text(content) -> str:
    """A message's content as text; of a list of parts, the text parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return "" if content is None else str(content)


def _cut(text: str, body: dict, default_tokens: int) -> tuple[str, str]:
    """The reply up to the first stop text or the token limit, and its finish reason."""
    stops = body.get("stop") or []
    for stop in [stops] if isinstance(stops, str) else stops:
        if stop and stop in text:
            text = text[: text.index(stop)]
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or default_tokens
    if count_tokens(text) <= limit:
        return text, "stop"
    return text[: limit * 4], "length"
