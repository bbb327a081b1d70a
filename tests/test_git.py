"""A student's clone: lessons that were run and saved are unchanged to git, and pulling works."""

import asyncio
import copy
import io
import os
import runpy
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from commands import lab
from conftest import REPOSITORY, commit_all, environment, git, run
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from nbclient import NotebookClient

LESSON = "notebooks/01-keras-model.ipynb"
EXERCISE = "notebooks/exercises/one.ipynb"
COPY = "generated/published/01-keras-model.ipynb"

# What JupyterLab adds when it saves, with another kernel and some cells folded.
METADATA = {
    "kernelspec": {"display_name": ".venv (3.12)", "language": "python", "name": "other"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3.12.1",
    },
    "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}},
}
CELL_METADATA = {
    "execution": {"iopub.execute_input": "2026-01-01T00:00:00.000000Z"},
    "trusted": True,
    "collapsed": True,
    "scrolled": True,
    "deletable": True,
    "editable": True,
    "slideshow": {"slide_type": ""},
    "jupyter": {"outputs_hidden": True},
}


def strip(text):
    """What git sees of this text."""
    command = [sys.executable, "-X", "utf8", "notebooks/commands/strip.py"]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment(), input=text.encode(), capture_output=True
    ).stdout.decode()


@pytest.fixture(scope="session")
def executed():
    """A small lesson that was run."""
    notebook = nbformat.read(REPOSITORY / LESSON, as_version=4)
    notebook.cells = notebook.cells[:2]
    notebook.cells[1].source = "# a lesson\n'ä' * 3"
    notebook.cells[1].metadata.tags = ["lambda"]
    return NotebookClient(notebook).execute()


@pytest.fixture(scope="session")
def upstream(tmp_path_factory, executed):
    """A repository with that as lesson, exercise and executed copy, and what git looks at."""
    folder = tmp_path_factory.mktemp("upstream")
    for path in ".gitattributes", ".gitignore", "notebooks/commands/strip.py":
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / path, folder / path)
    for path in LESSON, EXERCISE, COPY:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(strip(nbformat.writes(executed)), encoding="utf-8")
    nbformat.write(executed, folder / COPY)
    commit_all(folder)
    return folder


@pytest.fixture
def clone(upstream, tmp_path, monkeypatch):
    """A clone in a folder with spaces and a quote, in which `make lab` has set up git."""
    folder = tmp_path / "it's my clone"
    git(tmp_path, "clone", "--quiet", upstream, folder)
    monkeypatch.setattr(lab, "ROOT", folder)
    lab.set_up_git()
    return folder


@pytest.fixture
def save(executed):
    """Save the lesson that was run as JupyterLab does, which calls lab.saved; wait for that."""

    def save(folder, path, old="", new=""):
        notebook = copy.deepcopy(executed)
        notebook.metadata.update(METADATA)
        for cell in notebook.cells:
            cell.metadata.update(CELL_METADATA)
            cell.metadata.setdefault("tags", [])
        notebook.cells[1].source = notebook.cells[1].source.replace(old, new)
        # as lab.main() asks JupyterLab to
        manager = AsyncLargeFileManager(root_dir=str(folder), post_save_hook="commands.lab.saved")
        # In a thread: a browser of other tests may hold this one's event loop.
        saving = manager.save({"type": "notebook", "content": notebook}, path)
        ThreadPoolExecutor(1).submit(asyncio.run, saving).result()
        lab.one_by_one.submit(lambda: None).result()

    return save


def outputs(folder, path):
    return nbformat.read(folder / path, as_version=4).cells[-1].outputs


@pytest.mark.parametrize("path", [LESSON, EXERCISE])
def test_a_lesson_that_was_run_and_saved_is_unchanged_to_git_and_keeps_its_outputs(
    clone, save, path
):
    assert git(clone, "status", "--porcelain") == ""
    save(clone, path)
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "diff", "HEAD") == ""
    assert outputs(clone, path)


def test_a_changed_cell_is_a_change_and_nothing_else_of_the_notebook_is(clone, save):
    save(clone, LESSON, "* 3", "* 4")
    assert git(clone, "status", "--porcelain") == f" M {LESSON}\n"
    assert git(clone, "diff", "--numstat") == f"1\t1\t{LESSON}\n"
    save(clone, LESSON)
    assert git(clone, "status", "--porcelain") == ""


def test_a_cell_that_is_changed_and_saved_while_git_looks_is_not_staged(clone, save, monkeypatch):
    itself = lab.git

    def late(*arguments, **given):
        if arguments[0] == "add":
            text = (clone / LESSON).read_text(encoding="utf-8")
            (clone / LESSON).write_text(text.replace("* 3", "* 4"), encoding="utf-8")
        return itself(*arguments, **given)

    monkeypatch.setattr(lab, "git", late)
    save(clone, LESSON)
    assert git(clone, "status", "--porcelain") == f" M {LESSON}\n"


def test_pulling_a_changed_lesson_after_running_it_succeeds(clone, save, upstream, tmp_path):
    save(clone, LESSON)
    save(clone, EXERCISE)
    theirs = tmp_path / "theirs"
    git(tmp_path, "clone", "--quiet", upstream, theirs)
    text = (theirs / LESSON).read_text(encoding="utf-8")
    (theirs / LESSON).write_text(text.replace("# a lesson", "# a better lesson"), encoding="utf-8")
    git(theirs, "commit", "--quiet", "--all", "--message=better")

    git(clone, "pull", "--quiet", str(theirs), "main")
    assert "# a better lesson" in (clone / LESSON).read_text(encoding="utf-8")
    assert outputs(clone, EXERCISE), "what did not change upstream keeps its outputs"
    assert git(clone, "status", "--porcelain") == ""


def test_a_notebook_saved_elsewhere_is_settled_when_lab_starts(clone, executed):
    nbformat.write(executed, clone / LESSON)
    lab.set_up_git()
    assert git(clone, "status", "--porcelain") == ""
    assert outputs(clone, LESSON)


def test_a_clone_where_the_filter_was_never_set_up_works_as_any_other(upstream, tmp_path):
    git(tmp_path, "clone", "--quiet", upstream, "clone")
    notebook = tmp_path / "clone" / LESSON
    notebook.write_text(notebook.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert git(tmp_path / "clone", "status", "--porcelain") == f" M {LESSON}\n"
    git(tmp_path / "clone", "commit", "--quiet", "--all", "--message=changed")


def test_git_goes_on_where_the_environment_is_gone(clone, save, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(clone / ".venv/bin/python"))
        lab.set_up_git()
    assert git(clone, "status", "--porcelain") == ""
    save(clone, LESSON)
    assert git(clone, "status", "--porcelain") == f" M {LESSON}\n"
    git(clone, "commit", "--quiet", "--all", "--message=with outputs")


def test_the_filter_needs_no_active_environment(clone, save):
    save(clone, LESSON)
    (clone / LESSON).touch()
    assert git(clone, "status", "--porcelain", PATH=os.defpath) == ""


def test_a_second_worktree_has_the_filter_too(clone, save, tmp_path, monkeypatch):
    git(clone, "worktree", "add", "--quiet", "-b", "another", tmp_path / "another one")
    monkeypatch.setattr(lab, "ROOT", tmp_path / "another one")
    save(tmp_path / "another one", LESSON)
    assert git(tmp_path / "another one", "status", "--porcelain") == ""


def test_a_folder_inside_somebody_elses_repository_changes_no_settings(tmp_path, monkeypatch):
    git(tmp_path, "init", "--quiet")
    settings = (tmp_path / ".git/config").read_text()
    (tmp_path / "unpacked").mkdir()
    monkeypatch.setattr(lab, "ROOT", tmp_path / "unpacked")
    lab.set_up_git()
    assert (tmp_path / ".git/config").read_text() == settings


def test_executed_copies_are_not_filtered(clone):
    assert outputs(clone, COPY)
    (clone / COPY).touch()
    assert git(clone, "status", "--porcelain") == ""
    assert "outputs" in git(clone, "show", f"HEAD:{COPY}")


def test_a_copy_to_try_things_out_in_is_ignored(clone):
    """JupyterLab names it so: right click, Duplicate."""
    for path in LESSON, EXERCISE, COPY:
        (clone / path.replace(".ipynb", "-Copy1.ipynb")).write_text("{}")
    assert git(clone, "status", "--porcelain") == ""


def test_every_committed_notebook_is_as_git_sees_it(monkeypatch, capsys):
    """So it has no outputs, and setting up the filter changes nothing."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("this is no clone")
    paths = run(["git", "ls-files", "notebooks/*.ipynb"], REPOSITORY).stdout.splitlines()
    assert LESSON in paths
    for path in paths:
        text = run(["git", "show", f":{path}"], REPOSITORY).stdout
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        runpy.run_path(str(REPOSITORY / "notebooks/commands/strip.py"))  # as a process takes longer
        assert capsys.readouterr().out == text, path


def test_a_notebook_with_the_marks_of_a_conflict_stays_as_it_is():
    text = '{\n<<<<<<< ours\n "ä": 1\n=======\n "ä": 2\n>>>>>>> theirs\n}\n'
    assert strip(text) == text
