"""make_xception.py SETTINGS (a JSON file): the course's Xception, and the facts about both models."""

import importlib
import json
import math
import sys
from pathlib import Path

import keras
import numpy as np


def xception():
    """Return the course's architecture: Xception, a layer of 100, ten outputs."""
    keras.utils.set_random_seed(0)
    base = keras.applications.Xception(
        weights=None, include_top=False, input_shape=(299, 299, 3), pooling="avg"
    )
    inner = keras.layers.Dense(100, activation="relu")(base.output)
    return keras.Model(base.input, keras.layers.Dense(10)(inner))


def with_weights(model, file: str):
    """Return the model with the weights of the course's file."""
    if file.endswith(".keras"):
        return keras.models.load_model(file, compile=False)
    library = importlib.import_module("tf_keras")  # Keras 2 wrote it, so Keras 2 reads it
    course = library.models.load_model(file, compile=False)
    model.set_weights(course.get_weights())
    x = np.random.default_rng(0).uniform(-1, 1, (1, 299, 299, 3)).astype("float32")
    if not np.allclose(model.predict(x, verbose=0), course.predict(x, verbose=0), atol=1e-3):
        sys.exit(f"MODEL_COURSE={file} is not the course's model: its weights do not fit")
    return model


def multiply_adds(model) -> int:
    """Return how many multiplications with a weight, each followed by an addition, a picture takes."""
    total = 0
    for layer in model.layers:
        if hasattr(layer, "layers"):
            total += multiply_adds(layer)
        else:
            places = math.prod(layer.output.shape[1:-1])
            total += places * sum(math.prod(w.shape) for w in layer.weights if len(w.shape) > 1)
    return total


def facts(model) -> dict:
    """Return what the record says of a model."""
    return {
        "input": model.input_shape[1:3],
        "parameters": model.count_params(),
        "multiply_adds": multiply_adds(model),
    }


settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
folder = Path(settings["folder"])
course = xception()
if settings["course"]:
    course = with_weights(course, settings["course"])
course.save(folder / "xception.keras")
library = importlib.import_module(settings["library"])  # of the Keras that wrote our model
ours = library.models.load_model(settings["model"], compile=False)
text = json.dumps({"ours": facts(ours), "xception": facts(course)})
(folder / "models.json").write_text(text, encoding="utf-8")
