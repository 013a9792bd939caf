"""Reads the short documents of `stories/` and fills them with invented names and values.

`stories/FIELD.txt` holds documents, an empty line between them: lines of text, below each its questions (`? question | answer`, the
answer a part of the line), and questions that the document does not answer (`! question`). `{person}`, `{money2}`, … are slots; the
same slot is the same value throughout a document. One document in eight is held out for measuring.
"""

import pathlib
import random
import re
import zlib

from make_student.lexicon import DAYS
from make_student.values import draw_name, draw_number, draw_value
from make_student.world import Unit, World

STORIES = pathlib.Path(__file__).parent / "stories"
COLOURS = "red blue green white black grey yellow brown silver golden orange purple pink turquoise beige".split()
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
SLOT = re.compile(r"\{([a-z]+)\d*\}")


def read_stories(held_out: bool) -> dict[str, list[list[str]]]:
    """The documents of one side of the held-out line by field, each as its lines."""
    fields = {}
    for file in sorted(STORIES.glob("*.txt")):
        documents = [text.split("\n") for text in re.split(r"\n\s*\n", file.read_text(encoding="utf-8").strip())]
        fields[file.stem] = [lines for lines in documents if (zlib.crc32("\n".join(lines).encode()) % 8 == 0) == held_out]
    return fields


TABLES = {side: read_stories(side) for side in (False, True)}


def draw_slot(kind: str, rng: random.Random, held_out: bool) -> str:
    """A value for a slot of one kind."""
    special = {"name": lambda: draw_name(rng, held_out), "street": lambda: draw_value("address", rng, held_out), "count": lambda: draw_number(rng),
               "day": lambda: rng.choice(DAYS), "room": lambda: f"{rng.choice(('room', 'hall', 'building', 'store'))} {rng.choice('ABCDEFGH')}{rng.randint(1, 99)}",
               "colour": lambda: rng.choice(COLOURS), "ordinal": lambda: rng.choice(ORDINALS), "percent": lambda: f"{rng.randint(1, 99)}{rng.choice((' %', '%', ' percent'))}"}
    return special[kind]() if kind in special else draw_value(kind, rng, held_out)


class Story(World):
    """A document of `stories/` with values in its slots; units and missing questions as any `World` has them."""

    def __init__(self, lines: list[str], rng: random.Random, held_out: bool):
        self.rng, self.held_out, self.units, self.missing = rng, held_out, [], []
        values: dict[str, str] = {}

        def fill(text: str) -> str:
            def value(slot: re.Match) -> str:
                if slot.group() not in values:
                    values[slot.group()] = draw_slot(slot.group(1), rng, held_out)
                return values[slot.group()]
            return SLOT.sub(value, text)

        gap, unit, asked = rng.choice((" ", " ", "\n")), None, {}
        for line in lines:
            mark, rest = line[:2], line[2:]
            if mark == "? ":
                question, answer = map(fill, rest.rsplit(" | ", 1))
                if answer not in asked:
                    asked[answer] = []
                    unit.facts.append(("story", asked[answer], answer))
                asked[answer].append(question)
            elif mark == "! ":
                self.missing.append([fill(rest)])
            else:
                unit, asked = self._lay(fill(line), gap), {}

    def _lay(self, text: str, gap: str) -> Unit:
        """Add a line of text: a sentence runs on, an item, a row, a heading or a pair stands alone."""
        alone = bool(re.match(r"[-*|#]|\d+\. ", text)) or text[-1] not in ".!?"
        if alone and self.units:
            self.units[-1].end = "\n"
        if item := re.match(r"([-*]|\d+\.) (.*)", text):
            self.add(item.group(1))
            text = item.group(2)
        return self.add(text[0].upper() + text[1:] if not item else text, end="\n" if alone else gap)


def draw_stories(rng: random.Random, held_out: bool, n: int) -> list[Story]:
    """`n` different documents, mostly of one field, so that they are easily confused."""
    field = rng.choice(list(TABLES[held_out]))
    chosen: list[list[str]] = []
    while len(chosen) < n:
        lines = rng.choice(TABLES[held_out][field if rng.random() < 0.7 else rng.choice(list(TABLES[held_out]))])
        if lines not in chosen:
            chosen.append(lines)
    return [Story(lines, rng, held_out) for lines in chosen]
