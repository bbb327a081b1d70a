"""Models that take the walk, each with what is known of it without asking the walk.

A function builds a model with the library that it is given, Keras 3 or tf_keras. What stands above it
is what its training would know: how its pixels were prepared, what its numbers mean; and the
parameters that somebody with this model gives to the walk.
"""

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def raw(x):
    """The pixels as they are: the model scales them itself."""
    return x


def by_255(x):
    return x / 255


def to_one(x):
    """Keras's mode tf."""
    return x / 127.5 - 1


def standardised(x):
    """Keras's and PyTorch's mode torch: ImageNet's mean and deviation of red, green and blue."""
    return (x / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])


def centred_bgr(x):
    """Keras's mode caffe: blue, green, red, without the mean of each."""
    return x[..., ::-1] - np.array([103.939, 116.779, 123.68])


PREPARATIONS = [raw, by_255, to_one, standardised, centred_bgr]


@dataclass
class Model:
    """A model of the table."""

    build: Callable
    prepare: Callable  # what its training did to an array of pixels, (height, width, channels)
    kind: str  # what its numbers are
    classes: list[str]
    parameters: dict[str, str]  # beside MODEL and IMAGE
    file: str
    library: str
    deviation: float  # of its last layer's numbers, over the pictures
    size: tuple[int, int] | None  # (height, width), where the model leaves it open
    within: float  # the difference that is allowed, as a part of the scores' spread
    afterwards: Callable | None  # changes the saved file


TAKEN: dict[str, Model] = {}
THREE = "cup fork glass"


def model(
    prepare,
    kind,
    classes=THREE,
    file="{}.keras",
    library="keras",
    deviation=1.0,
    size=None,
    within=1e-4,
    afterwards=None,
    **parameters,
):
    """Put the model that the function below builds into the table."""
    names = classes.split("," if "," in classes else None)

    def put(build):
        file_name = file.format(build.__name__.replace("_", " "))
        TAKEN[build.__name__] = Model(
            build,
            prepare,
            kind,
            [name.strip() for name in names],
            {"CLASSES": classes} | parameters,
            file_name,
            library,
            deviation,
            size,
            within,
            afterwards,
        )
        return build

    return put


def begun(keras, name, layer, *settings, **more):
    """A family of keras.applications up to this layer, which is quicker than all of it."""
    family = getattr(keras.applications, name)
    settings = {"weights": None, "include_top": False, "input_shape": (64, 48, 3)} | more
    whole = family(**settings)
    return keras.Model(whole.input, whole.layers[layer].output)


def with_head(keras, base, *head):
    """A model that goes on with one number for each channel, and these layers."""
    x = keras.layers.GlobalAveragePooling2D()(base.output)
    for layer in head:
        x = layer(x)
    return keras.Model(base.input, x)


def eyes(keras, channels=8):
    """The layers of a small convolutional network."""
    layers = keras.layers
    return [
        layers.Conv2D(channels, 3, strides=2, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(2 * channels, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
    ]


def small(keras, *head, first=(), shape=(48, 64, 3), **settings):
    """A small Sequential model."""
    return keras.Sequential([keras.Input(shape, **settings), *first, *eyes(keras), *head])


# --- families of keras.applications, by their name -----------------------------------------------


@model(to_one, "softmax", PREPROCESSING="mobilenet")
def mobilenet(keras):
    base = begun(keras, "MobileNet", 14, alpha=0.25)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(to_one, "logits", PREPROCESSING="mobilenet_v2", RESIZE="bilinear")
def mobilenet_v2(keras):
    base = begun(keras, "MobileNetV2", 24, alpha=0.35)
    return with_head(keras, base, keras.layers.Dense(3))


@model(raw, "softmax", PREPROCESSING="mobilenet_v3")
def mobilenet_v3(keras):
    base = begun(keras, "MobileNetV3Small", 18, minimalistic=True)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(raw, "softmax", PREPROCESSING="efficientnet", RESIZE="bilinear")
def efficientnet(keras):
    base = begun(keras, "EfficientNetB0", 20)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(raw, "logits", PREPROCESSING="none")
def efficientnet_v2(keras):
    base = begun(keras, "EfficientNetV2B0", 14)
    return with_head(keras, base, keras.layers.Dense(3))


@model(raw, "softmax", PREPROCESSING="convnext")
def convnext(keras):
    base = begun(keras, "ConvNeXtTiny", 8)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(standardised, "softmax", PREPROCESSING="densenet")
def densenet(keras):
    base = begun(keras, "DenseNet121", 21)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(centred_bgr, "softmax", PREPROCESSING="resnet50")
def resnet50(keras):
    base = begun(keras, "ResNet50", 18)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(to_one, "softmax", PREPROCESSING="resnet_v2")
def resnet_v2(keras):
    base = begun(keras, "ResNet50V2", 16)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(centred_bgr, "logits", PREPROCESSING="vgg16", RESIZE="lanczos")
def vgg16(keras):
    base = begun(keras, "VGG16", 5)
    return with_head(keras, base, keras.layers.Dense(3))


@model(raw, "logits", PREPROCESSING="none", RESIZE="bilinear")
def transfer_learning(keras):
    """As TensorFlow's tutorial has it: augmented, prepared in the graph, a nested family."""
    picture = keras.Input((64, 48, 3))
    augmented = keras.Sequential([keras.layers.RandomFlip(), keras.layers.RandomRotation(0.2)])
    x = keras.applications.mobilenet_v2.preprocess_input(augmented(picture))
    x = begun(keras, "MobileNetV2", 24, alpha=0.35)(x, training=False)
    x = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(picture, keras.layers.Dense(3)(x))


@model(to_one, "logits", library="tf_keras", file="{}.h5")
def mobilenet_v2_of_keras_2(keras):
    """With scores so large that float32's own rounding is seen in the fourth decimal."""
    base = begun(keras, "MobileNetV2", 24, alpha=0.35)
    return with_head(keras, base, keras.layers.Dense(3))


# --- what the numbers mean -----------------------------------------------------------------------


@model(by_255, "sigmoid", "cats dogs", library="tf_keras", file="{}.h5", PREPROCESSING="rescale")
def one_sigmoid(keras):
    return small(keras, keras.layers.Dense(1, "sigmoid"))


@model(to_one, "logits", "cats dogs")
def one_logit(keras):
    made = small(keras, keras.layers.Dense(1))
    made.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    return made


@model(by_255, "sigmoid", "red, blue, made of wool", PREPROCESSING="rescale")
def several_sigmoids(keras):
    return small(keras, keras.layers.Dense(3), keras.layers.Activation("sigmoid"))


@model(by_255, "independent-logits", PREPROCESSING="rescale", SCORES="independent-logits")
def several_logits(keras):
    return small(keras, keras.layers.Dense(3))


@model(standardised, "softmax", "flat shoe, top hat, t-shirt", PREPROCESSING="torch")
def names_with_spaces(keras):
    return small(keras, keras.layers.Dense(3), keras.layers.Softmax())


@model(to_one, "softmax", PREPROCESSING="inception_v3")
def softmax_in_the_graph(keras):
    picture = keras.Input((48, 64, 3))
    x = picture
    for layer in [*eyes(keras), keras.layers.Dense(3)]:
        x = layer(x)
    return keras.Model(picture, keras.ops.softmax(x))


@model(to_one, "softmax")
def softmax_in_a_nested_model(keras):
    return keras.Sequential(
        [
            keras.Input((48, 64, 3)),
            keras.Sequential(eyes(keras)),
            keras.Sequential([keras.layers.Dense(3), keras.layers.Activation("softmax")]),
        ]
    )


@model(to_one, "softmax", deviation=20)
def nearly_one_hot(keras):
    return small(keras, keras.layers.Dense(3, "softmax"))


@model(to_one, "logits", deviation=250)
def logits_of_hundreds(keras):
    return small(keras, keras.layers.Dense(3))


@model(to_one, "softmax", " ".join(f"n{number:04}" for number in range(1000)))
def a_thousand_classes(keras):
    return small(keras, keras.layers.Dense(1000, "softmax"))


# --- scaling inside ------------------------------------------------------------------------------


@model(raw, "softmax", PREPROCESSING="none")
def rescaling_inside(keras):
    layers = keras.layers
    first = [layers.RandomFlip("horizontal"), layers.RandomZoom(0.1), layers.Rescaling(1 / 255)]
    return small(keras, keras.layers.Dense(3, "softmax"), first=first)


@model(raw, "logits", PREPROCESSING="none", file="{}.h5")
def normalization_inside(keras):
    first = [keras.layers.Normalization(mean=[120, 110, 100], variance=[4000, 4100, 4200])]
    return small(keras, keras.layers.Dense(3), first=first)


@model(raw, "softmax", PREPROCESSING="none")
def batch_normalization_first(keras):
    first = [keras.layers.BatchNormalization()]
    return small(keras, keras.layers.Dense(3, "softmax"), first=first)


# --- shapes --------------------------------------------------------------------------------------


@model(by_255, "softmax", " ".join("0123456789"), PREPROCESSING="rescale", RESIZE="bilinear")
def grey(keras):
    """As everybody's first model, for MNIST's digits."""
    return small(keras, keras.layers.Dense(10, "softmax"), shape=(28, 28, 1))


@model(to_one, "softmax", SIZE="64x40", size=(40, 64))
def no_fixed_size(keras):
    return small(keras, keras.layers.Dense(3, "softmax"), shape=(None, None, 3))


@model(to_one, "softmax")
def a_batch_of_one(keras):
    return small(keras, keras.layers.Dense(3, "softmax"), batch_size=1)


@model(to_one, "softmax")
def channels_first(keras):
    layers = keras.layers
    settings = {"data_format": "channels_first", "activation": "relu"}
    return keras.Sequential(
        [
            keras.Input((3, 48, 64)),
            layers.Conv2D(8, 3, strides=2, **settings),
            layers.Conv2D(16, 3, **settings),
            layers.GlobalAveragePooling2D(data_format="channels_first"),
            layers.Dense(3, "softmax"),
        ]
    )


@model(raw, "softmax", PREPROCESSING="none")
def whole_numbers_in(keras):
    first = [keras.layers.Rescaling(1 / 255)]
    return small(keras, keras.layers.Dense(3, "softmax"), first=first, dtype="uint8")


@model(to_one, "softmax")
def dicts_in_and_out(keras):
    picture = keras.Input((48, 64, 3), name="photo")
    x = picture
    for layer in [*eyes(keras), keras.layers.Dense(3, "softmax")]:
        x = layer(x)
    return keras.Model({"photo": picture}, {"scores": x})


@model(to_one, "softmax")
def fully_convolutional(keras):
    layers = keras.layers
    head = layers.Conv2D(3, (4, 6)), layers.Activation("softmax")  # (None, 1, 1, 3)
    first = [*eyes(keras)[:3], layers.AveragePooling2D(2)]
    return keras.Sequential([keras.Input((48, 64, 3)), *first, *head])


@model(to_one, "logits", within=4e-3)
def mixed_precision(keras):
    """Keras computes with 16 bits, eleven of them for the digits; the walk with 32."""
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        return small(keras, keras.layers.Dense(3))
    finally:
        keras.mixed_precision.set_global_policy("float32")


# --- files ---------------------------------------------------------------------------------------


@model(to_one, "softmax", library="tf_keras")
def keras_file_of_keras_2(keras):
    return small(keras, keras.layers.Dense(3, "softmax"))


def as_keras_3_3(file):
    """Write a model's configuration as Keras 3.3 did; by hand, after files of that version."""

    def older(part):
        settings = part.get("config", part)
        if part.get("class_name") == "Functional":
            for ends in "input_layers", "output_layers":
                settings[ends] = [settings[ends]]
        if str(part.get("class_name")).startswith("Random"):
            settings["value_range"] = [0, 255]
        return part

    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["config.json"] = json.dumps(json.loads(content["config.json"], object_hook=older))
    content["metadata.json"] = json.dumps({"keras_version": "3.3.3"})
    with zipfile.ZipFile(file, "w") as archive:
        for name, value in content.items():
            archive.writestr(name, value)


@model(to_one, "softmax", afterwards=as_keras_3_3)
def file_of_keras_3_3(keras):
    layers = keras.layers
    picture, inner = keras.Input((48, 64, 3)), keras.Input((48, 64, 3))
    x = inner
    for layer in eyes(keras):
        x = layer(x)
    x = keras.Model(inner, x)(layers.RandomRotation(0.1)(picture))
    return keras.Model(picture, layers.Dense(3, "softmax")(x))


@model(to_one, "softmax", library="tf_keras", file="{}", TRUST_MODEL="true")
def saved_model_of_keras_2(keras):
    return small(keras, keras.layers.Dense(3, "softmax"))


AS_EXPORTED = {"file": "{}", "TRUST_MODEL": "true", "SCORES": "softmax"}


@model(by_255, "softmax", PREPROCESSING="rescale", **AS_EXPORTED)
def exported_saved_model(keras):
    return small(keras, keras.layers.Dense(3, "softmax"))


@model(by_255, "softmax", file="{}.tflite", PREPROCESSING="rescale")
def tflite(keras):
    return small(keras, keras.layers.Dense(3, "softmax"))


@model(by_255, "softmax", file="{}.tflite", PREPROCESSING="rescale")
def quantised_tflite(keras):
    return small(keras, keras.layers.Dense(3, "softmax"))


@model(to_one, "softmax", MODEL_CODE="own_layers.py")
def layers_of_ones_own(keras):
    import own_layers

    first = [own_layers.Twice(), own_layers.Shifted(0.25)]
    return small(keras, keras.layers.Dense(3, "softmax"), first=first)


@model(to_one, "softmax", TRUST_MODEL="true")
def a_lambda_layer(keras):
    first = [keras.layers.Lambda(lambda x: x * 0.5 + 0.25)]
    return small(keras, keras.layers.Dense(3, "softmax"), first=first)


# --- the homework of the ML Zoomcamp's module 9, by cohort, from memory --------------------------


def homework(keras, size):
    """The network that the cohorts of 2021 to 2024 trained, and got as a file."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(1, "sigmoid"),
        ]
    )


AS_THEN = {"library": "tf_keras", "file": "{}.h5", "deviation": 0.7, "PREPROCESSING": "rescale"}


@model(by_255, "sigmoid", "cats dogs", **AS_THEN)
def cohort_2021(keras):
    return homework(keras, 150)


@model(by_255, "sigmoid", "dino dragon", **AS_THEN)
def cohort_2022(keras):
    return homework(keras, 150)


@model(by_255, "sigmoid", "bees wasps", **AS_THEN)
def cohort_2023(keras):
    return homework(keras, 150)


@model(by_255, "sigmoid", "curly straight", deviation=0.7, PREPROCESSING="rescale")
def cohort_2024(keras):
    return homework(keras, 200)
