"""Facts of table rows and of `key: value` lines."""

import re

from lib.llm.offline.casing import PREPOSITIONS
from lib.llm.offline.clauses import parse_clause
from lib.llm.offline.names import ROLE, is_person
from lib.llm.offline.rows import ask_header, bare_row_facts
from lib.llm.offline.text import Unit
from lib.llm.offline.things import Thing, is_common
from lib.llm.offline.values import find_values
from lib.llm.offline.verbs import PARTICIPLES
from lib.llm.offline.words import FUNCTION

_EMPTY = frozenset(("", "-", "–", "—", "n/a", "N/A", "?", "…"))
_NAME_KEYS = ("name", "title", "api name", "product", "id", "model")
_MONEY = re.compile(
    r"price|cost|fee|fare|charge|rate|amount|deposit|penalty|fine|budget|salary|wage|rent|income|expen|payment|total|sum|value|grant",
    re.IGNORECASE,
)
_NOT_KEYS = frozenset(
    "note notes important example examples warning tip see nb remark hint http https step figure table source e.g i.e".split()
)
_NUMBERED = re.compile(
    r"(?:clause|section|article|chapter|part|annex|appendix|rule|item|step|table|figure|paragraph|schedule|page|no\.?)\s(?:\d[\d.]*|[IVXLC]+|[A-Z])$",
    re.IGNORECASE,
)
_CURRENCY = re.compile(r"\s*\((?:EUR|GBP|USD|CHF|NOK|SEK|DKK|[£$€¥])\)")
_LEAVES = re.compile(r"^(leaves|departs|arrives)(?:\s(?:from|at|in))?(?:\s(\S.*))?$", re.IGNORECASE)


def row_facts(unit: Unit) -> list[tuple]:
    """Drafts (kind, value, questions, score): one for each cell of a row whose header is known."""
    if not unit.cells[0]:
        return []
    if not unit.header:
        return bare_row_facts(unit)
    label, drafts = unit.cells[0], []
    columns = unit.header[1:]
    if _starts_with_preposition(label) or re.search(r", \d", label):
        return []  # "Museum, 1 July to 31 August" names a thing and a time
    by_column = not unit.header[0].strip() or sum(map(_is_entity, columns)) * 2 > len(columns) and not _is_entity(label)
    for head, cell in zip(columns, unit.cells[1:]):
        if cell in _EMPTY or not head or len(cell.split()) > 12 or len(label.split()) > 9:
            continue
        attribute, entity = (label, head) if by_column else (head, label)
        if _starts_with_preposition(entity) or _starts_with_preposition(attribute):
            continue
        drafts.append(
            (
                "cell",
                cell,
                _ask_cell(_attribute(attribute), _entity(entity), cell, unit),
                0.7 if len(columns) < 8 else 0.5,
            )
        )
    return drafts


def _is_entity(text: str) -> bool:
    """Whether a heading names a thing ("MV Tansy Rowe", "Slip at Skarra Bay") rather than an attribute ("Price (EUR)")."""
    words = re.sub(r"\(.*?\)", "", text).split()
    if _LEAVES.match(text):
        return False
    return any(w[:1].isupper() and not w.isupper() for w in words[1:])


def _starts_with_preposition(text: str) -> bool:
    """Whether a heading is no name of anything: "From Skarra Bay", "Against"."""
    return text.split()[0].lower() in PREPOSITIONS


def _is_title(text: str) -> bool:
    """Whether every word that carries content has a capital: "Life in the Salt House", but not "Path and signs on Little Murr"."""
    return not any(w[:1].islower() and w not in FUNCTION for w in text.split())


def _attribute(text: str) -> str:
    """An attribute as it stands within a question."""
    text = _CURRENCY.sub("", text).strip().rstrip(":") or text
    text = "phone number" if text.lower() in ("phone", "telephone", "tel", "tel.") else text
    first = text.split()[0]
    return (
        text
        if first.isupper() and len(first) > 1 or any(c.isdigit() for c in text) or len(text.split()) > 1 and _is_title(text)
        else text[:1].lower() + text[1:]
    )


def _entity(text: str) -> str:
    """A row's or column's name as it stands within a question."""
    words = text.split()
    if words[0] in ("MV", "MS", "SS", "HMS"):
        return f"the {text}"
    proper = words[0].endswith(",") and not is_common(words[0][:-1]) or _is_title(text) or len(words) == 1 or any(w[:1].isupper() for w in words[1:]) or any(c.isdigit() for c in words[0])
    return text if proper else text[:1].lower() + text[1:]


def _ask_cell(attribute: str, entity: str, cell: str, unit: Unit) -> list[str]:
    if re.search(r"^(?:amount|quantity)\b", attribute.lower()):
        entity = entity if entity[1:2].isupper() else entity[:1].lower() + entity[1:]  # of leeks
    elif entity[:1].islower() and not re.search(r"\d|^(?:the|an?|each|every)\s|[^s]s$", entity) and len(entity.split()) in (2, 3, 4):
        entity = Thing(entity).name
    values = find_values(cell)
    whole = values[0].kind if values and len(values[0].text) >= len(cell) - 2 else ""
    if asked := ask_header(attribute, entity, cell, whole):
        return asked
    if leaves := _LEAVES.match(attribute):
        verb = {"leaves": "leave", "departs": "depart", "arrives": "arrive"}[leaves[1].lower()]
        place = {"leave": " {}", "depart": " from {}", "arrive": " at {}"}[verb].format(leaves[2]) if leaves[2] else ""
        owner = entity if entity[:1].isupper() or entity.startswith("the ") else f"the {entity}"
        return [f"When does {owner} {verb}{place}", f"At what time does {owner} {verb}{place}"] if whole == "time" else []
    if attribute.lower() in ("time", "date", "when", "day", "month", "year"):
        owner = entity if entity[:1].isupper() or entity.startswith("the ") else f"the {entity}"
        owner = f"the {owner.lower()}" if re.fullmatch(r"[A-Z][a-z]+(?:al|ing|ion|ment|ure|work|test)", owner) else owner
        return [f"When is {owner}"] if whole == "date" and not entity[:1].isdigit() else []
    if attribute.lower() in ("age", "ages", "age range") and re.match(r"\d", cell):
        return [f"For what age is {entity}", f"What age is {entity} for"]
    if attribute in PARTICIPLES:
        return [f"When was {entity} {attribute}"] if whole == "date" or re.fullmatch(r"1\d{3}|20\d\d", cell) else []
    if is_person(cell) and re.search(rf"\b{ROLE}$", attribute):
        return [f"Who is the {attribute} of {entity}", f"What is the name of the {attribute} of {entity}"]
    if whole == "money" or cell.lower() in ("free", "no charge", "free of charge"):
        price = attribute if _MONEY.search(attribute) else f"{attribute} price"
        costs = re.search(r"price|cost|fee|fare|charge|rate|ticket|member|adult|child|season", attribute.lower())
        plain = attribute.lower() in ("price", "cost", "fee", "fare", "charge")
        return [
            f"What is the {price} for {entity}",
            f"How much is the {price} for {entity}",
            *([f"What {Thing(entity).do} {entity} cost{'' if plain else f' ({attribute})'}"] if costs else []),
            f"For {entity}, what is the {price}",
        ]
    if (
        re.fullmatch(r"\d[\d,]*", cell)
        and re.search(r"[a-z]{2}s(?:$|\s(?:on|in|at|of)\s)", attribute)
        and not re.search(r"(?:year|no|number|status|class|address)$", attribute)
    ):
        return [
            f"How many {attribute} are given for {entity}",
            f"What is the number of {attribute} for {entity}",
            f"For {entity}, how many {attribute} are listed",
        ]
    if re.fullmatch(r"(?:[a-z]+ )?[a-z]+[a-rt-z]s", attribute) and not attribute.endswith(("us", "is")):
        return [f"What are the {attribute} of {entity}", f"For {entity}, what are the {attribute}"]
    if (
        attribute.split()[-1] in ("since", "at", "on", "in", "by", "for", "to", "from", "of", "with")
        or re.search(r"[a-z]{2}s$", attribute)
        and not attribute.endswith("ss")
    ):
        return [f"What is given under {attribute} for {entity}", f"For {entity}, what is given under {attribute}"]
    of = "for" if " of " in attribute or " at " in attribute else "of"
    return [
        f"What is the {attribute} {of} {entity}",
        f"For {entity}, what is the {attribute}",
        f"What {attribute} is listed for {entity}",
    ]


def _ask_key(attribute: str, be: str, value: str) -> list[str]:
    """Questions about a key that names its own subject, by what its value is."""
    values = find_values(value)
    kind = values[0].kind if values and values[0].start < 12 else ""
    if kind == "money" or value.lower().startswith("free"):
        return [f"How much {be} the {attribute}", f"What does the {attribute} cost" if be == "is" else f"What do the {attribute} cost"]
    if kind in ("date", "time") and be == "is" and not re.search(r"(?:time|date|day|year|hours?|period)$", attribute):
        return [f"When is the {attribute}"]
    if is_person(value):
        return [f"Who is the {attribute}"] if re.search(rf"\b{ROLE}$", attribute) else []
    return [f"What {be} the {attribute}"]


def pair_facts(unit: Unit, units: list[Unit]) -> list[tuple]:
    """Drafts from one `key: value` line; its subject is the passage's name, or the heading above it."""
    key, value = unit.cells
    key = key.replace("_", " ").strip()
    if (
        key.lower() in _NOT_KEYS
        or _NUMBERED.match(key)
        or not key
        or _starts_with_preposition(key)
        or len(key.split()) > 2
        and key.isupper()
        or re.search(r"\b(?:code|example|import)\b", key.lower())
        or not any(c.isalpha() for c in key)
        or len(value) > 160
        or value in _EMPTY
        or any(v.kind == "date" for v in find_values(key))
        or parse_clause(f"{key}.")
        or len(key.split()) > 1 and (key.split()[-1] in PARTICIPLES or key.split()[-1] in ("present", "absent"))
        or re.search(r"\bplease\b|\b(?:to|of|for|with|from|by)$", key.lower())
    ):
        return []
    named = next(
        (
            u.cells[1]
            for u in units
            if u.kind == "pair" and u.cells[0].replace("_", " ").lower() in _NAME_KEYS and u is not unit
        ),
        "",
    )
    if (
        find_values(value)
        and find_values(value)[0].kind == "money"
        and unit.headings
        and ("..." in unit.text or "___" in unit.text)
    ):
        group = unit.headings[-1]
        group = group.lower() if group.isupper() else group
        return [
            (
                "cell",
                value,
                [
                    f"What is the price of \"{key}\" ({group})",
                    f"How much is \"{key}\" ({group})",
                ],
                0.6,
            )
        ]
    subject = named or (unit.headings[-1] if unit.headings else "")
    if re.match(r"(?:Minutes|Notes|Report|List|Rules|Notice|Record) of ", subject):
        subject = f"the {subject[0].lower()}{subject[1:]}"
    elif not named:
        subject = subject.partition(": ")[0] if len(subject.partition(": ")[0].split()) > 2 else subject  # "Hiring machines: conditions"
    attribute = _attribute(key)
    attribute = re.sub(r"\b(?:api|url|id|sql|http|cpu|gpu|ram)\b", lambda m: m.group().upper(), attribute)
    own = find_values(value) and find_values(value)[0].kind == "money" and re.search(r"[a-z] (?:to|of|for|in|at|on|with|from|per|by) [\w']", attribute)
    if not named and (own or re.match(r"[A-Z][a-z]+ (?:the|an?|your|our|us)\b", subject)):
        subject = ""  # the key is whole in itself; "Visit the mill" has no price
    be = (
        "are"
        if re.search(r"[a-z]{2}s(?:$|\sof\s)", attribute) and not re.search(r"(?:ss|us|is|address|status)$", attribute)
        else "is"
    )
    if not named and subject and (_starts_with_preposition(subject) or parse_clause(subject) or subject[:1].isdigit()):
        return []  # a heading that names nothing: "On 16 November 2024"
    if not named and (len(subject.split()) == 1 and value[-1:] in "-," or value[:1].islower() and len(value.split()) >= 5 and not find_values(value)):
        return []
    if subject.isupper() and len(subject.split()) > 2:
        subject = re.sub(r"(?<=\s)(?:Of|And|The|For|In|At|On)\b", lambda m: m.group().lower(), subject.title())
    if is_person(value) and subject and re.search(rf"\b{ROLE}$", attribute):
        return [("cell", value, [f"Who is the {attribute} of {subject}", f"What is the {attribute} of {subject}"], 0.6)]
    if subject and len(subject.split()) <= 10 and subject.lower() != key.lower():
        return [
            (
                "cell",
                value,
                [
                    f"What {be} the {attribute} of {subject}",
                    f"What {attribute} {be} given for {subject}",
                    f"For {subject}, what {be} the {attribute}",
                ],
                0.6,
            )
        ]
    if len(key.split()) >= 2 and key[:1].isupper() and not _is_title(key) and not any(c.isdigit() for c in key):
        return [("cell", value, _ask_key(attribute, be, value), 0.3)]
    return []
