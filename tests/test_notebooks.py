"""What STYLE asks of the four notebooks, without running them; and that every parameter file fits them."""

import ast
import json
import re
from pathlib import Path

import pytest

from lib.run.help import markdown_table
from lib.run.params import NOTEBOOKS, read_all, read_parameters, read_yaml, resolve

EXPERIMENTS = sorted(p for p in Path("parameters").rglob("*.yaml") if "launchers" not in p.parts)
FORBIDDEN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@pytest.fixture(params=NOTEBOOKS)
def name(request):
    return request.param


@pytest.fixture
def page(name):
    return json.loads(Path(f"{name}.ipynb").read_text(encoding="utf-8"))


@pytest.fixture
def code(page):
    return [cell for cell in page["cells"] if cell["cell_type"] == "code"]


def source(cell):
    return "".join(cell["source"])


def test_every_notebook_is_valid():
    import nbformat  # here, and for all of them at once: it takes seconds to load

    for name in NOTEBOOKS:
        nbformat.validate(nbformat.read(f"{name}.ipynb", as_version=nbformat.NO_CONVERT))


def test_a_notebook_names_its_kernel_and_language(page):
    assert page["metadata"]["kernelspec"]["name"] == "python3"
    assert page["metadata"]["language_info"]["name"] == "python"


def test_a_committed_notebook_carries_no_outputs_and_nothing_of_papermill(page, code):
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert "papermill" not in page["metadata"]
    assert all(set(cell["metadata"]) <= {"tags"} for cell in page["cells"])


def test_the_one_parameters_cell_is_the_first_code_cell_and_every_line_has_its_help(name, code):
    tagged = [i for i, cell in enumerate(code) if "parameters" in cell["metadata"].get("tags", [])]
    assert tagged == [0]
    assert all(len(parameter.help) >= 8 for parameter in read_parameters(f"{name}.ipynb"))


def test_cells_are_few_short_and_call_into_the_library(code):
    assert len(code) <= 25
    for cell in code[1:]:
        lines = source(cell).splitlines()
        assert 1 <= len(lines) <= 15, f"{cell['id']}: {len(lines)} lines"
        assert not [line for line in lines if line.startswith(("!", "%"))], cell["id"]
        assert not [n for n in ast.walk(ast.parse(source(cell))) if isinstance(n, FORBIDDEN)], cell["id"]


def test_every_cell_has_text_and_a_stable_id_that_says_what_it_is(page):
    ids = [cell["id"] for cell in page["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", i) and not re.fullmatch(r"[0-9a-f]{8,}", i) for i in ids), ids
    assert all(source(cell).strip() for cell in page["cells"])


def test_the_outline_is_title_subtitle_navigation_parameters_run_asserts_finish_next(name, page, code):
    number = name.split("_")[0]
    title = source(page["cells"][0])
    assert title.startswith(f"# {number} · ")
    assert title.splitlines()[1].startswith("*")
    assert [n for n in NOTEBOOKS if f"({n}.ipynb)" in title] == [n for n in NOTEBOOKS if n != name]
    for word in ("reads", "writes", "minutes", "cost"):
        assert f"| {word} |" in title
    assert f'run = open_run("{name}", globals())' in source(code[1])
    assert "run.settings()" in source(code[1]) + source(code[2])
    asserts = [n for cell in code for n in ast.walk(ast.parse(source(cell))) if isinstance(n, ast.Assert)]
    assert len(asserts) >= 2
    assert "run.finish(" in source(code[-1])
    assert page["cells"][-1]["cell_type"] == "markdown"


def test_notebooks_import_from_the_library_only_what_it_offers(code):
    for cell in code:
        for node in ast.walk(ast.parse(source(cell))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lib":
                folder = Path(node.module.replace(".", "/"))
                assert folder.is_dir() or folder.with_suffix(".py").is_file(), f"{cell['id']}: {node.module}"


def test_a_parameter_of_two_notebooks_is_the_same_in_both():
    seen = {}
    for notebook, declared in read_all().items():
        for parameter in declared:
            first, where = seen.setdefault(parameter.name, (parameter, notebook))
            assert parameter == first, f"{parameter.name} differs between {where} and {notebook}"


@pytest.mark.parametrize("file", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_parameter_file_fits_the_notebooks_and_says_what_it_needs(file):
    settings, problems = resolve(read_all(), [(str(file), read_yaml(file))])
    assert problems == []
    head = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    for word in ("# What:", "# Needs:", "# Run:", "# Override:"):
        assert any(line.startswith(word) for line in head), f"{file}: no {word} line in its header"
    assert Path(settings["launcher"].value).is_file()


def test_parameter_files_write_their_runs_into_folders_of_their_own():
    runs = [read_yaml(file).get("run") for file in EXPERIMENTS]
    assert None not in runs
    assert len(set(runs)) == len(runs)


def test_the_readme_shows_the_parameters_as_the_notebooks_have_them():
    """`python -m lib.run.help README.md` brings it up to date."""
    assert markdown_table(read_all()) in Path("README.md").read_text(encoding="utf-8")


def test_every_command_that_the_readme_names_is_there_and_says_which_python():
    """The system's own python lacks the packages, or is not there at all."""
    page = Path("README.md").read_text(encoding="utf-8").partition("## Tree")[0]
    modules = re.findall(r"(\S*)python -m (lib\.[\w.]+)", page)
    assert len(modules) >= 5
    for folder, module in modules:
        assert folder.endswith(".venv/bin/"), module
        path = Path(module.replace(".", "/"))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
