"""Facts that a plain English sentence states, clause by clause. Prefers no question to a doubtful one."""

import re

from lib.llm.offline.clauses import Casing, Clause, lower_start, parse_clause
from lib.llm.offline.objects import object_facts
from lib.llm.offline.values import LIMIT, MONTH, TIME_UNIT, WEEKDAY, YEAR, Value, find_values
from lib.llm.offline.verbs import AUXILIARY, FINITE, PARTICIPLES
from lib.llm.offline.words import NUMBER_WORDS

_SPLIT = re.compile(r";\s+|,\s+(?:and|but|so|while)\s+")
_LEAD = re.compile(
    rf"^(In|On|From|Since|Until|By|During|At|Before|After)\s((?:the\s)?(?:early\s|late\s|mid-?\s?)?(?:\d{{1,2}}\s)?(?:{MONTH}\s)?(?:{YEAR}s?)|\d{{1,2}}\s{MONTH}|{MONTH}|{WEEKDAY})\b,?\s+(?=\w)"
)
_LEAD_PLACE = re.compile(
    r"^(On|In|At|Inside|For)\s((?:the\s)?[A-ZÀ-Þ][\w'’-]+(?:\s[A-ZÀ-Þ][\w'’-]+)*),?\s+(?=(?:the|a|an|each|every|\d+|[a-z]+s)\s)"
)
_LEAD_OTHER = re.compile(
    r"^(?:(In|On|At|During|For|From|Under|By|Inside|Outside|Until|After|Before)\s([^,;:]{2,40})|(?:With|Made|Supported|Following|Despite|Built|Designed|Located|Based|As|Founded|Inspired|Together with|Along with|In addition|In particular|For example|For instance|However|Therefore|Also|Today|Later)\b[^,;:]{0,90}), (?=\S)"
)
_AMOUNT = re.compile(r"(?:^|\s)(?:(at|for|with|to|in|by)\s)?(?:a|an|the)\s((?:[a-z-]+\s)?[a-z]+)\sof\s*$")
_THERE = re.compile(r"^[Tt]here (is|are|was|were|have been|will be) (.+)$")
_BOUNDARY = re.compile(
    r"\s*(?:[,:](?!\d)|[;()—–]|\s-\s)|\s(?:and|but|or|which|who|that|because|when|where|while|so|if|as|unless|although|with|who)\s"
)
_PREP = re.compile(
    r"(?:^|\s)(in|on|at|from|since|until|till|by|before|after|for|to|within|of|than|between|during|around|about|every|per|with|into|through|under|over)\s*(?:the\s)?(?:year\s)?$"
)
_LIMIT = re.compile(rf"(?:^|\s)({LIMIT})\s*$")
_INNER = re.compile(r"[,;:()\"“”]|\b(?:which|who|that|because|when|if|where|whose|while|unless)\b")
_LEADS = ("Can you tell me", "Do you know", "Please tell me", "Could you say", "I would like to know")
_ADJECTIVE = re.compile(r"^\s(long|wide|high|deep|tall|thick|old|heavy|away|apart)\b")
_PLURAL = re.compile(r"(?:[^s]s|people|men|women|children|feet|mice|geese|sheep|cattle|crew|staff)$")
_DANGLING = frozenset(
    "the a an of and or to than no by with from in on at for within only as between into about every nearly".split()
)
_NOUN_END = re.compile(
    r"\s*(?:[,;:().—–]|$)|\s(?:and|or|but|in|on|at|by|for|from|with|to|per|a|an|the|each|every|which|who|that|is|are|was|were|has|have|had|can|may|must|will|should|"
    r"after|before|during|between|under|over|within|without|through|as|than|when|where|if|because|since|until|into|across|along|around|including|such|while|near|\d\S*)\b"
)


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
    for i, part in enumerate(_SPLIT.split(body)):
        part_when = when if i == 0 else ""
        if there := _THERE.match(part.rstrip(".")):
            drafts.extend(_existing(there.group(1), there.group(2), part_when))
        clause = parse_clause(part, known)
        if clause and len(clause.subject) <= 90:
            if part_when and lead.re is _LEAD:
                drafts.extend(_lead_date(clause, lead))
            bonus = _specific(clause.subject)
            for kind, value, questions, score in [*_value_facts(clause, part_when), *object_facts(clause, part_when)]:
                drafts.append((kind, value, questions, score + bonus))
    return drafts


def _specific(subject: str) -> float:
    """How well a subject stands alone: names and several words do, "the lift" hardly."""
    words = subject.split()
    named = any(w[:1].isupper() or any(c.isdigit() for c in w) for w in words)
    return (0.3 if named else 0.0) + (0.1 if len(words) >= 3 else -0.2 if len(words) <= 2 and not named else 0.0)


def forms(clause: Clause, openings: list[str], rest: str = "", when: str = "") -> list[str]:
    """Questions from a clause: each opening asked directly, then the first one indirectly."""
    rest = " ".join(part for part in (rest.strip(), when) if part)
    direct = [f"{opening} {clause.ask(rest)}" for opening in openings]
    told = " ".join(part for part in (clause.subject, clause.group, rest) if part)
    lead = _LEADS[sum(map(ord, told)) % len(_LEADS)]
    return [*direct, f"{lead} {openings[0][0].lower()}{openings[0][1:]} {told}"]


def cut(text: str, most_words: int = 7) -> str:
    """The start of `text` up to the first boundary; nothing if that is too long to repeat."""
    piece = _BOUNDARY.split(text + " ", maxsplit=1)[0].strip().rstrip(".")
    return piece if len(piece.split()) <= most_words else ""


def dangles(context: str) -> bool:
    """Whether words break off before what they announce ("from either vessel or from")."""
    return context.split()[-1:] != [] and context.split()[-1].lower() in _DANGLING


def _lead_date(clause: Clause, lead: re.Match) -> list[tuple]:
    if clause.tense not in ("past", "participle") and clause.verb not in ("was", "were"):
        return []
    rest = cut(clause.rest, 10)
    if clause.is_copula and not rest:
        return []
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
    noun, after = _noun(rest[values[0].end :])
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


def _noun(after: str) -> tuple[str, str]:
    """The plural noun phrase that `after` (what follows a number) begins with, and what follows it; ("", …) if none."""
    match = _NOUN_END.search(after, 1)
    end = match.start() if match else len(after)
    noun, rest = after[:end].strip(), after[end:]
    if of := re.match(r"\sof\s[\w' -]{2,24}?(?=\s(?:in|on|at|by|for|from|is|are|was|were|and|to)\b|[,.;]|$)", rest):
        rest = rest[of.end() :]
    words = noun.split()
    if set(words) & (NUMBER_WORDS.keys() | {"and", "or"}):
        return "", rest
    return (noun, rest) if 1 <= len(words) <= 4 and _PLURAL.search(words[-1]) and not noun[:1].isdigit() else ("", rest)


def _value_facts(clause: Clause, when: str) -> list[tuple]:
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
        if dangles(context):
            continue
        drafts.extend(_ask_value(clause, value.kind, answer, prep, context, after, when))
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
    return any(w in AUXILIARY or w in FINITE or w in PARTICIPLES for half in halves[1:] for w in half.split())


def _ask_value(clause: Clause, kind: str, answer: str, prep: str, context: str, after: str, when: str) -> list[tuple]:
    tail = (
        cut(after, 6)
        if re.match(r"\s(?:in|on|at|from|for|to|by|of|per|a|each|during|under|within|into|between)\s", after)
        else ""
    )
    full = f"{context} {tail}".strip()
    ask = lambda openings, rest=full: forms(clause, openings, rest, when)  # noqa: E731
    if kind in ("date", "time"):
        return _ask_when(clause, kind, answer, prep, context, tail, when)
    if kind == "money":
        if clause.base == "cost" and not context:
            plain = [
                f"What is the price of {clause.subject} {tail} {when}",
                f"How much must be paid for {clause.subject} {tail} {when}",
            ]
            return [("money", answer, [*ask(["How much", "What"])[:2], *plain, ask(["How much"])[-1]], 1.0)]
        if prep in ("for", "at"):
            return [("money", answer, ask(["For how much" if prep == "for" else "At what price"]), 0.7)]
        if prep == "to":
            return [("money", answer, ask(["To what amount"]), 0.7)]
        if prep in ("of", "by", "than", "from", "with", "in") or clause.is_passive and context:
            return []
        return [("money", answer, ask(["How much", "What"] if clause.is_copula and not context else ["How much"]), 0.9)]
    if kind == "percent":
        if of := re.match(
            r"\sof\s((?:the|all|its|their|a|an)?\s?[\w' -]{2,40}?)(?=\s(?:in|on|at|by|for|from|is|are|was|were|and|to|with|which|who|that)\b|[,.;]|$)",
            after,
        ):
            whole = of.group(1)
            return (
                []
                if prep
                else [
                    (
                        "percent",
                        answer,
                        forms(clause, [f"What percentage of {whole}", f"What share of {whole}"], context, when),
                        0.9,
                    )
                ]
            )
        opening = {
            "by": "By what percentage",
            "to": "To what percentage",
            "": "What percentage",
            "at": "At what percentage",
        }.get(prep)
        return [("percent", answer, ask([opening]), 0.7)] if opening else []
    if kind == "measure":
        return _ask_measure(clause, answer, prep, context, after, tail, when)
    if kind == "count" and re.sub(rf"^{LIMIT}\s", "", answer) not in ("one", "1", "0", "zero"):
        noun, behind = _noun(after)
        behind = cut(behind, 6) if behind[:1] == " " else ""
        opening = {
            "": "How many",
            "in": "In how many",
            "on": "On how many",
            "for": "For how many",
            "from": "From how many",
            "to": "To how many",
            "with": "With how many",
            "within": "Within how many",
            "into": "Into how many",
            "after": "After how many",
        }.get(prep)
        if noun and opening and not (clause.is_copula and not context and not prep):
            return [("count", answer, forms(clause, [f"{opening} {noun}"], f"{context} {behind}", when), 0.9)]
    return []


def _ask_when(clause, kind, answer, prep, context, tail, when) -> list[tuple]:
    if (
        when
        or re.fullmatch(r"(?:in|on|at|the)", context)
        or clause.tense == "past"
        and clause.subject.islower()
        and " " not in clause.subject
    ):
        return []
    year = re.fullmatch(YEAR, answer)
    if answer.startswith(("from ", "between ")):
        return [
            (
                kind,
                answer,
                forms(
                    clause,
                    ["When", "During what period" if kind == "date" else "Between what times"],
                    f"{context} {tail}",
                ),
                0.8,
            )
        ]
    if prep == "" and not (clause.is_copula and not context) and not answer.startswith("every"):
        return []
    if prep in ("in", "on", "at", "during", "every", "around", "about", ""):
        second = (
            "In which year"
            if year
            else "At what time"
            if kind == "time"
            else "On what date"
            if re.match(r"\d{1,2}\s|\w+\s\d{1,2}\b(?!\d)", answer) and prep == "on"
            else "On which day"
            if re.match(WEEKDAY, answer) and prep == "on"
            else None
        )
        openings = ["When", *([second] if second else [])]
        questions = forms(clause, openings, f"{context} {tail}")
        if year and context == "" and tail:
            questions.insert(1, f"What year {clause.ask(tail)}")
        return [(kind, answer, questions, 1.0 if clause.tense in ("past", "participle") else 0.8)]
    opening = {
        "since": "Since when",
        "until": "Until when",
        "till": "Until when",
        "from": "From when",
        "by": "By when",
        "before": "Before what time" if kind == "time" else "By when",
        "after": "After what time" if kind == "time" else "After what date",
    }.get(prep)
    return [(kind, answer, forms(clause, [opening], f"{context} {tail}"), 0.8)] if opening else []


def _ask_measure(clause, answer, prep, context, after, tail, when) -> list[tuple]:
    ask = lambda openings, rest=f"{context} {tail}": forms(clause, openings, rest, when)  # noqa: E731
    is_time = bool(TIME_UNIT.search(answer))
    unit = next(
        (
            w
            for w in re.split(r"[\s-]", re.sub(rf"^(?:{LIMIT})\s", "", answer))
            if w.isalpha()
            and w.lower() not in NUMBER_WORDS
            and w not in ("to", "and", "a", "half", "hundred", "thousand")
        ),
        "",
    )
    if adjective := _ADJECTIVE.match(after):
        word = adjective.group(1)
        opening = {"away": "How far away", "apart": "How far apart"}.get(word, f"How {word}")
        nouns = {
            "long": "length",
            "wide": "width",
            "high": "height",
            "deep": "depth",
            "tall": "height",
            "thick": "thickness",
            "old": "age",
            "heavy": "weight",
        }
        second = (
            [f"What is the {nouns[word]} of {clause.subject}"]
            if word in nouns and clause.is_copula and not context
            else []
        )
        behind = (
            cut(after[adjective.end() :], 6) if re.match(r"\s(?:in|at|on|from)\s", after[adjective.end() :]) else ""
        )
        return (
            [("measure", answer, [*forms(clause, [opening], f"{context} {behind}", when), *second], 1.0)]
            if not prep
            else []
        )
    if re.match(r"\s(?:more|longer|later|earlier|less|older|younger|higher|lower|faster|shorter)\b", after):
        return []
    if distance := re.match(
        r"\s((?:from|north of|south of|east of|west of|below|above|behind|beyond|off)\s(?:the\s)?[\w'’-]+(?:\s[\w'’-]+){0,3}?)(?=\s(?:and|or|is|are|was|were|in|on|at|to|by)\b|[,.;]|$)",
        after,
    ):
        return (
            [("measure", answer, forms(clause, [f"How far {distance.group(1)}"], context, when), 0.9)]
            if not is_time and not prep
            else []
        )
    if relation := re.match(r"\s(before|after|ahead)\b\s?((?:the\s|a\s)?[\w'’-]+(?:\s[\w'’-]+)?)?", after):
        words = (relation.group(2) or "").split()
        kept = next(
            (
                i
                for i, w in enumerate(words)
                if w in AUXILIARY | {"and", "or", "in", "on", "at", "by", "for", "from", "with", "to"}
            ),
            len(words),
        )
        point = cut(" ".join(words[:kept]), 3)
        where = f"{relation.group(1)} {point}".strip()
        many = [f"How many {unit} {where}"] if is_time and unit.endswith("s") else []
        return (
            [("measure", answer, forms(clause, [f"How long {where}", *many], context, when), 0.9)]
            if prep in ("", "until", "till") and is_time
            else []
        )
    if is_time and (prep == "for" or prep == "" and clause.base in ("take", "last") and not context):
        many = [f"{'For how' if prep else 'How'} many {unit}"] if unit.endswith("s") else []
        return [("measure", answer, ask(["How long", *many]), 1.0)]
    if prep == "within":
        return [("measure", answer, ask(["Within what time" if is_time else "Within what distance"]), 0.8)]
    if prep == "every" and is_time:
        return [("measure", f"every {answer}", ask(["How often"]), 0.8)]
    if prep == "to":
        return (
            [("measure", answer, ask(["To how many " + unit]), 0.7)] if unit.endswith("s") and clause.is_passive else []
        )
    if clause.base == "weigh" and not prep and not context:
        return [("measure", answer, [*ask(["How much"]), f"What is the weight of {clause.subject}"], 1.0)]
    if clause.is_copula and not context and not prep:
        return [("measure", answer, [*ask(["What"], tail), f"How much is {clause.subject} {tail} {when}"][:2], 0.9)]
    of = re.match(r"\sof\s([\w -]{2,30}?)(?=\s(?:in|on|at|by|for|from|a|per|and|to)\b|[,.;]|$)", after)
    if of and not prep:
        return [("measure", answer, forms(clause, [f"How much {of.group(1)}"], context, when), 0.8)]
    if not prep and not context and unit.endswith("s") and len(unit) > 3:
        return [("measure", answer, ask([f"How many {unit}"]), 0.7)]
    if prep in ("at", "of") and not is_time and unit in ("knots", "km/h", "mph") and not clause.is_copula:
        return [("measure", answer, ask(["At what speed"]), 0.8)]
    return []


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
    if not _noun(f" {noun}")[0]:
        return []
    return [("count", first, [f"How many {noun} {clause.group} {rest} {when}"], 0.7)]
