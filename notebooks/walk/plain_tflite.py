"""The plain form of a .tflite file: one picture of float32 in, one row of float32 scores out.

It changes the file with TensorFlow's own classes for its format, FlatBuffers.
"""

from typing import NamedTuple

import numpy as np

from .comparing import TOLERANCE
from .lesson import Problem

# Kernels for 8 bits round differently in each runtime: scores agree to about this share of their range.
TOLERANCE_OF_8_BITS = 0.05


class Plain(NamedTuple):
    """A .tflite model that takes one float32 picture and gives one float32 row of scores."""

    content: bytes
    kind: str  # what the scores are, as the last operator says; "" if it does not
    last: str  # that operator
    tolerance: float  # to what share of the scores' range runtimes agree


def plain(model: str, content: bytes, size: tuple[int, int] | None) -> Plain:
    """Return a .tflite model in its plain form; with the same content, where it is so already.

    Parameters
    ----------
    model
        MODEL, for messages.
    content
        The file.
    size
        Height and width, for a model that takes any.

    Raises
    ------
    Problem
        It has several inputs or outputs, no size, or is broken.
    """
    from tensorflow.lite.tools import flatbuffer_utils

    try:
        parsed = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
        (graph, *_) = parsed.subgraphs
        before = len(graph.inputs), len(graph.outputs)
    except Exception:  # whatever the parser stumbles over
        raise Problem(
            f"MODEL={model} is a broken .tflite file. Copy or download it again."
        ) from None
    if before != (1, 1):
        raise Problem(
            f"MODEL={model} has {before[0]} inputs and {before[1]} outputs. Expected: one picture in, "
            "one row of scores out."
        )
    if not size and -1 in _shape(graph.tensors[graph.inputs[0]])[1:3]:
        raise Problem(f"MODEL={model} takes any size. Give one, width x height: SIZE=160x120.")
    changed = [_fix_shape(graph, size)]
    changed += [_float_end(parsed, graph, end) for end in ("inputs", "outputs")]
    changed += [_channels_last(parsed, graph)]
    kind, last = _kind(parsed, graph)
    if any(changed):
        content = bytes(flatbuffer_utils.convert_object_to_bytearray(parsed))
    return Plain(content, kind, last, TOLERANCE_OF_8_BITS if _has_8_bits(graph) else TOLERANCE)


def _fix_shape(graph, size) -> bool:
    """Let a graph take one picture, of this size where it takes any; return whether that is new."""
    tensor = graph.tensors[graph.inputs[0]]
    shape = [1, *_shape(tensor)[1:]]
    if size and shape[1:3] == [-1, -1]:
        shape[1:3] = size
    if -1 in shape or shape == list(tensor.shape):
        return False
    tensor.shape, tensor.shapeSignature = shape, None
    return True


def _shape(tensor) -> list[int]:
    """Return the shape of a tensor, with -1 for what is not fixed."""
    shape = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
    return [int(length) for length in shape]


def _float_end(parsed, graph, end: str) -> bool:
    """Let a graph have float32 at an end, "inputs" or "outputs"; return whether that is new."""
    from tensorflow.lite.python import schema_py_generated as schema

    numbers = getattr(graph, end)
    old = numbers[0]
    if graph.tensors[old].type == schema.TensorType.FLOAT32:
        return False
    new = _add_tensor(graph, old, f"float_{end}".encode())
    quantized = _is_quantized(graph.tensors[old])
    if end == "inputs":
        name = "QUANTIZE" if quantized else "CAST"
        graph.operators.insert(0, _operator(parsed, name, [new], old))
    else:
        name = "DEQUANTIZE" if quantized else "CAST"
        graph.operators.append(_operator(parsed, name, [old], new))
    numbers[0] = new
    _renumber(parsed, end, old, new)
    return True


def _channels_last(parsed, graph) -> bool:
    """Let a graph take pictures with their channels last where they come first; return whether it did.

    So do those of PyTorch.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    old = graph.inputs[0]
    match _shape(graph.tensors[old]):
        case [batch, 1 | 3 as channels, height, width] if width not in (1, 3):
            pass
        case _:
            return False
    order, buffer = schema.TensorT(), schema.BufferT()
    buffer.data = np.array([0, 3, 1, 2], "int32").view("uint8")
    parsed.buffers.append(buffer)
    order.name, order.type, order.shape = b"order", schema.TensorType.INT32, [4]
    order.buffer = len(parsed.buffers) - 1
    graph.tensors.append(order)
    axes = len(graph.tensors) - 1
    new = _add_tensor(graph, old, b"channels_last")
    graph.tensors[new].shape = [abs(batch), height, width, channels]
    graph.tensors[new].shapeSignature = None
    operator = _operator(parsed, "TRANSPOSE", [new, axes], old)
    operator.builtinOptionsType = schema.BuiltinOptions.TransposeOptions
    operator.builtinOptions = schema.TransposeOptionsT()
    graph.operators.insert(0, operator)
    graph.inputs[0] = new
    _renumber(parsed, "inputs", old, new)
    return True


def _add_tensor(graph, like: int, name: bytes) -> int:
    """Add a float32 tensor of the same shape as another to a graph; return its number."""
    from tensorflow.lite.python import schema_py_generated as schema

    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.buffer = name, schema.TensorType.FLOAT32, 0
    tensor.shape = graph.tensors[like].shape
    tensor.shapeSignature = graph.tensors[like].shapeSignature
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _operator(parsed, name: str, sources: list[int], target: int):
    """Return an operator of this kind, from tensors to a tensor."""
    from tensorflow.lite.python import schema_py_generated as schema

    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
    code.version = 1
    parsed.operatorCodes.append(code)
    operator.opcodeIndex = len(parsed.operatorCodes) - 1
    operator.inputs, operator.outputs = sources, [target]
    return operator


def _is_quantized(tensor) -> bool:
    return tensor.quantization is not None and tensor.quantization.scale is not None


def _has_8_bits(graph) -> bool:
    """Whether something in a graph is calculated with whole numbers that stand for others."""
    from tensorflow.lite.python import schema_py_generated as schema

    small = schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.INT16
    return any(_is_quantized(each) and each.type in small for each in graph.tensors)


def _renumber(parsed, ends: str, old: int, new: int) -> None:
    """Let the model's signatures name the new input or output."""
    for signature in parsed.signatureDefs or []:
        for each in getattr(signature, ends):
            each.tensorIndex = new if each.tensorIndex == old else each.tensorIndex


# What leaves the meaning of numbers as it is, what says it, and whose numbers are logits.
PASSING = "DEQUANTIZE QUANTIZE RESHAPE SQUEEZE CAST MEAN AVERAGE_POOL_2D STRIDED_SLICE".split()
MEANS = {"SOFTMAX": "softmax", "LOGISTIC": "sigmoid", "LOG_SOFTMAX": "logits"}
LINEAR = "FULLY_CONNECTED", "CONV_2D", "BATCH_MATMUL", "ADD"


def _kind(parsed, graph) -> tuple[str, str]:
    """Return what the scores are, and the operator that calculates them and says so or not."""
    from tensorflow.lite.python import schema_py_generated as schema

    names = {number: name for name, number in vars(schema.BuiltinOperator).items()}
    wanted, last = graph.outputs[0], "its input"
    for operator in reversed(graph.operators):
        if wanted in operator.outputs:
            last = names[parsed.operatorCodes[operator.opcodeIndex].builtinCode]
            if last not in PASSING:
                applied = getattr(operator.builtinOptions, "fusedActivationFunction", 0)  # as relu
                is_logits = last in LINEAR and not applied
                return MEANS.get(last, "logits" if is_logits else ""), last
            wanted = operator.inputs[0]
    return "", last
