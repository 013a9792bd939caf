"""A passage taken apart: sentences, list items, table rows and `key: value` lines, each verbatim, with the headings above it."""

import re
import unicodedata
from dataclasses import dataclass, replace

_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_NUMBERED = re.compile(r"^(?:[A-Z]\.|\d{1,2}(?:\.\d{1,2})*\.?)\s+(\S.*)$")
_ITEM = re.compile(r"^\s*(?:[-*•‣–·]|\(?\d{1,2}[.)]|\(?[a-z][.)]|[A-Z]\d{1,2}[.)])\s+")
_KEY_VALUE = re.compile(r"^\s*(?:[-*•]\s+)?[\"']?\**([^\W\d_][^:|\"“”.!?\n]{1,48}?)\**[\"']?\s*:\**\s+(\S[^\n]*)$")
_DOTTED = re.compile(r"^\s*(\S.*?\w\)?)\s*(?:\.{4,}|(?:\. ){3,}|_{4,})\s*(\S.*)$")
_SEPARATOR = re.compile(r"^[\s|:+-]+$")
_END = re.compile(r"(?:[.!?…]+[\"'”’)\]]*(?:\[\d+\])*(?=\s+[\"'“‘(\[*_]*[^\Wa-z_]|\s*$))|[。！？]+[」』”]*")
_SHORT = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|No|Nos|no|nos|Fig|fig|e\.g|i\.e|etc|vs|approx|ca|c|Inc|Ltd|Co|Mt|Rev|Capt|Lt|Sgt|pp?|vol|ed"
    r"|a\.m|p\.m|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)|(?:^|[\s.])[A-Z])\.$"
)
_MARKUP = (
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"), (re.compile(r"\s?\[(?:\d+|[a-z]|citation needed|note \d+)\]"), ""),
    (re.compile(r"\*\*|__|`|(?<!\w)[*_](?=\w)|(?<=[\w.,!?)])[*_](?!\w)"), ""), (re.compile(r"\s+"), " "),
)  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """A piece that can be quoted.

    Attributes:
        kind: `sentence`, `item`, `row` or `pair`.
        text: Verbatim, a substring of the passage.
        plain: Without markup, bullets and line breaks.
        headings: Headings above it within the passage, outermost first.
        header: Cells of the table's header (rows only).
        cells: Cells of the row, or key and value of the pair.
        is_cut: Whether the passage begins or ends within it.
    """

    kind: str
    text: str
    plain: str
    headings: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    is_cut: bool = False


def plain(text: str) -> str:
    """Text without Markdown, reference marks and line breaks."""
    for pattern, new in _MARKUP:
        text = pattern.sub(new, text)
    return text.strip()


def split_units(passage: str) -> list[Unit]:
    """The pieces of a passage in their order; headings, separators and blank lines are none."""
    units: list[Unit] = []
    headings: list[tuple[int, str]] = []
    lines = [(m.start(), m.group()) for m in re.finditer(r"[^\n]+|\n(?=\n)", passage)]
    block: list[tuple[int, str]] = []  # lines of the paragraph or list item being read
    table: list[tuple[int, str]] = []

    def above() -> tuple[str, ...]:
        return tuple(text for _, text in headings)

    def close() -> None:
        if block:
            start = block[0][0]
            end = block[-1][0] + len(block[-1][1])
            units.extend(_sentences(passage, start, end, above()))
            block.clear()
        if table:
            units.extend(_rows(table, above()))
            table.clear()

    for number, (start, line) in enumerate(lines):
        follows = next((text for _, text in lines[number + 1 :] if text.strip()), "")
        level = _heading_level(line, follows, first=not units and not block and not table and not headings)
        if not line.strip():
            close()
        elif level:
            close()
            while headings and headings[-1][0] >= level:
                headings.pop()
            headings.append(
                (
                    level,
                    plain(
                        re.sub(r"^(?:#{1,6}\s+)?(?:[A-Z]\.|\d+(?:\.\d+)*\.?)?\s+|^#+\s*", "", " " + line.strip()).strip(
                            " #"
                        )
                    ),
                )
            )
        elif line.strip().startswith("|") or line.count(" | ") >= 1 or line.count("\t") >= 2:
            if block:
                close()
            table.append((start, line))
        elif pair := _pair(line):
            close()
            stripped = line.strip()
            units.append(Unit("pair", stripped, plain(_ITEM.sub("", stripped)), above(), cells=pair))
        else:
            if table or _ITEM.match(line):
                close()
            block.append((start, line))
    close()
    return _mark_cut(passage, units)


def _heading_level(line: str, follows: str, first: bool) -> int:
    """Depth of a heading, 0 for none: Markdown's; numbered or capital lines; a title-like first line."""
    if match := re.match(r"^(#{1,6})\s+\S", line):
        return len(match.group(1))
    words = line.split()
    if not words or len(words) > 12 or line.rstrip()[-1:] in ".!?;:,|" or "|" in line or not follows:
        return 0
    if line.upper() == line and sum(c.isalpha() for c in line) >= 4:
        return 2
    if (
        _NUMBERED.match(line)
        and not _ITEM.match(follows)
        and len(words) <= 8
        and line.split(maxsplit=1)[1][:1].isupper()
    ):
        return 3
    if first and _stands_above(line.strip(), follows):
        return 1
    if len(words) > 9:
        return 0
    if (
        first
        and line[:1].isupper()
        and follows[:1].isupper()
        and len(words) <= 8
        and not _pair(line)
        and not _ITEM.match(line)
    ):
        return 1
    return 0


def _stands_above(line: str, follows: str) -> bool:
    """Whether a first line of a passage is the heading of a long one below it: wrapped text has lines of one length."""
    if line[:1].islower() or len(line.split()) > 12 or _ITEM.match(line) or _pair(line) or _pair(follows):
        return False
    decorated = any(unicodedata.category(c) == "So" for c in (line[0], line[-1]))
    least = max(60, int(1.4 * len(line))) if follows[:1].isupper() else max(80, 2 * len(line))
    return decorated or len(follows) >= least


def _pair(line: str) -> tuple[str, str] | None:
    """Key and value of a short `key: value` line, or of one with dots between them, as price lists have."""
    if (dotted := _DOTTED.match(line)) and len(dotted.group(1).split()) <= 14:
        return plain(dotted.group(1)), plain(dotted.group(2))
    match = _KEY_VALUE.match(line)
    if not match:
        return None
    key, value = plain(match.group(1)), plain(match.group(2)).rstrip(",").strip("\"'")
    if (
        len(key.split()) > 6
        or not value
        or len(value.split()) > 16
        or re.search(r"[.!?]\s+\S", value)
        or value[-1] in "{["
        or re.match(r"(?:this|it) (?:is|was)\b", value)
    ):
        return None
    return key, value


def _rows(lines: list[tuple[int, str]], headings: tuple[str, ...]) -> list[Unit]:
    """Rows of a table; the first line is its header if a separator follows it, or if it alone holds no digit."""
    cells = [_cells(line) for _, line in lines]
    if len(lines) > 1 and _SEPARATOR.match(lines[1][1]):
        header, body = cells[0], range(2, len(lines))
    elif (
        len(lines) > 1
        and not any(c.isdigit() for c in lines[0][1])
        and (len(lines) > 2 or any(c.isdigit() for c in lines[1][1]) and all(0 < len(c.split()) <= 4 for c in cells[0]))
        and len({len(c) for c in cells}) == 1
        and not _SEPARATOR.match(lines[0][1])
    ):
        header, body = cells[0], range(1, len(lines))
    else:
        header, body = (), range(len(lines))
    rows = []
    for i in body:
        if not _SEPARATOR.match(lines[i][1]) and any(cells[i]):
            text = lines[i][1].strip()
            kept = header if len(header) == len(cells[i]) else ()
            rows.append(Unit("row", text, plain(" | ".join(c for c in cells[i] if c)), headings, kept, cells[i]))
    return rows


def _cells(line: str) -> tuple[str, ...]:
    parts = line.strip().strip("|").split("|") if "|" in line else line.strip().split("\t")
    return tuple(plain(part) for part in parts)


def _sentences(passage: str, start: int, end: int, headings: tuple[str, ...]) -> list[Unit]:
    """Sentences of one paragraph or list item; the bullet stays outside, so that a quote begins with the text."""
    is_item = _ITEM.match(passage[start:end])
    start += is_item.end() if is_item else 0
    units, begin = [], start
    for match in _END.finditer(passage, start, end):
        if (
            passage[match.start()] == "."
            and _SHORT.search(passage[max(begin, match.start() - 8) : match.start() + 1])
            and match.end() < end
        ):
            continue
        units.append((begin, match.end()))
        begin = match.end()
    units.append((begin, end))
    kind = "item" if is_item else "sentence"
    texts = [passage[a:b].strip() for a, b in units]
    return [Unit(kind, text, plain(text), headings) for text in texts if any(c.isalnum() for c in text)]


def _mark_cut(passage: str, units: list[Unit]) -> list[Unit]:
    """Mark a first unit that begins, and a last one that ends, in the middle of something."""
    if not units:
        return units
    first = units[0]
    if first.kind == "sentence" and first.text[:1].islower():
        units[0] = replace(first, is_cut=True)
    last = units[-1]
    if (
        last.kind == "sentence"
        and passage.rstrip().endswith(last.text)
        and not re.search(r"[.!?…。！？][\"'”’)\]*_]*(\[\d+\])*$", last.text)
    ):
        units[-1] = replace(last, is_cut=True)
    if last.kind == "row" and last.header and len(last.cells) != len(last.header):
        units[-1] = replace(last, is_cut=True)
    return units
