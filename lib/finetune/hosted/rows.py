"""Training rows as a provider takes them: checked here, where it costs nothing, before they are uploaded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.run import BadInput, read_jsonl
from lib.run.tokens import CHARS_A_TOKEN

LEAST = 10
ROLES = {"openai": ("system", "user", "assistant"), "azure": ("system", "user", "assistant"), "together": ("system", "user", "assistant")}  # fmt: skip
DENSE_CHARS_A_TOKEN = 3
MESSAGE_TOKENS = 4  # what a chat template puts around a message
N_SHOWN = 5


@dataclass(frozen=True)
class Checked:
    """Rows that passed: their number, tokens of each, those of the longest, whether tokens are an estimate, a warning or ''."""

    n: int
    tokens: tuple[int, ...]
    longest: int
    estimated: bool
    warning: str


def check_rows(
    path: Path, backend: str, *, row_tokens: int | None, count: Callable[[str], int] | None = None, least: int = LEAST
) -> Checked:
    """Check every row of a file.

    Args:
        path: `train.jsonl` or `valid.jsonl`.
        backend: Whose rules.
        row_tokens: Longest row that the provider does not cut; None where it is not known.
        count: Tokens of a text, where the student's tokenizer is here; else four characters count as one.
        least: Fewest rows.

    Raises:
        BadInput: Too few rows, or rows that the provider would reject, cut, or learn nothing from; names them.
    """
    rows, name = read_jsonl(path), path.name
    wrong = [f"row {i}: {what}" for i, row in enumerate(rows, 1) if (what := problem(row, backend))]
    if wrong:
        more = f" (and {len(wrong) - N_SHOWN} more)" if len(wrong) > N_SHOWN else ""
        raise BadInput(f"{name} for backend {backend}: " + "; ".join(wrong[:N_SHOWN]) + more)
    if len(rows) < least:
        raise BadInput(
            f"{name}: backend {backend} takes at least {least} rows; found {len(rows)}: give more documents or raise questions_per_chunk"
        )
    tokens = tuple(row_size(row, count) for row in rows)
    longest = max(tokens, default=0)
    if row_tokens and longest > row_tokens:
        over = sum(n > row_tokens for n in tokens)
        raise BadInput(
            f"{name}: {over} of {len(rows)} rows are longer than the {row_tokens} tokens that {backend} reads of a row of this model "
            f"and would lose their answer (the longest has {'about ' if count is None else ''}{longest}): lower chunk_chars or n_distractors"
        )
    dense = row_tokens and count is None and longest * CHARS_A_TOKEN > row_tokens * DENSE_CHARS_A_TOKEN
    warning = (
        f"{name}: the longest row is estimated at {longest} tokens of {row_tokens}; in a script with more tokens a character "
        "than English it may be cut"
        if dense
        else ""
    )
    return Checked(len(rows), tokens, longest, count is None, warning)


def problem(row: dict, backend: str) -> str:
    """What is wrong with one row, in a few words; empty when nothing is."""
    if set(row) == {"prompt", "completion"}:
        if backend != "together":
            return "has prompt and completion; this provider takes messages: set dataset_format to chat"
        return _not_text(row["prompt"], "the prompt") or _not_text(row["completion"], "the completion")
    if "messages" not in row:
        return f"expected messages; found {', '.join(row) or 'nothing'}"
    messages = row["messages"]
    if not isinstance(messages, list) or not messages:
        return "its messages are empty"
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ROLES[backend]:
            return f"role {role!r}; expected {', '.join(ROLES[backend])}"
        if what := _not_text(message.get("content"), f"a message of the {role}"):
            return what
    return _out_of_order([message["role"] for message in messages])


def _not_text(value: object, what: str) -> str:
    if not isinstance(value, str):
        return f"{what} is no text"
    return "" if value.strip() else f"{what} is empty"


def _out_of_order(roles: Sequence[str]) -> str:
    turns = list(roles[1:] if roles[0] == "system" else roles)
    if not turns or turns[-1] != "assistant":
        return "the last message is not the assistant's, which is what is learnt"
    expected = ["user" if i % 2 == 0 else "assistant" for i in range(len(turns))]
    return "" if turns == expected else "user and assistant do not take turns"


def row_size(row: dict, count: Callable[[str], int] | None) -> int:
    """Tokens of a row, what surrounds its messages included."""
    parts = ("prompt", "completion", "text")
    texts = [m["content"] for m in row["messages"]] if "messages" in row else [row[name] for name in parts if name in row]
    return sum((count(text) if count else -(-len(text) // CHARS_A_TOKEN)) + MESSAGE_TOKENS for text in texts)
