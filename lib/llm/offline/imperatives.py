"""Instructions as statements: "Bake at 160 °C" under the heading of a loaf → "The loaf is baked at 160 °C"."""

import re
from collections.abc import Sequence

from lib.llm.offline.casing import DETERMINERS, PREPOSITIONS, lower_start
from lib.llm.offline.values import NUMBER
from lib.llm.offline.verbs import FINITE, NOUN_LIKE, PARTICIPLES, third_of

_PARTICIPLE = {base: participle for participle, base in PARTICIPLES.items() if base != "found"}
_MORE = {"simmer": "simmered", "roast": "roasted", "grill": "grilled", "rest": "rested", "whisk": "whisked", "add": "added", "preheat": "preheated",
         "soak": "soaked", "knead": "kneaded", "press": "pressed", "tick": "ticked", "peel": "peeled", "melt": "melted", "beat": "beaten", "blend": "blended",
         "rub": "rubbed", "sift": "sifted", "sprinkle": "sprinkled", "spray": "sprayed"}  # fmt: skip
_WHOLE = frozenset("bake roast grill cook serve store keep freeze chill steam fry cool refrigerate eat".split())
_NO_VERB = frozenset("cost work land place state stock end power value need force rank mark show name share stem sponsor head book".split())
_GENERIC = re.compile(
    r"(?:method|directions?|preparation|instructions?|steps?|ingredients?|notes?|procedure|how to .*|what to do|cooking|baking|to serve|serving|storage|storing|general|overview|contents|safety|details|recipes?)$",
    re.IGNORECASE,
)
_NO_THING = frozenset("how what when where why who which if for from in on at by with your our my his her no not getting using making about after before during".split())
_TO_DO = re.compile(r"(?:Always |Please |Then |Now |Next,? |First,? |Finally,? |Afterwards,? )?([A-Z]?[a-z]+) (.+)$")
_OBJECT = re.compile(
    r"((?:the|all|each|every|any|your|both) (?:[a-z][a-z'’-]* ){0,3}?[a-z][a-z'’-]*(?: (?:of|from|for|behind) (?:the |your )?[a-z][a-z'’-]*)?)"
    r"(?= (?:in|on|at|by|for|from|with|to|until|every|once|twice|after|before|within|into|under|over|during|between|no later|every|\d)\b|[.,;]|$)"
)


def as_statement(sentence: str, before: str, headings: Sequence[str]) -> str:
    """An instruction as what is done with its object, or with what it is about: the object before, the thing in the heading; else empty.

    Args:
        sentence: One plain sentence.
        before: Object of the instruction before it, empty if there is none.
        headings: Headings above it, outermost first.
    """
    told = _instruction(sentence)
    if not told:
        return ""
    verb, rest = told
    if found := _OBJECT.match(rest):
        thing, rest = found.group(1), rest[found.end() :]
        if re.search(r"\b(?:it|them|they|and|or|open|wide|shut|closed|off|ajar|clean|dry|warm|cool|away|back|out|up|down|all|only|just|also|first|again)\b", thing.split(" ", 1)[1]):
            return ""
        if re.search(r"\b(?:your (?:\w+ )?(?:feet|foot|hands?|eyes?|face|hair|name|skin|child|children|dog|car|home|body|arms?|legs?|head|mouth|time))\b", thing):
            return ""
        thing = re.sub(r"\byour\b", "the", thing)
        return f"{thing[0].upper()}{thing[1:]} should be {_participle(verb)}{rest}" if rest[:1] == " " else ""
    if rest.split()[0] not in PREPOSITIONS or not re.match(rf"(?:at|for|to|in|within|until|after|before|by|on|every) (?:about |around |at least |up to |over |under )?(?:the )?(?:{NUMBER}|[a-z-]+ (?:minutes|hours|days|weeks)|[A-Z])", rest):
        return ""
    thing = before or (heading_thing(headings) if verb in _WHOLE else "")
    return f"{thing[0].upper()}{thing[1:]} {'are' if is_plural(thing) else 'is'} {_participle(verb)} {rest}" if thing else ""


_STATE = frozenset("open closed available free suitable".split())
_NOW = frozenset("kept sold served held moored stored serviced run managed owned located situated used cleaned checked emptied inspected maintained priced".split())
_SAYS = frozenset("costs weighs measures holds seats sleeps takes lasts carries opens closes starts begins ends runs leaves arrives serves contains needs stands lies".split())
_VERBLESS = re.compile(r"\s(?:is|are|was|were|has|have|had|can|may|must|will|should|do|does|did|it|they|we|you|I|who|which)\s")


def of_heading(sentence: str, headings: Sequence[str]) -> str:
    """A fragment as what it says of the thing in the heading: "Built in 1904 by Hallin" → "The Orrin mill was built in 1904 by Hallin"."""
    text = sentence.strip().rstrip(".")
    first, _, rest = text.partition(" ")
    word = first.lower()
    if not first[:1].isupper() or not rest or len(text.split()) > 20 or _VERBLESS.search(f" {text} ") or rest.split()[0].lower() in ("by", "of", "and", "or"):
        return ""
    thing = heading_thing(headings[-1:])
    if not thing:
        return ""
    thing = thing[0].upper() + thing[1:]
    if word in _SAYS and re.match(rf"(?:about |up to |from |at |for |on |every )?(?:£|\$|€)?(?:{NUMBER}|[A-Z]|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty)", rest):
        return f"{thing} {word} {rest}" if not is_plural(thing) else ""
    if word in PARTICIPLES or word in _STATE:
        be = ("are" if is_plural(thing) else "is") if word in _STATE or word in _NOW else "were" if is_plural(thing) else "was"
        return f"{thing} {be} {word} {rest}"
    return ""


def tells_to_do(sentence: str) -> bool:
    """Whether a sentence is an instruction."""
    return _instruction(sentence) is not None


def object_of(sentence: str) -> str:
    """What an instruction does something with: "the potatoes" of "Boil the potatoes until soft."; empty where there may be two."""
    told = _instruction(sentence)
    found = _OBJECT.match(told[1]) if told else None
    if not found or re.search(r" (?:with|into|in|to|over|from|and|onto) (?:the|a|an|\d)", told[1][found.end() :]):
        return ""
    return re.sub(r"^(?:your|all|each|every|any|both)\b", "the", found.group(1))


def heading_thing(headings: Sequence[str]) -> str:
    """The thing that the heading above names, as it stands in a sentence: "Ginger loaf (6 loaves)" → "the ginger loaf"."""
    named = [h for h in headings if not _GENERIC.match(h.strip())]
    title = re.sub(r"\s*\([^)]*\)", "", named[-1]).strip() if named else ""
    title = re.sub(r"^(?:Recipe|Recipe for|Instructions for|Notes on|About)(?:: | (?=the |an? ))", "", title)
    title = title.split(":")[0].split(" – ")[0].strip()
    words = title.split()
    if not 1 <= len(words) <= 6 or words[0].lower() in _NO_THING or re.search(r"[\d?!,;|/]|\b(?:and|or|is|are)\b", title):
        return ""
    if FINITE.get(words[0].lower(), ("", ""))[1] == "base" or words[0].endswith("ing") and len(words) == 1 or len(words) == 1:
        return ""
    title = title.title() if title.isupper() else title
    title = re.sub(r"^(?:The|An?) ", "", title)
    return f"the {lower_start(title)}"


def is_plural(thing: str) -> bool:
    """Whether a thing is several: "the ginger biscuits"."""
    head = re.split(r" (?:of|for|in|on|at|from|to|with) ", thing)[0].split()[-1]
    return bool(re.search(r"[a-z]{2}[^siu]s$|(?:ies|people|children)$", head))


def _participle(verb: str) -> str:
    return _MORE.get(verb) or _PARTICIPLE[verb]


def _instruction(sentence: str) -> tuple[str, str] | None:
    """Verb and rest of a sentence that tells somebody to do something."""
    match = _TO_DO.match(sentence.strip().rstrip("."))
    if not match or sentence.rstrip()[-1:] in "?:" or re.search(r"\band (?:again|at|on|in|after|before|every)\b", sentence):
        return None
    verb, rest = match.group(1).lower(), match.group(2)
    is_base = verb in _MORE or verb not in ("let", "leave", "write", "do", "get", "make", "pass") and verb in _PARTICIPLE and FINITE.get(verb, ("", ""))[1] == "base"
    second = rest.split()[0].lower()
    if not is_base or verb in _NO_VERB and second not in ("the", "your", "all"):
        return None
    if third_of(verb) in NOUN_LIKE and second not in ("the", "your", "all", "each") and not re.match(r"(?:for|at|in) (?:about )?\d", rest):
        return None
    return (verb, rest) if second in DETERMINERS | PREPOSITIONS or second[:1].isdigit() else None
