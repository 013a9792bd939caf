"""Facts that phrases state without a clause: "the ferry manager, Rhona Sandvik"; "Fire pump, built 2004, kept in the ice house"."""

import re

from lib.llm.offline.casing import DETERMINERS, lower_start
from lib.llm.offline.clauses import parse_clause
from lib.llm.offline.names import PERSON, ROLE, is_person
from lib.llm.offline.values import WEEKDAY, YEAR, find_values
from lib.llm.offline.verbs import FINITE, PARTICIPLES
from lib.llm.offline.wording import phrase_until
from lib.llm.offline.words import NUMBER_WORDS

_ROLE_NAME = re.compile(
    rf"\b([Tt]he|[Oo]ur)\s((?:[a-z][a-z-]+\s){{0,3}}{ROLE})((?:\s(?:of|at|for)\s(?:the\s)?[A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+){{0,3}})?)(?:,\s|\s)({PERSON})"
)
_NAME_ROLE = re.compile(
    rf"(?<![\w'’-])({PERSON}),\s(?:who is\s)?(?:the\s)?((?:[a-z][a-z-]+\s){{0,3}}{ROLE})(?=[,.;]|\sof\b|$)((?:\sof\s(?:the\s)?[A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+){{0,3}}){{0,2}})"
)
_OF = re.compile(
    r"\b(?:a|an|the)\s((?:[a-z][a-z-]+\s){1,2}(?:fee|price|charge|fine|deposit|fare|limit|length|width|height|depth|weight|capacity|speed|area|rent|budget|grant|salary))\sof\s$"
)


def phrase_facts(sentence: str) -> list[tuple]:
    """Drafts (kind, value, questions, score) from phrases anywhere in a plain sentence."""
    drafts = []
    for match in _ROLE_NAME.finditer(sentence):
        drafts.extend(_role(match.group(2) + match.group(3), match.group(4)))
    for match in _NAME_ROLE.finditer(sentence):
        drafts.extend(_role(match.group(2) + match.group(3), match.group(1)))
    if post := re.match(rf"([A-Z][a-z]+(?:[ -][a-z]+){{0,3}}):\s({PERSON})(?=[,.;(]|$|\s\()", sentence):
        role = post.group(1)[0].lower() + post.group(1)[1:]
        drafts.extend(_role(role, post.group(2)) if re.search(rf"\b{ROLE}$", role) else [])
    for value in find_values(sentence):
        if value.kind in ("money", "measure", "percent") and (match := _OF.search(sentence[: value.start])):
            what = match.group(1)
            drafts.append(
                (
                    value.kind,
                    value.text,
                    [
                        f"How much is the {what}" if value.kind == "money" else f"What is the {what}",
                        f"What does the {what} amount to",
                    ],
                    0.4,
                )
            )
    drafts.extend(_fragments(sentence))
    return drafts


def _role(role: str, person: str) -> list[tuple]:
    if not is_person(person) or role.split()[0] in (
        "former",
        "last",
        "new",
        "late",
        "then",
        "first",
        "second",
        "same",
        "other",
    ) or set(role.split()) & {"by", "its", "his", "her", "their", "with", "and", "from"}:
        return []
    named = 0.2 if len(role.split()) > 1 else -0.2
    return [
        (
            "person",
            person,
            [
                f"Who is the {role}",
                f"What is the name of the {role}",
                f"Who holds the post of {role}",
                f"Can you tell me who the {role} is",
            ],
            0.8 + named,
        )
    ]


def _fragments(sentence: str) -> list[tuple]:
    """Facts of a list-like line without a verb: its head, then attributes between commas."""
    parts = [part.strip() for part in re.split(r",\s+|;\s+", sentence.rstrip("."))]
    head = re.sub(r"^(?:[A-Z]?\d{1,2}[.)]\s*)", "", parts[0])
    words = head.split()
    if (
        len(parts) < 2
        or not 1 <= len(words) <= 6
        or parse_clause(sentence)
        or re.search(r"[:()|]", head)
        or find_values(head)
    ):
        return []
    if words[0].lower() in NUMBER_WORDS or words[0].lower() in (
        "if",
        "when",
        "in",
        "on",
        "at",
        "for",
        "from",
        "as",
        "while",
        "although",
        "after",
        "before",
        "by",
        "with",
        "to",
        "but",
        "and",
    ):
        return []
    if any(
        w.lower() in ("is", "are", "was", "were", "has", "have", "had", "may", "must", "can", "will")
        for w in sentence.split()
    ):
        return []
    proper = all(w[:1].isupper() for w in words) and len(words) > 1
    name = lower_start(head) if proper or words[0].lower() in DETERMINERS else f"the {lower_start(head)}"
    name = name if proper or not name.startswith("the ") else "the " + name[4:5].lower() + name[5:]
    drafts = []
    for part in parts[1:]:
        drafts.extend(_attribute(name, part))
    return drafts


def _attribute(name: str, part: str) -> list[tuple]:
    match = re.match(
        r"(?:(last|first|next|newly|originally)\s)?([a-z]+ed|built|made|kept|bought|held|laid|sold|known|hung|set)\s(?:(in|on|at|from|since|by)\s)?(.+)$",
        part,
    )
    values = find_values(part)
    if match and match.group(2) in PARTICIPLES:
        adverb, verb, prep, rest = match.group(1) or "", match.group(2), match.group(3) or "", match.group(4)
        dates = [v for v in values if v.kind == "date"] or ([m] if (m := re.match(YEAR, rest)) else [])
        dates = [d if hasattr(d, "text") else None for d in dates]
        date = dates[0].text if dates and dates[0] else (re.match(YEAR, rest).group() if re.match(YEAR, rest) else "")
        if date and rest.startswith(date) and prep in ("", "in", "on") and not re.match(rf"{WEEKDAY}(?!,? \d)", date):
            return [
                (
                    "date",
                    date,
                    [
                        f"When was {name} {adverb} {verb}",
                        f"In which year was {name} {adverb} {verb}"
                        if re.fullmatch(YEAR, date)
                        else f"On what date was {name} {adverb} {verb}",
                    ],
                    0.9,
                )
            ]
        if prep == "by" and is_person(rest):
            return [("person", rest, [f"Who {verb} {name}", f"By whom was {name} {verb}"], 0.8)]
        if prep in ("in", "on", "at") and re.match(r"(?:the\s|a\s|[A-Za-z]+ \d|[A-Z])", rest) and not values:
            place = f"{prep} {phrase_until(rest, 8)}"
            return [("place", place, [f"Where is {name} {verb}", f"In what place is {name} {verb}"], 0.8)]
    attribute = re.match(r"([a-z]+(?:\s[a-z]+)?)\s$", part[: values[0].start]) if values else None
    if (
        attribute
        and FINITE.get(attribute.group(1), ("", ""))[1] != "third"
        and values[0].kind in ("measure", "money", "percent", "date", "count")
        and attribute.group(1).split()[-1]
        not in ("in", "on", "at", "of", "to", "for", "with", "a", "the", "and", "from", "by", "against", "over", "under")
    ):
        what = attribute.group(1)
        return [
            (values[0].kind, values[0].text, [f"What is the {what} of {name}", f"What {what} does {name} have"], 0.7)
        ]
    return []


def document_facts(sentence: str, headings: tuple[str, ...]) -> list[tuple]:
    """What a line without a subject says about the document whose heading stands above it: "Revised on 10 March 2025." """
    match = re.match(
        r"(Valid|In force|Revised|Issued|Approved|Adopted|Published|Updated|Counted|Last updated|Established|Founded|Built|Opened)\s(?:(from|on|in|since|until)\s)?(.*)$",
        sentence,
    )
    values = [v for v in find_values(match.group(3)) if v.kind == "date"] if match and headings else []
    title = headings[0] if headings else ""
    if not values or values[0].start > 4 or len(title.split()) > 10:
        return []
    state, prep, rest = match.group(1).lower(), match.group(2) or "", match.group(3)
    title = (
        re.sub(r"(?<=\s)(?:Of|And|The|For|In|At|On)\b", lambda m: m.group().lower(), title.title())
        if title.isupper()
        else title
    )
    title = title.removeprefix("The ")
    value = values[0].text
    if state in ("valid", "in force"):
        if len(values) > 1 and prep == "from" and re.match(r"\s(?:to|until)\s", rest[values[0].end :]):
            value = f"from {rest[values[0].start : values[1].end]}"
            return [("date", value, [f"When is the {title} {state}", f"For what period is the {title} {state}"], 0.8)]
        return (
            [("date", value, [f"From when is the {title} {state}", f"Since when is the {title} {state}"], 0.8)]
            if prep in ("from", "since")
            else []
        )
    return [("date", value, [f"When was the {title} {state}", f"On what date was the {title} {state}"], 0.8)]
