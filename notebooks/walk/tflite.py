"""A TensorFlow Lite model as MODEL: leaves what lessons 1 and 2 leave of a Keras model.

It imports TensorFlow, whose interpreter gives the scores that the function's are compared with.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat

from .comparing import loads, runtimes
from .content import kind_of
from .formats import MODELS, found
from .inputs import class_names, classes_text, picture_file, size
from .lesson import Problem, load, log_in_file, require, save
from .meaning import kind_of_scores, one_per_class, say_kind
from .models import check_classes, check_colours
from .plain_tflite import plain
from .preparing import pixels, preprocess_input, preprocessing, resizing
from .samples import with_samples

ORIGINAL = "generated/clothing-model-original.tflite"
MODEL = "generated/clothing-model.tflite"


def in_place_of(lesson: str, copy: Path, parameters: dict[str, str]) -> bool:
    """Make what lesson 1 or 2 leaves, if MODEL is a .tflite file; return whether it is one.

    Parameters
    ----------
    lesson
        01-keras-model or 02-tflite-model.
    copy
        Where the executed copy of the lesson belongs; one that says that it was left out is written.
    parameters
        Those of lesson 1.

    Raises
    ------
    Problem
        There is no such file, or it is no model for the function.
    """
    if lesson == "02-tflite-model":
        expected = Path("generated/expected-scores.json")
        if not expected.exists() or load(expected)["model"] != ORIGINAL:
            return False
        with log_in_file(lesson):
            in_place_of_lesson_2()
    else:
        model = parameters["MODEL"]
        if model in MODELS or kind_of(file := found(model)) != "tflite":
            return False
        with log_in_file(lesson):
            in_place_of_lesson_1(model, file, parameters)
    text = (
        f"# {lesson} is left out\n\n`MODEL` is a TensorFlow Lite model already. The scores that the next "
        "lessons compare theirs with, and call Keras's, come from the interpreter in TensorFlow. Go on with lesson 3, "
        "[03-predict.ipynb](03-predict.ipynb)."
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    save(copy, nbformat.writes(notebook))
    return True


def in_place_of_lesson_1(model: str, file: Path, parameters: dict[str, str]) -> None:
    """Write the model and its scores, as lesson 1 does.

    Parameters
    ----------
    model, file
        MODEL, and the .tflite file that it stands for.
    parameters
        IMAGE, CLASSES, PREPROCESSING, RESIZE, SCORES and SIZE.

    Raises
    ------
    Problem
        It is not a model of one picture and one row of scores, or a parameter does not fit.
    """
    fixed = size(parameters["SIZE"])
    content, kind, last, tolerance = plain(model, file.read_bytes(), fixed)
    _check_runtime(model, content)
    channels = _channels(model, content)
    resolved, resize = preprocessing(parameters["PREPROCESSING"]), resizing(parameters["RESIZE"])
    check_colours(model, channels, resolved)
    image = picture_file(parameters["IMAGE"])
    classes = class_names(parameters["CLASSES"])
    pictures = with_samples(image, parameters["IMAGE"])
    rows = predict(content, pictures, resolved, resize)
    check_classes(model, len(rows[0]), classes)
    if not (kind := parameters["SCORES"] or kind):
        say_kind(last)
    kind = kind_of_scores(kind, len(rows[0]))
    scores = [one_per_class(row, kind).tolist() for row in rows]
    save(ORIGINAL, file.read_bytes())
    expected = {
        "model": ORIGINAL,
        "library": "tensorflow",
        "size": fixed,
        "parameters": {
            "CLASSES": classes_text(classes),
            "PREPROCESSING": resolved,
            "RESIZE": resize,
            "SCORES": kind,
        },
        "tolerance": tolerance,
        "model_code": "",
        "trust_model": "",
        "image": image.as_posix(),
        "scores": {
            path.as_posix(): dict(zip(classes, row, strict=True))
            for path, row in zip(pictures, scores, strict=True)
        },
    }
    save("generated/expected-scores.json", expected)


def in_place_of_lesson_2() -> None:
    """Write the model as the function takes it, and its figures, as lesson 2 does."""
    expected = load("generated/expected-scores.json")
    original = require(expected["model"])
    content = plain(original.name, original.read_bytes(), expected["size"]).content
    save(MODEL, content)
    figures = {
        "bytes": len(content),
        "largest_difference": 0.0,
        "same_answers": len(expected["scores"]),
        "loads_in": {package: loads(package, MODEL) for package in runtimes()},
    }
    save("generated/tflite-models.json", {"float32": figures})


def predict(content: bytes, pictures: list[Path], preprocessing: str, resize: str) -> list:
    """Return the rows of scores that TensorFlow's interpreter gives for pictures, float32."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (picture,), (row,) = interpreter.get_input_details(), interpreter.get_output_details()
    prepare, rows = preprocess_input(preprocessing), []
    for path in pictures:
        x = pixels(path, picture["shape"], resize)  # shape (height, width, channels)
        interpreter.set_tensor(picture["index"], prepare(x[None]))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(row["index"])[0].copy())
    return rows


def _check_runtime(model: str, content: bytes) -> None:
    """Raise a Problem unless the runtime that the function takes loads the model."""
    (package, *_) = runtimes()
    with TemporaryDirectory() as folder:
        file = Path(folder, "model.tflite")
        file.write_bytes(content)
        code = (
            f"from {package.replace('-', '_')}.interpreter import Interpreter\n"
            f"Interpreter(model_path={str(file)!r}).allocate_tensors()"
        )
        process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if process.returncode:
        said = process.stderr.strip().splitlines()
        reason = [line for line in said if "Error: " in line] or said[-1:]
        raise Problem(
            f"MODEL={model} does not load in {package}, which runs it from lesson 3 on. Convert it again, "
            f"to float32 or full int8 and without SELECT_TF_OPS. The reason given: {reason[-1][:200]}"
        )


def _channels(model: str, content: bytes) -> int:
    """Return how many channels a picture has, 1 or 3; a Problem if it takes or gives anything else."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    picture = interpreter.get_input_details()[0]["shape"].tolist()
    row = interpreter.get_output_details()[0]["shape"].tolist()
    match picture, row:
        case [1, _, _, 1 | 3 as channels], [1, _]:
            return channels
    raise Problem(
        f"MODEL={model} has input {picture} and output {row}. Expected: input [1, height, width, 3] (or "
        "1, for grey) and output [1, number of classes]."
    )
