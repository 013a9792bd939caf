"""Training rows as token ids: what the student reads, and what it is taught to write.

`dataset/train.jsonl` → `training/rows.npz`. Everything that a trainer might shorten, drop or mask without a word is an
error here, before a step is taken. The trainer reads the ids as they stand and renders nothing itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lib.finetune import turns
from lib.run import BadInput, text_hash


@dataclass(frozen=True)
class Row:
    """One row: its ids as served, `prompt_ids`, and the ids of its last reply, `completion_ids`, stop token last.

    Attributes:
        row_id: Made from the row's content.
        prompt: What a server is sent: messages, or a text.
        earlier: Beginnings and ends of the replies in `prompt_ids`, which are in the loss as well; in the order of the ids.
    """

    row_id: str
    prompt: str | tuple[dict, ...]
    prompt_ids: tuple[int, ...]
    completion_ids: tuple[int, ...]
    earlier: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.prompt_ids) + len(self.completion_ids)

    def learnt(self) -> np.ndarray:
        """Which of all ids are in the loss, bool `(n_tokens,)`."""
        mask = np.arange(len(self)) >= len(self.prompt_ids)
        for start, end in self.earlier:
            mask[start:end] = True
        return mask


def stop_ids(tokenizer, generation_config: dict) -> frozenset[int]:
    """Ids that end a reply: the tokenizer's end of sequence and all that `generation_config.json` lists."""
    ids = generation_config.get("eos_token_id")
    ids = [] if ids is None else ids if isinstance(ids, list) else [ids]
    return frozenset(i for i in (tokenizer.eos_token_id, *ids) if i is not None)


def encode_rows(rows: Iterable[dict], tokenizer, stops: frozenset[int], name: str = "train.jsonl") -> list[Row]:
    """Tokenise every row.

    Args:
        rows: `{"messages": […]}` ending with the assistant's, `{"prompt", "completion"}`, or `{"text"}` with `[INST] … [/INST]`
            before every reply. Every reply of a conversation is in the loss, and nothing else.
        tokenizer: The student's.
        stops: Ids that end a reply (`stop_ids`).
        name: What the rows come from, for messages.

    Returns:
        As many rows, in the same order.

    Raises:
        BadInput: A row of another form, one whose prompt is not the beginning of its training rendering, one that loses
            a part of its answer, or one whose answer is not followed by a stop token inside the loss.
    """
    encoded = [_encode(row, tokenizer, stops, f"{name}, row {number}") for number, row in enumerate(rows, 1)]
    if not encoded:
        raise BadInput(f"{name}: expected rows to train on; it is empty")
    return encoded


def _encode(row: dict, tokenizer, stops: frozenset[int], place: str) -> Row:
    earlier = ()
    if "messages" in row:
        prompt, answer, prompt_ids, ids = _render_chat(row["messages"], tokenizer, place)
    elif "text" in row:
        prompt, answer, prompt_ids, ids, earlier = turns.split_text(row["text"], tokenizer, place)
        if not ids or ids[-1] not in stops:
            ids = [*ids, tokenizer.eos_token_id]
    elif "prompt" in row and "completion" in row:
        prompt, answer = row["prompt"], row["completion"]
        prompt_ids, ids = tokenizer(prompt)["input_ids"], tokenizer(prompt + answer)["input_ids"]
        if not ids or ids[-1] not in stops:
            ids = [*ids, tokenizer.eos_token_id]
    else:
        raise BadInput(
            f"{place}: expected `messages`, `prompt` and `completion`, or `text`; found {', '.join(row) or 'nothing'}"
        )
    if not answer.strip():
        raise BadInput(f"{place}: expected an answer to learn; it is empty")
    turns.check_prefix(prompt_ids, ids, tokenizer, place)
    completion = turns.up_to_stop(ids[len(prompt_ids) :], tokenizer, stops, place)
    _check_answer(answer, completion, tokenizer, place)
    if "messages" in row:
        earlier = turns.earlier_replies(row["messages"], prompt_ids, tokenizer, stops, place)
    return Row(text_hash(f"{prompt!r}\0{answer}")[:16], prompt, tuple(prompt_ids), tuple(completion), earlier)


def _render_chat(messages: list[dict], tokenizer, place: str) -> tuple:
    if not messages or messages[-1].get("role") != "assistant":
        raise BadInput(f"{place}: expected the last message to be the assistant's, which is what is learnt")
    if not tokenizer.chat_template:
        raise BadInput(
            f"{place}: messages need a chat template and the student's tokenizer has none; set dataset_format to completion"
        )
    prompt = tuple(messages[:-1])
    prompt_ids = tokenizer.apply_chat_template(list(prompt), add_generation_prompt=True, return_dict=False)
    ids = tokenizer.apply_chat_template(messages, return_dict=False)
    return prompt, messages[-1]["content"], prompt_ids, ids


def _check_answer(answer: str, completion: list[int], tokenizer, place: str) -> None:
    text = tokenizer.decode(completion)
    if _squeeze(answer) not in _squeeze(text):
        raise BadInput(
            f"{place}: the rendered row does not hold its whole answer. The answer ends {answer[-60:]!r}, the rendering "
            f"{text[-60:]!r}. The tokenizer or the chat template drops a part of it; use another"
        )


def _squeeze(text: str) -> str:
    # Templates trim answers and SentencePiece moves blanks; neither loses a token of the answer.
    return "".join(text.split())


def longest_allowed(rows: Sequence[Row], max_length: int, context: int, name: str = "train.jsonl") -> int:
    """The length to train at.

    Args:
        rows: Every row.
        max_length: Tokens asked for; 0 for the longest row.
        context: Tokens that the student can take.

    Raises:
        BadInput: A row is longer, so that tokens of its answer would be lost.
    """
    longest = max(map(len, rows))
    limit = min(max_length or longest, context)
    over = [row for row in rows if len(row) > limit]
    if over:
        what = f"max_length = {max_length}" if limit == max_length else f"the student's context of {context} tokens"
        raise BadInput(
            f"{name}: {len(over)} of {len(rows)} rows are longer than {what} and would lose tokens of their answer (the longest has "
            f"{longest}); "
            + ("raise max_length, or set it to 0" if limit == max_length else "lower chunk_chars or n_distractors")
        )
    return limit


def save_rows(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows as flat arrays (`ids` and `learnt`: (n_tokens,), `ends` and `prompts`: (n_rows,)), the prompts' texts left out."""
    ids = np.concatenate([np.asarray([*row.prompt_ids, *row.completion_ids], dtype=np.int32) for row in rows])
    ends = np.cumsum([len(row) for row in rows])
    prompts = np.asarray([len(row.prompt_ids) for row in rows], dtype=np.int32)
    learnt = np.concatenate([row.learnt() for row in rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial.npz")
    np.savez(partial, ids=ids, ends=ends, prompts=prompts, learnt=learnt)
    partial.replace(path)
    return path


def load_rows(path: Path) -> list[tuple[np.ndarray, int]]:
    """Read `save_rows`: per row its ids and the length of its prompt."""
    with np.load(path) as file:
        ids, ends, prompts = file["ids"], file["ends"], file["prompts"]
    return [(part, int(n)) for part, n in zip(np.split(ids, ends[:-1]), prompts, strict=True)]


def load_labels(path: Path) -> list[np.ndarray]:
    """Read `save_rows`: per row its labels, -100 where an id is not in the loss."""
    with np.load(path) as file:
        labels = np.where(file["learnt"], file["ids"], -100)
        return np.split(labels, file["ends"][:-1])
