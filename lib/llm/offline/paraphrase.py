"""Other words for a question that the rules have written: another frame, and words of the thesaurus where their sense is sure."""

import hashlib
import re
from collections.abc import Iterator

from lib.llm.offline.casing import DETERMINERS, PREPOSITIONS
from lib.llm.offline.frames import reframed
from lib.llm.offline.thesaurus import Entry, entries, is_verb
from lib.llm.offline.verbs import BE, FINITE
from lib.llm.offline.words import FUNCTION, NUMBER_WORDS

P_PLAIN = 0.2  # share of wordings that stay as they are
P_FRAME = 0.75  # of the others: share that gets another frame where there is one
P_SWAP = 0.85  # share of the words with a neighbour that are swapped
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_SHUT = re.compile(r"\([^)]*\)|[\"“'‘][A-Z][^\"”'’]*[\"”'’]|[\"“][^\"”]*[\"”]")
_DO = frozenset("do does did can could may might must should will would to".split())
_OPENS_NOUN = DETERMINERS | PREPOSITIONS | NUMBER_WORDS.keys() | {"many", "what", "which", "own", "first", "second", "last", "only", "new", "old"}
_LONGEST = 4  # words of a phrase


def paraphrases(question: str, kind: str, seed: bytes) -> Iterator[str]:
    """One or two other wordings, the furthest first; none for the share that stays plain.

    Args:
        question: A plain question that stands alone.
        kind: Kind of the value that it asks for, see `Fact`.
        seed: What the choices hang on beside the question.
    """
    if _share(seed, question, "plain") < P_PLAIN:
        return
    other = question
    if (frames := reframed(question, kind)) and _share(seed, question, "frame") < P_FRAME:
        other = frames[int(_share(seed, question, "which") * len(frames))]
    for text in dict.fromkeys((swapped(other, seed), swapped(question, seed), other)):
        if text != question:
            yield text


def swapped(question: str, seed: bytes) -> str:
    """A question with other words in places where each means the same."""
    words = list(_WORD.finditer(question))
    shut = [m.span() for m in _SHUT.finditer(question)]
    known, out, at, i = entries(), [], 0, 0
    while i < len(words):
        for n in range(min(_LONGEST, len(words) - i), 0, -1):
            start, end = words[i].start(), words[i + n - 1].end()
            text = question[start:end]
            found = known.get(text, ())
            if not found or any(a < end and start < b for a, b in shut):
                continue
            entry = next((e for e in found if _fits(e, text, words, i, n, question)), None)
            if entry and _share(seed, text, "swap") < P_SWAP:
                new = entry.others[int(_share(seed, text, "word") * len(entry.others))]
                out += [question[at:start], new]
                at, i = end, i + n - 1
                break
        i += 1
    return _with_articles("".join([*out, question[at:]]))


def _fits(entry: Entry, text: str, words: list[re.Match], i: int, n: int, question: str) -> bool:
    """Whether the words `i` to `i + n` stand in the role of an entry."""
    if i == 0 or not entry.others:
        return False
    before = [w.group() for w in words[:i]]
    behind = words[i + n].group() if i + n < len(words) else ""
    joined = question[words[i - 1].end() : words[i].start()]
    if joined != " ":
        return False
    ends = not behind or question[words[i + n - 1].end() : words[i + n].start()] != " "
    free = ends or behind in FUNCTION or behind in PREPOSITIONS or behind in DETERMINERS
    last = before[-1]
    if entry.role == "x":
        return True
    if entry.role in "vip":
        return _fits_verb(entry, before, behind, free, i, text)
    if entry.role == "a":
        return last in _OPENS_NOUN and bool(behind) and behind.islower() and not free
    opens = last in _OPENS_NOUN or last.endswith(("'s", "’s")) or entry.role == "c" and last.islower() and last not in FUNCTION
    return opens and (free or is_verb(behind)) and not (behind.islower() and not free and behind in FINITE and FINITE[behind][1] == "base" and not ends)


def _fits_verb(entry: Entry, before: list[str], behind: str, free: bool, i: int, text: str) -> bool:
    last = before[-1]
    if last in DETERMINERS or last in PREPOSITIONS - {"to"}:
        return False
    if entry.form == "base":
        return i > 2 and before[0].istitle() and bool({b.lower() for b in before[1:3]} & _DO) and last.lower() not in ("how", "many") and (free or entry.role == "v")
    if entry.form == "participle" and entry.role != "i" and {b.lower() for b in before} & BE:
        return free or behind[:1].isupper()
    if entry.form == "third" or entry.form == "past":
        return i == 1 and before[0] == "Who"
    return False


def _with_articles(text: str) -> str:
    """The indefinite articles as the words behind them want them."""
    text = re.sub(r"\b(a) (?=(?:extra|entire|annual|earl|initial|expensive|everyday|obligatory|illness|employee|image|occasion|outset|area|owner)\w*)", r"\1n ", text)
    return re.sub(r"\b(a)n (?=(?:big|large|little|small|yearly|quick|whole|full|fast|worker|zone|purpose|writer|main|regular|job|local|mistake|plane)\w*\b)", r"\1 ", text)


def _share(seed: bytes, text: str, what: str) -> float:
    drawn = hashlib.sha256(seed + f"{what}\0{text}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(drawn[:6], "big") / 2**48
