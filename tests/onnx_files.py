"""Small image classifiers as ONNX files, as PyTorch and Keras write them, and a function asked about them."""

import json
import subprocess
import sys

import numpy as np
import onnx
from corpus import base64_text
from onnx import TensorProto, helper, numpy_helper


def classifier(
    first=True, size=(200, 200), channels=3, outputs=1, last="Sigmoid", kind=TensorProto.FLOAT
):
    """A convolution, the mean over the picture, a linear layer, and the last operation, if any.

    Parameters
    ----------
    first
        Whether the channels come first.
    size
        (height, width); names in place of numbers for any.
    """
    random = np.random.default_rng(0)
    weights = {
        "filters": random.normal(size=(8, channels, 5, 5)) / 5,
        "matrix": random.normal(size=(outputs, 8)),
        "bias": random.normal(size=outputs) / 10,
    }
    shape = ["batch", channels, *size] if first else ["batch", *size, channels]
    node = helper.make_node
    nodes = [] if first else [node("Transpose", ["input"], ["turned"], perm=[0, 3, 1, 2])]
    nodes += [
        node("Conv", ["input" if first else "turned", "filters"], ["features"], strides=[2, 2]),
        node("Relu", ["features"], ["active"]),
        node("GlobalAveragePool", ["active"], ["means"]),
        node("Flatten", ["means"], ["row"]),
        node("Gemm", ["row", "matrix", "bias"], ["linear"], transB=1),
        node(last or "Identity", ["linear"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "main_graph",
        [helper.make_tensor_value_info("input", kind, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", outputs])],
        [numpy_helper.from_array(w.astype("float32"), name) for name, w in weights.items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10, producer_name="pytorch"
    )


def save_as_pytorch_does(model, file):
    """Write a model with its weights beside it, in FILE.data."""
    onnx.save(
        model, file, save_as_external_data=True, location=f"{file.name}.data", size_threshold=0
    )


def ask(folder, model, events, handler="onnx_function", within="lambda"):
    """What a handler of a folder answers to events, in a process of its own."""
    code = f"""
import contextlib, json, sys
import {handler}
with contextlib.redirect_stdout(sys.stderr):
    said = [{handler}.lambda_handler(event, None) for event in json.load(sys.stdin)]
print(json.dumps([said, [each for each in sys.modules if each in ("tensorflow", "keras")]]))
"""
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder / within,
        env={"MODEL_PATH": str(folder / model), "AWS_DEFAULT_REGION": "us-east-1"},
        input=json.dumps(events),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    said, large = json.loads(process.stdout)
    assert large == [], "the function is to load no TensorFlow"
    return said


def image(file):
    """The event that brings a picture."""
    return {"image": base64_text(file.read_bytes())}
