"""The dataset's files: RAFT rows in the published schema, and the rows that a trainer reads."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from lib.gen.records import Chunk, Drop, Example, Question, content_id
from lib.llm.raft import ANSWER_TAG, REFUSAL, Format, build_instruction
from lib.run import BadInput
from lib.run.decode import decode_file
from lib.run.tables import KINDS, remove_folder, write_rows

CHUNK_COLUMNS = (
    "chunk_id", "doc_id", "source", "title", "page", "section", "text", "n_chars", "n_tokens",
    "split", "duplicate_group", "type",
)  # fmt: skip


def build_format(
    dataset_format: str, system_prompt: str, *, refusals: Sequence[str] = (REFUSAL,), completion_stop: str = ""
) -> Format:
    """How rows are written, and students asked.

    Args:
        dataset_format: `chat` or `completion`.
        system_prompt: Told to every student; where it names the default refusal, the first of `refusals` takes its place.
        refusals: Sentences that refusal rows teach.
        completion_stop: Text that ends a completion; of use with `completion` only.

    Raises:
        BadInput: A format that is neither `chat` nor `completion`, or a stop text for a chat.
    """
    if dataset_format not in ("chat", "completion"):
        raise BadInput(f"dataset_format: expected 'chat' or 'completion', found {dataset_format!r}")
    if completion_stop and dataset_format == "chat":
        raise BadInput(
            "completion_stop: a chat ends with its template's stop token; set dataset_format: completion, or no stop"
        )
    told = system_prompt.replace(REFUSAL, refusals[0])
    return Format(dataset_format, told, refusal="\n".join(refusals), completion_stop=completion_stop)


def read_refusals(refusals: Sequence[str]) -> tuple[str, ...]:
    """The sentences of refusal rows.

    Args:
        refusals: Sentences, or text files (.txt) with one a line; none: the one that the field knows.

    Raises:
        BadInput: No such file, an empty or repeated sentence, or one with a tag of the format.
    """
    found: list[str] = []
    for entry in refusals:
        if not isinstance(entry, str):
            raise BadInput(f"refusals: expected sentences or text files, found {entry!r}, a {type(entry).__name__}")
        path = Path(entry)
        if path.suffix == ".txt":
            if not path.is_file():
                raise BadInput(f"refusals: expected a text file, found nothing at {path}")
            found += [line.strip() for line in decode_file(path).splitlines() if line.strip()]
        else:
            found.append(" ".join(entry.split()))
    bad = [line for line in found if not line or ANSWER_TAG in line or "##" in line or found.count(line) > 1]
    if bad or (refusals and not found):
        raise BadInput(f"refusals: expected different sentences without tags, found {(bad or refusals)[0]!r}")
    return tuple(found) or (REFUSAL,)


def check_files(dataset_files: Sequence[str]) -> None:
    """Refuse a kind of file that is not written.

    Raises:
        BadInput: Names it.
    """
    for kind in dataset_files:
        if kind not in KINDS:
            raise BadInput(f"dataset_files: expected a list of {', '.join(KINDS)}, found {kind!r}")


def chunk_rows(chunks: Iterable[Chunk]) -> list[dict]:
    """The lines of `dataset/chunks.jsonl`."""
    return [{name: getattr(chunk, name) for name in CHUNK_COLUMNS} for chunk in chunks]


def question_rows(questions: Iterable[Question]) -> list[dict]:
    """The lines of `dataset/questions.jsonl`."""
    names = ("question_id", "chunk_id", "question", "style", "teacher", "prompt_sha256")
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


def training_rows(
    examples: Sequence[Example], split: str, form: Format, make_row: Callable[[Example, Format], dict] = training_row
) -> Iterator[dict]:
    """The lines of one split, made one at a time: a row repeats the text of all its chunks."""
    return (make_row(example, form) for example in examples if example.split == split)


def write_examples(
    folder: Path,
    examples: Sequence[Example],
    form: Format,
    dataset_files: Sequence[str],
    make_row: Callable[[Example, Format], dict] = training_row,
) -> dict[str, int]:
    """Write `raft`, `train` and `valid` as JSONL, which 2_finetune reads, and as whatever else is asked for; one row in memory at a time.

    Args:
        folder: `dataset/`; files of kinds not asked for, from an earlier run, are removed.
        examples: All rows.
        form: How the trainer's rows are written.
        dataset_files: `parquet` and `arrow` write all three again; `hf` writes the RAFT rows as a folder `hf/` for the datasets library.
            A part without rows is an empty JSONL file and no other.
        make_row: Writes one of the trainer's rows; recipes other than `raft` have their own.

    Returns:
        Rows by part.
    """
    makers = {"raft": lambda: map(raft_row, examples)}
    makers |= {
        split: lambda split=split: training_rows(examples, split, form, make_row) for split in ("train", "valid")
    }
    counts = {part: write_rows(folder / f"{part}.jsonl", make()) for part, make in makers.items()}
    for part, make in makers.items():
        for kind in ("parquet", "arrow"):
            path = folder / f"{part}.{kind}"
            if kind in dataset_files and counts[part]:
                write_rows(path, make())
            else:
                path.unlink(missing_ok=True)
    if "hf" in dataset_files and counts["raft"]:
        write_rows(folder / "hf", makers["raft"]())
    else:
        remove_folder(folder / "hf")
    return counts


def row_text(row: dict) -> str:
    """Everything in a training row that becomes tokens, but for what a chat template adds."""
    return (
        "\n".join(message["content"] for message in row["messages"])
        if "messages" in row
        else row["prompt"] + row["completion"]
    )
