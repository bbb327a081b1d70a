"""No code in a model's file runs unless it is trusted: files that would write a marker are loaded.

In one process, which loads TensorFlow once. With TRUST_MODEL=true the same files do write it, so that
they are what they seem to be.
"""

import json
import sys

import pytest
import walk
from conftest import REPOSITORY, run

pytestmark = pytest.mark.xdist_group("trust")  # one process makes what all look at

MODEL = REPOSITORY / "notebooks/assets/clothing-model.h5"

# Makes the files. Each would create a file named after it, in the folder "ran".
FILES = """
import io, json, os, pickle, shutil, sys, zipfile
from pathlib import Path

sys.path.insert(0, "notebooks")
import h5py
import keras
import numpy as np
import tensorflow as tf
import tf_keras

Path("ran").mkdir()
Path("files").mkdir()
nothing = io.BytesIO()
h5py.File(nothing, "w").close()


def with_lambda(keras, file):
    code = eval(f"lambda x: (open('ran/{file}', 'w').close(), x)[1]")
    layers = [keras.Input((8, 8, 3)), keras.layers.Lambda(code), keras.layers.Flatten()]
    keras.Sequential(layers).save(f"files/{file}")
    Path("ran", file).unlink()  # to build it has run it


def keras_file(file, version, layer):
    picture = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape" if version[0] == "3" else "batch_input_shape": [None, 8, 8, 3],
                   "name": "picture"},
        "registered_name": None,
    }
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "model", "layers": [picture, layer]},
        "registered_name": None,
    }
    if layer["class_name"] == "Own":  # the model itself is of a class that is to be imported
        config = layer
    with zipfile.ZipFile(f"files/{file}", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", nothing.getvalue())


with_lambda(tf_keras, "lambda-2.h5")
with_lambda(tf_keras, "lambda-2.keras")
with_lambda(keras, "lambda-3.h5")
with_lambda(keras, "lambda-3.keras")

# Whatever module a file of Keras 2 names is imported.
for file in "imported-2.keras", "imported-3.keras":
    module = file.replace("-", "_").replace(".", "_")
    Path(f"{module}.py").write_text(f"open('ran/{file}', 'w').close()")
    layer = {"module": module, "class_name": "Own", "config": {}, "registered_name": None}
    keras_file(file, "2.15.0" if "2" in file else "3.15.1", layer)

# A function that is no layer, as an activation.
activation = {"module": "os", "class_name": "function", "config": "remove", "registered_name": "remove"}
dense = {"module": "keras.layers", "class_name": "Dense", "registered_name": None,
         "config": {"units": 2, "activation": activation}}
keras_file("function-2.keras", "2.15.0", dense)
keras_file("function-3.keras", "3.15.1", dense)
downloads = activation | {"module": "keras.utils", "config": "get_file", "registered_name": "get_file"}
dense = dense | {"config": {"units": 2, "activation": downloads}}
keras_file("downloads-2.keras", "2.15.0", dense)
keras_file("downloads-3.keras", "3.15.1", dense)
builtin = activation | {"module": "builtins", "config": "eval", "registered_name": "eval"}
keras_file("builtin-2.keras", "2.15.0", dense | {"config": {"units": 2, "activation": builtin}})

# Any function of TensorFlow, called in a model of Keras 2.
picture = tf_keras.Input((8, 8, 3))
scores = tf_keras.layers.Flatten()(tf.cast(tf.math.abs(picture) + 0.0, "float32"))
tf_keras.Model(picture, scores).save("files/calculates-2.h5")
config = {"class_name": "Functional", "config": {"name": "model", "layers": [
    {"class_name": "InputLayer", "name": "picture", "inbound_nodes": [],
     "config": {"batch_input_shape": [None, 8, 8, 3], "name": "picture"}},
    {"class_name": "TFOpLambda", "name": "writes",
     "config": {"name": "writes", "function": "io.gfile.makedirs"},
     "inbound_nodes": [["_CONSTANT_VALUE", -1, "ran/operation-2.h5", {}]]},
    {"class_name": "Flatten", "name": "flat", "config": {"name": "flat"},
     "inbound_nodes": [[["picture", 0, 0, {}]]]},
], "input_layers": [["picture", 0, 0]], "output_layers": [["flat", 0, 0]]}}
with h5py.File("files/operation-2.h5", "w") as file:
    file.attrs.update({"keras_version": "2.15.0", "model_config": json.dumps(config)})
    file.create_group("model_weights").attrs["layer_names"] = []

# Other files of this machine: a vocabulary, and weights that an HDF5 file has elsewhere.
Path("words.txt").write_text("word")
words = {"module": "keras.layers", "class_name": "StringLookup", "registered_name": None,
         "config": {"name": "words", "vocabulary": os.path.abspath("words.txt")}}
keras_file("reads-words-2.keras", "2.15.0", words)
keras_file("reads-words-3.keras", "3.15.1", words)
flat = [tf_keras.Input((8, 8, 3)), tf_keras.layers.Flatten(), tf_keras.layers.Dense(2, name="d")]
tf_keras.Sequential(flat).save("flat.h5")
Path("numbers").write_bytes(bytes(192 * 2 * 4))
with h5py.File("numbers.h5", "w") as file:
    file["numbers"] = np.ones((192, 2), "float32")
for how in "bytes", "link", "virtual":
    shutil.copy("flat.h5", f"files/reads-{how}.h5")
    with h5py.File(f"files/reads-{how}.h5", "r+") as file:
        weights = file["model_weights/d/d"]
        del weights["kernel:0"]
        if how == "link":
            weights["kernel:0"] = h5py.ExternalLink(os.path.abspath("numbers.h5"), "numbers")
        elif how == "bytes":
            place = [(os.path.abspath("numbers"), 0, 192 * 2 * 4)]
            weights.create_dataset("kernel:0", (192, 2), "float32", external=place)
        else:
            layout = h5py.VirtualLayout((192, 2), "float32")
            layout[:] = h5py.VirtualSource(os.path.abspath("numbers.h5"), "numbers", (192, 2))
            weights.create_virtual_dataset("kernel:0", layout)

# SavedModels are programs: of TensorFlow, with Python of Keras 2 in them, or called from a Keras file.
class Writes(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.float32)])
    def __call__(self, picture):
        tf.io.write_file(os.path.abspath("ran/saved-model"), "")
        return {"scores": tf.reduce_mean(picture, [1, 2])}

writes = Writes()
tf.saved_model.save(writes, "files/saved-model", {"serving_default": writes.__call__})
layer = {"module": "keras.layers", "class_name": "TFSMLayer", "registered_name": None,
         "config": {"filepath": "files/saved-model", "call_endpoint": "serving_default"}}
keras_file("saved-model-inside-3.keras", "3.15.1", layer)

# A pickle, and a file of PyTorch, which holds one.
class Code:
    def __reduce__(self):
        return open, ("ran/pickle", "w")

Path("files/model.pkl").write_bytes(pickle.dumps(Code()))
with zipfile.ZipFile("files/model.pt", "w") as archive:
    archive.writestr("model/data.pkl", pickle.dumps(Code()))
"""

# What is said of each file, in lesson 1 and in lesson 2, without and with trust; and what then ran.
LOADS = """
import walk
from pathlib import Path

Path("generated").mkdir()
said = {}


def attempt(file, trust, load):
    sys.modules.pop("imported_2_keras", None)
    try:
        load()(np.ones((1, 8, 8, 3), "float32"))
        answer = "loaded"
    except walk.Problem as problem:
        answer = f"Problem: {problem}"
    except Exception as error:
        answer = type(error).__name__
    ran = [path.name for path in Path("ran").iterdir()]
    shutil.rmtree("ran")
    Path("ran").mkdir()
    said[Path(file).name].append([trust, answer, ran])


def in_lesson_1(file, trust):
    found = walk.model_file(file)
    with walk.loading(file, found, trust=trust):
        return keras.models.load_model(found, compile=False)


def in_lesson_2(file, trust):
    kept = walk.keep_model(walk.model_file(file))
    return walk.load_kept_model(
        {"model": kept, "size": None, "model_code": "", "trust_model": trust}
    )


for path in sorted(Path("files").iterdir()):
    file, said[path.name] = str(path), []
    for trust in "", "true":
        attempt(file, trust, lambda: in_lesson_1(file, trust))
        attempt(file, trust, lambda: in_lesson_2(file, trust))
Path("said.json").write_text(json.dumps(said))
"""

RUNS = ["imported-2.keras", "lambda-2.h5", "lambda-2.keras", "lambda-3.h5", "lambda-3.keras"]
RUNS += ["operation-2.h5", "saved-model", "saved-model-inside-3.keras"]
# Today's Keras refuses these as well, so that trust changes nothing.
REFUSED = ["builtin-2.keras", "downloads-2.keras", "downloads-3.keras", "function-2.keras"]
REFUSED += ["function-3.keras", "imported-3.keras", "model.pkl", "model.pt"]
READS = ["reads-bytes.h5", "reads-link.h5", "reads-virtual.h5"]
READS += ["reads-words-2.keras", "reads-words-3.keras"]


@pytest.fixture(scope="module")
def said(module_path):
    """For each file: trust, answer and what ran, in lesson 1 and in lesson 2."""
    folder = module_path
    path = str(REPOSITORY / "notebooks")
    process = run([sys.executable, "-c", FILES + LOADS], folder, PYTHONPATH=path)
    assert process.returncode == 0, process.stderr
    said = json.loads((folder / "said.json").read_text())
    assert sorted(said) == sorted([*RUNS, *REFUSED, *READS, "calculates-2.h5"])
    return said


@pytest.mark.parametrize("file", [*RUNS, *REFUSED])
def test_no_code_of_a_file_runs_and_a_sentence_says_why(said, file):
    for _, answer, ran in (each for each in said[file] if each[0] == ""):
        assert answer.startswith("Problem: MODEL=") and ran == []
        assert len(answer.splitlines()) == 1 and len(answer) < 300
        reasons = (
            "holds code, ",
            "needs the code of its own ",
            "is a pickle",
            "is a file of PyTorch",
        )
        assert any(reason in answer for reason in reasons)


@pytest.mark.parametrize("file", READS)
def test_no_other_file_of_the_machine_is_read(said, file):
    for _, answer, _ in (each for each in said[file] if each[0] == ""):
        assert answer.startswith("Problem: MODEL=") and "reads another file of this" in answer
        assert len(answer.splitlines()) == 1 and len(answer) < 300


@pytest.mark.parametrize("file", RUNS)
def test_where_the_file_is_trusted_its_code_runs_in_both_lessons(said, file):
    for _, _, ran in (each for each in said[file] if each[0] == "true"):
        assert len(ran) == 1


@pytest.mark.parametrize("file", REFUSED)
def test_what_keras_itself_refuses_is_refused_with_trust_as_well(said, file):
    for _, answer, ran in (each for each in said[file] if each[0] == "true"):
        assert answer.startswith("Problem: MODEL=") and ran == []


def test_a_model_that_calls_functions_of_tensorflow_to_calculate_needs_no_trust(said):
    assert [answer for _, answer, _ in said["calculates-2.h5"]] == 4 * ["loaded"]


def test_trust_is_true_or_nothing():
    with pytest.raises(walk.Problem, match="TRUST_MODEL=yes is not one of: true, false"):
        walk.read_model("a.keras", MODEL, trust="yes")
