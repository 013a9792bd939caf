"""Every parameter with type, default, help and the notebooks that use it: as text for `--help`, as a table for the README.

`python -m lib.run.help README.md` writes the table into the README; a test says when it is out of date.
"""

import sys
import textwrap
from pathlib import Path

from lib.run.errors import BadInput
from lib.run.files import write_text
from lib.run.params import Parameter, read_all


def users(parameters: dict[str, list[Parameter]]) -> dict[str, tuple[Parameter, str]]:
    """Parameters by name, in the order of the notebooks, each with the notebooks that have it (`1 2 4`)."""
    found: dict[str, tuple[Parameter, str]] = {}
    for notebook, declared in parameters.items():
        for parameter in declared:
            _, before = found.get(parameter.name, (parameter, ""))
            found[parameter.name] = (parameter, f"{before} {notebook.split('_')[0]}".strip())
    return found


def text_table(parameters: dict[str, list[Parameter]], width: int = 110) -> str:
    """The table that `--help` prints."""
    lines = []
    for parameter, notebooks in users(parameters).values():
        lines.append(
            f"  {parameter.name}: {parameter.type} = {_default(parameter)}   (notebook {notebooks.replace(' ', ', ')})"
        )
        lines += textwrap.wrap(parameter.help, width, initial_indent=" " * 8, subsequent_indent=" " * 8)
    return "\n".join(lines)


def markdown_table(parameters: dict[str, list[Parameter]]) -> str:
    """The same for the README, which a test compares with the notebooks."""
    rows = ["| parameter | type | default | notebooks | what it is |", "|---|---|---|---|---|"]
    for parameter, notebooks in users(parameters).values():
        help_text = parameter.help.replace("|", "\\|").replace("<", "&lt;")
        rows.append(
            f"| `{parameter.name}` | {parameter.type} | `{_default(parameter)}` | {notebooks.replace(' ', ', ')} | {help_text} |"
        )
    return "\n".join(rows)


def _default(parameter: Parameter) -> str:
    return f'"{parameter.default}"' if parameter.type == "str" else repr(parameter.default)


def write_into(page: Path, parameters: dict[str, list[Parameter]]) -> None:
    """Put the table between a page's `<!-- parameters -->` and `<!-- /parameters -->` lines."""
    head, begin, rest = page.read_text(encoding="utf-8").partition("<!-- parameters -->\n")
    _, end, tail = rest.partition("<!-- /parameters -->")
    if not (begin and end):
        raise BadInput(f"{page}: expected a line <!-- parameters --> and, below it, a line <!-- /parameters -->")
    write_text(page, f"{head}{begin}{markdown_table(parameters)}\n{end}{tail}")


if __name__ == "__main__":
    write_into(Path(sys.argv[1]), read_all())
