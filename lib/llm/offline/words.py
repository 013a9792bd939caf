"""Words as the rules compare them: lower case, endings cut, near-synonyms folded, function words aside."""

import re
import unicodedata
from functools import lru_cache

NUMBER_WORDS = {w: n for n, w in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
)} | {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "dozen": 12}  # fmt: skip
MONTHS = {m: i for i, m in enumerate(
    "january february march april may june july august september october november december".split(), 1)}  # fmt: skip

FUNCTION = frozenset(
    """a an the of to in on at by for from with and or but as than that this these those it its is are was were be been being am do does
    did has have had having will would shall should can could may might must not no nor so if then there here he she they them his her
    their our your my we you i me us who whom whose which what when where why how many much long often far old also only just per each
    every any some all both either neither such own very more most less least about into onto over under up down out off again while
    during between through after before until since because s t name named called give given according one much kind sort""".split()
)
_GROUPS = (
    "cost price fee charge fare pay tariff rate", "found establish create start begin set launch open", "locate situate lie stand keep store place base",
    "build construct erect make", "head lead manage run direct chair", "allow permit", "forbid prohibit ban", "maximum greatest highest largest most limit up",
    "minimum smallest lowest least", "close shut end", "buy purchase acquire", "telephone phone call", "required needed must necessary",
    "long length", "wide width", "high height tall", "deep depth", "heavy weight weigh", "boat vessel ship ferry", "big large", "car vehicle",
    "take last duration", "staff employee worker", "child children kid", "happen occur", "person people",
)  # fmt: skip
_FOLD = {word: group.split()[0] for group in _GROUPS for word in group.split()}
_IRREGULAR = {
    "built": "build", "made": "make", "held": "hold", "kept": "keep", "paid": "pay", "sold": "sell", "bought": "buy", "began": "begin",
    "begun": "begin", "stood": "stand", "lay": "lie", "lies": "lie", "ran": "run", "led": "lead", "won": "win", "lost": "lose", "left": "leave",
    "grew": "grow", "grown": "grow", "came": "come", "went": "go", "gone": "go", "gave": "give", "took": "take", "taken": "take",
    "became": "become", "written": "write", "wrote": "write", "chosen": "choose", "chose": "choose", "shown": "show", "men": "man",
    "women": "woman", "children": "child", "feet": "foot", "costs": "cost", "dying": "die", "founded": "found", "wider": "wide",
}  # fmt: skip
_LEAD = re.compile(
    r"^(?:(?:can|could|would) you (?:please )?(?:tell me|say|explain)|do you know|please (?:tell me|say)|tell me|i(?:'d| would) like to know|i want to know)[,:]?\s+",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"\d+(?:[.,:/]\d+)*|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\W\d_]+(?:['’][^\W\d_]+)?"
)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word's stem, near-synonyms folded into one; numbers in words become digits."""
    if word in NUMBER_WORDS:
        return str(NUMBER_WORDS[word])
    word = word.replace("’", "'").removesuffix("'s")
    word = _IRREGULAR.get(word, word)
    if word in _FOLD:
        return _FOLD[word]
    short = word
    for ending, new in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("ly", ""), ("es", ""), ("s", "")):
        if word.endswith(ending) and not word.endswith("ss") or (ending == "sses" and word.endswith(ending)):
            short = word[: -len(ending)] + new
            break
    if len(short) < 3 or not re.search(r"[aeiouy]|[^a-z]", short):
        short = word
    if len(short) > 3 and short[-1] == short[-2] and short[-1] not in "lsz":
        short = short[:-1]
    short = short[:-1] if len(short) > 3 and short.endswith("e") else short
    return _FOLD.get(short) or _FOLD.get(short + "e") or short


def tokens(text: str) -> list[str]:
    """Words and numbers in order, lower case; scripts without spaces give one word per character."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def content(text: str) -> list[str]:
    """Stems of the words that carry the content, in order."""
    return [normal_number(w) if w[0].isdigit() else stem(w) for w in tokens(text) if w not in FUNCTION]


def strip_lead(question: str) -> str:
    """A question without "Can you tell me" and its like."""
    return _LEAD.sub("", question.strip())


def normal_number(word: str) -> str:
    """A number without thousands separators."""
    return re.sub(r",(?=\d{3}(?:\D|$))", "", word)


def names(text: str) -> set[str]:
    """Stems of capitalised words that do not begin a sentence, and of tokens with digits: what must not be mixed up."""
    found = set()
    for match in re.finditer(r"\d+(?:[.,:/]\d+)+(?![\w'’-])|[^\W_][\w'’-]*", text):
        word, before = match.group(), text[: match.start()].rstrip()
        opens = not before or before[-1] in ".!?:"
        if any(c.isdigit() for c in word) or (word[0].isupper() and not opens and word.casefold() not in FUNCTION):
            found.update(content(word))
    return found
