"""Answers about an API: the five named parts of the published schema, then the call itself behind the tag.

Source: the schema `<<<domain>>>, <<<api_call>>>, <<<api_provider>>>, <<<explanation>>>, <<<code>>>` is that of gorilla's data,
arXiv:2305.15334.
"""

import re

FIELDS = ("domain", "api_call", "api_provider", "explanation", "code")
_FIELD = re.compile(r"<<<\s*(\w+)\s*>>>\s*:?")


def parse_fields(text: str) -> dict[str, str]:
    """The named parts of a reply; the first of two with one name, up to the next part or the tag."""
    text = re.split(r"<\s*ANSWER\s*>", text, maxsplit=1, flags=re.IGNORECASE)[0]
    marks = list(_FIELD.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    found: dict[str, str] = {}
    for mark, end in zip(marks, ends, strict=True):
        found.setdefault(mark[1].lower(), text[mark.end() : end].strip(" \n,;`"))
    return found


def find_api_problem(text: str, answer: str, passage: str) -> str:
    """Why an answer that passed the checks of every answer is no answer about an API, or an empty string.

    Args:
        text: The reply.
        answer: What follows its tag.
        passage: The API's documentation.
    """
    fields = parse_fields(text)
    missing = [name for name in FIELDS if not fields.get(name)]
    if missing:
        return f"no <<<{missing[0]}>>> part"
    call = "".join(fields["api_call"].split())
    if call not in "".join(passage.split()):
        return "the API call is not word for word in the document"
    return (
        ""
        if "".join(answer.strip("`").split()) == call
        else "the answer is not the API call of its <<<api_call>>> part"
    )
