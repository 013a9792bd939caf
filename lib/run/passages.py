"""How many passages the rows of training show: the oracle and its distractors, or one distractor more in its place."""

from collections.abc import Mapping


def passages_shown(parameters: Mapping) -> range:
    """The numbers of passages that rows show, each equally often, by `n_distractors` and `max_distractors`; empty where no rows are made of passages."""
    fewest = parameters.get("n_distractors")
    return range(0) if fewest is None else range(fewest + 1, max(fewest, parameters.get("max_distractors", 0)) + 2)


def most_passages(parameters: Mapping, otherwise: int) -> int:
    """The passages of the widest row; `otherwise` where the parameters tell none."""
    return max(passages_shown(parameters), default=otherwise)
