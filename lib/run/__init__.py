"""What every notebook opens first: parameters, the run's folder and manifest, progress, figures, supervised processes."""

from lib.run.errors import BadInput
from lib.run.figures import COLOURS, apply_style, show_figure
from lib.run.files import (
    file_hash,
    read_json,
    read_jsonl,
    text_hash,
    tree_hash,
    write_json,
    write_jsonl,
    write_text,
)  # fmt: skip
from lib.run.notebook import Run, open_run
from lib.run.progress import Progress, progress, say
from lib.run.supervise import Supervised, launch, stop_process

__all__ = [
    "COLOURS", "BadInput", "Progress", "Run", "Supervised", "apply_style", "file_hash", "launch", "open_run", "progress",
    "read_json", "read_jsonl", "say", "show_figure", "stop_process", "text_hash", "tree_hash", "write_json", "write_jsonl",
    "write_text",
]  # fmt: skip
