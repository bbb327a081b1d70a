"""The export: lambda/lambda_function.py is made from the notebook, and from nothing else."""

import re

import pytest
from conftest import REPOSITORY, run

pytestmark = pytest.mark.xdist_group("walk")

EXPORT = "jupyter nbconvert --to script --config lambda/nbconvert_config.py"
FUNCTION = "lambda/lambda_function.py"


def test_the_committed_function_equals_a_fresh_export(walk):
    (walk / FUNCTION).unlink()
    process = run([*EXPORT.split(), "generated/03-predict.ipynb"], walk)
    assert process.returncode == 0, process.stderr
    assert (walk / FUNCTION).read_text() == (REPOSITORY / FUNCTION).read_text()


def test_the_first_line_says_where_it_comes_from_and_not_to_edit_it():
    first = (REPOSITORY / FUNCTION).read_text().splitlines()[0]
    assert "notebooks/03-predict.ipynb" in first and "do not edit" in first


def test_it_carries_no_traces_of_a_notebook():
    function = (REPOSITORY / FUNCTION).read_text()
    assert not re.search(r"In ?\[|get_ipython|coding:", function)


def test_it_passes_ruff_as_it_is(walk):
    for command in (["ruff", "check"], ["ruff", "format", "--check"]):
        process = run([*command, FUNCTION], walk)
        assert process.returncode == 0, process.stdout


def test_a_notebook_without_tagged_cells_is_refused_and_the_function_stays(walk):
    before = (walk / FUNCTION).read_bytes()
    process = run([*EXPORT.split(), "generated/02-tflite-model.ipynb"], walk)
    assert process.returncode != 0
    assert "02-tflite-model.ipynb has no cell tagged `lambda`" in process.stderr
    assert (walk / FUNCTION).read_bytes() == before


def test_requirements_are_the_environments_versions():
    lines = (REPOSITORY / "environment.yml").read_text().splitlines()
    pins = {re.split(r"[;#]", line.strip(" -"))[0].strip() for line in lines if "==" in line}
    requirements = (REPOSITORY / "lambda/requirements.txt").read_text().splitlines()
    requirements = [line for line in requirements if not line.startswith("#")]
    assert len(requirements) == 5
    assert set(requirements) <= pins
