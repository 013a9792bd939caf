"""Pieces that questions are made of: the direct and the indirect form, phrases cut at a boundary, the noun behind a number."""

import re

from lib.llm.offline.clauses import Clause
from lib.llm.offline.words import NUMBER_WORDS

_BOUNDARY = re.compile(
    r"\s*(?:[,:](?!\d)|[;()—–]|\s-\s)|\s(?:and|but|or|which|who|that|because|when|where|while|so|if|as|unless|although|with|who)\s"
)


_LEADS = ("Can you tell me", "Do you know", "Please tell me", "Could you say", "I would like to know")


_PLURAL = re.compile(r"(?:[^s]s|people|men|women|children|feet|mice|geese|sheep|cattle|crew|staff)$")


_DANGLING = frozenset(
    "the a an of and or to than no by with from in on at for within only as between into about every nearly".split()
)


_PREPOSITION = re.compile(
    r"\s(?:to|for|from|at|on|in|with|by|after|before|during|until|within|per|into|under|over|without|using|through|against|across|among|between)\s"
)


_NOUN_END = re.compile(
    r"\s*(?:[,;:().—–]|$)|\s(?:and|or|but|in|on|at|by|for|from|with|to|per|a|an|the|each|every|which|who|that|is|are|was|were|has|have|had|can|may|must|will|should|"
    r"after|before|during|between|under|over|within|without|through|as|than|when|where|if|because|since|until|into|across|along|around|including|such|while|near|\d\S*)\b"
)


def forms(clause: Clause, openings: list[str], rest: str = "", when: str = "") -> list[str]:
    """Questions from a clause: each opening asked directly, then the first one indirectly."""
    rest = " ".join(part for part in (rest.strip(), when) if part)
    direct = [f"{opening} {clause.ask(rest)}" for opening in openings]
    told = " ".join(part for part in (clause.subject, clause.group, rest) if part)
    lead = _LEADS[sum(map(ord, told)) % len(_LEADS)]
    return [*direct, f"{lead} {openings[0][0].lower()}{openings[0][1:]} {told}"]


def cut(text: str, most_words: int = 7) -> str:
    """The start of `text` up to the first boundary; nothing if that is too long to repeat."""
    piece = _BOUNDARY.split(text + " ", maxsplit=1)[0].strip().rstrip(".")
    return piece if len(piece.split()) <= most_words else ""


def before_preposition(text: str, most_words: int = 7) -> str:
    """The object that `text` begins with, up to the next preposition other than "of"; nothing if there is none."""
    head = re.match(r"(?:to|for|from|at|on|in|with|into|against|through|as)\s", text)
    start = head.group() if head else ""
    piece = _PREPOSITION.split(cut(text.removeprefix(start), 40) + " ", maxsplit=1)[0].strip()
    return start + piece if 1 <= len(piece.split()) <= most_words and not dangles(piece) else ""


def dangles(context: str) -> bool:
    """Whether words break off before what they announce ("from either vessel or from")."""
    return context.split()[-1:] != [] and context.split()[-1].lower() in _DANGLING


def plural_noun(after: str) -> tuple[str, str]:
    """The plural noun phrase that `after` (what follows a number) begins with, and what follows it; ("", …) if none."""
    match = _NOUN_END.search(after, 1)
    end = match.start() if match else len(after)
    noun, rest = after[:end].strip(), after[end:]
    if of := re.match(r"\sof\s[\w' -]{2,24}?(?=\s(?:in|on|at|by|for|from|is|are|was|were|and|to)\b|[,.;]|$)", rest):
        rest = rest[of.end() :]
    words = noun.split()
    if set(words) & (NUMBER_WORDS.keys() | {"and", "or"}) or _PREPOSITION.match(f" {' '.join(words)} "):
        return "", rest
    return (noun, rest) if 1 <= len(words) <= 4 and _PLURAL.search(words[-1]) and not noun[:1].isdigit() else ("", rest)


_PHRASE_END = re.compile(
    r"\s*(?:[,:](?!\d)|[;()—]|\s[-–]\s)|\s(?:and (?:is|are|was|were|has|have|can|may|must|will|the)|but|which|who|that|because|when|where|while|so|if|unless|although)\s|(?<!such)\sas\s"
)


def phrase_until(text: str, most_words: int) -> str:
    """`text` up to the next boundary; nothing if that is too long."""
    piece = _PHRASE_END.split(text + " ", maxsplit=1)[0].strip().rstrip(".")
    return piece if 1 <= len(piece.split()) <= most_words else ""
