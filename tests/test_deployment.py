"""Lesson 8, run by `make deploy-check`."""

import ast

import pytest
import walk
from conftest import code_cells, processes_in
from deployment import LESSON, TEMPLATES, template
from walk.aws import NEEDS

pytestmark = pytest.mark.xdist_group("deployment")


def outputs(notebook):
    """All that the cells of an executed notebook printed."""
    cells = code_cells(notebook)
    return "".join(out.get("text", "") for cell in cells for out in cell.outputs)


def cell_with(text):
    """The source of the lesson's cell with this text."""
    (cell,) = [cell for cell in code_cells(LESSON) if text in cell.source]
    return cell.source


def test_deploy_check_deploys_to_an_aws_on_this_machine(checked):
    said = (checked / "said.txt").read_text()
    assert "templates pass AWS's checks" in said
    if "The stack was not deployed" in said:
        pytest.skip(NEEDS)
    printed = outputs(checked / "generated/08-public.ipynb")
    assert "Successfully created/updated stack" in printed
    for words in (
        '403 {"message": "Forbidden"}',  # unsigned
        "200 pants",  # signed by botocore
        "\npants",  # by curl
        "the largest difference to Keras's scores is",
        "public: 200 pants",
        "a browser gets: text/html",
        "closed again: 403",
        '"invoke_ms": ',  # the function's own line, from CloudWatch
        "Errors GreaterThanOrEqualToThreshold 1.0",
        "functions: []\nAPIs:      []\nalarms:    []",
    ):
        assert words in printed, words


def test_no_aws_is_left_running(checked):
    assert not processes_in(checked)


def test_without_python_3_13_the_lesson_says_so_and_goes_on(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "uv").write_text(
        "#!/bin/sh\necho 'No interpreter found for Python 3.13' >&2; exit 2"
    )
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert walk.start_aws() is None
    said = capsys.readouterr().out
    assert (
        said == f"Nothing is deployed here. {NEEDS} uv says: No interpreter found for Python 3.13\n"
    )
    cells = [cell.source for cell in code_cells(LESSON)]
    start = next(i for i, source in enumerate(cells) if "walk.start_aws()" in source)
    end = next(i for i, source in enumerate(cells) if "aws.stop()" in source)
    for source in cells[start + 1 : end + 1]:  # all that need it ask whether it is there
        statements = [each for each in ast.parse(source).body if not names_something(each)]
        assert all(ast.unparse(each.test) == "aws" for each in statements), source


def names_something(statement):
    """Whether a statement only defines a function or a name, without running anything of AWS."""
    return isinstance(statement, ast.FunctionDef) or (
        isinstance(statement, ast.Assign) and "aws" not in ast.unparse(statement)
    )


@pytest.mark.parametrize("name", TEMPLATES)
def test_aws_linters_find_nothing(checked, name):
    """They end in an error if they find anything, be it a remark: the lesson would stop there."""
    linters = cell_with('walk.run(f"sam validate --lint --template {name}"')
    assert "cfn-lint template.yaml template-image.yaml" in linters
    printed = outputs(checked / "generated/08-public.ipynb")
    assert f"{name}: sam validate --lint and cfn-lint agree" in printed


def test_the_lesson_says_what_each_resource_is_for():
    purposes = ast.parse(cell_with("PURPOSE = {")).body[0].value
    assert list(ast.literal_eval(purposes)) == list(template("template.yaml")["Resources"])
