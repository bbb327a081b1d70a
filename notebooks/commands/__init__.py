"""The programs behind make's targets, with one shared way to be called and to end.

    python notebooks/commands NAME [VALUE …] [KEY=VALUE …]

| name | what it does | make |
|:--|:--|:--|
| execute | runs a lesson, with papermill | `make` |
| doctor | says what this machine lacks of what the lessons need | `make check` |
| lab | opens JupyterLab, with git set up for it | `make lab` |
| serve | deploys the function to an AWS on this machine, with its page | `make serve` |
| score_photos | scores a folder of photos, as lesson 10 does | `make catalogue` |
| check_model | says how often Keras and the function are right about photos by class | `make check-model` |
| measure | measures each runtime and function | `make measure` |
| publish | copies what the lessons showed to where git keeps it | `make publish` |
| readme_table | writes README's table of the published measurements | `make publish` |
| lock | works out what environment.yml's choices need, and writes the locks | `make lock` |
| address | writes the repository's address into links and cells | `make address` |

Two programs are run by others: git reads notebooks through strip, and Google Colab fetches colab first.

Each command has a function `main`, which takes the values, and the keys as keyword arguments, and returns the
message to fail with, if it failed. Nothing here but what `main` itself imports needs more than Python
3.8: doctor runs before there is an environment.
"""

import errno
import importlib
import inspect
import math
import re
import signal
import sys
import threading
import time
import warnings

from commands.settings import forget

COMMANDS = "execute doctor lab serve score_photos check_model measure publish readme_table lock address".split()

SIGNALS = signal.SIGINT, signal.SIGTERM

WHAT_TO_DO = {
    errno.ENOSPC: "The disk is full: free some space (`make clean` removes what the walk made).",
    errno.EDQUOT: "Your disk quota is used up: free some space.",
    errno.EACCES: "Make the folder writable, or work in a copy of the repository.",
    errno.EROFS: "The folder is read-only: work in a copy of the repository.",
}


def call(name, *arguments):
    """Call a command's `main`; return the message to fail with, if it failed.

    Ctrl-C, what the reader can put right (walk.Problem) and what the system refuses (OSError) each get
    one line. After Ctrl-C that is the command's `STOPPED`, where it has one.
    """
    stopped = name + " was stopped."
    mind_signals()
    forget()
    try:
        if name not in COMMANDS:
            return f"There is no command {name}.\n\n{__doc__}"
        module = importlib.import_module("commands." + name)
        stopped = getattr(module, "STOPPED", stopped)
        values, keys = sorted_out(arguments)
        try:
            inspect.signature(module.main).bind(*values, **keys)
        except TypeError as error:
            return f"{name}: {error}.\n\n{module.__doc__}"
        return module.main(*values, **keys)
    except KeyboardInterrupt:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # it is ending; once more changes nothing
        # Where it left text that was executed, as nbformat's checks are, Python remembers to end by the
        # signal, although it is caught here; it forgets when the next text begins.
        eval("None")
        # Of what was left half done, nobody needs to hear.
        sys.unraisablehook = lambda left: None
        warnings.simplefilter("ignore")
        return "\n" + stopped.format(*arguments)
    except OSError as error:
        return said_of(error)
    except problems() as problem:
        return str(problem)


def mind_signals():
    """Let Ctrl-C, and SIGTERM, raise KeyboardInterrupt, but not in the midst of an import.

    There packages make another error of it (NumPy, an ImportError), or Python loses it (in a callback). So it
    comes once more, a moment later, until no import is in its way. Within a second, several are one.
    """
    raised = -math.inf

    def stop(number, frame):
        nonlocal raised
        if imports(frame):
            threading.Timer(0.05, signal.raise_signal, [number]).start()
        elif time.monotonic() > raised + 1:
            raised = time.monotonic()
            signal.default_int_handler(number, frame)

    for number in SIGNALS:
        signal.signal(number, stop)


def imports(frame):
    """Say whether Python's own importing waits for what happens in this frame."""
    while frame and frame.f_code.co_filename != "<frozen importlib._bootstrap>":
        frame = frame.f_back
    return bool(frame)


def sorted_out(arguments):
    """Return values as a list, and KEY=VALUE as a dict; an empty VALUE counts as not given."""
    pairs = [re.fullmatch("([A-Z_]+)=(.*)", each, re.DOTALL) for each in arguments]
    values = [each for each, pair in zip(arguments, pairs) if not pair]  # noqa: B905
    return values, {pair[1]: pair[2] for pair in pairs if pair and pair[2]}


def problems():
    """Return the errors that the reader can put right; of a package not yet imported none came."""
    walk = sys.modules.get("walk")
    return getattr(walk, "Problem", ())


def said_of(error):
    """Return in one line what the system refused, and what to do about it."""
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return f"{what}. {WHAT_TO_DO.get(error.errno, '')}".strip()
