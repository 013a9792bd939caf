"""HTML: the main text without navigation, scripts and forms; tables and lists as lines, headings as section paths."""

import re
from html.parser import HTMLParser

from lib.gen.readers.text import build
from lib.gen.records import Document, Mark

_SKIPPED_TAGS = "script style noscript noframes template svg nav footer aside form button select iframe dialog head"
_BOX_TAGS = "div ul section header p a"  # boilerplate where they are called so
_BLOCK_TAGS = "p div section article main ul ol dl table blockquote pre figure body header tbody thead"
_LINE_TAGS = "li tr dt dd figcaption caption summary address option"
_SKIPPED, _BOXES, _BLOCKS, _LINES = (frozenset(tags.split()) for tags in (_SKIPPED_TAGS, _BOX_TAGS, _BLOCK_TAGS, _LINE_TAGS))
_BOILERPLATE = re.compile(
    r"(?<![a-z])(nav|navbar|navigation|menu|sidebar|breadcrumbs?|cookie|footer|share|social|advert|banner|skip-link)(?![a-z])"
)
_PAGE = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype html|html)\b", re.IGNORECASE | re.DOTALL)
_HEADING = re.compile(r"h([1-6])$")


def looks_like_html(text: str) -> bool:
    """Whether text is a page, whatever its file is called."""
    return bool(_PAGE.match(text[:2000]))


def read_html(text: str, source: str) -> list[Document]:
    """Make one document of a page. Where it has `<main>` or `<article>` with text enough, the rest is boilerplate.

    Where all of its text stands in forms or in parts called like boilerplate (`<form id="aspnetForm">`, `class="no-sidebar"`),
    these are read.
    """
    page = _read_page(text)
    if not page.sections:
        page = _read_page(text, strict=False)
    main = [(mark, body) for mark, body, in_main in page.sections if in_main]
    whole = [(mark, body) for mark, body, _ in page.sections]
    title = page.h1 or re.split(r"\s+[|–—]\s+", page.title)[0]
    return [build(source, title, main if sum(len(body) for _, body in main) >= 200 else whole)]


def _read_page(text: str, strict: bool = True) -> "_Page":
    page = _Page(strict)
    page.feed(text)
    page.close()
    page.end_row()
    page.end_section()
    return page


class _Page(HTMLParser):
    """Collects lines of text by section while tags go by; survives unclosed and misplaced tags.

    Args:
        strict: Leave out forms and what is called like boilerplate.
    """

    def __init__(self, strict: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._skipped = _SKIPPED if strict else _SKIPPED - {"form"}
        self._boilerplate = _BOXES if strict else frozenset()
        self.sections: list[tuple[Mark, str, bool]] = []
        self.title = self.h1 = ""
        self._path: dict[int, str] = {}
        self._lines: list[str] = []
        self._line = ""
        self._skip: list[str] = []  # open tags, from the one that made us skip
        self._main = 0
        self._pre = 0
        self._in_title = False
        self._row: list[str] | None = None  # cells of the table row being read
        self._heads = 0  # how many of them are headers
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag == "title" and not self.title and (not self._skip or self._skip == ["head"]):
            self._in_title = True
            return
        if self._skip:
            if tag == self._skip[0]:
                self._skip.append(tag)
            elif tag == "body" and self._skip[0] == "head":  # </head> may be left out
                self._skip = []
            return
        marked = " ".join(value or "" for name, value in attrs if name in ("class", "id", "role")).lower()
        if tag in self._skipped or (tag in self._boilerplate and _BOILERPLATE.search(marked)):
            self._skip = [tag]
        elif tag in ("main", "article"):
            self.end_section()
            self._main += 1
        elif _HEADING.match(tag):
            self.end_section()
        elif tag == "tr":
            self.end_row()  # </tr> may be left out
            self._end_line()
            self._row, self._heads = [], 0
        elif tag in ("td", "th") and self._row is not None:
            self._end_cell()  # </td> may be left out
            self._in_cell = True
            self._heads += tag == "th"
        elif tag in _LINES or tag in _BLOCKS or tag in ("br", "hr"):
            self._end_line(block=tag in _BLOCKS)
            self._line = "- " if tag == "li" else self._line
            self._pre += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        self._in_title = self._in_title and tag != "title"
        if self._skip:
            if tag == self._skip[0]:
                self._skip.pop()
            return
        heading = _HEADING.match(tag)
        if heading:
            self._head(int(heading.group(1)))
        elif tag in ("main", "article") and self._main:
            self.end_section()
            self._main -= 1
        elif tag in ("td", "th") and self._row is not None:
            self._end_cell()
        elif tag == "tr":
            self.end_row()
        elif tag in _LINES or tag in _BLOCKS:
            if tag in ("table", "tbody", "thead"):
                self.end_row()
            self._end_line(block=tag in _BLOCKS)
            self._pre = max(0, self._pre - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data.strip()
        elif not self._skip:
            self._line += data if self._pre else re.sub(r"\s+", " ", data)

    def end_section(self) -> None:
        """Close the section being read and start the next under the same headings."""
        self._end_line()
        if any(line.strip() for line in self._lines):
            section = " > ".join(self._path[level] for level in sorted(self._path))
            self.sections.append((Mark(0, None, section), "\n".join(self._lines), self._main > 0))
        self._lines = []

    def end_row(self) -> None:
        """Write the table row being read, if one is."""
        if self._row is None:
            return
        self._end_cell()
        cells, self._row = self._row, None
        if any(cells):
            self._lines.append("| " + " | ".join(cells) + " |")
            self._lines += ["|" + "---|" * len(cells)] if self._heads >= len(cells) > 1 else []

    def _head(self, level: int) -> None:
        name = " ".join(self._line.split())
        self._line = ""
        if name:
            self.h1 = self.h1 or (name if level == 1 else "")
            self._path = {depth: held for depth, held in self._path.items() if depth < level} | {level: name}
            self._lines.append(name)

    def _end_cell(self) -> None:
        """What stood in the open cell, empty or not, becomes one cell; text between cells is nothing."""
        if self._row is not None and self._in_cell:
            self._row.append(" ".join(self._line.split()))
        self._line, self._in_cell = "", False

    def _end_line(self, block: bool = False) -> None:
        if self._row is not None:  # a paragraph inside a cell does not end the row
            self._line += " "
            return
        line = self._line.strip("\n") if self._pre else " ".join(self._line.split())
        self._line = ""
        if line.strip() and line.strip() != "-":
            self._lines.append(line)
        if block and self._lines and self._lines[-1]:
            self._lines.append("")
