"""Facts of a sentence that allows, forbids, asks for or hands out something: what, who may, where, and what somebody gets."""

import re

from lib.llm.offline.casing import Casing
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.names import ROLE, is_person
from lib.llm.offline.reasons import STANDS_FOR, coordinates, stated
from lib.llm.offline.values import find_values
from lib.llm.offline.verbs import PARTICIPLES
from lib.llm.offline.wording import before_preposition, dangles, phrase_until
from lib.llm.offline.words import content

PEOPLE = (
    r"(?:guests|visitors|members|children|pupils|students|people|persons|staff|helpers|players|tenants|patients|adults|parents|drivers|riders|passengers|candidates|"
    r"volunteers|teachers|users|customers|owners|residents|neighbours|applicants|buyers|sellers|families|swimmers|walkers|cyclists|employees|workers|beginners|nurses|"
    r"winners|singers|runners|readers|women|men|girls|boys|babies|couples|lodgers|trainees|apprentices|farmers|anglers|exhibitors|holders|newcomers|founders|teams|"
    r"participants|travellers|learners|citizens|voters|shareholders|speakers|authors|artists|doctors|relatives|pensioners|crew|anyone|everyone|citizens|heirs|clients|groups)"
)
_SOMEBODY = re.compile(rf"(?:.*\s)?(?:{PEOPLE}|{ROLE}s?)(?:\s(?:who|with|in|of|from|under|over|above|aged|at|on|without)\s.*)?$", re.IGNORECASE)
_BAN = re.compile(
    r"^([A-Z][^;:()]{1,60}?) (is|are) (?:strictly |therefore |also )?(forbidden|prohibited|banned|not allowed|not permitted|not accepted|not admitted|not included|allowed|permitted|welcome|included|free)(?: ([^,;:()]+))?$"
)
_WHERE = re.compile(r"(?:in|on|at|near|throughout|under|inside|outside|beside|behind|along|within|before|around)\s(?!case|time|all\b|return|advance|request|arrival|any\b|no\b|least|most|turn|principle|writing|person|foot|nights?\b|weekends?\b|noon|midnight|(?:the )?(?:summer|winter|spring|autumn|morning|evening|afternoon|season|holidays)\b|[A-Z][a-z]*days?\b|[a-z]+ing\b)")
_MODAL = frozenset("may must can should shall".split())
_GETTING = frozenset("get receive bring wear carry show need take hand sign give earn win".split())
_EMPTY = frozenset("people persons things items anything everything somebody anybody nobody none others goods".split())


def permit_facts(sentence: str, known: Casing) -> list[tuple]:
    """Drafts (kind, value, questions, score) from one plain sentence."""
    sentence = sentence.rstrip(".! -")
    if '"' in sentence or "“" in sentence or sentence.endswith("?"):
        return []
    drafts = []
    for part in stated(sentence):
        drafts += _banned(part)
        clause = parse_clause(re.sub(r"^Only ", "", part), known)
        if clause and _whole(clause):
            drafts += [*_passive(clause), *_may(clause), *_gets(clause), *_given(clause)]
        drafts += _none_may(part)
    return drafts


def _whole(clause: Clause) -> bool:
    """Whether a clause stands alone and says one thing."""
    told = f"{clause.subject} {clause.rest}"
    return not re.match(r"(?:what|who|which)(?:ever)?\b", clause.subject, re.IGNORECASE) and not (
        STANDS_FOR.search(told) or coordinates(clause.rest) or len(clause.rest.split()) > 12 or re.search(r"[,;:()]|\b(?:not|no|never|only|neither|nor)\b", clause.rest)
    )


def _banned(part: str) -> list[tuple]:
    """ "Eating and drinking are forbidden in the reading room" → "What is forbidden in the reading room?", "Where are …?"."""
    match = _BAN.match(part)
    if not match or STANDS_FOR.search(part) or re.match(r"(?:In|On|At|From|During|After|Before|No|Only|Nobody|If|When|What|All|For|With|You)\b", match[1]):
        return []
    subject, verb, rest = match[1], match[2], match[4] or ""
    subject_inside = subject[0].lower() + subject[1:] if subject.split()[0][1:].islower() and not is_person(subject) else subject
    if len(subject.split()) > 7 or re.search(r"\b(?:is|are|was|may|must|which|who|has|have)\b", subject) or not _where(rest):
        return []
    asked = [f"{'Who' if _people(subject) else 'What'} is {match[3]} {rest}"]
    drafts = [("object", subject, asked, 0.8)]
    return [*drafts, ("place", rest, [f"Where {verb} {subject_inside} {match[3]}", f"In what place {verb} {subject_inside} {match[3]}"], 0.8)]


def _where(rest: str) -> bool:
    """Whether words say a place and nothing besides."""
    return bool(_WHERE.match(rest)) and len(rest.split()) <= 9 and not find_values(rest) and not coordinates(rest)


def _people(subject: str) -> bool:
    return bool(_SOMEBODY.match(subject)) or is_person(subject) or bool(re.search(r"\b(?:Mr|Mrs|Ms|Dr|Professor)\b", subject))


def _telling(rest: str) -> bool:
    """Whether the words behind a verb tell which thing is meant: two words of content, a number not among them."""
    for value in reversed(find_values(rest)):
        rest_alone = f"{rest[: value.start]}{rest[value.end :]}" if value.kind in ("measure", "count", "money") else rest
        if not set(content(rest_alone)) - {"within", "until", "after", "before", "per", "each", "every", "between"}:
            return False  # "What must be used within ten days?"
    return len(set(content(rest))) >= 2 and not dangles(rest)


def _passive(clause: Clause) -> list[tuple]:
    """ "Papers with names may not be taken home from the office" → "What may not be taken home from the office?"."""
    if not clause.is_passive or clause.auxiliaries[0] not in _MODAL | {"is", "are"} or not _telling(clause.rest) or clause.subject.lower() in _EMPTY:
        return []
    if clause.subject.split()[0] in ("the", "both") and len(clause.subject.split()) <= 2 or re.search(r"^(?:each|every|all|some|many|most)\b", clause.subject):
        return []
    if re.match(r"(?:by|as|to be|than|except|for safety|for reasons)\b|.*\b(?:what|\w+ed by)\b", clause.rest) or find_values(clause.subject):
        return []
    wh = "Who" if _people(clause.subject) else "What"
    first = {"are": "is"}.get(clause.auxiliaries[0], clause.auxiliaries[0])
    return [("object" if wh == "What" else "person", clause.subject, [f"{wh} {' '.join((first, *clause.auxiliaries[1:], clause.verb))} {clause.rest}"], 0.5)]


def _may(clause: Clause) -> list[tuple]:
    """ "Members of the choir may use the sauna" → "Who may use the sauna?"."""
    if not clause.auxiliaries or clause.auxiliaries[0] not in _MODAL or clause.is_passive or not _people(clause.subject) or len(clause.rest.split()) < 2:
        return []
    if not content(clause.rest) or dangles(clause.rest) or clause.subject.lower() in _EMPTY:
        return []
    return [("person", clause.subject, [f"Who {clause.group} {clause.rest}", f"Which people {clause.group} {clause.rest}"][: 2 if clause.subject.endswith("s") else 1], 0.6)]


def _gets(clause: Clause) -> list[tuple]:
    """ "Founders get a badge" → "What do founders get?"."""
    value = before_preposition(clause.rest, 7)
    if clause.base not in _GETTING or clause.is_passive or clause.verb.endswith("ing") or not value or find_values(value):
        return []
    if not _people(clause.subject) and clause.base not in ("need", "receive"):
        return []
    if not re.match(r"(?:a|an|the|one|two|three|both)\s", value) and not re.search(r"[^s]s$", value):
        return []
    tail = clause.rest[len(value) :].strip()
    if tail.startswith(("out of ", "to ", "by ", "of ", "with ", "and ", "or ")) or re.search(r"\b(?:place|part|care|turns?|way|notes?|sides?)\b", value) or value.split()[0] in ("to", "from", "on", "in", "up"):
        return []
    if re.match(r"(?:to|and|or|as|that|from|into|of)\b", tail) or find_values(tail):
        tail = ""
    return [("object", value, [f"What {clause.ask(tail)}", f"Can you tell me what {clause.subject} {clause.group} {tail}"], 0.6)]


def _given(clause: Clause) -> list[tuple]:
    """ "Winners are given a basket of cheese" → "What are winners given?"."""
    if not clause.is_passive or clause.base not in ("give", "offer", "send", "hand", "lend", "pay", "award", "show", "teach", "promise", "grant"):
        return []
    value = phrase_until(clause.rest, 9)
    if not re.match(r"(?:a|an|the)\s", value) or find_values(value) or not _people(clause.subject):
        return []
    return [("object", value, [f"What {clause.ask('')}"], 0.6)]


def _none_may(part: str) -> list[tuple]:
    """ "No crane may be left with a load on the hook" → "What may not be left with a load on the hook?"."""
    match = re.match(r"No ([a-z][\w' -]{2,40}?) (may|must|can|should) be (\w+) ([^,;:()]+)$", part)
    if not match or match[3] not in PARTICIPLES or not content(match[4]) or dangles(match[4]) or STANDS_FOR.search(match[4]) or match[1].split()[0] in ("one", "more", "other", "less", "fewer"):
        return []
    return [("object", match[1], [f"What {match[2]} not be {match[3]} {match[4]}"], 0.7)]
