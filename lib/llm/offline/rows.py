"""Questions about a cell where the usual ones do not fit: a header that is a verb or a span of time, and rows without any header."""

import re

from lib.llm.offline.entry_values import PEOPLE
from lib.llm.offline.names import is_person
from lib.llm.offline.text import Unit
from lib.llm.offline.things import Thing, is_thing
from lib.llm.offline.values import TIME_UNIT, WEEKDAY, find_values
from lib.llm.offline.verbs import PARTICIPLES

_STATES = frozenset("ripe ready valid open closed due free available good suitable fit fresh safe".split())
_GOES_ON = re.compile(r"(keeps|lasts|takes|runs|stays)(?:\s(?:for|about))?$", re.IGNORECASE)
_HOLDS = re.compile(r"(contains|needs|requires|includes|covers|likes|eats|teaches|sells|offers|uses|wears|means|treats|helps with|may contain(?: traces of)?|can contain)$", re.IGNORECASE)
_SPAN = re.compile(
    r"(?:per |for )?(?:an? |the )?((?:whole |half |half an? |full |\w+ )?(?:day|hour|night|week|weekend|month|year|evening|morning|afternoon|low season|high season|season)s?)$",
    re.IGNORECASE,
)
_WHO = re.compile(r"(?:[a-z]+(?:er|or|ist|ian|ant|ent)|guide|lead|contact|host|coach|judge|cook|clerk|nurse|warden|pilot|vet)$")
_FOR_WHOM = re.compile(rf"(?:(?:price|fee|fare|charge|cost|ticket),?\s\(?(?:for\s)?)?({PEOPLE})\)?")
_NO_WHO = frozenset("number order letter water paper winner member answer offer room floor color colour place author cover weather plant amount event comment".split())


def ask_header(header: str, entity: str, cell: str, whole: str) -> list[str]:
    """Questions about a cell whose header is no noun, or says who, where or for how long; none for any other.

    Args:
        header: The column's header, as it stands within a question.
        entity: The row's name, as it stands within a question.
        cell: The value.
        whole: Kind of the value that the cell is, "" if it holds more or less than one.
    """
    if entity[:1].isdigit() or re.match(r"(?:above|up|below|over|under|between|beyond|more|less|from|all|other)\b", entity, re.IGNORECASE):
        return []
    thing = Thing(entity)
    name = entity if not thing.name.startswith("the ") else thing.name
    low = header.lower()
    if match := _GOES_ON.match(low):
        verb = match[1][:-1]
        return [f"How long {thing.do} {name} {verb}"] if whole == "measure" and TIME_UNIT.search(cell) else []
    if match := _HOLDS.match(low):
        if low.startswith(("may", "can")):
            traces = "Traces of what" if low.endswith("of") else "What"
            return [f"{traces} may be found in {name}", f"{traces} may be in {name}"]
        verb, _, rest = match[1].partition(" ")
        verb = {"teaches": "teach"}.get(verb, verb[:-1])
        return [f"What {thing.do} {name} {verb} {rest}".strip()]
    words = low.split()
    if len(words) == 2 and words[1] in ("from", "until", "since", "by", "in", "within", "for", "with", "to", "on", "at") and (words[0] in _STATES or words[0] in PARTICIPLES):
        state, prep = words
        if whole == "date" and prep == "on":
            return [f"When {thing.be} {name} {state}"]
        if whole in ("date", "time") and prep in ("from", "until", "since", "by"):
            return [f"{ {'from': 'From when', 'until': 'Until when', 'since': 'Since when', 'by': 'By when'}[prep] } {thing.be} {name} {state}".replace("  ", " ").strip()]
        if whole == "measure" and TIME_UNIT.search(cell) and prep in ("in", "within", "for"):
            return [f"{'For how long' if prep == 'for' else 'Within what time'} {thing.be} {name} {state}", *([f"How long {thing.be} {name} {state} for"] if prep == "for" else [f"How soon {thing.be} {name} {state}"])]
        if is_person(cell):
            return [f"By whom {thing.be} {name} {state}"] if prep == "by" else []
        return [f"What {thing.be} {name} {state} {prep}"] if prep in ("with", "for", "to", "by", "in") and not whole else []
    if whole == "money" and (span := _SPAN.match(low)):
        season = "season" in span[1]
        when = f"in the {span[1]}" if season else f"for {'half a' + span[1].removeprefix('half a').removeprefix('half') if span[1].startswith('half') else ('an ' if span[1][0] in 'aeio' or span[1].startswith('hour') else 'a ') + span[1]}"
        when = f"for {'' if span[1].startswith(('each', 'every')) else 'the '}{span[1]}" if re.match(r"(?:first|last|second|third|next|extra|each|every|other)\b", span[1]) else when
        when = when if not span[1].endswith("s") or season else f"for {span[1]}"
        return [f"What {thing.do} {name} cost {when}", f"How much {thing.do} {name} cost {when}", f"What is the price of {name} {when}"]
    if is_person(cell) and _WHO.fullmatch(low) and low not in _NO_WHO:
        return [f"Who is the {low} for {name}", f"What is the name of the {low} for {name}"]
    if low in ("where", "place", "venue", "location") and not whole and not re.search(r"\b(?:day|week|month|weekend|year|morning|afternoon|evening|midday|noon)s?\b", entity.lower()) and len(cell) > 2:
        return [f"Where {thing.be} {name}", f"In what place {thing.be} {name}"]
    if low == "time" and whole == "time":
        return [f"What time is given for {name}", f"For {name}, what time is given"]
    if low in ("time", "duration") and whole == "measure" and TIME_UNIT.search(cell):
        return [f"How much time is given for {name}", f"What length of time is given for {name}"]
    if re.fullmatch(WEEKDAY, entity) and re.fullmatch(r"[a-z]+[a-rt-z]", low) and low not in ("time", "open", "where", "who"):
        return [f"What is given for the {low} on {entity}" if low in ("morning", "afternoon", "evening", "night") else f"What is the {low} on {entity}"]
    if low in PARTICIPLES and whole in ("measure", "percent") and not TIME_UNIT.search(cell):
        return [f"What amount is {low} for {name}", f"For {name}, what amount is {low}"]
    if whole in ("date", "time") and (goes := re.fullmatch(r"(start|begin|end|open|close|finishe|leave|arrive)s", low)):
        return [f"When {thing.do} {name} {goes[1].replace('finishe', 'finish')}"]
    if low == "crew" and cell.isdigit():
        return [f"How many crew members {thing.do} {name} have", f"How many are in the crew of {name}"]
    if whole == "money" and (who := _FOR_WHOM.fullmatch(low)):
        return [f"What {thing.do} {name} cost for {who[1]}", f"How much {thing.do} {name} cost for {who[1]}", f"What do {who[1]} pay for {name}"]
    if low == "how much":
        return [f"How much is given for {name}", f"How much is listed for {name}"]
    if whole in ("date", "time") and (until := re.fullmatch(r"([a-z ]+) (until|from|since)", low)):
        return [f"{until[2].capitalize()} when is the {until[1]} for {name}"]
    if whole == "time" and re.fullmatch(r"(?:first|last|next|early|late) [a-z]+[a-rt-z]", low):
        return [f"When is the {low} for {name}", f"At what time is the {low} for {name}"]
    if re.fullmatch(r"\d[\d,]*", cell) and (many := re.fullmatch(r"([a-z]+[a-rt-z]s) ([a-z]+)", low)) and many[2] in PARTICIPLES:
        return [f"How many {many[1]} are {many[2]} for {name}", f"For {name}, how many {many[1]} are {many[2]}"]
    if whole == "money" and low in ("price", "fee", "fare", "charge", "cost") and thing.do == "do":
        return [f"What do {name} cost", f"How much do {name} cost"]
    return []


def bare_row_facts(unit: Unit) -> list[tuple]:
    """Drafts of a row whose header the passage does not hold: a cell that is the only one of its kind says itself what it is."""
    if unit.header or len(unit.cells) < 2 or not is_thing(unit.cells[0]):
        return []
    name = Thing(unit.cells[0]).name
    kinds = [_kind(cell) for cell in unit.cells[1:]]
    if len(kinds) == 1 and kinds != ["money"]:
        return []
    numbers = any(not kind and cell[:1].isdigit() for cell, kind in zip(unit.cells[1:], kinds, strict=True))  # one may be of any kind
    if any(re.fullmatch(r"[\d.,]+\s[a-z]+", cell) and kind in ("", "count", "number") for cell, kind in zip(unit.cells[1:], kinds, strict=True)):
        return []  # marks and rupees are money, too
    drafts = []
    for cell, kind in zip(unit.cells[1:], kinds, strict=True):
        if kinds.count(kind) == 1 and kind in _BARE and not (numbers and kind in ("time", "percent", "measure")):
            drafts.append((kind, cell, [question.format(name) for question in _BARE[kind]], 0.5))
    return drafts


_BARE = {
    "money": ("How much money is given for {}", "For {}, how much money is listed"),
    "time": ("What time is given for {}", "For {}, what time is listed"),
    "date": ("What date is given for {}", "For {}, what date is listed"),
    "measure": ("What length of time is given for {}", "For {}, what length of time is stated"),
    "percent": ("What percentage is given for {}", "For {}, what percentage is listed"),
    "person": ("Who is named for {}", "Whose name is given for {}"),
}


def _kind(cell: str) -> str:
    """What a cell plainly is: one value and nothing else; "" for a bare number and for words."""
    if is_person(cell):
        return "person"
    values = find_values(cell)
    if len(values) != 1 or len(values[0].text) < len(cell) - 1:
        return ""
    kind = values[0].kind
    if kind == "measure" and not TIME_UNIT.search(cell):
        return "other"
    return "days" if kind == "date" and not re.search(r"\d", cell) else kind
