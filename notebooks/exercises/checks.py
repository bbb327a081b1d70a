"""Exercises that check themselves.

`check` says whether an answer is right, and if not, what is wrong with it; `hint` and `solution`
help on; `done` shows how far you are. What makes an answer right stands in criteria/, a file for
each lesson; the solutions are in solutions/.
"""

import dis
import importlib
import numbers
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path += [str(FOLDER), str(FOLDER.parent)]  # where criteria and walk are

import numpy as np  # noqa: E402
import walk  # noqa: E402

NOT_ATTEMPTED, NOT_YET, RIGHT = "not attempted yet", "not yet", "right"
MARKS = {NOT_ATTEMPTED: "○", NOT_YET: "✗", RIGHT: "✓"}

# What is said where something else was given, by the type that is asked for.
ASKED_FOR = {
    Callable: "A function is asked for: its name alone, without the brackets that call it.",
    type: "A class is asked for: its name alone, without the brackets that make an instance of it.",
    str: "A text is asked for.",
    numbers.Real: "A number is asked for, without quotation marks: float(…) makes one of a text.",
    bytes: "Bytes are asked for.",
    list: "A list is asked for.",
    dict: "A dict is asked for.",
    tuple: "A pair is asked for.",
    bool: "True or False is asked for.",
    np.ndarray: "An array is asked for.",
}
# Hints for errors that come in any exercise, by words of the error's message.
ERRORS = {
    "positional argument": "The function gets as many arguments as the one that stood here at first. "
    "Does your def have the same?",
    "unexpected keyword argument": "One of the functions that you call does not know this name for "
    "an argument.",
    "is not defined": "This name is not known here. Does it need an import, or the name of its module "
    "in front of it?",
}


class NotAttempted(Exception):
    """What comes first, where an answer cannot be judged yet."""


class Wrong(Exception):
    """What is wrong with an answer, and the hint that fits that mistake."""

    def __init__(self, what: str, hint: str):
        super().__init__(what)
        self.hint = hint


@dataclass
class Exercise:
    """One exercise: how to judge an answer, and how to help."""

    judge: Callable[[object], str]  # returns why it matters; raises Wrong or NotAttempted
    answer: type | tuple[type, ...]  # what an answer has to be
    hint: str
    errors: dict[str, str]  # the hint for an error of the reader's code, by words of its message
    state: str = field(default=NOT_ATTEMPTED)


exercises: dict[str, Exercise] = {}  # by name, of the lesson that `begin` was called with


def exercise(name: str, answer: type | tuple[type, ...], hint: str, errors=None):
    """Turn a function that judges an answer into an exercise.

    Parameters
    ----------
    name
        What `check` calls it.
    answer
        The type of an answer; `Callable` for a function.
    hint
        What `hint` prints.
    errors
        Hints for what may go wrong in the reader's code, by words of the error's message.
    """

    def add(judge):
        exercises[name] = Exercise(judge, answer, hint, errors or {})
        return judge

    return add


def begin(lesson: str, *needed: str) -> None:
    """Set up the exercises of a lesson, as `walk.begin` sets up the lesson itself."""
    walk.begin(f"exercises-{lesson}", *needed)
    exercises.clear()
    module = f"criteria.{lesson.lstrip('0123456789-').replace('-', '_')}"
    sys.modules.pop(module, None)  # when the cell is run again
    importlib.import_module(module)


def check(name: str, answer) -> None:
    """Say whether an answer is right; if not, what is wrong with it, and a hint."""
    this = _named(name)
    if _is_untouched(answer):
        this.state = NOT_ATTEMPTED
        _say(name, this.state, "Put your answer in the place of the three dots.")
        return
    this.state = NOT_YET
    try:
        _check_type(this.answer, answer)
        why = this.judge(answer)
    except NotAttempted as reason:
        this.state = NOT_ATTEMPTED
        _say(name, this.state, str(reason))
    except Wrong as wrong:
        _say(name, this.state, str(wrong), f"Hint: {wrong.hint}")
    except Exception as error:
        _say(name, this.state, *_explain(this, error))
    else:
        this.state = RIGHT
        _say(name, this.state, why)


def hint(name: str) -> None:
    """Print a hint that holds whatever was tried."""
    print(f"Hint: {_named(name).hint}")


def solution(name: str) -> None:
    """Print the code of a solution."""
    _named(name)
    print(solutions().get(name, "The solutions are not in this copy: ask who gave it to you."))


def solutions() -> dict[str, str]:
    """Return the code of each solution by the exercise's name; nothing where they were left out."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in FOLDER.glob("solutions/*.py"))
    parts = re.split(r"^# %% (.+)\n", text, flags=re.MULTILINE)[1:]
    return {name: code.strip() for name, code in zip(parts[::2], parts[1::2], strict=True)}


def done() -> None:
    """Print how many of the lesson's exercises are done, and the state of each."""
    print(f"{list(results().values()).count(RIGHT)} of {len(exercises)} exercises are done")
    for name, state in results().items():
        print(f"  {MARKS[state]} {name}: {state}")


def results() -> dict[str, str]:
    """Return the state of each of the lesson's exercises, by name."""
    return {name: this.state for name, this in exercises.items()}


def returned(result, *kinds: type):
    """Return what the reader's function returned; raise Wrong if it is nothing, or of other types."""
    if result is None:
        raise Wrong("It returned nothing.", "What does the last line of the function return?")
    if kinds:
        _check_type(kinds, result, "It returned a value")
    return result


def decides(function, yes: dict, no: dict, refuses: str, accepts: str) -> None:
    """Raise Wrong unless the reader's function says yes and no to what it should.

    Parameters
    ----------
    yes, no
        What it is asked, each with the hint for the other answer. No answer counts as no, where that is
        right.
    refuses, accepts
        What is said of the other answer, with {} for what was asked.
    """
    for asked, hint in yes.items():
        if not returned(function(asked), bool):
            raise Wrong(refuses.format(asked), hint)
    for asked, hint in no.items():
        answer = function(asked)
        if answer is not None and returned(answer, bool):
            raise Wrong(accepts.format(asked), hint)


def _named(name: str) -> Exercise:
    if name not in exercises:
        raise walk.Problem(f"There is no exercise {name!r} here, but: {', '.join(exercises)}.")
    return exercises[name]


def _say(name: str, state: str, *lines: str) -> None:
    first, *others = lines
    print(f"{MARKS[state]} {name}: {state}. {first}", *others, sep="\n  ")


def _starter(*arguments):
    """What a function is before anybody has written it."""
    ...


def _is_untouched(answer) -> bool:
    """Whether an answer is still three dots, holds some, or is a function of nothing else."""
    if isinstance(answer, dict | list):
        values = answer.values() if isinstance(answer, dict) else answer
        return any(value is ... for value in values)
    if code := getattr(answer, "__code__", None):
        says_nothing = all(value in (None, answer.__doc__) for value in code.co_consts)
        return says_nothing and _operations(code) == _operations(_starter.__code__)
    return answer is ...


def _operations(code) -> list[str]:
    return [instruction.opname for instruction in dis.get_instructions(code)]


def _check_type(expected, answer, what: str = "The answer is") -> None:
    first = expected[0] if isinstance(expected, tuple) else expected
    is_class = first is Callable and isinstance(answer, type)  # which could be called, too
    if not isinstance(answer, expected) or is_class:
        raise Wrong(f"{what} of the type {type(answer).__name__}.", ASKED_FOR[first])


def _explain(this: Exercise, error: Exception) -> list[str]:
    """Say in which line of the reader's code an error arose, and what may help."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if "ipykernel" in frame.filename]
    if theirs:
        where = f"in your line {theirs[-1].lineno}: {theirs[-1].line}"
        lines = ["It ended in an error.", walk.one_line(error, 200), where]
    else:
        lines = ["This answer could not be judged.", walk.one_line(error, 200)]
    hints = [*this.errors.items(), *ERRORS.items()]
    fitting = [text for words, text in hints if words in str(error)]
    return [*lines, f"Hint: {(fitting or [this.hint])[0]}"]
