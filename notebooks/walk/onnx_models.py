"""An ONNX file of one's own as MODEL: checked, and left for the appendix in the place of Keras's.

Keras prepares the pictures whose scores the function's are compared with, so this imports TensorFlow.
"""

from pathlib import Path
from urllib.parse import urljoin

import numpy as np

from .content import NOT_TAKEN, kind_of
from .drawings import best
from .inputs import (
    DOWNLOADS,
    class_names,
    classes_text,
    download,
    local_file,
    picture_file,
    refuse,
    size,
)
from .lesson import Problem, load, one_line, save
from .meaning import kind_of_scores, one_per_class, say_kind
from .models import check_classes, check_colours
from .plain import EXPECTED, picture_shape
from .preparing import pixels, preprocess_input, preprocessing, resizing
from .samples import with_samples
from .servers import Runtime

EXPORTED = "generated/exported.onnx"  # as Keras or PyTorch wrote it
MODEL = "generated/clothing-model.onnx"  # with notes, as the function takes it
OWN = "generated/own-onnx.json"  # what lesson 1 leaves in expected-scores.json

# What the last operation says of the numbers, and what leaves their meaning as it is.
MEANS = {"Softmax": "softmax", "Sigmoid": "sigmoid", "LogSoftmax": "logits"}
MEANS |= dict.fromkeys(["Gemm", "MatMul", "Add", "Conv"], "logits")
NEUTRAL = "Identity Reshape Flatten Squeeze Unsqueeze Transpose Cast Dropout".split()
NEUTRAL += "GlobalAveragePool AveragePool ReduceMean".split()


def expected_scores() -> dict:
    """Return what lesson 1 left, or what is in its place for an ONNX file of one's own."""
    return load(OWN if Path(OWN).exists() else "generated/expected-scores.json")


def forget_own() -> None:
    """Let the appendix take the Keras model of lesson 1 again."""
    Path(OWN).unlink(missing_ok=True)


def take(parameters: dict[str, str]) -> None:
    """Leave an ONNX file, in one piece, and what lesson 1 leaves of a Keras model.

    Parameters
    ----------
    parameters
        Those of lesson 1. With an empty PREPROCESSING, pictures are prepared as is usual where the
        model may come from.

    Raises
    ------
    Problem
        There is no such file, it is not a model of one picture and one row of scores, or a parameter
        does not fit.
    """
    model, fixed = parameters["MODEL"], size(parameters["SIZE"])
    loaded = read(model)
    first, shape = _fix_size(model, loaded, fixed)
    _, _, channels = shape
    resolved = preprocessing(parameters["PREPROCESSING"] or _usual(first, channels))
    resize = resizing(parameters["RESIZE"])
    check_colours(model, channels, resolved)
    image = picture_file(parameters["IMAGE"])
    pictures = with_samples(image, parameters["IMAGE"])
    prepare = preprocess_input(resolved)
    prepared = [prepare(pixels(path, (None, *shape), resize)[None]) for path in pictures]
    if first:
        prepared = [x.transpose(0, 3, 1, 2) for x in prepared]
    rows = _scores(model, loaded, prepared)
    classes = class_names(parameters["CLASSES"])
    check_classes(model, len(rows[0]), classes)
    kind = kind_of_scores(parameters["SCORES"] or _said_at_the_end(loaded), len(rows[0]))
    scores = [one_per_class(row, kind).tolist() for row in rows]
    expected = {
        "model": EXPORTED,
        "library": "onnxruntime",
        "parameters": {
            "CLASSES": classes_text(classes),
            "PREPROCESSING": resolved,
            "RESIZE": resize,
            "SCORES": kind,
        },
        "image": image.as_posix(),
        "scores": {
            path.as_posix(): dict(zip(classes, row, strict=True))
            for path, row in zip(pictures, scores, strict=True)
        },
    }
    save(EXPORTED, loaded.SerializeToString())
    save(OWN, expected)


def read(model: str):
    """Return the ONNX model that MODEL names, with the weights that lie beside it.

    Raises
    ------
    Problem
        There is no such file, it is no ONNX file, it is broken, or its weights are not there.
    """
    import onnx

    file = local_file("MODEL", model, "the path or URL of an ONNX file")
    if (kind := kind_of(file)) != "ONNX":
        if kind in NOT_TAKEN:
            refuse(file, f"MODEL={model} {NOT_TAKEN[kind]}")
        raise Problem(
            f"MODEL={model} is not an ONNX file, as torch.onnx.export and Keras's model.export write it. "
            "A Keras model goes through lesson 1 first: run that with it, and then this without MODEL."
        )
    # Who wrote such a file may have written anything, so that anything may go wrong.
    try:
        loaded = onnx.load(file, load_external_data=False)
    except Exception:
        refuse(file, f"MODEL={model} is a broken ONNX file. Copy or download it again.")
    for name in _files_beside(loaded):
        _fetch_beside(model, file, name)
    try:
        onnx.checker.check_model(str(file))
        onnx.load_external_data_for_model(loaded, str(file.parent))
    except Exception as error:
        for name in _files_beside(loaded):
            if file.is_relative_to(DOWNLOADS):  # as `refuse` does with the model's
                (file.parent / name).unlink(missing_ok=True)
        refuse(
            file,
            f"MODEL={model} is a broken ONNX file, or the file with its weights is. Copy or download both "
            f"again. The reason given: {one_line(error)}",
        )
    return loaded


def _files_beside(loaded) -> list[str]:
    """Return the names of the files in which a model keeps weights."""
    entries = [entry for tensor in loaded.graph.initializer for entry in tensor.external_data]
    return list(dict.fromkeys(entry.value for entry in entries if entry.key == "location"))


def _fetch_beside(model: str, file: Path, name: str) -> None:
    """Have a file with weights beside the model's, where it is looked for; download it if need be."""
    if Path(name).name != name:
        raise Problem(f"MODEL={model} wants its weights from {name}, outside of its own folder.")
    beside = file.parent / name
    if not beside.exists() and model.startswith(("http://", "https://")):
        download("MODEL", urljoin(model, name)).replace(beside)
    if not beside.exists():
        raise Problem(
            f"MODEL={model} keeps its weights in another file, {name}, and that is not there. Copy or "
            "download it into the same folder."
        )


def _fix_size(model: str, loaded, fixed: tuple[int, int] | None) -> tuple[bool, tuple]:
    """Give a model that takes any size the one of SIZE.

    Returns
    -------
    bool
        Whether the channels come first.
    tuple
        (height, width, channels).
    """
    from onnx import TensorProto

    graph = loaded.graph
    weights = {tensor.name for tensor in graph.initializer}  # old files list these as inputs, too
    inputs = [each for each in graph.input if each.name not in weights]
    if (len(inputs), len(graph.output)) != (1, 1):
        raise Problem(
            f"MODEL={model} has {len(inputs)} inputs and {len(graph.output)} outputs. {EXPECTED}"
        )
    tensor = inputs[0].type.tensor_type
    if tensor.elem_type != TensorProto.FLOAT:
        name = TensorProto.DataType.Name(tensor.elem_type).lower()
        raise Problem(f"MODEL={model} takes pictures of {name}. Expected: float, of 32 bits.")
    sides = [each.dim_value or None for each in tensor.shape.dim]
    order, shape = picture_shape(tuple(sides), fixed)
    if order == "no channels" or sides[0] not in (None, 1):
        raise Problem(
            f"MODEL={model} has an input of shape {sides}. Expected: one picture at a time, with its "
            "channels first or last."
        )
    height, width, channels = shape
    first = order == "channels first"
    for side, length in zip(
        tensor.shape.dim[1:], (channels, height, width) if first else shape, strict=True
    ):
        side.dim_value = length
    return first, shape


def _usual(first: bool, channels: int) -> str:
    """Return how pictures are mostly prepared for such a model; say that this is a guess."""
    if first:
        kind, usual = "channels first, as PyTorch has them", "torch" if channels == 3 else "rescale"
    else:
        kind, usual = "channels last, as Keras has them", "xception"
    print(
        f"The model takes {kind}, so its pictures are prepared with PREPROCESSING={usual}. Give another "
        "where it was trained with another."
    )
    return usual


def _scores(model: str, loaded, prepared: list[np.ndarray]) -> list[np.ndarray]:
    """Return the row of scores that ONNX Runtime gives for each prepared picture."""
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(
            loaded.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        (given,) = session.get_inputs()
        rows = [session.run(None, {given.name: x})[0] for x in prepared]
    except Exception as error:  # its errors have no class of their own
        raise Problem(
            f"MODEL={model} does not run in ONNX Runtime {onnxruntime.__version__}. "
            f"The reason given: {one_line(error)}"
        ) from None
    if rows[0].ndim != 2 or len(rows[0]) != 1:
        raise Problem(f"MODEL={model} gives an array of shape {rows[0].shape}. {EXPECTED}")
    return [row[0] for row in rows]


def _said_at_the_end(loaded) -> str:
    """Return the kind of scores that the last operation of a graph makes."""
    made_by = {name: node for node in loaded.graph.node for name in node.output}
    node = made_by.get(loaded.graph.output[0].name)
    while node and node.op_type in NEUTRAL:
        node = made_by.get(node.input[0])
    name = node.op_type if node else "its input"
    return MEANS.get(name) or say_kind(name)


def leave_answer(runtime: Runtime, scores: dict[str, float], expected: dict) -> None:
    """Write the summary that `make onnx` ends with.

    Parameters
    ----------
    runtime
        What ran the function.
    scores
        Its answer to the first picture.
    expected
        What `expected_scores` returned.
    """
    own = expected["library"] == "onnxruntime"
    prepared = " ".join(
        f"{name}={expected['parameters'][name]}" for name in ("PREPROCESSING", "RESIZE")
    )
    agrees = "ONNX Runtime, asked without it, agrees." if own else "Keras agrees."
    summary = f"""
{Path(expected["image"]).name} is {best(scores)}, says the function on ONNX Runtime under {runtime.name}. {agrees}

  the function           lambda/onnx_function.py
  its model              {MODEL}
  its pictures           prepared with {prepared}
  the executed notebook  generated/onnx.ipynb
"""
    save("generated/onnx-summary.txt", summary)
