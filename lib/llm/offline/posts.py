"""Facts about who: a name beside a post, who does something, by, with or to whom it is done."""

import re

from lib.llm.offline.casing import Casing
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.names import PERSON, ROLE, is_person
from lib.llm.offline.reasons import STANDS_FOR, coordinates, stated, tells
from lib.llm.offline.values import find_values
from lib.llm.offline.verbs import AUXILIARY, FINITE, NOUN_LIKE, PARTICIPLES, past_of, third_of
from lib.llm.offline.wording import dangles
from lib.llm.offline.words import content

POST = (
    rf"(?:{ROLE}|caretaker|vet|guide|coach|trainer|ranger|conductor|beekeeper|driver|landlord|landlady|janitor|pharmacist|midwife|judge|notary|lawyer|surveyor|psychologist|"
    r"electrician|plumber|sexton|priest|vicar|organist|usher|attendant|referee|umpire|counsellor|valuer|technician|chemist|dentist|physiotherapist|host|hostess|vice-chair|"
    r"representative|forester|farmer|painter|sculptor|composer|lifeguard|instructor|tutor|adviser|advisor|consultant|registrar|bursar|matron|dealer|maker|weaver|potter|"
    r"blacksmith|miller|brewer|butcher|fisherman|fitter|mechanic|shepherd|ombudsman|advocate|translator|interpreter|surgeon|therapist|dietician|carer|watchman|foster mother|"
    r"groom|photographer|rower|singer|pianist|violinist|dancer|actor|actress|director|biologist|geologist|historian|botanist|restorer|tailor|cobbler|joiner|roofer|"
    r"receptionist|cashier|porter|sponsor|heir|widow|widower|nephew|niece|sister|brother|mother|father|daughter|son|aunt|uncle|neighbour|chairlady|spokesman|spokeswoman|officer)"
)
_NAME = rf"(?:(?:Professor|Dr|Mr|Mrs|Ms|Captain|Sir)\s[A-ZÀ-Þ][\w'’-]+(?:\s[A-ZÀ-Þ][\w'’-]+)?|{PERSON})"
_KIND = r"(?:(?!(?:to|of|in|on|at|by|for|from|with|and|or|the|a|an|is|are|was|as|says|said|under)\s)[a-z][\w-]*\s)"
_OF = r"(?:\s(?:of|for|in)\s(?!\d)(?:the\s|our\s)?[\w'’-]+)?"
_ACTING = rf"(?!coach\b|guide\b|mate\b|pilot\b|head\b|host\b){POST}"  # a coach drives, a guide may be a book
_POST_NAME = re.compile(rf"\b(?:([Tt]he|[Oo]ur|[Yy]our)\s)({_KIND}{{0,3}}?{POST}{_OF}),?\s({_NAME})(?=[,.;:)]|$|\s(?:[a-z]|\d|\())")
_NAME_POST = re.compile(rf"({_NAME}), (?:(the|our|your|an?)\s)({_KIND}{{0,3}}?(?:{POST}|[a-z]{{3,}}(?:er|or|ist|ian|man|woman)){_OF})(?=[,.;:)]|$)")
_ASIDE = re.compile(rf"^({_NAME}), (?:(?:the|our|your|an?)\s)[^,;:]{{3,60}}, (?=[a-z])")
_ASIDE_NAME = re.compile(rf"^((?:The|Our)\s{_KIND}{{0,3}}?{POST}{_OF}), {_NAME}, (?=[a-z])")
_WHOM = re.compile(rf"(?:^|\s)(to|with|from|by|at)\s({_NAME}|the\s{_KIND}{{0,2}}{_ACTING}(?:,?\s{_NAME})?)(?=[\s,.]|$)")
_MARK = r"[,:](?!\d)|[;()]"
_LEAD = re.compile(r"^((?:In|On|At|From|During|After|Before|Until|Between|Since|For)\s[^,;:]{2,40}?),? (?=(?:the|our|an?|every|each)\s)")
_THINGS_DO = frozenset("add contain cover include hold cost need weigh last measure reach require allow offer run fit have start begin end open lie stand connect follow lead mean provide support".split())
_TITLED = re.compile(r"(?:Professor|Dr|Mr|Mrs|Ms|Captain|Sir)\s")
_TAKING = frozenset("get receive borrow order buy hire obtain collect fetch take rent pick have come".split())
_BAD_SUBJECT = re.compile(r"(?:whoever|whatever|anything|everything|what|nothing|all|who)\b", re.IGNORECASE)


def post_facts(sentence: str, known: Casing) -> list[tuple]:
    """Drafts (kind, value, questions, score) from one plain sentence."""
    sentence = sentence.rstrip(".! -")
    if '"' in sentence or "“" in sentence or sentence.endswith("?"):
        return []
    drafts = _holders(sentence)
    for part in stated(_ASIDE_NAME.sub(r"\1 ", _ASIDE.sub(r"\1 ", sentence))):
        if tells(part):
            drafts += _whom_told(part)
            continue
        lead = _LEAD.match(part)
        body = part[lead.end() :] if lead else part
        when = lead.group(1)[0].lower() + lead.group(1)[1:] if lead else ""
        clause = parse_clause(body[0].upper() + body[1:], known)
        if clause and not is_misread(clause) and not STANDS_FOR.search(f"{clause.subject} {when}") and len(clause.subject.split()) <= 8:
            drafts += [*_whom(clause, when), *_does(clause, when)]
    return drafts


def is_misread(clause: Clause) -> bool:
    """Whether a second finite verb shows that the first was none: "Money left at the end goes to …"."""
    behind = re.split(r"\b(?:and|but|or|which|who|that|if|when|where|while|because)\b|,", clause.rest)[0].split()
    second = any(FINITE.get(w, ("", ""))[1] == "third" and w not in NOUN_LIKE for w in behind)
    return bool(_BAD_SUBJECT.match(clause.subject)) or bool(set(behind[:6]) & (AUXILIARY - {"may", "can"})) or second


def _holders(sentence: str) -> list[tuple]:
    """ "the vice-chair, Hanne Ostrow" and "Hanne Ostrow, the vice-chair" → "Who is the vice-chair?"."""
    drafts = []
    for match in _POST_NAME.finditer(sentence):
        post, name = match[2], match[3]
        if _is_one(post, sentence) and _is_name(name):
            drafts.append(("person", name, [f"Who is the {post}", f"What is the name of the {post}"], 0.9))
    for match in _NAME_POST.finditer(sentence):
        name, article, post = match[1], match[2], match[3]
        if not _is_name(name) or STANDS_FOR.search(post):
            continue
        held = sentence[match.start(2) : match.end(3)]
        if article in ("the", "our", "your") and _is_one(post, sentence):
            drafts.append(("person", name, [f"Who is the {post}", f"What is the name of the {post}"], 0.9))
        asked = [f"Who is {name}"] + [f"What position does {name} hold"] * (article == "the") + [f"What is the profession of {name}"] * (article in ("a", "an"))
        drafts.append(("definition", held, asked, 0.8))
    return drafts


def _is_one(post: str, sentence: str) -> bool:
    """Whether a post has one holder in its sentence and is not told by what stands before."""
    return not re.match(r"(?:same|other|next|new|late|present|then|second|former|latter|deputy of)\b", post) and len(re.findall(rf"\b{re.escape(post)}\b", sentence)) == 1


def _is_name(name: str) -> bool:
    return is_person(name) or bool(re.match(r"(?:Professor|Dr|Mr|Mrs|Ms|Captain|Sir)\s", name))


def _somebody(phrase: str) -> bool:
    return _is_name(phrase) or bool(re.fullmatch(rf"the {_KIND}{{0,2}}{_ACTING}(?:,? {_NAME})?", phrase))


def _place_of(match: re.Match, rest: str) -> tuple[str, str] | None:
    """What stands before and behind the person in the rest of a clause, if both can be repeated in a question."""
    before, behind = rest[: match.start()].strip(), rest[match.end() :].strip()
    if behind.startswith((",", "and ", "or ", "'", "’", "&")) or re.search(_MARK, before) or STANDS_FOR.search(before) or dangles(before):
        behind_ok = behind.startswith(",") and not re.search(_MARK, before) and not STANDS_FOR.search(before) and not dangles(before)
        if not behind_ok:
            return None
        behind = ""
    behind = re.split(r"[,:](?!\d)|[;()]|\s(?:and|or|but|who|which|where)\s", behind)[0].strip()
    if behind.startswith("of "):
        return None
    if STANDS_FOR.search(behind) or len(behind.split()) > 6 or dangles(behind):
        behind = ""
    if re.search(r"\bby\b", before) or set(before.split()) & PARTICIPLES.keys():
        return None  # "put to a conciliator named by …"
    return (before, behind) if len(before.split()) <= 7 and not coordinates(before) else None


def _whom(clause: Clause, when: str) -> list[tuple]:
    """ "Blood thinners must be discussed with Dr Falk" → "With whom must blood thinners be discussed?"."""
    match = _WHOM.search(clause.rest)
    if not match or clause.is_copula or not _somebody(match[2]) or match[1] == "by" and not clause.is_passive:
        return []
    sides = _place_of(match, clause.rest)
    if sides is None or match[1] == "at" and not clause.verb.endswith("ed"):
        return []
    before, behind = sides
    if match[1] == "from" and (before or clause.base not in _TAKING) or clause.subject.split()[0].endswith("ing"):
        return []
    rest = f"{before} {behind} {when}"
    asked = [f"{match[1].capitalize()} whom {clause.ask(rest)}"]
    if match[1] == "by":
        asked.append(f"Who {_active(clause)} {clause.subject} {rest}")
    elif not behind and not when:
        asked.append(f"Who {clause.ask(before)} {match[1]}")
    return [("person", match[2], asked, 0.9)]


def _active(clause: Clause) -> str:
    """The verb of a passive as its doer does it: "was built" → "built", "may be dug" → "may dig"."""
    first, *others = clause.auxiliaries
    if not others:
        return past_of(clause.base) if first in ("was", "were") else third_of(clause.base)
    return f"{'has' if first == 'have' else first} {clause.verb if others == ['been'] else clause.base}"


def _whom_told(told: str) -> list[tuple]:
    """ "Report broken locks to Frida Falk" → "To whom should you report broken locks?"."""
    deed = told[0].lower() + told[1:]
    if direct := re.match(rf"(?:please )?(ask|call|ring|tell|phone|see|contact|inform|telephone|visit|email) ({_NAME}|the\s{_KIND}{{0,2}}{_ACTING})\b(?!['’])(.*)$", deed):
        tail = direct[3].strip()
        if not _somebody(direct[2]) or not re.match(r"(?:about|for|if|when|whether|before|to|after)\s", tail) or not content(tail) or re.search(r"[,;:()]|\band\b", tail) or STANDS_FOR.search(tail) or find_values(tail):
            return []
        return [("person", direct[2], [f"Whom should you {direct[1]} {tail}", f"Who is to be {_DONE[direct[1]]} {tail}"], 0.8)]
    match = _WHOM.search(deed)
    if not match or match[1] == "by" or not _somebody(match[2]) or (sides := _place_of(match, deed)) is None or not content(sides[0]):
        return []
    before, behind = sides
    before = before.removeprefix("please ")
    if len(before.split()) < 2 and not behind:
        return []
    return [("person", match[2], [f"{match[1].capitalize()} whom should you {before} {behind}"], 0.8)]


_DONE = {"ask": "asked", "call": "called", "ring": "rung", "tell": "told", "phone": "phoned", "see": "seen", "contact": "contacted", "inform": "informed",
         "telephone": "telephoned", "visit": "visited", "email": "emailed"}  # fmt: skip


def _does(clause: Clause, when: str) -> list[tuple]:
    """ "Rosa Lind explains everything with the accounts of a rabbit club" → "Who explains …?"."""
    if not _somebody(clause.subject) or clause.is_copula or clause.is_passive:
        return []
    rest = re.split(r"[,:](?!\d)|[;()]|\s(?:and|or|but|who|which|where)\s", clause.rest)[0].strip()
    if clause.base in _THINGS_DO and not _TITLED.match(clause.subject) and clause.subject[:1].isupper():
        return []  # "Plan Medium adds 96 gigabytes"
    if clause.subject.split()[-1].lower() in rest.split():
        return []  # "Skipping Ropes introduces the four ropes" is no person
    if len(set(content(rest))) < 2 or len(rest.split()) > 12 or dangles(rest) or STANDS_FOR.search(rest) or rest.startswith(("that ", "not ")):
        return []
    return [("person", clause.subject, [f"Who {clause.group} {rest} {when}"], 0.8)]
