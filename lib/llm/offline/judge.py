"""The judge: does a candidate give the facts of the reference and contradict none? Numbers, dates, names, negation, yes and no.

What the candidate says about the judging, and what it asks for, are words like any other: there is nothing here that obeys.
"""

import re

from lib.llm.offline.quantities import Quantity, find_quantities
from lib.llm.offline.words import FUNCTION, content, stem, tokens
from lib.llm.raft import is_refusal, parse_reply

LEAST_WORDS = (
    0.6  # share of the reference's other content words that must come back where numbers or names already agree
)
LEAST_WORDS_ALONE = 0.75  # and where words are all there is
_NEGATION = frozenset("not never nobody nowhere neither nor cannot forbidden prohibited banned impossible".split())
_OPPOSITES = {}
for _a, _b in (("before", "after"), ("more", "less"), ("least", "most"), ("minimum", "maximum"), ("above", "below"), ("north", "south"), ("east", "west"), ("increase", "decrease"),
               ("open", "closed"), ("allowed", "forbidden"), ("inside", "outside"), ("left", "right"), ("first", "last"), ("always", "never"), ("morning", "evening"),
               ("higher", "lower"), ("upper", "lower"), ("until", "from"), ("with", "without"), ("over", "under"), ("winter", "summer"), ("port", "starboard")):  # fmt: skip
    _OPPOSITES.setdefault(_a, set()).add(_b)
    _OPPOSITES.setdefault(_b, set()).add(_a)
_HEDGE = re.compile(r"\b(?:or|either|maybe|perhaps|possibly|not sure|uncertain)\b")
_TITLES = frozenset("dr mr mrs ms prof professor sir captain capt the mv ms".split())


def judge(question: str, reference: str, candidate: str) -> tuple[bool, str]:
    """Verdict and one-sentence reason."""
    parsed = parse_reply(candidate)
    answer = parsed.answer if parsed.has_tag else _without_quotes(candidate)
    if not answer.strip():
        return False, "The candidate is empty."
    if not reference.strip() or is_refusal(reference):
        return (
            (True, "Reference and candidate both say that there is no answer.")
            if parsed.refused
            else (False, "The reference holds no answer, yet the candidate gives one.")
        )
    if parsed.refused:
        return False, "The candidate refuses, the reference answers."
    if (problem := _polarity(reference, answer)) or (problem := _quantities(question, reference, answer)):
        return False, problem
    if (problem := _words(question, reference, answer)) or (problem := _opposites(question, reference, answer)):
        return False, problem
    return True, "The candidate gives every number, date, name and condition of the reference and contradicts none."


def _without_quotes(text: str) -> str:
    return text.replace("##begin_quote##", "").replace("##end_quote##", "")


def _yes_no(text: str) -> str:
    first = tokens(text)[:1]
    return (
        first[0]
        if first
        and first[0] in ("yes", "no")
        and (
            len(tokens(text)) == 1
            or re.match(r"\W*(?:yes|no)\b\s*(?:[,.;:!–—-]|$|(?:it|they|he|she|you|that|there)\b)", text.strip(), re.I)
        )
        else ""
    )


def _polarity(reference: str, answer: str) -> str:
    """A yes against a no, or one text denying what the other one says."""
    wanted, given = _yes_no(reference), _yes_no(answer)
    denies = _denies(answer)
    if wanted:
        given = given or ("no" if denies else "yes")
        if wanted != given:
            return f"The reference says {wanted}, the candidate {given}."
        return ""
    if given == "no" and not _denies(reference):
        return "The candidate says no, the reference does not."
    if _denies(reference) and not denies or denies and not _denies(reference) and not _explains(answer, reference):
        return "One of the two denies what the other says."
    return ""


def _denies(text: str) -> bool:
    words = tokens(text)
    return (
        any(w in _NEGATION or w.endswith(("n't", "n’t")) for w in words)
        or bool(re.search(r"\bno\b(?!\.)\s+(?!one\b|\d)\w", text, re.I))
        and len(words) > 1
    )


def _explains(answer: str, reference: str) -> bool:
    """Whether the candidate says the reference in a sentence without a negation and denies something else in another."""
    for part in re.split(r"[.;!?]\s+|,?\s+(?=(?:but\s|and\s|rather\s)?(?:not|never)\b)|,\s+|\s+(?:and|but)\s+", answer):
        wanted = set(content(reference))
        if wanted and not _denies(part) and wanted <= set(content(part)):
            return True
    return False


def _quantities(question: str, reference: str, answer: str) -> str:
    wanted, given = find_quantities(reference), find_quantities(answer)
    asked = find_quantities(question)
    for quantity in wanted:
        if not any(quantity.agrees(other) or _loose(quantity, other) for other in given):
            if any(quantity.agrees(other) for other in asked) and len(wanted) > 1:
                continue  # the question already says it
            return f"The reference's {_shown(quantity, reference)} is missing from the candidate or different there."
    extra = [q for q in given if not any(w.agrees(q) or _loose(w, q) or q.agrees(w) for w in [*wanted, *asked])]
    rivals = [q for q in extra for w in wanted if q.kind == w.kind and q.unit == w.unit]
    if wanted and rivals:
        if _HEDGE.search(answer.lower()):
            return "The candidate gives alternatives and does not commit itself."
        if len({q.value for q in rivals}) >= 3 * len(wanted):
            return "The candidate lists so many values that it does not answer."
    if not wanted and given and not _content(reference) and extra:
        return "The candidate gives a number, the reference does not."
    return ""


def _loose(wanted: Quantity, given: Quantity) -> bool:
    """A clock time written as a bare hour: "9" for 9:00."""
    return (
        wanted.kind == "time" and given.kind == "number" and not given.unit and wanted.value[0] == given.value[-1] * 60
    )


def _shown(quantity: Quantity, text: str) -> str:
    return repr(text[quantity.start : quantity.end].strip()) if text.isascii() else quantity.kind


def _content(text: str) -> list[str]:
    """Content stems without numbers and units, which are compared as quantities."""
    spans = find_quantities(text)
    flat = list(text)
    if len(text) == len(text.lower()):
        for q in spans:
            flat[q.start : q.end] = " " * (q.end - q.start)
    return [
        w
        for w in content("".join(flat))
        if not w[0].isdigit() and w not in _TITLES and len(w) > 1 or ord(w[0]) > 0x2E7F
    ]


def _words(question: str, reference: str, answer: str) -> str:
    wanted = list(dict.fromkeys(_content(reference)))
    if not wanted:
        return ""
    given, asked = set(content(answer)), set(content(question))
    needed_names = [w for w in _names(reference) if w not in asked]
    missing = [w for w in needed_names if w not in given]
    if missing and _surname_is_enough(reference, answer):
        return ""
    if missing:
        return f"The name {missing[0]!r} of the reference is missing from the candidate."
    new = [w for w in wanted if w not in asked]
    if not new:  # everything is in the question already: then the candidate must choose the same words
        share = sum(w in given for w in wanted) / len(wanted)
        return (
            ""
            if find_quantities(reference) or share >= LEAST_WORDS_ALONE
            else "The candidate does not say what the reference says."
        )
    share = sum(w in given for w in new) / len(new)
    alone = not find_quantities(reference) and not needed_names
    if share < (LEAST_WORDS_ALONE if alone and len(new) < 6 else LEAST_WORDS) and not (
        find_quantities(reference) and _only_filler(new)
    ):
        return "Too little of what the reference says comes back in the candidate."
    return ""


def _only_filler(words: list[str]) -> bool:
    """Words that a number needs not bring along: "149 passengers" is answered by "149"."""
    return len(words) <= 2


def _names(text: str) -> list[str]:
    """Stems of capitalised words; the first word of a sentence only if it is followed by another capital or stands alone."""
    found = []
    words = re.findall(r"[^\W\d_][\w'’-]*", text)
    for i, word in enumerate(words):
        low = word.lower()
        is_name = (
            word[0].isupper()
            and low not in FUNCTION
            and low not in _TITLES
            and len(word) > 1
            and not _is_quantity_word(low)
        )
        if is_name and (i or len(words) == 1 or words[1][0].isupper()):
            found.extend(content(word))
    return found


def _is_quantity_word(word: str) -> bool:
    return (
        bool(find_quantities(f"1 {word} 2000"))
        and any(q.kind == "date" for q in find_quantities(f"1 {word} 2000"))
        or stem(word).isdigit()
    )


def _surname_is_enough(reference: str, answer: str) -> bool:
    """ "Sandvik" for "Rhona Sandvik", unless the candidate puts another name before it."""
    names = re.fullmatch(
        r"(?:[A-Z][a-z]*\.\s)?([A-ZÀ-Þ][\w'’-]+)(?:\s[A-Z]\.)?\s([A-ZÀ-Þ][\w'’-]+)", reference.strip().rstrip(".")
    )
    if not names:
        return False
    surname = names.group(2)
    found = re.search(rf"(?:([^\W\d_][\w'’-]*)\.?\s)?\b{re.escape(surname)}\b", answer)
    before = (found.group(1) or "") if found else ""
    return bool(found) and (
        not before or before.lower() in _TITLES or not before[0].isupper() or before.lower() in FUNCTION
    )


def _opposites(question: str, reference: str, answer: str) -> str:
    wanted, given, asked = set(tokens(reference)), set(tokens(answer)), set(tokens(question))
    for word in wanted - given:
        for other in _OPPOSITES.get(word, set()) & given - wanted - asked:
            return f"The candidate says {other!r} where the reference says {word!r}."
    return ""
