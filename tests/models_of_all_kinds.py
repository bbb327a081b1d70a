"""What walk says of models of all kinds; run in a process of its own, which loads TensorFlow once.

For each library (Keras 3, Keras 2) and each model: the kind of its scores, the shapes of its plain form,
the difference between that form's answer and the model's own, and what is refused. As JSON.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tf_keras
import walk

keras.config.disable_interactive_logging()
X = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype("float32")


def models(k):
    """Make models by name: each with what it is given in place of X, and what check_model is told."""
    layers = k.layers
    picture = k.Input((32, 32, 3))
    flat = layers.Flatten()(layers.Conv2D(2, 3, strides=4)(picture))

    def head(*last):
        x = flat
        for layer in last:
            x = layer(x)
        return k.Model(picture, x)

    def beginning(*first, channels=3):
        return k.Sequential(
            [k.Input((32, 32, channels)), *first, layers.Conv2D(2, 3, strides=4), layers.Flatten()]
            + [layers.Dense(2)]
        )

    def of_input(shape, *more, dtype="float32", last=(), **options):
        given = k.Input(shape, dtype=dtype, **options)
        x = given
        for layer in more:
            x = layer(x)
        x = layers.Dense(2)(layers.Flatten()(x))
        return k.Model(given, x)

    softmax = k.activations.softmax if k is tf_keras else k.ops.softmax
    yield "logits", head(layers.Dense(3)), X
    yield "softmax", head(layers.Dense(3, activation="softmax")), X
    yield "softmax layer", head(layers.Dense(3), layers.Softmax()), X
    yield "activation layer", head(layers.Dense(3), layers.Activation("sigmoid")), X
    yield "softmax in the graph", head(layers.Dense(3), softmax), X
    yield (
        "sigmoid in the graph",
        head(layers.Dense(3), tf.nn.sigmoid if k is tf_keras else k.ops.sigmoid),
        X,
    )
    yield "one sigmoid", head(layers.Dense(1, activation="sigmoid")), X
    yield "one logit", head(layers.Dense(1)), X
    yield "one softmax", head(layers.Dense(1, activation="softmax")), X
    yield "a layer as activation", head(layers.Activation(layers.Softmax())), X
    yield "normalized logits", head(layers.Dense(3), layers.BatchNormalization()), X
    yield "normalized", head(layers.Dense(3, activation="softmax"), layers.BatchNormalization()), X
    both = head(lambda x: [layers.Dense(3, activation="softmax")(x), layers.Dense(3)(x)])
    yield "the second of a model's outputs", k.Model(picture, both(picture)[1]), X
    yield "relu", head(layers.Dense(3, activation="relu")), X
    yield (
        "nested",
        k.Sequential([k.Input((32, 32, 3)), head(layers.Dense(3, activation="softmax"))]),
        X,
    )
    yield "dropout last", head(layers.Dense(3, activation="softmax"), layers.Dropout(0.5)), X

    yield "rescaling", beginning(layers.RandomFlip(), layers.Rescaling(1 / 127.5, offset=-1)), X
    yield (
        "normalization",
        beginning(layers.Normalization(mean=[127.0] * 3, variance=[5000.0] * 3)),
        X,
    )
    yield "of x / 255", beginning(layers.Normalization(mean=[0.5] * 3, variance=[0.08] * 3)), X
    yield "to pixels", beginning(layers.Rescaling(255.0)), X
    clip = tf.clip_by_value if k is tf_keras else k.ops.clip
    seen = layers.Flatten()(layers.Conv2D(2, 3, strides=4)(clip(picture, 0.0, 1.0)))
    yield "cut off", k.Model(picture, layers.Dense(2)(seen)), X
    yield "batch normalization", beginning(layers.BatchNormalization()), X
    for family in "mobilenet_v2", "vgg16", "densenet":
        scaled = getattr(k.applications, family).preprocess_input(picture)
        padded = layers.ZeroPadding2D(3)(scaled)
        seen = layers.Flatten()(layers.Conv2D(2, 7, strides=4)(padded))
        yield family + " in the graph", k.Model(picture, layers.Dense(2)(seen)), X
    if k is keras:
        efficientnet = k.applications.EfficientNetB0(
            weights=None, include_top=False, input_shape=(32, 32, 3), pooling="avg"
        )
        yield "efficientnet", k.Sequential([efficientnet, layers.Dense(2)]), X
        first = [k.Input((32, 32, 3)), layers.Rescaling(1 / 255), layers.Flatten()]
        quantized = k.Sequential([*first, layers.Dense(8), layers.Dense(2)])
        quantized.quantize("int8")
        yield "quantized", quantized, X

    yield "grey", beginning(channels=1), X[..., :1]
    yield "no channels", of_input((32, 32)), X[..., 0]
    yield "channels first", of_input((3, 32, 32)), X.transpose(0, 3, 1, 2)
    yield (
        "whole numbers",
        of_input((32, 32, 3), layers.Rescaling(1 / 255), dtype="uint8"),
        X.astype("uint8"),
    )
    yield "batch of one", of_input(None, batch_shape=(1, 32, 32, 3)), X
    yield "batch of four", of_input(None, batch_shape=(4, 32, 32, 3)), np.repeat(X, 4, 0)
    any_size = k.Input((None, None, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(any_size))
    yield "any size", k.Model(any_size, layers.Dense(2)(pooled)), X
    maps = layers.GlobalAveragePooling2D(keepdims=True)(layers.Conv2D(2, 3)(picture))
    yield (
        "fully convolutional",
        k.Model(picture, layers.Conv2D(2, 1, activation="softmax")(maps)),
        X,
    )
    yield "a map", k.Model(picture, layers.Conv2D(2, 1)(picture)), X
    named = k.Input((32, 32, 3), name="image")
    inside = layers.Dense(2)(layers.Flatten()(named))
    yield "dicts", k.Model({"image": named}, {"scores": inside}), {"image": X}
    yield "two outputs", k.Model(picture, [flat, layers.Dense(2)(flat)]), X
    yield "a row", of_input((784,)), X
    k.mixed_precision.set_global_policy("mixed_float16")
    yield (
        "mixed precision",
        k.Sequential([k.Input((32, 32, 3)), beginning(), layers.Softmax()]),
        X / 255,
    )
    k.mixed_precision.set_global_policy("float32")

    flat_again = layers.Dense(2)(layers.Dropout(0.5, name="always")(flat, training=True))
    yield "dropout in prediction", k.Model(picture, flat_again), X
    broken = beginning()
    broken.layers[-1].bias.assign([float("nan")] * 2)
    yield "not a number", broken, X


def said(attempt):
    """Return what a call returns, or the message of its Problem."""
    try:
        return attempt()
    except walk.Problem as problem:
        return f"Problem: {problem}"


def looked_at(name, model, given):
    """Return what walk finds out about a model."""
    size = (32, 32) if name == "any size" else None
    found = {"without a size": said(lambda: walk.plain(model) and "plain")}
    plain = said(lambda: walk.plain(model, size))
    if isinstance(plain, str):
        return found | {"plain": plain}
    outputs = plain.output_shape[-1]
    found["plain"] = [plain.input_shape, plain.output_shape, plain.inputs[0].dtype == "float32"]
    found["is itself"] = plain is model
    found["kind"] = said(lambda: walk.scores_kind(plain))
    scale = 1 / 255 if name == "mixed precision" else 1
    x = X[..., : plain.input_shape[-1]] * np.float32(scale)
    (own, *_) = tf.nest.flatten(model(given, training=False))
    row = np.asarray(plain(x, training=False))[0]
    found["difference"] = float(np.abs(row - np.asarray(own)[0].ravel()).max())
    found["row"] = said(lambda: walk.one_per_class(row, "logits").tolist())
    classes = ["a", "b", "c"][: max(2, outputs)]
    for way in "none", "xception", "rescale", "resnet50", "torch":
        found[way] = said(lambda way=way: walk.check_model("m", plain, classes, way) or "right")
    return found


def trained(k, ending, loss):
    """Return what the logits of a model's file are, which says with which loss it was trained."""
    model = k.Sequential([k.Input((8, 8, 3)), k.layers.Flatten(), k.layers.Dense(3)])
    model.compile(loss=loss(from_logits=True))
    model.save(f"trained.{ending}")
    return walk.scores_kind(model, "", Path(f"trained.{ending}"))


if __name__ == "__main__":
    libraries = {"keras": keras, "tf_keras": tf_keras}
    found = {
        library: {each[0]: looked_at(*each) for each in models(libraries[library])}
        for library in libraries
    }
    names = [*walk.preparing.families(), "tf", "caffe", "torch", "rescale", "none"]
    found["families"] = {name: said(lambda name=name: walk.preprocessing(name)) for name in names}
    found["trained"] = {
        f"{k.__name__} {ending} {loss.__name__}": trained(k, ending, loss)
        for k in libraries.values()
        for ending in ("h5", "keras")
        for loss in (
            k.losses.BinaryCrossentropy,
            k.losses.BinaryFocalCrossentropy,
            k.losses.CategoricalCrossentropy,
        )
    }
    json.dump(found, sys.stdout)
