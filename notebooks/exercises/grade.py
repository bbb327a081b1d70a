"""Grade a class: run the exercises that students handed in, and print a table.

    python notebooks/exercises/grade.py FOLDER

FOLDER has a folder for each student, which holds the notebooks of exercises under their own names,
and own/ from beside them. Every notebook is run, in a copy of this repository, with the checks that
are here: what counts is what the code does now, not what a notebook shows. The homework is not run:
its column says what its last cell showed when it was handed in.

This runs what strangers wrote. Do it where they can do no harm: in a container, say, or under an
account that holds nothing of yours.
"""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbclient
import nbformat
from checks import FOLDER, RIGHT

ROOT = FOLDER.parent.parent
CELL_SECONDS = 120  # what runs for longer never ends
SUMMARY = re.compile(r"(\d+ of \d+) exercises are done")
RESULTS = "import json, checks\nprint(json.dumps(checks.results()))"


def copy_of_the_repository(folder: Path) -> Path:
    """Copy what the exercises need: the lessons, the function, and the files of the walk."""
    for part in "notebooks", "lambda", "generated":
        unneeded = shutil.ignore_patterns("own", ".aws-sam", "downloads", "measurements")
        shutil.copytree(ROOT / part, folder / part, ignore=unneeded)
    return folder / "notebooks/exercises"


def grade(handed_in: Path, exercises: Path) -> str:
    """Run a notebook in the folder of the exercises; return how much is right, in a few words."""
    try:
        notebook = nbformat.read(handed_in, as_version=4)
    except FileNotFoundError:
        return "missing"
    except Exception:  # whatever it is, it is no notebook
        return "no notebook"
    if handed_in.stem == "homework":
        shown = SUMMARY.findall(nbformat.writes(notebook))
        return shown[-1] if shown else "not run"
    notebook.cells.append(nbformat.v4.new_code_cell(RESULTS))
    client = nbclient.NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        interrupt_on_timeout=True,
        allow_errors=True,
        extra_arguments=["--log-level=CRITICAL"],  # of the kernel
        kernel_name="python3",
        resources={"metadata": {"path": exercises}},
    )
    try:
        client.execute()
        results = json.loads(notebook.cells[-1].outputs[0].text)
    except nbclient.exceptions.DeadKernelError:
        return "its Python ended"
    except Exception:
        return "does not run"
    return f"{list(results.values()).count(RIGHT)} of {len(results)}" if results else "does not run"


def main(*arguments: str) -> str | None:
    """Print the table; return the message to fail with, if it failed."""
    if len(arguments) != 1:
        return __doc__
    students = sorted(Path(arguments[0]).glob("*/"))
    if not students:
        return f"There is no student's folder in {arguments[0]}.\n\n{__doc__}"
    if not (ROOT / "generated/prediction.json").exists():
        return "The checks need what the walk makes: run `make` first."
    names = [file.stem for file in sorted(FOLDER.glob("[0-9]*[!0-9].ipynb"))] + ["homework"]
    width = max(len(student.name) for student in students)
    print(" " * width, *(f"{name.split('-')[0]:>17}" for name in names), flush=True)
    for student in students:
        print(f"{student.name:{width}}", end="", flush=True)
        with tempfile.TemporaryDirectory() as place:
            exercises = copy_of_the_repository(Path(place))
            if (own := student / "own").is_dir():
                shutil.copytree(own, exercises / "own")
            for name in names:
                print(f" {grade(student / f'{name}.ipynb', exercises):>17}", end="", flush=True)
        print()
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
