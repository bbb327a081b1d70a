"""What a model's file is, by what is in it and not by its name: taken, or named with what to do.

The files are made in one process, which loads TensorFlow once, and are read there as lesson 1 reads them.
"""

import json
import sys

import pytest
from conftest import REPOSITORY, run

pytestmark = pytest.mark.xdist_group("formats")  # one process makes what all look at

# A model for each kind of file, and the scores that each is to give for a picture of ones.
FILES = """
import gzip, io, json, os, shutil, sys, tarfile, zipfile
from pathlib import Path

sys.path.insert(0, "notebooks")
import h5py
import keras
import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow.lite.python import schema_py_generated as schema

X = np.ones((1, 8, 8, 3), "float32")
os.chdir("files")


def classifier(keras):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    picture = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, activation="relu")(picture)
    x = layers.Conv2D(4, 3)(x)
    x = layers.BatchNormalization()(x)
    return keras.Model(picture, layers.Dense(2)(layers.Flatten()(x)))


model, model_2 = classifier(keras), classifier(tf_keras)
for each in model, model_2:
    each.set_weights([np.linspace(0.1, 1, w.size).reshape(w.shape) for w in each.get_weights()])
scores, scores_2 = (each(X, training=False).numpy()[0].tolist() for each in (model, model_2))
expected = {}


def give(file, scores):
    expected[file] = scores
    return file


model.save("3.keras")
model.save("3.h5")
model_2.save("2.h5")
model_2.save("2.keras")

# Names that mislead.
for file in "hdf5.keras", "UPPER.H5", "model.hdf5", "no-suffix-2":
    shutil.copy("2.h5", give(file, scores_2))
for file in "zip.h5", "model.keras.zip", "no-suffix":
    shutil.copy("3.keras", give(file, scores))
shutil.unpack_archive("3.keras", give("unpacked", scores), "zip")  # as a Mac does with a download
with zipfile.ZipFile(give("around.zip", scores), "w") as archive:
    archive.write("3.keras", "my model/model.keras")
    archive.writestr("__MACOSX/my model/._model.keras", "what a Mac adds")
    archive.writestr("my model/readme.txt", "notes")

# SavedModels, which need trust.
model.export("exported", verbose=False)
give("exported", scores)
model_2.save("saved")
give("saved", scores_2)
shutil.make_archive(give("saved.zip", scores_2)[:-4], "zip", ".", "saved")
shutil.make_archive(give("saved.tar.gz", scores_2)[:-7], "gztar", ".", "saved")

# Keras 2.12 to 2.14 had other names for the weights, counted layers with weights twice, and 2.12 had
# its modules elsewhere.
with zipfile.ZipFile("2.keras") as archive:
    content = {name: archive.read(name) for name in archive.namelist()}
weights = io.BytesIO(content["model.weights.h5"])
with h5py.File(weights, "r+") as file:
    file["layers"].move("conv2d_1", "conv2d_2")
    file.move("layers", "_layer_checkpoint_dependencies")
content["model.weights.h5"] = weights.getvalue()
content["metadata.json"] = json.dumps({"keras_version": "2.12.0"})
config = content["config.json"].decode()
assert "tf_keras.src.engine.functional" in config
config = config.replace("tf_keras.src.engine", "keras.engine").replace("tf_keras", "keras")
content["config.json"] = config
with zipfile.ZipFile(give("2.12.keras", scores_2), "w") as archive:
    for name, value in content.items():
        archive.writestr(name, value)

# Keras 3.0 to 3.7 had single outputs in a list, and one more setting for layers that change pictures.
inside = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.RandomRotation(0.1), model,
                           keras.layers.Dense(2, kernel_initializer="ones")])
inside.save("inside.keras")
with zipfile.ZipFile("inside.keras") as archive:
    content = {name: archive.read(name) for name in archive.namelist()}
config = json.loads(content["config.json"])
_, rotation, functional, _ = config["config"]["layers"]
rotation["config"]["value_range"] = [0, 255]
for ends in "input_layers", "output_layers":
    functional["config"][ends] = [functional["config"][ends]]
content["config.json"] = json.dumps(config)
scores_inside = inside(X, training=False).numpy()[0].tolist()
with zipfile.ZipFile(give("3.3.keras", scores_inside), "w") as archive:
    for name, value in content.items():
        archive.writestr(name, value)
inside.save("inside.h5")
shutil.copy("inside.h5", give("3.3.h5", scores_inside))
with h5py.File("3.3.h5", "r+") as file:
    file.attrs["model_config"] = json.dumps(config)

# Layers of the reader's own.
OWN = '''
from tensorflow import keras
from tensorflow.keras.layers import Layer


@keras.utils.register_keras_serializable("mine")
class Twice(Layer):
    def call(self, x):
        return 2 * x


def cut(x):
    return keras.activations.relu(x)
'''
Path("own_layers.py").write_text(OWN)
for number, library in ("2", tf_keras), ("3", keras):
    class Twice(library.layers.Layer):
        def call(self, x):
            return 2 * x

    def cut(x):
        return library.activations.relu(x)

    layers = library.layers
    own = library.Sequential(
        [library.Input((8, 8, 3)), Twice(), layers.Conv2D(2, 3, activation=cut), layers.Flatten()]
    )
    for suffix in "h5", "keras":
        own.save(give(f"own-{number}.{suffix}", own(X, training=False).numpy()[0].tolist()))

# What is no model that the walk takes.
Path("empty.h5").touch()
Path("folder").mkdir()
Path("page.keras").write_text("<!DOCTYPE html><title>Sign in</title>")
Path("pointer.h5").write_text("version https://git-lfs.github.com/spec/v1\\noid sha256:4d7a\\nsize 1\\n")
model.save_weights("3.weights.h5")
model_2.save_weights("2.weights.h5")
model_2.save_weights("checkpoint/weights")
Path("layers.json").write_text(model.to_json())
Path("state.safetensors").write_bytes((40).to_bytes(8, "little") + b'{"weight":{"dtype":"F32"}}')
with zipfile.ZipFile("state.pth", "w") as archive:
    archive.writestr("archive/data.pkl", b"\\x80\\x02}q\\x00.")
Path("forest.joblib").write_bytes(b"\\x80\\x04\\x95\\x05")
Path("model.onnx").write_bytes(b"\\x08\\x08\\x12\\x07pytorch")
Path("graph.pb").write_bytes(b"\\n\\x11\\n\\x05input\\x12\\x0bPlaceholder")
Path("photo.h5").write_bytes(b"\\x89PNG and so on")
np.savez("weights.npz", *model.get_weights())
for file in "3.keras", "2.h5", "saved.zip":
    content = Path(file).read_bytes()
    Path(f"half-{file}").write_bytes(content[: len(content) // 2])
deep = 9999 * '{"class_name":' + "1" + 9999 * "}"
for number, (version, config) in enumerate(
    [("[]", "{}"), ("3", "{}"), ("{}", "[]"), ("{}", deep), ("{}", '{"class_name": "function", "module": 5}')]
):
    with zipfile.ZipFile(f"odd-{number}.keras", "w") as archive:
        archive.writestr("metadata.json", version)
        archive.writestr("config.json", config)

# Archives that cannot be unpacked, or should not.
content = bytearray(Path("around.zip").read_bytes())
content[200] ^= 255
Path("damaged.zip").write_bytes(content)
with tarfile.open("outside.tar", "w") as archive:
    archive.add("3.keras")
    archive.addfile(tarfile.TarInfo("../outside"))
Path("half.tar.gz").write_bytes(Path("saved.tar.gz").read_bytes()[:1000])
link = tarfile.TarInfo("link")  # it is left out
link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
with tarfile.open(give("with a link.tar", scores), "w") as archive:
    archive.add("3.keras")
    archive.addfile(link)
bomb = tarfile.TarInfo("zeros")
bomb.size = 20_000_000_000
with gzip.open("bomb.tar.gz", "wb") as file:
    file.write(bomb.tobuf() + bytes(10_000))
with zipfile.ZipFile("two.zip", "w") as archive:
    archive.write("3.keras")
    archive.write("2.h5")

os.chdir("..")
"""

READ = """
import walk

said = {}
for path in sorted(Path("files").iterdir()):
    file = str(path)
    code = "files/own_layers.py" if path.name.startswith("own-") else ""
    try:
        trust = "true" if path.name.startswith(("exported", "saved")) else ""
        rows = walk.read_model(file, walk.model_file(file), code, trust)(X, training=False).numpy()
        said[path.name] = rows[0].tolist()
    except walk.Problem as problem:
        said[path.name] = f"Problem: {problem}"
    except Exception as error:
        said[path.name] = f"{type(error).__name__}: {error}"
    if code:
        try:
            walk.read_model(file, walk.model_file(file))
            said[f"{path.name} alone"] = "loaded"
        except walk.Problem as problem:
            said[f"{path.name} alone"] = f"Problem: {problem}"
left = sorted(str(path) for path in Path("generated").rglob("*.part"))
Path("said.json").write_text(json.dumps([said, expected, left]))
"""

TAKEN = ["hdf5.keras", "UPPER.H5", "model.hdf5", "no-suffix-2", "zip.h5", "model.keras.zip"]
TAKEN += ["no-suffix", "unpacked", "around.zip", "exported", "saved", "saved.zip", "saved.tar.gz"]
TAKEN += ["with a link.tar"]
TAKEN += ["2.12.keras", "3.3.keras", "3.3.h5", "own-2.h5", "own-2.keras", "own-3.h5", "own-3.keras"]

REFUSED = {
    "empty.h5": "is an empty file",
    "folder": "is a directory, and no model is in it",
    "page.keras": "is a web page and not a model",
    "pointer.h5": "is a pointer of git-lfs",
    "3.weights.h5": "holds weights alone",
    "2.weights.h5": "holds weights alone",
    "checkpoint": "holds weights alone",
    "weights.npz": "holds weights alone",
    "layers.json": "holds the layers alone",
    "state.safetensors": "is a file of safetensors",
    "state.pth": "is a file of PyTorch",
    "forest.joblib": "is a pickle",
    "model.onnx": "is an ONNX file",
    "graph.pb": "is a graph of TensorFlow without its SavedModel",
    "photo.h5": "is not a Keras model, or it is broken",
    "half-3.keras": "is not a Keras model, or it is broken",
    "half-2.h5": "is not a Keras model, or it is broken",
    "half-saved.zip": "is not a Keras model, or it is broken",
    **{f"odd-{number}.keras": "MODEL=files/odd-" for number in range(5)},
    "two.zip": "is an archive that does not hold exactly one model",
    "damaged.zip": "is an archive that cannot be unpacked",
    "outside.tar": "is an archive that cannot be unpacked",
    "half.tar.gz": "is an archive that cannot be unpacked",
    "bomb.tar.gz": "is an archive that cannot be unpacked",
    "own-2.h5 alone": "needs the code of its own Twice",
    "own-2.keras alone": "needs the code of its own Twice",
    "own-3.h5 alone": "needs the code of its own Twice",
    "own-3.keras alone": "needs the code of its own Twice",
}


@pytest.fixture(scope="module")
def read(module_path):
    """What is said of each file, and the scores that it should give."""
    folder = module_path
    for name in "files", "generated":
        (folder / name).mkdir()
    path = str(REPOSITORY / "notebooks")
    process = run([sys.executable, "-c", FILES + READ], folder, PYTHONPATH=path)
    assert process.returncode == 0, process.stderr
    said, expected, left = json.loads((folder / "said.json").read_text())
    assert sorted(expected) == sorted(TAKEN) and left == []
    return said, expected


@pytest.mark.parametrize("file", TAKEN)
def test_a_model_is_taken_whatever_its_file_is_called(read, file):
    said, expected = read
    assert said[file] == pytest.approx(expected[file], rel=1e-5)


@pytest.mark.parametrize("file", REFUSED)
def test_what_is_no_whole_model_is_named_with_what_to_do(read, file):
    said, _ = read
    assert said[file].startswith("Problem: MODEL=files/") and REFUSED[file] in said[file]
    assert len(said[file].splitlines()) == 1 and len(said[file]) < 300
    assert any(word in said[file] for word in ("Expected", "Download", "download", "give", "makes"))
