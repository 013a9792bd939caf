"""Other words for a question that the rules have written: another frame, and words of the thesaurus where their sense is sure."""

import hashlib
import re
from collections.abc import Iterator, Sequence

from lib.llm.offline.casing import DETERMINERS, PREPOSITIONS
from lib.llm.offline.facts import Fact
from lib.llm.offline.frames import LEADS, SITUATIONS, reframed
from lib.llm.offline.names import is_person
from lib.llm.offline.thesaurus import Entry, entries
from lib.llm.offline.verbs import BE, FINITE, NOUN_LIKE, is_verb, third_of
from lib.llm.offline.words import FUNCTION, NUMBER_WORDS, strip_lead

P_PLAIN = 0.15  # share of wordings that stay as they are
P_FRAME = 0.9  # of the others: share that gets another frame where there is one
P_SWAP = 0.97  # share of the words with a neighbour that are swapped
P_LEAD = 0.08  # share that says first why it asks
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_SHUT = re.compile(r"\([^)]*\)|[\"“'‘][A-Z][^\"”'’]*[\"”'’]|[\"“][^\"”]*[\"”]")
_OPENS = re.compile(r"^(?:What|When|Where|Who|Whom|Whose|Which|Why|How|In|On|At|By|For|From|To|Until|Since|With|Within)\b")
_DO = frozenset("do does did can could may might must should will would".split())
_BEFORE_PLURAL = frozenset("is are was were does do did may must can should will have has had".split())
_OPENS_NOUN = DETERMINERS | PREPOSITIONS | NUMBER_WORDS.keys() | frozenset("many much what which own first second last only new old good main".split())
_SOUNDS = re.compile(r"(?:hour|honest|heir)|(?!uni|use|usual|euro|one)[aeiou]")
_PARTICLES = frozenset("down up off out away back over apart together".split())
_LONGEST = 4  # words of a phrase


def paraphrases(question: str, fact: Fact, seed: bytes) -> Iterator[str]:
    """Other wordings, the furthest first; none for the share that stays plain.

    Args:
        question: A plain question that stands alone.
        fact: What it asks for; its first wording lends its frame to an indirect question.
        seed: What the choices hang on beside the question.
    """
    if share(seed, question, "plain") < P_PLAIN:
        return
    frames = reframed(question, fact.kind, fact.value)
    if not frames and strip_lead(question) != question:
        frames = reframed(fact.wordings[0], fact.kind, fact.value)
    if fact.kind == "person" and not is_person(fact.value):
        frames = []  # "Which person" would be a library
    other = question
    if frames and share(seed, question, "frame") < P_FRAME:
        other = frames[int(share(seed, question, "which") * len(frames))]
    for text in dict.fromkeys((swapped(other, seed), other, swapped(question, seed), *frames)):
        yield from (put for put in dict.fromkeys((_led(text, seed), text)) if put != question)


def _led(question: str, seed: bytes) -> str:
    """The question behind a word on who asks, or with another opening for an indirect one; mostly as it is."""
    if (told := strip_lead(question)) != question:
        if share(seed, question, "lead") < 0.6:
            return f"{LEADS[int(share(seed, question, 'opening') * len(LEADS))]} {told}"
    elif share(seed, question, "lead") < P_LEAD and _OPENS.match(question):
        situation = SITUATIONS[int(share(seed, question, "opening") * len(SITUATIONS))]
        return f"{situation}: {question[0].lower()}{question[1:]}"
    return question


def swapped(question: str, seed: bytes) -> str:
    """A question with other words in the places where each means the same."""
    words = list(_WORD.finditer(question))
    shut = [m.span() for m in _SHUT.finditer(question)]
    known, taken = entries(), {m.group().lower() for m in words}
    out, at, i = "", 0, 0
    while i < len(words):
        for n in range(min(_LONGEST, len(words) - i), 0, -1):
            start, end = words[i].start(), words[i + n - 1].end()
            text = question[start:end]
            if text not in known or any(a < end and start < b for a, b in shut) or _in_code(question, start, end):
                continue
            others = next((e.others for e in known[text] if _fits(e, text, words, i, n, question)), ())
            others = [other for other in others if other not in taken]
            if others and share(seed, text, "swap") < P_SWAP:
                new = others[int(share(seed, text, "word") * len(others))]
                taken.update(new.split())
                out = _with_article(out + question[at:start], new) + new
                at, i = end, i + n - 1
                break
        i += 1
    return out + question[at:]


def _in_code(question: str, start: int, end: int) -> bool:
    """Whether a word is a part of something longer, as in "torch.hub"."""
    return bool(re.match(r"[._/:@=\[(]\w", question[end : end + 2]) or re.search(r"\w?[._/:@=\[(]$", question[:start]))


def _with_article(before: str, word: str) -> str:
    match = re.search(r"\b([Aa])n? $", before)
    return f"{before[: match.start()]}{match[1]}{'n' if _SOUNDS.match(word) else ''} " if match else before


def _fits(entry: Entry, text: str, words: list[re.Match], i: int, n: int, question: str) -> bool:
    """Whether the words `i` to `i + n` stand in the role of an entry."""
    if i == 0 or question[words[i - 1].end() : words[i].start()] != " ":
        return entry.role == "x" and i > 0
    before = [w.group() for w in words[:i]]
    behind = words[i + n].group() if i + n < len(words) else ""
    last, ends = before[-1], not behind or question[words[i + n - 1].end() : words[i + n].start()] != " "
    free = ends or behind in FUNCTION or behind in PREPOSITIONS or behind in DETERMINERS or behind.endswith("ly")
    if entry.role == "x":
        return not (text.startswith("per ") and last in ("the", "price", "fee", "fare", "charge", "cost", "rate"))
    if text == "kept" and ("temperature" in question or behind in ("for", "by") or "y whom" in question):  # a pool is not stored, nor a seat for somebody
        return False
    if before[:3] == ["Who", "or", "what"] and i == 3 and entry.role in "ncm":
        return False  # "Who or what photographs"
    if text == "hire" and re.search(r"\bcosts?\b", question):
        return False  # "skate hire"
    if text in ("cost", "costs", "charge", "charges") and last not in DETERMINERS:  # may be the verb
        return False
    if entry.role in "vip":
        return _fits_verb(entry, text, before, [w.group() for w in words[i + n :]], free)
    if entry.role == "a":
        return last in _OPENS_NOUN and behind.islower() and not free
    if _may_be_verb(text) and last not in _OPENS_NOUN and not any(is_verb(w.group()) and w.group() not in _DO for w in (*words[1:i], *words[i + n :])):
        return False  # "Why does the council item"
    if entry.role == "c" and (last.islower() and last not in FUNCTION and not is_verb(last)) and entry.form == "one":
        return free or is_verb(behind)
    opens = last in _OPENS_NOUN or entry.form != "one" and last in _BEFORE_PLURAL or last.endswith(("'s", "’s")) or last in entries() and entries()[last][0].role == "a"
    return opens and (free or is_verb(behind) and FINITE.get(behind, ("", "past"))[1] != "base")


def _may_be_verb(text: str) -> bool:
    return FINITE.get(text, ("", "past"))[1] != "past" or text in ("object", "request", "gear")


def _fits_verb(entry: Entry, text: str, before: Sequence[str], behind: Sequence[str], free: bool) -> bool:
    last, earlier = before[-1], {b.lower() for b in before}
    if last in DETERMINERS or last in PREPOSITIONS - {"to"} or last in ("how", "many", "much", "what", "which"):
        return False
    head = text.split()[0]
    if behind and (behind[0] in _PARTICLES or behind[0] == "to" and head in ("used", "required")) or entry.form == "base" and last in BE:
        return False  # "shut down" and "get used to" are words of their own
    if entry.form == "third" and behind and FINITE.get(behind[0], ("", ""))[1] == "base" and behind[0] not in PREPOSITIONS:
        return False  # "to what address requests go"
    if entry.role == "p" and entry.form != "participle":
        return False
    if entry.form == "base":
        if last == "to":
            return entry.role != "i" or bool(earlier & {"have", "has", "need", "needs", "able", "allowed"})
        asked_of = bool({b.lower() for b in before[1:4]} & _DO) and len(before) > 2
        if not asked_of or last in entries() and entries()[last][0].role == "a":
            return False
        rivals = [b for b in (*before[2:], *behind) if FINITE.get(b, ("", ""))[1] == "base" and b not in _DO]
        return not rivals if third_of(head) in NOUN_LIKE else free or entry.role != "i"
    if entry.form == "participle" and entry.role != "i" and earlier & BE:
        return free or behind[0][:1].isupper()
    if text == "receives" and "What" not in before:
        return False  # "Who receives the parents"
    if entry.form == "third" and (before == ["Who"] or before == ["Which", "person"]):
        return True
    if entry.form == "third" and strip_lead(" ".join(before)) != " ".join(before):
        return head not in NOUN_LIKE and not earlier & BE and len(before) > 5
    return entry.form == "past" and (before == ["Who"] or before == ["Which", "person"])


def share(seed: bytes, text: str, what: str) -> float:
    """A number in [0, 1) drawn from the hash of a text, for one purpose."""
    drawn = hashlib.sha256(seed + f"{what}\0{text}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(drawn[:6], "big") / 2**48
