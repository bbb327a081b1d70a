"""ONNX files of all kinds: taken as Keras prepares pictures, or refused in a sentence."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
from commands.execute import take_onnx
from conftest import REPOSITORY, code_cells
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from onnx_files import ask, classifier, image, save_as_pytorch_does
from walk import Problem, onnx_models, web_server

pytestmark = pytest.mark.xdist_group("onnx")

FUNCTION = "lambda/onnx_function.py"
COAT = REPOSITORY / "notebooks/assets/coat.png"

KINDS = {  # what its numbers are: those of classifier(), and what is given beside MODEL
    "one logit": ("logits", dict(last=""), {}),
    "channels last": ("softmax", dict(first=False, outputs=3, last="Softmax"), {}),
    "bilinear": ("logits", dict(outputs=3, last=""), dict(PREPROCESSING="none", RESIZE="bilinear")),
    "grey": ("softmax", dict(channels=1, outputs=2, last="Softmax"), {}),
    "any size": ("logits", dict(size=("h", "w"), outputs=2, last=""), dict(SIZE="60x40")),
    "labels": ("sigmoid", dict(outputs=3), dict(PREPROCESSING="resnet50")),
    "said": ("independent-logits", dict(outputs=3, last=""), dict(SCORES="independent-logits")),
}

# Takes each file, as the appendix begins, and keeps what it left. Then a model of Keras 2 is in the
# place of lesson 1's, and the appendix's program exports it.
TAKE = """
import json, sys
from pathlib import Path
import numpy as np
import onnx
import tf_keras
from walk import onnx_models

files, export = json.load(sys.stdin)
for name, given in files.items():
    onnx_models.take(given)
    expected = onnx_models.expected_scores()
    model = onnx.load(onnx_models.EXPORTED)
    onnx.helper.set_model_props(model, expected["parameters"])
    onnx.save(model, f"files/{name} noted.onnx")
    Path(f"files/{name}.json").write_text(json.dumps(expected))

layers = tf_keras.layers
model = tf_keras.Sequential([tf_keras.Input((20, 28, 3))])
model.add(layers.SeparableConv2D(4, 3))
model.add(layers.BatchNormalization())
model.add(layers.Flatten())
model.add(layers.Dense(3))
model.save("generated/clothing-model.h5")
kept = {"model": "generated/clothing-model.h5", "library": "tf_keras", "size": None}
kept |= {"model_code": "", "trust_model": ""}
Path("generated/expected-scores.json").write_text(json.dumps(kept))
exec(export)
picture = np.random.default_rng(0).uniform(-1, 1, (1, 20, 28, 3)).astype("float32")
np.savez("files/keras-2.npz", picture=picture, scores=model(picture))
"""


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """A folder with a file of each kind, and what was left of it."""
    folder = tmp_path_factory.mktemp("kinds")
    for name in "files", "generated", "lambda":
        (folder / name).mkdir()
    (folder / "notebooks").symlink_to(REPOSITORY / "notebooks")
    shutil.copy(REPOSITORY / FUNCTION, folder / "lambda")
    given = {}
    for name, (_, settings, parameters) in KINDS.items():
        onnx.save(classifier(**settings), folder / f"files/{name}.onnx")
        classes = " ".join("abc"[: max(2, settings.get("outputs", 1))])
        given[name] = dict.fromkeys(["PREPROCESSING", "SCORES", "SIZE"], "") | {
            "MODEL": f"files/{name}.onnx",
            "IMAGE": str(COAT),
            "CLASSES": classes,
            "RESIZE": "nearest",
            **parameters,
        }
    cells = code_cells(REPOSITORY / "notebooks/onnx.ipynb")
    (export,) = [cell.source for cell in cells if "model.export(" in cell.source]
    process = subprocess.run(
        [sys.executable, "-c", TAKE],
        cwd=folder,
        env={"PYTHONPATH": str(REPOSITORY / "notebooks"), "PATH": ""},
        input=json.dumps([given, export]),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_the_function_prepares_pictures_for_each_kind_as_keras_does(taken, kind):
    expected = json.loads((taken / f"files/{kind}.json").read_text())
    assert expected["parameters"]["SCORES"] == KINDS[kind][0]
    (said,) = ask(taken, f"files/{kind} noted.onnx", [image(COAT)])
    scores = expected["scores"][expected["image"]]
    assert list(said) == list(scores)
    assert said == pytest.approx(scores, abs=1e-4 * np.ptp([*scores.values()]))


def test_a_model_of_keras_2_is_exported_too(taken):
    expected = np.load(taken / "files/keras-2.npz")
    exported = ReferenceEvaluator(onnx.load(taken / "generated/exported.onnx"))
    (scores,) = exported.run(None, {exported.input_names[0]: expected["picture"]})
    assert scores == pytest.approx(expected["scores"], abs=1e-4)


# --- what is refused -----------------------------------------------------------------------------


def two_outputs():
    model = classifier()
    model.graph.output.append(model.graph.output[0])
    model.graph.output[1].name = "linear"
    return model


def unknown_operation():
    model = classifier()
    model.opset_import.append(helper.make_opsetid("mine", 1))
    model.graph.node[-1].op_type, model.graph.node[-1].domain = "Mine", "mine"
    return model


REFUSED = {
    "several outputs": (two_outputs, {}, "has 1 inputs and 2 outputs"),
    "half precision": (lambda: classifier(kind=TensorProto.FLOAT16), {}, "pictures of float16"),
    "no picture": (lambda: classifier(channels=5), {}, "Expected: (None, height, width, channels)"),
    "any size": (lambda: classifier(size=("h", "w")), {}, "takes pictures of any size"),
    "another size": (classifier, {"SIZE": "60x40"}, "takes the height 200 alone"),
    "wrong classes": (classifier, {"CLASSES": "a b c"}, "has a single output, for two classes"),
    "colours of grey": (
        lambda: classifier(channels=1),
        {"PREPROCESSING": "torch"},
        "takes grey ones",
    ),
    "unclear scores": (lambda: classifier(last="Tanh"), {}, "ends in Tanh, which does not say"),
    "unknown operation": (unknown_operation, {}, "does not run in ONNX Runtime"),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, where pictures are prepared without Keras, which takes seconds to import."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "generated").mkdir()

    def pixels(file, shape, resize):
        _, height, width, channels = shape
        return np.zeros((height, width, channels), "float32")

    monkeypatch.setattr(onnx_models, "pixels", pixels)
    monkeypatch.setattr(onnx_models, "preprocess_input", lambda name: lambda x: x)
    return tmp_path


def take(**given):
    names = "PREPROCESSING", "SCORES", "SIZE"
    defaults = {"IMAGE": str(COAT), "CLASSES": "curly straight", "RESIZE": "nearest"}
    onnx_models.take(dict.fromkeys(names, "") | defaults | given)


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_function_cannot_take_gets_a_sentence_and_leaves_nothing(here, what):
    build, given, words = REFUSED[what]
    onnx.save(build(), "model.onnx")
    with pytest.raises(Problem, match=re.escape(words)) as error:
        take(MODEL="model.onnx", **given)
    assert len(str(error.value).splitlines()) == 1
    assert list((here / "generated").iterdir()) == []


def test_weights_that_are_missing_or_broken_get_a_sentence(here):
    save_as_pytorch_does(classifier(), here / "hair.onnx")
    (here / "hair.onnx.data").write_bytes(b"short")
    with pytest.raises(Problem, match="or the file with its weights is"):
        take(MODEL="hair.onnx")
    (here / "hair.onnx.data").unlink()
    with pytest.raises(Problem, match="another file, hair.onnx.data, and that is not there"):
        take(MODEL="hair.onnx")


def test_weights_outside_of_its_folder_are_not_read(here):
    model = classifier()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    onnx.save(model, "model.onnx")
    with pytest.raises(Problem, match="outside of its own folder"):
        take(MODEL="model.onnx")


def test_a_file_that_is_none_or_broken_gets_a_sentence(here):
    for content, words in {
        (REPOSITORY / "notebooks/assets/clothing-model.h5").read_bytes(): "is not an ONNX file",
        classifier().SerializeToString()[:300]: "is a broken ONNX file",
        b"<html>": "is a web page and not a model",
    }.items():
        (here / "model.onnx").write_bytes(content)
        with pytest.raises(Problem, match=words):
            take(MODEL="model.onnx")
    with pytest.raises(Problem, match="MODEL=nowhere.onnx does not exist"):
        take(MODEL="nowhere.onnx")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"SIZES": "60x40"}, "SIZES is no parameter of lesson 1. It has: MODEL, "),
        ({"CLASSES": "a b"}, "without MODEL=….onnx, the appendix takes what lesson 1 was run with"),
    ],
)
def test_parameters_that_mean_nothing_here_get_a_sentence(given, words):
    with pytest.raises(Problem, match=re.escape(words)):
        take_onnx(given)


def test_from_the_web_both_files_come_and_broken_ones_come_again(here):
    (here / "web").mkdir()
    save_as_pytorch_does(classifier(), here / "web/hair.onnx")
    weights = (here / "web/hair.onnx.data").read_bytes()
    with web_server(here / "web") as address:
        (here / "web/hair.onnx.data").write_bytes(weights[:100])
        with pytest.raises(Problem, match="or the file with its weights is"):
            take(MODEL=f"{address}/hair.onnx")
        (here / "web/hair.onnx.data").write_bytes(weights)
        take(MODEL=f"{address}/hair.onnx")
    assert onnx_models.expected_scores()["library"] == "onnxruntime"
