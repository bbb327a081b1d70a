"""A TensorFlow Lite model as MODEL: leaves what lessons 1 and 2 leave of a Keras model.

It imports TensorFlow, whose interpreter gives the scores that the function's are compared with.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat

from .comparing import loads, runtimes
from .inputs import SAMPLES, class_names, classes_text, picture_file, size
from .lesson import Problem, load, require, save
from .meaning import check_kind, one_per_class
from .preparing import pixels, preprocess_input, preprocessing

ORIGINAL = "generated/clothing-model-original.tflite"
MODEL = "generated/clothing-model.tflite"


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
    content, kind = plain(model, file.read_bytes(), fixed)
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
    content, _ = plain(original.name, original.read_bytes(), expected["size"])
    save(MODEL, content)
    figures = {
        "bytes": len(content),
        "largest_difference": 0.0,
        "same_answers": len(expected["scores"]),
        "loads_in": {package: loads(package, MODEL) for package in runtimes()},
    }
    save("generated/tflite-models.json", {"float32": figures})


def leave_copy(lesson: str, copy: Path) -> None:
    """Write the copy of a lesson that was left out: it says so."""
    text = (
        f"# {lesson} is left out\n\n`MODEL` is a TensorFlow Lite model already. The scores that the next "
        "lessons compare theirs with come from the interpreter in TensorFlow. Go on with lesson 3, "
        "[03-predict.ipynb](03-predict.ipynb)."
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    save(copy, nbformat.writes(notebook))


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


def plain(model: str, content: bytes, size: tuple[int, int] | None) -> tuple[bytes, str]:
    """Return a .tflite model that takes one float32 picture and gives one float32 row of scores.

    Parameters
    ----------
    model
        MODEL, for messages.
    content
        The file.
    size
        Height and width, for a model that takes any.

    Returns
    -------
    bytes
        The content itself, where it is so already.
    str
        What the scores are, as the last operator says: softmax, sigmoid or else logits.

    Raises
    ------
    Problem
        It has other inputs or outputs, or is broken.
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
    if [*(graph.tensors[graph.inputs[0]].shapeSignature or [])][1:3] == [-1, -1] and not size:
        raise Problem(f"MODEL={model} takes any size. Give one, width x height: SIZE=160x120.")
    changed = [_fix_shape(graph, size), _float_input(parsed, graph), _float_output(parsed, graph)]
    kind = _kind(parsed, graph)
    if any(changed):
        content = bytes(flatbuffer_utils.convert_object_to_bytearray(parsed))
    return content, kind


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
    if tensor.shapeSignature is None or len(tensor.shapeSignature) != 4:
        return False
    _, height, width, channels = (int(n) for n in tensor.shapeSignature)
    if size and (height, width) == (-1, -1):
        height, width = size
    shape = [1, height, width, channels]
    if -1 in shape or list(tensor.shape) == shape:
        return False
    tensor.shape, tensor.shapeSignature = shape, None
    return True


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

    quantized = tensor.quantization is not None and tensor.quantization.scale is not None
    builtin = getattr(schema.BuiltinOperator, name if quantized else "CAST")
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, builtin, 1
    parsed.operatorCodes.append(code)
    operator.opcodeIndex = len(parsed.operatorCodes) - 1
    operator.inputs, operator.outputs = [source], [target]
    return operator


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
