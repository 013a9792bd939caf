"""What is wrong with RAFT rows, read as they stand in a file: nothing here knows how they were drawn."""

from collections import Counter
from collections.abc import Iterable, Mapping

from lib.llm.raft import REFUSAL, build_instruction, parse_reply, squeeze

DISAGREE = "context and instruction differ"
REPEATS = "a chunk is shown twice"
NO_ORACLE = "the oracle of its fields is not shown"
QUOTE = "a quote is not word for word in a shown chunk"
TWO_TAGS = "not one <ANSWER>: tag"
REFUSES = "a refusal keeps an oracle"


def row_defects(row: Mapping, refusal: str = REFUSAL) -> list[str]:
    """What is wrong with one row of the published schema; empty where nothing is.

    A row whose `cot_answer` refuses needs no tag and must name no oracle; a row without oracle has an empty `oracle_context`.
    """
    shown = [text for texts in row["context"]["sentences"] for text in texts]
    parsed = parse_reply(row["cot_answer"], refusal)
    flat = [squeeze(text) for text in shown]
    found = []
    if row["instruction"].rstrip() != build_instruction(shown, row["question"]).rstrip():
        found.append(DISAGREE)
    if len(set(flat)) < len(flat):
        found.append(REPEATS)
    if row["oracle_context"] and squeeze(row["oracle_context"]) not in flat:
        found.append(NO_ORACLE)
    if any(not any(squeeze(quote) in text for text in flat) for quote in parsed.quotes):
        found.append(QUOTE)
    is_refusal_row = row["kind"] == "refusal" if row.get("kind") else parsed.refused
    if is_refusal_row and row["oracle_context"]:
        found.append(REFUSES)
    if not parsed.refused and row["cot_answer"].count("<ANSWER>:") != 1:
        found.append(TWO_TAGS)
    return found


def count_defects(rows: Iterable[Mapping], refusal: str = REFUSAL) -> Counter:
    """How many rows have each defect."""
    return Counter(defect for row in rows for defect in row_defects(row, refusal))
