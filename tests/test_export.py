"""The export: the functions are made from their notebooks, and from nothing else."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from bundle import FILES
from conftest import REPOSITORY, run

pytestmark = pytest.mark.xdist_group("export")

EXPORT = "jupyter nbconvert --to script --config lambda/nbconvert_config.py"
FUNCTION, CATALOGUE = "lambda/lambda_function.py", "lambda/catalogue.py"
MADE_FROM = {
    FUNCTION: "03-predict.ipynb",
    "lambda/guards.py": "06-strangers.ipynb",
    "lambda/api.py": "07-http.ipynb",
    CATALOGUE: "10-catalogue.ipynb",
    "lambda/onnx_function.py": "onnx.ipynb",
}


@pytest.mark.parametrize("folder", ["notebooks", "generated"])
def test_the_committed_functions_equal_a_fresh_export(own_walk, folder):
    """From the notebooks that people edit, and from the copies that were run: all in one call."""
    notebooks = [f"{folder}/{name}" for name in MADE_FROM.values()]
    if folder == "generated":  # lesson 10 and the appendix are not part of the walk
        notebooks[-2:] = [each.replace("/", "/published/") for each in notebooks[-2:]]
    for function in MADE_FROM:
        (own_walk / function).unlink()
    process = run([*EXPORT.split(), *notebooks], own_walk)
    assert process.returncode == 0, process.stderr
    for function in MADE_FROM:
        assert (own_walk / function).read_text() == (REPOSITORY / function).read_text()


@pytest.mark.parametrize("function", MADE_FROM)
def test_the_first_line_says_where_it_comes_from_and_not_to_edit_it(function):
    first = (REPOSITORY / function).read_text().splitlines()[0]
    assert f"notebooks/{MADE_FROM[function]}" in first and "do not edit" in first


@pytest.mark.parametrize("function", MADE_FROM)
def test_it_carries_no_traces_of_a_notebook(function):
    text = (REPOSITORY / function).read_text()
    assert not re.search(r"In ?\[|get_ipython|coding:|walk\.", text)


def test_the_courses_function_is_read_in_one_sitting():
    lines = (REPOSITORY / FUNCTION).read_text().splitlines()
    assert len([line for line in lines if line]) <= 60


@pytest.mark.parametrize(
    ("file", "lines"), [("guards.py", 200), ("api.py", 230), ("catalogue.py", 100)]
)
def test_no_module_is_longer_than_one_reads(file, lines):
    assert len((REPOSITORY / "lambda" / file).read_text().splitlines()) <= lines


def imports(file):
    """The modules that a file of the function imports."""
    nodes = ast.walk(ast.parse((REPOSITORY / "lambda" / file).read_text()))
    found = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    names = [getattr(n, "module", None) or n.names[0].name for n in found]
    return {name.split(".")[0] for name in names}


def test_what_the_modules_import_of_each_other_goes_one_way():
    ours = {Path(file).stem for file in FILES if file.endswith(".py")}
    assert {Path(file).stem: imports(file) & ours for file in FILES if file.endswith(".py")} == {
        "lambda_function": set(),
        "transport": set(),
        "decoding": set(),
        "answers": {"lambda_function", "guards"},
        "incoming": {"guards"},
        "guards": {"lambda_function", "transport", "decoding"},
        "api": {"lambda_function", "guards", "answers", "incoming"},
        "catalogue": {"lambda_function", "guards", "answers"},
    }


def test_the_guards_know_nothing_of_http_events_and_the_transport_nothing_of_guards():
    guards = (REPOSITORY / "lambda/guards.py").read_text()
    assert not re.search(r"event|statusCode|headers", guards)
    assert not re.search(r"is_public|ALLOWED", (REPOSITORY / "lambda/transport.py").read_text())


def test_it_passes_ruff_as_it_is(own_walk):
    for command in (["ruff", "check"], ["ruff", "format", "--check"]):
        process = run([*command, *MADE_FROM], own_walk)
        assert process.returncode == 0, process.stdout


def test_a_notebook_that_does_not_say_that_it_is_python_is_refused(own_walk):
    """nbconvert alone would write a .txt beside the function, which stays as it was."""
    notebook = nbformat.read(own_walk / "notebooks/03-predict.ipynb", as_version=4)
    notebook.metadata.clear()
    (own_walk / "bare").mkdir()
    nbformat.write(notebook, own_walk / "bare/03-predict.ipynb")
    process = run([*EXPORT.split(), "bare/03-predict.ipynb"], own_walk)
    assert process.returncode != 0 and "choose a kernel, and save it" in process.stderr
    assert not (own_walk / "lambda/lambda_function.txt").exists()


def test_a_notebook_without_tagged_cells_is_refused_and_the_function_stays(own_walk):
    before = (own_walk / FUNCTION).read_bytes()
    process = run([*EXPORT.split(), "generated/02-tflite-model.ipynb"], own_walk)
    assert process.returncode != 0
    assert "02-tflite-model.ipynb has no cell tagged `lambda`" in process.stderr
    assert (own_walk / FUNCTION).read_bytes() == before
