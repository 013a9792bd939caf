import json
import re

import pytest

from lib.run import BadInput
from lib.run.help import markdown_table, text_table
from lib.run.params import Parameter, check_value, parse_override, read_all, read_parameters, read_yaml, resolve


def notebook(tmp_path, source):
    cell = {"cell_type": "code", "source": source.splitlines(keepends=True), "metadata": {"tags": ["parameters"]}}
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": [{"source": "x = 1", "metadata": {}}, cell]}))
    return tmp_path / "n.ipynb"


def test_a_cell_is_read_with_type_default_and_help(tmp_path):
    source = 'a: str = "#1"  # a name, not a number\nb: list = [3, 5]  # widths\nc: float = 1e-5\nd: int = -1  # n'
    assert read_parameters(notebook(tmp_path, source)) == [
        Parameter("a", "str", "#1", "a name, not a number"),
        Parameter("b", "list", [3, 5], "widths"),
        Parameter("c", "float", 1e-5, ""),
        Parameter("d", "int", -1, "n"),
    ]


@pytest.mark.parametrize("line", ["a = 1", "a: int = 1.5", "a: int | None = None", "a: str = str(1)", "print(1)", "a: bool = 1"])
def test_a_line_that_is_no_typed_literal_is_refused_and_shown(tmp_path, line):
    with pytest.raises(BadInput, match="name: type = literal") as error:
        read_parameters(notebook(tmp_path, line))
    assert line in str(error.value)


def test_a_cell_that_is_no_python_is_named_with_the_line(tmp_path):
    with pytest.raises(BadInput, match=r"parameters cell is no Python: .* in line 2 of the cell"):
        read_parameters(notebook(tmp_path, 'a: int = 1\nb: str = "C:\\Users"'))


def test_whole_numbers_and_exponents_pass_for_floats_and_nothing_else_is_bent():
    rate = Parameter("rate", "float", 0.1, "")
    assert check_value(rate, 1, "-y") == 1.0
    assert check_value(rate, "1e-5", "x.yaml") == 1e-5
    for kind, value in [("int", 1.0), ("int", True), ("int", "3"), ("str", 3), ("bool", 0), ("bool", "False"), ("list", "1")]:
        with pytest.raises(BadInput, match=f"expected {kind}"):
            check_value(Parameter("p", kind, None, ""), value, "x.yaml")
    for value in ("fast", "nan", float("inf")):
        with pytest.raises(BadInput, match="expected float"):
            check_value(rate, value, "-y")


def test_a_list_holds_what_its_default_holds():
    systems = Parameter("systems", "list", ["student"], "")
    assert check_value(systems, ["teacher", "student"], "-y") == ["teacher", "student"]
    for value in ([1, 2], [None], [["student"]]):
        with pytest.raises(BadInput, match=r"systems \(-y\): expected list of str, for example \['student'\]"):
            check_value(systems, value, "-y")
    assert check_value(Parameter("hosts", "list", [], ""), ["a", 1], "-y") == ["a", 1]


def test_an_override_is_text_for_str_and_yaml_for_the_rest():
    assert parse_override(Parameter("run", "str", "", ""), "42") == "42"
    assert parse_override(Parameter("k", "list", [], ""), "[3, 5]") == [3, 5]
    assert parse_override(Parameter("keep", "bool", False, ""), "False") is False
    for text in ("[3,", "2026-13-45"):
        with pytest.raises(BadInput, match=rf"k \(-y\): expected list, for example \[\]; found '{re.escape(text)}'"):
            parse_override(Parameter("k", "list", [], ""), text)


def test_later_layers_win_and_every_problem_is_listed():
    declared = {"1_gen": [Parameter("seed", "int", 42, "s"), Parameter("chunk_chars", "int", 1000, "c")]}
    settings, problems = resolve(declared, [("a.yaml", {"seed": 1, "chunk_chars": 300}), ("-y", {"seed": 2})])
    assert not problems
    assert (settings["seed"].value, settings["seed"].origin) == (2, "-y")
    assert (settings["chunk_chars"].value, settings["chunk_chars"].origin) == (300, "a.yaml")
    _, problems = resolve(declared, [("a.yaml", {"chunk_char": 1, "seed": "x", "zzz": 1})])
    assert len(problems) == 3
    assert "did you mean chunk_chars?" in problems[0]
    assert "expected int" in problems[1]
    assert "--help" in problems[2]


@pytest.mark.parametrize(("text", "says"), [("- a\n- b", "found a list"), ("a: [1", "not YAML"), ("a: 2026-13-45", "not YAML"), ("a: 1\nb: 1\na: 2", "a set more than once")])
def test_a_parameter_file_that_is_no_flat_mapping_is_refused(tmp_path, text, says):
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(BadInput, match=says):
        read_yaml(tmp_path / "x.yaml")


def test_a_parameter_file_in_another_encoding_is_refused_and_a_byte_order_mark_is_not(tmp_path):
    (tmp_path / "x.yaml").write_bytes("run: mine  # größer".encode("cp1252"))
    with pytest.raises(BadInput, match="x.yaml: cannot be read as UTF-8 text"):
        read_yaml(tmp_path / "x.yaml")
    (tmp_path / "x.yaml").write_bytes("run: mine  # größer".encode("utf-8-sig"))
    assert read_yaml(tmp_path / "x.yaml") == {"run": "mine"}


def test_a_missing_parameter_file_names_those_there_are():
    with pytest.raises(BadInput, match=r"no such file; there are .*smoke\.yaml"):
        read_yaml("parameters/nowhere.yaml")


def test_help_and_the_table_show_every_parameter_once_with_its_notebooks(workshop):
    parameters = read_all(workshop.folder)
    text, table = text_table(parameters), markdown_table(parameters)
    assert text.count("  seed: int = 42   (notebook 1, 2, 3, 4)") == 1
    assert 'documents: str = "words.txt"   (notebook 1)' in text
    assert "| `chunk_chars` | int | `1000` | 1 | size, characters |" in table.splitlines()
