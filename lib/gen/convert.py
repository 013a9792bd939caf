"""One dataset in another form: `python -m lib.gen.convert IN OUT --format chat`.

Reads RAFT rows of this project or of gorilla/raft (its columns `id, type, question, context, oracle_context, cot_answer,
instruction`), and chat or completion rows made from such; JSONL, JSON, CSV, Parquet, Arrow, or a folder that `datasets` saved.
Writes `hf` (RAFT rows), `chat`, `completion` or `eval` rows as JSONL, Parquet or Arrow by the ending of OUT; without an ending
as a `datasets` folder. Needs no run, no model and no network; memory does not grow with the rows.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from lib.gen.audit import row_defects
from lib.gen.prompt import read_text
from lib.gen.records import GENERAL, content_id
from lib.llm.raft import Format, build_instruction, parse_reply, squeeze
from lib.run import BadInput
from lib.run.tables import read_rows, write_rows

FORMATS = ("hf", "chat", "completion", "eval")
OPEN, CLOSE = "<DOCUMENT>", "</DOCUMENT>"
_INST = re.compile(r"\A((?:(?!\[INST\]).)*)\[INST\] ((?:(?!\[/INST\]).)*) \[/INST\]\Z", re.DOTALL)  # one turn of `lib.gen.rows.inst_text`


def read_raft(
    rows: Iterable[Mapping], *, prompt_column: str = "prompt", completion_column: str = "completion", stop: str = ""
) -> Iterator[dict]:
    """RAFT rows from RAFT, chat or completion rows, told apart by their columns.

    What a chat or completion row does not say is found in its text: documents by their tags, the question behind the last of
    them, the oracle as the one document that holds every quote (empty where none or several do), the system prompt under `system`.

    Args:
        rows: As read.
        prompt_column: Column of a completion row's prompt.
        completion_column: Column of its completion.
        stop: Text that ends completions and is no part of the answer.

    Raises:
        BadInput: Names the first row that is none of the three, or holds something else in a cell of theirs.
    """
    for number, row in enumerate(rows, 1):
        if row.get("messages"):
            yield _from_chat(_parsed(row, "messages", number), number)
        elif row.get("cot_answer") is not None and (row.get("instruction") or (row.get("context") and row.get("question"))):
            yield _from_raft(row, number)
        elif row.get(prompt_column) is not None and row.get(completion_column) is not None:
            _expect_texts(row, number, prompt_column, completion_column)
            answer = row[completion_column].strip()
            answer = answer.removesuffix(stop.strip()).rstrip() if stop.strip() else answer
            prompt = _INST.sub(r"\1\2", row[prompt_column].strip())
            if "[/INST]" in prompt:
                raise BadInput(f"row {number}: expected one question and one answer, found several turns in `{prompt_column}`")
            start = max(prompt.find(OPEN), 0)
            yield _from_text(prompt[:start].strip(), prompt[start:].strip(), answer)
        else:
            raise BadInput(
                f"row {number}: expected `instruction` and `cot_answer`, `messages`, or `{prompt_column}` and "
                f"`{completion_column}`; found {', '.join(row) or 'nothing'}. Other names: --in-prompt-column, --in-completion-column"
            )


def _expect_texts(row: Mapping, number: int, *names: str) -> None:
    for name in names:
        if not isinstance(row.get(name), str | None):
            raise BadInput(f"row {number}: expected a text in `{name}`, found {row[name]!r:.80}")


def _parsed(row: Mapping, name: str, number: int) -> object:
    """A CSV cell holds JSON where other files hold values."""
    try:
        return json.loads(row[name]) if isinstance(row.get(name), str) else row.get(name)
    except ValueError:
        raise BadInput(f"row {number}: expected JSON in `{name}`, found {row[name]!r:.80}") from None


def _from_raft(row: Mapping, number: int) -> dict:
    _expect_texts(row, number, "question", "instruction", "oracle_context", "cot_answer")
    context = _parsed(row, "context", number) or {}
    if not isinstance(context, dict):
        raise BadInput(f"row {number}: expected `sentences` and `title` in `context`, found {context!r:.80}")
    instruction = row.get("instruction") or build_instruction(_flat(context.get("sentences")), row["question"])
    made = _from_text("", instruction, row["cot_answer"])
    found = {name: row[name] for name in ("id", "type", "question", "oracle_context") if row.get(name) is not None}
    if context.get("sentences"):
        made["context"] = {"sentences": [_flat(context["sentences"])], "title": [_flat(context.get("title"))]}
    del made["system"]
    known = made | found | {"cot_answer": row["cot_answer"], "instruction": instruction}
    return known | {name: value for name, value in row.items() if name not in known}


def _flat(nested: object) -> list[str]:
    """gorilla/raft nests sentences twice, some of its files once."""
    return [text for part in nested or [] for text in ([part] if isinstance(part, str) else part)]


def _from_chat(messages: object, number: int) -> dict:
    if not isinstance(messages, list) or not all(isinstance(m, dict) and isinstance(m.get("content"), str) for m in messages):
        raise BadInput(f"row {number}: expected messages with a role and a text as content, found {messages!r:.80}")
    roles = [str(message.get("role")) for message in messages]
    if roles not in (["user", "assistant"], ["system", "user", "assistant"]):
        raise BadInput(f"row {number}: expected one question and one answer, found messages of {', '.join(roles) or 'nobody'}")
    system = messages[0]["content"] if len(roles) == 3 else ""
    return _from_text(system, messages[-2]["content"], messages[-1]["content"])


def _from_text(system: str, instruction: str, answer: str) -> dict:
    head, _, question = instruction.rpartition(CLOSE)
    documents = [part.partition(OPEN)[2] for part in head.split(CLOSE)] if head else []
    quotes = [squeeze(quote) for quote in parse_reply(answer).quotes]
    holders = [text for text in documents if quotes and all(quote in squeeze(text) for quote in quotes)]
    return {
        "id": content_id(instruction, answer),
        "type": GENERAL,
        "question": question.strip(),
        "context": {"sentences": [documents], "title": [[""] * len(documents)]},
        "oracle_context": holders[0] if len(set(holders)) == 1 else "",
        "cot_answer": answer,
        "instruction": instruction,
        "system": system,
    }


def write_as(
    rows: Iterable[dict],
    form: str,
    *,
    system_prompt: str | None = None,
    prompt_column: str = "prompt",
    completion_column: str = "completion",
    stop: str = "",
) -> Iterator[dict]:
    """RAFT rows in another form.

    Args:
        rows: RAFT rows (`read_raft`).
        form: `hf`; `chat`, as 2_finetune reads it; `completion`; or `eval`: one row a question (over one document: a question
            and its answer), those that refuse left out, with the columns that 1_gen's `eval_set` reads and gorilla/raft's `context` and `gold_final_answer`.
        system_prompt: Of every chat or completion row; None keeps that of each row, empty gives none.
        prompt_column: Name of the prompt in a completion row.
        completion_column: Name of the completion.
        stop: Text put behind every completion.
    """
    asked: set[str] = set()
    for row in rows:
        system = row.get("system", "") if system_prompt is None else system_prompt
        if form == "hf":
            yield {name: value for name, value in row.items() if name != "system"}
        elif form == "chat":
            said = [{"role": "system", "content": system}] if system else []
            yield {"messages": [*said, {"role": "user", "content": row["instruction"]}, {"role": "assistant", "content": row["cot_answer"]}]}
        elif form == "completion":
            prompt = Format("completion", system).prompt([], row["instruction"])
            yield {prompt_column: prompt, completion_column: row["cot_answer"] + stop}
        else:
            parsed = parse_reply(row["cot_answer"])
            alone = row["instruction"].count(OPEN) == 1  # "Sum this up" is another question over another section
            key = content_id(row["question"], parsed.answer) if alone else content_id(row["question"])
            # a sentence of the run's own choice refuses as well
            is_refusal = parsed.refused or (row.get("kind") in ("refusal", "no_oracle") and not parsed.has_tag)
            if not is_refusal and parsed.answer and key not in asked:
                asked.add(key)
                shown = row["instruction"].rpartition(CLOSE)
                yield {
                    "id": key, "question": row["question"], "answer": parsed.answer, "answerable": True,
                    "context": shown[0] + shown[1], "gold_final_answer": parsed.answer,
                }  # fmt: skip


def count_as_read(rows: Iterable[dict], counts: Counter, defects: Counter) -> Iterator[dict]:
    """Pass RAFT rows on; count them under `rows`, and what is wrong with them."""
    for row in rows:
        counts["rows"] += 1
        defects.update(row_defects(row))
        yield row


def main(arguments: list[str] | None = None) -> int:
    """The command; 0 where all was written."""
    parser = argparse.ArgumentParser(prog="python -m lib.gen.convert", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", help="file or datasets folder")
    parser.add_argument("output", help="file ending in .jsonl, .parquet or .arrow; without an ending: a datasets folder")
    parser.add_argument("--format", required=True, choices=FORMATS, help="form of the rows written")
    parser.add_argument("--split", default="train", help="part to read of a datasets folder that has several (train)")
    parser.add_argument("--system-prompt", help="a sentence or a text file; '' for none; default: what each row has")
    parser.add_argument("--prompt-column", default="prompt", help="of completion rows written (prompt)")
    parser.add_argument("--completion-column", default="completion", help="of completion rows written (completion)")
    parser.add_argument("--stop", default="", help="text put behind every completion written")
    parser.add_argument("--in-prompt-column", default="prompt", help="of completion rows read (prompt)")
    parser.add_argument("--in-completion-column", default="completion", help="of completion rows read (completion)")
    parser.add_argument("--in-stop", default="", help="text that ends completions read, taken off")
    p = parser.parse_args(arguments)
    try:
        n, counts, defects = _convert(p)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:  # what cannot be read is told above
        print(f"{p.output}: cannot be written: {error.strerror or error}; name another file or folder", file=sys.stderr)
        return 2
    print(f"{n} {p.format} rows in {p.output}, from {counts['rows']} in {p.input}")
    for defect, n_rows in defects.most_common():
        print(f"warning: {n_rows} rows: {defect}", file=sys.stderr)
    return 0


def _convert(p: argparse.Namespace) -> tuple[int, Counter, Counter]:
    system = p.system_prompt
    if system and len(system) < 256 and Path(system).is_file():
        system = read_text(Path(system))
    counts, defects = Counter(), Counter()
    columns = {"prompt_column": p.in_prompt_column, "completion_column": p.in_completion_column, "stop": p.in_stop}
    rows = count_as_read(read_raft(read_rows(p.input, p.split), **columns), counts, defects)
    made = {"prompt_column": p.prompt_column, "completion_column": p.completion_column, "stop": p.stop}
    found = write_as(rows, p.format, system_prompt=system, **made)
    if (first := next(found, None)) is None:
        raise BadInput(f"{p.input}: no rows to write as {p.format}, from {counts['rows']} read; nothing was written")
    return write_rows(p.output, chain([first], found)), counts, defects


if __name__ == "__main__":
    sys.exit(main())
