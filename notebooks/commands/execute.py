"""Run a notebook of the walk with papermill, from the repository's root.

    python notebooks/commands execute 01-keras-model IMAGE=notebooks/assets/dress.png

runs notebooks/01-keras-model.ipynb with this parameter and saves the executed copy, with its
outputs, as generated/01-keras-model.ipynb, or where a path says that may follow the name. What this
adds to the `papermill` command: the copy appears whole or not at all, a cell that fails is reported in
a few lines, and lesson 3 gets the parameters that lesson 1 was run with. With a TensorFlow Lite model as
MODEL, lessons 1 and 2 have nothing to do: what they leave is made from it. The appendix `onnx` takes an
ONNX file as MODEL, and lesson 1's other parameters with it.
"""

import logging
import re
import sys
from functools import partial
from pathlib import Path

from commands import WHAT_TO_DO
from commands.ticking import ticking

STOPPED = "notebooks/{0}.ipynb was stopped; generated/{0}.ipynb is as it was."
NOT_STARTED = "Kernel died before replying to kernel_info"  # what jupyter_client says


def execute(name: str, copy: Path, parameters: dict[str, str]) -> None:
    """Run notebooks/NAME.ipynb and save it, with its outputs, as the copy.

    Raises
    ------
    PapermillExecutionError
        A cell failed; the copy stays as it was.
    RuntimeError
        The kernel ended within a cell (DeadKernelError), or twice before the first one.
    OSError
        The notebook is missing, or the copy could not be written.
    """
    import nbformat
    import papermill
    from walk.lesson import whole_file

    # Of a run that is interrupted asyncio would say which of its tasks nobody waited for.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    executed = partial(
        papermill.execute_notebook,
        f"notebooks/{name}.ipynb",
        None,
        parameters,
        kernel_name="python3",
        cwd="notebooks",  # as in JupyterLab
        progress_bar={"desc": name},
        stderr_file=sys.stderr,  # the progress of a download
        coalesce_streams=True,  # however slowly the lines of a cell come
        extra_arguments=["--log-level=CRITICAL"],  # of the kernel
    )
    with seconds_counted():
        try:
            notebook = executed()
        except RuntimeError as error:
            if str(error) != NOT_STARTED:
                raise
            # Jupyter chose a port for the kernel, and another program took it before.
            notebook = executed()
    with whole_file(copy) as part:
        nbformat.write(notebook, part)


def own_parameters(name: str) -> dict[str, str]:
    """Return the parameters that a notebook has of its own."""
    import nbformat
    from walk.inputs import assigned

    cells = nbformat.read(f"notebooks/{name}.ipynb", as_version=4).cells
    tagged = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    return assigned("\n".join(tagged))


def take_onnx(given: dict[str, str]) -> None:
    """Leave what the appendix on ONNX needs of an ONNX file; without one, that is what lesson 1 left.

    Raises
    ------
    Problem
        A parameter is none of lesson 1's, or does not fit, or MODEL is not such a file.
    """
    from walk import Problem
    from walk.lesson import log_in_file
    from walk.onnx_models import forget_own, take

    own = own_parameters("01-keras-model")
    if unknown := [each for each in given if each not in own]:
        raise Problem(f"{unknown[0]} is no parameter of lesson 1. It has: {', '.join(own)}.")
    if given and "MODEL" not in given:
        raise Problem(
            "without MODEL=….onnx, the appendix takes what lesson 1 was run with: run that."
        )
    forget_own()
    if given:
        with log_in_file("onnx"):
            take(own | {"PREPROCESSING": "", "SCORES": ""} | given)


def seconds_counted(every: float = 2):
    """Let papermill's bar show the seconds that pass, also while a cell takes minutes."""
    from tqdm.auto import tqdm

    def refresh():
        for bar in list(tqdm._instances):
            bar.refresh()

    return ticking(refresh, every)


def left_by_lesson_1() -> dict[str, str]:
    """Return the parameters that lesson 1 left for lesson 3, where that has others of its own."""
    from walk.inputs import parameters_of_lesson_1

    own = own_parameters("03-predict")
    return {
        name: value for name, value in parameters_of_lesson_1().items() if own.get(name) != value
    }


def report(name: str, error) -> str:
    """Say which cell failed, at which line, and with what message."""
    from papermill.exceptions import strip_color

    frames = strip_color("\n".join(error.traceback)).splitlines()
    lines = [line for line in frames if re.match(r"-+> *\d+ (?! *raise)", line)]
    return "\n".join(
        [f"\nnotebooks/{name}.ipynb stopped in cell [{error.exec_count}]:", *lines[:1]]
        + [f"{error.ename}: {error.evalue}"]
        + [advice for code, advice in WHAT_TO_DO.items() if f"[Errno {code}]" in error.evalue]
    )


def run(name: str, copy: Path, parameters: dict[str, str]) -> str | None:
    """Run the notebook; return the message to fail with, if it failed."""
    # These imports take a second: Ctrl-C must not show where they are.
    from nbclient.exceptions import DeadKernelError
    from nbformat.reader import NotJSONError
    from papermill.exceptions import PapermillExecutionError

    try:
        own = own_parameters(name)
        if unknown := [each for each in parameters if each not in own]:
            return f"{unknown[0]} is no parameter of {name}. It has: {', '.join(own) or 'none'}."
        execute(name, copy, parameters)
    except PapermillExecutionError as error:
        return report(name, error)
    except NotJSONError:
        return f"notebooks/{name}.ipynb is not a notebook: it is not JSON."
    except DeadKernelError:
        return (
            f"\nnotebooks/{name}.ipynb: its Python process ended, perhaps for lack of memory. "
            f"What its libraries said stands in generated/{name}.log."
        )
    except RuntimeError as error:
        if str(error) != NOT_STARTED:
            raise
        return (
            f"\nnotebooks/{name}.ipynb: its Python process ended before the first cell, twice. "
            "What it said stands above."
        )
    return None


def main(name: str, copy: str = "", **parameters: str) -> str | None:
    """Run the notebook with these parameters; return the message to fail with, if it failed."""
    if name == "03-predict":
        parameters = left_by_lesson_1() | parameters
    copy = Path(copy or f"generated/{name}.ipynb")
    if name in ("01-keras-model", "02-tflite-model", "onnx"):
        from walk import Problem
        from walk.tflite import in_place_of

        given = {key: value for key, value in parameters.items() if value}
        try:
            if name == "onnx":
                take_onnx(given)
                parameters = {}  # the notebook reads what was taken
            elif in_place_of(name, copy, own_parameters(name) | given):
                print(f"{name} is left out: MODEL is a TensorFlow Lite model")
                return None
        except Problem as problem:
            return f"\nnotebooks/{name}.ipynb stopped before its first cell:\nProblem: {problem}"
    return run(name, copy, parameters)
