"""Facts of a clause that says what or who something is, or what it is called."""

import re

from lib.llm.offline.clauses import Clause
from lib.llm.offline.names import PERSON, ROLE, is_person
from lib.llm.offline.values import QUOTED
from lib.llm.offline.wording import dangles, phrase_until


def called(clause: Clause) -> list[tuple]:
    match = re.match(r"(?:the\s)?(?:[\"“‘']([^\"”’']{2,50})[\"”’']|((?:the\s)?[A-ZÀ-Þ][^,;:()]{1,50}))", clause.rest)
    if clause.base in ("call", "name", "rename") and clause.is_passive and match:
        value = match.group(1) or phrase_until(match.group(2), 6)
        return (
            [
                (
                    "name",
                    value,
                    [
                        f"What {clause.ask('')}",
                        f"What is the name of {clause.subject}",
                        f"Under what name is {clause.subject} known",
                    ],
                    0.9,
                )
            ]
            if value
            else []
        )
    if clause.is_copula and re.match(r"(?:the )?name\b", clause.subject) and (quoted := QUOTED.search(clause.rest)):
        return [("name", quoted.group(1) or quoted.group(2), [f"What {clause.ask('')}"], 0.8)]
    return []


def definition(clause: Clause, when: str, most_words: int = 14) -> list[tuple]:
    if not clause.is_copula or not re.match(r"(?:a|an|the|one of)\s", clause.rest) or when:
        return []
    value = phrase_until(clause.rest, most_words)
    value = value.rsplit(" ", 1)[0] if dangles(value) else value  # "a sport in which …"
    if (
        not value
        or len(value.split()) < 2
        or clause.subject.split()[0] in ("there", "it")
        or re.fullmatch(r"the (?:\w+est|only|same|first|last|next|most \w+|least \w+)", value)
        or re.search(r"^(?:the\s)?only\b|\b(?:same|following|case|reason|result)\b", value)
        or "between " in value
        and " and " not in value
    ):
        return []
    if is_person(clause.subject):
        return [
            (
                "definition",
                value,
                [f"Who {clause.verb} {clause.subject}", f"What position does {clause.subject} hold"]
                if re.search(ROLE, value)
                else [f"Who {clause.verb} {clause.subject}"],
                0.7,
            )
        ]
    bare = clause.subject.split()
    if bare[0].lower() == "the" and re.fullmatch(ROLE, bare[-1]):
        return []  # a person is not asked for with "what"
    if bare[0] in ("the",) and len(bare) == 2 and bare[1].islower():
        return []
    return [
        (
            "definition",
            value,
            [
                f"What {clause.verb} {clause.subject}",
                f"How can {clause.subject} be described",
                f"What kind of thing {clause.verb} {clause.subject}",
            ][: 3 if bare[0] in ("a", "an") or clause.subject[:1].isupper() else 1],
            0.6,
        )
    ]


def identity(clause: Clause, when: str) -> list[tuple]:
    """ "The teacher is Margit Skene" → "Who is the teacher?"; "is named after X" → "After whom is … named?"."""
    named = re.match(r"(?:the\s|in honour of\s)?", clause.rest)
    post = re.match(rf"(?:the\s(?:[a-z]+\s)?[a-z]+,\s)?({PERSON})(?=,|$)", clause.rest)
    if clause.is_copula and post and is_person(post.group(1)) and re.search(rf"^the\s.*\b{ROLE}$", clause.subject):
        return [("person", post.group(1), [f"Who {clause.verb} {clause.subject} {when}", f"What {clause.verb} the name of {clause.subject} {when}"], 0.9)]
    if clause.base in ("name", "call") and clause.is_passive and (after := re.match(r"after\s(.+)$", clause.rest)):
        value = phrase_until(after.group(1), 10)
        return (
            [("name", value, [f"After whom or what {clause.ask('')}", f"What {clause.ask('after')}"], 0.9)]
            if value
            else []
        )
    if not clause.is_copula or not clause.rest[named.end() :][:1].isupper():
        return []
    value = phrase_until(clause.rest, 6)
    if is_person(value) and not is_person(clause.subject):
        return [
            (
                "person",
                value,
                [f"Who {clause.verb} {clause.subject} {when}", f"What is the name of {clause.subject} {when}"],
                0.9,
            )
        ]
    return []
