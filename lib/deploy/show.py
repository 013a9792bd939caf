"""A turn of a conversation as text for a terminal and as HTML for a notebook: the answer, the passages, their quotes marked."""

from collections.abc import Callable
from html import escape

from lib.deploy.passages import split_quotes
from lib.deploy.talk import Turn

REFUSED = "refused: the passages do not hold the answer"
BOLD, INVERSE, PLAIN = "\x1b[1m", "\x1b[7m", "\x1b[0m"


def as_text(turn: Turn, *, colour: bool) -> str:
    """What follows a reply in a terminal; without `colour` quotes stand between » and «."""
    mark: Callable[[str], str] = (lambda s: f"{INVERSE}{s}{PLAIN}") if colour else (lambda s: f"»{s}«")
    strong: Callable[[str], str] = (lambda s: f"{BOLD}{s}{PLAIN}") if colour else str
    lines = [strong(f"[{REFUSED}]" if turn.refused else f"Answer: {turn.answer}")]
    for i in turn.cited:
        text = "".join(mark(piece) if quoted else piece for piece, quoted in split_quotes(*_quoted(turn, i)))
        lines += [f"[{i + 1}] {source_of(turn.passages[i])}", "    " + " ".join(text.split())]
    lines += [f'not in any passage shown: "{quote}"' for quote, place in turn.quotes if place is None]
    others = [i for i in range(len(turn.passages)) if i not in turn.cited]
    if others:
        lines.append("also shown: " + " · ".join(f"[{i + 1}] {source_of(turn.passages[i])}" for i in others))
    return "\n".join(lines)


def as_html(turn: Turn) -> str:
    """A turn as HTML; whatever model and documents say is text, never markup."""
    answer = f"<em>{REFUSED}</em>" if turn.refused else f"<b>{escape(turn.answer)}</b>"
    parts = [f"<p>{answer}</p>"]
    for i in range(len(turn.passages)):
        pieces = split_quotes(*_quoted(turn, i))
        text = "".join(f"<mark>{escape(piece)}</mark>" if quoted else escape(piece) for piece, quoted in pieces)
        state = " open" if i in turn.cited else ""
        parts.append(f"<details{state}><summary>[{i + 1}] {escape(source_of(turn.passages[i]))}</summary>{text}</details>")
    parts += [f"<p>not in any passage shown: “{escape(quote)}”</p>" for quote, place in turn.quotes if place is None]
    return "".join(parts)


def _quoted(turn: Turn, i: int) -> tuple[str, list[str]]:
    return turn.passages[i]["text"], [quote for quote, place in turn.quotes if place == i]


def source_of(chunk: dict) -> str:
    """Where a passage comes from, for people."""
    title, section = chunk.get("title") or chunk.get("source") or chunk["chunk_id"], chunk.get("section") or ""
    page = f"page {chunk['page']}" if chunk.get("page") else ""
    return ", ".join(filter(None, ["" if section.startswith(title) else title, section, page]))  # a section often begins with the title
