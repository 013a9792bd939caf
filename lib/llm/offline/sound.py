"""What makes a question sound: words of a sentence and not its markup, marks that close, a subject that needs no text beside it."""

import re
import unicodedata

from lib.llm.offline.casing import PREPOSITIONS
from lib.llm.offline.verbs import FINITE, PARTICIPLES

_MARKUP = re.compile(r"[\[\]{}]|##|\$[^\s\d][^$]{0,20}\$|</?\w+>")
_POINTING = re.compile(
    r"\b[Tt]he following\b"
    r"|\b(?:figure|image|table|example|section|screenshot|diagram|chapter) (?:above|below)\b|\b(?:above|below)\?$"
)
_BEFORE_ARTICLE = (
    PREPOSITIONS
    | frozenset(
        """and or all both half as than not but like only even per plus versus about above below behind beside beneath beyond inside outside along across around
    opposite off up down past via towards toward onto upon out despite except near""".split()
    )
    | FINITE.keys()
    | PARTICIPLES.keys()
)
_BROKEN_END = re.compile(r"\b(?:just|only|also|and|or|the|an?|such|including|than|very)\?$")
_THERE = re.compile(r"(?<!\bare )(?<!\bis )(?<!\bwere )(?<!\bwas )(?<!\bbeen )\bthere\b(?! be\b)", re.IGNORECASE)
_TOLD_TO = re.compile(r"\bplease (?!tell\b|say\b)", re.IGNORECASE)
_PRICED = re.compile(r"^(?:how much|what) .*\bcosts? \D?\d[^?]* and\b", re.IGNORECASE)


def is_prose(text: str) -> bool:
    """Whether a piece is running text: no markup of a template, no pictograms, no mark that stays open."""
    return not _MARKUP.search(text) and not any(_is_pictogram(c) for c in text) and _closes(text)


def is_sound(question: str) -> bool:
    """Whether a finished question holds nothing but its own words, ends on a whole phrase and points at nothing outside it."""
    return is_prose(question) and not any(rule.search(question) for rule in (_POINTING, _BROKEN_END, _TOLD_TO, _THERE, _PRICED))


def _is_pictogram(char: str) -> bool:
    return ord(char) >= 0x2190 and unicodedata.category(char) == "So"


def _closes(text: str) -> bool:
    """Whether quotation marks and brackets come in pairs; inches and list marks such as "a)" aside."""
    quotes = re.sub(r"(?<=\d)\"", "", text).count('"')
    opened = text.count("(") - re.sub(r"(?:^|(?<=\s))\w{1,2}\)", "", text).count(")")
    return quotes % 2 == 0 and text.count("“") == text.count("”") and opened == 0


def runs_on(tokens: list[str]) -> bool:
    """Whether a second phrase begins within a subject, as where a heading stands before its sentence: "Open Day The gate"."""
    for before, token in zip(tokens, tokens[1:], strict=False):
        if (
            token in ("The", "An") and before.islower() and before not in PREPOSITIONS and before not in ("and", "or", "as")
            or token.lower() in ("the", "a", "an")
            and before.strip("\"'“”‘’(),;:").lower() not in _BEFORE_ARTICLE
            and not before.endswith("ing")
        ):
            return token.islower() or len(token) > 1 or token == "A"
        if token == before:
            return True
    return False
