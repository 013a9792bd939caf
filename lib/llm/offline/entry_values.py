"""What is asked of one part of a list line, by the kind of its value: a price, a length, a time, a day, a number, a place, a person."""

import re

from lib.llm.offline.casing import PREPOSITIONS
from lib.llm.offline.names import PERSON, ROLE, is_person
from lib.llm.offline.things import MASS, Thing
from lib.llm.offline.values import TIME_UNIT, WEEKDAY, YEAR, Value, find_values
from lib.llm.offline.verbs import FINITE, PARTICIPLES
from lib.llm.offline.words import FUNCTION

_SIZE = r"(?:small|large|medium|big|half|whole|single|double|short|long|new|used|old|return|simple|express)"
PEOPLE = (
    r"(?:children|adults|members|non-members|guests|pensioners|students|pupils|families|groups|residents|visitors|dogs|seniors|firms|beginners|couples|locals|strangers|others|schools|clubs)"
)
_PER = r"(?:(?:an?|per|each|every|for each|for every|for an?)\s(?!more\b|further\b|additional\b|other\b|little\b|few\b|lot\b|bit\b)[a-z][a-z-]*(?:\s(?!and\b|or\b|with\b)[a-z-]+){0,2})"
_MONEY_TAIL = re.compile(rf"(?:\s(?P<per>{_PER}|each|apiece|for two))?(?:\s(?:extra|only|in all|on top|in advance|in cash|plus VAT|surcharge|once))?$")
_ADJECTIVE = {"long": "length", "wide": "width", "high": "height", "tall": "height", "deep": "depth", "thick": "thickness", "heavy": "weight", "old": "age", "across": "", "apart": "", "away": ""}
_TIMED = re.compile(r"^(?:(?:an?|the)\s)?(?:whole |half |half an? |full )?(?:day|hour|night|week|weekend|month|year|evening|morning|afternoon|season)s?$")
_FULL_UNIT = {
    "kg": "kilograms", "g": "grams", "t": "tonnes", "l": "litres", "L": "litres", "ml": "millilitres", "m": "metres", "cm": "centimetres", "mm": "millimetres", "km": "kilometres",
    "kW": "kilowatts", "W": "watts", "kWh": "kilowatt hours", "V": "volts", "A": "amps", "ha": "hectares", "min": "minutes", "h": "hours", "hrs": "hours", "ft": "feet", "lb": "pounds",
    "m²": "square metres", "km²": "square kilometres", "m³": "cubic metres", "GB": "gigabytes", "MB": "megabytes", "°C": "degrees Celsius", "bar": "bar",
}  # fmt: skip
_QUALITY = frozenset(("length", "width", "height", "depth", "weight", "area", "power", "speed", "capacity", "size", "thickness", "diameter", "range", "load", "draught", "output", "voltage", "temperature"))
_RATE = re.compile(r"(?:discount|surcharge|interest|tax|share|reduction|rebate|vat|commission|rise|increase)\b", re.IGNORECASE)
_CHARGE = re.compile(r"(?:deposit|fee|fees|fine|token|charge|supplement|replacement|refill|repair|fare|ticket|hire|insurance|delivery|postage|cleaning|fitting|parking|licence|surcharge|reward|bail|rent)$")
_PLACE = re.compile(
    r"(?:(?:in|at|on|behind|under|beside|near|opposite|next to|inside|outside|above|below)\s(?:the|a|an|our)\s(?!end|care|name|title|way|morning|afternoon|evening|beginning|help|hands|control|same|other|order|case|age|time|rain|dark)[^\d(]{3,40}|(?:in\s)?(?:room|hall|building|gate|counter|platform|bay|pitch|workshop)\s[A-Z\d][\w-]{0,5})$"
)
_PHONE = re.compile(r"(?:phone|tel\.?|telephone)\s(\+?\d[\d /-]{4,}\d)$")


def ask_part(thing: Thing, part: str, is_first: bool, is_pair: bool, says_when: bool = False) -> list[tuple]:
    """Drafts (kind, value, questions, score) of one part between commas; none where its sense is not plain.

    Args:
        thing: What the line is about.
        part: The part.
        is_first: Whether it stands right behind the label.
        is_pair: Whether a colon stands before it.
        says_when: Whether all that stands before it are days, hours and people: then an hour is the thing's own.
    """
    part = re.sub(r"^(?:and|or|but|also|then|now)\s", "", part)
    if re.match(r"(?:not|no|never|without|except|if|unless|when)\b", part):
        return []
    if phone := _PHONE.match(part):
        return [("cell", phone[1], [f"What is the phone number for {thing.name}", f"What number do I ring for {thing.name}"], 0.7)]
    values = find_values(part)
    if not values:
        return _ask_words(thing, part, is_first, is_pair)
    if len(values) == 2 and (both := _ask_day_and_time(thing, part, values, (is_first or says_when) and is_pair)):
        return both
    if any(v.kind in ("money", "percent", "measure", "time", "date") for v in values[1:]):
        return []
    value = values[0]
    before, after = part[: value.start].strip(), part[value.end :].rstrip()
    if built := _ask_participle(thing, value, before, after):
        return built
    if value.kind == "money":
        return _ask_money(thing, value.text, before, after, is_first)
    if value.kind == "measure":
        return _ask_measure(thing, value.text, before, after, is_first and is_pair)
    if value.kind == "percent" and (is_first or after) and not before and _RATE.search(thing.name):
        if not re.fullmatch(r"(?:\s(?:on|for|in|from|of|with)\s[a-z ]{3,30})?", after):
            return []
        rate = thing.name if thing.name.startswith("the ") else f"the {thing.name}"
        return [("percent", value.text, [f"What percentage is {rate}{after}", f"How high is {rate}{after}"], 0.7)]
    if value.kind in ("time", "date"):
        return _ask_when(thing, value, before, after, (is_first or says_when) and is_pair)
    if value.kind in ("count", "number"):
        return _ask_count(thing, value.text, before, after)
    return []


def _ask_participle(thing: Thing, value: Value, before: str, after: str) -> list[tuple]:
    """ "bought 2016", "last painted in May 2020" → "When were … bought?"."""
    match = re.fullmatch(r"(?:(last|first|newly|originally)\s)?([a-z]+)(?:\s(?:in|on))?", before)
    year = re.fullmatch(YEAR, value.text)
    if not match or match[2] not in PARTICIPLES or after.strip() or not (year or value.kind == "date") or re.match(WEEKDAY, value.text):
        return []
    deed = f"{thing.was} {thing.name} {match[1] or ''} {match[2]}"
    return [("date", value.text, [f"When {deed}", f"In which year {deed}" if year else f"On what date {deed}" if re.match(r"\d{1,2}\s", value.text) else f"Can you tell me when {thing.name} {thing.was} {match[2]}"], 0.9)]


def _ask_money(thing: Thing, value: str, before: str, after: str, is_first: bool) -> list[tuple]:
    tail = _MONEY_TAIL.match(after)
    if not tail:
        return []
    per = tail["per"] or ""
    if per in ("each", "apiece"):
        per = ""
        if thing.do == "do" and not before:
            all_of = thing.name if thing.name.startswith("the ") else f"the {thing.name}"
            return [("money", value, [f"What does each of {all_of} cost", f"How much does each of {all_of} cost"], 0.9)]
    before = before.removesuffix(" only").removesuffix(":").strip()
    if not before:
        if not is_first and len(find_values(thing.name)) and not per:
            return []
        much = [f"How much {thing.be} {thing.name} {per}"] if len(thing.name.split()) > 4 or not thing.name.startswith("the ") else []  # "How much is the boat" asks for its share
        return [("money", value, [f"What {thing.do} {thing.name} cost {per}", *much, f"How much {thing.do} {thing.name} cost {per}", f"What is the price of {thing.name} {per}"], 0.9)]
    if len(before.split()) > 4 or any(c.isdigit() for c in before):
        return []
    low = before.lower()
    cost = f"{thing.do} {thing.name} cost"
    if low in ("reduced", "normal", "full", "standard", "regular"):
        return [("money", value, [f"What is the {low} price of {thing.name} {per}", f"How high is the {low} price of {thing.name} {per}"], 0.7)]
    if re.fullmatch(_SIZE, low):
        if (plain := re.fullmatch(r"(?:the )?([a-z-]+(?: [a-z-]+)?)", thing.name)) and " of " not in thing.name:
            sized = f"{'the ' if thing.name.startswith('the ') else ''}{low} {plain[1]}"
            return [("money", value, [f"What {thing.do} {sized} cost {per}", f"How much {thing.do} {sized} cost {per}"], 0.8)]
        return [("money", value, [f"What {cost} ({low}) {per}", f"How much {cost} ({low}) {per}"], 0.7)]
    if re.fullmatch(rf"(?:for )?{PEOPLE}", low):
        who = low.removeprefix("for ")
        return [("money", value, [f"What {cost} for {who} {per}", f"How much {cost} for {who} {per}", f"What do {who} pay for {thing.name} {per}"], 0.9)]
    if _TIMED.match(low):
        span = low if re.match(r"(?:an?|the)\s", low) or low.endswith("s") else f"half a{'n' if 'hour' in low else ''} {low[5:]}" if low.startswith("half ") else f"{'an' if low[0] in 'aeiouh' and low != 'half' else 'a'} {low}"
        return [("money", value, [f"How much {cost} for {span}", f"What {cost} for {span}"], 0.9)]
    words = low.split()
    if words[0] in ("on", "in", "at", "with", "for", "after", "before", "from", "under") and len(words) > 1 and words[-1] not in FUNCTION:
        return [("money", value, [f"How much {cost} {before} {per}", f"What {cost} {before} {per}"], 0.8)]
    if set(words) & (PREPOSITIONS - {"of", "for", "with"}) or words[0] in FUNCTION or words[-1] in FUNCTION or set(words) & FINITE.keys() or set(words) & PARTICIPLES.keys():
        return []
    if words[-1].endswith(("ly", "wards")) or words[-1] in ("about", "around", "over", "than", "level", "damage", "damages", "rises", "budget", "maximum", "minimum", "plus", "again", "further", "weighing", "costing", "worth", "measuring", "holding", "per") or low in ("cost", "price", "costs"):
        return []
    be = "are" if re.search(r"[^su]s$", low.split(" of ")[0]) else "is"
    what = before if be == "are" or MASS.search(low) or before[:1].isupper() else f"the {before}"
    if _CHARGE.search(low):
        return [("money", value, [f"How much {be} {what} for {thing.name} {per}", f"For {thing.name}, how much {be} {what} {per}"], 0.8)]
    return [("money", value, [f"For {thing.name}, how much {be} {what} {per}", f"For {thing.name}, what is the price of {what} {per}"], 0.7)]


def _ask_measure(thing: Thing, value: str, before: str, after: str, is_bare: bool) -> list[tuple]:
    tail = after.strip()
    if not before and tail in _ADJECTIVE:
        second = [f"What is the {noun} of {thing.name}"] if (noun := _ADJECTIVE[tail]) else []
        opening = {"across": "How wide", "apart": "How far apart", "away": "How far away"}.get(tail, f"How {tail}")
        return [("measure", value, [f"{opening} {thing.be} {thing.name}", *second], 0.9)]
    if before.lower() in _QUALITY and not tail:
        return [("measure", value, [f"What is the {before.lower()} of {thing.name}", f"What {before.lower()} {thing.do} {thing.name} have"], 0.8)]
    number, _, unit = value.rpartition(" ") if " " in value else ("", "", re.sub(r"^[\d.,]+", "", value))
    unit = _FULL_UNIT.get(unit, unit)
    if before or tail not in ("", "each") or re.match(r"one\b|1\s", value):
        return []
    whom = f"each of {thing.name}" if tail and thing.be == "are" else thing.name
    if TIME_UNIT.search(value) and " a " not in value and not re.search(r"\b(?:an?|per)\b", value):
        many = [f"How many {unit} are given for {whom}"] if unit.endswith("s") and len(unit) > 3 else []
        return [("measure", value, [f"How long {thing.be} {thing.name}", *many, f"What length of time is given for {whom}"], 0.8)] if is_bare and not tail else []
    if unit in ("m²", "square metres", "hectares", "acres") and not tail:
        return [("measure", value, [f"How large {thing.be} {thing.name}", f"How many {'square metres' if unit == 'm²' else unit} {thing.do} {thing.name} have"], 0.8)]
    if re.search(r"[a-z]s$|^feet$", unit) and len(unit) > 3 and " " not in unit and number.count(" ") == 0:
        return [("measure", value, [f"How many {unit} are given for {whom}", f"For {whom}, how many {unit} are stated"], 0.6)]
    return []


def _ask_day_and_time(thing: Thing, part: str, values: tuple[Value, ...], is_bare: bool) -> list[tuple]:
    """ "Tuesdays at 18:30", "4 May, 10:00" as one part: the day and the hour, each asked for."""
    day, time = values
    if not is_bare or day.kind != "date" or time.kind != "time" or day.start or time.end != len(part) or not re.fullmatch(r",?\s(?:at|from)?\s?", part[day.end : time.start]):
        return []
    return [*_ask_when(thing, day, "", "", True), *_ask_when(thing, time, "", "", True)]


def _ask_when(thing: Thing, value: Value, before: str, after: str, is_bare: bool) -> list[tuple]:
    if after.strip() or re.search(r"\b(?:19|20)\d\ds$", value.text):
        return []
    whole = value.kind
    be, name = thing.be, thing.name
    if before.lower() in ("", "on", "at", "every") and is_bare:
        if whole == "time":
            if re.search(r"\d\s?(?:–|-|to)\s?\d", value.text):
                return [("time", value.text, [f"Between what times {be} {name}", f"From when to when {be} {name}"], 0.8)]
            return [("time", value.text, [f"At what time {be} {name}", f"What time {be} {name}"], 0.8)]
        days = re.match(WEEKDAY, value.text) and not re.search(r"\d", value.text)
        opening = "On which days" if days and re.search(r"days\b|and", value.text) else "On which day" if days else "On what date"
        return [("date", value.text, [f"When {be} {name}", *([f"{opening} {be} {name}"] if days or re.search(r"\d{1,2}(?:st|nd|rd|th)?\s(?:of )?[A-Z]", value.text) else [])], 0.8)]
    if opened := re.fullmatch(r"(open|closed|valid|available|free)\s(from|until|till|since|on)", before):
        opening = {"from": "From when", "until": "Until when", "till": "Until when", "since": "Since when", "on": "When"}[opened[2]]
        return [(whole, value.text, [f"{opening} {be} {name} {opened[1]}", f"Can you tell me {opening.lower()} {name} {be} {opened[1]}"], 0.8)]
    return []


def _ask_count(thing: Thing, value: str, before: str, after: str) -> list[tuple]:
    """ "40 seats", "seats 40", "for six people"."""
    if re.match(r"(?:one|1|a)\b", value):
        return []
    noun = re.fullmatch(r"\s((?:[a-z-]+\s)?[a-z-]+[a-rt-z]s|people|children)", after)
    if noun and re.search(r"(?:times|others|years|percent|marks|crowns)$", noun[1]):
        return []
    if noun and not before and not set(noun[1].split()) & FUNCTION:
        if thing.do == "do":
            return []  # of each or of all?
        if re.fullmatch(r"people|persons|passengers|guests|players", noun[1]):
            return [("count", value, [f"For how many {noun[1]} {thing.be} {thing.name}", f"How many {noun[1]} {thing.be} {thing.name} for"], 0.7)]
        return [("count", value, [f"How many {noun[1]} {thing.do} {thing.name} have", f"How many {noun[1]} are given for {thing.name}"], 0.8)]
    if noun and before in ("for", "for up to", "room for", "with room for", "space for") and re.search(r"people|persons|children|guests|players|adults", noun[1]):
        return [("count", value, [f"For how many {noun[1]} {thing.be} {thing.name}", f"How many {noun[1]} {thing.be} {thing.name} for"], 0.8)]
    if before in ("seats", "sleeps", "holds") and not after.strip() and thing.do == "does":
        verb = before[:-1]
        return [("count", value, [f"How many does {thing.name} {verb}", f"How many people does {thing.name} {verb}"], 0.8)] if verb != "hold" else []
    if before in ("crew", "seats", "pages", "rooms", "beds", "berths", "places", "players") and not after.strip():
        word = "crew members" if before == "crew" else before
        return [("count", value, [f"How many {word} {thing.do} {thing.name} have"], 0.8)]
    return []


def _ask_words(thing: Thing, part: str, is_first: bool, is_pair: bool) -> list[tuple]:
    """A part without a number: where a thing is, or who is named for it."""
    if _PLACE.match(part) and (is_first or not is_pair) and not re.search(r"\b(?:and|or|if|when|is|are)\b", part) and not set(part.split()) & FINITE.keys():
        return [("place", part, [f"Where {thing.be} {thing.name}", f"In what place {thing.be} {thing.name}"], 0.7)]
    person = re.match(rf"(?:((?:[a-z-]+\s)?{ROLE})\s|(with|by)\s)?({PERSON})$", part)
    if person and is_person(person[3]) and not re.search(rf"\b{ROLE}$", thing.name):
        if person[1]:
            return [("person", person[3], [f"Who is the {person[1]} of {thing.name}", f"What is the name of the {person[1]} of {thing.name}"], 0.8)]
        if person[2] == "with":
            return [("person", person[3], [f"With whom {thing.be} {thing.name}", f"Who {thing.be} {thing.name} with"], 0.8)]
        if not person[2]:
            return [("person", person[3], [f"Who is named for {thing.name}", f"Whose name is given for {thing.name}"], 0.6)] if is_pair else []
    return []
