"""The funnel: what went into every stage, what came out, and a reason for everything that did not."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lib.gen.records import Drop


@dataclass(frozen=True)
class Step:
    """One stage: `kept` things of a kind, and the drops on the way; what went in is the sum of both."""

    name: str
    kept: int
    dropped: tuple[Drop, ...] = ()

    @property
    def came(self) -> int:
        """How many went in."""
        return self.kept + len(self.dropped)


def build_funnel(
    *,
    documents: int,
    chunks: int,
    asked: int,
    questions: int,
    answers: int,
    drops: Iterable[Drop],
    curated: int | None = None,
) -> list[Step]:
    """Line up the stages of generation.

    Args:
        documents: Documents read.
        chunks: Chunks cut from them and kept.
        asked: Chunks that the teacher was asked about.
        questions: Questions kept.
        answers: Answers that passed verification.
        drops: Everything dropped, of any stage.
        curated: Answers that the judge left; None where no judge was asked.

    Returns:
        The stages in order; what the last one keeps makes rows, and the eval set where that is generated.
    """
    by_stage: dict[str, list[Drop]] = {}
    for drop in drops:
        by_stage.setdefault(drop.stage, []).append(drop)

    last = tuple(drop for stage in ("contamination", "eval") for drop in by_stage.get(stage, ()))

    def step(name: str, kept: int, stage: str) -> Step:
        return Step(name, kept, tuple(by_stage.get(stage, ())))

    return [
        step("documents", documents, "load"),
        step("chunks", chunks, "chunk"),
        step("chunks with a question", asked - len(by_stage.get("ask", ())), "ask"),
        step("questions", questions, "question"),
        step("answers", answers, "answer"),
        *([] if curated is None else [step("worth training on", curated, "curate")]),
        Step("kept", (answers if curated is None else curated) - len(last), last),
    ]


def funnel_table(steps: Sequence[Step]):
    """One row per stage and one per reason below it: stage, reason, in, dropped, kept, example."""
    import pandas as pd

    rows = []
    for step in steps:
        rows.append(
            {
                "stage": step.name,
                "reason": "",
                "in": step.came,
                "dropped": len(step.dropped),
                "kept": step.kept,
                "example": "",
            }
        )
        for reason, n in Counter(drop.reason for drop in step.dropped).most_common():
            first = next(drop for drop in step.dropped if drop.reason == reason)
            example = " ".join((first.text or first.source).split())[:80]
            rows.append({"stage": "", "reason": reason, "in": "", "dropped": n, "kept": "", "example": example})
    return pd.DataFrame(rows)


def plot_funnel(steps: Sequence[Step]):
    """Draw the stages as bars, kept and dropped side by side, each with its counts."""
    from matplotlib import pyplot

    from lib.run import COLOURS

    figure, axes = pyplot.subplots(figsize=(7.2, 2.8))
    names = [step.name for step in steps]
    kept, lost = [step.kept for step in steps], [len(step.dropped) for step in steps]
    axes.barh(names, kept, color=COLOURS["teacher"], label="kept")
    axes.barh(names, lost, left=kept, color=COLOURS["refusal"], label="dropped")
    for row, step in enumerate(steps):
        text = f" {step.kept}" + (f"  (−{len(step.dropped)})" if step.dropped else "")
        axes.text(step.came, row, text, va="center", fontsize=9)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.14)
    axes.set(title="What became of the documents", xlabel="number kept (− dropped, reasons in the table)")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)  # above the bars: the longest ends anywhere
    return figure
