"""What people said in a user's file of conversations: 1_gen answers it, and a plan without 1_gen counts it alike."""

import json

HUMAN = ("human", "user", "prompter")
OTHER = ("gpt", "assistant", "chatgpt", "bot", "model", "bing", "bard", "system", "tool", "function", "observation")
TALKS = ("conversations", "conversation", "messages", "turns")  # fields that hold turns
SINGLE = ("instruction", "prompt", "question", "text", *HUMAN)  # fields that hold one turn, beside a reply or not


def read_records(text: str) -> list[tuple[str, object]]:
    """Every record of a JSON or JSONL text with its place; where a line is no JSON, a `ValueError` that says so."""
    try:
        whole = json.loads(text)
        records = whole if isinstance(whole, list) else [whole]
        return [(f"#{number}", record) for number, record in enumerate(records, 1)]
    except json.JSONDecodeError:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        return [(f"line {number}", _parsed(line)) for number, line in lines]


def human_turns(record: object) -> list[str]:
    """The human turns of a record, as they stand.

    Raises:
        ValueError: What is wrong with it.
    """
    if isinstance(record, ValueError):
        raise record
    if isinstance(record, dict):
        held = [record[name] for name in TALKS if name in record]
        single = [record[name] for name in SINGLE if name in record]
        if not held and not single:
            raise ValueError(f"expected {', '.join(TALKS)}, or one turn as {', '.join(SINGLE)}; found {_fields(record)}")
        added = record.get("input")  # what an instruction is about, in files like Alpaca's
        about = [added] if isinstance(added, str) and added.strip() else []
        record = held[0] if held else ["\n\n".join([single[0], *about])] if isinstance(single[0], str) else single[:1]
    turns = [record] if isinstance(record, str) else record
    if not isinstance(turns, list):
        raise ValueError(f"expected a list of turns, found {type(turns).__name__}")
    said = [text for turn in turns if (text := _human(turn)) is not None]
    if not said:
        raise ValueError("no human turn")
    if not all(text.strip() for text in said):
        raise ValueError("an empty human turn")
    return said


def _human(turn: object) -> str | None:
    """What a person said, or None for a turn of somebody else."""
    if isinstance(turn, str):
        return turn
    if not isinstance(turn, dict):
        raise ValueError(f"expected a turn, found {type(turn).__name__}")
    named = [name for name in (*HUMAN, *OTHER) if name in turn and not {"from", "role"} & set(turn)]
    if named:  # {"human": …, "assistant": …}: who speaks is the field's name
        who, said = named[0], turn[named[0]]
    else:
        who, said = str(turn.get("from", turn.get("role", ""))).lower(), turn.get("value", turn.get("content"))
    if who not in HUMAN + OTHER:
        asked = "{'from': 'human', 'value': …}, {'role': 'user', 'content': …} or {'human': …, 'assistant': …}"
        raise ValueError(f"a turn of unknown origin {who!r}" if who else f"expected turns like {asked}; found {_fields(turn)}")
    if not isinstance(said, str):
        raise ValueError("a turn without text")
    return said if who in HUMAN else None


def _fields(record: dict) -> str:
    return ", ".join(sorted(map(str, record))[:8]) or "no field"


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        return ValueError(f"not JSON ({error.msg})")
