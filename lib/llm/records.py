"""What goes to a model and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """One request; `messages` for the chat endpoint or `prompt` for the completions endpoint, never both.

    Attributes:
        messages: Chat messages, `{"role", "content"}` each.
        prompt: Text to complete.
        max_tokens: Longest reply.
        temperature: 0 for the likeliest reply.
        seed: Passed on where given.
        stop: Texts that end a reply.
        response_format: `{"type": "json_schema", "json_schema": {"name", "schema", …}}` for a typed reply.
        extra: Further fields of the request's body that only some servers know.
    """

    messages: tuple[Mapping, ...] | None = None
    prompt: str | None = None
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    response_format: Mapping | None = None
    extra: Mapping = field(default_factory=dict)

    def __post_init__(self):
        if (self.messages is None) == (self.prompt is None):
            raise ValueError(
                "a Request has either messages or a prompt; this one has " + ("both" if self.prompt else "neither")
            )

    def body(self) -> dict:
        """The fields that decide the reply, as the request's JSON body without the model's name."""
        asked = {"messages": [dict(m) for m in self.messages]} if self.messages is not None else {"prompt": self.prompt}
        asked |= {"max_tokens": self.max_tokens, "temperature": self.temperature}
        if self.seed is not None:
            asked["seed"] = self.seed
        if self.stop:
            asked["stop"] = list(self.stop)
        if self.response_format is not None:
            asked["response_format"] = dict(self.response_format)
        return asked | dict(self.extra)


@dataclass(frozen=True)
class Reply:
    """One reply. `error` is set, and `text` empty, where the endpoint would not answer this one request.

    Attributes:
        finish_reason: `stop`, `length`, …, or `error`.
        latency_s: Seconds from sending to the whole reply, the last attempt only.
        cached: Whether it came from the request store.
        logprob: Mean natural log probability of the reply's tokens, where the request asked for `logprobs` and the server gives them.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    latency_s: float
    cached: bool = False
    error: str | None = None
    logprob: float | None = None
