"""Anybody's own model through the whole walk, without editing a file."""

import json
import re
import shutil
import sys

import nbclient
import nbformat
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from conftest import PICTURES, REPOSITORY, code_cells, copy_repository, make, run
from test_exercises import do_the_homework
from walk import web_server

# Models are made in a process of their own, so that TensorFlow is not loaded into the tests.
# The .keras format exists since Keras 2.12, and Keras 3 does not load what that wrote.
KITCHEN_MODEL = """
import tf_keras
tf_keras.utils.set_random_seed(0)
tf_keras.Sequential([
    tf_keras.Input((64, 96, 3)),
    tf_keras.layers.Conv2D(8, 3, strides=4, activation="relu"),
    tf_keras.layers.GlobalAveragePooling2D(),
    tf_keras.layers.Dense(4, activation="softmax"),
]).save("my kitchen.keras")
"""

# As the course's model of 2021, in small: separable convolutions, a layer of 100, ten logits.
COURSE_MODEL = """
import tf_keras
from tf_keras import layers
tf_keras.utils.set_random_seed(0)
picture = tf_keras.Input((96, 128, 3))
x = layers.Conv2D(16, 3, strides=2, activation="relu")(picture)
y = layers.BatchNormalization()(layers.SeparableConv2D(16, 3, padding="same")(x))
x = layers.MaxPooling2D(2)(layers.add([x, y]))
inner = layers.Dense(100, activation="relu")(layers.GlobalAveragePooling2D()(x))
model = tf_keras.Model(picture, layers.Dense(10)(layers.Dropout(0.2)(inner)))
model.compile("adam", tf_keras.losses.CategoricalCrossentropy(from_logits=True))
model.save("course.h5")
"""

# Keras 3's own way to the same conversion, as lesson 2 names it.
EXPORT = """
import keras
model = keras.models.load_model("generated/homework.keras", compile=False)
model.export("exported.tflite", format="litert")
"""


def files_of_the_walk(folder):
    """What lessons 1 to 4 make: the content of each file, by its path."""
    kept = [*folder.glob("generated/*.tflite"), *folder.glob("generated/clothing-model.*")]
    kept += [folder / "lambda/lambda_function.py", folder / "generated/expected-scores.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in kept}


def executed_scores(folder):
    """What lesson 3's executed copy shows: the outputs of its cells that are texts."""
    cells = code_cells(folder / "generated/03-predict.ipynb")
    outputs = [output for cell in cells for output in cell.outputs]
    return [output.get("text") or output.data.get("text/plain") for output in outputs]


def step_through(notebook, **parameters):
    """Change the parameters in a notebook, save it, and run it as JupyterLab does."""
    opened = nbformat.read(notebook, as_version=4)
    for cell in opened.cells:
        if "parameters" in cell.metadata.get("tags", []):
            for name, value in parameters.items():
                assert f"\n{name} = " in f"\n{cell.source}"
                cell.source = re.sub(
                    rf"^{name} = .*", f"{name} = {value!r}", cell.source, flags=re.M
                )
    nbformat.write(opened, notebook)
    resources = {"metadata": {"path": notebook.parent}}
    nbclient.NotebookClient(opened, resources=resources).execute()


def scores_by(tflite_file):
    """What LiteRT gives for the same noise each time."""
    interpreter = Interpreter(model_path=str(tflite_file))
    interpreter.allocate_tensors()
    (taken,) = interpreter.get_input_details()
    X = np.random.default_rng(0).uniform(-1, 1, taken["shape"]).astype("float32")
    interpreter.set_tensor(taken["index"], X)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]


def test_stepping_through_in_jupyter_alone_exports_what_the_student_sees(tmp_path):
    """Without make and its files, with changed CLASSES; then with CLASSES changed in 3 alone."""
    folder = copy_repository(tmp_path / "copy")
    for function in "lambda_function.py", "guards.py", "api.py":
        (folder / "lambda" / function).unlink()
    run([sys.executable, "-c", KITCHEN_MODEL], folder)
    lessons, classes = folder / "notebooks", "cup fork knife spoon"
    model, picture = "my kitchen.keras", "my cup.png"
    shutil.copy(PICTURES[0], folder / picture)
    step_through(lessons / "01-keras-model.ipynb", MODEL=model, CLASSES=classes, IMAGE=picture)
    expected = json.loads((folder / "generated/expected-scores.json").read_text())
    assert expected["library"] == "tf_keras" and expected["model"].endswith(".keras")
    step_through(lessons / "02-tflite-model.ipynb")
    step_through(lessons / "03-predict.ipynb", CLASSES=classes, SCORES="softmax")
    step_through(lessons / "04-lambda-function.ipynb")
    assert f"CLASSES = {classes!r}" in (folder / "lambda/lambda_function.py").read_text()
    answers = json.loads((folder / "generated/lambda-answers.json").read_text())["answers"]
    assert [list(answer) for answer in answers.values()] == [classes.split()] * 3
    assert sum(answers[picture].values()) == pytest.approx(1, abs=1e-4)  # it ends in softmax
    step_through(lessons / "06-strangers.ipynb")
    step_through(lessons / "07-http.ipynb")
    for function in "lambda/guards.py", "lambda/api.py":
        assert (folder / function).read_text() == (REPOSITORY / function).read_text()

    with pytest.raises(nbclient.exceptions.CellExecutionError) as error:
        step_through(lessons / "03-predict.ipynb", CLASSES="spoon knife fork cup")
    assert 'here, but lesson 1 was run with "cup fork knife spoon"' in str(error.value)


@pytest.mark.xdist_group("own model")
def test_one_model_then_another_and_back_again(tmp_path, monkeypatch):
    """A model and a picture from the web, written by Keras 2; the homework's; and the first again."""
    folder = copy_repository(tmp_path / "a copy")
    target = "generated/04-lambda-function.ipynb"  # the lessons after it only read
    web = tmp_path / "web"
    web.mkdir()
    shutil.copy(PICTURES[0], web / "my picture.png")
    run([sys.executable, "-c", COURSE_MODEL], web)

    with web_server(web) as address:
        first = [target, f"MODEL={address}/course.h5", f"IMAGE={address}/my%20picture.png"]
        make(folder, *first)
    expected = json.loads((folder / "generated/expected-scores.json").read_text())
    picture = expected["image"]
    assert expected["library"] == "tf_keras" and expected["model"].endswith(".h5")
    answers = json.loads((folder / "generated/lambda-answers.json").read_text())["answers"]
    assert answers[picture] == pytest.approx(expected["scores"][picture], abs=1e-4)
    assert len(answers[picture]) == 10
    before, scores = files_of_the_walk(folder), executed_scores(folder)
    exported = folder / "lambda/lambda_function.py"
    assert exported.read_text() == (REPOSITORY / "lambda/lambda_function.py").read_text()

    monkeypatch.setenv("MAKEFLAGS", "VENV=")
    do_the_homework(folder)
    assert "homework.png is small house" in (folder / "generated/summary.txt").read_text()
    assert 'CLASSES = "cross, small house"' in exported.read_text()
    run([sys.executable, "-c", EXPORT], folder)
    by_converter = scores_by(folder / "generated/clothing-model.tflite")
    assert scores_by(folder / "exported.tflite") == pytest.approx(by_converter, abs=1e-5)

    # The first walk restores everything, to the byte: the server is gone, it takes the copies.
    make(folder, *first)
    after = files_of_the_walk(folder)
    assert [path for path in before if after.get(path) != before[path]] == []
    assert executed_scores(folder) == scores
