"""A lesson begins, keeps its files whole, and says what is wrong in one line."""

import json
import logging
import os
import re
import shlex
import subprocess
import sys
import traceback
import warnings
from contextlib import contextmanager
from pathlib import Path

from commands.settings import forget, forget_account
from IPython import get_ipython

ROOT = Path(__file__).resolve().parent.parent.parent

MADE_BY = {  # the lesson that makes a file
    "expected-scores.json": "01-keras-model",
    "clothing-model.tflite": "02-tflite-model",
    "tflite-models.json": "02-tflite-model",
    "prediction.json": "03-predict",
    "lambda_function.py": "04-lambda-function",
    "guards.py": "06-strangers",
    "api.py": "07-http",
    "catalogue.py": "10-catalogue",
    "onnx_function.py": "onnx",
}
REMEDIES = {file: f"Run notebooks/{lesson}.ipynb first." for file, lesson in MADE_BY.items()}
REMEDIES["measurements.json"] = "It comes with the repository; `make measure` makes one, too."

# What git keeps of what running the lessons makes: `make publish` writes it, and nothing else does.
PUBLISHED = Path("generated/published")


class Problem(Exception):
    """Something that the reader can put right. Notebooks show its message and no traceback."""

    def _render_traceback_(self):  # IPython asks for this
        return [f"Problem: {self}"]


def begin(lesson: str, *needed: str, account: bool = False) -> None:
    """Set up a lesson: work at the repository's root, keep logs out of the page, check the inputs.

    What is set for other work, environment variables and an account of AWS, does not count in it.

    Parameters
    ----------
    lesson
        The notebook's name, as in "02-tflite-model". Logs go to generated/LESSON.log.
    needed
        Files that must be there, relative to the repository's root.
    account
        Whether the account of AWS that is set up here counts after all.

    Raises
    ------
    Problem
        A file is missing, or generated/ cannot be written.
    """
    forget()
    if not account:
        forget_account()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT / "notebooks"))  # for later imports, wherever Jupyter started
    try:
        Path("generated").mkdir(exist_ok=True)
        if shell := get_ipython():
            # C++ code logs to file descriptor 2: let it write to a file, not into the page.
            with Path("generated", f"{lesson}.log").open("w") as log:
                os.dup2(log.fileno(), 2)
            shell.set_custom_exc((NameError,), _explain_name)
    except OSError as error:
        raise Problem(f"generated/ cannot be written: {error.strerror}. Use a copy.") from None
    # tf.lite.Interpreter is deprecated in favour of LiteRT's, which lesson 3 comes to.
    warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated")
    # For full int8 the converter measures its own statistics of the inputs.
    warnings.filterwarnings("ignore", message="Statistics for quantized inputs were expected")
    # Lesson 1 writes an HDF5 file, as the course does.
    warnings.filterwarnings("ignore", message=".*saving your model as an HDF5 file")
    # The servers of the lessons are on this machine, also where a proxy leads to the internet.
    ask_no_proxy("127.0.0.1", "localhost")
    logging.getLogger("tensorflow").addFilter(lambda record: record.levelno >= logging.ERROR)
    for file in needed:
        require(file)


@contextmanager
def log_in_file(lesson: str):
    """Let what C++ code logs in the `with` block go to generated/LESSON.log, as in that lesson."""
    before = os.dup(2)
    with (
        Path("generated", f"{lesson}.log").open("w") as log,
        warnings.catch_warnings(action="ignore"),
    ):
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)


def ask_no_proxy(*hosts: str) -> None:
    """Let hosts be asked without a proxy; of the variable's two spellings, programs know one or both."""
    spellings = "no_proxy", "NO_PROXY"
    listed = [each for name in spellings for each in os.environ.get(name, "").split(",")]
    names = dict.fromkeys(filter(None, [each.strip() for each in listed] + list(hosts)))
    os.environ.update(dict.fromkeys(spellings, ",".join(names)))


def require(file: str) -> Path:
    """Return the path of a file that an earlier lesson makes; raise a Problem if it is missing.

    On Google Colab, where each notebook has a machine of its own, that lesson is run.
    """
    lesson = MADE_BY.get(Path(file).name)
    if lesson and "COLAB_RELEASE_TAG" in os.environ and not Path(file).exists():
        print(f"{file} is not there yet: running lesson {lesson} …", flush=True)
        run(f"python notebooks/commands execute {lesson}")
    if not Path(file).exists():
        raise Problem(f"{file} is missing. {REMEDIES.get(Path(file).name, '')}".strip())
    return Path(file)


def _explain_name(shell, kind, error, trace, tb_offset=None):
    """Show what to do about a NameError in a cell; anywhere else, show it as it is."""
    last = traceback.extract_tb(trace)[-1]
    if last.name == "<module>" and "ipykernel" in last.filename:
        text = (
            f"`{error.name}` is not there yet: run the cells above this one first, in order. "
            "If none of them makes it: is it spelt right, and imported?"
        )
        shell._showtraceback(kind, error, [text])
    else:
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


@contextmanager
def error_shown():
    """Print the error that the `with` block ends in, in one line, and go on.

    Raises
    ------
    Problem
        There was no error.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except Exception as error:
        print(one_line(error))
    else:
        raise Problem("An error was expected here, and there was none.")


def one_line(error: Exception, length: int = 150) -> str:
    """Return the kind of an error and the last line of its message, cut at so many characters."""
    lines = str(error).strip().splitlines() or [""]
    text = re.sub(r" ?<[^<>]* at 0x\w+>", "", f"{type(error).__name__}: {lines[-1]}")
    return text if len(text) <= length else f"{text[:length]}…"


@contextmanager
def whole_file(path: str | Path, ending: str = ""):
    """Give a path to write to; in the end, what is there becomes the file at `path`.

    That file appears whole or not at all: what was there before stays until then.

    Parameters
    ----------
    path
        Where to.
    ending
        What the name of the path to write to must end in, as some libraries want it.
    """
    part = Path(f"{path}.part{ending}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def save(path: str | Path, content) -> None:
    """Write a file that appears whole or not at all.

    Parameters
    ----------
    path
        Where to; what was there before stays until the new file is complete.
    content
        Bytes, a text, or else anything that JSON can hold.
    """
    if not isinstance(content, bytes | str):
        content = json.dumps(content, indent=1)
    with whole_file(path) as part:
        part.write_bytes(content if isinstance(content, bytes) else content.encode())


def load(path: str | Path):
    """Return what a JSON file holds; raise a Problem if it is missing."""
    return json.loads(require(str(path)).read_text(encoding="utf-8"))


def load_measurements(record: str = "") -> dict:
    """Return a record of `make measure`: this one, or your own, or else the published one."""
    own = Path("generated/measurements.json")
    return load(record or (own if own.exists() else PUBLISHED / own.name))


def run(command: str, folder: str | Path = ".") -> str:
    """Run a program of this environment; return what it printed.

    Raises
    ------
    Problem
        It failed; the message ends with what it said.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    process = subprocess.run(
        shlex.split(command),
        cwd=folder,
        # Jupyter asks for colours, and Python 3.13 gives them to its errors.
        env=os.environ | {"PATH": path, "PYTHON_COLORS": "0", "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",  # a program may write in another encoding
    )
    if process.returncode:
        said = (process.stderr or process.stdout).strip()
        if "Traceback (most recent call last)" in said:
            said = said.splitlines()[-1]
        raise Problem(f"`{command}` failed: {said}")
    return process.stdout
