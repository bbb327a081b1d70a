"""The embedded model opens in Keras 3.10 as well, and a model that does not says what is wrong."""

import json
import shutil
import sys

import h5py
import pytest
import walk
from conftest import PICTURES, REPOSITORY, run

MODEL = REPOSITORY / "notebooks/assets/clothing-model.h5"

# A model of one layer as Keras 3.15 writes it, with a setting that Keras 3.10 does not know.
KERNEL = {
    "module": "keras.initializers",
    "class_name": "GlorotUniform",
    "config": {"seed": None, "input_axes": None, "output_axes": None},
    "registered_name": None,
}
LAYERS = [
    {"class_name": "InputLayer", "config": {"batch_shape": [None, 3], "name": "input"}},
    {"class_name": "Dense", "config": {"units": 2, "kernel_initializer": KERNEL, "name": "dense"}},
]
CONFIG = {"class_name": "Sequential", "config": {"name": "tiny", "layers": LAYERS}}

IN_KERAS_3_10 = """
import json, sys
from pathlib import Path

import keras
import numpy as np
import walk

model_file, newer_file, *pictures = sys.argv[1:]
model = keras.models.load_model(model_file, compile=False)
X = np.stack([keras.utils.load_img(p, target_size=(224, 224)) for p in pictures])
scores = model.predict(X / 127.5 - 1, verbose=0)
try:
    with walk.loading("newer.h5", Path(newer_file)):
        keras.models.load_model(newer_file, compile=False)
except walk.Problem as problem:
    print(json.dumps([scores.tolist(), str(problem)]))
"""


@pytest.fixture
def newer(tmp_path):
    with h5py.File(tmp_path / "newer.h5", "w") as file:
        file.attrs.update({"keras_version": "3.15.1", "model_config": json.dumps(CONFIG)})
        file["weights"] = [1.0, 2.0]
    return tmp_path / "newer.h5"


def config_of(file):
    with h5py.File(file) as opened:
        return json.loads(opened.attrs["model_config"])


def test_keras_3_10_gives_the_scores_on_record_and_a_newer_file_one_clear_message(newer, tmp_path):
    """TensorFlow is this environment's, with another Keras before it: built in a second."""
    older = tmp_path / "keras"
    command = ["uv", "pip", "install", "--no-deps", "--target", older, "keras==3.10.0"]
    assert run(command, tmp_path).returncode == 0
    command = [sys.executable, "-c", IN_KERAS_3_10, MODEL, newer, *PICTURES]
    path = f"{older}:{REPOSITORY / 'notebooks'}"
    process = run(command, tmp_path, PYTHONPATH=path, KERAS_BACKEND="tensorflow")
    assert process.returncode == 0, process.stderr
    scores, problem = json.loads(process.stdout.splitlines()[-1])
    record = json.loads((REPOSITORY / "tests/expected.json").read_text())["scores"]
    for picture, row in zip(PICTURES, scores, strict=True):
        assert row == pytest.approx(list(record[picture.stem].values()), abs=1e-4)
    assert problem.startswith("MODEL=newer.h5 cannot be loaded. It was written by Keras 3.15.1;")
    assert "here is Keras 3.10.0." in problem
    assert problem.endswith("got an unexpected keyword argument 'input_axes'")
    assert len(problem) < 300


def test_the_embedded_model_holds_no_setting_that_older_versions_refuse(tmp_path):
    copy = shutil.copy(MODEL, tmp_path)
    walk.open_to_older_keras(copy)
    assert config_of(copy) == config_of(MODEL)


def test_what_says_nothing_is_left_out_and_the_rest_stays(newer):
    size = newer.stat().st_size
    walk.open_to_older_keras(newer)
    expected = json.dumps(CONFIG).replace(', "input_axes": null, "output_axes": null', "")
    assert config_of(newer) == json.loads(expected) != CONFIG
    assert newer.stat().st_size == size
    with h5py.File(newer) as file:
        assert file.attrs["keras_version"] == "3.15.1" and list(file["weights"]) == [1, 2]


def test_a_setting_that_matters_stays(newer):
    different = json.dumps(CONFIG).replace('"input_axes": null', '"input_axes": [0]')
    with h5py.File(newer, "r+") as file:
        file.attrs["model_config"] = different
    walk.open_to_older_keras(newer)
    assert '"input_axes": [0]' in json.dumps(config_of(newer))
