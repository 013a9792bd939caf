"""Questions from chunks: one request a chunk, a parser that survives what models write, and what became of every question."""

import json
import re
from collections.abc import Collection, Iterable, Sequence

from lib.gen.prompt import fill, prompt_hash, read_parts, read_prompt
from lib.gen.quota import API_STYLE, Ask
from lib.gen.records import Chunk, Drop, Question, content_id, teacher_failed
from lib.gen.standalone import find_problem
from lib.gen.text import fingerprint, without_thoughts
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
MARKLESS = ("search", "mixed", API_STYLE)  # styles whose questions need no question mark
_MARKS = "?？؟;՞፧⁇¿"  # question marks of Latin, East Asian, Arabic, Greek, Armenian and Ethiopic scripts
_MARKER = re.compile(
    r"^\s*(?:>\s*)?(?:[-*•‣–]\s+)?(?:\*\*)?"
    r"(?:\(?(?P<n>\d{1,3})(?:[.)]\s+|[、．）]\s*)|(?:Q|Question|Frage|Pregunta)\s*\d{0,3}\s*[:.)]\s*)?(?:\*\*\s+)?"
)
_COUNTED = re.compile(r"(?:q|question)?[\s_-]*\d{1,3}", re.IGNORECASE)  # a field that holds one question of several
_TOLD = re.compile(
    rf"(?<=[{_MARKS}])\s*[(\[]?\s*(?:\*\*)?(?:A|Answer|Antwort|Réponse|Respuesta)\s*[::].*$", re.IGNORECASE
)


def build_request(
    chunk: Chunk,
    n: int,
    *,
    style: str = "default",
    difficulty: str = "",
    language: str = "",
    structured: bool = True,
    folder: str = "",
) -> Request:
    """Ask for `n` questions about one chunk; what is the same for every chunk stands first.

    Args:
        chunk: What to ask about.
        n: Questions wanted.
        style: `default`, `api`, or the name of a `style_*.txt` prompt.
        difficulty: Name of a `difficulty_*.txt` prompt; empty for none.
        language: Language of the questions; empty for that of the passage.
        structured: Whether the endpoint is told to reply in JSON of a schema; else the prompt alone asks for it.
        folder: The user's prompts.
    """
    system, user = read_parts(_base(style), folder)
    wishes = [read_prompt(name, folder) for name in _wishes(style, difficulty)]
    wishes += [fill(read_prompt("language", folder), language=language)] if language else []
    messages = (
        {"role": "system", "content": system},
        {"role": "user", "content": "\n".join([fill(user, chunk=chunk.text, n=n), *wishes])},
    )
    schema = SCHEMA if structured else None
    return Request(messages=messages, prompt=None, max_tokens=200 + 80 * n, response_format=schema)


def made_with(style: str, difficulty: str, language: str, folder: str) -> str:
    """Hash of the prompts behind a question: part of what says how it was made."""
    names = [_base(style), *_wishes(style, difficulty), *(["language"] if language else [])]
    return prompt_hash(*names, folder=folder)


def _base(style: str) -> str:
    return "questions_api" if style == API_STYLE else "questions"


def _wishes(style: str, difficulty: str) -> list[str]:
    named = [] if style in ("default", API_STYLE) else [f"style_{style}"]
    return named + ([f"difficulty_{difficulty}"] if difficulty else [])


def parse_questions(text: str, *, needs_mark: bool = True) -> list[str]:
    """Read the questions out of a reply: JSON, fenced or not, else one a line, numbered or not, preambles left out.

    Args:
        text: The reply.
        needs_mark: Whether a line that is neither numbered nor a list item must end with a question mark.
    """
    text = re.sub(r"^\s*```\w*\s*$", "", without_thoughts(text), flags=re.MULTILINE).strip()
    for value in _json_values(text):
        found = _strings(value)
        numbers = [match["n"] for match in map(_MARKER.match, found)]
        # A list counted 1, 2, 3 was numbered; a lone "1. FC Köln was founded when?" was not.
        counted = len(found) > 1 and numbers == [str(n) for n in range(1, len(found) + 1)]
        return [tidy for tidy in (_tidy(q, _MARKER.match(q).end() if counted else 0) for q in found) if tidy]
    questions = []
    for line in text.split("\n"):
        start = _MARKER.match(line).end()
        question = _tidy(line, start)
        is_listed = bool(start and line[:start].strip())
        if question and (question[-1] in _MARKS or ((is_listed or not needs_mark) and question[-1] not in ":：")):
            questions.append(question)
    return questions


def _json_values(text: str) -> Iterable[dict | list]:
    """The first JSON object or list that a reply holds: whole, among other words, or one a line; a comma too many is forgiven."""
    lines = [line for line in text.split("\n") if line.strip()]
    for candidate in (text, *re.findall(r"\{.*\}|\[.*\]", text, re.DOTALL)[:1]):
        for attempt in (candidate, re.sub(r",(\s*[\]}])", r"\1", candidate)):
            try:
                value = json.loads(attempt)
            except json.JSONDecodeError:
                continue
            if candidate is not text and not (_strings(value) or (isinstance(value, dict) and value)):
                break  # the [1] or {} of a question
            if isinstance(value, dict | list):
                yield value
            return  # a bare string is a line like any other
    try:
        values = [json.loads(line) for line in lines if line.lstrip()[:1] in "{["]
    except json.JSONDecodeError:
        return
    if values:
        yield values


def _strings(value: object) -> list[str]:
    """The questions in whatever JSON came: {"questions": […]}, a list, objects with a `question` field, or {"question 1": …}."""
    if isinstance(value, dict):
        if isinstance(value.get("question"), str):
            return [value["question"]]
        held = [text for name, text in value.items() if not isinstance(text, str) or _COUNTED.fullmatch(name)]
        return [q for part in held for q in _strings([part])]
    if isinstance(value, list):
        return [q for held in value for q in ([held] if isinstance(held, str) else _strings(held))]
    return []


def _tidy(line: str, start: int) -> str:
    question = _TOLD.sub("", " ".join(line[start:].split())).removesuffix("**").strip()
    for left, right in ('""', "“”", "''", "``"):
        if len(question) > 1 and question[0] == left and question[-1] == right:
            question = question[1:-1].strip()
    return question


def read_reply(ask: Ask, reply, teacher: str, prompt_sha256: str) -> tuple[list[Question], list[Drop]]:
    """The questions of one reply as they stand, or why there are none.

    Returns:
        Questions, not yet looked at, and a `Drop` of stage `ask` where there are none.
    """
    chunk, usable = ask.chunk, not reply.error and reply.finish_reason != "length"
    found = parse_questions(reply.text, needs_mark=ask.style not in MARKLESS) if usable else []
    if found:
        return [
            Question(content_id(chunk.chunk_id, text), chunk.chunk_id, text, teacher, prompt_sha256, style=ask.style)
            for text in found
        ], []
    reason = "endpoint error" if reply.error else "no question in the reply"
    reason = "cut off" if reply.finish_reason == "length" else reason
    return [], [Drop("ask", reason, chunk.chunk_id, chunk.source, chunk.text[:200], reply.error or reply.text[:200])]


class Sieve:
    """Keeps the first of equal questions, in the order of their chunks and not of their replies.

    Args:
        taken: Questions that must not come up (those of the eval set).
    """

    def __init__(self, taken: Collection[str] = ()):
        self._reserved = {fingerprint(question) for question in taken}
        self._first: dict[tuple, tuple[int, int]] = {}  # fingerprint -> (place of its chunk, number in the reply)

    def offer(self, place: int, ask: Ask, found: Sequence[Question]) -> list[Question]:
        """Note a chunk's questions, and say which of them may still be kept when all have come.

        Later replies can only take a question away, never bring one back: being the same question is an equivalence, so
        what an earlier chunk has asked stays asked. So no answer that will be needed is left out, in whatever order replies come.
        """
        hopeful = []
        for number, question in enumerate(found):
            same = fingerprint(question.question)
            if _own_problem(ask, number, question) or same in self._reserved:
                continue
            first = self._first.get(same)
            if first is None or (place, number) <= first:
                self._first[same] = (place, number)
                hopeful.append(question)
        return hopeful

    def settle(self, place: int, ask: Ask, found: Sequence[Question]) -> tuple[list[Question], list[Drop]]:
        """Once every earlier chunk has been offered: the questions that stay, and a reason for each of the others."""
        kept, dropped = [], []
        for number, question in enumerate(found):
            same = fingerprint(question.question)
            problem = _own_problem(ask, number, question)
            if not problem and same in self._reserved:
                problem = "stands in the eval set"
            if not problem and self._first[same] != (place, number):
                problem = "asked before"
            if problem:
                about = (question.question_id, ask.chunk.source, question.question, ask.chunk.chunk_id)
                dropped.append(Drop("question", problem, *about))
            else:
                kept.append(question)
        return kept, dropped


def _own_problem(ask: Ask, number: int, question: Question) -> str:
    return "more than asked for" if number >= ask.n else find_problem(question.question, style=ask.style)


def no_question(model: str, n_chunks: int, dropped: Sequence[Drop]) -> BadInput:
    """The error for a corpus that gave nothing."""
    return teacher_failed(f"{model} gave no usable question for {n_chunks} chunks", dropped)
