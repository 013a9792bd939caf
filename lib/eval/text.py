"""Comparing text as measuring needs it: content, numbers, and whether a passage could give an answer away. Any script."""

import re

from lib.llm.search import words

_ENDING = re.compile(r"(?:ings?|edly|ed|es|ly|s)$")
_FILLER_WORDS = """a an the of to in on at by for from with and or but is are was were be been being it its this that these those as he
    she they them their his her we our you your i my do does did has have had will would can could should may might must there
    so such into than then what which who whom whose when where why how"""
_FILLER = frozenset(_FILLER_WORDS.split())
_CALENDAR_WORDS = """january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday"""
_CALENDAR = frozenset(_CALENDAR_WORDS.split())


def content(text: str) -> set[str]:
    """The words and numbers that carry the content: function words aside, common English endings cut."""
    found = words(text)
    kept = {_stem(word) for word in found if word not in _FILLER}
    return kept or set(found)


def _stem(word: str) -> str:
    short = _ENDING.sub("", word)
    return short if len(short) >= 3 else word


def holds_answer(passage: set[str], answer: str) -> bool:
    """Whether a passage, given as its `content`, could give the answer away: all of its numbers and four fifths of its other words.

    Stricter than a substring: a passage that says the same in another order counts too.
    """
    wanted = content(answer)
    numbers = {word for word in wanted if word[:1].isdigit()}
    rest = wanted - numbers
    return bool(wanted) and numbers <= passage and len(rest & passage) >= 0.8 * len(rest)


def mentions(text: str, value: str) -> bool:
    """Whether a text says a value: its words stand there as one run, or, for a value with numbers, all of its numbers do."""
    wanted, found = words(value), words(text)
    if not wanted:
        return False
    numbers = [word for word in wanted if word[0].isdigit()]
    if f" {' '.join(wanted)} " in f" {' '.join(found)} ":
        return True
    return bool(numbers) and set(numbers) <= set(found) and not _months(wanted) - set(found)


def _months(found: list[str]) -> set[str]:
    """Months and weekdays among words: `14 May` is not said by `14 June`."""
    return {word for word in found if word in _CALENDAR}
