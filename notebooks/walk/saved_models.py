"""SavedModels: what `model.export` and TensorFlow write, and Keras 2 by default."""

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from .inputs import refuse


def read_saved_model(model: str, file: Path):
    """Load the zip of a SavedModel as a Keras model. This runs what is in it.

    Parameters
    ----------
    model
        MODEL, for messages.

    Returns
    -------
    tf_keras.Model or keras.Model
        Of Keras 2 where that wrote it; else of Keras 3, with a single layer that calls it.

    Raises
    ------
    Problem
        It cannot be loaded, or does not take one picture.
    """
    with TemporaryDirectory() as folder:
        with zipfile.ZipFile(file) as archive:
            archive.extractall(folder)
        try:
            if Path(folder, "keras_metadata.pb").exists():
                import tf_keras

                return tf_keras.models.load_model(folder, compile=False)
            return _around(folder)
        except Exception as error:
            refuse(
                file,
                f"MODEL={model} is a SavedModel that cannot be loaded as a Keras model. Expected: a "
                f"signature serving_default with one picture in. The reason given: {reason_of(error)}",
            )


def _around(folder: str):
    """Return a Keras model around the function that a SavedModel offers for serving."""
    import keras
    import tensorflow as tf

    signature = tf.saved_model.load(folder).signatures["serving_default"]
    ((name, spec),) = signature.structured_input_signature[1].items()
    picture = keras.Input(
        spec.shape[1:], batch_size=spec.shape[0], dtype=spec.dtype.name, name=name
    )
    outputs = list(
        keras.layers.TFSMLayer(folder, call_endpoint="serving_default")(picture).values()
    )
    return keras.Model(picture, outputs[0] if len(outputs) == 1 else outputs)


def reason_of(error: Exception, length: int = 200) -> str:
    """Return the last line of an error's message, which is where Keras has the reason; cut, if long."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
    return reason if len(reason) <= length else f"{reason[:length]}…"
