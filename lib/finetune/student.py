"""The student before tuning: where its files are, its tokenizer, how much it can read."""

from dataclasses import dataclass
from pathlib import Path

from lib.finetune.rows import stop_ids
from lib.run import BadInput, read_json


@dataclass(frozen=True)
class Student:
    """The student's files and what training needs to know of them.

    Attributes:
        folder: Its files.
        tokenizer: Its tokenizer, with the chat template if it has one.
        stops: Ids that end a reply.
        context: Tokens that it can take.
        config: Its `config.json`.
    """

    folder: Path
    tokenizer: object
    stops: frozenset[int]
    context: int
    config: dict


def load_student(student_model: str) -> Student:
    """Find the student and load its tokenizer, not its weights.

    Raises:
        BadInput: It is not there, or its folder lacks weights.
    """
    from transformers import AutoTokenizer

    folder = find_student(student_model)
    if not list(folder.glob("*.safetensors")):
        raise BadInput(f"student_model {student_model}: expected weights as .safetensors in {folder}; there are none")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    config = read_json(folder / "config.json")
    if "max_position_embeddings" not in config:
        raise BadInput(
            f"student_model {student_model}: expected a decoder with max_position_embeddings in its config.json (Llama, Mistral, Qwen, …); "
            f"found {config.get('model_type')}"
        )
    generation = read_json(folder / "generation_config.json") if (folder / "generation_config.json").is_file() else {}
    return Student(folder, tokenizer, stop_ids(tokenizer, generation), config["max_position_embeddings"], config)


def find_student(student_model: str) -> Path:
    """Folder of the student: a local one, or a snapshot of the model of that name on its hub.

    Raises:
        BadInput: No such folder, and no hub has it or can be reached.
    """
    folder = Path(student_model)
    if (folder / "config.json").is_file():
        return folder
    if folder.exists() or student_model.count("/") != 1 or student_model.startswith((".", "/", "data/")):
        raise BadInput(
            f"student_model {student_model}: expected a folder with config.json, weights and tokenizer; there is none"
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(student_model, ignore_patterns=["*.pth", "*.bin", "original/*"]))
    except Exception as error:  # the hub's client raises a dozen kinds, httpx's among them
        raise BadInput(
            f"student_model {student_model}: no folder of that name, and its hub did not give it "
            f"({type(error).__name__}: {str(error).splitlines()[0]}); set student_model to a folder that holds the model"
        ) from None
