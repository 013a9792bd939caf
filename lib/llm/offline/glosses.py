"""What a sentence says in passing: who somebody is, in an apposition; what letters stand for; what a heading of a gloss is."""

import re

from lib.llm.offline.casing import DETERMINERS
from lib.llm.offline.values import find_values

_NAMED = re.compile(
    r"(?<![\w'’-])([A-Z][\w'’-]+(?: [A-Z][\w'’-]*\.?){1,5})(?: \([^()]{2,20}\))?, (an? [^,;:()]{5,110})(?=[,.](?! (?:and|or)\b))"
)
_SHORT_BEHIND = re.compile(r"\(([A-Z][A-Za-z]{0,4}[A-Z])s?\)")
_SHORT_BEFORE = re.compile(r"\b([A-Z][A-Za-z]{0,4}[A-Z])s? \(([A-Za-z][^()]{5,70})\)")
_GLOSS = re.compile(r"^([A-Z][^:.,;]{3,60}): (?:this|it) (?:is|was) ((?:the|an?) [^;:]{5,110}?)(?=, |\.|$)")
_SMALL = frozenset("of and the for in on to a an".split())


def gloss_facts(sentence: str) -> list[tuple]:
    """Drafts (kind, value, questions, score) from phrases anywhere in one plain sentence."""
    drafts = [
        ("definition", match[2], [f"Who or what is {match[1]}", f"How can {match[1]} be described"], 0.5)
        for match in _NAMED.finditer(sentence)
        if match[1].split()[0].lower() not in DETERMINERS and not find_values(match[2])
    ]
    if match := _GLOSS.match(sentence):
        drafts.append(("definition", match[2], [f"How can {match[1]} be described"], 0.4))
    return [*drafts, *_letters(sentence)]


def _letters(sentence: str) -> list[tuple]:
    """ "the Free Harbour Union (FHU)" and "FHU (Free Harbour Union)" → "What does FHU stand for?"."""
    found = [(match[1], _spelled(match[1], sentence[: match.start()])) for match in _SHORT_BEHIND.finditer(sentence)]
    found += [
        (match[1], match[2]) for match in _SHORT_BEFORE.finditer(sentence) if _spelled(match[1], match[2]) == match[2]
    ]
    return [
        ("name", long, [f"What does {short} stand for", f"What is the long form of {short}"], 0.45)
        for short, long in found
        if long
    ]


def _spelled(short: str, text: str) -> str:
    """The last words of a text whose initials, small words aside, make up `short`; empty if none do."""
    wanted = short.lower()
    for match in reversed(list(re.finditer(r"[^\W\d_]+", text))):
        if match.group().lower() in _SMALL:
            continue
        if not wanted.endswith(match.group()[0].lower()):
            return ""
        wanted = wanted[:-1]
        if not wanted:
            return text[match.start() :].strip()
    return ""
