"""Amounts of a recipe or a kit, each asked for the thing that the heading names: "250 g butter" → "How much butter is needed for the loaf?"."""

import re
from collections.abc import Sequence

from lib.llm.offline.imperatives import heading_thing, tells_to_do
from lib.llm.offline.text import Unit
from lib.llm.offline.values import NUMBER, WORD_NUMBER
from lib.llm.offline.wording import plural_noun

_MASS = r"(?:g|kg|mg|ml|cl|dl|l|L|oz|lb|grams?|kilos?|kilograms?|litres?|liters?|pints?|cups?|tbsp|tsp|tablespoons?|teaspoons?|pinch(?:es)?)"
_STUFF = r"([a-z][a-z'’-]+(?: [a-z][a-z'’-]+){0,2}?)"
_STOP = r"(?=[,.;(]| (?:and|with|in|into|to|for|at|on|from|over|until|per|by|or|plus)\b|$)"
_AMOUNT = re.compile(rf"(?<![\w.,/-])((?:{NUMBER}|{WORD_NUMBER}|half a)\s?{_MASS})\s(?:of\s)?(?:the\s)?{_STUFF}{_STOP}")
_PIECES = re.compile(rf"(?:^|, |and |with )((?:{NUMBER}|{WORD_NUMBER}))\s{_STUFF}{_STOP}")
_TIME = re.compile(r"\b(?:minutes?|hours?|days?|weeks?|months?|years?|seconds?|degrees|times?|metres?|cm|mm|m|km)\b")


def amount_facts(unit: Unit, units: Sequence[Unit]) -> list[tuple]:
    """Drafts (kind, value, questions, score) of a line of amounts, or of an instruction with amounts; none without a thing to be made."""
    thing = heading_thing(unit.headings)
    here = [u for u in units if u.headings[:1] == unit.headings[:1]]
    makes = any(_AMOUNT.search(u.plain) for u in here)
    if not thing or not makes or not (_is_list(unit.plain) or tells_to_do(unit.plain)):
        return []
    drafts = []
    for match in _AMOUNT.finditer(unit.plain):
        value, stuff = match.groups()
        if _alone(stuff, here):
            be = "are" if re.search(r"[a-z][^siu]s$", stuff) else "is"
            asked = [f"How much {stuff} {be} needed for {thing}", f"How much {stuff} goes into {thing}"] if be == "is" else [f"What quantity of {stuff} is needed for {thing}"]
            drafts.append(("measure", value, asked, 1.0))
    for match in _PIECES.finditer(unit.plain):
        value, stuff = match.groups()
        if plural_noun(f" {stuff}")[0] and not _TIME.search(stuff) and _alone(stuff, here):
            drafts.append(("count", value, [f"How many {stuff} are needed for {thing}", f"How many {stuff} go into {thing}"], 1.0))
    return drafts


def _is_list(text: str) -> bool:
    """Whether a line is nothing but amounts."""
    parts = re.split(r", (?:and )?|; | and ", text.rstrip("."))
    amounts = [part for part in parts if _AMOUNT.match(part) or _PIECES.match(part)]
    return bool(amounts) and len(amounts) * 2 > len(parts) and len(text.split()) <= 8 * len(parts)


def _alone(stuff: str, here: Sequence[Unit]) -> bool:
    """Whether the passage gives one amount of it."""
    found = [m.group() for u in here for m in re.finditer(rf"\d\S*(?: [a-z]+)?(?: of)?(?: the)?(?: [a-z]+)? {re.escape(stuff)}\b", u.plain)]
    return len(found) == 1 and not re.search(r"\b(?:it|them|this|that|which|each|more|less)\b", stuff)
