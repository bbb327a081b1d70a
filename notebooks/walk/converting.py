"""Conversions: slow ones are seen to go on, and a variant that fails does not stop the walk."""

import re
import time
from contextlib import contextmanager
from pathlib import Path

from commands.ticking import ticking
from IPython import get_ipython
from IPython.display import clear_output, display

from .lesson import Problem, one_line


@contextmanager
def attempt(file: str, optional: bool = False):
    """Let the `with` block make a converted model, or try one; say meanwhile how long that takes.

    Parameters
    ----------
    file
        The .tflite file.
    optional
        Whether the lesson goes on if it fails: the reason is printed then, and the file removed.

    Yields
    ------
    str
        The file.

    Raises
    ------
    Problem
        It failed, and it is not optional.
    """
    try:
        with _seconds_shown(Path(file).name):
            yield file
    except Exception as error:
        name, reason = Path(file).name, _reason(error)
        if not optional:
            raise Problem(f"{name} could not be made. The reason given: {reason}") from None
        Path(file).unlink(missing_ok=True)
        print(f"{name} failed, and the lesson goes on without it. The reason given: {reason}")


def _reason(error: Exception) -> str:
    """Return why a conversion failed, in one line, of what may be hundreds."""
    text = str(error)
    if unknown := re.findall(r"'tf\.(\w+)' op is neither", text):
        return f"TensorFlow Lite knows no {' and no '.join(sorted(set(unknown)))}"
    if "MLIR" in text:  # what was called from where; behind that stands what was wrong
        return text.splitlines()[0].rpartition("): ")[2]
    return one_line(error)


@contextmanager
def _seconds_shown(what: str):
    """Show in the notebook how many seconds the `with` block has taken so far; nothing stays of it.

    The converter lets no other thread work for ten seconds at a time; the bar beside the seconds moves
    all the same, because the browser moves it.
    """
    if not get_ipython():
        yield
        return
    began = time.monotonic()

    def line():
        text = f"{what}: {time.monotonic() - began:.0f} s …"
        return {"text/plain": text, "text/html": f"<progress></progress> {text}"}

    shown = display(line(), raw=True, display_id=True)
    try:
        with ticking(lambda: shown.update(line(), raw=True), every=1):
            yield
    finally:
        clear_output()
