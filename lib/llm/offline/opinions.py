"""The judge's further opinions by rules: five scores from 1 to 5, whether a reply refuses, and which of two answers is better.

Counts of words stand in for what a language model would weigh; of coherence and fluency only repetition is noticed.
"""

import re
from collections.abc import Sequence

from lib.llm.offline.judge import judge
from lib.llm.offline.quantities import find_quantities
from lib.llm.offline.words import content, tokens
from lib.llm.raft import parse_reply

_REFUSING = re.compile(
    r"\b(?:(?:do|does|did|could|can|was|were|is|are)(?:\s+not|n't)|cannot|unable|no (?:answer|information|mention|documents?)|nothing|not found)\b",
    re.IGNORECASE,
)
_ABOUT_KNOWING = re.compile(
    r"\b(?:know|answer|find|found|tell|say|state[ds]?|mention(?:ed)?|contain|provided?|information|documents?|passages?|context|related)\b",
    re.IGNORECASE,
)


def rate(question: str, reference: str, passages: str, candidate: str) -> dict:
    """Scores by name, 1 to 5, and a reason."""
    answer = parse_reply(candidate).answer
    given, wanted, shown = set(content(answer)), set(content(reference)), set(content(passages))
    if not given:
        return {"reason": "The candidate is empty.", **dict.fromkeys(SCALES, 1)}
    right, reason = judge(question, reference, candidate)
    numbers = find_quantities(answer)
    backed = [any(n.agrees(other) for other in find_quantities(passages)) for n in numbers]
    support = len(given & shown) / len(given) * (sum(backed) / len(backed) if backed else 1)
    relevance = 1.0 if right else len(given & set(content(question))) / len(given)
    likeness = 1.0 if right else 2 * len(given & wanted) / (len(given) + len(wanted))
    said = tokens(answer)
    sentences = [part for part in re.split(r"[.!?]\s+", answer) if part.strip()]
    shares = support, relevance, len(set(sentences)) / len(sentences), min(1.0, 2 * len(set(said)) / max(1, len(said))), likeness
    return {"reason": reason, **{name: 1 + round(4 * share) for name, share in zip(SCALES, shares, strict=True)}}


SCALES = ("groundedness", "relevance", "coherence", "fluency", "similarity")


def refuses(candidate: str) -> tuple[bool, str]:
    """Whether a reply says in so many words that it does not know, and gives no value."""
    text = parse_reply(candidate).answer.replace("’", "'")
    if not text.strip():
        return False, "The reply is empty."
    if _REFUSING.search(text) and _ABOUT_KNOWING.search(text) and not find_quantities(text):
        return True, "The reply says that it does not know and gives nothing besides."
    return False, "The reply gives an answer."


def better(question: str, reference: str, answers: Sequence[str]) -> tuple[str, str]:
    """`A`, `B` or `TIE`, and the reason: the one that is right where the other is wrong."""
    first, second = (judge(question, reference, answer)[0] for answer in answers)
    if first == second:
        return "TIE", f"Both answers are {'right' if first else 'wrong'}."
    return ("A", "Only A is right.") if first else ("B", "Only B is right.")
