"""Facts of a sentence that says why something is so, on what condition, and what happens then."""

import re

from lib.llm.offline.casing import DETERMINERS, Casing, lower_start
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.verbs import AUXILIARY, FINITE, is_verb

STANDS_FOR = re.compile(
    r"\b(?:it|its|itself|they|them|their|he|she|him|his|her|hers|this|these|those|that|such|there|here|then|one|ones|otherwise|another|both)\b",
    re.IGNORECASE,
)
_REST = re.compile(r",\s(?:and|but|so|while|which|who|whose|where|for|since|because|as|to)\s")
_OTHER = re.compile(r",\s(?:which|who|whose|where|since|because|as|so that)\s")
_LEAD = re.compile(
    r"^((?:In|On|At|From|During|After|Before|Until|Between|Outside|For|Since|Within)\s[^,;:]{2,45}), (?=[A-Za-z])"
)
_WHY = re.compile(
    r",?\s(because(?= of)|because|so that|in order (?:not )?to|owing to|due to|on account of|for the sake of|as|since)\s"
)
_STOP = re.compile(
    r"[;:]\s+|\s[–—-]\s|,\s(?:and|but|so|while|as|since|because|where|which|who|whose|if|unless|except|for|not|even|when)\s|\s(?:because|unless|if|so that|as long as|when|while|whenever)\s"
)
_UNSURE = re.compile(r"\b(?:where|which|who|whose|if|unless|except|for|not|even|as long as|when|whenever|while)\b")
_SAID = re.compile(r"\b(?:said|says|asked|agreed|know|before|usual|long|soon|well|much|many|far|possible|if|though|to|in|shown|described|follows|listed)\b")
_IF = re.compile(r",?\s(only if|if|unless|provided(?: that)?|(?<!for )as long as|except if|except when|only when|in case of)\s")
_NOT_WHETHER = re.compile(r"\b(?:ask|asks|know|see|check|whether|as|even|not|wonder|decide|say|tell|tells|look|test|doubt|sure|and|or|but|otherwise|then)$")
_TELLING = frozenset(
    "ring call tell ask write contact turn report leave stay return bring take put press open close switch stop wait pull push keep speak hand send go see fetch use "
    "phone telephone email inform show wash rinse add replace remove clean let give pay look check lift hold move walk step shut pour stir cool warm clear come read drink "
    "complain apply submit notify dial evacuate alert consult follow order begin start choose break cancel fill fold dry wear pick repeat reset restart unplug mark sign draw".split()
)


def reason_facts(sentence: str, known: Casing) -> list[tuple]:
    """Drafts (kind, value, questions, score) from one plain sentence."""
    sentence = sentence.rstrip(".! -")
    if '"' in sentence or "“" in sentence or sentence.endswith("?"):
        return []
    drafts = []
    for part in _parts(sentence):
        drafts += [*_why(part, known), *_on_condition(part, known), *_then(part, known)]
    return drafts


def _parts(sentence: str) -> list[str]:
    """The sentence cut at semicolons, colons and dashes."""
    return [part.strip() for part in re.split(r"[;:]\s+|\s[–—-]\s", sentence) if part.strip()]


def _main(text: str, known: Casing) -> tuple[Clause, str] | None:
    """The clause that a text states and the words that it is asked with; None unless it is one whole clause with a subject of its own."""
    lead = _LEAD.match(text)
    body = text[lead.end() :] if lead else text
    clause = parse_clause(body, known)
    when = lower_start(lead.group(1), known) if lead else ""
    when = when[:1].lower() + when[1:]
    if not clause or len(clause.subject.split()) > 8 or STANDS_FOR.search(f"{clause.subject} {when} {clause.rest}"):
        return None
    rest = clause.rest.rstrip(",")
    if len(rest.split()) > 12 or re.match(r"(?:not|never|no)\b", rest) or re.search(r"[,;:()–—]| - ", rest) or coordinates(rest) or rest.endswith((" not", " only", " even")):
        return None
    return clause, f"{rest} {when}".strip()


def coordinates(rest: str) -> bool:
    """Whether a second verb follows an "and" or a relative: the reason may be that one's."""
    halves = re.split(r"\b(?:and|or|but|which|who|when|where|if|while|unless|because)\b", rest)
    return any(half.split() and (half.split()[0] in AUXILIARY or is_verb(half.split()[0]) or set(half.split()) & AUXILIARY) for half in halves[1:])


def _why(part: str, known: Casing) -> list[tuple]:
    """ "Batteries are charged upstairs, as the cellar is damp" → "Why are batteries charged upstairs?"."""
    match = _WHY.search(part)
    if not match:
        return []
    word, value = match.group(1), _REST.split(part[match.end() :])[0].strip()
    if not 2 <= len(value.split()) <= 20 or re.match(r"(?:this|that|it|them|these)\b(?!\s\w+)", value):
        return []
    if word in ("as", "since") and (not _states(value) or match.group()[0] != ","):
        return []
    main = _main(part[: match.start()], known)
    if word.startswith(("because", "so that", "in order")):
        value = f"{word} {value}"
    if main is None:
        return _why_told(part[: match.start()], value)
    clause, rest = main
    told = f"{clause.subject} {clause.group} {rest}"
    asked = [f"Why {clause.ask(rest)}", f"For what reason {clause.ask(rest)}", f"What is the reason that {told}"]
    return [("reason", value, asked, 0.9)]


def _why_told(told: str, value: str) -> list[tuple]:
    """ "Wash the roof edge first, because …" → "Why should you wash the roof edge first?"."""
    words = told.split()
    if not tells(told) or not 3 <= len(words) <= 12 or STANDS_FOR.search(told) or re.search(r"[,;:()]", told) or coordinates(told):
        return []
    deed = told[0].lower() + told[1:]
    return [("reason", value, [f"Why should you {deed}", f"For what reason should you {deed}"], 0.8)]


def tells(text: str) -> bool:
    """Whether a text tells somebody to do something: "Press the button"."""
    words = text.split()
    first = words[0].lower() if words else ""
    return (
        len(words) > 1
        and (first in _TELLING or FINITE.get(first, ("", ""))[1] == "base" and words[1].lower() in DETERMINERS | {"them", "up", "out", "your", "off"})
        and not any(w in AUXILIARY for w in words[:4])
    )


def _states(value: str) -> bool:
    """Whether "as …" or "since …" gives a reason: a clause in the present, and no reference to what somebody said."""
    words = value.split()
    return (
        not _SAID.search(" ".join(words[:3]))
        and not words[0][:1].isdigit()
        and any(w in AUXILIARY - {"will"} or FINITE.get(w, ("", ""))[1] == "third" for w in words[1:8])
    )


def _on_condition(part: str, known: Casing) -> list[tuple]:
    """ "Old furniture is taken away if it is empty" → "On what condition is old furniture taken away?"."""
    match = _IF.search(part)
    if not match or _NOT_WHETHER.search(part[: match.start()]) or _IF.search(part, match.end()):
        return []
    word, value = match.group(1), part[match.end() :].strip()
    main = _main(part[: match.start()], known)
    if main is None or not 3 <= len(value.split()) <= 16 or re.search(r",|\bor not\b", value) or word == "in case of":
        return []
    clause, rest = main
    if "not" in clause.auxiliaries or re.search(r"\b(?:not|no|never|nobody|nothing|only)\b", f"{clause.subject} {rest}"):
        return []
    told = f"{clause.subject} {clause.group} {rest}"
    if word in ("unless", "except if", "except when"):
        asked = [f"What is the exception to the rule that {told}", f"With what exception {clause.ask(rest)}"]
    else:
        asked = [f"On what condition {clause.ask(rest)}", f"Under which condition {clause.ask(rest)}"]
    return [("condition", value, asked, 0.8)]


def _then(part: str, known: Casing) -> list[tuple]:
    """ "If the pitch is flooded, we practise indoors" → "What happens if the pitch is flooded?"."""
    if lead := re.match(r"(If|In case of|Should) ([^,;:]{6,80}), (?:then )?(\S.*)$", part):
        opening, told, value = lead.group(1).lower(), lead.group(2), _OTHER.split(lead.group(3))[0]
        if opening == "should":
            return []
    elif (match := _IF.search(part)) and match.group(1) in ("if", "in case of") and tells(part[: match.start()]):
        opening, told, value = match.group(1), part[match.end() :], part[: match.start()]
    else:
        return []
    if STANDS_FOR.search(told) or len(told.split()) > 13 or not 2 <= len(value.split()) <= 16 or re.search(r"[,;:()?]", told):
        return []
    if re.match(r"(?:this|that|these)\b(?!\s\w+)|and\b|or\b|not\b|even\b", value) or _IF.search(f" {value}"):
        return []
    if tells(value):
        asked = [f"What should you do {opening} {told}", f"What is to be done {opening} {told}"]
    else:
        asked = [f"What happens {opening} {told}", f"What is the consequence {opening} {told}", f"What applies {opening} {told}"]
    return [("result", value, asked, 0.8)]


def stated(sentence: str) -> list[str]:
    """The clauses that a sentence states, each from a capital on: none that it makes a condition or hangs on a noun."""
    found, start, sure = [], 0, True
    for stop in (*_STOP.finditer(sentence), None):
        piece = sentence[start : stop.start() if stop else None].strip()
        if sure and piece:
            found.append(piece[0].upper() + piece[1:])
        if stop:
            start, sure = stop.end(), not _UNSURE.search(stop.group())
    return found
