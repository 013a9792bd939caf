"""What the recipes other than `raft` train on: closed-book rows, turns of conversations, summaries; and their files."""

from collections.abc import Sequence

from lib.gen.conversations import CONVERSATION
from lib.gen.records import Answer, Chunk, Example
from lib.gen.summaries import SUMMARY
from lib.llm.raft import Format, build_instruction

OWN_FILES = ("qa.jsonl", "conversations.jsonl", "text.jsonl", "text_valid.jsonl")


def talk_examples(answers: Sequence[Answer], chunks: dict[str, Chunk]) -> list[Example]:
    """One example for every turn and every summary: what was said before it is its prompt, and it alone is learnt."""
    found = []
    for answer in answers:
        chunk = chunks[answer.question.chunk_id]
        context = (chunk,) if answer.question.style == SUMMARY else ()
        said = (answer.cot_answer, answer.answer, chunk.split)
        found.append(Example(answer.question.style, answer.question, chunk, context, *said))
    return found


def closed_book_row(example: Example, form: Format) -> dict:
    """A question without its passage, and its answer."""
    if form.dataset_format == "chat":
        asked = form.messages([], example.question.question)
        return {"messages": [*asked, {"role": "assistant", "content": example.answer}]}
    return {
        "prompt": form.prompt([], example.question.question),
        "completion": example.answer + form.completion_stop,
    }


def talk_row(example: Example, form: Format) -> dict:
    """A reply with its history: chat messages, or `[INST] … [/INST]` and the reply."""
    turns = turns_before(example)
    if form.dataset_format == "chat":
        system = [{"role": "system", "content": form.system_prompt}] if form.system_prompt else []
        return {"messages": [*system, *messages_of([*turns, example.cot_answer])]}
    system = f"{form.system_prompt}\n\n" if form.system_prompt else ""
    return {
        "prompt": system + inst_text(turns),
        "completion": f" {example.cot_answer}{form.completion_stop}",
    }


def turns_before(example: Example) -> list[str]:
    """What stands before a reply, a person's turn and the teacher's in turn; a section that is summed up stands in the turn."""
    asked = build_instruction([chunk.text for chunk in example.context], example.question.question)
    return [*example.question.history, asked]


def messages_of(turns: Sequence[str]) -> list[dict]:
    """Turns as chat messages, a person's first."""
    return [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(turns)]


def inst_text(turns: Sequence[str]) -> str:
    """Turns as one text: `[INST] … [/INST] … [INST] … [/INST]`, with or without a last reply."""
    marked = [f"[INST] {text} [/INST]" if i % 2 == 0 else text for i, text in enumerate(turns)]
    return " ".join(marked)


def whole_talks(examples: Sequence[Example]) -> list[tuple[Example, list[str]]]:
    """Every conversation and summary once, all its turns with the replies: the last example of each holds the others."""
    last = {}
    for example in examples:
        key = example.oracle.chunk_id if example.kind == CONVERSATION else example.question.question_id
        last[key] = example
    return [(example, [*turns_before(example), example.cot_answer]) for example in last.values()]


def own_files(recipe: str, examples: Sequence[Example]) -> dict[str, list[dict]]:
    """Rows by name of the files in `dataset/` that only this recipe writes."""
    if recipe == "raft":
        return {}
    if recipe == "qa":
        return {"qa.jsonl": [_triple(example) for example in examples if example.kind == "oracle"]}
    talks = whole_talks(examples)
    about = [
        {
            "id": example.question.question_id,
            "kind": example.kind,
            "source": example.oracle.source,
            "split": example.split,
        }
        for example, _ in talks
    ]
    return {
        "conversations.jsonl": [row | {"messages": messages_of(t)} for row, (_, t) in zip(about, talks, strict=True)],
        "text.jsonl": [{"text": inst_text(turns)} for example, turns in talks if example.split == "train"],
        "text_valid.jsonl": [{"text": inst_text(turns)} for example, turns in talks if example.split == "valid"],
    }


def _triple(example: Example) -> dict:
    chunk = example.oracle
    return {
        "id": example.question.question_id,
        "question": example.question.question,
        "answer": example.answer,
        "context": chunk.text,
        "chunk_id": chunk.chunk_id,
        "source": chunk.source,
        "page": chunk.page,
        "section": chunk.section,
        "split": example.split,
    }
