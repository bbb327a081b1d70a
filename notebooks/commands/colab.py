"""Makes a machine of Google Colab's ready. The first cell of each lesson runs this there alone.

Colab opens a notebook by itself, on a machine that has TensorFlow and an older Keras. This fetches the
rest of the course and installs what is missing, and changes nothing that is there.
"""

import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

NEEDED = ["ai-edge-litert", "awslambdaric", "filelock", "nbconvert", "papermill", "pooch"]
# These ask for other versions than Colab has, of packages that the lessons do not need from them:
# of the second one they only take the emulator.
ALONE = ["keras-image-helper", "aws-sam-cli"]


def prepare_colab(repository: str) -> None:
    """Clone the course into the folder here, go to its lessons, and install what is missing."""
    course = Path("course").resolve()
    if not course.exists():
        subprocess.run(["git", "clone", "--quiet", repository, course], check=True)
    os.chdir(course / "notebooks")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as there:
        there.writelines(f"{each.name}=={each.version}\n" for each in metadata.distributions())
        there.flush()
        install([*pinned(course, NEEDED), "--constraint", there.name])
    install(["--no-deps", *pinned(course, ALONE)])


def pinned(course: Path, names: list[str]) -> list[str]:
    """Return those of these packages that are not installed, in the versions of the course's lock.

    What they need in turn has to fit Colab's packages, and may have other versions than there.
    """
    sys.path.insert(0, str(course / "notebooks"))
    from commands.lock import locked

    there = {each.name.lower() for each in metadata.distributions()}
    return [each for each in locked() if each.partition("==")[0] in set(names) - there]


def install(arguments: list[str]) -> None:
    """Install packages with pip; say what it says only where it fails."""
    # Python compiles what a lesson imports when it does; most of what is installed it never does.
    options = ["--quiet", "--no-compile", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options]
    process = subprocess.run(
        [*command, *arguments], capture_output=True, encoding="utf-8", errors="replace"
    )
    if process.returncode:
        raise RuntimeError(f"a package could not be installed; pip says: {process.stderr.strip()}")


prepare_colab(REPOSITORY)  # noqa: F821 (the cell that runs this has it)
