"""Facts of a line that names a thing and then lists values of it: "Sauna: £9 an hour, robe £2, open until 21:00"."""

import re

from lib.llm.offline.clauses import parse_clause
from lib.llm.offline.entry_values import ask_part
from lib.llm.offline.text import Unit
from lib.llm.offline.things import Thing, is_command, is_thing
from lib.llm.offline.values import MONTH


def entry_facts(unit: Unit) -> list[tuple]:
    """Drafts (kind, value, questions, score): one for each value of a line that names a thing and then lists values of it."""
    label, parts = _split(unit)
    if not label or not is_thing(label):
        return []
    thing = Thing(label)
    drafts, says_when = [], True
    for number, part in enumerate(parts):
        found = ask_part(thing, part, number == 0, ": " in unit.plain, says_when)
        says_when = says_when and bool(found) and all(kind in ("date", "time", "person") for kind, *_ in found)
        drafts.extend(draft for draft in found if draft[2])
    if {"date", "time"} <= {kind for kind, *_ in drafts}:  # "When" would ask for both
        drafts = [(*draft[:2], kept, draft[3]) for draft in drafts if (kept := [q for q in draft[2] if not q.startswith("When is ") and not q.startswith("When are ")])]
    asked: dict[str, set[str]] = {}
    for _, value, questions, _ in drafts:
        asked.setdefault(" ".join(questions[0].split()).lower(), set()).add(value)
    return [draft for draft in drafts if len(asked[" ".join(draft[2][0].split()).lower()]) == 1]  # a question that two values answer is none


_VERBS = re.compile(r"\b(?:is|are|was|were|has|have|had|may|must|can|will|would|should|do|does|did|says|said)\b")


def _split(unit: Unit) -> tuple[str, list[str]]:
    """A line's label and the parts behind it; ("", []) if it is no such line."""
    if unit.kind == "pair":
        label, rest = unit.cells
    elif unit.kind in ("item", "sentence") and "\n" not in unit.text:
        text = unit.plain
        match = re.match(r"([^:;|.!?]{3,60}?):\s(.+)$", text) or re.match(r"([^:;|.!?,]{3,60}?),\s(.+)$", text)
        if not match or match.group()[len(match[1])] == "," and (is_command(text) or _VERBS.search(text) or parse_clause(text)):
            return "", []
        label, rest = match.groups()
    else:
        return "", []
    rest = rest if rest.endswith(("a.m.", "p.m.")) else rest.rstrip(".")
    return label.strip(), [part.strip() for part in re.split(rf"(?:;|,(?!\s\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{MONTH})|\s[–—-])\s+", rest)]
