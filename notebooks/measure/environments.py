"""An environment for each runtime, which holds that runtime and nothing else.

uv builds them in .cache/environments/, once, with the versions that the repository's own lists name.
"""

import shlex
from functools import cache
from pathlib import Path

import walk
import yaml
from packaging.requirements import Requirement
from tqdm import tqdm

FOLDER = Path(".cache/environments")
PYTHON = "3.11"  # the last one that tflite-runtime has a wheel for; the same for all
HELPERS = "keras-image-helper numpy pillow"  # what turns a picture into numbers
# of the zip's packages, those that need a newer Python: the last ones for Python 3.11 instead
FOR_THIS_PYTHON = {"lambda/requirements-zip.txt": {"numpy": "2.4.6"}}


def pinned(file: str, names: str) -> list[str]:
    """Return packages in the versions that a file of the repository names, as "numpy==1.26.4".

    Parameters
    ----------
    file
        environment.yml, or a list of requirements.
    names
        The packages, separated by spaces.
    """
    text = Path(file).read_text(encoding="utf-8")
    lines = text.splitlines()
    if file.endswith(".yml"):
        lines = yaml.safe_load(text)["dependencies"][-1]["pip"]
    lines = [line.partition("#")[0].strip() for line in lines]
    versions = {}
    for requirement in [Requirement(line) for line in lines if line]:
        if not requirement.marker or requirement.marker.evaluate({"python_version": PYTHON}):
            versions[requirement.name] = str(requirement.specifier).removeprefix("==")
    versions |= FOR_THIS_PYTHON.get(file, {})
    return [f"{name}=={versions[name]}" for name in names.split()]


@cache
def requirements() -> dict[str, list[str]]:
    """Return the packages of each environment."""
    return {
        "tensorflow": pinned("environment.yml", f"tensorflow keras tf-keras {HELPERS}"),
        "tflite-runtime": pinned("lambda/requirements.txt", f"tflite-runtime {HELPERS}"),
        "litert": pinned("lambda/requirements-zip.txt", f"ai-edge-litert {HELPERS}"),
        "onnxruntime": ["onnxruntime==1.31.1", *pinned("lambda/requirements-zip.txt", HELPERS)],
        # makes the ONNX files, and runs no measurement; tf2onnx needs onnx, which needs NumPy 2:
        # it cannot live where tflite-runtime does
        "converter": ["tf2onnx==1.17.0", *pinned("environment.yml", "tensorflow keras tf-keras")],
        # AWS's runtime client, which Lambda has in any case, and nothing else
        "lambda": pinned("environment.yml", "awslambdaric"),
    }


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
    """Build the environments that do not stand there complete, with these very packages."""
    for name, packages in tqdm(requirements().items(), desc="environments", unit="environment"):
        complete = FOLDER / name / "complete.json"
        if complete.exists() and walk.load(complete) == packages:
            continue
        call("uv", "venv", "--clear", "--python", PYTHON, FOLDER / name)
        call("uv", "pip", "install", "--python", python_of(name), *packages, "--compile-bytecode")
        walk.save(complete, packages)


def sizes(environment: str) -> dict[str, float]:
    """Return the size of each package in an environment, in MB, the largest first."""
    site = FOLDER / environment / "lib" / f"python{PYTHON}" / "site-packages"
    return walk.package_sizes(site)
