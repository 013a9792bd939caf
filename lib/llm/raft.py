"""The one RAFT format: how documents and a question become a prompt, and what a reply says.

Training rows, the probe of a server and every evaluated system use these functions, so that no two of them differ.
Source: RAFT, arXiv:2403.10131; the tags are those of its published code and data.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lib.run.files import read_json, write_json

BEGIN_QUOTE = "##begin_quote##"
END_QUOTE = "##end_quote##"
ANSWER_TAG = "<ANSWER>:"
REFUSAL = "Sorry, I don't know the answer to this question because related documents are not found. Please try again."

_QUOTE = re.compile(re.escape(BEGIN_QUOTE) + r"(.*?)" + re.escape(END_QUOTE), re.DOTALL)
_TAG = re.compile(r"<\s*ANSWER\s*>\s*:?", re.IGNORECASE)
# Refusals in other words: an untuned model that refuses must be counted as refusing.
_REFUSES = re.compile(
    r"\b(?:i (?:do not|don't|cannot|can't|could not|couldn't) (?:know|find|answer|determine|provide)\b"
    r"|(?:no|not enough|insufficient) (?:relevant |related )?(?:information|documents?)\b[^.]{0,40}\b(?:found|available|provided|given|answer)"
    r"|(?:not|n't|never) (?:mentioned|stated|specified|provided|found|given|contained|answered) (?:in|by) (?:the|any|these)\b"
    r"|(?:documents?|passages?|context|text|information) (?:provided |given |above )?(?:do|does|did) ?(?:not|n't) (?:contain|mention|say|state|provide|hold|answer|include|specify)"
    r"|unable to (?:answer|find|determine))",
    re.IGNORECASE,
)


def build_instruction(documents: Sequence[str], question: str) -> str:
    """The documents, each in its own tags, in order; the question last."""
    return "".join(f"<DOCUMENT>{document}</DOCUMENT>\n" for document in documents) + question


@dataclass(frozen=True)
class Format:
    """How a dataset was written, and so how its students must be asked.

    Attributes:
        dataset_format: `chat` (messages) or `completion` (prompt and completion).
        system_prompt: System message of every row and every question; empty for none.
        refusal: The refusal sentences taught, one a line.
        completion_prompt: Template of a completion prompt; `{system}` and `{instruction}` are filled in.
        completion_stop: Text that ends a completion besides the end-of-sequence token; empty for none.
    """

    dataset_format: str = "chat"
    system_prompt: str = ""
    refusal: str = REFUSAL
    completion_prompt: str = "{system}{instruction}\n"
    completion_stop: str = ""

    def messages(self, documents: Sequence[str], question: str) -> list[dict]:
        """Chat messages that ask `question` over `documents` (none: closed book)."""
        system = [{"role": "system", "content": self.system_prompt}] if self.system_prompt else []
        return [*system, {"role": "user", "content": build_instruction(documents, question)}]

    def prompt(self, documents: Sequence[str], question: str) -> str:
        """Completion prompt that asks `question` over `documents`."""
        system = f"{self.system_prompt}\n\n" if self.system_prompt else ""
        return self.completion_prompt.format(system=system, instruction=build_instruction(documents, question))

    def save(self, path: str | Path) -> Path:
        """Write as JSON."""
        return write_json(path, asdict(self))

    @classmethod
    def load(cls, path: str | Path) -> "Format":
        """Read what `save` wrote."""
        return cls(**read_json(path))


@dataclass(frozen=True)
class ParsedReply:
    """A reply taken apart: `answer` without tag or quotes, whether it refuses, its quotes, whether it had the tag."""

    answer: str
    refused: bool
    quotes: tuple[str, ...]
    has_tag: bool


def parse_reply(text: str, refusal: str = REFUSAL) -> ParsedReply:
    """Take a reply apart.

    The answer is what follows the last `<ANSWER>:` tag, up to the end; without a tag, the whole reply without its quote
    marks. An empty reply is no refusal: it is an empty answer.
    """
    quotes = tuple(quote.strip() for quote in _QUOTE.findall(text))
    tags = list(_TAG.finditer(text))
    answer = text[tags[-1].end() :] if tags else text.replace(BEGIN_QUOTE, "").replace(END_QUOTE, "")
    answer = answer.strip().strip("`*").strip()
    return ParsedReply(answer, is_refusal(answer if tags else text, refusal), quotes, bool(tags))


def squeeze(text: str) -> str:
    """Collapse whitespace: the one difference that a verbatim quote may show."""
    return " ".join(text.split())


def is_refusal(text: str, refusal: str = REFUSAL) -> bool:
    """Whether a reply says that it cannot answer: a taught sentence (`refusal`: one a line), or a short reply in other words."""
    flat = " ".join(text.split()).casefold()
    starts = [" ".join(line.split()).casefold()[:40] for line in refusal.splitlines()]
    return any(start and start in flat for start in starts) or (len(flat) < 400 and bool(_REFUSES.search(flat.replace("’", "'"))))
