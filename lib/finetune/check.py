"""One check of a saved model, and reading its tensors."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Check:
    """One claim about the saved model: what was compared, what was found, whether it holds."""

    check: str
    found: str
    holds: bool


def named(text: str, names: Iterable[str]) -> str:
    """`text`, and the first of `names` for which it does not hold."""
    names = sorted(names)
    return text + (f"; not so: {', '.join(names[:5])}" + (" …" if len(names) > 5 else "") if names else "")


def open_tensors(folder: Path) -> dict:
    """Name → a function that reads that tensor, over all safetensors of a folder."""
    from safetensors import safe_open

    found = {}
    for shard in sorted(folder.glob("*.safetensors")):
        file = safe_open(shard, framework="pt")
        found |= {name: (lambda file=file, name=name: file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 (no mapping)
    return found
