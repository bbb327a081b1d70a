"""make_onnx.py SETTINGS (a JSON file): both models as ONNX files.

Those of int8 are made from the int8 .tflite files, so that both runtimes have the same numbers;
float16 and dynamic range have no counterpart there. Ours has the notes that the function asks for.
"""

import importlib
import json
import sys
from pathlib import Path

import keras
import onnx
import tensorflow as tf
import tf2onnx


def float32(model, file: Path) -> None:
    """Write a Keras model as an ONNX file."""
    shape = (1, *model.input_shape[1:])
    signature = [tf.TensorSpec(shape, tf.float32, name="picture")]
    function = tf.function(lambda picture: model(picture, training=False), signature)
    tf2onnx.convert.from_function(function, signature, opset=18, output_path=file)


settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
folder = Path(settings["folder"])
library = importlib.import_module(settings["library"])
float32(library.models.load_model(settings["model"], compile=False), folder / "ours-float32.onnx")
course = keras.models.load_model(folder / "xception.keras", compile=False)
float32(course, folder / "xception-float32.onnx")
if "int8" in settings["precisions"]:
    for name, file in (
        ("ours", "generated/clothing-model-int8.tflite"),
        ("xception", f"{folder}/xception-int8.tflite"),
    ):
        tf2onnx.convert.from_tflite(file, opset=18, output_path=folder / f"{name}-int8.onnx")

ours = onnx.load(folder / "ours-float32.onnx")
onnx.helper.set_model_props(ours, settings["parameters"])
onnx.save(ours, folder / "ours-float32.onnx")
