"""A TensorFlow Lite model as MODEL: with whatever ends, the function takes it and gives its scores.

The files are made, and taken as `make` takes them, in one process; each runtime then runs the results.
"""

import json
import sys

import pytest
import walk
from conftest import REPOSITORY, run

pytestmark = pytest.mark.xdist_group("tflite")  # one process makes what all look at

FILES = """
import json, sys
from pathlib import Path

sys.path.insert(0, "notebooks")
import keras
import numpy as np
import tensorflow as tf
import walk
from walk import tflite

keras.utils.set_random_seed(0)
layers = keras.layers
picture = sys.argv[1]


def classifier(shape=(24, 32, 3), outputs=3, activation=None, dtype="float32"):
    x = picture = keras.Input(shape, dtype=dtype)
    if dtype != "float32":
        x = layers.Rescaling(1 / 127.5, -1)(x)
    if shape[0] in (1, 3):
        x = layers.Permute((2, 3, 1))(x)
    x = layers.Conv2D(8, 3, activation="relu", use_bias=False)(x)
    x = layers.GlobalMaxPooling2D()(x)
    return keras.Model(picture, layers.Dense(outputs, activation)(x))


def converted(model, ends=None, **options):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if ends:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [np.random.default_rng(seed).uniform(-1, 1, (1, 24, 32, 3)).astype("float32")]
            for seed in range(20)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = ends
    for name, value in options.items():
        setattr(converter, name, value)
    return converter.convert()


class OfTensorFlow(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([1, 24, 32, 3])])
    def __call__(self, x):
        x = tf.raw_ops.AdjustContrastv2(images=x, contrast_factor=2.0)
        return tf.reshape(tf.reduce_mean(x, [1, 2]), [1, 3])


flex = OfTensorFlow()
flex = tf.lite.TFLiteConverter.from_concrete_functions(
    [flex.__call__.get_concrete_function()], flex
)
flex.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
several = [keras.Input((24, 32, 3)), keras.Input((3,))]
several = keras.Model(several, layers.Add()([layers.GlobalMaxPooling2D()(several[0]), several[1]]))
plain = converted(classifier())
files = {
    "plain": plain,
    "softmax": converted(classifier(activation="softmax")),
    "sigmoid": converted(classifier(outputs=1, activation="sigmoid")),
    "grey": converted(classifier((24, 32, 1))),
    "tanh": converted(classifier(outputs=1, activation="tanh")),
    "relu": converted(classifier(activation="relu")),
    "halved": converted(keras.Sequential([classifier(activation="softmax"), layers.Rescaling(0.5)])),
    "one softmax": converted(classifier(outputs=1, activation="softmax")),
    "one logit": converted(classifier(outputs=1)),
    "any size": converted(classifier((None, None, 3))),
    "channels first": converted(classifier((3, 24, 32))),
    "uint8 without a scale": converted(classifier(dtype="uint8")),
    "quantised uint8": converted(classifier(activation="softmax"), tf.uint8),
    "quantised int8": converted(classifier(), tf.int8),
    "several inputs": converted(several),
    "a vector": converted(keras.Sequential([keras.Input((5,)), layers.Dense(3)])),
    "flex": flex.convert(),
    "broken": plain[: len(plain) // 2],
}
dynamic = converted(classifier(outputs=300), optimizations=[tf.lite.Optimize.DEFAULT])
files |= {"dynamic range": dynamic, "grey by colours": files["grey"], "two classes": plain}
files["one class"] = files["sigmoid"]
others = {
    "sigmoid": {"CLASSES": "no yes"},
    "tanh": {"CLASSES": "no yes"},
    "one softmax": {"CLASSES": "no yes"},
    "one logit": {"CLASSES": "no yes", "SCORES": "independent-logits"},
    "any size": {"SIZE": "32x24"},
    "uint8 without a scale": {"PREPROCESSING": "none"},
    "grey by colours": {"PREPROCESSING": "torch"},
    "two classes": {"CLASSES": "no yes"},
    "one class": {"CLASSES": "yes"},
    "dynamic range": {"CLASSES": " ".join(f"c{number}" for number in range(300))},
}
parameters = {"CLASSES": "a b c", "PREPROCESSING": "xception", "RESIZE": "bilinear", "SCORES": "",
              "SIZE": "", "IMAGE": picture}


def by_hand(content, x):
    interpreter = tf.lite.Interpreter(model_content=content)
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    if taken["shape"].tolist() != list(x.shape):
        x = x.transpose(0, 3, 1, 2) if taken["shape"][1] == 3 else x
        interpreter.resize_tensor_input(taken["index"], x.shape)
    interpreter.allocate_tensors()
    if taken["dtype"] != np.float32:
        scale, zero = taken["quantization"]
        limits = np.iinfo(taken["dtype"])
        x = np.clip(np.round(x / scale) + zero if scale else x, limits.min, limits.max)
    interpreter.set_tensor(taken["index"], x.astype(taken["dtype"]))
    interpreter.invoke()
    row = interpreter.get_tensor(given["index"])[0]
    scale, zero = given["quantization"]
    return (row.astype("float32") - zero) * scale if scale else row


said = {}
for name, content in files.items():
    Path("given.tflite").write_bytes(content)
    chosen = parameters | {"MODEL": "given.tflite"} | others.get(name, {})
    try:
        assert tflite.in_place_of("01-keras-model", Path("01.ipynb"), chosen)
        assert tflite.in_place_of("02-tflite-model", Path("02.ipynb"), chosen)
    except walk.Problem as problem:
        said[name] = f"Problem: {problem}"
        continue
    expected = walk.load("generated/expected-scores.json")
    figures = walk.load("generated/tflite-models.json")["float32"]
    grey = 1 if name == "grey" else 3
    X = walk.preprocess_input(chosen["PREPROCESSING"])(
        walk.pixels(picture, (1, 24, 32, grey), "bilinear")[None].astype("float32")
    )
    kept = Path("generated/clothing-model.tflite").read_bytes()
    Path("kept", name).with_suffix(".tflite").write_bytes(kept)
    np.save(Path("kept", name).with_suffix(".npy"), X)
    said[name] = {
        "kind": expected["parameters"]["SCORES"],
        "scores": list(expected["scores"][picture].values()),
        "by hand": by_hand(content, X).tolist(),
        "same file": kept == content,
        "tolerance": expected["tolerance"],
        "loads in": figures["loads_in"],
        "pictures": len(expected["scores"]),
        "copies": "left out" in Path("01.ipynb").read_text() + Path("02.ipynb").read_text(),
    }
Path("said.json").write_text(json.dumps(said))
"""

RUN = """
import importlib, json, sys
from pathlib import Path
import numpy as np

Interpreter = importlib.import_module(sys.argv[1]).Interpreter
rows = {}
for file in Path("kept").glob("*.tflite"):
    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.load(file.with_suffix(".npy")))
    interpreter.invoke()
    row = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    rows[file.stem] = row.tolist()
print(json.dumps(rows))
"""

TAKEN = {
    "plain": "logits",
    "softmax": "softmax",
    "sigmoid": "sigmoid",
    "grey": "logits",
    "one logit": "logits",
    "any size": "logits",
    "channels first": "logits",
    "uint8 without a scale": "logits",
    "quantised uint8": "softmax",
    "quantised int8": "logits",
}
REFUSED = {
    "several inputs": "has 2 inputs and 1 outputs. Expected: one picture in",
    "a vector": "has input [1, 5] and output [1, 3]. Expected: input [1, height, width, 3]",
    "flex": "does not load in tflite-runtime, which runs it from lesson 3 on.",
    "dynamic range": "does not load in tflite-runtime, which runs it from lesson 3 on.",
    "broken": "is a broken .tflite file.",
}
# Whose last operator does not say what the numbers are, or says what cannot be.
UNSAID = {
    "tanh": "MODEL ends in TANH, which does not say what its numbers are. Say it: SCORES=",
    "relu": "MODEL ends in FULLY_CONNECTED, which does not say what its numbers are.",
    "halved": "MODEL ends in MUL, which does not say what its numbers are.",
    "one softmax": "the softmax of one number is always 1",
}
# Parameters that do not fit the model.
MISFITS = {
    "grey by colours": "PREPROCESSING=torch is for pictures with three colours, and MODEL=given.tflite",
    "two classes": 'CLASSES="no yes" names 2 classes, but MODEL=given.tflite has 3 outputs. Name one',
    "one class": 'CLASSES="yes" names 1 class, but MODEL=given.tflite has a single output, for two',
}
JEANS = str(REPOSITORY / "notebooks/assets/jeans.png")


@pytest.fixture(scope="module")
def taken(module_path):
    """The folder where all files were taken, one after the other, and what was said of each."""
    folder = module_path
    for name in "generated", "kept":
        (folder / name).mkdir()
    path = str(REPOSITORY / "notebooks")
    process = run([sys.executable, "-c", FILES, JEANS], folder, PYTHONPATH=path)
    assert process.returncode == 0, process.stderr
    return folder, json.loads((folder / "said.json").read_text())


@pytest.mark.parametrize("name", TAKEN)
def test_its_scores_are_those_of_tensorflows_interpreter_and_say_what_they_are(taken, name):
    said = taken[1][name]
    assert said["kind"] == TAKEN[name] and said["copies"]
    assert said["scores"][-len(said["by hand"]) :] == pytest.approx(said["by hand"], abs=1e-6)
    assert said["same file"] == (name in ("plain", "softmax", "sigmoid", "grey", "one logit"))
    assert said["tolerance"] == (0.05 if "quantised" in name else walk.comparing.TOLERANCE)
    assert (
        set(said["loads in"]) == set(walk.runtimes())
        and said["loads in"][walk.runtimes()[0]] == "yes"
    )


def test_a_single_output_makes_the_scores_of_two_classes(taken):
    no, yes = taken[1]["sigmoid"]["scores"]
    assert no == pytest.approx(1 - yes) and 0 < yes < 1


def test_logits_of_a_single_output_are_those_of_two_classes(taken):
    assert taken[1]["one logit"]["scores"][0] == 0


@pytest.mark.parametrize("name", UNSAID)
def test_what_the_numbers_mean_is_not_guessed(taken, name):
    assert UNSAID[name] in taken[1][name]


@pytest.mark.parametrize("name", MISFITS)
def test_parameters_that_do_not_fit_are_refused_as_with_a_keras_model(taken, name):
    assert taken[1][name].startswith(f"Problem: {MISFITS[name]}")


@pytest.mark.parametrize("package", walk.runtimes())
def test_each_runtime_gives_these_scores_for_float32_pictures(taken, package):
    folder, said = taken
    module = f"{package.replace('-', '_')}.interpreter"
    process = run([sys.executable, "-c", RUN, module], folder)
    assert process.returncode == 0, process.stderr
    rows = json.loads(process.stdout)
    assert sorted(rows) == sorted(TAKEN)
    for name, row in rows.items():
        expected = said[name]["by hand"]
        span = max(expected) - min(expected) if len(expected) > 1 else 1
        assert row == pytest.approx(expected, abs=said[name]["tolerance"] * span + 1e-6), name


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.skipif("tflite-runtime" not in walk.runtimes(), reason="LiteRT knows more operations")
def test_what_the_function_cannot_take_is_said_in_a_sentence(taken, name):
    said = taken[1][name]
    assert said.startswith("Problem: MODEL=given.tflite ") and REFUSED[name] in said
    assert len(said.splitlines()) == 1 and len(said) < 450
