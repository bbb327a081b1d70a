"""Models that take the walk, each with what is known of it without asking the walk.

A function builds a model with the library that it is given, Keras 3 or tf_keras. What stands above it
is what its training would know: how its pixels were prepared, what its numbers mean; and the
parameters that somebody with this model gives to the walk.
"""

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
