"""How many questions each chunk is asked, in which style and of which difficulty: whole numbers, decided before anything is asked."""

import math
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lib.gen.prompt import known_prompts
from lib.gen.records import API, Chunk
from lib.run import BadInput

API_STYLE = "api"


@dataclass(frozen=True)
class Ask:
    """One request for questions: `n` about a chunk; style and difficulty name prompt files, empty for none."""

    chunk: Chunk
    n: int
    style: str = "default"
    difficulty: str = ""


def plan_asks(
    chunks: Sequence[Chunk],
    *,
    questions_per_chunk: int,
    rng: random.Random,
    question_budget: int = 0,
    question_style: str = "default",
    question_difficulty: str = "",
) -> list[Ask]:
    """Decide what every chunk is asked.

    Args:
        chunks: In order.
        questions_per_chunk: Questions of each, where there is no budget.
        rng: The only source of chance: who gets the odd question, and which style.
        question_budget: Questions in all, spread over the chunks by their length; 0 for `questions_per_chunk` each.
        question_style: A style, or several with their shares of the chunks: `default 0.5, search 0.5`. API records
            have a style of their own.
        question_difficulty: The same for difficulty; empty leaves it to the teacher.

    Returns:
        One `Ask` for each chunk that gets a question, in chunk order.
    """
    counts = [questions_per_chunk] * len(chunks)
    if question_budget:
        counts = spread([float(chunk.n_chars) for chunk in chunks], question_budget, rng)
    styles = deal(parse_shares("question_style", question_style), len(chunks), rng)
    levels = deal(parse_shares("question_difficulty", question_difficulty), len(chunks), rng)
    return [
        Ask(chunk, n, API_STYLE if chunk.type == API else style, level)
        for chunk, n, style, level in zip(chunks, counts, styles, levels, strict=True)
        if n
    ]


def spread(weights: Sequence[float], total: int, rng: random.Random) -> list[int]:
    """Share `total` out in proportion to weights: each gets its part rounded down, the largest remainders one more, ties by lot.

    Returns:
        Whole numbers that add up to `total`, each within one of its exact part.
    """
    whole = math.fsum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [total * weight / whole for weight in weights]
    counts = [int(part + 1e-9) for part in parts]
    lots = [rng.random() for _ in parts]
    order = sorted(range(len(parts)), key=lambda i: (round(counts[i] - parts[i], 9), lots[i]))
    for i in order[: total - sum(counts)]:
        counts[i] += 1
    return counts


def deal(shares: Sequence[tuple[str, float]], n: int, rng: random.Random) -> list[str]:
    """`n` names in random order, each as often as its share says, to the nearest whole number."""
    if len(shares) < 2:  # nothing to draw: the run's chance stays where it was
        return [shares[0][0] if shares else ""] * n
    counts = spread([share for _, share in shares], n, rng)
    names = [name for (name, _), count in zip(shares, counts, strict=True) for _ in range(count)]
    rng.shuffle(names)
    return names


def parse_shares(parameter: str, text: str) -> list[tuple[str, float]]:
    """Read `search` or `default 0.5, search 0.5`.

    Raises:
        BadInput: A form other than these, or shares that do not add up to 1.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    found = []
    for part in parts:
        match = re.fullmatch(r"(\w+)(?:\s+(\d*\.?\d+))?", part)
        if not match or (match[2] is None and len(parts) > 1):
            raise BadInput(
                f"{parameter}: expected a name, or names with shares such as 'default 0.5, search 0.5', found {text!r}"
            )
        found.append((match[1], float(match[2]) if match[2] else 1.0))
    if found and abs(sum(share for _, share in found) - 1) > 1e-6:
        raise BadInput(f"{parameter}: expected shares that add up to 1, found {text!r}")
    return found


def check_shares(parameter: str, text: str, folder: str = "") -> None:
    """Refuse a style or difficulty that no prompt file describes.

    Raises:
        BadInput: Names those that there are.
    """
    kind = parameter.removeprefix("question_") + "_"
    offered = {name.removeprefix(kind) for name in known_prompts(folder) if name.startswith(kind)}
    offered |= {"default"} if kind == "style_" else set()
    for name, _ in parse_shares(parameter, text):
        if name not in offered:
            raise BadInput(
                f"{parameter}: expected one of {', '.join(sorted(offered))}, found {name!r}; {kind}{name}.txt in prompts_dir would add it"
            )


def asks_table(asks: Sequence[Ask]):
    """What is asked: style, difficulty, chunks, questions asked for."""
    import pandas as pd

    chunks, wanted = Counter(), Counter()
    for ask in asks:
        chunks[ask.style, ask.difficulty] += 1
        wanted[ask.style, ask.difficulty] += ask.n
    rows = [
        {"style": style, "difficulty": level or "as it comes", "chunks": n, "questions asked for": wanted[style, level]}
        for (style, level), n in chunks.items()
    ]
    return pd.DataFrame(rows)
