"""Facts of prose that the other rules leave alone: behind an opening phrase or an adverb, by whom or what, what it consists of.

Asked only where a passage gives nothing else, see `questions`.
"""

import re

from lib.llm.offline.casing import DETERMINERS, PREPOSITIONS, Casing
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.glosses import gloss_facts
from lib.llm.offline.identity import definition
from lib.llm.offline.names import is_person
from lib.llm.offline.objects import HUMAN_VERBS, object_facts
from lib.llm.offline.prose import POINTING, is_plain, is_whole, plain_facts
from lib.llm.offline.sentences import value_facts
from lib.llm.offline.verbs import AUXILIARY, FINITE, PARTICIPLES
from lib.llm.offline.wording import before_preposition, dangles, forms, phrase_until

_LABEL = re.compile(r"^[A-Z][\w' -]{2,40}: (?=[A-Z])")
_LEAD = re.compile(
    r"^(?:(?:[A-Z][a-z]+ly|However|Moreover|Furthermore|Therefore|Thus|Hence|Later|Today|Often|Sometimes|Soon after|As a result)"
    r"|(?:In|On|At|By|For|From|With|During|Since|After|Before|Due to|Based on|Because of|Thanks to|As|Using|Despite|To) [^,;:]{2,60}), (?=\w)"
)
_SPLIT = re.compile(r";\s+|,\s+(?:and|but|while|whereas)\s+")
_ADVERB = re.compile(
    r"(?<=[\w)] )([a-z]{2,}ly|also|often|sometimes|still|now|later|soon|always|then|further) (?=([a-z]+)\b)"
)
_NOUN_LY = frozenset(
    "family supply assembly only early daily weekly monthly yearly friendly likely reply fly ally anomaly monopoly jelly belly".split()
)
_LETTING = frozenset(
    "allow enable encourage require cause force permit help urge ask tell recommend teach invite train challenge order".split()
)
_LISTING = frozenset("consist comprise include contain".split())


def further_facts(sentence: str, known: Casing) -> list[tuple]:
    """Drafts (kind, value, questions, score) from one plain sentence."""
    body = _LABEL.sub("", sentence)
    drafts = gloss_facts(sentence)
    if _clause(body, known) is None and (lead := _LEAD.match(body)) and not POINTING.search(lead.group()):
        body = body[lead.end() :]
    for clause in _clauses(body, known):
        if is_plain(clause):
            drafts += [
                *definition(clause, "", 24),
                *_listed(clause),
                *plain_facts(clause),
                *_by(clause),
                *_object(clause),
                *_to(clause),
                *_to_do(clause),
                *_who(clause),
            ]
            drafts += [
                (kind, value, asked, 0.3)
                for kind, value, asked, _ in [*value_facts(clause, ""), *object_facts(clause, "")]
            ]
    return drafts


def _clauses(body: str, known: Casing) -> list[Clause]:
    """The clauses that a sentence strings together; what follows "and" without being one belongs to the clause before it."""
    found, start = [], 0
    for cut in _SPLIT.finditer(body):
        if _clause(body[start : cut.start()], known) and _clause(body[cut.end() :], known):
            found.append(body[start : cut.start()])
            start = cut.end()
    return [clause for part in (*found, body[start:]) if (clause := _clause(part, known))]


def _clause(part: str, known: Casing) -> Clause | None:
    """The clause without adverbs before its verb, which would hide it: "RAFT consistently improves" → "RAFT improves"."""

    def kept(match: re.Match) -> str:
        adverb, verb = match.groups()
        is_verb = verb in FINITE or verb.endswith("ly") or verb in PARTICIPLES or verb in AUXILIARY
        before = part[: match.start()].split()[-1].lower()
        return "" if is_verb and adverb not in _NOUN_LY and before not in DETERMINERS | {"not"} else match.group()

    return parse_clause(_ADVERB.sub(kept, _ADVERB.sub(kept, part)), known)


def _listed(clause: Clause) -> list[tuple]:
    """ "The set consists of two parts: a board and a mast" → "What does the set consist of?"."""
    of = "of" if clause.base == "consist" else ""
    if clause.base not in _LISTING or clause.is_passive or not clause.rest.startswith(of):
        return []
    value = clause.rest.removeprefix(of).strip().rstrip(".")
    if (
        len(value.split()) > 20
        or POINTING.search(value)
        or re.search(r"[;()]|\b(?:which|who|that|because|when|where|while)\b", value)
    ):
        return []
    return [("object", value, forms(clause, ["What"], of), 0.45)]


def _by(clause: Clause) -> list[tuple]:
    """ "The club is governed by a board of six" → "Who or what is the club governed by?"."""
    value = phrase_until(clause.rest.removeprefix("by "), 12) if clause.rest.startswith("by ") else ""
    if not clause.is_passive or not value or re.match(r"\w+ing\b", value) or POINTING.search(value):
        return []
    return [("object", value, [f"Who or what {clause.ask('by')}"], 0.4)]


def _object(clause: Clause) -> list[tuple]:
    """ "The fin reduces the effects of rough water on the board" → "What does the fin reduce?"."""
    value = before_preposition(clause.rest, 9)
    plain = re.match(r"(?:the|a|an|many|several|both|all|every|each)\s", value) or re.search(r"[^s]s$", value)
    if clause.is_passive and clause.base == "consider" and (taken := re.split(r"[,;:(]", clause.rest)[0].strip()):
        return [("object", taken, forms(clause, ["What"]), 0.35)]
    if clause.is_copula or clause.is_passive or clause.verb.endswith("ing") or not plain or POINTING.search(value):
        return []
    if (
        value.split()[0] in PREPOSITIONS
        or clause.base in HUMAN_VERBS | _LISTING
        or not is_whole(value, clause.rest)
        or re.match(r"\s(?:to|as|on how)\s", clause.rest.removeprefix(value))
    ):
        return []
    return [("object", value, forms(clause, ["What"]), 0.35)]


def _to(clause: Clause) -> list[tuple]:
    """ "The keeper can respond to the call using a lamp" → "What can the keeper respond to?"."""
    preposition, _, after = clause.rest.partition(" ")
    value = before_preposition(after, 9)
    if preposition not in ("to", "with", "from") or clause.is_copula or not re.match(r"(?:the|an?)\s", value):
        return []
    if (
        POINTING.search(value)
        or not is_whole(value, clause.rest)
        or re.match(r",? (?:where|which|that|who)\b", after.removeprefix(value))
    ):
        return []
    return [("object", value, [f"What {clause.ask(preposition)}"], 0.3)]


def _to_do(clause: Clause) -> list[tuple]:
    """ "The foil allows the rider to reach great speeds" → "What does the foil allow the rider to do?"."""
    match = re.match(r"((?:the|an?|every|all)?\s?[\w'’-]+(?:\s[\w'’-]+){0,3}?) (to [a-z]+ \S.*)$", clause.rest)
    value = phrase_until(match[2], 14) if match else ""
    if (
        clause.base not in _LETTING
        or clause.is_passive
        or not value
        or dangles(value)
        or POINTING.search(f"{match[1]} {value}")
    ):
        return []
    return [("object", value, [f"What {clause.ask(match[1])} to do"], 0.45)]


def _who(clause: Clause) -> list[tuple]:
    """ "Ada Nord discovered the way to the north with …" → "Who discovered the way?"."""
    rest = before_preposition(clause.rest, 9)
    if (
        not is_person(clause.subject)
        or clause.base not in HUMAN_VERBS
        or clause.is_passive
        or not re.match(r"(?:the|an?|its?)\s", rest)
        or rest.endswith("ing")
        or POINTING.search(rest)
    ):
        return []
    return [("person", clause.subject, [f"Who {clause.group} {rest}"], 0.4)]
