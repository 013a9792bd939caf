"""Questions about each adjunct of a clause (when, where, how long, by whom, how much), all the rest of the clause kept in the question."""

import re

from lib.llm.offline.adjunct_pieces import (
    NUMERIC,
    PREPOSITION,
    Piece,
    holds_moment,
    is_place,
    kept_words,
    split_pieces,
    with_recipient,
)
from lib.llm.offline.adjunct_words import AGE, AMOUNT, CHANNELS, IDIOM, MEANS, OPEN, SEASON, UNIT_NOUNS
from lib.llm.offline.clauses import Clause
from lib.llm.offline.names import ROLE, is_person
from lib.llm.offline.values import LIMIT, MONTH, TIME_UNIT, WEEKDAY, YEAR, Value, find_values
from lib.llm.offline.verbs import AUXILIARY, FINITE, past_of, third_of
from lib.llm.offline.wording import dangles, forms, plural_noun

MOST_KEPT = 22  # words of a clause behind its verb; more would make a question that nobody asks
_TIMES = r"(?:mile|minute|hour|day|night|week|month|term|season|year|time)"
_RATE = re.compile(r"\seach$|\s(?:an?|per|each|every|the)\s[a-z]+(?:\s(?:and|per|a)\s[a-z]+)?$")


def adjunct_facts(clause: Clause, when: str) -> list[tuple]:
    """Drafts (kind, value, questions, score): one for each object in numbers and each adjunct of the clause.

    Args:
        clause: A main clause.
        when: The adverbial that its sentence opens with; empty if none.
    """
    kept, behind = kept_words(clause.rest)
    kept = f"{kept} {when}".strip()
    first = clause.rest.split()[:1]
    if (
        clause.base == "mean"
        or FINITE.get(clause.subject.split()[0], ("", ""))[1] == "base" and not clause.subject.split()[0].endswith("s")  # "bring back seed"
        or first and FINITE.get(first[0], ("", ""))[1] == "past"
        or clause.auxiliaries[:1] == ("had",)
        or clause.subject[:1].isupper() and " " not in clause.subject and _is_present(clause)
    ):
        return []  # another verb than the one found; a common noun that only opens its sentence
    named = re.sub(AGE.pattern, "", kept)  # "until they are 25" names whom it speaks of
    if not kept or len(kept.split()) > MOST_KEPT or OPEN.search(named) or dangles(kept):
        return []
    values = find_values(kept)
    if any(w in AUXILIARY for w in named.split()) or IDIOM.search(kept) or re.search(r"\bones?\b", clause.subject):
        return []
    pieces = split_pieces(kept, values)
    pieces = [part for piece in pieces for part in with_recipient(piece)]
    drafts = []
    bound = next((p.start for p in pieces if re.match(r"to\s", p.text) and FINITE.get(p.text.split()[1], ("", ""))[1] == "base" or re.match(r"\w+\s(?!writing|mornings?\b|evenings?\b|buildings?\b)\w+ing\b", p.text) and p.preposition), len(kept))
    for piece in pieces:
        if piece.start > bound:
            break  # may belong to "to shut the windows"
        others = [other for other in pieces if other is not piece]
        rest = " ".join(f"{kept[: piece.start]} {kept[piece.end :]}".split())
        if dangles(rest) or re.search(r"\b(\w+) \1\b", rest) or not rest and clause.is_copula and piece.preposition in ("by", "until", "till", "from", "before", "after", "since"):
            continue
        for kind, value, openings, score in _asked(clause, piece, others, behind):
            asked = [opening if isinstance(opening, tuple) else (opening, "") for opening in openings]  # with what stays of the piece
            put = [forms(clause, [opening], f"{stays} {rest}".strip()) for opening, stays in asked]
            questions = [direct for direct, _ in put] + [told for _, told in put[:1]]
            if kind == "person" and piece.preposition == "by":
                questions.insert(0, _actively(clause, kept[: piece.start].strip(), rest))
            drafts.append((kind, value, questions, score))
    acts = not clause.is_passive and not clause.is_copula and pieces[0].preposition == ""
    return [] if acts and all(kind == "place" for kind, *_ in drafts) else drafts  # "met the guild at the pier" says first whom


def _asked(clause: Clause, piece: Piece, others: list[Piece], behind: str) -> list[tuple]:
    """(kind, value, openings, score) for what one phrase can be asked for."""
    if age := AGE.fullmatch(piece.text):
        until = (age.group(1) or age.group(2)).replace("till", "until")
        return [("measure", age.group(3), [f"{until.capitalize()} what age"], 1.0)]
    body = piece.text[len(piece.preposition) :].strip()
    if piece.preposition.endswith(("once", "twice")):
        return [("measure", piece.text, ["How often"], 0.9)] if re.fullmatch(r"(?:an?|per|every|each) [a-z]+", body) else []
    if piece.preposition in ("every", "each"):
        return _regularly(piece, others)
    if piece.preposition == "on" and re.fullmatch(r"the\s(?:first|last|\d{1,2}(?:st|nd|rd|th))(?:\sworking)?(?:\sday)?\sof\s(?:the|each|every)\s(?:week|month|year|quarter|term)", body):
        return [("date", body, ["On which day", *([] if _has_when(others) else ["When"])], 1.0)]
    if piece.preposition == "on" and re.fullmatch(rf"the\s(?:first|second|third|fourth|last|penultimate)(?:\s(?:and|or)\s(?:second|third|fourth|last))?\s{WEEKDAY}(?:\s(?:of|in)\s(?:the|each|every)\s(?:month|year|term|quarter)|\s(?:of|in)\s{MONTH})?", body):
        return [("date", body, ["On which day", *([] if _has_when(others) else ["When"])], 1.0)]
    if piece.preposition == "from" and (span := _span(piece, others)):
        return span
    if piece.preposition in ("on", "at", "under", "to") and re.fullmatch(r"\+?\d[\d ]{5,}\d", body):
        return [("object", body, [f"{piece.preposition.capitalize()} what number", f"{piece.preposition.capitalize()} which phone number"][: 1 if piece.preposition == "under" else 2], 1.0)]
    if piece.preposition in ("to", "at", "from", "via") and re.fullmatch(r"[\w.+-]+@[\w-]+\.[\w.-]*\w", body):
        return [("object", body, [f"{piece.preposition.capitalize()} what address", f"{piece.preposition.capitalize()} which e-mail address"], 1.0)]
    if piece.preposition == "between" and (span := find_values(piece.text)) and span[0].kind in ("date", "time") and span[-1].end == len(piece.text) and span[0].start == 8:
        which = "Between what times" if span[0].kind == "time" else "Between which dates" if re.search(r"\d", piece.text) else "Between which days" if re.search(WEEKDAY, piece.text) else "Between which months"
        return [(span[0].kind, piece.text, [which, *([] if _has_when(others) else ["When"])], 1.0)]
    if amount := re.fullmatch(rf"(?:an?|the)\s({AMOUNT.pattern})\sof\s((?:{LIMIT}\s)?(.+))", body):
        measured = find_values(amount.group(2))
        if piece.preposition in ("at", "to", "with", "for") and len(measured) == 1 and measured[0].end == len(amount.group(2)) and measured[0].text == amount.group(3):
            return [(measured[0].kind, amount.group(2), [f"{piece.preposition.capitalize()} what {amount.group(1)}"], 1.1)]
    limit = re.match(rf"(?:{LIMIT})\s(?={NUMERIC})", body)
    at = limit.end() if limit else 4 if body.startswith("the ") else 0
    value = next((v for v in find_values(f"{piece.preposition} {body}") if v.start - len(piece.preposition) - 1 in (0, at)), None)
    if not piece.preposition:
        value = next((v for v in find_values(f"{clause.verb} {body}") if v.start - len(clause.verb) - 1 in (0, at)), None)
    if value:
        answer = (limit.group() if limit else "") + value.text
        tail = f"{piece.preposition or clause.verb} {body}"[value.end :]
        return _of_value(clause, piece, value, answer, tail, others, behind)
    if not piece.preposition:
        return []
    before = others[[o.end <= piece.start for o in others].count(True) - 1] if others and others[0].end <= piece.start else None
    return _of_words(clause, piece, body, others, before)


def _is_present(clause: Clause) -> bool:
    first = (clause.auxiliaries or (clause.verb,))[0]
    return first in AUXILIARY - {"was", "were", "had"} or not clause.auxiliaries and clause.tense in ("base", "third")


def _has_when(pieces: list[Piece]) -> bool:
    return any(holds_moment(p.text) or SEASON.search(p.text) for p in pieces)


def _regularly(piece: Piece, others: list[Piece]) -> list[tuple]:
    if re.fullmatch(rf"(?:every|each)\s(?:(?:second|third|other|first)\s)?{WEEKDAY}(?:\s(?:morning|afternoon|evening|night))?", piece.text):
        return [("date", piece.text, ["On which day", *([] if _has_when(others) else ["When", "How often"])], 0.9)]
    if re.fullmatch(r"(?:every|each)\s(?:(?:\d+|\w+)\s)?(?:minute|hour|day|week|month|year|night|morning|evening|spring|summer|autumn|winter)s?", piece.text):
        return [("measure", piece.text, ["How often"], 0.9)]
    return []


def _span(piece: Piece, others: list[Piece]) -> list[tuple]:
    """ "from 9:00 to 17:00", "from Monday to Friday": one value."""
    values = [v for v in find_values(piece.text) if v.kind in ("date", "time")]
    if not values or not re.fullmatch(r"from\s.+?\s(?:to|until|till)\s.+", piece.text) or values[-1].end != len(piece.text):
        return []
    if values[0].kind == "time":
        return [("time", piece.text, ["Between what times", "From when to when", *([] if _has_when(others) else ["When"])], 0.9)]
    if re.match(WEEKDAY, values[0].text) and not re.search(r"\d", piece.text):
        return [("date", piece.text, ["On which days", "On what days of the week"], 0.9)]
    return [("date", piece.text, ["Between which dates" if re.search(r"\d", piece.text) else "Between which months", "From when to when", *([] if _has_when(others) else ["When"])], 0.9)]


def _of_value(clause: Clause, piece: Piece, value: Value, answer: str, tail: str, others: list[Piece], behind: str) -> list[tuple]:
    prep = piece.preposition
    if value.kind in ("date", "time"):
        if prep in ("from", "between") and any(o.preposition in ("to", "until", "till") and 0 <= o.start - piece.end <= 1 for o in others):
            return []
        return [] if tail else _when(clause, prep, value, answer, others)
    if prep == "up to" and any(o.preposition in ("before", "after") and 0 <= o.start - piece.end <= 1 for o in others):
        return []  # how long before it is asked elsewhere
    if prep == "up to" and value.kind in ("measure", "count", "money"):
        if value.kind == "money":
            return [("money", answer, [("Up to what amount", tail.strip())], 1.0)] if not tail or _RATE.fullmatch(tail) else []
        unit = plural_noun(tail)[0] if value.kind == "count" else value.text.split()[-1]
        return [(value.kind, answer, [f"Up to how many {unit}"], 0.9)] if unit.endswith("s") and not tail.removeprefix(f" {unit}") else []
    if prep and tail and not _RATE.fullmatch(tail) and value.kind != "count" and not tail.startswith(" of "):
        return []
    stays = lambda openings, words: [(opening, words) for opening in openings]  # noqa: E731
    if value.kind == "money":
        if tail and not _RATE.fullmatch(tail) or any(v.kind == "money" for v in find_values(behind)) and not others:
            return []
        openings = {"": ["How much"], "for": ["For how much"], "at": ["At what price"]}.get(prep, [])
        if prep and clause.base in ("stand", "value", "estimate", "lie", "be"):
            return []
        if not prep and clause.base == "cost":
            openings = ["How much", "What"]
        if not prep and clause.is_passive and clause.base not in ("pay", "charge", "offer", "fine", "give", "grant", "refund", "lend"):
            return []
        rate = re.sub(rf"^an? (?!{_TIMES}$)", "per ", tail.strip())  # "cost a crew" would be what the crew pays with
        asked = [f"{opening} {rate}".strip() for opening in openings] if prep or clause.base not in ("cost", "be") else stays(openings, rate)
        return [("money", answer, asked, 1.1)] if openings else []
    if value.kind == "percent":
        openings = {"": ["What percentage"], "by": ["By what percentage", "By how much"], "to": ["To what percentage"], "at": ["At what percentage"]}.get(prep, [])
        return [("percent", answer, openings, 0.9)] if openings and not tail else []
    if value.kind == "measure":
        return _measure(clause, prep, answer, tail, others)
    if value.kind == "count":
        return _count(clause, prep, answer, tail)
    return []


def _when(clause: Clause, prep: str, value: Value, answer: str, others: list[Piece]) -> list[tuple]:
    year, is_time = re.fullmatch(YEAR, answer), value.kind == "time"
    if year and prep == "in" and _is_present(clause) or re.match(r"(?:the\s)?\w+\s?\d{4}s$", answer):
        return []
    weekday = re.fullmatch(rf"{WEEKDAY}(?:.*{WEEKDAY})?", answer)
    several = weekday and re.search(r"days$| and | or |, ", answer)
    noun = "time" if is_time else "year" if year else ("days" if several else "day") if weekday else "date" if re.search(r"\b\d{1,2}(?:st|nd|rd|th)?\b", answer) else "month"
    if re.search(r"\b(?:spring|summer|autumn|fall|winter)\b", answer):
        return [(value.kind, answer, ["When"], 1.0)] if prep in ("in", "during") and not _has_when(others) else []
    which = "what" if noun in ("time", "date") else "which"
    if prep in ("in", "on", "at", "during"):
        if {"in": noun not in ("year", "month"), "at": noun != "time", "on": noun not in ("day", "days", "date")}.get(prep, False):
            return []
        return [(value.kind, answer, [f"{prep.capitalize()} {which} {noun}", *([] if _has_when(others) else ["When"])], 1.1)]
    if prep in ("by", "until", "till", "from", "since", "before", "after"):
        opening = "until" if prep == "till" else prep
        when = [] if prep in ("before", "after") else [f"{opening.capitalize()} when"]
        return [(value.kind, answer, [f"{opening.capitalize()} {which} {noun}", *when], 1.1)]
    return []


def _measure(clause: Clause, prep: str, answer: str, tail: str, others: list[Piece]) -> list[tuple]:
    unit = re.split(r"[\s-]", re.split(r"\s(?:a|an|per)\s", answer)[0])[-1].lower()
    rate = " ".join(re.findall(r"\s(?:a|an|per)\s[a-z]+$", answer)).strip()
    is_time = bool(TIME_UNIT.search(unit))
    plural = unit if unit.endswith("s") and len(unit) > 3 else ""
    if rate and not prep and not tail:
        bare = answer.removesuffix(" " + rate)
        return [("measure", bare, [(f"How many {plural}", rate)], 1.1)] if plural and clause.base not in ("be", "weigh") else []
    if is_time and (ahead := re.fullmatch(r"\s(in advance|ahead|beforehand)", tail)) and not prep:
        return [("measure", answer, [f"How long {ahead.group(1)}", *([f"How many {plural} {ahead.group(1)}"] if plural else [])], 1.1)]
    if prep in ("to", "with") and plural and re.fullmatch(r"\sof\s(?:[a-z-]+\s){0,2}[a-z-]+(?:\s(?:a|per)\s(?:day|week|month|year))?", tail):
        return [("measure", answer, [f"{prep.capitalize()} how many {plural}{tail}"], 1.0)]
    if prep == "after" and any(o.preposition == "at" and o.text.startswith("at the ") for o in others):
        return []
    if is_time:
        openings = {
            "for": ["For how long", *([f"For how many {plural}"] if plural else [])],
            "within": ["Within what time", *([f"Within how many {plural}"] if plural else [])],
            "after": ["After how long", *([f"After how many {plural}"] if plural else [])],
            "during": [],
        }.get(prep, [])
        if not prep and clause.base == "have" and any(re.match(r"to\s[a-z]", o.text) for o in others):
            openings = ["How long", *([f"How many {plural}"] if plural else [])]
        if not prep and clause.base in ("take", "last") and not tail:
            openings = ["How long", *([f"How many {plural}"] if plural else [])]
        return [("measure", answer, openings, 1.1)] if openings and not tail else []
    of = re.fullmatch(r"\sof\s((?:[a-z-]+\s){0,2}[a-z-]+)", tail)
    if not prep and of and not re.search(r"[^su]s$", of.group(1)):
        many = [f"How many {plural} of {of.group(1)}"] if plural else []
        return [("measure", answer, [f"How much {of.group(1)}", *many], 1.1)]
    if tail:
        return []
    what = UNIT_NOUNS.get(unit.rstrip("s") if unit not in UNIT_NOUNS else unit, "")
    if prep in ("at", "to") and what:
        return [("measure", answer, [f"{prep.capitalize()} what {what}"], 1.0)]
    if not prep and what in ("temperature", "speed", "pressure") and clause.base in ("reach", "exceed", "need", "require"):
        return [("measure", answer, [f"What {what}"], 1.0)]
    if not prep and plural and not clause.is_copula and clause.base not in ("weigh", "stand"):
        return [("measure", answer, [f"How many {plural}"], 0.9)]
    return []


def _count(clause: Clause, prep: str, answer: str, tail: str) -> list[tuple]:
    number = re.sub(rf"^{LIMIT}\s", "", answer)
    noun, behind = plural_noun(tail)
    if number in ("one", "1", "0", "zero") or not noun or clause.is_copula and not prep or noun == "times":
        return []
    opening = {"": "How many", "by": "", "at": ""}.get(prep, f"{prep.capitalize()} how many")
    if not opening or prep not in ("", "in", "on", "for", "from", "to", "with", "within", "into", "after"):
        return []
    stays = tail.strip()[len(noun) :].strip()
    if re.match(r"(?:and|or)\b", stays):
        return []
    return [("count", answer, [(f"{opening} {noun} {stays}".strip(), "")], 1.0)]


def _of_words(clause: Clause, piece: Piece, body: str, others: list[Piece], before: Piece | None) -> list[tuple]:
    prep = piece.preposition
    if prep == "in" and re.fullmatch(MONTH, body):
        return [("date", body, ["In which month", *([] if _has_when(others) else ["When"])], 0.9)]
    if prep == "in" and SEASON.fullmatch(body):
        return [("date", body, ["In which season"], 0.7)]
    if label := re.fullmatch(rf"((?:[A-Za-z]+\s)?{CHANNELS}|(?!(?:{LIMIT}|the|the age of|age)\s\d)[a-z]{{4,}})\s([A-Z]?\d{{1,4}}[A-Za-z]?|[A-Z])", body):
        value = label.group(2) if label.group(2).isdigit() else body
        return [("object", value, [f"{prep.capitalize()} which {label.group(1)}"], 1.0)]
    if prep in ("by", "via", "through") and MEANS.fullmatch(body):
        return [("object", f"{prep} {body}", ["How", "By what means"], 0.8)]
    if prep == "by":
        return _agent(clause, body)
    if prep in ("with", "from", "to") and re.fullmatch(rf"the\s(?:[a-z-]+\s){{0,2}}(?:{ROLE}|(?<!post )(?<!ticket )(?<!box )office|council|committee)", body):
        return [("person", body, [f"{prep.capitalize()} whom"], 0.9)]
    if prep in ("with", "from", "to") and is_person(body) and re.match(r"(?:Mrs?|Ms|Dr|Professor|Miss)\b", body):
        return [("person", body, [f"{prep.capitalize()} whom"], 0.9)]
    if is_place(piece) and clause.is_copula and any(o.preposition == "for" and find_values(o.text) for o in others):
        return []  # "Where are statements for 74 days": how long comes first
    if is_place(piece) and not (before and before.preposition in ("to", "into", "from", "with", "without", "by", "for", "via")):
        return [("place", piece.text, ["Where", "In which place"], 0.9)]
    return []


def _agent(clause: Clause, body: str) -> list[tuple]:
    somebody = is_person(body) or re.fullmatch(rf"the\s(?:[a-z-]+\s){{0,3}}(?:{ROLE}s?|council|committee|board|office|police|parish|city|town)", body)
    if not clause.is_passive or len(clause.auxiliaries) != 1 or not somebody:
        return []
    return [("person", body, ["By whom"], 1.1)]


def _actively(clause: Clause, before: str, rest: str) -> str:
    verb = past_of(clause.base) if clause.auxiliaries[0] in ("was", "were") else third_of(clause.base)
    if re.fullmatch(PREPOSITION, before):
        verb, rest = f"{verb} {before}", rest[len(before) :].strip()  # "is dealt with by …"
    return f"Who {verb} {clause.subject} {rest}"
