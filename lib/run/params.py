"""Parameters: read from the notebooks' parameters cells, checked against them, resolved with where each value came from.

The cells are the one place where a parameter's name, type, default and help live. This module knows no parameter by name.
"""

import ast
import contextlib
import difflib
import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml

from lib.run.errors import BadInput

NOTEBOOKS = ("1_gen", "2_finetune", "3_deploy", "4_eval")
TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list": list}


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: `name: type = default  # help`."""

    name: str
    type: str
    default: object
    help: str


@dataclass(frozen=True)
class Setting:
    """A resolved parameter: its value and where that came from (`cell`, a YAML file's name, `-y`, `--run`)."""

    name: str
    value: object
    origin: str
    help: str


def read_parameters(notebook: str | Path) -> list[Parameter]:
    """The parameters of one notebook, in the order of its cell tagged `parameters`.

    Raises:
        BadInput: No such cell, or a line in it that is not `name: type = literal`.
    """
    notebook = Path(notebook)
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        raise BadInput(f"{notebook.name}: expected one cell tagged 'parameters', found {len(tagged)}")
    source = "".join(tagged[0]["source"])
    lines = source.splitlines()
    try:
        nodes = ast.parse(source).body
    except SyntaxError as error:
        raise BadInput(f"{notebook.name}: its parameters cell is no Python: {error.msg} in line {error.lineno} of the cell") from None
    return [_parameter(notebook.name, node, lines) for node in nodes]


def _parameter(notebook: str, node: ast.stmt, lines: list[str]) -> Parameter:
    try:
        if not isinstance(node, ast.AnnAssign):
            raise ValueError
        name, kind, default = node.target.id, node.annotation.id, ast.literal_eval(node.value)
        if kind not in TYPES or type(default) is not TYPES[kind]:
            raise ValueError
    except (AttributeError, ValueError):
        raise BadInput(
            f"{notebook}: expected `name: type = literal` with a type of {', '.join(TYPES)}; "
            f"found `{lines[node.lineno - 1]}` in its parameters cell"
        ) from None
    comment = lines[node.end_lineno - 1].partition("  # ")[2]
    return Parameter(name, kind, default, comment.strip())


def read_all(folder: str | Path = ".") -> dict[str, list[Parameter]]:
    """The parameters of the four notebooks in `folder`, by notebook name (`1_gen`, …)."""
    return {name: read_parameters(Path(folder) / f"{name}.ipynb") for name in NOTEBOOKS}


def read_yaml(path: str | Path) -> dict:
    """The settings of a parameter file.

    Raises:
        BadInput: No such file, not YAML, not a flat mapping, or a name in it twice.
    """
    path = Path(path)
    if not path.is_file():
        near = sorted(str(p) for p in Path("parameters").glob("*.yaml"))
        raise BadInput(f"parameter file {path}: no such file; there are {', '.join(near) or 'none in parameters/'}")
    try:
        text = path.read_text(encoding="utf-8-sig")
        values = yaml.safe_load(text) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"parameter file {path}: cannot be read as UTF-8 text: {error}") from None
    except (yaml.YAMLError, ValueError) as error:  # the latter for a date such as 2026-13-45
        raise BadInput(f"parameter file {path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise BadInput(f"parameter file {path}: expected `name: value` lines, found a {type(values).__name__}")
    names = Counter(key.value for key, _ in yaml.compose(text, yaml.SafeLoader).value) if values else Counter()
    if twice := [name for name, n in names.items() if n > 1]:  # YAML would take the last one without a word
        raise BadInput(f"parameter file {path}: {', '.join(twice)} set more than once: leave one line")
    return values


def check_value(parameter: Parameter, value: object, origin: str) -> object:
    """`value` as the parameter's type.

    Whole numbers pass for floats. From YAML, text such as `1e-5` (which YAML 1.1 reads as text) passes for a float. What a list may
    hold is told by its default, where that holds something.

    Raises:
        BadInput: Any other type.
    """
    kind, expected = TYPES[parameter.type], parameter.type
    if kind is list and parameter.default and isinstance(value, list):
        within = type(parameter.default[0])
        kind, expected = (list if all(type(item) is within for item in value) else None), f"list of {within.__name__}"
    if kind is float and (type(value) is int or isinstance(value, str)):
        with contextlib.suppress(ValueError, OverflowError):
            value = float(value)
    if type(value) is kind and not (kind is float and not math.isfinite(value)):
        return value
    raise BadInput(
        f"{parameter.name} ({origin}): expected {expected}, for example {parameter.default!r}; "
        f"found {value!r}, a {type(value).__name__}"
    )


def parse_override(parameter: Parameter, text: str) -> object:
    """The value of `-y NAME TEXT`: text stays text for `str`; other types are read as YAML."""
    if parameter.type == "str":
        return text
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        value = text
    return check_value(parameter, value, "-y")


def resolve(
    parameters: dict[str, list[Parameter]], layers: list[tuple[str, dict]]
) -> tuple[dict[str, Setting], list[str]]:
    """Lay `layers` over the cells' defaults, the last one on top.

    Args:
        parameters: What the notebooks declare, by notebook.
        layers: (origin, {name: value}), in rising order of precedence.

    Returns:
        Settings by name, and every problem found, one line each (empty when all is well).
    """
    known = {p.name: p for declared in parameters.values() for p in declared}
    settings = {p.name: Setting(p.name, p.default, "cell", p.help) for p in known.values()}
    problems = []
    for origin, values in layers:
        for name, value in values.items():
            if name not in known:
                problems.append(unknown(str(name), known, origin))
                continue
            try:
                settings[name] = Setting(name, check_value(known[name], value, origin), origin, known[name].help)
            except BadInput as error:
                problems.append(str(error))
    return settings, problems


def unknown(name: str, known, origin: str) -> str:
    """The line for a key that no parameters cell has, with the nearest names."""
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.6)
    return f"{name} ({origin}): no such parameter; " + (
        f"did you mean {' or '.join(near)}?" if near else "`./run_all.sh --help` lists them all"
    )
