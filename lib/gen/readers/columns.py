"""Columns of a page that was drawn line by line across them: each read to its end before the next."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

COLUMN_CHARS = 20  # median of a line; what is shorter side by side is a table, to be read row by row
MIN_ROWS = 4
_CHAR_WIDTH = 0.5  # of the font's size, for Latin letters
_NEAR = 3.0  # points


class Piece(NamedTuple):
    """Text drawn at one place, in the order of drawing."""

    x: float
    y: float
    size: float
    text: str


def untangle(pieces: Sequence[Piece]) -> str:
    """The page's text column by column; empty where it is no page of columns drawn across.

    A page counts as one when most of its lines have a second part that begins at the same place, and both parts are prose. A
    line that reaches over the place between the columns, such as a heading, ends what stands above it.
    """
    rows = _rows(pieces)
    starts = Counter(round(part[0].x / _NEAR) for row in rows for part in row[1:])
    if not starts:
        return ""
    begin = _NEAR * starts.most_common(1)[0][0]  # where the right column begins
    gutter = begin - _NEAR
    aligned = [row for row in rows if any(abs(part[0].x - begin) <= _NEAR for part in row[1:])]
    crossed = [row for row in rows if any(part[0].x < gutter <= part[-1].x for part in row)]
    if len(aligned) < max(MIN_ROWS, 0.5 * len(rows)) or len(crossed) > 0.1 * len(rows):
        return ""
    split = [
        ([p for part in row for p in part if p.x < gutter], [p for part in row for p in part if p.x >= gutter])
        for row in rows
    ]
    both = [(_text(left), _text(right)) for left, right in split if left and right]
    if min(_median([len(side) for side in sides]) for sides in zip(*both)) < COLUMN_CHARS:
        return ""
    lines: list[str] = []
    columns: tuple[list[str], list[str]] = ([], [])
    for left, right in split:
        text = _text(left)
        if left and not right and left[0].x + _CHAR_WIDTH * left[0].size * len(text) > gutter + 2 * left[0].size:
            lines += [*columns[0], *columns[1], text]
            columns = ([], [])
            continue
        for side, part in zip(columns, (left, right)):
            side += [_text(part)] if part else []
    return "\n".join([*lines, *columns[0], *columns[1]])


def _rows(pieces: Sequence[Piece]) -> list[list[list[Piece]]]:
    """Pieces on one line, in the order of drawing, in parts that a gap of two characters or more divides."""
    rows: list[list[list[Piece]]] = []
    y = 0.0
    for piece in pieces:
        if not rows or abs(piece.y - y) > max(1.0, 0.4 * piece.size):
            rows.append([[piece]])
            y = piece.y
            continue
        last = rows[-1][-1][-1]
        end = last.x + _CHAR_WIDTH * last.size * len(last.text)
        if piece.x > end + 2 * _CHAR_WIDTH * piece.size or piece.x - last.x > 150:
            rows[-1].append([piece])
        else:
            rows[-1][-1].append(piece)
    return rows


def _text(pieces: Sequence[Piece]) -> str:
    return " ".join(" ".join(piece.text for piece in pieces).split())


def _median(numbers: Sequence[int]) -> int:
    return sorted(numbers)[len(numbers) // 2]
