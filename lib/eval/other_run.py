"""A system called `run:NAME`: the student of another run, whose own answers are taken instead of asking it again."""

from pathlib import Path

from lib.run import BadInput
from lib.run.manifest import read_manifest

OTHER_RUN = "run:"


def other_run(system: str, runs: Path) -> Path | None:
    """The folder of the run that a system is the student of, or None for a system that is asked here."""
    return runs / system.removeprefix(OTHER_RUN) if system.startswith(OTHER_RUN) else None


def find_answers(folder: Path, *, max_tokens: int, temperature: float, system: str = "") -> Path:
    """Another run's `eval/answers.jsonl`.

    Args:
        folder: The other run's folder.
        max_tokens, temperature: How is decoded here.
        system: Its name here; default `run:` and the folder's name.

    Raises:
        BadInput: The run has no answers, or decoded otherwise.
    """
    name, path = system or f"{OTHER_RUN}{folder.name}", folder / "eval" / "answers.jsonl"
    if not path.is_file():
        raise BadInput(f"systems: {name}: expected {path}; run 4_eval.ipynb with run = {folder.name!r} first")
    theirs = read_manifest(folder / "run.json")["parameters"]["4_eval"]
    decoded = (theirs["max_reply_tokens"], theirs.get("answer_temperature", 0.0))
    if decoded != (max_tokens, temperature):
        raise BadInput(
            f"systems: {name}: its answers have max_reply_tokens and answer_temperature {decoded}, here they are {(max_tokens, temperature)}; "
            "run both with the same"
        )
    return path
