"""Lesson 7, run by `make deploy-check`."""

import ast

import pytest
import walk
from botocore.session import Session
from conftest import code_cells, run
from deployment import LESSON, TEMPLATES, template

pytestmark = pytest.mark.xdist_group("walk")


def outputs(notebook):
    """All that the cells of an executed notebook printed."""
    cells = code_cells(notebook)
    return "".join(out.get("text", "") for cell in cells for out in cell.outputs)


def cell_with(text):
    """The source of the lesson's cell with this text."""
    (cell,) = [cell for cell in code_cells(LESSON) if text in cell.source]
    return cell.source


def test_deploy_check_passes_in_a_fresh_copy(checked):
    assert "templates pass AWS's checks" in (checked / "said.txt").read_text()
    assert "Not deployed." in outputs(checked / "generated/07-deployment.ipynb")


@pytest.mark.parametrize("name", TEMPLATES)
def test_aws_linters_find_nothing(checked, name):
    """They end in an error if they find anything, be it a remark: the lesson would stop there."""
    linters = cell_with('walk.run(f"sam validate --lint --template {name}"')
    assert "cfn-lint template.yaml template-image.yaml" in linters
    printed = outputs(checked / "generated/07-deployment.ipynb")
    assert f"{name}: sam validate --lint and cfn-lint agree" in printed


def test_the_lesson_says_what_each_resource_is_for():
    purposes = ast.parse(cell_with("PURPOSE = {")).body[0].value
    assert list(ast.literal_eval(purposes)) == list(template("template.yaml")["Resources"])


NO_CREDENTIALS = "DEPLOY=True, but there are no AWS credentials: set AWS_ACCESS_KEY_ID"
NO_REGION = "DEPLOY=True, but no region is chosen: set AWS_DEFAULT_REGION"


def test_deploying_without_credentials_gets_one_clear_message(checked, home):
    process = run(
        ["make", "VENV=", "deploy-check", "DEPLOY=True"],
        checked,
        HOME=str(home),
        AWS_EC2_METADATA_DISABLED="true",
    )
    assert process.returncode != 0
    assert NO_CREDENTIALS in process.stderr and "Traceback" not in process.stderr


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, NO_CREDENTIALS),
        ({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}, NO_REGION),
    ],
    ids=["no credentials", "no region"],
)
def test_deploying_needs_credentials_and_a_region(home, monkeypatch, keys, message):
    for name in "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE":
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", **keys}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(walk.Problem, match=message):
        exec(
            cell_with("deploy = str(DEPLOY)"),
            {"DEPLOY": "True", "Session": Session, "region": None, "walk": walk},
        )
