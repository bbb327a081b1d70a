"""The function for models of each kind: what their numbers mean, how their pictures were prepared.

Small models are made in one process, which also says what Keras makes of each picture. For each model the
function runs in a process of its own, with the parameters that an export for it has.
"""

import json
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

import pytest
from bundle import FILES
from conftest import REPOSITORY
from corpus import base64_text, http_v2
from picture_files import ASSETS, encoded, picture
from PIL import Image

pytestmark = pytest.mark.xdist_group("kinds of models")


class Kind(NamedTuple):
    """The parameters of lesson 3, and the model: its input's shape, outputs and last bias."""

    SCORES: str
    PREPROCESSING: str
    RESIZE: str
    CLASSES: str
    shape: tuple[int, int, int]
    outputs: int
    bias: float = 0


KINDS = {
    "logits": Kind("logits", "inception_v3", "bilinear", "cup fork glass", (20, 28, 3), 3),
    "large logits": Kind("logits", "xception", "nearest", "cup fork", (20, 28, 3), 2, 1000),
    "softmax": Kind("softmax", "torch", "bilinear", "cup, wine glass,fork", (28, 20, 3), 3),
    "one sigmoid": Kind("sigmoid", "rescale", "nearest", "cat dog", (20, 20, 3), 1),
    "one logit": Kind("logits", "none", "nearest", "cat dog", (20, 20, 3), 1),
    "several labels": Kind("sigmoid", "resnet50", "bilinear", "red old torn", (20, 28, 3), 3),
    "their logits": Kind("independent-logits", "vgg16", "bilinear", "red old", (20, 28, 3), 2),
    "grey": Kind("softmax", "rescale", "bilinear", "zero one two", (28, 20, 1), 3),
}
NO_NUMBERS = Kind("logits", "xception", "nearest", "cup fork", (20, 20, 3), 2, float("nan"))

# Makes the models, and writes Keras's answer to each picture: its scores and probabilities.
MAKE = """
import json, sys
import keras, numpy as np, tensorflow as tf
from keras import layers
from keras.applications.imagenet_utils import preprocess_input
from keras.utils import img_to_array, load_img

MODES = {"torch": "torch", "resnet50": "caffe", "vgg16": "caffe"}
MODES |= {"xception": "tf", "inception_v3": "tf"}
ACTIVATIONS = {"softmax": "softmax", "sigmoid": "sigmoid"}
kinds, pictures = json.load(sys.stdin)
keras.utils.set_random_seed(0)
answers = {}
for name, kind in kinds.items():
    height, width, channels = kind["shape"]
    last = layers.Dense(kind["outputs"], ACTIVATIONS.get(kind["SCORES"]))
    model = keras.Sequential([keras.Input(kind["shape"]), layers.Flatten(), last])
    raw = kind["PREPROCESSING"] in ("none", "resnet50", "vgg16")  # numbers of a hundred and more
    bias = kind["bias"] * np.arange(1, kind["outputs"] + 1)
    last.set_weights([last.kernel.numpy() * (0.02 if raw else 1), bias])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    open(f"{name}.tflite", "wb").write(converter.convert())
    answers[name] = []
    for picture in pictures:
        color_mode = "grayscale" if channels == 1 else "rgb"
        x = img_to_array(load_img(picture, color_mode=color_mode, target_size=(height, width)))
        if kind["RESIZE"] == "bilinear":  # as image_dataset_from_directory does
            whole = img_to_array(load_img(picture, color_mode=color_mode))
            x = tf.image.resize(whole, (height, width)).numpy()
        if kind["PREPROCESSING"] in MODES:
            x = preprocess_input(x, mode=MODES[kind["PREPROCESSING"]])
        elif kind["PREPROCESSING"] == "rescale":
            x = x / 255
        scores = model.predict(x[None], verbose=0)[0].astype("float64")
        if len(scores) == 1 and kind["SCORES"] == "sigmoid":
            scores = np.array([1 - scores[0], scores[0]])
        if len(scores) == 1:
            scores = np.array([0, scores[0]])
        shares = {
            "logits": keras.ops.softmax(scores[None])[0],
            "independent-logits": keras.ops.sigmoid(scores),
        }.get(kind["SCORES"], scores)
        answers[name].append([scores.tolist(), np.array(shares).tolist()])
json.dump(answers, open("answers.json", "w"))
"""

# Puts the events to the functions of a folder; what is raised comes back as its name.
ASK = """
import base64, contextlib, io, json, sys
import api, catalogue, lambda_function

def outcome(handler, event):
    try:
        return handler(event, None)
    except api.RequestError as error:
        return {"errorType": type(error).__name__}

pictures, events = json.load(sys.stdin)
with contextlib.redirect_stdout(io.StringIO()):
    said = {"plain": [outcome(lambda_function.lambda_handler, event) for event in pictures]}
    said["direct"] = [outcome(api.lambda_handler, event) for event in pictures]
    said["http"] = [api.lambda_handler(event, None) for event in events]
    catalogue.fetch = lambda bucket, key: base64.b64decode(pictures[0]["image"])
    said["row"] = catalogue.row("bucket", "a picture")
json.dump(said, sys.stdout)
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A drawing in colours, another as a JPEG, and one in grey."""
    folder = tmp_path_factory.mktemp("pictures")
    coat = Image.open(ASSETS / "coat.png").convert("RGB")
    (folder / "coat.jpg").write_bytes(encoded(coat, "JPEG"))
    (folder / "grey.png").write_bytes(encoded(picture().convert("L"), "PNG"))
    return [ASSETS / "jeans.png", folder / "coat.jpg", folder / "grey.png"]


@pytest.fixture(scope="module")
def models(tmp_path_factory, pictures):
    """A folder with a .tflite file of each kind, and Keras's answers."""
    folder = tmp_path_factory.mktemp("kinds")
    kinds = {name: kind._asdict() for name, kind in KINDS.items()}
    kinds["no numbers"] = NO_NUMBERS._asdict()
    given = json.dumps([kinds, [str(each) for each in pictures]])
    command = [sys.executable, "-c", MAKE]
    process = subprocess.run(command, cwd=folder, input=given, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return folder


def ask(kind, model, pictures, folder):
    """What the functions answer with this model and its parameters, from a folder of their own."""
    for file in FILES:
        shutil.copy(REPOSITORY / "lambda" / file, folder)
    function = folder / "lambda_function.py"
    text = function.read_text()
    for name in "CLASSES", "PREPROCESSING", "RESIZE", "SCORES":
        text, found = re.subn(
            rf'^{name} = "[^"]*"', f'{name} = "{getattr(kind, name)}"', text, flags=re.M
        )
        assert found == 1
    function.write_text(text)
    contents = [base64_text(file.read_bytes()) for file in pictures]
    requests = [http_v2(body=json.dumps({"image": content})) for content in contents]
    requests += [http_v2("GET"), http_v2("GET", "/openapi.yaml")]
    process = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=folder,
        env={"MODEL_PATH": str(model), "AWS_DEFAULT_REGION": "us-east-1"},
        input=json.dumps([[{"image": content} for content in contents], requests]),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


@pytest.fixture(scope="module", params=KINDS)
def asked(request, models, pictures, tmp_path_factory):
    """A kind, Keras's answers, and the functions' answers."""
    name, kind = request.param, KINDS[request.param]
    said = ask(kind, models / f"{name}.tflite", pictures, tmp_path_factory.mktemp("function"))
    return kind, json.loads((models / "answers.json").read_text())[name], said


def names(kind):
    """The classes of a kind."""
    return re.split(r"\s*,\s*" if "," in kind.CLASSES else r"\s+", kind.CLASSES)


def test_the_scores_are_kerass_with_guards_and_without(asked):
    kind, by_keras, said = asked
    for (scores, _), plain, direct in zip(by_keras, said["plain"], said["direct"], strict=True):
        spread = max(scores) - min(scores)
        expected = dict(zip(names(kind), scores, strict=True))
        assert list(plain) == names(kind)
        assert plain == pytest.approx(expected, abs=1e-4 * spread, rel=1e-6)
        assert direct == plain


def test_the_answers_name_the_most_probable_class_and_its_probability(asked):
    kind, by_keras, said = asked
    answers = [json.loads(each["body"]) for each in said["http"][:-2]]
    for (_, shares), answer, plain in zip(by_keras, answers, said["plain"], strict=True):
        assert list(answer) == ["prediction", "probability", "scores"]
        assert answer["scores"] == plain
        assert answer["prediction"] == names(kind)[shares.index(max(shares))]
        assert answer["probability"] == pytest.approx(max(shares), abs=1e-4)
    assert said["row"] == {"picture": "a picture"} | answers[0]


def test_the_function_says_what_its_scores_are(asked):
    kind, _, said = asked
    description, openapi = (each["body"] for each in said["http"][-2:])
    assert json.loads(description)["scores"] == kind.SCORES
    assert json.loads(description)["classes"] == names(kind)
    assert f"const: {kind.SCORES}\n" in openapi


def test_scores_that_are_no_numbers_are_an_error_with_a_name(models, pictures, tmp_path):
    said = ask(NO_NUMBERS, models / "no numbers.tflite", pictures[:1], tmp_path)
    assert said["direct"] == [{"errorType": "NoScores"}]
    assert said["http"][0]["statusCode"] == 500
    assert json.loads(said["http"][0]["body"])["error"] == "NoScores"
    assert said["row"]["error"] == "NoScores"
