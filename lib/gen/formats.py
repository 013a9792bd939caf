"""The dataset's files: RAFT rows in the published schema, and the rows that a trainer reads."""

from collections.abc import Iterable, Sequence

from lib.gen.records import Chunk, Drop, Example, Question, content_id
from lib.llm.raft import Format, build_instruction
from lib.run import BadInput

CHUNK_COLUMNS = (
    "chunk_id", "doc_id", "source", "title", "page", "section", "text", "n_chars", "n_tokens",
    "split", "duplicate_group", "type",
)  # fmt: skip


def build_format(dataset_format: str, system_prompt: str) -> Format:
    """How rows are written, and students asked.

    Raises:
        BadInput: A format that is neither `chat` nor `completion`.
    """
    if dataset_format not in ("chat", "completion"):
        raise BadInput(f"dataset_format: expected 'chat' or 'completion', found {dataset_format!r}")
    return Format(dataset_format=dataset_format, system_prompt=system_prompt)


def chunk_rows(chunks: Iterable[Chunk]) -> list[dict]:
    """The lines of `dataset/chunks.jsonl`."""
    return [{name: getattr(chunk, name) for name in CHUNK_COLUMNS} for chunk in chunks]


def question_rows(questions: Iterable[Question]) -> list[dict]:
    """The lines of `dataset/questions.jsonl`."""
    names = ("question_id", "chunk_id", "question", "teacher", "prompt_sha256")
    return [{name: getattr(question, name) for name in names} for question in questions]


def rejected_rows(*stages: Iterable[Drop]) -> list[dict]:
    """The lines of `dataset/rejected.jsonl`, in the order of the stages."""
    return [drop.row() for stage in stages for drop in stage]


def raft_row(example: Example) -> dict:
    """One line of `dataset/raft.jsonl`: the published RAFT schema first, then what this project adds.

    `context` and `instruction` hold the same chunks in the same order; `oracle_context` is empty where the oracle is not shown.
    """
    context_ids = [chunk.chunk_id for chunk in example.context]
    return {
        "id": content_id(example.kind, example.question.question_id, *context_ids),
        "type": example.oracle.type,
        "question": example.question.question,
        "context": {
            "sentences": [[chunk.text for chunk in example.context]],
            "title": [[chunk.title for chunk in example.context]],
        },
        "oracle_context": example.oracle.text if example.kind == "oracle" else "",
        "cot_answer": example.cot_answer,
        "instruction": build_instruction([chunk.text for chunk in example.context], example.question.question),
        "answer": example.answer,
        "kind": example.kind,
        "question_id": example.question.question_id,
        "chunk_id": example.oracle.chunk_id,
        "doc_id": example.oracle.doc_id,
        "context_chunk_ids": context_ids,
        "hard_chunk_ids": list(example.hard_ids),
        "split": example.split,
    }


def training_row(example: Example, form: Format) -> dict:
    """One line of `train.jsonl` or `valid.jsonl`: the prompt exactly as 3_deploy and 4_eval will send it, and the label."""
    documents = [chunk.text for chunk in example.context]
    if form.dataset_format == "chat":
        asked = form.messages(documents, example.question.question)
        return {"messages": [*asked, {"role": "assistant", "content": example.cot_answer}]}
    prompt = form.prompt(documents, example.question.question)
    return {"prompt": prompt, "completion": example.cot_answer + form.completion_stop}


def training_rows(examples: Sequence[Example], split: str, form: Format) -> list[dict]:
    """The lines of one split."""
    return [training_row(example, form) for example in examples if example.split == split]


def row_text(row: dict) -> str:
    """Everything in a training row that becomes tokens, but for what a chat template adds."""
    return (
        "\n".join(message["content"] for message in row["messages"])
        if "messages" in row
        else row["prompt"] + row["completion"]
    )
