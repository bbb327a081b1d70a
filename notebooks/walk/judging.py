"""Photos scored by Keras and by the function, each in a process of its own: they do not get on in one.

The processes are given JSON and print JSON, a line for each photo. What their libraries say beside it
goes into generated/check-model.log.
"""

import importlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from . import tflite
from .comparing import check_export
from .formats import load_kept_model
from .inputs import open_photo
from .lesson import ROOT, Problem, load
from .meaning import one_per_class
from .preparing import pixels, preprocess_input

LOG = Path("generated/check-model.log")
BATCH = 8  # photos at once: Keras is faster so, and the memory of a large model suffices


def judged(judge: str, **given) -> Iterator[dict]:
    """Yield what a judge, `by_keras` or `by_function`, says in a process of its own, as it says it.

    Raises
    ------
    Problem
        It ended with an error.
    """
    code = f"from walk import judging; judging.answer(judging.{judge})"
    with LOG.open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code, json.dumps(given)],
            env=os.environ | {"PYTHONPATH": str(ROOT / "notebooks")},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        for line in process.stdout:
            yield json.loads(line)
        if process.wait():
            said = LOG.read_text().strip().splitlines()[-1:]
            raise Problem(f"Scoring the photos ended with an error: {''.join(said)}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def answer(judge) -> None:
    """Print what a judge says of what this process was given."""
    for row in judge(**json.loads(sys.argv[1])):
        print(json.dumps(row), flush=True)


def by_function(photos: list[str]) -> Iterator[dict]:
    """Yield the function's scores of each photo, or the name of the error: guards.py's part of api.py.

    The first row says how many outputs the model has, and how many channels its pictures.
    """
    check_export("lambda/lambda_function.py")
    os.environ["MODEL_PATH"] = "generated/clothing-model.tflite"
    # one thread: two wait for whatever else runs
    os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = "1769"
    sys.path.insert(0, "lambda")
    function, guards = (importlib.import_module(name) for name in ("lambda_function", "guards"))
    (output,) = function.interpreter.get_output_details()
    yield {"outputs": int(output["shape"][-1]), "channels": int(function.channels)}
    for photo in photos:
        try:
            yield {"scores": function.score(guards.prepare(Path(photo).read_bytes()))}
        except (guards.RequestError, OSError) as error:
            yield {"error": type(error).__name__}


def by_keras(ways: list[tuple[str, str, list[str]]]) -> Iterator[dict]:
    """Yield Keras's scores of photos, prepared in each of several ways.

    Parameters
    ----------
    ways
        For each way: PREPROCESSING, RESIZE, and the paths of the photos.
    """
    expected = load("generated/expected-scores.json")
    predict, kind = _keras(expected), expected["parameters"]["SCORES"]
    classes = list(expected["scores"][expected["image"]])
    for preprocessing, resize, photos in ways:
        for start in range(0, len(photos), BATCH):
            files = [_plain_file(photo) for photo in photos[start : start + BATCH]]
            for row in predict(files, preprocessing, resize):
                yield {"scores": dict(zip(classes, one_per_class(row, kind).tolist(), strict=True))}


def _keras(expected: dict):
    """Return what gives Keras's rows of scores for pictures, PREPROCESSING and RESIZE.

    Of a TensorFlow Lite model there is no Keras model: TensorFlow's own interpreter stands in.
    """
    if expected["model"].endswith(".tflite"):
        content = Path("generated/clothing-model.tflite").read_bytes()
        return partial(tflite.predict, content)
    model = load_kept_model(expected)

    def predict(files, preprocessing, resize):
        x = np.stack([pixels(file, model.input_shape, resize) for file in files])
        return model.predict_on_batch(preprocess_input(preprocessing)(x))

    return predict


def _plain_file(photo: str) -> io.BytesIO:
    """Return a photo as the function sees it, before it is resized, in a form that Keras reads."""
    file = io.BytesIO()
    open_photo(Path(photo)).save(file, "BMP")
    return file
