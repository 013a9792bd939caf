"""Tokens of a text, as the student's own tokenizer cuts it, where that lies on this machine; nothing is fetched."""

from collections.abc import Callable
from pathlib import Path

CHARS_A_TOKEN = 4  # of English, where there is no tokenizer to ask


def find_counter(student_model: str) -> Callable[[str], int] | None:
    """Counts tokens with the student's tokenizer, special ones apart; None where it is not here."""
    path = tokenizer_file(student_model)
    if path is None:
        return None
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def tokenizer_file(student_model: str) -> Path | None:
    """The student's `tokenizer.json`: in its folder, or in the model hub's cache."""
    path = Path(student_model) / "tokenizer.json"
    if path.is_file():
        return path
    if Path(student_model).exists() or student_model.count("/") != 1:
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        kept = try_to_load_from_cache(student_model, "tokenizer.json")
    except HFValidationError:
        return None
    return Path(kept) if isinstance(kept, str) else None
