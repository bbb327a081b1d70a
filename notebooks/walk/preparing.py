"""How pictures are prepared for a model: RESIZE and PREPROCESSING, as Keras does it."""

import importlib
import pkgutil

import numpy as np

from .lesson import Problem

# What the function knows, and for each of them Keras's own name; see `preprocess_input`.
IN_THE_FUNCTION = ["xception", "inception_v3", "resnet50", "vgg16", "torch", "rescale", "none"]
WAYS_TO_RESIZE = "nearest", "bilinear"
MODES = ["tf", "caffe", "torch"]  # of keras.applications.imagenet_utils


def preprocess_input(name: str):
    """Return the function that prepares arrays of pixels (0 to 255, float32) for a model.

    Parameters
    ----------
    name
        PREPROCESSING: `rescale`, `none`, a mode of Keras's (`tf`, `caffe`, `torch`), or a family of
        keras.applications, as in `xception` or `mobilenet_v2`.

    Raises
    ------
    Problem
        Keras knows no such family.
    """
    if name == "none":
        return lambda X: X
    if name == "rescale":
        return lambda X: X / np.float32(255)
    if name in MODES:
        keras_s = importlib.import_module("keras.applications.imagenet_utils").preprocess_input
        return lambda X: keras_s(X, mode=name)
    if name in families():
        return importlib.import_module(f"keras.applications.{name}").preprocess_input
    raise Problem(
        f"PREPROCESSING={name} is not one of: {', '.join(IN_THE_FUNCTION)}; or tf, caffe, or a family "
        f"of keras.applications ({', '.join(families())})."
    )


def families() -> list[str]:
    """Return the names of Keras's families of models that say how their pictures are prepared."""
    import keras

    names = [module.name for module in pkgutil.iter_modules(keras.applications.__path__)]
    modules = {name: importlib.import_module(f"keras.applications.{name}") for name in names}
    return [
        name
        for name, module in modules.items()
        if hasattr(module, "preprocess_input") and name != "imagenet_utils"
    ]


def preprocessing(name: str) -> str:
    """Return the function's name for a value of PREPROCESSING: that which gives the same numbers.

    Raises
    ------
    Problem
        Keras knows no such family, or the function cannot prepare pictures as it does.
    """
    if name in IN_THE_FUNCTION:
        return name
    prepare = preprocess_input(name)
    pixels = np.arange(256, dtype="float32")
    probe = np.stack([pixels, pixels[::-1], pixels * 0.5], axis=-1)[None, None]
    for ours in IN_THE_FUNCTION:
        if np.allclose(prepare(probe.copy()), preprocess_input(ours)(probe.copy()), atol=1e-3):
            return ours
    raise Problem(
        f"PREPROCESSING={name}: the function cannot prepare pictures in this way. It knows: "
        f"{', '.join(IN_THE_FUNCTION)}."
    )


def resizing(name: str) -> str:
    """Return RESIZE; raise a Problem unless the function knows this way to resize pictures."""
    if str(name).lower() not in WAYS_TO_RESIZE:
        raise Problem(
            f"RESIZE={name} is not one of: {', '.join(WAYS_TO_RESIZE)}. (load_img takes the nearest pixel, "
            "image_dataset_from_directory is bilinear.)"
        )
    return str(name).lower()


def pixels(file, shape: tuple, resize: str) -> np.ndarray:
    """Return a picture with the size and the colours that a model takes.

    Parameters
    ----------
    file
        A path.
    shape
        Of the model's input: (None, height, width, channels).
    resize
        RESIZE: `nearest`, as Keras's `load_img` takes pixels, or `bilinear`, as its
        `image_dataset_from_directory` mixes the four around, without smoothing first.

    Returns
    -------
    numpy.ndarray
        Of shape (height, width, channels), float32, 0 to 255.
    """
    import keras

    _, height, width, channels = shape
    settings = {"color_mode": "grayscale" if channels == 1 else "rgb"}
    if resizing(resize) == "nearest":
        settings["target_size"] = height, width
    x = keras.utils.img_to_array(keras.utils.load_img(file, **settings))
    if resize == "bilinear":
        x = keras.ops.convert_to_numpy(keras.ops.image.resize(x, (height, width), "bilinear"))
    return x
