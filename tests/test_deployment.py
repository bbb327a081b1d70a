"""Lessons 5 and 8, run by `make deploy-check`."""

import ast
import re

import pytest
import walk
from conftest import REPOSITORY, code_cells, lesson_cells, processes_in
from deployment import FIRST, LAMBDA, LESSON, TEMPLATES, template
from walk.aws import ELSEWHERE, NEEDS

pytestmark = pytest.mark.xdist_group("deployment")


def outputs(notebook):
    """All that the cells of an executed notebook printed."""
    cells = code_cells(notebook)
    return "".join(out.get("text", "") for cell in cells for out in cell.outputs)


def cell_with(text):
    """The source of lesson 8's cell with this text."""
    (cell,) = [cell for cell in code_cells(LESSON) if text in cell.source]
    return cell.source


def test_lesson_5_deploys_calls_changes_and_removes_the_function_of_lesson_3(checked):
    printed = outputs(checked / "generated/05-deployment.ipynb")
    assert (LAMBDA / "template-first.yaml").read_text() in printed
    for words in (
        "Successfully created/updated stack - clothing-classifier-first",
        "the largest difference is below 0.0001",
        "Memory Size: 1769 MB",
        "* Modify                 Function",
        "the same answer twice: True",
        "Memory Size: 1024 MB",
        "functions: []\nlogs:      []",
        "COPY --from=bundle /function /function\nWORKDIR /function\nUSER nobody",
    ):
        assert words in printed, words
    cold, warm = re.findall(r"^Duration: (\d+) ms\t", printed, re.MULTILINE)[:2]
    assert int(cold) > int(warm)  # a start is some hundred milliseconds, a request some ten


def test_the_first_template_fits_on_the_screen_and_is_the_function_as_it_is():
    assert len((LAMBDA / "template-first.yaml").read_text().splitlines()) <= 30
    resources = template("template-first.yaml")["Resources"]
    assert list(resources) == ["Function", "Log"]  # no address
    function = resources["Function"]["Properties"]
    other = template("template.yaml")["Resources"]["Function"]
    assert function["Handler"] == "lambda_function.lambda_handler"
    assert resources["Function"]["Metadata"] == other["Metadata"]  # the same zip
    for name in "CodeUri", "Runtime", "Timeout":
        assert function[name] == other["Properties"][name]
    memory = template("template-first.yaml")["Parameters"]["Memory"]["Default"]
    assert memory == other["Properties"]["MemorySize"]


def test_the_packages_are_installed_once_for_both_lessons(checked):
    """What lesson 8's `sam build` took is what lesson 5's has installed."""
    kept, first, other = (
        checked / "lambda/.aws-sam" / name
        for name in ("packages", "first/Function", "build/Function")
    )
    record = "numpy/__pycache__/version.cpython-313.pyc"
    if not (kept / record).exists():
        pytest.skip("without Lambda's Python there is no bytecode, and nothing is kept")
    assert {(each / record).stat().st_mtime_ns for each in (kept, first, other)} == {
        (first / record).stat().st_mtime_ns
    }


def test_deploy_check_deploys_to_an_aws_on_this_machine(checked):
    said = (checked / "said.txt").read_text()
    assert "The stack was deployed on this machine" in said
    assert "templates pass" in said and "AWS's checks" in said
    printed = outputs(checked / "generated/08-public.ipynb")
    assert "Successfully created/updated stack" in printed
    for words in (
        "403 {'message': 'Forbidden'}",  # unsigned
        "200 pants",  # signed by botocore
        "\npants",  # by curl
        "the largest difference to Keras's scores is",
        '"invoke_ms": ',  # the function's own line, from CloudWatch
        "Errors GreaterThanOrEqualToThreshold 1.0",
        "public: 200 pants",
        "a browser gets: text/html",
        "closed again: 403",
        "get version 1\ncallers of live get version 2\ncallers of live get version 1",
        "functions: []\nAPIs:      []\nalarms:    []",
    ):
        assert words in printed, words


def test_no_aws_is_left_running(checked):
    assert not processes_in(checked)


def test_where_it_cannot_run_the_first_cell_says_so_at_once(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "uv").write_text(
        "#!/bin/sh\necho 'No interpreter found for Python 3.13' >&2; exit 2"
    )
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = f"{NEEDS} uv says: No interpreter found for Python 3.13 {ELSEWHERE}"
    with pytest.raises(walk.Problem) as problem:
        walk.start_aws()
    assert str(problem.value) == said
    assert walk.try_aws() is None
    assert capsys.readouterr().out == f"Nothing is deployed here. {said}\n"
    for lesson in FIRST, LESSON:
        first, *others = [cell.source for cell in lesson_cells(lesson)]
        assert "walk.start_aws()" in first
        for source in others:  # they rely on it
            tests = [each.test for each in ast.walk(ast.parse(source)) if isinstance(each, ast.If)]
            assert not [test for test in tests if "aws" in ast.unparse(test)], source


def test_elsewhere_than_on_linux_the_same_is_said(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(walk.Problem) as problem:
        walk.start_aws()
    assert str(problem.value) == f"{NEEDS} {ELSEWHERE}"


@pytest.mark.parametrize("name", TEMPLATES)
def test_aws_linters_find_nothing(checked, name):
    """They end in an error if they find anything, be it a remark: the lesson would stop there."""
    linters = cell_with('walk.run(f"sam validate --lint --template {name}"')
    assert "cfn-lint template-first.yaml template.yaml template-image.yaml" in linters
    printed = outputs(checked / "generated/08-public.ipynb")
    assert f"{name}: sam validate --lint and cfn-lint agree" in printed


def test_lesson_8_shows_each_resource_of_the_template():
    calls = [
        call
        for cell in code_cells(LESSON)
        for call in ast.walk(ast.parse(cell.source))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "walk.piece"
    ]
    shown = [ast.literal_eval(name) for call in calls for name in call.args[1:]]
    assert set(template("template.yaml")["Resources"]) <= set(shown)
    assert len(shown) == len(set(shown))


def test_a_piece_of_a_template_is_cut_out_of_the_file():
    text = (REPOSITORY / "lambda/template.yaml").read_text()
    role, logs = walk.piece(LAMBDA / "template.yaml", "Role", "Logs").split("\n\n")
    assert role in text and logs in text
    assert role.startswith("  # The function may write its own log, and nothing else.\n  Role:\n")
    assert logs.startswith("  Logs:\n") and logs.endswith("RetentionInDays: 14")
    assert walk.piece(LAMBDA / "template.yaml", "Outputs").endswith("Value: !Ref Logs")
    with pytest.raises(walk.Problem, match="There is no Door in .*template.yaml"):
        walk.piece(LAMBDA / "template.yaml", "Role", "Door")
