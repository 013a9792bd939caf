"""A conversation with a served model over a run's passages: question in; pieces of the reply, then what it says and cites, out."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

from lib.deploy.passages import Passages, find_quote
from lib.llm import Format, Request, Role, parse_reply
from lib.llm.stream import stream_reply

KEPT_FREE = 32  # tokens: the template's own
CHARS_A_TOKEN = 2  # where a server does not count for us: on the safe side


@dataclass(frozen=True)
class Turn:
    """One question and what came of it.

    Attributes:
        passages: The chunks shown, best first.
        quotes: Quotes of the reply, each with the index of the passage it stands in, or None where it stands in none.
    """

    question: str
    reply: str
    answer: str
    refused: bool
    passages: tuple[dict, ...]
    quotes: tuple[tuple[str, int | None], ...]

    @property
    def cited(self) -> list[int]:
        """Indices of the passages that are quoted, in the order of the reply."""
        return list(dict.fromkeys(place for _, place in self.quotes if place is not None))


@dataclass
class Talk:
    """A conversation.

    Args:
        role: The served system.
        form: The format that its training used.
        passages: What is searched.
        top_k: Passages shown with each question; 0 for none.
        context_tokens: Longest prompt and reply together.
        max_reply_tokens: Longest reply.
        remembers: Whether earlier turns are sent along.
    """

    role: Role
    form: Format
    passages: Passages
    top_k: int
    context_tokens: int
    max_reply_tokens: int = 512
    remembers: bool = False
    turns: list[Turn] = field(default_factory=list)

    def ask(self, question: str) -> Iterator[str]:
        """Pieces of the reply as they come; the turn is the last of `turns` once they end.

        Raises:
            EndpointError: The server does not answer; the conversation is as before.
        """
        earlier = self.turns[-1].question if self.remembers and self.turns else ""
        shown = self.passages.find(question, self.top_k, earlier) if self.top_k else []
        pieces = []
        for piece in stream_reply(self.role, self.build_request(question, shown)):
            pieces.append(piece)
            yield piece
        self.turns.append(read_turn(question, "".join(pieces), shown, self.form))

    def build_request(self, question: str, shown: list[dict]) -> Request:
        """The request of a question: training's prompt, before it as many earlier turns as fit, without their passages."""
        documents = [chunk["text"] for chunk in shown]
        stop = (self.form.completion_stop,) if self.form.completion_stop else ()
        if self.role.completion:
            return Request(prompt=self.form.prompt(documents, question), max_tokens=self.max_reply_tokens, stop=stop)
        messages = self.form.messages(documents, question)
        system, last = messages[:-1], messages[-1:]
        earlier = self.turns if self.remembers else []
        for start in range(len(earlier) + 1):
            history = [
                message
                for turn in earlier[start:]
                for message in ({"role": "user", "content": turn.question}, {"role": "assistant", "content": turn.reply})
            ]
            asked = [*system, *history, *last]
            if start == len(earlier) or self._fits(asked):
                break
        return Request(messages=tuple(asked), max_tokens=self.max_reply_tokens)

    def _fits(self, messages: list[dict]) -> bool:
        n = count_tokens(self.role, messages)
        if n is None:
            n = sum(len(message["content"]) for message in messages) // CHARS_A_TOKEN
        return n + self.max_reply_tokens + KEPT_FREE <= self.context_tokens


def read_turn(question: str, reply: str, shown: list[dict], form: Format) -> Turn:
    """A reply taken apart, its quotes looked up in the passages shown."""
    parsed = parse_reply(reply, form.refusal)
    quotes = tuple(
        (quote, next((i for i, chunk in enumerate(shown) if find_quote(chunk["text"], quote)), None)) for quote in parsed.quotes
    )
    return Turn(question, reply, parsed.answer, parsed.refused, tuple(shown), quotes)


def allows_turns(role: Role) -> bool:
    """Whether the model's chat template takes several turns and shows the earlier ones to the model.

    A completion model has none; where a server does not tell its tokens, as other engines and endpoints do not, it is taken to.
    """
    if role.completion:
        return False
    last = {"role": "user", "content": "And at nine?"}
    one = count_tokens(role, [last])
    if one is None:
        return True
    history = [{"role": "user", "content": "Is it open at eight?"}, {"role": "assistant", "content": "No."}]
    several = count_tokens(role, [*history, last])
    return several is not None and several > one


def count_tokens(role: Role, messages: list[dict]) -> int | None:
    """Tokens of a prompt by the server's own template; None where the server does not say, or refuses such messages."""
    body = {"model": role.model, "messages": messages, "add_generation_prompt": True}
    address = role.base_url.removesuffix("/v1") + "/tokenize"
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return int(json.load(reply)["count"])
    except (urllib.error.URLError, OSError, ValueError, KeyError, TypeError):
        return None
