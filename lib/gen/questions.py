"""Questions from chunks: one request a chunk, a parser that survives what models write, and a filter for poor questions."""

import json
import re
from collections.abc import Collection, Sequence

from lib.gen.prompt import fill, prompt_hash, read_prompt
from lib.gen.records import Chunk, Drop, Question, content_id, most_common
from lib.gen.text import key, words
from lib.llm import Request
from lib.run import BadInput

SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "questions",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"questions": {"type": "array", "items": {"type": "string"}}},
            "required": ["questions"],
            "additionalProperties": False,
        },
    },
}
MAX_CHARS = 400
_MARKS = "?？؟;՞፧⁇¿"  # question marks of Latin, East Asian, Arabic, Greek, Armenian and Ethiopic scripts
_MARKER = re.compile(
    r"^\s*(?:>\s*)?(?:[-*•‣–]\s+)?(?:\*\*)?"
    r"(?:\(?(?P<n>\d{1,3})[.)]\s+|(?:Q|Question|Frage|Pregunta)\s*\d{0,3}\s*[:.)]\s*)?(?:\*\*\s+)?"
)
_NOUN = r"(?:passage|text|document|context|excerpt|paragraph|snippet|chunk|extract|article)"
_LEANS = re.compile(
    rf"\b(?:according to|based on|as (?:stated|described|mentioned|given|shown|per)(?: in| by)?|(?:mentioned|described|stated|given|listed|provided|shown|discussed) in)"
    rf"\s+(?:the|this|that|these)\s+(?:(?:above|given|provided|following|same|present)\s+)?{_NOUN}s?\b"
    rf"|\b(?:in|from|of|by|does|do|did|is|are|can)\s+(?:this|the\s+(?:above|given|provided|following|present))\s+{_NOUN}s?\b"
    rf"|\b(?:in|from)\s+the\s+(?:passage|text|excerpt|snippet|chunk|context)\s*(?:[?,.]|$)"
    rf"|\bthe\s+(?:passage|text|excerpt|snippet|document|author|article)\s+(?:say|state|mention|describe|give|list|claim|suggest|explain|provide|refer|contain|discuss|indicate)s?\b"
    r"|\b(?:laut|gemäß|nach)\s+(?:dem|diesem|der|dieser)\s+(?:text|dokument|abschnitt|passage)\b"
    r"|\b(?:selon|d['’]après)\s+(?:le|ce|la|cette)\s+(?:texte|document|passage|extrait)\b"
    r"|\bsegún\s+(?:el|este|la)\s+(?:texto|documento|pasaje|fragmento)\b",
    re.IGNORECASE,
)


def build_request(chunk: Chunk, n: int) -> Request:
    """Ask for `n` questions about one chunk; what is the same for every chunk stands first."""
    system, user = read_prompt("questions").split("\n---\n")
    messages = (
        {"role": "system", "content": system.strip()},
        {"role": "user", "content": fill(user.strip(), chunk=chunk.text, n=n)},
    )
    return Request(messages=messages, prompt=None, max_tokens=200 + 80 * n, response_format=SCHEMA)


def parse_questions(text: str) -> list[str]:
    """Read the questions out of a reply: JSON, fenced or not, else one a line, numbered or not, preambles left out."""
    text = re.sub(r"^\s*```\w*\s*$", "", text, flags=re.MULTILINE).strip()
    for candidate in (text, *re.findall(r"\{.*\}|\[.*\]", text, re.DOTALL)[:1]):
        try:
            value = json.loads(candidate)
        except json.JSONDecodeError:
            continue
        if not isinstance(value, dict | list):
            break  # a bare string is a line like any other
        found = _strings(value)
        numbers = [match["n"] for match in map(_MARKER.match, found)]
        # A list counted 1, 2, 3 was numbered; a lone "1. FC Köln was founded when?" was not.
        counted = len(found) > 1 and numbers == [str(n) for n in range(1, len(found) + 1)]
        return [tidy for tidy in (_tidy(q, _MARKER.match(q).end() if counted else 0) for q in found) if tidy]
    questions = []
    for line in text.split("\n"):
        start = _MARKER.match(line).end()
        question = _tidy(line, start)
        if question and (question[-1] in _MARKS or (start and line[:start].strip() and not question.endswith(":"))):
            questions.append(question)
    return questions


def _strings(value: object) -> list[str]:
    """The questions in whatever JSON came: {"questions": […]}, a list, or objects with a `question` field."""
    if isinstance(value, dict):
        if isinstance(value.get("question"), str):
            return [value["question"]]
        return [q for held in value.values() if isinstance(held, list) for q in _strings(held)]
    if isinstance(value, list):
        return [q for held in value for q in ([held] if isinstance(held, str) else _strings(held))]
    return []


def _tidy(line: str, start: int) -> str:
    question = " ".join(line[start:].split()).removesuffix("**").strip()
    for left, right in ('""', "“”", "''", "``"):
        if len(question) > 1 and question[0] == left and question[-1] == right:
            question = question[1:-1].strip()
    return question


def find_problem(question: str) -> str:
    """Why a question cannot be used, or an empty string."""
    if len(words(question)) < 3:
        return "fewer than three words"
    if len(question) > MAX_CHARS:
        return f"longer than {MAX_CHARS} characters"
    if _LEANS.search(question):
        return "leans on a passage that its reader does not see"
    return ""


def generate_questions(
    chunks: Sequence[Chunk],
    teacher,
    *,
    questions_per_chunk: int,
    taken: Collection[str] = (),
) -> tuple[list[Question], list[Drop]]:
    """Ask the teacher for questions about every chunk.

    Args:
        chunks: Chunks to ask about; of two equal questions the one from the earlier chunk stays.
        teacher: An asker of `lib.llm`.
        questions_per_chunk: Asked for; a chunk may give fewer, never more.
        taken: Questions that must not come up (those of the eval set).

    Returns:
        Questions in chunk order, and what was dropped (stage `ask`: a chunk without a usable reply; `question`: one question).

    Raises:
        BadInput: Not one question can be used; says why most were dropped.
    """
    requests = [build_request(chunk, questions_per_chunk) for chunk in chunks]
    replies = teacher.ask(requests, label="questions")
    made_by = (teacher.role.model, prompt_hash("questions"))
    reserved = {key(question) for question in taken}
    seen: set[str] = set()
    kept: list[Question] = []
    dropped: list[Drop] = []
    for chunk, reply in zip(chunks, replies, strict=True):
        found = [] if reply.error or reply.finish_reason == "length" else parse_questions(reply.text)
        if not found:
            reason = "endpoint error" if reply.error else "no question in the reply"
            reason = "cut off" if reply.finish_reason == "length" else reason
            detail = reply.error or reply.text[:200]
            dropped.append(Drop("ask", reason, chunk.chunk_id, chunk.source, chunk.text[:200], detail))
        for number, question in enumerate(found):
            same = key(question)
            problem = (
                "more than asked for" if number >= questions_per_chunk
                else find_problem(question)
                or ("asked before" if same in seen else "")
                or ("stands in the eval set" if same in reserved else "")
            )  # fmt: skip
            question_id = content_id(chunk.chunk_id, question)
            if problem:
                dropped.append(Drop("question", problem, question_id, chunk.source, question, chunk.chunk_id))
            else:
                seen.add(same)
                kept.append(Question(question_id, chunk.chunk_id, question, *made_by))
    if not kept:
        raise BadInput(
            f"teacher: {made_by[0]} gave no usable question for {len(chunks)} chunks; {most_common(dropped)}"
        )
    return kept, dropped
