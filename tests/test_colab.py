"""Google Colab, as far as it can be played here: a notebook alone, with another Python and TensorFlow."""

import json
import sys

import nbformat
import pytest
from conftest import REPOSITORY, commit_all, copy_of, copy_repository, git, run
from walk import web_server
from walk.aws import path_to_python

# What Colab has, in November 2026 as far as it is known here, without the hundreds of other packages.
PYTHON = "3.12"
COLAB = """
tensorflow==2.19.0 tf-keras==2.19.0 keras==3.10.0 numpy==2.0.2 pillow==11.3.0 matplotlib==3.10.0
ipykernel==6.17.1 ipython==7.34.0 jupyter-client==7.4.9 h5py==3.14.0 tqdm requests nbconvert nbclient pip
""".split()
RUN = """
import nbclient, nbformat, sys
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, kernel_name="python3", timeout=600).execute()
nbformat.write(notebook, sys.argv[1])
"""


@pytest.fixture(scope="module")
def colab(module_path):
    """The python of an environment like Colab's."""
    folder = module_path / "environment"
    made = run(["uv", "venv", "--python", PYTHON, folder], REPOSITORY, PATH=path_to_python(PYTHON))
    if made.returncode:
        pytest.skip(f"there is no Python {PYTHON}: {made.stderr.strip().splitlines()[-1]}")
    python = folder / "bin/python"
    # 2 GB of them: links need no room, wherever the folder lies
    install = ["uv", "pip", "install", "--quiet", "--link-mode", "symlink", "--python", python]
    process = run([*install, *COLAB], REPOSITORY)
    assert process.returncode == 0, process.stderr
    return python


@pytest.fixture(scope="module")
def address(module_path):
    """The address of a server with a clone of the repository, and the files as GitHub has them."""
    folder = module_path / "web"
    course = copy_repository(folder / "copy")
    commit_all(course)
    git(folder, "clone", "--quiet", "--bare", course, folder / "github/course")
    git(folder / "github/course", "update-server-info")
    copy_of(course, folder / "github/course/raw/main")
    with web_server(folder / "github") as address:
        yield f"{address}/course"


@pytest.mark.xdist_group("colab")
def test_a_lesson_alone_fetches_the_rest_and_what_the_lessons_before_it_leave(
    colab, address, tmp_path
):
    freeze = ["uv", "pip", "freeze", "--python", colab]
    versions = run(freeze, tmp_path).stdout.splitlines()
    assert versions
    notebook = nbformat.read(REPOSITORY / "notebooks/04-lambda-function.ipynb", as_version=4)
    (first,) = [cell for cell in notebook.cells if "colab" in cell.metadata.get("tags", [])]
    published = (REPOSITORY / ".github/address").read_text().strip()
    assert published in first.source
    first.source = first.source.replace(published, address)
    nbformat.write(notebook, tmp_path / "alone.ipynb")

    process = run([colab, "-c", RUN, "alone.ipynb"], tmp_path, COLAB_RELEASE_TAG="release")

    assert process.returncode == 0, process.stderr[-3000:]
    course = tmp_path / "course"
    record = json.loads((course / "generated/lambda-answers.json").read_text())
    assert record["runtime"] == "AWS's own runtime"
    expected = json.loads((course / "generated/expected-scores.json").read_text())["scores"]
    for picture, answer in record["answers"].items():
        assert answer == pytest.approx(expected[picture], abs=1e-4)
    assert set(versions) <= set(run(freeze, tmp_path).stdout.splitlines())


@pytest.mark.parametrize(
    "notebook",
    [
        *sorted(REPOSITORY.glob("notebooks/0[1-4679]*.ipynb")),
        *sorted(REPOSITORY.glob("notebooks/exercises/[0-9]*.ipynb")),
        REPOSITORY / "notebooks/homework.ipynb",
    ],
    ids=lambda path: path.relative_to(REPOSITORY).as_posix(),
)
def test_the_first_cell_is_the_same_in_each_and_does_nothing_elsewhere(notebook):
    cells = [c for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code"]
    first = nbformat.read(REPOSITORY / "notebooks/01-keras-model.ipynb", as_version=4).cells[1]
    assert cells[0].source == first.source
    code = f"{first.source}\nassert 'prepare_colab' not in globals()"
    assert run([sys.executable, "-c", code], REPOSITORY).returncode == 0
