"""A TensorFlow Lite model as MODEL: leaves what lessons 1 and 2 leave of a Keras model.

It imports TensorFlow, whose interpreter gives the scores that the function's are compared with.
"""

import os
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import nbformat

from .comparing import TOLERANCE, loads, runtimes
from .content import kind_of
from .formats import MODELS, found
from .inputs import SAMPLES, class_names, classes_text, picture_file, size
from .lesson import Problem, load, require, save
from .meaning import check_kind, one_per_class
from .preparing import pixels, preprocess_input, preprocessing

ORIGINAL = "generated/clothing-model-original.tflite"
MODEL = "generated/clothing-model.tflite"


def in_place_of(lesson: str, copy: Path, parameters: dict[str, str]) -> bool:
    """Make what lesson 1 or 2 leaves, if MODEL is a .tflite file; return whether it is one.

    Parameters
    ----------
    lesson
        01-keras-model or 02-tflite-model.
    copy
        Where the executed copy of the lesson belongs; one that says that it was left out is written.
    parameters
        Those of lesson 1.

    Raises
    ------
    Problem
        There is no such file, or it is no model for the function.
    """
    if lesson == "02-tflite-model":
        expected = Path("generated/expected-scores.json")
        if not expected.exists() or load(expected)["model"] != ORIGINAL:
            return False
        with _log(lesson):
            in_place_of_lesson_2()
    else:
        model = parameters["MODEL"]
        if model in MODELS or kind_of(file := found(model)) != "tflite":
            return False
        with _log(lesson):
            in_place_of_lesson_1(model, file, parameters)
    text = (
        f"# {lesson} is left out\n\n`MODEL` is a TensorFlow Lite model already. The scores that the next "
        "lessons compare theirs with come from the interpreter in TensorFlow. Go on with lesson 3, "
        "[03-predict.ipynb](03-predict.ipynb)."
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    save(copy, nbformat.writes(notebook))
    return True


@contextmanager
def _log(lesson: str):
    """Let TensorFlow write its log to a file, as in a lesson."""
    before = os.dup(2)
    Path("generated").mkdir(exist_ok=True)
    with (
        Path("generated", f"{lesson}.log").open("w") as log,
        warnings.catch_warnings(action="ignore"),
    ):
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)


def in_place_of_lesson_1(model: str, file: Path, parameters: dict[str, str]) -> None:
    """Write the model and its scores, as lesson 1 does.

    Parameters
    ----------
    model, file
        MODEL, and the .tflite file that it stands for.
    parameters
        IMAGE, CLASSES, PREPROCESSING, RESIZE, SCORES and SIZE.

    Raises
    ------
    Problem
        It is not a model of one picture and one row of scores, or a parameter does not fit.
    """
    fixed = size(parameters["SIZE"])
    content, kind, tolerance = plain(model, file.read_bytes(), fixed)
    _check_runtime(model, content)
    _check_shapes(model, content)
    kind = parameters["SCORES"] or kind
    check_kind(kind)
    resolved = preprocessing(parameters["PREPROCESSING"])
    image = picture_file(parameters["IMAGE"])
    classes = class_names(parameters["CLASSES"])
    samples = [path for path in sorted(SAMPLES.glob("*.png")) if path != image]
    rows = predict(content, [image, *samples], resolved, parameters["RESIZE"])
    scores = [one_per_class(row, kind).tolist() for row in rows]
    if len(classes) != len(scores[0]):
        raise Problem(
            f'CLASSES="{parameters["CLASSES"]}" names {len(classes)} classes, but MODEL={model} has '
            f'{len(scores[0])}. Name each of them, as in CLASSES="cup fork glass".'
        )
    save(ORIGINAL, file.read_bytes())
    expected = {
        "model": ORIGINAL,
        "library": "tensorflow",
        "size": fixed,
        "parameters": {
            "CLASSES": classes_text(classes),
            "PREPROCESSING": resolved,
            "RESIZE": parameters["RESIZE"],
            "SCORES": kind,
        },
        "tolerance": tolerance,
        "model_code": "",
        "trust_model": "",
        "image": image.as_posix(),
        "scores": {
            path.as_posix(): dict(zip(classes, row, strict=True))
            for path, row in zip([image, *samples], scores, strict=True)
        },
    }
    save("generated/expected-scores.json", expected)


def in_place_of_lesson_2() -> None:
    """Write the model as the function takes it, and its figures, as lesson 2 does."""
    expected = load("generated/expected-scores.json")
    original = require(expected["model"])
    content = plain(original.name, original.read_bytes(), expected["size"]).content
    save(MODEL, content)
    figures = {
        "bytes": len(content),
        "largest_difference": 0.0,
        "same_answers": len(expected["scores"]),
        "loads_in": {package: loads(package, MODEL) for package in runtimes()},
    }
    save("generated/tflite-models.json", {"float32": figures})


def predict(content: bytes, pictures: list[Path], preprocessing: str, resize: str) -> list:
    """Return the rows of scores that TensorFlow's interpreter gives for pictures, float32."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (picture,), (row,) = interpreter.get_input_details(), interpreter.get_output_details()
    prepare, rows = preprocess_input(preprocessing), []
    for path in pictures:
        x = pixels(path, picture["shape"], resize)  # shape (height, width, channels), uint8
        interpreter.set_tensor(picture["index"], prepare(x[None].astype("float32")))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(row["index"])[0].copy())
    return rows


# --- the file ------------------------------------------------------------------------------------


# Kernels for 8 bits round differently in each runtime: scores agree to about this share of their range.
TOLERANCE_OF_8_BITS = 0.05


class Plain(NamedTuple):
    """A .tflite model that takes one float32 picture and gives one float32 row of scores."""

    content: bytes
    kind: str  # what the scores are, as the last operator says: softmax, sigmoid or else logits
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
    changed = [_fix_shape(graph, size), _float_input(parsed, graph), _float_output(parsed, graph)]
    kind = _kind(parsed, graph)
    if any(changed):
        content = bytes(flatbuffer_utils.convert_object_to_bytearray(parsed))
    return Plain(content, kind, TOLERANCE_OF_8_BITS if _has_8_bits(graph) else TOLERANCE)


def _check_shapes(model: str, content: bytes) -> None:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    picture = interpreter.get_input_details()[0]["shape"].tolist()
    row = interpreter.get_output_details()[0]["shape"].tolist()
    match picture, row:
        case [1, _, _, 1 | 3], [1, _]:
            return
    raise Problem(
        f"MODEL={model} has input {picture} and output {row}. Expected: input [1, height, width, 3] (or "
        "1, for grey) and output [1, number of classes]."
    )


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


def _float_input(parsed, graph) -> bool:
    """Let a graph take float32 where it takes another type; return whether that is new."""
    from tensorflow.lite.python import schema_py_generated as schema

    old = graph.inputs[0]
    if graph.tensors[old].type == schema.TensorType.FLOAT32:
        return False
    new = _add_tensor(graph, old, b"float_input")
    graph.operators.insert(0, _operator(parsed, graph.tensors[old], "QUANTIZE", new, old))
    graph.inputs[0] = new
    _renumber(parsed, "inputs", old, new)
    return True


def _float_output(parsed, graph) -> bool:
    """Let a graph give float32 where it gives another type; return whether that is new."""
    from tensorflow.lite.python import schema_py_generated as schema

    old = graph.outputs[0]
    if graph.tensors[old].type == schema.TensorType.FLOAT32:
        return False
    new = _add_tensor(graph, old, b"float_output")
    graph.operators.append(_operator(parsed, graph.tensors[old], "DEQUANTIZE", old, new))
    graph.outputs[0] = new
    _renumber(parsed, "outputs", old, new)
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


def _operator(parsed, tensor, name: str, source: int, target: int):
    """Return the operator that turns float32 into a tensor's type, or back; by CAST if it has no scale."""
    from tensorflow.lite.python import schema_py_generated as schema

    builtin = getattr(schema.BuiltinOperator, name if _is_quantized(tensor) else "CAST")
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, builtin, 1
    parsed.operatorCodes.append(code)
    operator.opcodeIndex = len(parsed.operatorCodes) - 1
    operator.inputs, operator.outputs = [source], [target]
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


def _kind(parsed, graph) -> str:
    """Return what the scores are, as the operator that calculates them says."""
    from tensorflow.lite.python import schema_py_generated as schema

    builtin = schema.BuiltinOperator
    passing = {builtin.DEQUANTIZE, builtin.QUANTIZE, builtin.RESHAPE, builtin.SQUEEZE, builtin.CAST}
    wanted = graph.outputs[0]
    for operator in reversed(graph.operators):
        if wanted in operator.outputs:
            code = parsed.operatorCodes[operator.opcodeIndex].builtinCode
            if code not in passing:
                return {builtin.SOFTMAX: "softmax", builtin.LOGISTIC: "sigmoid"}.get(code, "logits")
            wanted = operator.inputs[0]
    return "logits"


def _check_runtime(model: str, content: bytes) -> None:
    """Raise a Problem unless the runtime that the function takes loads the model."""
    (package, *_) = runtimes()
    with TemporaryDirectory() as folder:
        file = Path(folder, "model.tflite")
        file.write_bytes(content)
        code = (
            f"from {package.replace('-', '_')}.interpreter import Interpreter\n"
            f"Interpreter(model_path={str(file)!r}).allocate_tensors()"
        )
        process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if process.returncode:
        said = process.stderr.strip().splitlines()
        reason = [line for line in said if "Error: " in line] or said[-1:]
        raise Problem(
            f"MODEL={model} does not load in {package}, which runs it from lesson 3 on. Convert it again, "
            f"to float32 or full int8 and without SELECT_TF_OPS. The reason given: {reason[-1][:200]}"
        )
