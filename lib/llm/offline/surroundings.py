"""Sentences that need what stands around them, said so that they stand alone: whom "she" means, what is to be baked.

In: the pieces of a passage. Out: for a piece, its sentence with the subject named, which the rules for sentences then read; the quote
stays the piece. Nothing is put in where the passage has two candidates or none.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from lib.llm.offline.casing import DETERMINERS, PREPOSITIONS, Casing
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.imperatives import as_statement, heading_thing, object_of, of_heading
from lib.llm.offline.names import PERSON, ROLE, is_person
from lib.llm.offline.objects import object_facts
from lib.llm.offline.sentences import sentence_facts, value_facts
from lib.llm.offline.text import Unit
from lib.llm.offline.values import find_values
from lib.llm.offline.verbs import AUXILIARY, BE, FINITE, PARTICIPLES, base_of_past
from lib.llm.offline.wording import plural_noun
from lib.llm.offline.words import NUMBER_WORDS, content

_LEAD = r"(?:(?:In|On|At|By|From|Since|Until|After|Before|During) [^,;:.]{2,40}, |(?:In|On|Since|By|Until) [^,;:.]{0,20}\d{1,4},? )?"
_OPENS = re.compile(rf"({_LEAD})(It|She|He|They|it|she|he|they|Its|its|Their|their|His|his|Her|her|(?:This|this|These|these) [a-z-]+) (?=[\w£$€])")
_THEN = re.compile(r"((?:[;,] (?:and|but|so|while)|;) )(it|she|he|they) (?!holds?\b|held\b)(?=\w)")
_VESSEL = re.compile(r"\b(?:ferry|boat|ship|vessel|yacht|lifeboat|trawler|steamer|schooner|tug|brig|barge|M[VSY]|SS|HMS)\b")
_EMPTY_IT = re.compile(
    r"(?:is|was|has been|will be|would be|may be|seems|seemed|appears|appeared) (?:\w+ ){1,3}(?:that|to|whether|how|why|when|if)\b"
    r"|(?:takes?|took|rains?|rained|snows?|snowed|seems?|appears?|follows|turned out|is (?:hoped|said|thought|late|time|cold|dark|warm)|was (?:agreed|noted|decided|resolved|\d))\b"
)
_PERSONAL = frozenset("she he".split())
_LEFT_OPEN = re.compile(r"\b(?:it|she|he|they|him|them|this|these|those|here|you|your|we|our|us|I|my|itself|himself|herself)\b|\bat all$")
_PLACE = re.compile(r"\b(?:at|in|to) ((?:the )?[A-Z][\w'’-]+(?: (?:of |the )?[A-Z][\w'’-]+)+)")
_THERE = re.compile(r"(?<=\w) there(?= (?:costs?|opens?|closes?|lasts?|is|are|was|were|takes?|begins?|starts?|ends?)\b)")
_IN = re.compile(r"\b(?:village|town|city|valley|house|building|park|garden|forest|flat|tower)$", re.IGNORECASE)
_AT = re.compile(r"\b(?:hotel|hospice|museum|school|library|farm|station|centre|hall|church|mill|baths|pool|theatre|cinema|campsite|camp|hospital|surgery|clinic|market|zoo|harbour|marina|airport|hostel|inn|café|restaurant|gallery|"
                 r"ferry|ship|village|town|city|valley|house|building|park|garden|forest|flat|tower)$", re.IGNORECASE)  # fmt: skip
_PLURAL = re.compile(r"(?:[a-z]{2}[^siu]s|people|men|women|children|staff)$")


def stand_alone(units: Sequence[Unit], known: Casing) -> dict[int, str]:
    """Sentences of a passage's pieces with their subjects put in, by the place of the piece; only those that need it and are sure."""
    whole: dict[int, str] = {}
    for i, unit in enumerate(units):
        if unit.kind not in ("sentence", "item") or unit.is_cut or len(unit.text) > 400:
            continue
        before = _before(units, i)
        said = whole.get(i - 1, before.plain) if before else ""
        if text := _named(unit.plain, said, unit.headings, known) or as_statement(unit.plain, object_of(before.plain) if before else "", unit.headings) or of_heading(unit.plain, unit.headings):
            whole[i] = text
    return whole


def counted_facts(sentence: str, headings: Sequence[str]) -> list[tuple]:
    """ "There are 52 rooms" below the heading of a hotel: how many there are at it."""
    match = re.match(r"There (are|were) ((?:about |only |up to |over )?(?:\d[\d,]*|[a-z-]+)) ([^,.;:]+?)(?=[,.;:]|$| (?:and|with|of which|all)\b)", sentence)
    thing = next((t for h in reversed(headings) if (t := heading_thing([h])) and _AT.search(t)), "")
    if not match or not thing or not (match.group(2).split()[-1] in NUMBER_WORDS or match.group(2)[-1].isdigit()) or match.group(2) in ("one", "1"):
        return []
    noun, rest = plural_noun(f" {match.group(3)}")
    place = f"{'on board' if _VESSEL.search(thing) else 'in' if _IN.search(thing) else 'at'} {thing}"
    return [("count", match.group(2), [f"How many {noun} {match.group(1)} there {place}", f"What is the number of {noun} {place}"], 0.9)] if noun and not rest.strip() else []


def named_facts(sentence: str, known: Casing) -> list[tuple]:
    """Drafts (kind, value, questions, score) of a sentence with its subject put in; no question that still points at something unnamed."""
    drafts = sentence_facts(sentence, known) or _of_past(sentence)
    least = 3 if " should be " in sentence else 2  # "Where should the money be put?" lacks what it is about
    return [
        (kind, value, [q for q in asked if not _LEFT_OPEN.search(q)], score)
        for kind, value, asked, score in drafts
        if kind not in ("place", "person", "reason") or asked and len(set(content(asked[0]))) >= least
    ]


def _of_past(sentence: str) -> list[tuple]:
    """Drafts of a sentence whose verb no table holds, but whose form tells: "The ferry Orrin Bird rounded the light at 14:05"."""
    match = re.match(r"((?:The|the) (?:[a-z-]+ ){0,3}?(?:[A-Z][\w'’-]+ )*|(?:[A-Z][\w'’-]+ ){1,4})([a-z]{2,}[a-z]ed) ((?:the|a|an|its|her|his|in|on|at|to|from|past|into|over|round|\d|£)\b.*)$", sentence.rstrip("."))
    if not match or match.group(2) in FINITE or match.group(2) in PARTICIPLES or find_values(match.group(1)):
        return []
    subject = match.group(1).strip()
    clause = Clause(subject[:1].lower() + subject[1:] if subject.startswith("The ") else subject, (), match.group(2), base_of_past(match.group(2)), "past", match.group(3))
    return [*value_facts(clause, ""), *object_facts(clause, "")]


def _before(units: Sequence[Unit], i: int) -> Unit | None:
    """The sentence before a piece, under the same headings."""
    unit = units[i - 1] if i else None
    return unit if unit and unit.kind in ("sentence", "item") and unit.headings == units[i].headings and not unit.is_cut else None


def _named(sentence: str, before: str, headings: Sequence[str], known: Casing) -> str:
    opening = _OPENS.match(sentence)
    text = sentence
    if opening:
        word, rest = opening.group(2), sentence[opening.end() :]
        subject = _meant(word, rest, before, headings, known)
        if not subject:
            return ""
        if not (put := _put(word.lower(), subject, rest)):
            return ""
        text = f"{opening.group(1)}{put}"
    elif (there := _THERE.search(sentence)) and (places := _places(before)) and len(places) == 1:
        text = f"{sentence[: there.start()]} at {places[0]}{sentence[there.end() :]}"
    if then := _THEN.search(text):
        first = _subject(text[: then.start()], known)
        if first and _fits(then.group(2), first) and not _others(then.group(2), first):
            text = f"{text[: then.start(2)]}{first.subject} {text[then.end() :]}"
    return text[:1].upper() + text[1:] if text != sentence else ""


def _put(word: str, subject: str, rest: str) -> str:
    """The subject in the place of the word for it: "Its length is" → "The length of the Orrin is"."""
    if word in ("his", "her"):
        return f"{subject}'s {rest}"
    if word in ("its", "their"):
        clause = parse_clause(f"The {rest}")
        owned = clause.subject.removeprefix("the ") if clause else ""
        return f"the {owned} of {subject}{rest[len(owned) :]}" if owned and rest.startswith(owned) and " of " not in owned else ""
    return f"{subject} {rest}"


def _meant(word: str, rest: str, before: str, headings: Sequence[str], known: Casing) -> str:
    """What a pronoun or "this ticket" at a sentence's start means; nothing unless there is one candidate."""
    said = word.lower()
    if said == "it" and _EMPTY_IT.match(rest):
        return ""
    if said.startswith(("this ", "these ")):
        return _same_noun(said.split()[1], before) or _titled(said.split()[1], headings)
    clause = _subject(before, known) if before else None
    if said in ("she", "he", "his", "her"):
        return _person(said, before, clause) or _biography(before, headings)
    if said in ("its", "their"):
        said = {"its": "it", "their": "they"}[said]
    if clause and _fits(said, clause) and not _others(said, clause):
        return clause.subject
    if not before and said in ("it", "they") and (thing := heading_thing(headings[-1:])) and _is_plural(thing) == (said == "they"):
        return thing
    return ""


def _person(said: str, before: str, clause: Clause | None) -> str:
    people = list(dict.fromkeys(m.group() for m in re.finditer(rf"(?<![\w'’-]){PERSON}", before) if is_person(m.group())))
    if clause and _VESSEL.search(clause.subject):
        return clause.subject if said in ("she", "her") and not [p for p in people if p not in clause.subject] else ""
    if len(people) != 1 or not clause or people[0] not in clause.subject or not re.fullmatch(rf"(?:the [a-z -]+ )?{re.escape(people[0])}", clause.subject):
        return ""
    return people[0]


def _biography(before: str, headings: Sequence[str]) -> str:
    """The person whom the title names, where no other has been named since."""
    people = [m.group() for m in re.finditer(PERSON, headings[0] if headings else "") if is_person(m.group())]
    since = {m.group() for m in re.finditer(PERSON, before) if is_person(m.group())}
    told = bool(re.search(r"\b(?:she|he|her|his|him)\b", before, re.IGNORECASE)) or not before or since
    return people[0] if len(people) == 1 and since <= set(people) and told and not _VESSEL.search(before) and not re.search(rf"\b{ROLE}\b|\b(?:son|daughter|brother|sister|wife|husband|mother|father|man|woman|boy|girl|friend)\b", before) else ""


def _titled(noun: str, headings: Sequence[str]) -> str:
    """What "these statutes" means where the heading above alone holds the word."""
    held = [h for h in headings if re.search(rf"\b{noun}\b", h, re.IGNORECASE)]
    return heading_thing(held) if len(held) == 1 and noun not in ("time", "way", "year", "day", "week", "month") else ""


def _same_noun(noun: str, before: str) -> str:
    """What "this ticket" means: the one thing that the sentence before calls a ticket."""
    if noun in FINITE and FINITE[noun][1] == "third":
        return ""
    found = re.findall(rf"\b(?:[Tt]he|[Aa]n?|[Ee]very|[Ee]ach) ((?:[\w'’-]+ ){{0,3}}?{re.escape(noun)})\b(?: (?:of|for|to|from) (?:the )?[\w'’-]+)?", before)
    if len(found) != 1 or len(re.findall(rf"\b{re.escape(noun)}", before)) != 1 or len(found[0].split()) < 2:
        return ""
    words = found[0].split()[:-1]
    if any(w.lower() in PREPOSITIONS | DETERMINERS | {"new", "first", "same", "and", "or"} or w.lower() in FINITE or w in BE for w in words):
        return ""
    return f"the {found[0]}"


def _subject(text: str, known: Casing) -> Clause | None:
    text = re.sub(r"; (?:never|do not|please) [^;]*$", "", text)
    text = re.sub(r"^(?:[A-Z][a-z]+(?:ed|ilt) |(?:In|During|After|Before|Since|At|On) )[^,;:]{3,70}, (?=the [a-z])", "", text)
    clause = parse_clause(text, known) or _plain_clause(text)
    if re.search(r"[;:] |, (?:and|but|so|while|which|who) (?!(?:it|she|he|they)\b)", text):
        return None  # a second clause may hold what is meant
    if clause and re.match(r"[Tt]his |[Tt]hese ", clause.subject):
        clause = replace(clause, subject=f"the {clause.subject.split(' ', 1)[1]}")
    if not clause or len(clause.subject.split()) > 8 or re.search(r"[,;:]|\b(?:and|or)\b", clause.subject):
        return None
    return clause


def _plain_clause(text: str) -> Clause | None:
    """The clause of "The course runs …", where a noun with its article stands before the verb; coarser than `parse_clause`."""
    match = re.match(r"([Tt]he|[Tt]his|[Tt]hese) ((?:[a-z-]+ ){1,3}?)([a-z]+) (.+)$", text)
    if not match or set(match.group(2).split()) & (PREPOSITIONS | AUXILIARY):
        return None
    verb = match.group(3)
    base, tense = ("be", "be") if verb in BE else FINITE.get(verb, ("", ""))
    plural = bool(_PLURAL.search(match.group(2).split()[-1]))
    if not (tense in ("be", "past") or tense == ("base" if plural else "third")):
        return None
    return Clause(f"the {match.group(2).strip()}", (), verb, base, tense, match.group(4))


def _fits(said: str, clause: Clause) -> bool:
    subject = clause.subject
    if said == "they":
        return _is_plural(subject) and subject.split()[0].lower() not in NUMBER_WORDS and not subject[:1].isdigit()
    if said in _PERSONAL:
        return is_person(subject) or said == "she" and bool(_VESSEL.search(subject))
    first = subject.split()[0].lower()
    if re.search(rf"\b{ROLE}\b", subject) or any(is_person(m.group()) for m in re.finditer(PERSON, subject)):
        return False
    return not (_is_plural(subject) or is_person(subject) or first in NUMBER_WORDS or first in ("all", "some", "many", "most", "no"))


def _others(said: str, clause: Clause) -> bool:
    """Whether the clause holds another thing that the pronoun could mean: its object, or for "they" any other plural."""
    rest = clause.rest
    if said == "they":
        return any(_PLURAL.search(w.strip(",.;:")) and not w[:1].isupper() for w in re.sub(r"\d\S* [a-z]+", "", rest).split())
    if said in _PERSONAL or clause.is_copula or clause.is_passive:
        return any(is_person(m.group()) for m in re.finditer(PERSON, rest)) if said in _PERSONAL else ", which" in rest
    rest = re.sub(r"^(?:only|up to|mainly|mostly|also|back|well|daily) ", "", rest)
    first = rest.split()[0] if rest else ""
    if said == "it" and re.match(r"(?:the |all |many |its )?(?:[a-z]+ )?(?:[a-z]+[a-rtv-z]s|people|children)(?:[.,]| (?:who|whose|in|at|on|for|to|from|with|every)\b|$)", rest):
        return False  # its object is several
    return bool(first) and bool(re.match(r"\S+ \S+ of ", rest)) or bool(first) and not (first.lower() in PREPOSITIONS or first[:1].isdigit() or first[:1] in "£$€" or first in NUMBER_WORDS)


def _is_plural(subject: str) -> bool:
    head = re.split(r" (?:of|for|in|on|at|from|to|with|by|between|under|over) ", subject)[0].split()[-1]
    return bool(_PLURAL.search(head.lower())) and (head == subject.split()[0] or not head[:1].isupper() or subject.startswith("the ") and head.endswith("s"))


def _places(before: str) -> list[str]:
    return list(dict.fromkeys(_PLACE.findall(before)))
