"""Facts about what a thing is made of, which colour it has, and what it is called, wherever in a sentence they stand."""

import re

from lib.llm.offline.casing import Casing
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.posts import is_misread
from lib.llm.offline.reasons import STANDS_FOR, coordinates, stated
from lib.llm.offline.values import find_values
from lib.llm.offline.verbs import FINITE
from lib.llm.offline.wording import dangles

COLOUR = r"(?:(?:dark|light|pale|bright|deep) ?-?)?(?:red|blue|green|yellow|white|black|grey|gray|brown|orange|purple|pink|golden|silver|turquoise|beige|violet|crimson|scarlet)"
_STUFF = (
    r"steel|wood|oak|brass|glass|cotton|wool|copper|stone|iron|leather|plastic|linen|felt|clay|paper|rubber|beech|pine|ash|aluminium|bronze|silver|gold|granite|marble|concrete|"
    r"cardboard|silk|tin|lead|wax|straw|reed|bamboo|porcelain|metal|larch|birch|walnut|cork|slate|brick|sandstone|nylon|canvas|horn|bone|willow|hemp|spruce|cedar|maple|cherry"
)
_MADE = re.compile(r"^(?:(made|built|woven|carved|cut|cast|knitted|sewn|constructed|formed|forged|moulded|turned|blown|composed|baked|brewed|pressed|printed) )?(?:up )?(of|from|out of|on) ([^,;:()]+)$")
_STUFF_ONLY = re.compile(rf"^(?:[a-z-]+\s){{0,2}}(?:{_STUFF})\b")
_COLOURED = re.compile(rf"(?:^|\s)(in|on|into|at|onto|behind|under|from)\s(?:the|a|an)\s({COLOUR})\s([a-z-]+(?:\s(?:of|with|for|beside|by|at|in|on|near)\s(?:the\s|a\s|an\s)?[a-z-]+)?)(?=$|[,.;:]|\s(?:at|on|in|by|and|until|before|after|to|from|for|or|with)\b)")
_COLOUR_SUBJECT = re.compile(rf"^the ({COLOUR}) ([a-z].*)$")
_IS_COLOUR = re.compile(rf"^(?:painted |dyed |coloured )?({COLOUR}(?:(?:,| and| or| with) {COLOUR})*)(?: (?:in|on|at|during|from) [a-z ]+)?$")
_NAMED = re.compile(r"\b([Tt]he|[Oo]ur|[Aa]n?) ((?:[a-z][\w-]* ){0,3}[a-z][\w-]*)(?:,? (?:called|named|titled|entitled|known as))? [\"“]([^\"“”]{2,50})[\"”]")
_NAMED_PLAIN = re.compile(r"\b([Tt]he|[Oo]ur|[Aa]n?|[Oo]ne) ((?:[a-z][\w-]* ){0,2}[a-z][\w-]*),? (?:called|named) ((?:[A-ZÀ-Þ][\w'’-]+)(?: [A-ZÀ-Þ][\w'’-]+){0,3})(?=[,.;)]|$| (?:is|was|has|in|on|at|and|gets|lives|stands|which|who)\b)")
_NO_TITLE = re.compile(r"\b(?:word|words|term|sign|says|say|line|phrase|label|answer|question|button|folder|key|motto|for|is|as|was|heading|reads|reference|note|stamp|to|of|in|on|with|under|by|from|and|or|at|she|he|it|option|menu|mark|marked|called|field|box|entry|tab)$")


def trait_facts(sentence: str, known: Casing) -> list[tuple]:
    """Drafts (kind, value, questions, score) from one plain sentence."""
    sentence = sentence.rstrip(".! -")
    if sentence.endswith("?"):
        return []
    drafts = _names(sentence)
    if '"' in sentence or "“" in sentence:
        return drafts
    for part in stated(sentence):
        clause = parse_clause(part, known)
        if clause and len(clause.subject.split()) <= 8 and not is_misread(clause) and not STANDS_FOR.search(clause.subject):
            drafts += [*_material(clause), *_colour(clause), *_colour_subject(clause), *_colour_of_place(clause)]
    return drafts


def _names(sentence: str) -> list[tuple]:
    """ "The exhibition “Glass and Tide” opens" → "What is the exhibition called?"."""
    drafts = []
    for match in (*_NAMED.finditer(sentence), *_NAMED_PLAIN.finditer(sentence)):
        noun = match[2]
        if _NO_TITLE.search(noun) or FINITE.get(noun.split()[-1], ("", ""))[1] in ("third", "past") or set(noun.split()) & {"the", "of", "is", "are", "to", "and", "with", "in", "for", "by"} or re.match(r"(?:same|other|second|new)\b", noun):
            continue
        article = "the" if match[1].lower() in ("a", "an", "one", "our") else match[1].lower()
        drafts.append(("name", match[3].rstrip(","), [f"What is {article} {noun} called", f"What is the name of {article} {noun}"], 0.8))
    return drafts


def _material(clause: Clause) -> list[tuple]:
    """ "The lid should be of oak" → "What should the lid be made of?"."""
    behind = f"{clause.verb} {clause.rest}" if clause.is_passive else clause.rest
    match = _MADE.match(behind) if clause.is_passive or clause.base == "be" else None
    if not match or find_values(match[3]) or len(match[3].split()) > 9 or STANDS_FOR.search(match[3]) or coordinates(match[3]):
        return []
    value = re.split(r"\s(?:by|in|at|on|for|to|since|until|before|after|so)\s", match[3])[0].strip()
    made, of = match[1], match[2]
    if not made and not (of == "of" and _STUFF_ONLY.match(value)) or dangles(value) or of == "on" and made != "printed":
        return []
    if made not in (None, "made", "built", "woven", "carved", "printed", "cast", "knitted", "sewn", "baked", "brewed", "composed", "pressed", "constructed") or made in ("cut", "formed"):
        return []
    if re.match(r"(?:the\s)?(?:memory|board|north|south|back|front|top|bottom|hand|start|inside|now|left|right)\b", value):
        return []
    if clause.is_passive:
        asked = [f"What {clause.ask(of)}", f"{of.split()[-1].capitalize()} what {clause.ask()}"]
        if made == "made" and of != "on":
            asked.append(f"What material {clause.ask(of)}" if _STUFF_ONLY.match(value) else f"Can you tell me what {clause.subject} {clause.group} {of}")
    else:
        asked = [f"What {' '.join((*clause.auxiliaries[:1], clause.subject, *clause.auxiliaries[1:], 'be made of'))}" if clause.auxiliaries else f"What {clause.verb} {clause.subject} made of"]
    return [("object", value, asked, 0.8)]


def _colour(clause: Clause) -> list[tuple]:
    """ "The petals are silver" → "What colour are the petals?"."""
    behind = f"{clause.verb} {clause.rest}" if clause.is_passive else clause.rest
    match = _IS_COLOUR.match(behind)
    if not match or not (clause.is_copula or clause.is_passive and clause.base in ("paint", "dye")):
        return []
    verb = clause.verb if clause.is_copula else clause.auxiliaries[0]
    rest = behind[match.end(1) :].strip()
    asked = f"What colour {verb} {clause.subject} {clause.verb if clause.is_passive else ''} {rest}"
    return [("colour", match[1], [asked], 0.8)]


def _colour_subject(clause: Clause) -> list[tuple]:
    """ "The red mushroom by each door cuts the power" → "What colour is the mushroom that cuts the power?"."""
    match = _COLOUR_SUBJECT.match(clause.subject)
    rest = clause.rest
    if not match or re.search(r"[,;:()]", rest) or not 1 <= len(rest.split()) <= 9 or STANDS_FOR.search(rest) or coordinates(rest) or re.search(COLOUR, match[2] + rest) or clause.is_copula:
        return []
    noun = match[2].split()[0]
    if re.search(r"\b(?:cross|river|sea|house|market|book|card|cards|wine|bread|pepper|peppers|bus|tea|gold)\b", match[2]) or len(match[2].split()) > 6:
        return []
    be = "are" if clause.tense == "base" and not clause.auxiliaries or {"are", "were", "have"} & set(clause.auxiliaries) or noun.endswith("s") else "is"
    return [("colour", match[1], [f"What colour {be} the {match[2]} that {clause.group} {rest}"], 0.6)]


def _colour_of_place(clause: Clause) -> list[tuple]:
    """ "Files are locked away in the blue cabinet" → "What colour is the cabinet in which files are locked away?"."""
    match = _COLOURED.search(clause.rest)
    if not match or len(re.findall(COLOUR, clause.rest)) > 1 or clause.is_copula and match.start() > 0:
        return []
    before = clause.rest[: match.start()].strip()
    if len(before.split()) > 7 or re.search(r"[,;:()]", before) or STANDS_FOR.search(before) or coordinates(before) or dangles(before) or re.search(r"\b(?:not|no|never|only)\b", before):
        return []
    noun, preposition = match[3], match[1]
    be = "are" if re.search(r"[^s]s$", noun.split()[0]) else "is"
    told = " ".join(part for part in (clause.subject, clause.group, before) if part)
    return [("colour", match[2], [f"What colour {be} the {noun} {preposition} which {told}"], 0.6)]
