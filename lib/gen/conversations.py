"""Conversations whose human turns are known: read from ShareGPT-style files, answered turn by turn with their history.

What earlier models replied in such a file is left out: the teacher gives every reply anew.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from lib.gen.chains import Chain
from lib.gen.prompt import prompt_hash, read_prompt
from lib.gen.records import Answer, Chunk, Document, Drop, Question, content_id
from lib.gen.text import clean, without_thoughts
from lib.llm import Request
from lib.run import BadInput
from lib.run.decode import decode_file
from lib.run.talks import human_turns, read_records

CONVERSATION = (
    "conversation"  # type of the documents and chunks that hold human turns, and style of the questions made of them
)
MAX_TOKENS = 1024
SUFFIXES = (".json", ".jsonl", ".ndjson")
SEPARATOR = "\n\n<TURN>\n\n"


def read_conversations(path: str | Path) -> tuple[list[Document], list[Drop]]:
    """Read the human turns of every conversation.

    Args:
        path: A JSON or JSONL file of records like `{"conversations": [{"from": "human", "value": …}, …]}`,
            `{"messages": [{"role": "user", "content": …}, …]}`, `{"conversation": [{"human": …, "assistant": …}, …]}`,
            a list of turns, or one turn as a text or as `{"prompt": …, "response": …}` (`lib.run.talks` has the names).

    Returns:
        A document of type `conversation` for each, its turns joined; and a `Drop` (stage `load`) for every other record,
        copies among them.

    Raises:
        BadInput: No such file, or no conversation in it.
    """
    path = Path(path)
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"conversations: expected a file ending in {', '.join(SUFFIXES)}, found {str(path)!r}")
    documents: list[Document] = []
    dropped: list[Drop] = []
    seen: set[str] = set()
    for place, record in read_records(decode_file(path)):
        source = f"{path.name} {place}"
        try:
            turns = _turns(record)
        except ValueError as error:
            dropped.append(Drop("load", str(error), content_id(source), source, str(record)[:200]))
            continue
        text = SEPARATOR.join(turns)
        doc_id = content_id(CONVERSATION, text)
        if doc_id in seen:
            dropped.append(Drop("load", "copy of another conversation", doc_id, source, text[:200]))
            continue
        seen.add(doc_id)
        documents.append(Document(doc_id, source, "", text, type=CONVERSATION))
    if not documents:
        reasons = "; ".join(f"{drop.source}: {drop.reason}" for drop in dropped[:3]) or "the file is empty"
        raise BadInput(f"conversations: no conversation in {path} ({reasons})")
    return documents, dropped


def keep_whole(documents: Sequence[Document], count_tokens: Callable[[str], int]) -> list[Chunk]:
    """Conversations as chunks, one each, however short or long."""
    return [
        Chunk(
            *(document.doc_id, document.doc_id, document.source, "", None, "", document.text, len(document.text)),
            count_tokens(document.text),
            duplicate_group=document.doc_id,
            type=CONVERSATION,
        )
        for document in documents
    ]


def turns_of(chunk: Chunk) -> list[str]:
    """The human turns of a conversation."""
    return chunk.text.split(SEPARATOR)


def _turns(record: object) -> list[str]:
    """The human turns of a record, cleaned.

    Raises:
        ValueError: What is wrong with it.
    """
    said = [clean(text).replace(SEPARATOR.strip(), "[TURN]").strip() for text in human_turns(record)]
    if not all(said):
        raise ValueError("an empty human turn")
    return said


def build_request(turns: Sequence[str], *, folder: str = "") -> Request:
    """Ask for the reply to the last of `turns`: a person's and the teacher's in turn, a person's last."""
    roles = ("user", "assistant")
    talk = [{"role": roles[i % 2], "content": text} for i, text in enumerate(turns)]
    return Request(
        messages=({"role": "system", "content": read_prompt(CONVERSATION, folder)}, *talk), max_tokens=MAX_TOKENS
    )


def find_problem(reply) -> str:
    """Why a reply cannot be used, or an empty string."""
    if reply.error:
        return "endpoint error"
    if reply.finish_reason == "length":
        return "cut off"
    return "" if without_thoughts(reply.text).strip() else "empty reply"


def conversation_chain(chunk: Chunk, model: str, *, folder: str = "") -> Chain:
    """Answer a conversation turn by turn; one that fails ends it there, and what came before it stays.

    Returns:
        The question of every turn asked, with its `Answer`, or with a `Drop` of stage `answer` for the turn that failed; it
        counts the turns that could not be asked after it.
    """
    turns, history = turns_of(chunk), []
    made: list[tuple[Question, Answer | Drop]] = []
    prompt = prompt_hash(CONVERSATION, folder=folder)
    for number, turn in enumerate(turns):
        [reply] = yield [build_request([*history, turn], folder=folder)]
        question_id = content_id(chunk.chunk_id, str(number), turn)
        question = Question(question_id, chunk.chunk_id, turn, model, prompt, CONVERSATION, tuple(history))
        if problem := find_problem(reply):
            after = f"; {len(turns) - number - 1} turns after it were not asked" if number + 1 < len(turns) else ""
            detail = (reply.error or reply.text[:400]) + after
            made.append((question, Drop("answer", problem, question_id, chunk.source, turn, detail)))
            break
        text = clean(without_thoughts(reply.text))
        made.append((question, Answer(question, text, text, ())))
        history += [turn, text]
    return made
