"""Anybody's own model through the whole walk, without editing a file."""

import json
import re
import shutil
import sys
from types import SimpleNamespace

import nbclient
import nbformat
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from conftest import PICTURES, REPOSITORY, copy_repository, lesson_cells, make, run
from test_exercises import do_the_homework
from walk import web_server

pytestmark = pytest.mark.xdist_group("own model")

# Made in a process of its own, so that TensorFlow is not loaded into the tests. As the course's model of
# 2021, in small, written by Keras 2 with its optimizer: separable convolutions, a layer of 100.
KITCHEN_MODEL = """
import tf_keras
from tf_keras import layers
tf_keras.utils.set_random_seed(0)
picture = tf_keras.Input((64, 96, 3))
x = layers.Conv2D(16, 3, strides=2, activation="relu")(picture)
y = layers.BatchNormalization()(layers.SeparableConv2D(16, 3, padding="same")(x))
x = layers.MaxPooling2D(2)(layers.add([x, y]))
inner = layers.Dense(100, activation="relu")(layers.GlobalAveragePooling2D()(x))
model = tf_keras.Model(picture, layers.Dense(4, "softmax")(layers.Dropout(0.2)(inner)))
model.compile("adam", "categorical_crossentropy")
model.save("my kitchen.h5")
"""
CLASSES = "cup fork knife spoon"

# Keras 3's own way to the same conversion, as lesson 2 names it, of the homework's model.
EXPORT = 'model.export("exported.tflite", format="litert")'


def files_of_the_walk(folder):
    """What lessons 1 to 4 make: the content of each file, by its path."""
    kept = [*folder.glob("generated/*.tflite"), *folder.glob("generated/clothing-model.*")]
    kept += [folder / "lambda/lambda_function.py", folder / "generated/expected-scores.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in kept}


def texts_of(cells):
    """The outputs of cells that are texts: in lesson 3, the scores among them."""
    outputs = [output for cell in cells for output in cell.outputs]
    return [output.get("text") or output.data.get("text/plain") for output in outputs]


def step_through(notebook, **parameters):
    """Change the parameters in a notebook, save it, and run it as JupyterLab does; return its cells."""
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
    nbclient.NotebookClient(opened, resources=resources, coalesce_streams=True).execute()
    return [cell for cell in opened.cells if cell.cell_type == "code"]


def scores_by(tflite_file):
    """What LiteRT gives for the same noise each time."""
    interpreter = Interpreter(model_path=str(tflite_file))
    interpreter.allocate_tensors()
    (taken,) = interpreter.get_input_details()
    X = np.random.default_rng(0).uniform(-1, 1, taken["shape"]).astype("float32")
    interpreter.set_tensor(taken["index"], X)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]


@pytest.fixture(scope="module")
def stepped(module_path):
    """A copy with the lessons stepped through, without make, with a model and a picture from the web.

    `given` are the parameters, `files` what lessons 1 to 4 left, and `shown` what lesson 3 said.
    """
    folder = copy_repository(module_path / "copy")
    for function in "lambda_function.py", "guards.py", "api.py":
        (folder / "lambda" / function).unlink()
    web = module_path / "web"
    web.mkdir()
    shutil.copy(PICTURES[0], web / "my cup.png")
    run([sys.executable, "-c", KITCHEN_MODEL], web)
    lessons = folder / "notebooks"
    with web_server(web) as address:
        given = {"MODEL": f"{address}/my%20kitchen.h5", "IMAGE": f"{address}/my%20cup.png"}
        given["CLASSES"] = CLASSES
        step_through(lessons / "01-keras-model.ipynb", **given)
    step_through(lessons / "02-tflite-model.ipynb")
    shown = texts_of(step_through(lessons / "03-predict.ipynb", CLASSES=CLASSES, SCORES="softmax"))
    for lesson in "04-lambda-function", "06-strangers", "07-http":
        step_through(lessons / f"{lesson}.ipynb")
    return SimpleNamespace(folder=folder, given=given, files=files_of_the_walk(folder), shown=shown)


def test_stepping_through_in_jupyter_alone_exports_what_the_student_sees(stepped):
    """Without make and its files, with changed CLASSES; then with CLASSES changed in 3 alone."""
    folder = stepped.folder
    expected = json.loads((folder / "generated/expected-scores.json").read_text())
    picture = expected["image"]
    assert expected["library"] == "tf_keras" and expected["model"].endswith(".h5")
    assert f"CLASSES = {CLASSES!r}" in (folder / "lambda/lambda_function.py").read_text()
    answers = json.loads((folder / "generated/lambda-answers.json").read_text())["answers"]
    assert [list(answer) for answer in answers.values()] == [CLASSES.split()] * 3
    assert answers[picture] == pytest.approx(expected["scores"][picture], abs=1e-4)
    assert sum(answers[picture].values()) == pytest.approx(1, abs=1e-4)  # it ends in softmax
    for function in "lambda/guards.py", "lambda/api.py":
        assert (folder / function).read_text() == (REPOSITORY / function).read_text()

    other = shutil.copy(folder / "notebooks/03-predict.ipynb", folder / "notebooks/other.ipynb")
    with pytest.raises(nbclient.exceptions.CellExecutionError) as error:
        step_through(other, CLASSES="spoon knife fork cup")
    assert 'here, but lesson 1 was run with "cup fork knife spoon"' in str(error.value)


def test_one_model_then_another_and_back_again(stepped, monkeypatch):
    """From the one that was stepped through to the homework's, with make, and with make back to it."""
    folder = stepped.folder
    monkeypatch.setenv("MAKEFLAGS", "VENV=")
    do_the_homework(folder, then=EXPORT)
    assert "homework.png is small house" in (folder / "generated/summary.txt").read_text()
    exported = folder / "lambda/lambda_function.py"
    assert 'CLASSES = "cross, small house"' in exported.read_text()
    by_converter = scores_by(folder / "generated/clothing-model.tflite")
    assert scores_by(folder / "exported.tflite") == pytest.approx(by_converter, abs=1e-5)

    # The first walk restores everything, to the byte: the server is gone, it takes the copies.
    target = "generated/04-lambda-function.ipynb"  # the lessons after it only read
    make(folder, target, *[f"{name}={value}" for name, value in stepped.given.items()])
    after = files_of_the_walk(folder)
    assert [path for path in stepped.files if after.get(path) != stepped.files[path]] == []
    assert texts_of(lesson_cells(folder / "generated/03-predict.ipynb")) == stepped.shown
