"""predict.py of the course's function: tflite-runtime."""

import os

import tflite_runtime.interpreter as tflite

settings = {}
if "THREADS" in os.environ:  # the course sets no number
    settings["num_threads"] = int(os.environ["THREADS"])
interpreter = tflite.Interpreter(model_path="model.tflite", **settings)
interpreter.allocate_tensors()
input_index = interpreter.get_input_details()[0]["index"]
output_index = interpreter.get_output_details()[0]["index"]


def predict(X):
    """Score a prepared picture of shape (1, 299, 299, 3)."""
    interpreter.set_tensor(input_index, X)
    interpreter.invoke()
    return interpreter.get_tensor(output_index)
