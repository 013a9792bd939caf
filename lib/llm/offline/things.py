"""Labels of list lines and of rows: whether one names a thing, and how it stands within a question."""

import re

from lib.llm.offline.casing import PREPOSITIONS
from lib.llm.offline.clauses import parse_clause
from lib.llm.offline.thesaurus import entries
from lib.llm.offline.values import find_values
from lib.llm.offline.verbs import NOUN_LIKE, PARTICIPLES, is_verb
from lib.llm.offline.words import FUNCTION, NUMBER_WORDS

# a label that is an attribute: what it belongs to stands in the heading
_ATTRIBUTE = re.compile(
    r"(?:price|prices|cost|costs|fees?|charges?|rates?|fares?|amount|total|sum|balance|budget|duration|length|weight|height|width|depth|size|age|capacity|power|speed|times?|dates?|hours|opening|"
    r"days?|deadline|address|phone|telephone|tel|fax|e-?mail|contacts?|place|venue|location|author|owner|born|name|title|number|code|version|status|level|reason|cause|answer|reply|"
    r"result|applicant|colou?r|materials?|period|validity|term|year|month|week|signed|viewing|departure|arrival|start|end|begins|ends|meeting point|income|spending|"
    r"built|founded|opened|closed|winner|used|seen|weather|dimensions|temperature|votes?|reward|damage|value|area|volume|from|to|until|since|likelihood|load|peak|trainer|present|absent|"
    r"wind|sea|visibility|delivery time|symptoms?|effect|remedy|dose|warning|rule|rules|aim|purpose|task|tasks|duties|training|experience|education|languages?|hobbies|pay|salary|wage|donations?|deposit|bills?|invoice|sales|takings|profit|loss|expenses|gifts?|prizes?|"
    r"fund|subsidy|turnover|savings|reserves?|surplus|revenue|collection|tips|fines?|reward|penalty|tax|allowance|grants?|loans?|debts?|mortgage|pension|overnight|output|input|yield|harvest|catch|crew|staff|seats|places)$",
    re.IGNORECASE,
)
_NO_LABEL = frozenset(
    "note notes important example examples warning tip see nb remark hint http https step figure table source item question answer q a lost found wanted today yesterday "
    "tomorrow closed open new task case monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays morning evening "
    "afternoon noon night spring summer autumn winter who when where what why how if while because please after before daily weekly monthly yearly upstairs downstairs indoors outdoors outside inside abroad overnight do not never no always yes only there here this that "
    "these those it its he she they we you i once as up down about level stage phase week day hour year month weekend weekends weekdays season all above up over more less between beyond other others everyone nobody".split()
)
_COMMANDS = frozenset(
    "keep put take bring send call ring write add fetch wear meet wait let leave make give turn press hold tell ask get go come check count carry clean clear close open shut set use fill "
    "wash rinse dry cut pull push move place report sign book pay show look read sit stand stay stop start try tighten loosen remove replace measure mix stir bake boil heat cool cover "
    "store return switch lock unlock empty sweep wipe water feed plant pick sow dig hang fold tie pack lift lower lay spread pour drink eat sleep walk run drive ride follow cross avoid "
    "remember note mind beware practise listen speak talk say sing play draw paint print copy scan enter exit click type choose select save delete install connect plug charge bleed apply "
    "attach fix mount screw fasten insert tug pump grease oil sort weigh order buy sell hand deliver collect lead guard watch warn inform phone email allow knock join learn repeat".split()
)
MASS = re.compile(
    r"\b(?:water|coffee|tea|milk|bread|wood|hire|insurance|entry|entrance|admission|access|parking|breakfast|lunch|dinner|supper|electricity|gas|heating|storage|delivery|transport|rent|membership|"
    r"tuition|cash|postage|repair|linen|bedding|laundry|fuel|sand|gravel|paper|fish|meat|cheese|butter|flour|sugar|salt|honey|juice|beer|wine|cider|soup|rice|advice|help|assistance|company|"
    r"interest|luggage|baggage|equipment|furniture|clothing|maintenance|glass|steel|cement|concrete|timber|rubble|waste|manure|compost|hay|straw|wool|(?!(?:even|morn|build|spr|str|ceil|wedd|meet|sw|th|w|k|paint|draw|land|cross|open|clear|out|rail|offer|dwell|sibl|ear|anteroom|gather|hear|view|sitt|open|found|sett)ing$)\w{3,}ing)$",
    re.IGNORECASE,
)
_BREAK = re.compile(r",?\s(?:of|for|in|at|on|with|to|from|by|up|under|over|without|per|near|beside|behind|within|over|who|which|that|when)\s|,\s|\s\(")
_PLURAL = re.compile(r"(?:(?<!\bga)(?<!canva)(?<!atla)(?<!len)(?<=[^sui'])s|men|women|children|people|feet|geese)$")


_COMMON = frozenset(
    "kitchen sauna plot garden tent boat canoe kayak sledge lamp pump engine mast sail anchor desk sofa bench ladder cellar attic loft balcony terrace oven fridge freezer kettle stove grill "
    "piano organ violin guitar drum flute clock mirror carpet blanket pillow mattress towel robe gown coat jacket shirt cap helmet glove boot shoe spade fork rake axe drill lathe forklift crane "
    "tractor trailer lorry van minibus bus tram train bicycle scooter pony horse cow goat hen sheep duck dog cat cake pie salad stew omelette sandwich pizza pasta chips lighthouse tower mill barn shed "
    "hut cabin cottage chapel church museum library theatre cinema gym stadium harbour quay pier jetty slipway dock buoy raft ferry tug barge minibar solarium gallery archive".split()
)
_NOUN_END = re.compile(r"(?:tion|ment|ness|ance|ence|board|room|house|ship|book|card|bag|box|ticket|fee|pass|shop|park|walk|tour|trip|bed|boat|bike|court|hall|wall|pool|table|chair|tool|stove|ing|er’s|saw)s?$")


def is_common(word: str) -> bool:
    """Whether a capitalised word that stands alone is a word of the language and no name."""
    low = word.lower()
    return bool(low in _COMMON or _NOUN_END.search(low) or MASS.search(low) or any(e.role in "ncm" for e in entries().get(low, ())))


def is_thing(label: str) -> bool:
    """Whether a label names a thing that has values, and is no attribute, command or clause."""
    words = label.split()
    if not words or len(words) > 8:
        return False
    first = words[0].lower().strip("\"'“”")
    head = _BREAK.split(label)[0].split()
    return (
        any(c.isalpha() for c in words[0])
        and (label[0].isupper() or not label[0].isalpha())
        and not re.match(r"(?:first|next|last|each|every|per)\b.*\d", label, re.IGNORECASE)
        and first not in _NO_LABEL
        and first not in PREPOSITIONS
        and not (first in _COMMANDS and len(words) > 2)
        and not _ATTRIBUTE.match(head[-1])
        and not re.match(r"(?:amount|number|total|cost|time|date)$", first)
        and words[-1].lower() not in PARTICIPLES
        and words[-1].lower() not in FUNCTION
        and not re.search(r"[\"“”?!]|\b(?:is|are|was|were|has|have|had|can|may|must|will|should|please|your|our|my|we|you|it|they|that|who|which|not|if|when|without|go|goes|come|comes|get|gets)\b", label)
        and label.count("(") == label.count(")")
        and not any(v.kind in ("date", "time", "money", "percent", "address") for v in find_values(label))
        and not re.match(r"(?:clause|section|article|chapter|part|annex|appendix|rule|item|page|figure|table|no\.?)\s[\dIVX]", label, re.IGNORECASE)
        and not parse_clause(f"{label}.")
    )


def is_command(text: str) -> bool:
    """Whether a line tells its reader what to do."""
    first = re.split(r"[\s,]", text.lower(), maxsplit=1)[0]
    return first in _COMMANDS or is_verb(first) and first not in NOUN_LIKE


class Thing:
    """A label as it stands within a question.

    Attributes:
        name: The label with its article.
        be, was, do: Verbs that agree with it.
    """

    def __init__(self, label: str):
        words = label.split()
        first, head = words[0].lower(), _BREAK.split(label)[0]
        many = bool(_PLURAL.search(head.lower())) or bool(re.search(r"[^su]s (?:and|or) [\w ]+s$", head)) or bool(re.fullmatch(r"\w+ and \w+", head))
        lower = label[:1].lower() + label[1:]
        inner = head.split()[1:]
        proper = any(w[:1].isupper() for w in inner if w.lower() not in FUNCTION) or any(c.isdigit() for c in head) or words[0][1:2].isupper()
        if re.match(r"\w{3,}ing (?:of|an?|the|and) ", lower) and MASS.search(first):
            self.name, many = lower, False
        elif first in ("the", "a", "an", "each", "every", "any", "one"):
            self.name, many = lower, False if first in ("a", "an", "each", "every", "one") else many
        elif first in NUMBER_WORDS:
            self.name, many = f"the {lower}", True
        elif proper:
            self.name, many = label, many and label.lower().startswith(("both ", "two "))
        elif " " not in head and label[len(head) : len(head) + 1] in ("", ",") and _PLURAL.search(head.lower()):
            self.name = lower
        elif " " not in head and label[len(head) : len(head) + 1] in ("", ",") and not is_common(head):
            self.name = label  # a name for all that the label says
        elif MASS.search(head) and not _PLURAL.search(head) or "ing and " in head:
            self.name, many = lower, False
        else:
            self.name = f"the {lower}"
        self.be, self.was, self.do = ("are", "were", "do") if many else ("is", "was", "does")
