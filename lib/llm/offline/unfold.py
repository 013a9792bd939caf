"""A sentence that holds several values, unfolded into simple sentences that hold one each: predicates and values strung together, relative clauses."""

import re
from dataclasses import dataclass
from functools import lru_cache

from lib.llm.offline.casing import PREPOSITIONS, UNKNOWN, Casing
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.values import WEEKDAY, Value, find_values
from lib.llm.offline.verbs import AUXILIARY, FINITE, NOUN_LIKE, PARTICIPLES, third_of
from lib.llm.offline.words import content

_JOINT = re.compile(r"(?:,? (?:and|but)(?: then)?|,) (?:(?:also|then|therefore|thereby|thus) )?")
_CLAUSE_JOINT = re.compile(r"; (?:and |but )?|,? (?:and|but|while|whereas) (?=\w)|, (?=the |an? )")
_AMOUNT_OF = re.compile(
    r"((?:The|Our|An?) (?:[a-z][a-z-]+ ){1,2}(?:fee|price|charge|fine|deposit|fare|rent|budget|grant|salary|length|width|height|depth|weight|capacity|speed)) of "
)
_LEAD = re.compile(
    r"(?:In|On|At|From|During|For|Under|By|Until|After|Before|Since) (?:[^,;:]{2,40}, |[^,;:]{2,25}?(?<! of)(?<! to)(?<! the)(?<! and) (?=(?:the|an?|our|each|every) ))"
)
_GAP = re.compile(r"(?:;|,|,? (?:and|but)) ((?:(?:the|an?|each) )?(?:[A-Za-z][\w'’-]* ){1,4})$")
_ADJECTIVE = re.compile(r" (?:long|wide|high|deep|tall|thick|old)\b")
_BEFORE_SECOND = re.compile(r", (?:and |but )?((?:for|in|on|at|from) (?:the |an? )?[A-Za-z][\w'’-]*(?: [a-z][\w'’-]*){0,2}?),? ((?:(?:until|till|to|at|by|for|from) )?)$")
_RELATIVE = re.compile(r"^((?:The|An?|Our|[A-ZÀ-Þ])[^,;:()]{1,60}), (?:which|who) (?:therefore |thereby |also )?((?:[^,;:()]|,(?=\d)){4,80}), (?=[a-z])")
_TRAILING = re.compile(
    r"(?<!\bof )(?<!\bby )(?<!\bnear )(?<!\bbeside )(?<!\d )\b((?:[Tt]he|[Oo]ur) (?:[a-z][\w'’-]* ){0,2}[a-z][\w'’-]*|(?:[A-ZÀ-Þ][\w'’-]+ )?[A-ZÀ-Þ][\w'’-]+), (?:which|who) (?:therefore |thereby |also )?((?:[^,;:()]|,(?=\d)){4,90})(?:[,;] |$)"
)
_PREPOSITION = re.compile(
    r"(?:^|(?<=\s))(?:in|on|at|from|since|until|till|by|before|after|for|to|within|of|between|during|about|every|with|into)\s$"
)
_TELLING = re.compile(
    r"\s(?:in|on|at|from|for|to|by|of|per|a|an|each|during|under|over|within|between|before|after|with|without|if|when|as|long|wide|high|deep|tall|thick|old|heavy|later|onwards|elsewhere|otherwise|downstairs|upstairs|indoors|outdoors|outside|inside|today|abroad)\b"
)
_NOUNS = frozenset("book place name board staff host guide land list house light water call copy coach tour form".split())
_BY_ITSELF = frozenset("close open burn run stand fall sink end begin start work move stay remain live die sail arrive return grow serve go come lie last belong happen retire join merge pass turn".split())
_ANOTHER = re.compile(
    r"\b(?:further|other|next|additional|following|second|last|first|latter|former) ones?\b|\b(?:the rest|the others?|instead)\b"
    r"|^The (?:first|second|third|last|next|former|latter) (?:is|was|has|had|\w+s|\w+ed|began|ran|took|can|may|must|will) ")
_NEXT_CLAUSE = re.compile(r"[,;]|\s(?:and|but|or|which|who|that|if|when|where|while|until|because|unless|as|so|than|what|whatever)\s")
_SINGULAR, _PLURAL = frozenset(("is", "was", "has")), frozenset(("are", "were", "have"))
_OPEN = re.compile(r"\b(?:which|who|that|when|where|if|because|while|whose|whether|unless)\b")
_ANYBODY = re.compile(r"(?:who|what|any|every|some|no)(?:ever|one|body|thing)?\b", re.IGNORECASE)
_POINTING = re.compile(r"\b(?:it|them|they|him|he|she|these|those|this|that|itself|themselves|[Ww]hoever|[Aa]nyone)\b|\b(?:an?|the) [a-z]+ ones?\b")
_AMOUNTS = ("count", "measure", "money", "percent")


@dataclass(frozen=True)
class Simple:
    """A simple sentence, and stems of which a question about its value must name one: what tells it from the others."""

    text: str
    telling: frozenset[str] = frozenset()


@lru_cache(maxsize=4096)
def unfold(sentence: str, known: Casing = UNKNOWN) -> tuple[Simple, ...]:
    """The simple sentences that a plain sentence strings together, each a sentence of its own; none where it is simple itself."""
    if not find_values(sentence) or re.search(r":(?!\d\d)|[()?\"“]", sentence):
        return ()
    found: list[Simple] = []
    whole = sentence
    if amount := _AMOUNT_OF.match(sentence):  # "The course fee of £18 is paid in May" -> "The course fee is £18", "… is paid in May"
        the = re.sub(r"^An? ", "The ", amount.group(1))
        value = next((v for v in find_values(sentence) if v.start == amount.end()), None)
        if value and value.kind in ("money", "measure", "percent") and re.match(r" [a-z]", sentence[value.end :]):
            found.append(Simple(f"{the} is {value.text}"))
            sentence = f"{the}{sentence[value.end :]}"
    lead = _LEAD.match(sentence)
    lead = lead if lead and not _POINTING.search(lead.group()) and not find_values(lead.group()) else None
    body = _capital(sentence[lead.end() :]) if lead else sentence
    for i, clause in enumerate(_clauses(body.strip().rstrip(".!"), known)):
        for predicate in _predicates(clause, known):
            parts = [Simple(text) for text in _gapped(predicate, known)] or _apart(predicate, known) or _swapped(predicate) or [Simple(predicate)]
            if lead and i == 0:  # "In May the gate opens at 9:00" -> "The gate opens at 9:00 in May"
                words = lead.group().strip(" ,")
                moved = f" {words[0].lower()}{words[1:]}"
                parts = [Simple(part.text + moved, frozenset(content(words))) for part in parts if not part.telling]
            found.extend(parts)
    return tuple(
        part
        for part in dict.fromkeys(Simple(f"{part.text}.", part.telling) for part in found)
        if part.text != whole and find_values(part.text) and not _ANOTHER.search(part.text) and not _POINTING.search(part.text)
    )


def _clauses(sentence: str, known: Casing) -> list[str]:
    """Clauses with a subject of their own; a relative clause becomes one about the noun before it."""
    found = []
    if (match := _RELATIVE.match(sentence)) and _is_finite(match.group(2)):
        found.append(f"{match.group(1)} {match.group(2)}")
        sentence = f"{match.group(1)} {sentence[match.end() :]}"
    elif (match := _TRAILING.search(sentence)) and _is_finite(match.group(2)) and not re.search(r"(?:\d\S*|[A-ZÀ-Þ][\w'’-]*) $", sentence[: match.start()]):
        noun = match.group(1)
        if re.search(r"\b(?:before|after|until|once|when|if|so that)\b", sentence[: match.start()]):
            return []
        found.append(f"{noun[0].upper()}{noun[1:]} {match.group(2)}")
        sentence = f"{sentence[: match.end(1)]}{sentence[match.end(2) :]}".rstrip(",")
    start = 0
    for joint in _CLAUSE_JOINT.finditer(sentence):
        left, right = sentence[start : joint.start()], sentence[joint.end() :]
        ends = joint.group()[0] == ";"
        told = ends or parse_clause(_capital(left), known) and not _OPEN.search(left)
        values = find_values(right)
        gapped = ends and values and _GAP.fullmatch(f"; {right[: values[0].start]}") and right.split()[0] not in PREPOSITIONS
        if told and _begins_clause(right, known) or ends and not gapped:
            found.append(_capital(left))
            start = joint.end()
    return [*found, _capital(sentence[start:])]


def _begins_clause(text: str, known: Casing) -> bool:
    """Whether a text begins with a subject and its verb: "lunch is served at noon"."""
    first = text.partition(" ")[0]
    if first in AUXILIARY or first in FINITE and first not in NOUN_LIKE or first in ("then", "so", "also", "thus", "now"):
        return False
    clause = parse_clause(_capital(text), known)
    return clause is not None and not re.search(r"\b(?:and|or|but)\b", clause.subject) and not find_values(clause.subject)


def _is_finite(text: str) -> bool:
    """Whether a relative clause goes on with its verb: not "which Ada Nord collects"."""
    first = text.partition(" ")[0]
    return first in AUXILIARY or first in FINITE


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _predicates(text: str, known: Casing) -> list[str]:
    """ "X is ready at 13:00 and must be free by 09:30" → the two, each with the subject."""
    clause = parse_clause(text, known)
    if clause is None or clause.subject.lower() not in text.lower() or re.match(r"(?:and|or|but)\b", clause.rest) or _ANYBODY.fullmatch(clause.subject):
        return [text]
    subject = text[: text.lower().index(clause.subject.lower()) + len(clause.subject)]
    parts, start, opening = [], 0, subject
    for joint in _JOINT.finditer(text):
        behind = text[joint.end() :]
        if joint.start() > len(subject) and _joins(joint, text) and (shared := _shared(clause, behind)) is not None:
            parts.append(text[start : joint.start()] if not start else f"{opening} {text[start : joint.start()]}")
            start, opening = joint.end(), f"{subject} {shared}".strip()
    return [*parts, text[start:] if not start else f"{opening} {text[start:]}"]


def _shared(clause: Clause, text: str) -> str | None:
    """What a text that begins with a second verb shares of the first one's group beside the subject; None where it begins with none."""
    word, _, after = text.partition(" ")
    is_passive = clause.is_passive or clause.is_copula and re.match(r"[a-z]+ed\b", clause.rest)
    goes_on = is_passive and word in PARTICIPLES and after.split(" ")[0] in PREPOSITIONS  # "was lifted out and repaired in the yard"
    if _agrees(clause, text) and not (goes_on and PARTICIPLES[word] not in _BY_ITSELF):
        return ""
    if goes_on:
        return " ".join(clause.auxiliaries or (clause.verb,))
    modal = (clause.auxiliaries or (clause.verb,))[0]
    is_base = word in ("be", "have") or FINITE.get(word, ("", ""))[1] == "base" and word not in _NOUNS
    return modal if modal in AUXILIARY - _SINGULAR - _PLURAL and is_base and after else None


def _joins(joint: re.Match, text: str) -> bool:
    """Whether a bare comma stands in a list of three: "sits four, costs £5 and weighs 20 kg"."""
    return joint.group().strip() != "," or bool(re.search(r"\b(?:and|but) ", text[joint.end() :]))


def _agrees(clause: Clause, text: str) -> bool:
    """Whether a text begins with a verb in the form that the clause's own verb has."""
    words = text.split()
    first = words[0].strip(",.;") if words else ""
    if len(words) < 2 or words[0][-1] in ",;":
        return False
    finite = (clause.auxiliaries or (clause.verb,))[0]
    if first in AUXILIARY:
        is_one = finite in _SINGULAR or finite not in _PLURAL and clause.tense != "base" and not re.search(r"[^su]s$", clause.subject)
        is_one = is_one or clause.tense == "third"
        modal = finite in AUXILIARY - _SINGULAR - _PLURAL
        return first in (_SINGULAR if is_one else _PLURAL) and not (modal and first in ("has", "have")) or first not in _SINGULAR | _PLURAL
    if first not in FINITE or FINITE[first][1] == "base" and first in _NOUNS:
        return False
    if set(_NEXT_CLAUSE.split(text)[0].split()) & AUXILIARY:
        return False  # "drops from the bottle are given": a noun
    tense = FINITE[first][1]
    if first in NOUN_LIKE and not re.match(r"\S+ (?:\d|[£$€]|the |an? |at |from |on |to )", text):
        return False
    if clause.tense == "third" or finite in ("is", "has"):
        return tense == "third"
    if clause.tense == "past" or finite in ("was", "were", "had"):
        return tense == "past"
    if clause.tense == "base" or finite in ("are", "have"):
        return tense == "base" and finite not in ("can", "may", "must", "will")
    return False


def _apart(text: str, known: Casing) -> list[Simple]:
    """ "X costs £6 from A and £4 from B" → "X costs £6 from A", "X costs £4 from B"; empty where nothing tells the values apart."""
    clause = parse_clause(text, known)
    values = [v for v in find_values(text) if v.kind != "number"]
    if clause is None or len(values) < 2 or not clause.rest or clause.rest not in text:
        return []
    begin = text.index(clause.rest)
    run = _run(text, [v for v in values if v.start >= begin])
    if len(run) < 2:
        return []
    pieces = [text[a : (run[i + 1][0] if i + 1 < len(run) else len(text))] for i, (a, _) in enumerate(run)]
    pieces = [re.sub(r"(?:;|,|,? (?:and|but))\s*$", "", piece).strip() for piece in pieces]
    tails = [text[v.end : v.end + 80] for _, v in run]
    telling = [frozenset(content(piece)) - frozenset(content(v.text)) for piece, (_, v) in zip(pieces, run)]
    if len(set(telling)) < len(telling) or not all(telling) or any(_blurred(t, v) for t, (_, v) in zip(tails, run)):
        return []
    head = text[: run[0][0]].rstrip()
    shared = frozenset.intersection(*telling)
    return [Simple(f"{head} {piece}", words - shared or words) for piece, words in zip(pieces, telling)]


def _gapped(text: str, known: Casing) -> list[str]:
    """ "Adults pay £8, children £5" → "Adults pay £8", "Children pay £5"; empty where no verb is left out."""
    clause = parse_clause(text, known)
    if clause is None or clause.subject.lower() not in text.lower() or clause.rest not in text:
        return []
    begin = text.index(clause.rest)
    values = [v for v in find_values(text) if v.start >= begin]
    if len(values) < 2:
        return []
    between = text[begin : values[0].start]
    starts, told = [0], []
    for value in values[1:]:
        gap = _GAP.search(text[: value.start])
        words = gap.group(1).split() if gap else []
        preposition = words.pop() if len(words) > 1 and words[-1] in PREPOSITIONS else ""
        if (
            value.kind != values[0].kind
            or not gap
            or gap.start() < values[0].end
            or clause.is_passive
            and not preposition
            or preposition != (between.split()[-1] if _PREPOSITION.search(between) else "")
            or len(between.split()) > 3
            or words[0] in PREPOSITIONS | {"plus", "then", "or", "not", "up", "almost", "about", "only"}
            or any(FINITE.get(w, ("", ""))[1] == "base" and one.endswith("s") for one, w in zip(words, words[1:]))
            or any(w in AUXILIARY or w in PREPOSITIONS or FINITE.get(w, ("", ""))[1] in ("past", "third") and w not in NOUN_LIKE for w in words)
        ):
            return []
        starts.append(gap.start())
        told.append(f"{_capital(' '.join(words))} {_group(clause, words)} {between}{text[value.start :]}")
    if told and (adjective := _ADJECTIVE.match(text, values[0].end)) and re.search(r"\d\S* \w+$", told[-1]):
        told[-1] += adjective.group()
    ends = [len(text) - at for at in starts[1:]]
    pieces = [text, *told]
    return [piece[: len(piece) - end] for piece, end in zip(pieces, [*ends, 0])]


def _group(clause: Clause, subject: list[str]) -> str:
    """The clause's verb group as another subject has it: "adults pay", "a child pays"."""
    is_many = bool(re.search(r"[^su]s$|^(?:people|children|men|women)$", subject[-1])) and subject[0] not in ("a", "an", "each")
    first, *others = clause.group.split()
    turned = {"is": "are", "was": "were", "has": "have"}
    if first in turned or first in turned.values():
        first = turned.get(first, first) if is_many else {many: one for one, many in turned.items()}.get(first, first)
    elif clause.tense in ("base", "third") and not clause.auxiliaries:
        first = clause.base if is_many else third_of(clause.base)
    return " ".join((first, *others))


def _swapped(text: str) -> list[Simple]:
    """ "Membership costs £20 a year, for couples £35" → the two with "for couples" behind; empty where the second stands otherwise."""
    values = [v for v in find_values(text) if not re.match(WEEKDAY, v.text)]
    match = _BEFORE_SECOND.search(text[: values[1].start]) if len(values) == 2 and values[0].kind == values[1].kind else None
    if not match or match.start() < values[0].end or match.group(2) != (_PREPOSITION.search(text[: values[0].start]) or [""])[0]:
        return []
    second = f"{text[: values[0].start]}{text[values[1].start :]} {match.group(1)}"
    return [Simple(text[: match.start()]), Simple(second, frozenset(content(match.group(1))))]


def _blurred(tail: str, value: Value) -> bool:
    """Whether what follows a value does not say what it is the value of."""
    if value.kind == "count":
        return not re.match(r"\s[a-z]", tail)
    return not _TELLING.match(tail)


def _run(text: str, values: list[Value]) -> list[tuple[int, Value]]:
    """Values strung together: the place where each one's piece begins, its preposition with it, and the value."""
    run: list[tuple[int, Value]] = []
    for value in values:
        if run and value.start < run[-1][1].end:
            continue
        before = text[: value.start]
        preposition = _PREPOSITION.search(before)
        joined = re.search(r"(?:,|,? (?:and|but))\s$", before[: preposition.start()] if preposition else before)
        if not run:
            run = [(preposition.start() if preposition else value.start, value)]
        elif joined and (value.kind == run[0][1].kind or {value.kind, run[0][1].kind} <= set(_AMOUNTS)):
            run.append((preposition.start() if preposition else value.start, value))
    if len(run) > 1:
        first = text[run[0][0] : run[0][1].start]
        second = text[run[1][0] : run[1][1].start]
        if first and not second:  # "at £6 for adults and £4 for children"
            run[0] = (run[0][1].start, run[0][1])
    return run
