"""What lesson 1 finds out about a model: what it takes, what its numbers mean, what cannot be right."""

import json
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, run

pytestmark = pytest.mark.xdist_group("models")  # one process makes what all look at

LIBRARIES = ["keras", "tf_keras"]
SCALING = "xception", "rescale", "resnet50", "torch"  # values of PREPROCESSING


@pytest.fixture(scope="module")
def found(module_path):
    """What is said of each model, by library and name."""
    program = Path(__file__).with_name("models_of_all_kinds.py")
    folder = module_path
    process = run([sys.executable, program], folder, PYTHONPATH=REPOSITORY / "notebooks")
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


KINDS = {
    "logits": ["logits", "one logit", "batch normalization", "normalized logits"]
    + ["the second of a model's outputs"],
    "softmax": ["softmax", "softmax layer", "softmax in the graph", "nested", "dropout last"]
    + ["fully convolutional", "mixed precision", "a layer as activation"],
    "sigmoid": ["activation layer", "sigmoid in the graph", "one sigmoid"],
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_the_numbers_mean_is_read_from_the_end_of_the_model(found, library):
    said = {name: each.get("kind") for name, each in found[library].items()}
    expected = {name: kind for kind, names in KINDS.items() for name in names if name in said}
    assert {name: said[name] for name in expected} == expected
    for name in "relu", "normalized":
        assert said[name].endswith("Say it: SCORES=logits, softmax, sigmoid or independent-logits.")
    assert "the softmax of one number is always 1" in said["one softmax"]


PLAIN_ALREADY = ["logits", "softmax", "nested", "grey", "rescaling"]
MADE_PLAIN = ["no channels", "channels first", "whole numbers", "batch of one", "batch of four"]
MADE_PLAIN += ["any size", "fully convolutional", "dicts", "mixed precision"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_plain_form_of_a_model_answers_as_the_model_does(found, library):
    for name in PLAIN_ALREADY + MADE_PLAIN:
        each = found[library][name]
        taken, given, is_float32 = each["plain"]
        assert taken in ([None, 32, 32, 3], [None, 32, 32, 1]) and is_float32
        assert len(given) == 2 and given[0] is None
        assert each["is itself"] == (name in PLAIN_ALREADY), name
        tolerance = 1e-2 if name == "mixed precision" else 1e-4 * max(map(abs, each["row"]))
        assert each["difference"] <= tolerance, name


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_is_no_classifier_of_pictures_is_refused(found, library):
    for name, message in {
        "two outputs": "MODEL has 1 inputs and 2 outputs. Expected: one picture in, one row of",
        "a row": "MODEL has input (None, 784). Expected: (None, height, width, channels)",
        "a map": "MODEL gives an array of shape (None, 32, 32, 2) for pictures of shape",
    }.items():
        assert message in found[library][name]["plain"]
    assert "as in SIZE=224x224" in found[library]["any size"]["without a size"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_pictures_are_not_scaled_twice(found, library):
    inside = ["rescaling", "normalization", "whole numbers", "efficientnet", "quantized"]
    inside += [f"{family} in the graph" for family in ("mobilenet_v2", "vgg16", "densenet")]
    for name in inside:
        for way in SCALING if name in found[library] else ():
            message = found[library][name][way]
            assert f"PREPROCESSING={way} would scale them before: twice is wrong." in message, name
            assert message.endswith("Give PREPROCESSING=none.")
    assert "in its layer rescaling," in found[library]["rescaling"]["xception"]
    for name in [*inside, "logits", "of x / 255", "to pixels", "batch normalization"]:
        assert found[library].get(name, {"none": "right"})["none"] == "right"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_model_that_takes_scaled_pictures_gets_them(found, library):
    for name in "logits", "softmax", "of x / 255", "to pixels", "batch normalization", "cut off":
        assert found[library][name]["rescale"] == "right"


def test_grey_pictures_have_no_means_of_colours(found):
    assert found["keras"]["grey"]["xception"] == "right"
    for way in "resnet50", "torch":
        assert f"PREPROCESSING={way} is for pictures with three" in found["keras"]["grey"][way]


def test_a_model_that_answers_differently_each_time_names_its_layers(found):
    """In Keras 3, predict() switches all of them off."""
    message = "MODEL=m answers differently each time: always work in prediction, too."
    assert message in found["tf_keras"]["dropout in prediction"]["none"]
    assert found["keras"]["dropout in prediction"]["none"] == "right"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_score_that_is_no_number_is_a_problem(found, library):
    assert "MODEL answers with nan, which is no score." in found[library]["not a number"]["row"]


def test_each_family_of_keras_is_prepared_by_one_of_the_functions_ways(found):
    names = found["families"]
    assert len(names) > 20
    assert set(names.values()) <= {*SCALING, "inception_v3", "vgg16", "none"}
    for name, ours in {
        "mobilenet_v2": "xception",
        "resnet_v2": "xception",
        "tf": "xception",
        "resnet": "resnet50",
        "vgg19": "resnet50",
        "densenet": "torch",
        "efficientnet": "none",
        "convnext": "none",
        "vgg16": "vgg16",
    }.items():
        assert names[name] == ours


def test_a_file_that_was_trained_on_each_class_by_itself_says_so(found):
    for name, kind in found["trained"].items():
        assert kind == ("independent-logits" if "Binary" in name else "logits"), name
