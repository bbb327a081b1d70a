"""The exercises: untouched, answered wrongly and rightly, handed out without solutions, graded."""

import ast
import re
import shutil
import sys

import nbclient
import nbformat
import pytest
from conftest import REPOSITORY, code_cells, commit_all, copy_repository, run
from wrong_answers import WRONG, WRONG_HOMEWORK

EXERCISES = REPOSITORY / "notebooks/exercises"
NOTEBOOKS = sorted(EXERCISES.glob("[0-9]*[!0-9].ipynb"))
sys.path.append(str(EXERCISES))

from checks import solutions  # noqa: E402


def name(path):
    return path.stem


def checked(source):
    """The name of the exercise that a cell checks; None for other cells."""
    found = re.search(r'^check\("(.+?)"', source, flags=re.MULTILINE)
    return found and found[1]


def names_in(notebook):
    return [checked(cell.source) for cell in code_cells(notebook) if checked(cell.source)]


def answered(source, answer):
    """A starter's cell with an answer in the place of what stands above its check."""
    return f"{answer}\n\n{source[source.index('check(') :]}"


def output(cell):
    """What a cell printed; its error, if it ended in one."""
    return "".join(each.get("text", "") or each.get("evalue", "") for each in cell.outputs)


def try_answers(notebook, answers):
    """Put answers, by exercise, behind the starters of a notebook; return these cells and words."""
    cells, tried = [], []
    for cell in notebook.cells:
        cells.append(cell)
        for answer, words in answers.get(checked(cell.source), []):
            cells.append(nbformat.v4.new_code_cell(answered(cell.source, answer)))
            tried.append((cells[-1], words))
    notebook.cells = cells
    return tried


def execute(notebook, folder):
    """Run a notebook as JupyterLab does, in a folder."""
    place = {"metadata": {"path": folder}}
    nbclient.NotebookClient(notebook, resources=place, allow_errors=True).execute()
    errors = [o for cell in code_of(notebook) for o in cell.outputs if o.output_type == "error"]
    assert errors == []


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=name)
def test_untouched_then_wrong_then_right(file, own_walk):
    """Nothing passes by itself, a wrong answer gets the hint that fits, the solution passes."""
    notebook = nbformat.read(file, as_version=4)
    starters = [cell for cell in notebook.cells if checked(cell.source)]
    right = {each: (code, f"✓ {each}: right") for each, code in solutions().items()}
    answers = {each: [*WRONG[each], right[each]] for each in names_in(file)}
    tried = try_answers(notebook, answers)
    tried += [(cell, "not attempted yet") for cell in starters]
    execute(notebook, own_walk / "notebooks/exercises")

    for cell, words in tried:
        assert words in output(cell), cell.source
    (summary,) = [output(cell) for cell in notebook.cells if cell.source == "done()"]
    assert f"{len(starters)} of {len(starters)} exercises are done" in summary


def do_the_homework(folder, then=""):
    """Do the homework in a copy of the repository: wrong, then right; but for the deployment.

    `then` is code that is run in the notebook at its end.
    """
    notebook = nbformat.read(folder / "notebooks/homework.ipynb", as_version=4)
    (parameters,) = [
        cell for cell in code_of(notebook) if "parameters" in cell.metadata.get("tags", [])
    ]
    parameters.source += "\nDEPLOY = False"
    starters = {checked(cell.source): cell for cell in notebook.cells if checked(cell.source)}
    tried = try_answers(notebook, WRONG_HOMEWORK)
    tried += [(starters[name], "not attempted yet") for name in ("own-classes", "stack")]
    tried += [(starters[name], f"✓ {name}: right") for name in ("learned", "function")]
    notebook.cells.append(nbformat.v4.new_code_cell(then))
    execute(notebook, folder / "notebooks")

    for cell, words in tried:
        assert words in output(cell), cell.source


def test_every_exercise_has_a_solution_and_at_least_two_wrong_answers():
    exercises = [name for file in NOTEBOOKS for name in names_in(file)]
    assert len(exercises) == len(set(exercises)) >= 3 * len(NOTEBOOKS)
    assert list(WRONG) == exercises  # in this order, too
    assert sorted(solutions()) == sorted(exercises)
    assert min(len(answers) for answers in WRONG.values()) >= 2


def test_a_template_and_a_policy_can_be_written_in_several_ways(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    from criteria import deployment

    function = "Type: AWS::Serverless::Function, Properties: {CodeUri: ., Runtime: python3.13, "
    begin = "Transform: [AWS::Serverless-2016-10-31]\n"
    for template in (
        f"{begin}Resources: {{F: {{{function}Handler: shoes.classify, MemorySize: 2048, Timeout: '60'}}}}}}",
        f"{begin}Parameters: {{M: {{Type: Number, Default: '2048'}}, T: {{Default: 60}}}}\nResources: {{F: "
        f"{{{function}Handler: shoes.classify, MemorySize: {{Ref: M}}, Timeout: !Ref T}}}}}}",
        f"{begin}Globals: {{Function: {{Timeout: 60, MemorySize: 2048, Handler: shoes.classify}}}}\n"
        f"Resources: {{F: {{{function}}}}}}}",
    ):
        assert deployment.own_template(template)
    for resource in "arn:aws:lambda:*:*:function:*", "arn:*:lambda:*:123456789012:function:*-*":
        assert deployment.too_wide(resource)


def test_no_hint_holds_a_line_of_the_solution():
    trees = [ast.parse(file.read_text()) for file in EXERCISES.glob("criteria/*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    texts = " ".join(node.value for node in nodes if isinstance(node.value, str))
    for code in solutions().values():
        for line in code.splitlines():
            line = line.strip()
            if len(line) > 20 and not line.startswith(('"""', "def ", "import ", "from ", "#")):
                assert line not in texts


def files_of(folder):
    """When each file was changed that a student's notebook might write."""
    files = [
        *folder.glob("generated/*"),
        *folder.glob("lambda/*.py"),
        *folder.glob("notebooks/**/*"),
    ]
    return {
        file: file.stat().st_mtime for file in files if file.is_file() and file.suffix != ".pyc"
    }


def test_a_class_is_graded(own_walk, tmp_path):
    """Untouched, half, all; what is missing, broken, endless or dead gets its word."""
    for student, (share, *lessons) in {
        "anna": (0, "09"),
        "ben": (0.7, "09"),
        "carla": (1, "04", "09"),
    }.items():
        (tmp_path / student).mkdir()
        for file in [file for file in NOTEBOOKS if file.stem[:2] in lessons]:
            notebook = nbformat.read(file, as_version=4)
            names = names_in(file)
            for cell in notebook.cells:
                if checked(cell.source) in names[: int(share * len(names))]:
                    cell.source = answered(cell.source, solutions()[checked(cell.source)])
            nbformat.write(notebook, tmp_path / student / file.name)
    (tmp_path / "carla/01-keras-model.ipynb").write_text("{")
    dead = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import os; os._exit(1)")])
    nbformat.write(dead, tmp_path / "anna/03-predict.ipynb")
    done = nbformat.v4.new_code_cell("done()")
    done.outputs = [nbformat.v4.new_output("stream", text="3 of 4 exercises are done\n")]
    nbformat.write(nbformat.v4.new_notebook(cells=[done]), tmp_path / "carla/homework.ipynb")
    before = files_of(own_walk)

    process = run([sys.executable, "notebooks/exercises/grade.py", str(tmp_path)], own_walk)

    rows = [re.split(r"  +", line.strip()) for line in process.stdout.splitlines()]
    missing, dead = "missing", "its Python ended"
    assert rows == [
        ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "homework"],
        ["anna", missing, missing, dead, *[missing] * 5, "0 of 3", missing, missing],
        ["ben", *[missing] * 8, "2 of 3", missing, missing],
        [
            *("carla", "no notebook", missing, missing, "3 of 3"),
            *([missing] * 4 + ["3 of 3", missing, "3 of 4"]),
        ],
    ]
    assert process.returncode == 0 and process.stderr == ""
    assert files_of(own_walk) == before


def test_a_folder_without_students_and_a_repository_without_a_walk(tmp_path):
    grade = [sys.executable, "notebooks/exercises/grade.py"]
    assert "There is no student's folder in" in run([*grade, str(tmp_path)], REPOSITORY).stderr
    assert "FOLDER has a folder for each student" in run(grade, REPOSITORY).stderr
    (tmp_path / "class/anna").mkdir(parents=True)
    shutil.copytree(REPOSITORY / "notebooks", tmp_path / "copy/notebooks")
    process = run([*grade, str(tmp_path / "class")], tmp_path / "copy")
    assert process.stderr == "The checks need what the walk makes: run `make` first.\n"


def test_a_name_that_is_none_gets_the_list():
    code = "import checks; checks.begin('09-measurements'); checks.check('int8', 1)"
    said = run([sys.executable, "-c", code], EXERCISES).stderr
    assert "There is no exercise 'int8' here, but: int8-speed, gb-seconds" in said


def test_handed_out_without_solutions(tmp_path):
    """With the command that the page for teachers names."""
    page = (EXERCISES / "README.md").read_text()
    command = re.search(r"^git archive .*", page, flags=re.MULTILINE)[0]
    folder = copy_repository(tmp_path / "copy")
    commit_all(folder)
    assert run(["sh", "-c", command], folder).returncode == 0
    (archive,) = folder.glob("*.zip")
    shutil.unpack_archive(archive, tmp_path / "student")
    handed_out = tmp_path / "student/course/notebooks/exercises"
    assert (handed_out / "checks.py").exists() and not (handed_out / "solutions").exists()
    for code in solutions().values():
        line = max(code.splitlines(), key=len)
        files = [file.read_text() for file in handed_out.rglob("*") if file.is_file()]
        assert not any(line in text for text in files)
    code = "import checks; checks.begin('09-measurements'); checks.solution('gb-seconds')"
    said = run([sys.executable, "-c", code], handed_out).stdout
    assert said == "The solutions are not in this copy: ask who gave it to you.\n"
