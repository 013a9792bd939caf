"""Facts about what somebody or something does: the thing that it is done to, and what somebody may or must not do."""

import re

from lib.llm.offline.casing import Casing
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.names import is_person
from lib.llm.offline.permits import PEOPLE
from lib.llm.offline.posts import POST, is_misread
from lib.llm.offline.reasons import STANDS_FOR, coordinates, stated
from lib.llm.offline.values import find_values
from lib.llm.offline.wording import dangles
from lib.llm.offline.words import content

_DOING = frozenset(
    "accept achieve add adopt allow announce apply approve arrange attach award borrow bring build buy carry cause celebrate change check choose claim clean close collect combine contain control cook cover create "
    "cut decide deliver demand describe design destroy develop discover display divide donate draw drive employ empty enclose examine exchange explain explore feed fill find fix follow found get give guard guide handle "
    "hide hire hold host include inspect install introduce invent invite issue keep launch lead learn lend limit lock manage manufacture mark measure mend move name need obtain offer open order organise organize own "
    "paint pay plan plant play post prepare present preserve print process produce promise promote propose protect prove provide publish purchase raise read receive recommend record reduce refuse remove rent repair replace report "
    "represent require rescue reserve restore review revise run save see sell send separate serve share show sign sponsor stamp steer store study submit suggest supervise supply support take teach tell test tow trace train translate "
    "treat trim use visit wash watch water wear weave win wrap write harvest grow graze grind reject postpone elect appoint grant cancel lose miss leave catch eat drink drop bake brew tie have"
    .split()
)  # fmt: skip
_OBJECT = re.compile(
    r"((?:a|an|the|our|one|two|three|four|five|both)\s(?:[\w'’-]+\s){0,4}?[\w'’-]+(?:\sof\s(?:a\s|an\s|the\s|our\s)?[\w'’-]+)?)(?=$|\s(?:to|for|from|at|on|in|with|by|after|before|during|until|within|per|into|under|over|without|through|onto|against|between|behind|beside|every|each|as|about|along|across|around|near|next|off|out|up|away|back)\b)"
)
_LEFT = re.compile(r"(?:place|part|care|turn|turns|way|place|note|advantage|time|break|rest|look|use|kind|down|free|home|alone|together|open|shut|ready|clean|dry|empty|again|here|now|first|weekly|daily|angry|later|today|tomorrow|instead|too|well|sort|lot|bit|couple|pair|number|end|most|least|same|only|risk|day|week|month|hour|minute|rest|course|floor|day|night|year)$")
_MUST_NOT = re.compile(rf"^((?:[\w'’-]+\s){{0,3}}?{PEOPLE}(?:\s(?:of|with|in|under|from)\s[\w' -]{{2,25}}?)?) (may|must|can|should|shall) not ([a-z]+ .+)$", re.IGNORECASE)
_HUMAN = re.compile(rf"(?:.*\s)?(?:{PEOPLE}|{POST}s?|child|man|woman|girl|boy|baby|somebody|someone|winner|guest|visitor|member|player|patient|tenant|buyer|artist)$", re.IGNORECASE)


def deed_facts(sentence: str, known: Casing) -> list[tuple]:
    """Drafts (kind, value, questions, score) from one plain sentence."""
    sentence = sentence.rstrip(".! -")
    if '"' in sentence or "“" in sentence or sentence.endswith("?"):
        return []
    drafts = []
    for part in stated(sentence):
        drafts += _must_not(part)
        clause = parse_clause(part, known)
        if clause and len(clause.subject.split()) <= 7 and not is_misread(clause) and not STANDS_FOR.search(f"{clause.subject} {clause.rest}"):
            drafts += _object(clause)
    return drafts


def _must_not(part: str) -> list[tuple]:
    """ "Guests may not use the upper bunks" → "What are guests not allowed to do?"."""
    match = _MUST_NOT.match(part)
    if not match or STANDS_FOR.search(part) or len(match[3].split()) > 12 or re.search(r"[,;:()]", match[3]) or match[3].startswith("be "):
        return []
    subject = match[1][0].lower() + match[1][1:]
    be = "are" if re.search(r"(?:s|people|men|children)$", re.split(r"\s(?:of|with|in|under|from)\s", subject)[0]) else "is"
    asked = {"may": "not allowed to do", "can": "not able to do", "should": "advised not to do"}.get(match[2], "forbidden to do")
    return [("object", match[3], [f"What {be} {subject} {asked}"], 0.7)]


def _object(clause: Clause) -> list[tuple]:
    """ "The beekeeper mends the hives in the barn" → "What does the beekeeper mend in the barn?"."""
    if clause.base not in _DOING or clause.is_passive or clause.is_copula or clause.verb.endswith("ing") or "not" in clause.auxiliaries:
        return []
    match = _OBJECT.match(clause.rest)
    if not match or find_values(match[1]) or _LEFT.search(match[1]) or dangles(match[1]):
        return []
    value, behind = match[1], clause.rest[match.end() :].strip()
    if coordinates(clause.rest) or re.search(r"[,;:()]|\b(?:and|or|but|not|only|no|never|as|than|which|who|that|where)\b", clause.rest):
        return []
    if re.match(r"(?:to|up|out|off|away|back|as|about|over|of|next)\b", behind) or len(behind.split()) > 7 or dangles(behind) or clause.base == "have" and (behind or clause.auxiliaries):
        return []
    if re.match(r"(?:with|from|for|in|of|on|by)\b", behind) and clause.base in ("have", "need", "offer", "show", "contain", "include", "provide", "get", "wear", "hold", "carry", "take"):
        return []  # "a hand pump for the doctor": it may belong to the thing
    if clause.subject.split()[0] in ("the", "both") and len(clause.subject.split()) == 2 and len(set(content(behind))) < 1 and clause.base in ("have", "get", "make", "take", "give", "see", "keep", "leave"):
        return []
    human = _HUMAN.match(value) or is_person(value)
    what = "Whom" if human else "What"
    return [("person" if human else "object", value, [f"{what} {clause.ask(behind)}"] + [f"Can you tell me what {clause.subject} {clause.group} {behind}"] * (not human), 0.5)]
