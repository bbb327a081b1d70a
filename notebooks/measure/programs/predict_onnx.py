"""predict.py of its successor: ONNX Runtime."""

import os

import onnxruntime

options = onnxruntime.SessionOptions()
if "THREADS" in os.environ:  # the course sets no number
    options.intra_op_num_threads = int(os.environ["THREADS"])
session = onnxruntime.InferenceSession("model.onnx", options, providers=["CPUExecutionProvider"])
input_name = session.get_inputs()[0].name


def predict(X):
    """Score a prepared picture of shape (1, 299, 299, 3)."""
    return session.run(None, {input_name: X})[0]
