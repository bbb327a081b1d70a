"""The environment of each runtime, which holds that runtime and nothing else; see walk.environments."""

import shlex
from pathlib import Path

import walk
from commands.lock import locked
from tqdm import tqdm
from walk.environments import ENVIRONMENTS, FOLDER, build, lock_of

NAMES = [name for name in ENVIRONMENTS if name not in ("ministack", "onnx-function")]


def requirements() -> dict[str, list[str]]:
    """Return the packages of each environment."""
    return {name: locked(lock_of(name)) for name in NAMES}


def environment_of(runtime: str) -> str:
    """Return the name of the environment that a runtime is in."""
    return "tensorflow" if runtime in ("keras", "tf.lite") else runtime


def python_of(environment: str) -> Path:
    """Return the Python of an environment."""
    return FOLDER.absolute() / environment / "bin" / "python"


def call(*command) -> str:
    """Run a program; return what it printed, or raise a walk.Problem with what it said."""
    return walk.run(shlex.join(str(each) for each in command))


def build_all() -> None:
    """Build the environments that do not stand there whole."""
    for name in tqdm(NAMES, desc="environments", unit="environment"):
        try:
            build(name)
        except walk.Problem as problem:
            raise walk.Problem(f"The environment {name} cannot be built. {problem}") from None


def sizes(environment: str) -> dict[str, float]:
    """Return the size of each package in an environment, in MB, the largest first."""
    python = f"python{ENVIRONMENTS[environment].python}"
    return walk.package_sizes(FOLDER / environment / "lib" / python / "site-packages")
