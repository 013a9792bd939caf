"""Capitals: which words of a passage are names, and a phrase from a sentence's start as it stands within one."""

import re
from dataclasses import dataclass

from lib.llm.offline.words import NUMBER_WORDS

DETERMINERS = frozenset(
    "the a an each every all both some any most many no several few its their his her our your my this that these those".split()
)


PREPOSITIONS = frozenset(
    "in on at by for from with of to under over near between among during after before since until within without through against".split()
)


@dataclass(frozen=True)
class Casing:
    """Words that a passage writes in lower case, and words that it capitalises within a sentence."""

    lower: frozenset[str] = frozenset()
    capital: frozenset[str] = frozenset()

    @classmethod
    def of(cls, passage: str) -> "Casing":
        """The casing of a passage's words."""
        words = [
            (m.group(), passage[: m.start()].rstrip(" \t*_\"“'")[-1:])
            for m in re.finditer(r"[^\W\d_][\w'’-]*", passage)
        ]
        lower = frozenset(w for w, _ in words if w[0].islower())
        return cls(lower, frozenset(w for w, before in words if w[0].isupper() and (before.isalnum() or before == ",")))


UNKNOWN = Casing()
_COMMON = re.compile(  # words for what cannot be counted: a capital at a sentence's start does not make them names
    r"(?:[a-z]{3,}(?:tion|sion|ment|ness|ance|ence|ship|ware)|children|people|men|women|sheep|cattle|music|coffee|tea|food|water|milk|bread|cheese|butter|sugar|salt|oil|honey|meat|wine|beer|alcohol"
    r"|money|post|paper|glass|wood|timber|metal|steel|sand|snow|ice|rain|wax|soap|laundry|luggage|baggage|equipment|furniture|clothing|waste|rubbish|litter|fruit|fish|rice|flour|compost|soil|hay|straw"
    r"|damage|illness|sickness|noise|smoke|heat|electricity|gas|advice|work|travel|admission|entry|access|breakfast|lunch|dinner|supper|help|support|staff|crew|cash|rent"
    r"|handover|frost|charcoal|grit|gravel|clay|yeast|leather|wool|linen|cotton|acid|pollen|flash|rehearsal|arrival|approval|removal|burial|pitch|powder|registration|feed|diesel|petrol|fuel|toner|blood|sleep|homework|mail|news|traffic|ink)"
)


def lower_start(phrase: str, known: Casing = UNKNOWN) -> str:
    """A phrase from a sentence's start as it would stand within one: determiners and common nouns lose their capital.

    A first word is taken for a name if the passage capitalises it within a sentence too, if another capital follows it, or
    if it stands alone and is neither a plural nor found in lower case.
    """
    first, _, rest = phrase.partition(" ")
    bare = first.lower().strip("\"'“”")
    if bare in DETERMINERS and (rest[:1].islower() or bare == "the"):
        return first.lower() + " " + rest
    if (
        not first[:1].isupper()
        or first[1:] != first[1:].lower()
        or first in known.capital
        and (rest or bare not in known.lower)
        or first.endswith(("'s", "’s"))
    ):
        return phrase
    lowered = first[0].lower() + first[1:] + (" " + rest if rest else "")
    if bare in DETERMINERS or bare in NUMBER_WORDS and not rest[:1].isupper():
        return lowered
    if rest[:1].isupper():
        return phrase
    common = bool(rest) or bare in known.lower or bool(_COMMON.fullmatch(bare)) or bare.endswith(("s", "ing")) and not bare.endswith("ss")
    return lowered if common else phrase
