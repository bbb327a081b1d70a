"""The plain form of a model: one picture of float32 in, one row of float32 scores out."""

import importlib

from .lesson import Problem

EXPECTED = "Expected: one picture in, one row of scores out."
HALF = "float16", "bfloat16", "mixed_float16", "mixed_bfloat16"


def library_of(loaded) -> str:
    """Return the name of the library that a loaded model is of: keras, or tf_keras for Keras 2."""
    bases = {base.__module__.partition(".")[0] for base in type(loaded).__mro__}
    return "tf_keras" if "tf_keras" in bases else "keras"


def plain(loaded, size: tuple[int, int] | None = None):
    """Return a loaded Keras model in its plain form, as the lessons and the function take it.

    Parameters
    ----------
    loaded
        A model of Keras 2 or 3. One that is plain already comes back as it is.
    size
        (height, width) of the pictures, for a model that takes any size.

    Returns
    -------
    keras.Model
        From (None, height, width, 1 or 3), float32, to (None, outputs), float32.

    Raises
    ------
    Problem
        It has several inputs or outputs, takes no pictures, or SIZE is missing or wrong.
    """
    import tensorflow as tf

    keras = importlib.import_module(library_of(loaded))
    layers = keras.layers
    if not getattr(loaded, "inputs", None):
        raise Problem(
            "MODEL keeps no record of its inputs: it is a class of its own. "
            "Expected: a Sequential or functional model."
        )
    numbers = len(loaded.inputs), len(loaded.outputs)
    if numbers != (1, 1):
        raise Problem(f"MODEL has {numbers[0]} inputs and {numbers[1]} outputs. {EXPECTED}")
    loaded = _in_float32(loaded, keras)
    taken, given = loaded.inputs[0], loaded.outputs[0]
    order, shape = picture_shape(tuple(taken.shape), size)
    structure, answer = taken, given  # or dicts or lists with them
    if not isinstance(loaded, keras.Sequential):
        structure, answer = loaded.input, loaded.output
    types = tf.as_dtype(taken.dtype), tf.as_dtype(given.dtype)
    if (
        structure is taken
        and answer is given
        and tuple(taken.shape) == (None, *shape)
        and len(given.shape) == 2
        and types == (tf.float32, tf.float32)
    ):
        return loaded
    x = picture = keras.Input(shape)
    if order == "channels first":
        x = layers.Permute((3, 1, 2))(x)
    elif order == "no channels":
        x = layers.Reshape(shape[:2])(x)
    if types[0] != tf.float32:
        cast = tf.cast if keras.__name__ == "tf_keras" else keras.ops.cast
        x = cast(x, types[0].name)
    y = loaded(tf.nest.map_structure(lambda _: x, structure))
    (y,) = tf.nest.flatten(y)
    if len(y.shape) > 2 and set(y.shape[1:-1]) == {1}:
        y = layers.Flatten()(y)
    if len(y.shape) != 2:
        raise Problem(
            f"MODEL gives an array of shape {tuple(y.shape)} for pictures of shape {shape}. {EXPECTED}"
        )
    if types[1] != tf.float32:
        y = layers.Activation("linear", dtype="float32")(y)
    return keras.Model(picture, y)


def picture_shape(shape: tuple, size: tuple[int, int] | None) -> tuple[str, tuple]:
    """Return how a model takes a picture, and the (height, width, channels) of that.

    Parameters
    ----------
    shape
        Of its input.
    size
        (height, width), for a model that takes any size.

    Returns
    -------
    str
        "channels last", "channels first" or "no channels".
    tuple
        (height, width, channels).

    Raises
    ------
    Problem
        It takes no pictures, or SIZE is missing or wrong.
    """
    match shape:
        case (_, height, width, 1 | 3 as channels):
            order = "channels last"
        case (_, 1 | 3 as channels, height, width):
            order = "channels first"
        case (_, height, width, None):
            order, channels = "channels last", 3
        case (_, int(height), int(width)):
            order, channels = "no channels", 1
        case _:
            raise Problem(
                f"MODEL has input {shape}. Expected: (None, height, width, channels), with 3 channels "
                "for colours or 1 for grey."
            )
    if None in (height, width) and not size:
        raise Problem(
            "MODEL takes pictures of any size. Say which it was trained with, width x height, as in "
            "SIZE=224x224."
        )
    for name, own, chosen in zip(("height", "width"), (height, width), size or (), strict=False):
        if own not in (None, chosen):
            raise Problem(
                f"SIZE={size[1]}x{size[0]}, but MODEL takes the {name} {own} alone: leave SIZE out."
            )
    height, width = size or (height, width)
    return order, (height, width, channels)


def _in_float32(loaded, keras):
    """Return a model of mixed precision with its layers in float32, and the same weights."""
    layers = list(loaded._flatten_layers(include_self=False, recursive=True))
    types = {getattr(layer, "compute_dtype", None) for layer in layers}
    if not types & {"float16", "bfloat16"}:
        return loaded

    def changed(config):
        match config:
            case {"class_name": "DTypePolicy" | "Policy", "config": {"name": name}} if name in HALF:
                return "float32"
            case dict():
                return {key: changed(value) for key, value in config.items()}
            case list() | tuple():
                return type(config)(changed(value) for value in config)
        return "float32" if config in HALF else config

    own = {type(each).__name__: type(each) for each in layers if not _is_kerass(each)}
    try:
        with keras.utils.custom_object_scope(own):
            copy = type(loaded).from_config(changed(loaded.get_config()))
    except (TypeError, ValueError) as error:
        raise Problem(
            "MODEL is of mixed precision, and could not be made float32 here. Build it anew with "
            "keras.mixed_precision.set_global_policy('float32'), load its weights, and save it. "
            f"The reason given: {str(error).strip().splitlines()[-1]}"
        ) from None
    copy.set_weights(loaded.get_weights())
    return copy


def _is_kerass(layer) -> bool:
    return type(layer).__module__.partition(".")[0] in ("keras", "tf_keras")
