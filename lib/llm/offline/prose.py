"""Facts of prose that states no number, date or name: what a clause says after a preposition, by what means, or of what.

Asked only where a passage gives nothing better, so that a document of plain prose is asked about too.
"""

import re

from lib.llm.offline.casing import PREPOSITIONS, Casing
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.values import find_values
from lib.llm.offline.verbs import FINITE, PARTICIPLES, is_verb, third_of
from lib.llm.offline.wording import dangles, forms, phrase_until

_LEAD = re.compile(r"^[^,;:]{2,60}, (?=(?:the|a|an|many|most|some|[A-Z])\b)")
_MEANS = re.compile(r"(?:^|\s)by\s(?=[a-z]+ing\b)")
_TAIL = re.compile(r"(?:^|\s)(of|for|with|into|from|in|on|as|against|through|between|to|without)\s(?!which\b|whom\b|that\b|it\b|them\b)")
POINTING = re.compile(r"\b(?:it|they|them|its|their|this|these|those|he|she|his|her|such(?! as)|latter|former|itself|themselves)\b")
_DOUBTFUL = re.compile(r"\b(?:[Ee]ven|what|later|also|below|above|[a-z]+ly)\b")  # in a subject: a sign that the clause was cut wrongly
_VAGUE_MANY = re.compile(r"(?:various|other|several|some(?! of)|certain|such|different|most)\b", re.IGNORECASE)
_TAKES_PLACE = frozenset("lie build base depend rely focus concentrate result specialise specialize engage invest stand rest run consist participate use found print write turn divide develop transform categorise categorize".split())
_LIST_GOES_ON = re.compile(r", (?!and\b)(?:[\w'’-]+ ){0,3}[\w'’-]+(?:, | and | or )")
_COMPOUND = re.compile(r"(?:top|behalf|account|basis|case|terms|front|spite|order|place|favour|favor) of\b")  # "on top of" is one preposition
_BROKEN_OFF = re.compile(r"(?:\b(?:instead|because|out|up|such|more|rather|as|order|addition)|,)$")


def prose_facts(sentence: str, known: Casing) -> list[tuple]:
    """Drafts (kind, value, questions, score) from one plain sentence."""
    lead = _LEAD.match(sentence)
    clause = parse_clause(sentence, known) or (parse_clause(sentence[lead.end() :], known) if lead else None)
    return plain_facts(clause) if clause is not None and is_plain(clause) else []


def is_plain(clause: Clause) -> bool:
    """Whether a clause names its subject and was most likely cut rightly."""
    if len(clause.subject) > 90 or POINTING.search(clause.subject) or _DOUBTFUL.search(clause.subject):
        return False
    if re.search(r"\bwhat\b|^(?:not|never)\b", clause.rest) or _VAGUE_MANY.match(clause.subject):
        return False
    names = re.match(r"(?:[A-Z]\S*\s)+([a-z]+)\b", clause.rest)
    if clause.tense == "past" and clause.verb in PARTICIPLES and names and names[1] in FINITE:
        return False  # "a sailor named Ada Nord designed": no verb but a participle
    return not (clause.base == "have" and re.match(r"(?:\w+ )?\w+ed\b", clause.rest))  # a perfect tense of an unknown verb


def plain_facts(clause: Clause) -> list[tuple]:
    """Drafts from one plain clause."""
    return [*_means(clause), *_after_preposition(clause), *_predicate(clause), *_subject(clause)]


def _means(clause: Clause) -> list[tuple]:
    """ "Hydrofoils work by generating lift" → "How do hydrofoils work?"."""
    match = _MEANS.search(clause.rest)
    context = clause.rest[: match.start()].strip() if match else ""
    value = phrase_until(clause.rest[match.start() :].strip(), 16) if match else ""
    if not value or len(context.split()) > 7 or re.search(r"[,;:()]", context) or POINTING.search(context):
        return []
    return [("manner", value, forms(clause, ["How", "In what way"], context), 0.4)]


def _after_preposition(clause: Clause) -> list[tuple]:
    """ "The front wing is responsible for providing lift" → "What is the front wing responsible for?"."""
    if clause.verb.endswith("ing") and not clause.auxiliaries:
        return []
    for match in _TAIL.finditer(clause.rest):
        context, preposition = clause.rest[: match.start()].strip(), match.group(1)
        value = phrase_until(clause.rest[match.end() :], 9)
        if len(context.split()) > 6 or re.search(r"[,;:()]", context) or set(context.split()) & PARTICIPLES.keys():
            return []
        if not is_whole(value, clause.rest) or POINTING.search(f"{context} {value}") or _BROKEN_OFF.search(context):
            continue
        if preposition == "to" and not re.match(r"(?:the|a|an|every|all|each)\b|[A-Z]", value) or value.startswith("to "):
            continue
        if preposition in ("in", "on", "into") and (context or clause.is_copula or clause.base not in _TAKES_PLACE):
            continue  # a place or a state: "what" does not ask for it
        if re.search(r"\b(?:only|persons|people|those|anyone|anybody|somebody|with effect)\b", context):
            continue  # "What may it be driven only by persons with"
        if context.split()[:1] and context.split()[0] in PREPOSITIONS or _COMPOUND.match(value):
            continue
        if clause.is_copula and (not context or re.match(r"(?:the|an?|one|also|only)\s", context)):
            continue
        asked = f"{context} {preposition}".strip()
        return [("object", value, [f"What {clause.ask(asked)}", f"{preposition.capitalize()} what {clause.ask(context)}"], 0.35)]
    return []


def is_whole(value: str, rest: str) -> bool:
    """Whether a phrase can be an answer: no number (those are asked for elsewhere), not broken off, no list cut after its first word."""
    if not value or dangles(value) or find_values(value) or re.search(r"\band [a-z]+ed$|ly$|\b(?:meanwhile|instead|too|again|later|now|then|today|soon|also|already|twice|once|already)$", value) or value.split()[0] in PREPOSITIONS - {"of"}:
        return False
    behind = rest.partition(value)[2]
    return not (behind.startswith(",") and len(value.split()) <= 2 or " and " not in value and _LIST_GOES_ON.match(behind))


def _predicate(clause: Clause) -> list[tuple]:
    """ "Flat wings allow slow riding" → "What do flat wings allow?"."""
    value = phrase_until(clause.rest, 9)
    plain = re.match(r"(?:the|a|an|many|several|both|all|every|each)\s", value) or re.search(r"[^s]s$", value)
    if clause.is_copula or clause.is_passive or not plain or not is_whole(value, clause.rest):
        return []
    if _TAIL.search(value) or POINTING.search(value):
        return []
    return [("object", value, [f"What {clause.ask()}"], 0.3)]


def _subject(clause: Clause) -> list[tuple]:
    """ "The back wing helps with stability" → "What helps with stability?"."""
    rest = phrase_until(clause.rest, 10)
    behind = clause.rest.removeprefix(rest)
    if len(rest.split()) < 3 or dangles(rest) or POINTING.search(rest) or rest.startswith(("a ", "an ", "the ")) and clause.is_copula:
        return []
    if re.match(r",? (?:which|who|that|where|when)\b|, (?:the|an?)\b", behind):
        return []  # the rest of the sentence is needed to tell what is meant
    if len(clause.subject.split()) <= (3 if clause.subject.startswith("the ") and (clause.is_copula or clause.is_passive) else 2) and not any(w[:1].isupper() for w in clause.subject.split()[1:]) and clause.subject[:1].islower():
        return []  # "What is robust to noise?": "the models" says nothing
    if find_values(rest) or re.search(r"\bonly\b", rest):
        return []  # a number belongs into the answer
    rest = _of_one_verb(rest)
    first, *others = clause.auxiliaries or (third_of(clause.base) if clause.tense == "base" else clause.verb,)
    first = {"are": "is", "were": "was", "have": "has"}.get(first, first)  # "What" is singular
    group = " ".join([first, *others, *([clause.verb] if clause.auxiliaries else [])])
    if "not" in clause.auxiliaries and not clause.is_passive or clause.verb in ("are", "were") and re.match(r"\w+[^s]s\b", rest):
        return []
    acts = not clause.is_copula and not clause.is_passive  # it may be somebody
    return [("object", clause.subject, [f"{'Who or what' if acts else 'What'} {group} {rest}"], 0.25)]


def _of_one_verb(rest: str) -> str:
    """ "the use of animals and argued that" → "the use of animals"."""
    second = re.search(r"\s(?:and|or)\s([a-z]+)", rest)
    cuts = second and (is_verb(second[1]) or second[1].endswith("ed")) and len(rest[: second.start()].split()) >= 3
    return rest[: second.start()] if cuts else rest
