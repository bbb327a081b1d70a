"""What makes an answer right: the exercises of lesson 4."""

import base64
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import walk
from checks import Wrong, exercise, returned

COAT, JEANS = "notebooks/assets/coat.png", "notebooks/assets/jeans.png"
COPY = Path("notebooks/exercises/own/03-predict.ipynb")  # the exporter knows it by this name

walk.check_export("lambda/lambda_function.py")
os.environ["MODEL_PATH"] = str(Path("generated/clothing-model.tflite").absolute())
sys.path.insert(0, "lambda")


def copy_of_lesson_3() -> Path:
    """Make a copy of lesson 3 to change, unless there is one; return its path."""
    COPY.parent.mkdir(exist_ok=True)
    if not COPY.exists():
        text = Path("notebooks/03-predict.ipynb").read_text(encoding="utf-8")
        walk.save(COPY, text.replace('[\\"notebooks\\", ', '[\\"../..\\", '))
    return COPY


def image_event(picture: str) -> dict:
    """Return the event that brings a picture."""
    return {"image": base64.b64encode(Path(picture).read_bytes()).decode()}


@exercise(
    "both-keys",
    str,
    hint="Make one event of two different pictures, and see whose class comes back. walk.web_server gives "
    "a picture an address.",
)
def both_keys(answer):
    from lambda_function import lambda_handler

    by_image = lambda_handler(image_event(COAT), None)
    with walk.web_server(JEANS) as url:
        both = lambda_handler(image_event(COAT) | {"url": url}, None)
    truth = "image" if both == by_image else "url"
    if answer == truth:
        return (
            f"The handler asks for {truth!r} first, and says nothing of the other key. A caller who "
            "sends both has made a mistake and does not learn of it; lesson 7 changes that."
        )
    if answer not in ("image", "url"):
        raise Wrong(f"{answer!r} is not a key of the event.", "Is it the image or the url?")
    raise Wrong(
        f"The scores are not those of the {answer}.",
        "Read the handler from its first line: for which key does it look first?",
    )


@exercise(
    "durations",
    Callable,
    hint="Only the lines that begin with REPORT have one. Split such a line at its tabs: which part "
    "begins with the word Duration?",
    errors={
        "could not convert string to float": "What you cut out of the line is not only a number.",
        "NoneType": "Not every line has a duration: START and END have none.",
        "list index out of range": "Not every line has a duration: START and END have none.",
    },
)
def durations(answer):
    log = [
        "START RequestId: 7f1c Version: $LATEST",
        "END RequestId: 7f1c",
        "REPORT RequestId: 7f1c\tInit Duration: 0.02 ms\tDuration: 187.25 ms\t"
        "Billed Duration: 188 ms\tMemory Size: 1769 MB\tMax Memory Used: 1769 MB\t",
        "START RequestId: 9a2e Version: $LATEST",
        "END RequestId: 9a2e",
        "REPORT RequestId: 9a2e\tDuration: 9.5 ms\tBilled Duration: 10 ms\tMemory Size: 1769 MB\t"
        "Max Memory Used: 1769 MB\t",
    ]
    found = returned(answer(log))
    if not hasattr(found, "__iter__") or isinstance(found, str | dict):
        raise Wrong(f"It returned {found!r}.", "A list is asked for: one number for each request.")
    found = list(found)
    if len(found) > 2:
        raise Wrong(
            f"It returned {len(found)} numbers for two requests.",
            "A REPORT has three durations. What stands before the one that is meant?",
        )
    if found and isinstance(found[0], str):
        raise Wrong(f"It returned text: {found}.", "One can calculate with numbers: float(…).")
    if 0.02 in found:
        raise Wrong(
            "It took the Init Duration.",
            "The words `Duration: ` stand in a line up to three times. What stands before the one "
            "that is meant?",
        )
    if 188 in found:
        raise Wrong(
            "It took the Billed Duration.",
            "That is rounded up. What stands before the word in the part that is meant?",
        )
    if found != [187.25, 9.5]:
        raise Wrong(
            f"It returned {found} for two requests of 187.25 and 9.5 ms.",
            "One number for each line that begins with REPORT.",
        )
    return (
        "Here the first request took twenty times as long as the second. Lines like these are all "
        "that you see of a function in the cloud."
    )


@exercise(
    "own-key",
    (str, Path),
    hint="In the copy of lesson 3, change what the handler returns; save the copy (Ctrl-S); run the "
    "command; then give the path of the file that it wrote.",
    errors={
        "invalid syntax": "The exported file is not valid Python: look at the cell that you changed.",
        "zip() argument": "The copy is of another model than the one in generated/: delete the folder "
        "own/, and begin anew.",
        "is not defined": "The cells tagged lambda are all that is exported. Does a cell of yours "
        "need something from another one?",
    },
)
def own_key(answer):
    if Path(answer).resolve() == Path("lambda/lambda_function.py").resolve():
        raise Wrong(
            "That is the walk's own function.",
            "Export the copy, with --output-dir, and give the path of its file. (If you have exported "
            "over the walk's own, run lesson 4 again.)",
        )
    if Path(answer).suffix == ".ipynb":
        raise Wrong(
            "That is the notebook.", "The .py file is meant, which the command makes of it."
        )
    if not Path(answer).is_file():
        raise Wrong(
            f"There is no file {answer}.",
            "The command makes it: take away its #. Paths begin at the repository's root, with "
            "notebooks/exercises/own/.",
        )
    text = Path(answer).read_text(encoding="utf-8")
    cells = [
        cell.source
        for cell in nbformat.read(COPY, as_version=4).cells
        if "lambda" in cell.metadata.get("tags", [])
    ]
    if not all(source.strip() in text for source in cells):
        if "prediction" in text and "prediction" not in "\n".join(cells):
            raise Wrong(
                "The file has a key that the notebook does not have: somebody edited the file.",
                "The next export would overwrite that. Change the notebook, and export it.",
            )
        raise Wrong(
            "The file is not what the notebook holds now.",
            "Save the copy (Ctrl-S, or Cmd-S) and export it again.",
        )
    spec = importlib.util.spec_from_file_location("own_function", answer)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.lambda_handler(image_event(COAT), None)
    by_lesson = module.score(module.preprocessor.from_path(COAT))
    if "prediction" not in found:
        raise Wrong(
            "The answer has no key prediction.",
            "Was the copy saved (Ctrl-S, or Cmd-S) before the export? Is the change in the cell of the "
            "handler, in what it returns for an image?",
        )
    if set(found) - {"prediction", "scores"}:
        raise Wrong(
            "The prediction stands among the scores.",
            "A caller would take it for a class. Give the scores a key of their own.",
        )
    scores = by_lesson.get("scores", by_lesson)
    if found.get("scores") != scores or found["prediction"] != walk.best(scores):
        raise Wrong(
            f"For the coat it answers {found}.",
            "prediction is the class with the highest score, and scores are all of them.",
        )
    return (
        f"The function answers {found['prediction']!r}, and its source is still the notebook. This "
        "is how the walk makes lambda/lambda_function.py."
    )
