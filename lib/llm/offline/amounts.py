"""Questions about a number, an amount or a time in a clause: which question word fits, and what of the clause it keeps."""

import re

from lib.llm.offline.clauses import Clause
from lib.llm.offline.values import LIMIT, TIME_UNIT, WEEKDAY, YEAR
from lib.llm.offline.verbs import AUXILIARY
from lib.llm.offline.wording import cut, forms, plural_noun
from lib.llm.offline.words import NUMBER_WORDS

_ADJECTIVE = re.compile(r"^\s(long|wide|high|deep|tall|thick|old|heavy|away|apart)\b")


def ask_value(clause: Clause, kind: str, answer: str, prep: str, context: str, after: str, when: str) -> list[tuple]:
    tail = (
        cut(after, 6)
        if re.match(r"\s(?:in|on|at|from|for|to|by|of|per|a|each|during|under|within|into|between)\s", after)
        else ""
    )
    if kind == "money" and (share := re.match(r"an? (?!day|week|month|year|hour|minute|night|time|term)(?=[a-z])", tail)):
        tail = f"per {tail[share.end() :]}"  # "cost a crew" would be what the crew pays with
    full = f"{context} {tail}".strip()
    ask = lambda openings, rest=full: forms(clause, openings, rest, when)  # noqa: E731
    if kind in ("date", "time"):
        return _ask_when(clause, kind, answer, prep, context, after, tail, when)
    if kind == "money":
        if answer.startswith("up to ") and context:
            return []  # "covers 60 % of the cost up to £2,000"
        if answer.startswith(("from ", "between ")) or re.search(r"\b(?:total|cost|price|sum|budget|value)s?\b", clause.subject) and prep:
            return []
        if clause.base == "cost" and not context:
            plain = [
                f"What is the price of {clause.subject} {tail} {when}",
                f"How much must be paid for {clause.subject} {tail} {when}",
            ]
            return [("money", answer, [*ask(["How much", "What"])[:2], *plain, ask(["How much"])[-1]], 1.0)]
        if prep in ("for", "at") and clause.base in ("stand", "value", "estimate", "lie"):
            return []  # a level and no price
        if prep in ("for", "at"):
            return [("money", answer, ask(["For how much" if prep == "for" else "At what price"]), 0.7)]
        if prep == "to":
            return [("money", answer, ask(["To what amount"]), 0.7)]
        if prep in ("of", "by", "than", "from", "with", "in") or clause.is_passive and context:
            return []
        return [("money", answer, ask(["How much", "What"] if clause.is_copula and not context else ["How much"]), 0.9)]
    if kind == "percent":
        if re.match(r"\s(?:off|more|less|discount|higher|lower|cheaper)\b", after):
            return []
        if of := re.match(
            r"\sof\s((?:the|all|its|their|a|an)?\s?[\w' -]{2,40}?)(?=\s(?:in|on|at|by|for|from|is|are|was|were|and|to|with|which|who|that|up)\b|[,.;]|$)",
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
        noun, behind = plural_noun(after)
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
        if context == "place" and behind:
            return []
        if noun and opening and not (clause.is_copula and not context and not prep):
            return [("count", answer, forms(clause, [f"{opening} {noun}"], f"{context} {behind}", when), 0.9)]
    return []


def _ask_when(clause, kind, answer, prep, context, after, tail, when) -> list[tuple]:
    if (
        when
        or re.fullmatch(r"(?:in|on|at|the)", context)
        or clause.tense == "past"
        and clause.subject.islower()
        and " " not in clause.subject
    ):
        return []
    year = re.fullmatch(YEAR, answer)
    if prep in ("from", "between") and re.match(r"\s(?:to|until|till|and)\s(?:the\s)?\d", after) and not year:
        return []  # half of a range
    if re.search(r"\b(?:with effect|in the (?:week|month|year|season|days?|night))$", context):
        return []
    if year and prep == "in" and _is_present(clause):
        return []  # "Bookings are refunded in 2025": what holds in a year has no date
    if year and prep == "from" and (end := re.match(rf"(?:to|until|till) {YEAR}$", tail)):
        return [(kind, f"from {answer} {end.group()}", forms(clause, ["When", "During what period"], context), 0.8)]
    if answer.startswith(("from ", "between ")):
        return [
            (
                kind,
                answer,
                forms(
                    clause,
                    ["When", "Between what times" if kind == "time" else "On which days" if re.match(rf"from {WEEKDAY}", answer) and not re.search(r"\d", answer) else "During what period"],
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
            else "On which days"
            if re.match(WEEKDAY, answer) and prep == "on" and re.search(rf"days\b|(?:,| and| or| to) {WEEKDAY}", answer)
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


def _is_present(clause: Clause) -> bool:
    first = (clause.auxiliaries or (clause.verb,))[0]
    return first in ("is", "are") or not clause.auxiliaries and clause.tense in ("base", "third")


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
            if not is_time and not prep and unit not in ("knots", "km", "mph")
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
        if not point and relation.group(1) != "ahead":
            return []  # before what?
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
        opening = "Within what time" if is_time else "Within what distance"
        if tail.startswith("of "):  # "within 28 days of the journey"
            return [("measure", answer, forms(clause, [f"{opening} {tail}"], context, when), 0.8)]
        many = [f"Within how many {unit}"] if is_time and unit.endswith("s") else []
        return [("measure", answer, ask(many or [opening]), 0.8)]
    if prep == "every" and is_time:
        return [("measure", f"every {answer}", ask(["How often"]), 0.8)]
    if prep in ("at", "to") and re.search(r"°[CF]$|\bdegrees\b", answer):
        doubtful = clause.base == "have" or clause.base in ("hold", "keep") and not (context or clause.is_passive) or AUXILIARY & set(context.split())
        if doubtful or re.search(r"\btemperature\b|^[A-ZÀ-Þ]\w+$", clause.subject, re.IGNORECASE if " " in clause.subject else 0):
            return []
        return [("measure", answer, ask([f"{prep.capitalize()} what temperature"]), 0.9)]
    if prep == "to":
        return (
            [("measure", answer, ask(["To how many " + unit]), 0.7)] if unit.endswith("s") and clause.is_passive else []
        )
    if clause.base == "weigh" and not prep and not context:
        return [("measure", answer, [*ask(["How much"]), f"What is the weight of {clause.subject}"], 1.0)]
    if clause.base == "have" and re.match(r"\sto\s[a-z]", after):
        return []  # "has 30 days to pay": to do what?
    if clause.is_copula and not context and not prep:
        return [("measure", answer, [*ask(["What"], tail), f"How much is {clause.subject} {tail} {when}"][:2], 0.9)]
    of = re.match(r"\sof\s([\w -]{2,30}?)(?=\s(?:in|on|at|by|for|from|a|per|and|to)\b|[,.;]|$)", after)
    if of and not prep:
        is_mass = not re.search(r"[^su]s$", of.group(1))  # "2 kg of lentils": neither many nor much
        return [("measure", answer, forms(clause, [f"How much {of.group(1)}"], context, when), 0.8)] if is_mass else []
    if not prep and not context and unit.endswith("s") and len(unit) > 3:
        return [("measure", answer, ask([f"How many {unit}"]), 0.7)]
    if prep in ("at", "of") and not is_time and unit in ("knots", "km/h", "mph") and not clause.is_copula:
        return [("measure", answer, ask(["At what speed"]), 0.8)]
    return []
