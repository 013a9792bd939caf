"""Whether a text says a value."""

from lib.llm.words import words

_CALENDAR_WORDS = """january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday"""
_CALENDAR = frozenset(_CALENDAR_WORDS.split())


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
