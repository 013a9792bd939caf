"""Replies within a row: where each begins and ends in its ids, and that it is served as it is trained."""

import re

from lib.run import BadInput

OPEN, CLOSE = "[INST]", "[/INST]"
_REPLY = re.compile(re.escape(CLOSE) + r"(.*?)(?=\s*" + re.escape(OPEN) + r"|\s*\Z)", re.DOTALL)


def split_text(text: str, tokenizer, place: str) -> tuple[str, str, list[int], list[int], tuple[tuple[int, int], ...]]:
    """Take a conversation in one text apart: `[INST] question [/INST] reply [INST] question [/INST] reply`.

    A reply reaches from `[/INST]` to the next `[INST]` or the end; a server is sent everything up to its `[/INST]`.

    Returns:
        The last prompt, the last reply, the ids of that prompt, all ids, and the spans of the earlier replies.

    Raises:
        BadInput: No reply, an empty one, or one whose tokens reach beyond it.
    """
    text = text.rstrip()
    replies = [match.span(1) for match in _REPLY.finditer(text)]
    if not replies or text.count(CLOSE) != text.count(OPEN):
        raise BadInput(
            f"{place}: expected text with {OPEN} … {CLOSE} before every reply; found {text.count(OPEN)} {OPEN} and {text.count(CLOSE)} "
            f"{CLOSE}. Plain text has no reply to learn: mark the questions so, or set dataset_format to chat or completion"
        )
    if not tokenizer.is_fast:
        raise BadInput(f"{place}: text rows need a fast tokenizer, which tells where tokens begin; set dataset_format to chat")
    encoded = tokenizer(text, return_offsets_mapping=True)
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    spans = [_span(text, start, end, offsets, place) for start, end in replies]
    for (start, _), (first, _) in zip(replies, spans, strict=True):
        prompt_ids = _without_end(tokenizer(text[:start])["input_ids"], tokenizer)
        check_prefix(prompt_ids, ids[:first], tokenizer, place)
    start, end = replies[-1]
    return text[:start], text[start:end], list(ids[: spans[-1][0]]), list(ids), tuple(spans[:-1])


def _span(text: str, start: int, end: int, offsets: list[tuple[int, int]], place: str) -> tuple[int, int]:
    """First and last+1 token of `text[start:end]`; blanks at its ends may belong to a neighbour."""
    inner = [i for i, (a, b) in enumerate(offsets) if a < end and b > start and b > a]
    if not text[start:end].strip() or not inner:
        raise BadInput(f"{place}: expected a reply after every {CLOSE}; one is empty")
    first, last = offsets[inner[0]], offsets[inner[-1]]
    if text[first[0] : start].strip() or text[end : last[1]].strip():
        raise BadInput(
            f"{place}: a token reaches over the border of a reply ({text[first[0] : first[1]]!r} … {text[last[0] : last[1]]!r}); "
            f"put a blank on both sides of {OPEN} and {CLOSE}"
        )
    return inner[0], inner[-1] + 1


def _without_end(ids: list[int], tokenizer) -> list[int]:
    return ids[:-1] if ids and ids[-1] == tokenizer.eos_token_id else ids


def earlier_replies(messages: list[dict], prompt_ids: list[int], tokenizer, stops: frozenset[int], place: str) -> tuple:
    """Spans in `prompt_ids` of the assistant's messages before the last one, each with its stop token.

    Raises:
        BadInput: A template that renders an earlier reply otherwise than it was served, so that it cannot be learnt as such.
    """
    spans = []
    for i, message in enumerate(messages[:-1]):
        if message.get("role") != "assistant":
            continue
        served = tokenizer.apply_chat_template(messages[:i], add_generation_prompt=True, return_dict=False)
        closed = tokenizer.apply_chat_template(messages[: i + 1], return_dict=False)
        turn = f"{place}, message {i + 1}"
        check_prefix(served, prompt_ids, tokenizer, turn)
        reply = up_to_stop(closed[len(served) :], tokenizer, stops, turn)
        check_prefix([*served, *reply], prompt_ids, tokenizer, turn)
        spans.append((len(served), len(served) + len(reply)))
    return tuple(spans)


def check_prefix(prompt_ids: list[int], ids: list[int], tokenizer, place: str) -> None:
    """See that a prompt as served is the beginning of its row as trained.

    Raises:
        BadInput: It is not; shows where they part.
    """
    same = next((i for i, (a, b) in enumerate(zip(prompt_ids, ids)) if a != b), min(len(prompt_ids), len(ids)))  # noqa: B905
    if same < len(prompt_ids):
        raise BadInput(
            f"{place}: the prompt as it will be served is not the beginning of the row as it would be trained; at token {same} "
            f"serving has {tokenizer.decode(prompt_ids[same : same + 8])!r}, training {tokenizer.decode(ids[same : same + 8])!r}. "
            "Use a chat template that renders a prompt alike in both, or end a completion prompt at a token's border (a newline)"
        )


def up_to_stop(completion: list[int], tokenizer, stops: frozenset[int], place: str) -> list[int]:
    """Cut what a template writes after the stop token (a newline, mostly): no server ever gets that far.

    Raises:
        BadInput: There is no stop token.
    """
    end = next((i for i in range(len(completion) - 1, -1, -1) if completion[i] in stops), None)
    if end is None or tokenizer.decode(completion[end + 1 :], skip_special_tokens=True).strip():
        raise BadInput(
            f"{place}: expected the answer to end with a stop token ({', '.join(tokenizer.convert_ids_to_tokens(sorted(stops)))}) "
            f"inside the loss; it ends {tokenizer.decode(completion[-8:])!r}. A student trained on it would never stop: use a chat "
            "template that closes the assistant's turn, or list the token that closes it in generation_config.json"
        )
    return completion[: end + 1]
