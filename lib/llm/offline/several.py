"""Facts of a sentence that holds several values: each is asked by what tells it from the others. The sentence is unfolded first, see `unfold`."""

import re

from lib.llm.offline.casing import Casing
from lib.llm.offline.clauses import Clause, parse_clause
from lib.llm.offline.sentences import sentence_facts
from lib.llm.offline.unfold import Simple, unfold
from lib.llm.offline.values import find_values
from lib.llm.offline.wording import cut, dangles, forms
from lib.llm.offline.words import content

_KINDS = frozenset(("date", "time", "money", "percent", "measure", "count"))
_HALF_TOLD = re.compile(
    r"\s(?:of (?:age|her|his|its|their|the|them|these|those|which|whom)|(?:morning|afternoon|evening|night|noon)s?)\b|\s\d|\son(?: at\b|[.,]|$)"
)
_AMOUNT = re.compile(r"\b(?:price|cost|fee|fare|charge|rate|sum|total|amount|fine|penalty|deposit|discount|rent|budget|grant|salary|wage)s?\b")
_CLOCKS = re.compile(r"(\S+(?: [ap]\.?m\.?)?)\s?(?:–|-|to)\s?(\S+(?: [ap]\.?m\.?)?)")
_CONDITION = re.compile(r"(.{10,}?),? ((?:if|when|unless|once|as long as|provided) [^,;]{5,60})\.$")
_RANGE = re.compile(r"(?:from|between) (\S.*?) (?:to|until|till|and) (\S.*)$")


def several_facts(sentence: str, known: Casing, told: list[tuple]) -> list[tuple]:
    """Drafts (kind, value, questions, score) of the simple sentences in a plain one, without those that it told as a whole."""
    asked = {(value, questions[0]) for _, value, questions, _ in told}
    drafts = [] if _opens_unknown(sentence, known) else range_facts(sentence, known)
    for part in unfold(sentence, known):
        simple = part.text
        if _opens_unknown(simple, known):
            continue
        drafts += [draft for draft in range_facts(simple, known) if _tells(draft, part)]
        condition = _CONDITION.match(simple)
        if condition and find_values(condition.group(2)):
            continue
        for kind, value, questions, score in sentence_facts(condition.group(1) if condition else simple, known):
            behind = simple.partition(value)[2]
            if kind == "money":
                questions = [q for q in questions if not re.match(r"What (?:is|are) ", q) or _AMOUNT.search(q)]
            if condition:
                questions = [f"{question} {condition.group(2)}" for question in questions]
            if (
                kind in _KINDS
                and value in sentence
                and not _HALF_TOLD.match(behind)
                and not re.search(r"\b(?:an?|the) [a-z]+ $", simple.partition(value)[0])  # "a flat £20"
                and (value, questions[0]) not in asked
                and _tells((kind, value, questions, score), part)
            ):
                asked.add((value, questions[0]))
                drafts.append((kind, value, questions, score))
    return drafts


def _opens_unknown(sentence: str, known: Casing) -> bool:
    """Whether a subject of one word may be a name as well as a noun with its sentence's capital: "Glass is collected …"."""
    clause = parse_clause(sentence, known)
    subject = clause.subject if clause else ""
    return subject.isalpha() and subject[0].isupper() and not subject.isupper() and subject not in known.capital


def _tells(draft: tuple, part: Simple) -> bool:
    """Whether the questions name what tells this value from the others of its sentence."""
    return not part.telling or not part.telling.isdisjoint(content(draft[2][0]))


def range_facts(sentence: str, known: Casing) -> list[tuple]:
    """ "The tower is open from 9:00 to 17:30 in May" → from when, and until when, it is open in May."""
    clause = parse_clause(sentence, known)
    opened = re.search(r"(?:^|\s)(?:from|between)\s", clause.rest) if clause else None
    if clause and not opened:
        return _open(clause)
    if not opened or re.search(r"\b(?:from|between)\s", clause.rest[opened.end() :]):
        return []
    context = clause.rest[: opened.start()].strip()
    values = [v for v in find_values(clause.rest) if v.end > opened.end()]
    if not values or values[0].kind not in ("date", "time") or values[0].start > opened.end() + 4:
        return []
    last = values[1] if len(values) > 1 and re.fullmatch(r" (?:to|until|till|and) (?:the )?", clause.rest[values[0].end : values[1].start]) else values[0]
    ends = _RANGE.search(clause.rest[opened.start() : last.end])
    behind = clause.rest[last.end :]
    tail = cut(behind, 6) if re.match(r"\s(?:in|on|at|for|during|every|each)\s", behind) else ""
    if (
        not ends
        or any(len([v for v in find_values(end) if v.kind in ("date", "time")]) != 1 for end in ends.groups())
        or len(context.split()) > 6
        or context in ("daily", "every day")
        or clause.base == "last"
        or clause.is_copula
        and not context
        or re.search(r"[,;:()]|\b(?:and|or|but|which|who|that|if|when)\b", context)
        or dangles(context)
        or opened.group().strip() == "between"
        and not (clause.is_copula or clause.base in ("open", "close", "shut", "stay", "remain", "keep"))
        or behind.strip(" .") and not tail and not re.match(r",|\s(?:and|but|if|when|unless)\b", behind)
    ):
        return []
    first, final = (f"{end}." if end.endswith((" p.m", " a.m")) else end for end in ends.groups())
    time = "what time" if values[0].kind == "time" else "what date" if re.search(r"\d", ends.group(1)) else "which day"
    rest = f"{context} {tail}".strip()
    return [
        ("start", first, forms(clause, [f"From {time}", "From when"], rest), 0.75),
        ("end", final, forms(clause, [f"Until {time}", "Until when"], rest), 0.75),
    ]


def _open(clause: Clause) -> list[tuple]:
    """ "The shop is open 9:00 to 17:00 in May" → when, from when, and until when, it is open in May."""
    values = find_values(clause.rest)
    ends = _CLOCKS.fullmatch(values[0].text) if values and values[0].kind == "time" else None
    context = clause.rest[: values[0].start].strip() if ends else ""
    behind = clause.rest[values[0].end :] if ends else ""
    tail = cut(behind, 6) if re.match(r"\s(?:in|on|at|during|every|each)\s", behind) else ""
    if context not in ("open", "closed", "staffed") or not clause.is_copula or behind.strip(" .") and not tail:
        return []
    asked = (("time", values[0].text, "When"), ("start", ends.group(1), "From what time"), ("end", ends.group(2), "Until what time"))
    return [(kind, value, forms(clause, [opening], f"{context} {tail}"), 0.75) for kind, value, opening in asked]
