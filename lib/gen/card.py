"""The dataset card, `dataset/README.md`: what is in the folder, how it was made, and what it is not."""

from collections import Counter
from collections.abc import Sequence

from lib.gen.evalset import EvalQuestion
from lib.gen.funnel import Step, funnel_table
from lib.gen.mix import shares_table
from lib.gen.prompt import prompt_hash
from lib.gen.records import Example

TITLES = {"raft": "RAFT dataset", "qa": "Questions and answers", "conversations": "Conversations", "summaries": "Summaries"}
PROMPTS = {
    "raft": ("questions", "answer", "repair"), "qa": ("questions", "answer_qa", "repair"),
    "conversations": ("conversation",), "summaries": ("summary", "summary_instructions"),
}  # fmt: skip
SHOWN = (
    "recipe", "documents", "chunker", "chunk_chars", "p_overlap", "questions_per_chunk", "n_distractors", "max_distractors", "p_hard",
    "p_oracle", "p_refusal", "both_contexts", "no_oracle_label", "refusals", "split_unit", "p_valid", "p_test", "eval_from",
    "contamination_check", "contamination_ngram", "contamination_overlap", "contamination_similarity", "dataset_format",
    "system_prompt", "completion_stop", "seed",
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
    contamination: str,
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
        contamination: What comparing training questions with the eval set gave, in a sentence.
    """
    n, recipe = Counter(example.split for example in examples), parameters["recipe"]
    answerable = sum(question.answerable for question in eval_questions)
    lines = [
        *_FRONT,
        f"# {TITLES[recipe]}",
        "",
        f"{n['train']} rows to train on, {n['valid']} to watch training, {len(eval_questions)} questions to evaluate "
        f"({answerable} answerable, {len(eval_questions) - answerable} not), made from `{parameters['documents']}`.",
        "",
        f"- Replies of training rows: {teacher}; prompts {prompt_hash(*PROMPTS[recipe], folder=parameters['prompts_dir'])}.",
        *(_RAFT_CLAIMS if recipe == "raft" else ()),
        f"- Split by {split_by}, near-duplicates together.",
        f"- Eval set: {eval_origin}. Frozen: sha256 of `eval.jsonl` is `{eval_sha256}`." if eval_questions else "- Eval set: none.",
        f"- Contamination: {contamination}.",
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


def as_page(card: str) -> str:
    """A card to be looked at: without the header, which only a hub reads."""
    return card.split("---\n", 2)[2].lstrip()


_RAFT_CLAIMS = (
    "- Every answer was verified: one `<ANSWER>:` tag, not cut off, every quote word for word in its oracle, the short answer borne out by the quotes.",
    "- Rows for training show chunks of the train split only.",
    "- No chunk shown in a `no_oracle` or `refusal` row may hold the answer. That is checked by words and numbers, not by meaning.",
)

# What a hub reads: which file is which part.
_FRONT = (
    "---",
    "task_categories:",
    "- question-answering",
    "tags:",
    "- raft",
    "configs:",
    "- config_name: training",
    "  data_files:",
    "  - split: train",
    "    path: train.jsonl",
    "  - split: validation",
    "    path: valid.jsonl",
    "- config_name: raft",
    "  data_files: raft.jsonl",
    "- config_name: eval",
    "  data_files: eval.jsonl",
    "---",
    "",
)


def _markdown(table) -> str:
    """A DataFrame as a Markdown table."""

    def cell(value: object) -> str:
        if value is None or value != value:
            return ""
        return f"{value:.3f}" if isinstance(value, float) else str(value).replace("|", "\\|")

    head = [f"| {' | '.join(map(str, table.columns))} |", "|" + "---|" * len(table.columns)]
    return "\n".join([*head, *(f"| {' | '.join(map(cell, row))} |" for row in table.itertuples(index=False))])
