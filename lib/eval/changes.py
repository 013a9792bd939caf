"""Which questions one system gained or lost most against another: the student against its baseline, question by question."""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.eval.conditions import CLOSED_BOOK, RAG
from lib.eval.summary import is_main, systems_of


@dataclass(frozen=True)
class Change:
    """One question that both systems were asked.

    Attributes:
        right: +1 where only the first is right (or rightly refuses), -1 where only the second is, 0 where they agree.
        f1: First's token F1 with the reference minus the second's; 0 for a question without an answer.
        first, second: (outcome, answer) of each.
    """

    question_id: str
    right: int
    f1: float
    first: tuple[str, str]
    second: tuple[str, str]


def compared_systems(scores: Sequence[dict]) -> tuple[str, str] | None:
    """Student and baseline, or the first two systems asked; None where only one was."""
    systems = systems_of(scores)
    if {"student", "baseline"} <= set(systems):
        return "student", "baseline"
    return (systems[0], systems[1]) if len(systems) > 1 else None


def find_changes(scores: Sequence[dict], answers: Sequence[dict], pair: tuple[str, str], top_k: int) -> list[Change]:
    """Every question at this top_k (0: closed book) by what the first gained: verdict first, then F1; the greatest gain first.

    Args:
        scores, answers: Rows in the same order.
        pair: (first, second) of `compared_systems`.
        top_k: Passages shown.
    """
    asked = (RAG, top_k) if top_k else (CLOSED_BOOK, 0)
    held: dict[str, dict[str, tuple[dict, str]]] = {}
    for score, answer in zip(scores, answers, strict=True):
        if is_main(score) and (score["condition"], score["top_k"]) == asked and score["system"] in pair:
            held.setdefault(score["question_id"], {})[score["system"]] = (score, answer["answer"])
    changes = [_change(key, *(found[system] for system in pair)) for key, found in held.items() if len(found) == 2]
    return sorted(changes, key=lambda change: (-change.right, -change.f1, change.question_id))


def best_and_worst(changes: Sequence[Change], limit: int = 10) -> tuple[list[Change], list[Change]]:
    """The greatest gains, greatest first, and the greatest losses, greatest first; what did not change is in neither."""
    gains = [change for change in changes if (change.right, change.f1) > (0, 0.0)]
    losses = [change for change in reversed(changes) if (change.right, change.f1) < (0, 0.0)]
    return gains[:limit], losses[:limit]


def _change(key: str, first: tuple[dict, str], second: tuple[dict, str]) -> Change:
    (a, said), (b, other) = first, second
    f1 = (a["f1"] or 0.0) - (b["f1"] or 0.0)
    return Change(key, _good(a) - _good(b), round(f1, 6), (a["outcome"], said), (b["outcome"], other))


def _good(row: dict) -> bool:
    return row["judge"] is True if row["answerable"] else row["refused"] and not row["failed"]
