"""make_tflite.py SETTINGS (a JSON file): the .tflite variants of Xception, as lesson 2 makes ours."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras.utils import load_img


def representative_dataset():
    """Yield pictures from which the converter learns what values occur."""
    for file in settings["pictures"]:
        x = np.array(load_img(file, target_size=(299, 299)), dtype="float32")
        yield [x[np.newaxis] / 127.5 - 1]


settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
folder = Path(settings["folder"])
model = keras.models.load_model(folder / "xception.keras", compile=False)
for precision in settings["precisions"]:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = representative_dataset
    (folder / f"xception-{precision}.tflite").write_bytes(converter.convert())
