"""The dataset card, `dataset/README.md`: what is in the folder, how it was made, and what it is not."""

from collections import Counter
from collections.abc import Sequence

from lib.gen.evalset import EvalQuestion
from lib.gen.funnel import Step, funnel_table
from lib.gen.mix import shares_table
from lib.gen.prompt import prompt_hash
from lib.gen.records import Example

SHOWN = (
    "documents", "chunker", "chunk_chars", "p_overlap", "questions_per_chunk", "n_distractors", "p_hard", "p_oracle",
    "p_refusal", "p_valid", "p_test", "dataset_format", "system_prompt", "seed",
)  # fmt: skip


def build_card(
    *,
    parameters: dict,
    steps: Sequence[Step],
    examples: Sequence[Example],
    eval_questions: Sequence[EvalQuestion],
    eval_sha256: str,
    eval_origin: str,
    teacher: str,
    split_by: str,
) -> str:
    """Write the card.

    Args:
        parameters: Resolved parameters.
        steps: The funnel.
        examples: All RAFT rows.
        eval_questions: The frozen eval set.
        eval_sha256: Hash of `eval.jsonl`, which freezes it.
        eval_origin: Where its questions come from, in words.
        teacher: Which model wrote questions and answers; a stand-in is named as one.
        split_by: What was kept together when splitting.
    """
    n = Counter(example.split for example in examples)
    answerable = sum(question.answerable for question in eval_questions)
    lines = [
        "# RAFT dataset",
        "",
        f"{n['train']} rows to train on, {n['valid']} to watch training, {len(eval_questions)} questions to evaluate "
        f"({answerable} answerable, {len(eval_questions) - answerable} not), made from `{parameters['documents']}`.",
        "",
        f"- Questions and answers of training rows: {teacher}; prompts {prompt_hash('questions')} (questions), {prompt_hash('answer', 'repair')} (answers).",
        "- Every answer was verified: one `<ANSWER>:` tag, not cut off, every quote word for word in its oracle, the short answer borne out by the quotes.",
        f"- Split by {split_by}, near-duplicates together; rows for training show chunks of the train split only.",
        "- No chunk shown in a `no_oracle` or `refusal` row may hold the answer. That is checked by words and numbers, not by meaning.",
        f"- Eval set: {eval_origin}. Frozen: sha256 of `eval.jsonl` is `{eval_sha256}`.",
        "",
        "## Files",
        "",
        "| file | one line is |",
        "|---|---|",
        "| `chunks.jsonl` | a passage of the corpus that retrieval searches, with its document, page, section and split |",
        "| `questions.jsonl` | a question, the chunk it was written from, the model and prompt that wrote it |",
        "| `raft.jsonl` | a RAFT row: the published schema, then kind, ids and split |",
        "| `train.jsonl`, `valid.jsonl` | what the trainer reads |",
        "| `format.json` | how rows are written, and so how students are asked |",
        "| `eval.jsonl` | a question of the eval set, its answer, where the evidence stands |",
        "| `rejected.jsonl` | something dropped: stage, reason, text |",
        "",
        "## Rows",
        "",
        _markdown(shares_table(examples)),
        "",
        "## Funnel",
        "",
        _markdown(funnel_table(steps).drop(columns="example")),
        "",
        "## Parameters",
        "",
        "| name | value |",
        "|---|---|",
        *(f"| `{name}` | `{parameters[name]!r}` |" for name in SHOWN if name in parameters),
        "",
        "## Rights",
        "",
        "The passages are those of the documents it was made from: their terms hold, and the terms of the model that wrote questions and answers.",
        "",
    ]
    return "\n".join(lines)


def _markdown(table) -> str:
    """A DataFrame as a Markdown table."""

    def cell(value: object) -> str:
        if value is None or value != value:
            return ""
        return f"{value:.3f}" if isinstance(value, float) else str(value).replace("|", "\\|")

    head = [f"| {' | '.join(map(str, table.columns))} |", "|" + "---|" * len(table.columns)]
    return "\n".join([*head, *(f"| {' | '.join(map(cell, row))} |" for row in table.itertuples(index=False))])
