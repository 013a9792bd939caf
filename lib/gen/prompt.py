"""The teacher's prompts: text files that a user may edit in place or lay over from a folder of their own.

Places like `{chunk}` are filled in. The text that results is part of the request, and so of the key under which its reply is
stored: an edited prompt is asked anew, an untouched one never. What is the same for every request stands first, then the
chunk, then the question, so that a server with a prefix cache reads the chunk once for all of its questions. Questions and
answers keep prompts of their own: one prompt for both would share one chunk more, at the price of asking everything again
after an edit of either, and of carrying both instructions in every request to a server without such a cache.
"""

import difflib
import re
from pathlib import Path

from lib.llm.raft import REFUSAL
from lib.run import BadInput, text_hash
from lib.run.decode import decode_file

FOLDER = Path(__file__).parent / "prompts"
CUT = "\n---\n"  # between the system message and the user's, in a prompt file that has both
PLACES = {
    "questions": ("chunk", "n"), "questions_api": ("chunk", "n"), "repair": ("problem",), "language": ("language",),
    "curate": ("chunk", "question", "answer"), "summary": ("chunk", "instruction"),
}  # fmt: skip
_FREE = ("style_", "difficulty_")  # a user's folder may bring more of these


def read_prompt(name: str, folder: str = "") -> str:
    """Text of `<name>.txt` in the user's folder, else in `prompts/`; the refusal sentence filled in."""
    own = Path(folder) / f"{name}.txt"
    path = own if folder and own.is_file() else FOLDER / f"{name}.txt"
    return read_text(path).replace("{refusal}", REFUSAL)


def read_text(path: Path) -> str:
    """Text of a file that a user wrote, whatever its encoding and line ends."""
    return decode_file(path).replace("\r\n", "\n").strip()


def read_parts(name: str, folder: str = "") -> tuple[str, str]:
    """The system message and the template of the user's message of a prompt file that has both."""
    system, _, user = read_prompt(name, folder).partition(CUT)
    return system.strip(), user.strip()


def fill(template: str, **values: object) -> str:
    """Put values in the `{places}` of a template, in one pass: braces inside a value stay what they are."""
    return re.sub(r"\{(\w+)\}", lambda place: str(values.get(place[1], place[0])), template)


def prompt_hash(*names: str, folder: str = "") -> str:
    """First 16 digits of the hash of one or more prompt files: part of what says how a question was made."""
    return text_hash("\0".join(read_prompt(name, folder) for name in names))[:16]


def known_prompts(folder: str = "") -> set[str]:
    """Names of all prompt files, those of the user's folder among them."""
    folders = [FOLDER, Path(folder)] if folder else [FOLDER]
    return {path.stem for where in folders for path in where.glob("*.txt")}


def check_prompts(folder: str) -> None:
    """Refuse a folder of prompts that would not do what its owner thinks.

    Raises:
        BadInput: No such folder, a file that nothing reads, or a template without one of its places.
    """
    if not folder:
        return
    if not Path(folder).is_dir():
        raise BadInput(f"prompts_dir: expected a folder of prompt files or an empty text, found {folder!r}")
    offered = known_prompts()
    for path in sorted(Path(folder).glob("*.txt")):
        if path.stem not in offered and not path.stem.startswith(_FREE):
            near = difflib.get_close_matches(path.stem, offered, 1)
            hint = f"did you mean {near[0]}.txt?" if near else f"known are {', '.join(sorted(offered))}"
            raise BadInput(f"prompts_dir: nothing reads {path}; {hint}")
        text = read_text(path)
        missing = [f"{{{place}}}" for place in PLACES.get(path.stem, ()) if f"{{{place}}}" not in text]
        if not text:
            missing.append("any text")
        if len(PLACES.get(path.stem, ())) > 1 and CUT not in text:
            missing.append("a line '---' between the system message and the user's")
        if missing:
            raise BadInput(f"prompts_dir: {path} lacks {', '.join(missing)}; begin from {FOLDER / path.name}")


def system_prompt(setting: str, folder: str = "") -> str:
    """What every row, and later every evaluated system, is told: `default`, `none`, or the text of a file.

    Raises:
        BadInput: No such file.
    """
    if setting == "none":
        return ""
    if setting == "default":
        return read_prompt("system", folder)
    path = Path(setting)
    if not path.is_file():
        raise BadInput(f"system_prompt: expected 'default', 'none' or a text file, found {setting!r}")
    return read_text(path)
