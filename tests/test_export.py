"""The export: the functions are made from their notebooks, and from nothing else."""

import re

import pytest
from conftest import REPOSITORY, run

pytestmark = pytest.mark.xdist_group("export")

EXPORT = "jupyter nbconvert --to script --config lambda/nbconvert_config.py"
FUNCTION, API, CATALOGUE = "lambda/lambda_function.py", "lambda/api.py", "lambda/catalogue.py"
MADE_FROM = {FUNCTION: "03-predict.ipynb", API: "07-http.ipynb"}
MADE_FROM |= {CATALOGUE: "10-catalogue.ipynb"}


@pytest.mark.parametrize("folder", ["notebooks", "generated"])
def test_the_committed_functions_equal_a_fresh_export(own_walk, folder):
    """From the notebooks that people edit, and from the copies that were run: all in one call."""
    notebooks = [f"{folder}/{name}" for name in MADE_FROM.values()]
    if folder == "generated":  # lesson 10 is not part of the walk
        notebooks[-1] = f"generated/published/{MADE_FROM[CATALOGUE]}"
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


def test_it_passes_ruff_as_it_is(own_walk):
    for command in (["ruff", "check"], ["ruff", "format", "--check"]):
        process = run([*command, *MADE_FROM], own_walk)
        assert process.returncode == 0, process.stdout


def test_a_notebook_without_tagged_cells_is_refused_and_the_function_stays(own_walk):
    before = (own_walk / FUNCTION).read_bytes()
    process = run([*EXPORT.split(), "generated/02-tflite-model.ipynb"], own_walk)
    assert process.returncode != 0
    assert "02-tflite-model.ipynb has no cell tagged `lambda`" in process.stderr
    assert (own_walk / FUNCTION).read_bytes() == before
