"""How Keras loads a model and scores a picture."""

import importlib

import tensorflow as tf


def load(settings: dict) -> tuple:
    """Return the height and width of the pictures, and the function that scores one."""
    if settings["threads"]:
        tf.config.threading.set_intra_op_parallelism_threads(settings["threads"])
        tf.config.threading.set_inter_op_parallelism_threads(settings["threads"])
    library = importlib.import_module(settings["library"])
    model = library.models.load_model(settings["file"], compile=False)
    return model.input_shape[1:3], lambda X: model.predict(X, verbose=0)
