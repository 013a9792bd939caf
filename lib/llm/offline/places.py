"""Facts about where: where a thing stands or is kept, where something is done, begins or is to be had."""

import re

from lib.llm.offline.casing import Casing
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.objects import MEASURED
from lib.llm.offline.posts import is_misread
from lib.llm.offline.reasons import STANDS_FOR, coordinates, stated
from lib.llm.offline.values import find_values
from lib.llm.offline.verbs import PARTICIPLES
from lib.llm.offline.wording import dangles

_AT = r"(?:in front of|next to|in the middle of|at the end of|at the back of|in|on|at|under|behind|beside|near|above|below|opposite|outside|inside|between|beneath|along|by|into|onto)"
_ROOM = r"(?:hall|room|building|store|floor|drawer|shed|house|cabin|tower|hut|gate|box|court|platform|shelf|cupboard|counter|desk|field|bay|pier|pavilion|caravan|tent|track|wing|window|cellar|stand|aisle)"
_NOUN = r"(?:(?!(?:and|or|but|of|to|from|until|at|on|in|for|by|with|during|after|before|when|while|since|each|every|within|without|per|as|than|which|who|that|is|are|was|were|has|have|free|only|if|so|then|again|one|two|about|over|up|up)\b)[\w'’.&/-]*[\w'’])"
_SPOT = rf"(?:(?:the|a|an|our|your)\s{_NOUN}(?:\s{_NOUN}){{0,4}}|{_ROOM}\s(?:[A-Z]+\d*|[A-Z]?\d+|[A-Z0-9/-]+)|\d+\s[A-ZÀ-Þ][\w'’-]+\s(?:Street|Lane|Road|Row|Avenue|Square|Hill|Way|Drive|Park|Close|Gardens?)|[A-ZÀ-Þ][\w'’-]+(?:\s(?:&\s)?[A-ZÀ-Þ][\w'’-]+){{0,3}})"
_PLACE = re.compile(rf"(?:^|(?<=\s))({_AT}\s{_SPOT}(?:\sof\s(?:the\s|our\s)?{_NOUN}(?:\s{_NOUN})?)?(?:\s{_AT}\s{_SPOT}(?:\sof\s(?:the\s)?{_NOUN})?)?)(?=$|[\s,;.])")
_ABSTRACT = re.compile(
    rf"{_AT}\s(?:the\s|a\s|an\s|our\s|your\s)?(?:[a-z'’-]+\s)?(?:case|same|way|form|course|risk|event|order|charge|control|time|times|least|most|process|name|names|basis|lead|company|condition|hands?|owner|owners?|beginning|middle|late|early|"
    r"morning|evening|afternoon|night|weekends?|winter|summer|spring|autumn|any|all|no|day|days|year|month|week|weeks|average|total|rate|price|cost|costs|expense|request|list|behalf|account|view|sight|use|age|holidays?|season|half|quarter|minutes?|"
    r"hours?|seconds?|moment|meantime|future|past|number|way|law|rules?|contract|language|colour|lot|bit|pair|few|piece|pieces|hand|mouth|own|whole|condition|reason|public|meeting|letter|advance|interest|percentage|majority|vote|influence|eyes?|"
    r"[A-Z][a-z]+days?|January|February|March|April|May|June|July|August|September|October|November|December|word|words|question|decision|plan|budget|insurance|title|lead|leash|speed|pressure|heat|temperature|fee|discount|break|interval|shift|first|last|second|third|next|sum|wind|rain|dark|cold|sun|step|purpose|need|turn|answer|test|lesson|lessons|show|performance|course|tour|trip|flight|journey|service|help|means|method|mistake|accident|fire|emergency|board|staff|committee|council|team|group|public|member|members|police|city|telephone|phone|post|email|hook|machine|rest|top|bottom|back|front|side|part|start|end|power|weight|height|depth|distance|level|scale|size|state|house$|[\w-]+['’]s? (?:cost|expense|request|name|risk))\b",
)
_LIES = frozenset(
    "keep locate store hold situate base stand lie live find meet hang sell park put place mount print build grow stay open deliver show moor launch sit sleep wait belong go start begin end stop land depart eat practise collect pick drop buy serve "
    "return wash post hide serve leave hand file display lock charge issue lend hire repair borrow bury offer burn work swim train rehearse gather assemble queue change dry stack pitch tie fasten fix install wear write note enter record paint hand dump empty throw serve read consult".split()
)


def place_facts(sentence: str, known: Casing) -> list[tuple]:
    """Drafts (kind, value, questions, score) from one plain sentence."""
    sentence = sentence.rstrip(".! -")
    if '"' in sentence or "“" in sentence or sentence.endswith("?"):
        return []
    drafts = []
    for part in stated(sentence):
        clause = parse_clause(part, known)
        if clause and len(clause.subject.split()) <= 8 and not is_misread(clause) and not STANDS_FOR.search(f"{clause.subject} {clause.rest}"):
            drafts += _where(clause)
    return drafts


def _where(clause: Clause) -> list[tuple]:
    """ "The key for families hangs in the birdhouse behind the mill" → "Where does the key for families hang?"."""
    if not (clause.is_copula or clause.base in _LIES) or clause.verb.endswith("ing"):
        return []
    if re.match(r"the (?:first|second|third|fourth|fifth|last|others?|same|rest|lot|whole|(?:\w+ )?\w+est)$", clause.subject):
        return []
    match = next((m for m in _PLACE.finditer(clause.rest) if not _ABSTRACT.match(m[1])), None)
    if not match:
        return []
    value, before, behind = match[1], clause.rest[: match.start()].strip(), clause.rest[match.end() :].strip()
    if MEASURED.match(value) or clause.is_copula and behind.startswith("for ") and find_values(behind):
        return []
    if clause.is_copula and before or len(before.split()) > 5 or value.startswith("by ") and (clause.is_passive or clause.is_copula and not re.search(r"\b(?:window|door|gate|entrance|wall|river|lake|sea|pond|road|stairs|exit|church|station|bridge|till|desk)\b", value)):
        return []
    if re.search(r"[,;:()]|\b(?:not|no|never|only|and|or|than|as|of|to)\b", before) or dangles(before) or coordinates(before) or set(before.split()) & PARTICIPLES.keys():
        return []
    if behind.startswith(("and ", "or ", ", ", "of ", "'", "to be ")) or any(v.kind in ("date", "time", "money", "percent") for v in find_values(value)):
        behind = "" if behind.startswith(", ") else None
        if behind is None:
            return []
    if value.startswith(("into ", "onto ")) and clause.base not in ("go", "put", "throw", "drop", "empty", "write", "enter", "dump"):
        return []
    if re.search(r"[,;:()]|\b(?:and|or|but|not|only)\b", behind) or dangles(behind) or len(behind.split()) > 7:
        return []
    rest = f"{before} {behind}"
    return [("place", value, [f"Where {clause.ask(rest)}", f"In what place {clause.ask(rest)}"][: 1 if value.startswith(("into ", "onto ")) else 2], 0.8)]
