"""Anybody's own model through the whole walk, without editing a file."""

import json
import shutil
import sys

import pytest
from conftest import PICTURES, REPOSITORY, copy_repository, make, run, served

# Models are made in a process of their own, so that TensorFlow is not loaded into the tests.
KERAS_3_MODEL = """
import keras
keras.utils.set_random_seed(0)
keras.Sequential([
    keras.Input((64, 96, 3)),
    keras.layers.Conv2D(8, 3, strides=4, activation="relu"),
    keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(4, activation="softmax"),
]).save("my kitchen.keras")
"""

KERAS_2_MODEL = """
import tf_keras
tf_keras.utils.set_random_seed(0)
base = tf_keras.applications.Xception(
    weights=None, include_top=False, input_shape=(299, 299, 3), pooling="avg"
)
inner = tf_keras.layers.Dense(100, activation="relu")(base.output)
drop = tf_keras.layers.Dropout(0.2)(inner)
model = tf_keras.Model(base.input, tf_keras.layers.Dense(10)(drop))
model.compile("adam", tf_keras.losses.CategoricalCrossentropy(from_logits=True))
model.save("xception.h5")
"""

KERAS_2_ZIP = """
import tf_keras
tf_keras.Sequential([
    tf_keras.layers.Flatten(input_shape=(32, 32, 3)), tf_keras.layers.Dense(2)
]).save("old.keras")
"""


def files_of_the_walk(folder):
    """What the walk makes: the content of each file, by its path."""
    kept = [*folder.glob("generated/*.ipynb"), *folder.glob("generated/*.tflite")]
    kept += [folder / "lambda/lambda_function.py", folder / "generated/expected-scores.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in kept}


@pytest.mark.xdist_group("walk")
def test_a_keras_3_model_of_other_size_and_classes_and_back_again(walk, tmp_path):
    folder = shutil.copytree(walk, tmp_path / "copy")
    before = files_of_the_walk(folder)
    run([sys.executable, "-c", KERAS_3_MODEL], folder)
    shutil.copy(PICTURES[0], folder / "my cup.png")

    classes = "cup fork knife spoon"
    process = make(folder, "MODEL=my kitchen.keras", f"CLASSES={classes}", "IMAGE=my cup.png")
    assert "my cup.png is " in process.stdout
    record = json.loads((folder / "generated/lambda-answers.json").read_text())
    answer = record["answers"]["my cup.png"]
    assert list(answer) == classes.split()
    assert sum(answer.values()) == pytest.approx(1, abs=1e-4)
    assert f'CLASSES = "{classes}"' in (folder / "lambda/lambda_function.py").read_text()

    # The plain walk restores everything, to the byte.
    make(folder)
    after = files_of_the_walk(folder)
    assert [path for path in before if after.get(path) != before[path]] == []
    committed = (REPOSITORY / "lambda/lambda_function.py").read_text()
    assert (folder / "lambda/lambda_function.py").read_text() == committed


def test_an_xception_written_by_keras_2(tmp_path):
    folder = copy_repository(tmp_path / "copy")
    run([sys.executable, "-c", KERAS_2_MODEL], folder)
    make(folder, "MODEL=xception.h5", "IMAGE=notebooks/assets/t-shirt.png")

    expected = json.loads((folder / "generated/expected-scores.json").read_text())
    assert expected["library"] == "tf_keras"
    answers = json.loads((folder / "generated/lambda-answers.json").read_text())["answers"]
    picture = "notebooks/assets/t-shirt.png"
    assert answers[picture] == pytest.approx(expected["scores"][picture], abs=1e-4)
    assert len(answers[picture]) == 10


def test_a_model_and_a_picture_from_the_web_are_downloaded_once(tmp_path):
    folder = copy_repository(tmp_path / "copy")
    web = tmp_path / "web"
    web.mkdir()
    shutil.copy(PICTURES[0], web / "my cap.png")
    # The .keras format exists since Keras 2.12, and Keras 3 does not load what that wrote.
    run([sys.executable, "-c", KERAS_2_ZIP], web)

    with served(web) as address:
        arguments = ["generated/01-keras-model.ipynb", "CLASSES=cup fork"]
        arguments += [f"MODEL={address}/old.keras", f"IMAGE={address}/my%20cap.png"]
        make(folder, *arguments)

    expected = json.loads((folder / "generated/expected-scores.json").read_text())
    assert expected["library"] == "tf_keras" and expected["model"].endswith(".keras")
    assert list(expected["scores"][expected["image"]]) == ["cup", "fork"]

    (folder / "notebooks/01-keras-model.ipynb").touch()
    make(folder, *arguments)  # the server is gone: it takes the copies
