"""Facts of prose that states no number, date or name: what a clause says after a preposition, by what means, or of what.

Asked only where a passage gives nothing better, so that a document of plain prose is asked about too.
"""

import re

from lib.llm.offline.casing import Casing
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.values import find_values
from lib.llm.offline.verbs import PARTICIPLES
from lib.llm.offline.wording import dangles, forms, phrase_until

_LEAD = re.compile(r"^[^,;:]{2,60}, (?=(?:the|a|an|many|most|some|[A-Z])\b)")
_MEANS = re.compile(r"(?:^|\s)by\s(?=[a-z]+ing\b)")
_TAIL = re.compile(r"(?:^|\s)(of|for|with|into|from|in|on|as|against|through|between|to|without)\s(?!which\b|whom\b|that\b|it\b|them\b)")
_POINTING = re.compile(r"\b(?:it|they|them|its|their|this|these|those|he|she|his|her|such|itself|themselves)\b")
_DOUBTFUL = re.compile(r"\b(?:[Ee]ven|what|later|also|below|above|[a-z]+ly)\b")  # in a subject: a sign that the clause was cut wrongly
_BROKEN_OFF = re.compile(r"(?:\b(?:instead|because|out|up|such|more|rather|as|order|addition)|,)$")


def prose_facts(sentence: str, known: Casing) -> list[tuple]:
    """Drafts (kind, value, questions, score) from one plain sentence."""
    lead = _LEAD.match(sentence)
    clause = parse_clause(sentence, known) or (parse_clause(sentence[lead.end() :], known) if lead else None)
    if clause is None or len(clause.subject) > 90 or _POINTING.search(clause.subject) or _DOUBTFUL.search(clause.subject):
        return []
    if re.search(r"\bwhat\b", clause.rest) or clause.base == "have" and re.match(r"(?:\w+ )?\w+ed\b", clause.rest):
        return []  # the second: a perfect tense of a verb that the rules do not know
    return [*_means(clause), *_after_preposition(clause), *_predicate(clause), *_subject(clause)]


def _means(clause: Clause) -> list[tuple]:
    """ "Hydrofoils work by generating lift" → "How do hydrofoils work?"."""
    match = _MEANS.search(clause.rest)
    context = clause.rest[: match.start()].strip() if match else ""
    value = phrase_until(clause.rest[match.start() :].strip(), 12) if match else ""
    if not value or len(context.split()) > 7 or re.search(r"[,;:()]", context) or _POINTING.search(context):
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
        if not _is_whole(value, clause.rest) or _POINTING.search(f"{context} {value}") or _BROKEN_OFF.search(context):
            continue
        if preposition == "to" and not re.match(r"(?:the|a|an|every|all|each)\b|[A-Z]", value) or value.startswith("to "):
            continue
        if clause.is_copula and not context:
            continue
        asked = f"{context} {preposition}".strip()
        return [("object", value, [f"What {clause.ask(asked)}", f"{preposition.capitalize()} what {clause.ask(context)}"], 0.35)]
    return []


def _is_whole(value: str, rest: str) -> bool:
    """Whether a phrase can be an answer: no number (those are asked for elsewhere), not broken off, no list cut after its first word."""
    if not value or dangles(value) or find_values(value) or re.search(r"\band [a-z]+ed$|ly$", value):
        return False
    return not (rest.partition(value)[2].startswith(",") and len(value.split()) <= 2)


def _predicate(clause: Clause) -> list[tuple]:
    """ "Flat wings allow slow riding" → "What do flat wings allow?"."""
    value = phrase_until(clause.rest, 9)
    plain = re.match(r"(?:the|a|an|many|several|both|all|every|each)\s", value) or re.search(r"[^s]s$", value)
    if clause.is_copula or clause.is_passive or not plain or not _is_whole(value, clause.rest):
        return []
    if _TAIL.search(value) or _POINTING.search(value):
        return []
    return [("object", value, [f"What {clause.ask()}"], 0.3)]


def _subject(clause: Clause) -> list[tuple]:
    """ "The back wing helps with stability" → "What helps with stability?"."""
    rest = phrase_until(clause.rest, 10)
    if len(rest.split()) < 3 or dangles(rest) or _POINTING.search(rest) or rest.startswith(("a ", "an ", "the ")) and clause.is_copula:
        return []
    return [("object", clause.subject, [f"What {clause.group} {rest}", f"Who or what {clause.group} {rest}"], 0.25)]
