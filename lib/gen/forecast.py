"""What the asks of a run come to before any is made: calls and tokens of teacher and judge, at most."""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.gen.answers import prompt_for
from lib.gen.conversations import CONVERSATION
from lib.gen.prompt import read_prompt
from lib.gen.quota import Ask
from lib.gen.records import Chunk
from lib.gen.summaries import SUMMARY
from lib.run.tokens import CHARS_A_TOKEN

QUESTION_TOKENS = 30  # of a written question, in the reply
ANSWER_TOKENS = 120  # reasoning, quote and answer
TALK_TOKENS = 250  # a reply in a conversation, or a summary
VERDICT_TOKENS = 60


@dataclass(frozen=True)
class Forecast:
    """Calls and tokens at most, repairs aside; `n_answers` questions are asked for in all, of which some are for train and valid."""

    calls: int
    prompt_tokens: int
    reply_tokens: int
    judge_calls: int
    judge_prompt_tokens: int
    judge_reply_tokens: int
    n_answers: int
    n_train: int
    n_valid: int
    note: str


def forecast(
    asks: Sequence[Ask], *, recipe: str, n_wanted: int = 0, curate: bool = False, folder: str = ""
) -> Forecast:
    """Add up what asks come to.

    Args:
        asks: What each chunk is asked.
        recipe: Decides the prompts.
        n_wanted: Verified answers to train chunks after which to stop; 0 for all.
        curate: Whether a judge reads every pair.
        folder: The user's prompts.
    """
    n_test, n_valid = (sum(ask.n for ask in asks if ask.chunk.split == split) for split in ("test", "valid"))
    n_train = sum(ask.n for ask in asks) - n_test - n_valid
    share = (
        min(1.0, n_wanted / n_train) if n_wanted and n_train else 1.0
    )  # of the chunks that will be asked, at best
    calls = prompt = reply = answers = pair_tokens = 0
    for ask in asks:
        text = ask.chunk.n_chars // CHARS_A_TOKEN
        answers += ask.n
        pair_tokens += ask.n * (text + _tokens("curate", folder) + QUESTION_TOKENS + ANSWER_TOKENS // 2)
        if ask.style == CONVERSATION:  # each turn carries all before it
            calls, reply = calls + ask.n, reply + ask.n * TALK_TOKENS
            prompt += ask.n * (text // 2 + _tokens(CONVERSATION, folder) + (ask.n - 1) * TALK_TOKENS // 2) + text // 2
        elif ask.style == SUMMARY:
            calls, reply = calls + 1, reply + TALK_TOKENS
            prompt += text + _tokens(SUMMARY, folder) + QUESTION_TOKENS
        else:
            head = _tokens("questions_api" if ask.style == "api" else "questions", folder)
            answer_head = _tokens(prompt_for(ask.chunk, recipe), folder)
            calls, reply = calls + 1 + ask.n, reply + ask.n * (QUESTION_TOKENS + ANSWER_TOKENS)
            prompt += head + text + ask.n * (text + answer_head + QUESTION_TOKENS)
    talks = bool(asks) and asks[0].style in (CONVERSATION, SUMMARY)
    note = (
        "at most: one a turn or summary"
        if talks
        else "at most, repairs aside: a question request a chunk, an answer request a question"
    )
    if share < 1:
        note += f"; scaled to the {n_wanted} answers wanted, if nearly all pass"
    judged = answers if curate else 0
    parts = (calls, prompt, reply, judged, judged and pair_tokens, judged * VERDICT_TOKENS, answers, n_train, n_valid)
    return Forecast(*(round(part * share) for part in parts), note)


def row_tokens(asks: Sequence[Ask], chunks: Sequence[Chunk], *, recipe: str, n_shown: tuple[int, int]) -> tuple[int, int]:
    """Tokens of a usual and of the longest training row, its system prompt apart.

    Args:
        asks: What each chunk is asked.
        chunks: What a RAFT row may show.
        recipe: Decides what stands in a row.
        n_shown: Fewest and most chunks of a RAFT row.
    """
    asks = [ask for ask in asks if ask.chunk.split not in ("test", "valid")] or asks
    lengths = [chunk.n_tokens for chunk in chunks]
    pair = QUESTION_TOKENS + ANSWER_TOKENS
    passages = (0, 0) if recipe == "qa" else (sum(n_shown) / 2 * sum(lengths) / len(lengths), n_shown[1] * max(lengths))
    total, longest = 0.0, 0
    for ask in asks:
        if ask.style == CONVERSATION:  # a row a turn, each with all before it
            last = ask.chunk.n_tokens + ask.n * TALK_TOKENS
            usual = last * (ask.n + 1) / (2 * ask.n)
        elif ask.style == SUMMARY:
            usual = last = ask.chunk.n_tokens + QUESTION_TOKENS + TALK_TOKENS
        else:
            usual, last = (held + pair for held in passages)
        total, longest = total + ask.n * usual, max(longest, last)
    return round(total / sum(ask.n for ask in asks)), longest


def _tokens(prompt: str, folder: str) -> int:
    return len(read_prompt(prompt, folder)) // CHARS_A_TOKEN
