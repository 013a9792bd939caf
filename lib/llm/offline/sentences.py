"""Facts that a plain English sentence states, clause by clause. Prefers no question to a doubtful one."""

import re

from lib.llm.offline.adjuncts import adjunct_facts
from lib.llm.offline.amounts import ask_value
from lib.llm.offline.casing import Casing, lower_start
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.objects import object_facts
from lib.llm.offline.values import LIMIT, MONTH, WEEKDAY, YEAR, Value, find_values
from lib.llm.offline.verbs import AUXILIARY, is_verb
from lib.llm.offline.wording import before_preposition, cut, dangles, forms, plural_noun
from lib.llm.offline.words import NUMBER_WORDS

_SPLIT = re.compile(r";\s+|,\s+(?:and|but|so|while)\s+")
_LEAD = re.compile(
    rf"^(In|On|From|Since|Until|By|During|At|Before|After)\s((?:the\s)?(?:early\s|late\s|mid-?\s?)?(?:\d{{1,2}}\s)?(?:{MONTH}\s)?(?:{YEAR}s?)|\d{{1,2}}\s{MONTH}|{MONTH}\s\d{{1,2}}(?:,\s{YEAR})?|{MONTH}|{WEEKDAY})\b,?\s+(?=\w)"
)
_LEAD_PLACE = re.compile(
    r"^(On|In|At|Inside|For)\s((?:the\s)?[A-ZÀ-Þ][\w'’-]+(?:\s[A-ZÀ-Þ][\w'’-]+)*),?\s+(?=(?:the|a|an|each|every|\d+|[a-z]+s)\s)"
)
_LEAD_OTHER = re.compile(
    r"^(?:(In|On|At|During|For|From|Under|By|Inside|Outside|Until|After|Before)\s([^,;:]{2,40})|(?:With|Made|Supported|Following|Despite|Built|Designed|Located|Based|As|Founded|Inspired|Together with|Along with|In addition|In particular|For example|For instance|However|Therefore|Also|Today|Later)\b[^,;:]{0,90}), (?=\S)"
)
_AMOUNT = re.compile(r"(?:^|\s)(?:(at|for|with|to|in|by)\s)?(?:a|an|the)\s((?:[a-z-]+\s)?[a-z]+)\sof\s*$")
_ASKED_AMOUNT = re.compile(
    r"(?:price|cost|fee|fare|charge|rate|sum|total|amount|fine|penalty|deposit|discount|rent|budget|grant|salary|wage|limit|length|height|width|depth|weight|distance|"
    r"speed|pace|temperature|pressure|power|voltage|area|size|capacity|volume|dose|share|angle|range|thickness|age|period|term|notice|value)$"
)
_THERE = re.compile(r"^[Tt]here (is|are|was|were|have been|will be) (.+)$")
_PREP = re.compile(
    r"(?:^|\s)(in|on|at|from|since|until|till|by|before|after|for|to|within|of|than|between|during|around|about|every|per|with|into|through|under|over)\s*(?:the\s)?(?:year\s)?$"
)
_LIMIT = re.compile(rf"(?:^|\s)({LIMIT})\s*$")
_INNER = re.compile(r"[,;:()\"“”]|\b(?:which|who|that|because|when|if|where|whose|while|unless)\b")


def sentence_facts(sentence: str, known: Casing) -> list[tuple]:
    """Drafts (kind, value, questions, score) from one plain sentence."""
    lead = _LEAD.match(sentence) or _LEAD_PLACE.match(sentence) or _LEAD_OTHER.match(sentence)
    if (
        lead
        and lead.re is _LEAD_OTHER
        and (
            lead.group(1)
            and len(lead.group(2).split()) > 6
            or re.search(r"\b(?:it|its|this|that|these|those|he|she|his|her|they|their|which|then)\b", lead.group())
        )
    ):
        return []
    when = f"{lead.group(1).lower()} {lead.group(2)}" if lead and lead.group(1) else ""
    body = sentence[lead.end() :] if lead else sentence
    drafts = []
    for i, part in enumerate(_parts(body, known)):
        part_when = when if i == 0 else ""
        if there := _THERE.match(part.rstrip(".")):
            drafts.extend(_existing(there.group(1), there.group(2), part_when))
        clause = parse_clause(part, known)
        if clause and len(clause.subject) <= 90:
            if part_when and lead.re is _LEAD:
                drafts.extend(_lead_date(clause, lead))
            bonus = _specific(clause.subject)
            whole, found = adjunct_facts(clause, part_when), [*value_facts(clause, part_when), *object_facts(clause, part_when)]
            if len(whole) != 1 or not any(value == whole[0][1] and len(questions[0]) > len(whole[0][2][0]) - 12 for _, value, questions, _ in found):
                asked = {value for _, value, _, _ in whole}  # a question that keeps the rest of the clause goes before one that cuts it
                found = [*whole, *(draft for draft in found if draft[1] not in asked)]
            for kind, value, questions, score in found:
                drafts.append((kind, value, questions, score + bonus))
    return drafts


def _parts(body: str, known: Casing) -> list[str]:
    """The clauses of a sentence; the end of a list ("a lamp, a mast, and a sail") is none."""
    parts, start = [], 0
    for found in _SPLIT.finditer(body):
        behind = body[found.end() :]
        if not re.match(r"(?:the |an? )?[\w'’-]+(?: [\w'’-]+)?\.?$", behind):
            parts.append(body[start : found.start()])
            start = found.end()
    return [*parts, body[start:]]


def _specific(subject: str) -> float:
    """How well a subject stands alone: names and several words do, "the lift" hardly."""
    words = subject.split()
    named = any(w[:1].isupper() or any(c.isdigit() for c in w) for w in words)
    return (0.3 if named else 0.0) + (0.1 if len(words) >= 3 else -0.2 if len(words) <= 2 and not named else 0.0)


def _lead_date(clause: Clause, lead: re.Match) -> list[tuple]:
    if clause.tense not in ("past", "participle") and clause.verb not in ("was", "were"):
        return []
    rest = cut(clause.rest, 10) or before_preposition(clause.rest)
    if not rest and (clause.is_copula or clause.rest):
        return []  # "When did the movement organise?" lacks what it organised
    preposition = lead.group(1).lower()
    wh = {"since": ["Since when"], "until": ["Until when"], "from": ["From when"]}.get(
        preposition,
        [
            "When",
            *(
                ["In which year"]
                if re.fullmatch(YEAR, lead.group(2))
                else ["On what date"]
                if preposition == "on"
                else []
            ),
        ],
    )
    return [
        (
            "date",
            lead.group(2),
            forms(clause, wh if preposition != "in" or re.fullmatch(YEAR, lead.group(2)) else ["When"], rest),
            0.8,
        )
    ]


def _existing(verb: str, rest: str, when: str) -> list[tuple]:
    """ "There were two near misses at the crane" → "How many near misses were there at the crane?"."""
    match = re.match(r"((?:only |about |over |at least )?\S+)\s(.*)$", rest)
    values = [v for v in find_values(rest) if v.kind == "count"]
    if not match or not values or values[0].start > 10 or values[0].text in ("one", "1"):
        return []
    noun, after = plural_noun(rest[values[0].end :])
    tail = cut(after, 8) if after[:1] == " " else ""
    if not noun or not (tail or when):
        return []
    have = verb.split()
    ask = f"{have[0]} there {' '.join(have[1:])}"
    return [
        (
            "count",
            values[0].text,
            [f"How many {noun} {ask} {tail} {when}", f"What is the number of {noun} {tail} {when}"],
            0.7,
        )
    ]


def value_facts(clause: Clause, when: str) -> list[tuple]:
    drafts = []
    values = find_values(clause.rest)
    skip_until = 0
    for value in values:
        if value.start < skip_until:
            continue
        before, after = clause.rest[: value.start], clause.rest[value.end :]
        value, before, after, skip_until = _span(value, values, before, after, clause.rest)
        limit = _LIMIT.search(before)
        answer = f"{limit.group(1)} {value.text}" if limit else value.text
        before = before[: limit.start()] if limit else before
        amount = _AMOUNT.search(before)
        amount = amount if amount and amount.group(1) != "with" and clause.base != "cost" and _ASKED_AMOUNT.search(amount.group(2)) else None
        if (
            amount
            and value.kind in ("money", "measure", "percent")
            and not _INNER.search(before)
            and not _coordinates(before)
            and not dangles(before[: amount.start()])
        ):
            opening = f"{amount.group(1) or ''} what {amount.group(2)}".strip()
            drafts.append(
                (
                    value.kind,
                    answer,
                    forms(clause, [opening[0].upper() + opening[1:]], before[: amount.start()], when),
                    0.8,
                )
            )
            continue
        found = _PREP.search(before)
        prep = found.group(1) if found else ""
        context = before[: found.start()].strip() if found else before.strip()
        if _INNER.search(context) or len(context.split()) > 9 or _coordinates(context):
            continue
        if value.kind == "count":
            context = re.sub(r"(?:^|\s)all$", "", context)  # "accepted all six proposals"
        if dangles(context) or re.search(r"\b(?:these|those|other|another|first|last|next|further|any|remaining)$", context):
            continue
        drafts.extend(ask_value(clause, value.kind, answer, prep, context, after, when))
    drafts.extend(_number_subject(clause, when))
    return drafts


def _span(value: Value, values: list[Value], before: str, after: str, rest: str):
    """Join "from A to B" and "between A and B" into one value."""
    following = next((v for v in values if v.start >= value.end), None)
    if (
        re.search(r"\b(?:from|between)\s$", before)
        and re.search(r"\s?(?:to|until|and|–|-)\s?", value.text)
        and value.kind in ("date", "time")
    ):
        start = re.search(r"\b(?:from|between)\s$", before).start()
        return Value(value.kind, rest[start : value.end], start, value.end), rest[:start], after, value.end
    if following and following.kind == value.kind and re.search(r"\b(from|between)\s$", before):
        gap = rest[value.end : following.start]
        if gap.strip() in ("to", "until", "till", "and", "–"):
            start = re.search(r"\b(?:from|between)\s$", before).start()
            joined = Value(value.kind, rest[start : following.end], start, following.end)
            return joined, rest[:start], rest[following.end :], following.end
    if (
        following
        and following.kind == value.kind
        and value.kind in ("date", "time")
        and re.fullmatch(r"(?:,| and)(?: (?:at|on|in))? ", rest[value.end : following.start])
    ):
        return (
            Value(value.kind, rest[value.start : following.end], value.start, following.end),
            before,
            rest[following.end :],
            following.end,
        )
    return value, before, after, value.end


def _coordinates(context: str) -> bool:
    """Whether a second verb follows an "and": the value may then belong to another clause."""
    halves = re.split(r"\b(?:and|or|but)\b", context)
    return any(w in AUXILIARY or is_verb(w) for half in halves[1:] for w in half.split())


def _number_subject(clause: Clause, when: str) -> list[tuple]:
    """ "Two spaces in the lounge are reserved" → "How many spaces in the lounge are reserved?"."""
    first, _, noun = clause.subject.partition(" ")
    head = lower_start(first)
    rest = cut(clause.rest, 9)
    if rest.split()[:1] in (["and"], ["or"]):
        return []
    if (
        not noun
        or not (head.lower() in NUMBER_WORDS or first.isdigit())
        or head.lower() in ("one", "1")
        or not rest
        or clause.is_copula
    ):
        return []
    if not plural_noun(f" {noun}")[0] or set(noun.split()) & NUMBER_WORDS.keys():
        return []
    return [("count", first, [f"How many {noun} {clause.group} {rest} {when}"], 0.7)]
