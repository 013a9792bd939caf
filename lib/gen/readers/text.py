"""Plain text and Markdown: any encoding in, headings as section paths out."""

import re
from pathlib import Path

from lib.gen.records import Document, Mark, content_id
from lib.gen.text import clean

_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
_ATX = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_SETEXT = re.compile(r"^\s{0,3}(=+|-+)\s*$")


def html_charset(data: bytes) -> str:
    """The encoding that a page names in its first lines; empty where it names none."""
    found = re.search(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", data[:4096], re.IGNORECASE)
    return found.group(1).decode() if found else ""


def build(source: str, title: str, pieces: list[tuple[Mark, str]], type: str | None = None) -> Document:
    """Join pieces of text into one document, each piece starting at its mark; pieces without text are left out.

    Raises:
        ValueError: No piece holds any text.
    """
    text, marks = "", []
    for mark, piece in pieces:
        piece = clean(piece)
        if not piece.strip():
            continue
        text += "\n\n" if text else ""
        marks.append(mark._replace(start=len(text)))
        text += piece
    if not text:
        raise ValueError("empty: no text in it")
    title = clean(title).replace("\n", " ").strip() or Path(source).stem.replace("_", " ").replace("-", " ")
    more = {"type": type} if type else {}
    return Document(content_id(source, text), source, title, text, tuple(marks), **more)


def read_text(text: str, source: str) -> list[Document]:
    """Make one document of plain text."""
    return [build(source, "", [(Mark(0), text)])]


def read_markdown(text: str, source: str) -> list[Document]:
    """Make one document of Markdown: a section starts at every heading and is called by the path of headings above it."""
    title, lines = _front_matter(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    path: dict[int, str] = {}
    pieces: list[tuple[Mark, str]] = []
    body: list[str] = []
    in_code = False

    def close() -> None:
        section = " > ".join(path[level] for level in sorted(path))
        pieces.append((Mark(0, None, section), "\n".join(body)))

    for number, line in enumerate(lines):
        if _FENCE.match(line):
            in_code = not in_code
        atx = None if in_code else _ATX.match(line)
        following = lines[number + 1] if number + 1 < len(lines) else ""
        setext = (
            not in_code
            and not atx
            and line.strip()
            and _SETEXT.match(following)
            and "|" not in line
            and not _SETEXT.match(line)
        )
        if (
            setext
            and following.strip()[0] == "-"
            and (line.startswith(("-", "*", "    ")) or (number and lines[number - 1].strip()))
        ):
            setext = False  # a rule below a list or a paragraph, not an underline
        if atx or setext:
            close()
            level = len(atx.group(1)) if atx else (1 if following.strip()[0] == "=" else 2)
            heading = _plain(atx.group(2) if atx else line.strip())
            path = {depth: name for depth, name in path.items() if depth < level} | {level: heading}
            title = title or (heading if level == 1 else "")
            body = [heading]
        elif not in_code and body and _SETEXT.match(line) and body[-1] == path.get(max(path, default=0)):
            continue  # the underline of the heading just read
        else:
            body.append(line if in_code else _plain(line))
    close()
    return [build(source, title, pieces)]


def _front_matter(lines: list[str]) -> tuple[str, list[str]]:
    """Cut a YAML header off; return its title (or "") and the lines after it."""
    if lines and lines[0].strip() == "---" and "---" in [line.strip() for line in lines[1:40]]:
        end = [line.strip() for line in lines[1:40]].index("---") + 1
        titles = [line.split(":", 1)[1].strip(" \"'") for line in lines[1:end] if line.lower().startswith("title:")]
        return (titles[0] if titles else ""), lines[end + 1 :]
    return "", lines


def _plain(line: str) -> str:
    """Keep the words of emphasis, links and images, drop their marks."""
    line = re.sub(r"!?\[([^\]]*)\]\((?:[^()\s]|\([^()]*\))*(?:\s+\"[^\"]*\")?\)", r"\1", line)
    return re.sub(r"\*\*(\S(?:.*?\S)?)\*\*", r"\1", line)
