"""What comes out: scores and their differences, the sizes of models, the exported function."""

import importlib.util
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from IPython.display import Markdown

from .drawings import best, table
from .inputs import assigned
from .lesson import Problem, load, save
from .servers import Runtime

# Two runtimes add up in another order: scores agree to this share of their range, not to the last bit.
TOLERANCE = 1e-4
# what that order changes in a number of about 1, however close the scores are together
FLOAT32 = 2e-6
MOST_ROWS = 10  # of a table of classes


def compare(sets: dict[str, dict[str, float]]) -> Markdown:
    """Return two sets of scores of one picture side by side.

    Raises
    ------
    Problem
        They differ by more than `check_same` allows.
    """
    (one, ours), (other, theirs) = sets.items()
    check_same(ours, theirs)
    highest = sorted(ours, key=ours.get, reverse=True)[:MOST_ROWS]
    names = [name for name in ours if name in highest]
    rows = [
        {"class": name, one: f"{ours[name]:.3f}", other: f"{theirs[name]:.3f}"} for name in names
    ]
    return table(rows)


def check_same(expected: dict, scores: dict) -> str:
    """Return a sentence on how far scores (of one picture, or by picture) are apart.

    Raises
    ------
    Problem
        They are of other pictures or classes, or differ by more than `tolerance` of their range, and by
        more than float32 can help.
    """
    difference, share = largest_difference(expected, scores), tolerance()
    numbers = _numbers(expected)
    lowest, highest = min(numbers), max(numbers)
    size = max(abs(lowest), abs(highest))
    if not difference <= max(share * (highest - lowest), FLOAT32 * (1 + size)):
        raise Problem(
            f"the scores differ by up to {difference:.2g}, and they range from {lowest:.3g} to "
            f"{highest:.3g}; expected: less than {share} of that range"
        )
    return f"the largest difference is below {share} of the scores' range"


def tolerance() -> float:
    """Return the share of the scores' range to which runtimes agree about the model of this walk."""
    file = Path("generated/expected-scores.json")
    return load(file).get("tolerance", TOLERANCE) if file.exists() else TOLERANCE


def _numbers(scores: dict) -> list[float]:
    """Return all numbers in a dict of scores, or of dicts of scores."""
    nested = [_numbers(each) if isinstance(each, dict) else [each] for each in scores.values()]
    return [number for numbers in nested for number in numbers]


def largest_difference(one: dict, other: dict) -> float:
    """Return the largest difference between two dicts of scores, or of dicts of scores."""
    if list(one) != list(other):
        raise Problem(f"these cannot be compared: {', '.join(one)} and {', '.join(other)}")
    return max(
        largest_difference(one[key], other[key])
        if isinstance(one[key], dict)
        else abs(one[key] - other[key])
        for key in one
    )


def same_answers(one: dict, other: dict) -> int:
    """Return how many pictures get the same class in two dicts of scores."""
    return sum(best(one[picture]) == best(other[picture]) for picture in one)


def runtimes() -> list[str]:
    """Return the packages of TensorFlow Lite's runtime that are installed here."""
    names = ["tflite-runtime", "ai-edge-litert"]
    return [name for name in names if importlib.util.find_spec(name.replace("-", "_"))]


def package_sizes(folder: str | Path) -> dict[str, float]:
    """Return the size in MB of each package that is installed in a folder, the largest first."""
    packages = metadata.distributions(path=[str(folder)])
    sizes = {package.name: _size_mb(package) for package in packages}
    return dict(sorted(sizes.items(), key=lambda item: item[1], reverse=True))


def installed_mb(package: str) -> float:
    """Return the size of a package of this environment in MB, without what it needs."""
    return _size_mb(metadata.distribution(package))


def _size_mb(package: metadata.Distribution) -> float:
    files = [Path(file.locate()) for file in package.files]
    return sum(size_mb(file) for file in files if file.is_file())


def size_mb(file: str | Path) -> float:
    """Return the size of a file in MB."""
    return Path(file).stat().st_size / 1e6


def loads(package: str, tflite_file: str) -> str:
    """Return "yes" or "no": whether a runtime, in a process of its own, loads the model."""
    code = (
        f"from {package.replace('-', '_')}.interpreter import Interpreter\n"
        f"Interpreter(model_path={tflite_file!r}).allocate_tensors()"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True)
    return "no" if process.returncode else "yes"


def check_export(file: str) -> None:
    """Raise a Problem unless an exported function has the parameters that lesson 3 was run with."""
    found = assigned(Path(file).read_text(encoding="utf-8"))
    for name, value in load("generated/prediction.json")["parameters"].items():
        if found.get(name) != value:
            raise Problem(
                f'{file} has {name} = "{found.get(name)}", but lesson 3 was last run with "{value}". '
                f'Save lesson 3 with {name} = "{value}" and run it; then run this again. (Or '
                'export the copy that `make` ran: NOTEBOOK = "generated/03-predict.ipynb".)'
            )


def leave_answers(runtime: Runtime, answers: dict[str, dict]) -> None:
    """Write the function's answers, by picture, and the summary that `make` ends with."""
    record = {"runtime": runtime.name, "answers": answers}
    save("generated/lambda-answers.json", record)
    picture, scores = next(iter(answers.items()))
    expected = load("generated/expected-scores.json")
    other = "TensorFlow's interpreter" if expected["library"] == "tensorflow" else "Keras"
    prepared = " ".join(
        f"{name}={expected['parameters'][name]}" for name in ("PREPROCESSING", "RESIZE")
    )
    summary = f"""
{Path(picture).name} is {best(scores)}, says the Lambda function under {runtime.name}. {other} agrees.

  the function            lambda/lambda_function.py, and with guards lambda/api.py
  its model               generated/clothing-model.tflite
  its pictures            prepared with {prepared}, for {other}, too;
                          whether as in training, make check-model PHOTOS=folder says
  the executed notebooks  generated/*.ipynb
"""
    save("generated/summary.txt", summary)
