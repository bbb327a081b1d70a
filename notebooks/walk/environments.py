"""Environments of their own, for what cannot live in the lessons' environment.

uv builds each of them in .cache/environments/, once, from its lock in locks/; `make lock` writes
these.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

from .lesson import Problem, save

FOLDER = Path(".cache/environments")
LOCKS = Path(__file__).parent / "locks"


@dataclass(frozen=True)
class Environment:
    """What people choose of an environment; `make lock` works out the rest.

    Attributes
    ----------
    packages
        Separated by spaces; one without a version of its own has that of .requirements.lock.
    python
        The version of its Python.
    locked_for
        The Python whose versions in .requirements.lock it takes; None if it takes none of them.
    """

    packages: str
    python: str = (
        "3.11"  # the last one that tflite-runtime has a wheel for; the same for all measured
    )
    locked_for: str | None = "3.11"


HELPERS = "keras-image-helper numpy pillow"  # what turns a picture into numbers
# LiteRT and ONNX Runtime go with NumPy 2, whose last version for Python 3.11 this is.
NEWER_HELPERS = HELPERS.replace("numpy", "numpy==2.4.6")

ENVIRONMENTS = {
    # an AWS on this machine; [full] has the transform that SAM's templates need. It runs functions
    # with its own Python, so that is the Runtime in lambda/template.yaml
    "ministack": Environment("ministack[full]==1.5.33", python="3.13", locked_for=None),
    # what `make measure` compares
    "tensorflow": Environment(f"tensorflow keras tf-keras {HELPERS}"),
    "tflite-runtime": Environment(f"tflite-runtime {HELPERS}"),
    "litert": Environment(f"ai-edge-litert {NEWER_HELPERS}", locked_for="3.13"),
    "onnxruntime": Environment(f"onnxruntime {NEWER_HELPERS}", locked_for="3.13"),
    # AWS's runtime client, which Lambda has in any case, and nothing else
    "lambda": Environment("awslambdaric"),
    # what a zip with the appendix's function holds, and that client; AWS's Python
    "onnx-function": Environment(
        f"onnxruntime {HELPERS} awslambdaric", python="3.13", locked_for="3.13"
    ),
}


def lock_of(name: str) -> Path:
    """Return the lock of an environment."""
    return LOCKS / f"{name}.txt"


def build(name: str) -> Path:
    """Return the folder of an environment, built if it does not stand there whole.

    Raises
    ------
    Problem
        It cannot be built here; the message says what uv says.
    """
    lock, folder = lock_of(name), FOLDER / name
    complete = folder / "complete.txt"
    checksum = sha256(lock.read_bytes()).hexdigest()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):  # another process may be building it
        python = folder / "bin" / "python"  # a link, maybe to one that is gone
        if not (python.exists() and complete.exists() and complete.read_text() == checksum):
            make(folder, ENVIRONMENTS[name].python, lock)
            save(complete, checksum)
    return folder.absolute()


def make(folder: str | Path, python: str, lock: str | Path) -> None:
    """Make an environment with the packages of a lock and nothing else; a Problem if uv cannot.

    Its programs run wherever the folder is moved, or whatever the link is called that leads to it.
    """
    _uv(python, "venv", "--clear", "--relocatable", "--python", python, folder)
    packages = ["--require-hashes", "--requirement", lock]
    _uv(python, "pip", "install", "--python", folder, "--compile-bytecode", *packages)


def fill(folder: str | Path, name: str) -> None:
    """Install an environment's packages into a folder, as for a zip; a Problem if uv cannot."""
    python = ENVIRONMENTS[name].python
    packages = ["--require-hashes", "--requirement", lock_of(name)]
    _uv(python, "pip", "install", "--python", python, "--target", folder, *packages)


def _uv(python: str, *command: str | Path) -> None:
    """Run uv, which is to find such a Python."""
    path = os.pathsep.join([os.environ["PATH"], path_to_python(python)])
    process = subprocess.run(
        ["uv", *command],
        env=os.environ | {"PATH": path},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if process.returncode:
        raise Problem(f"uv says: {process.stderr.strip().splitlines()[-1]}")


def path_to_python(version: str) -> str:
    """Return the PATH with this environment first, and last where pyenv keeps such a Python.

    uv looks there, and else downloads one.
    """
    home = os.environ.get("HOME", "")
    pyenv = Path(os.environ.get("PYENV_ROOT", f"{home}/.pyenv"), "versions")
    places = [Path(sys.executable).parent, os.environ["PATH"], *pyenv.glob(f"{version}.*/bin")]
    return os.pathsep.join(map(str, places))
