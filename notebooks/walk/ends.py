"""What a loaded model's numbers mean: asked of its last layer, and of the loss in its file."""

import json
import zipfile
from pathlib import Path

from .meaning import kind_of_scores, say_kind

MEANS = {"softmax": "softmax", "sigmoid": "sigmoid", "linear": "logits", "logsoftmax": "logits"}
# What leaves the meaning of numbers as it is, by the name of the layer or operation.
NEUTRAL = (
    "activation reshape flatten dropout identity permute squeeze cast expanddims getitem".split()
)
NEUTRAL += "globalaveragepooling2d averagepooling2d average".split()


def scores_kind(loaded, given: str = "", file: Path | None = None) -> str:
    """Return what a model's numbers are, one of `meaning.KINDS`: SCORES, or what its last layer says.

    Parameters
    ----------
    loaded
        The model.
    given
        SCORES.
    file
        The model's file, which may say with which loss the model was trained.

    Raises
    ------
    Problem
        SCORES is none of the kinds, or cannot be; or it is missing, and the last layer does not say.
    """
    kind = given or _said_at_the_end(loaded)
    if kind == "logits" and not given and file and _independent(file):
        kind = "independent-logits"
    return kind_of_scores(kind, loaded.output_shape[-1])


def _said_at_the_end(loaded) -> str:
    """Return the kind of scores that the last layer or operation of a model makes."""
    tensor, normalized = loaded.outputs[0], None
    while True:
        history = tensor._keras_history
        last = getattr(history, "operation", None) or history.layer  # Keras 3, Keras 2
        if getattr(last, "outputs", None):  # a model inside of the model
            tensor = last.outputs[history.tensor_index]
            continue
        name = type(last).__name__
        if name == "TFOpLambda":  # Keras 2: an operation in the graph
            name = last.symbol.split(".")[-1]
        name = name.lower().replace("_", "")
        activation = getattr(last, "activation", None) or ""  # a function, or a layer
        activation = activation and getattr(activation, "__name__", type(activation).__name__)
        activation = activation.lower().replace("_", "")
        if name == "batchnormalization":
            normalized = last
        if name in (*NEUTRAL, "batchnormalization") and activation in ("", "linear"):
            node = last._inbound_nodes[history.node_index]
            inputs = node.input_tensors
            tensor = inputs[0] if isinstance(inputs, list | tuple) else inputs
            continue
        found = MEANS.get(activation or name)
        if found == "logits" or (found and not normalized):  # a normalized probability is none
            return found
        say_kind((normalized or last).name)


def _independent(file: Path) -> bool:
    """Whether a model's file says that it was trained with binary cross-entropy, from logits."""
    import h5py

    try:
        if h5py.is_hdf5(file):
            with h5py.File(file) as opened:
                text = opened.attrs["training_config"]
        else:
            with zipfile.ZipFile(file) as archive:
                text = json.dumps(json.loads(archive.read("config.json"))["compile_config"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return False  # it was not compiled, or is another kind of file

    def says_so(config) -> bool:
        match config:
            case {
                "class_name": "BinaryCrossentropy" | "BinaryFocalCrossentropy",
                "config": {"from_logits": True},
            }:
                return True
            case dict():
                return any(says_so(value) for value in config.values())
            case list():
                return any(says_so(value) for value in config)
        return False

    return says_so(json.loads(text))
