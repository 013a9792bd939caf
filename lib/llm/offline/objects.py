"""Facts of a clause whose value is no number: who, where, what it is called, what it is, and what it does it to."""

import re

from lib.llm.offline.casing import DETERMINERS, PREPOSITIONS
from lib.llm.offline.clauses import Clause
from lib.llm.offline.identity import called, definition, identity
from lib.llm.offline.names import PERSON, ROLE, is_person
from lib.llm.offline.values import find_values
from lib.llm.offline.verbs import FINITE, NOUN_LIKE, PARTICIPLES, past_of, third_of
from lib.llm.offline.wording import dangles, phrase_until

_PLACE = re.compile(
    r"(?:^|(?<=\s))((?:in|on|at|under|beside|behind|above|below|near|opposite|next to|inside|outside|between|beneath|along)\s(?:the\s|a\s|an\s|its\s|(?=[A-Z]))[^,;:()]+|by\s(?:the|an?|its)\s[^,;:()]+)"
)
MEASURED = re.compile(  # "sold by the metre", "paid by the hour"
    r"by\s(?:the|an?)\s(?:[a-z]+\s)?(?:metre|meter|kilo|kilogram|pound|litre|pint|bottle|glass|slice|piece|dozen|bag|sack|box|crate|load|tonne?|gram|yard|foot|inch|bunch|page|sheet|head|hour|day|week|month|night|minute|year)\b"
)
_MAKER = re.compile(r"^by (?:[A-ZÀ-Þ&][\w'’.-]*\s?|(?:and|of|the)\s)+$")
_VAGUE_MANY = re.compile(r"(?:various|other|several|some|certain|many|such|different|most)\b", re.IGNORECASE)
_PLACE_VERBS = frozenset(
    "keep locate store hold situate base stand lie live find moor display house bury bear meet hang sell park put place mount print build grow stay open deliver show land moor launch meet".split()
)
_LYING_VERBS = frozenset("keep locate store situate place moor stand lie hang bury park sell put display house".split())
HUMAN_VERBS = frozenset(
    "lead found write design invent manage teach serve win develop propose direct run build discover create start introduce publish train supervise chair compose paint study establish organise organize review approve keep pioneer join lend give buy make innovate experiment criticise criticize tell report explain ask receive become suggest rebuild".split()
)
_OBJECT_VERBS = frozenset(
    "include contain require use carry take wear provide produce store cover offer show hold support comprise need receive sell serve cause connect replace consist mean prevent determine protect improve describe represent own allow feature teach handle minimize minimise maximise generate achieve attract host operate enjoy celebrate define reach enable measure link join face form adopt employ wash fill repair serve combine exceed influence involve lead reveal seek share measure monitor issue publish".split()
)


def object_facts(clause: Clause, when: str) -> list[tuple]:
    """Drafts (kind, value, questions, score) from one clause."""
    return [
        *_agent(clause, when),
        *_who_subject(clause, when),
        *called(clause),
        *_place(clause, when),
        *definition(clause, when),
        *_object(clause, when),
        *_recipient(clause, when),
        *identity(clause, when),
    ]


def _agent(clause: Clause, when: str) -> list[tuple]:
    """ "was built by Ada Nord in 1932" → "Who built …?"; "is run by the canteen" → "Who runs …?"."""
    match = re.search(r"(?:^|\s)by\s((?:the\s)?[A-ZÀ-Þ][^,;:()]*|the\s(?!\d)[^,;:()]*)", clause.rest)
    if not match or not clause.is_passive or clause.verb.endswith("ing") or len(clause.auxiliaries) != 1 or MEASURED.match(match.group().strip()):
        return []
    agent = re.split(
        r"\s(?:in|on|at|for|from|to|with|and (?:is|was|are|the)|who|which|that|as|after|before|during|since|until|when|while)\s",
        match.group(1),
        maxsplit=1,
    )[0].rstrip(".")
    context = clause.rest[: match.start()].strip()
    numbered = re.fullmatch(r"(?:[A-ZÀ-Þ][\w'’.-]*\s)+\d+", agent)  # "Jon Vale 50": a name with a number
    if set(context.split()) & PARTICIPLES.keys():
        return []  # "put to a conciliator named by …"
    if find_values(agent) and not numbered or len(agent.split()) > 6 or len(context.split()) > 5 or re.search(r"[,;:()]", context):
        return []
    person = is_person(agent)
    active = past_of(clause.base) if clause.auxiliaries[0] in ("was", "were") else third_of(clause.base)
    somebody = (
        person
        or re.search(rf"\b{ROLE}s?$", agent)
        or not agent.islower()
        and agent.startswith("the ")
        and "'s " not in agent
    )
    opening = "Who" if somebody else "Who or what"
    questions = [
        f"{opening} {active} {clause.subject} {context} {when}",
        f"By whom {clause.ask(context)} {when}",
        f"{opening} {clause.ask(context)} by {when}",
    ]
    return [("person", agent, questions if opening == "Who" else questions[:1], 1.0 if person else 0.7)]


def _who_subject(clause: Clause, when: str) -> list[tuple]:
    if not is_person(clause.subject) or clause.subject.split()[-1].lower() in clause.rest.split():
        return []  # "Gansey Patterns introduces the four patterns" is no person
    rest = phrase_until(clause.rest, 12)
    if clause.is_copula and re.match(rf"(?:the|a|an)\s[\w' -]*{ROLE}\b", clause.rest):
        return (
            [("person", clause.subject, [f"Who {clause.verb} {rest} {when}", f"What is the name of {rest}"], 1.0)]
            if rest.startswith("the ")
            else []
        )
    if (
        clause.base in HUMAN_VERBS
        and not clause.is_passive
        and len(rest.split()) >= 3
        and not dangles(rest)
        and not re.match(r"(?:that|in|on|at|to|by)\s", rest)
    ):
        return [
            (
                "person",
                clause.subject,
                [f"Who {clause.group} {rest} {when}", f"Which person {clause.group} {rest} {when}"],
                0.9,
            )
        ]
    return []


def _place(clause: Clause, when: str) -> list[tuple]:
    match = _PLACE.search(clause.rest)
    if match and MEASURED.match(match.group(1)):
        return []
    anywhere = (
        clause.is_passive
        and match
        and match.group(1).split()[0] in ("at", "beside", "under", "outside", "behind", "opposite", "inside")
    )
    if not (clause.is_copula or clause.base in _PLACE_VERBS or anywhere):
        return []
    if not match or (clause.is_copula and match.start() > 0):
        return []
    if match.group(1).startswith("by ") and clause.is_passive and clause.base not in _LYING_VERBS:
        return []  # "built by the council" names a maker
    context = _MAKER.sub("", clause.rest[: match.start()].strip())
    value = phrase_until(match.group(1), 10)
    value = re.split(
        r"\s(?:on|in|at|by|before|after|since|until|from|for)\s(?=\d|any\b|all\b|[A-Z][a-z]+ \d|the (?:morning|evening|day|year|first|last|same))",
        value,
    )[0]
    second = re.search(r"\s(?:and|or|but)\s(\w+)(?=\s|$)", value)
    if second and (second.group(1) in PARTICIPLES or second.group(1) in FINITE and second.group(1) not in NOUN_LIKE):
        value = value[: second.start()]  # "at the inn and returned the same evening"
    inside = [v for v in find_values(value) if v.kind in ("date", "time", "measure", "percent", "money")]
    abstract = re.match(
        r"(?:in|on|at|under|by)\s(?:the\s|a\s|an\s)?(?:case|end|same|way|form|course|risk|event|order|charge|control|time|least|most|process|name|basis|lead|company|condition|hands?|owner|beginning|middle|late|early|morning|evening|afternoon|weekend|winter|summer|spring|autumn|any|all|no|day|year|month|week|average|total)\b",
        value,
        re.IGNORECASE,
    )
    if (
        not value
        or inside
        or abstract
        or len(context.split()) > 3
        or re.search(r"[,;:()]|\b(?:and|or)\b", context)
        or find_values(context)
    ):
        return []
    if len(clause.subject.split()) == 1 and clause.is_copula and clause.subject.islower():
        return []
    return [
        (
            "place",
            value,
            [
                f"Where {clause.ask(context)} {when}",
                f"In what place {clause.ask(context)} {when}",
                f"Can you tell me where {clause.subject} {clause.group} {context}",
            ],
            0.9,
        )
    ]


def _recipient(clause: Clause, when: str) -> list[tuple]:
    """ "Complaints go to the ferry manager" → "To whom do complaints go?"."""
    match = re.search(rf"(?:^|\s)(to|from|with)\s((?:the\s(?:[a-z-]+\s){{0,2}}{ROLE}\b)|{PERSON})", clause.rest)
    if (
        not match
        or clause.is_copula
        or clause.base == "cost"  # "£6 from Kettle Wharf"
        or match.group(2).endswith(("'s", "’s"))
        or not (is_person(match.group(2)) or match.group(2).startswith("the "))
    ):
        return []
    context = clause.rest[: match.start()].strip()
    if len(context.split()) > 5 or re.search(r"[,;:()]|\b(?:and|or|which|who|that|only|from|to|in|on|at|by|for|with|through)\b", context):
        return []
    return [
        (
            "person",
            match.group(2),
            [
                f"{match.group(1).capitalize()} whom {clause.ask(context)} {when}",
                f"Who {clause.ask(context)} {match.group(1)} {when}",
            ],
            0.8,
        )
    ]


def _object(clause: Clause, when: str) -> list[tuple]:
    if _VAGUE_MANY.match(clause.subject) or clause.base not in _OBJECT_VERBS or clause.is_passive or clause.is_copula or clause.verb.endswith("ing"):
        return []
    if clause.base in ("contain", "include", "comprise", "need", "require", "mean", "sell", "serve") and re.fullmatch(
        r"[^;:().]{3,70}", clause.rest.rstrip(".")
    ):
        listed = clause.rest.rstrip(".")
        if (
            not find_values(listed)
            and len(listed.split()) <= 9
            and not re.search(r"\b(?:which|who|that|because|when|if|so|but|while|it|them)\b", listed)
        ):
            return [
                (
                    "object",
                    listed,
                    [f"What {clause.ask('')} {when}", f"Can you tell me what {clause.subject} {clause.group} {when}"],
                    0.7,
                )
            ]
    value = re.split(
        r"\s(?:to|for|from|at|on|in|with|by|after|before|during|until|within|per|into|under|over|without|using|through)\s",
        phrase_until(clause.rest, 12) + " ",
    )[0].strip()
    first = value.split()[0].lower() if value else ""
    if (
        not 1 <= len(value.split()) <= 8
        or find_values(value)
        or first in PREPOSITIONS
        or first in ("it", "them", "place", "part", "him", "her", "us", "you", "to", "up", "off", "care", "no")
        or value.endswith(("ing", " of"))
    ):
        return []
    if not (first in DETERMINERS or value.split()[-1].endswith("s") or value[:1].isupper() or " and " in value):
        return []
    after = clause.rest[len(value) :] if clause.rest.startswith(value) else ""
    if re.search(r"\s(?:down|up|out|off|away|back|in|on)$", value) or re.match(r",\s(?:the|an?|[a-z]+)\s[^,;]{0,30}\b(?:and|or)\s", after):
        return []  # a verb's particle; the first of a list
    if clause.base in ("contain", "include", "comprise", "consist") and after.startswith(","):
        return []  # the first of a list
    if clause.base in ("allow", "enable", "require", "cause") and after.startswith(" to "):
        return []  # what is allowed is the deed and not the doer
    tail = (
        phrase_until(after.strip(), 6)
        if re.match(r"\s(?:at|on|in|with|from|for)\s", after) and not find_values(after)
        else ""
    )
    return [
        (
            "object",
            value,
            [f"What {clause.ask(tail)} {when}", f"Can you tell me what {clause.subject} {clause.group} {tail} {when}"],
            0.5,
        )
    ]
