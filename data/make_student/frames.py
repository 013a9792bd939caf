"""Reads the wordings of the invented world: what can be said about a thing, and how people ask for it.

`wordings/KIND.txt` holds blocks, an empty line between them: `label | value type`, then statements (`- `) and questions (`? `).
`S` is the subject, `V` the value. A statement that starts with `S ` can also follow "It" or "and". The last statement and the
last question of each block are held out for measuring.
"""

import pathlib

WORDINGS = pathlib.Path(__file__).parent / "wordings"

FILLERS = """Please keep this page at hand.;More details follow in the next issue.;Questions can be put at the front desk.
All figures are subject to change.;The list is checked twice a year.;Thank you for your patience.;See also the notes at the end.
This replaces all earlier versions.;The board thanks everyone who helped.;Changes are announced on the notice board.
There were no further remarks.;Please read the house rules first.;We look forward to seeing you.;Spare copies lie at the entrance."""
FILLERS = FILLERS.replace("\n", ";").split(";")


def read_kinds(held_out: bool) -> dict[str, list[tuple[str, str, list[str], list[str]]]]:
    """Rows (label, value type, statements, questions) of each kind; the training side lacks the last wordings, the held-out side has only these."""
    def side(lines: list[str], mark: str) -> list[str]:
        wordings = [line[2:] for line in lines if line.startswith(mark)]
        return wordings[-1:] if held_out else wordings[:-1]

    kinds = {}
    for file in sorted(WORDINGS.glob("*.txt")):
        kinds[file.stem] = []
        for block in file.read_text(encoding="utf-8").strip().split("\n\n"):
            first, *lines = block.split("\n")
            label, value = first.split(" | ")
            kinds[file.stem].append((label, value, side(lines, "- "), side(lines, "? ")))
    return kinds
