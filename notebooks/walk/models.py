"""What a loaded model, in its plain form, takes and gives: asked of the model itself."""

import hashlib
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import numpy as np

from .lesson import Problem
from .preparing import preprocess_input

# The scores (logits) that the course publishes for its model of 2021 and this picture.
COURSE_IMAGE_SHA256 = "7e408f15ec98b35305f2c7f84423a2464141168970a64e10f9da13303d8c2055"
COURSE_LOGITS = [-1.8682919, -4.761245, -2.3169832, -1.0625719, 9.887158]
COURSE_LOGITS += [-2.812432, -3.6662836, 3.200363, -2.6023405, -4.835046]


def check_model(model: str, loaded, classes: list[str], preprocessing: str) -> None:
    """Raise a Problem unless a plain model fits these classes, and pictures prepared in this way.

    Refused is, too, what would be answered wrongly without a word: pictures that are scaled twice, and
    a model that answers differently each time.
    """
    check_classes(model, loaded.output_shape[-1], classes)
    _, height, width, channels = loaded.input_shape
    check_colours(model, channels, preprocessing)
    probe = np.random.default_rng(0).uniform(0, 255, (1, height, width, channels))
    probe = probe.astype("float32")
    prepared = preprocess_input(preprocessing)(probe.copy())
    _check_scaling(model, loaded, preprocessing, probe, prepared)
    if active := _active(loaded, prepared):
        raise Problem(
            f"MODEL={model} answers differently each time: {', '.join(active)} work in prediction, "
            "too. Expected: layers that are active in training alone, called without training=True."
        )


def check_classes(model: str, outputs: int, classes: list[str]) -> None:
    """Raise a Problem unless there is a class for each output of a model, or two for a single one."""
    if len(classes) == max(outputs, 2):
        return
    names = f'CLASSES="{" ".join(classes)}" names {len(classes)} class{"es" * (len(classes) != 1)}'
    if outputs == 1:
        raise Problem(
            f"{names}, but MODEL={model} has a single output, for two classes. Name both, the second "
            'one that for which the output is high, as in CLASSES="cat dog".'
        )
    raise Problem(
        f"{names}, but MODEL={model} has {outputs} outputs. Name one class for each, as in "
        'CLASSES="cup fork glass".'
    )


def check_colours(model: str, channels: int, preprocessing: str) -> None:
    """Raise a Problem if pictures are to be prepared by colours that the model does not take."""
    if channels == 1 and preprocessing in ("resnet50", "vgg16", "torch"):
        raise Problem(
            f"PREPROCESSING={preprocessing} is for pictures with three colours, and MODEL={model} takes "
            "grey ones. Expected: xception, rescale or none."
        )


# --- what the model does to its pictures ---------------------------------------------------------


class _Arrived(BaseException):
    """Carries what a layer was given; not an Exception, which Keras would put into other words."""


def arriving(loaded, X: np.ndarray) -> np.ndarray:
    """Return what arrives at the first layer with weights, when a model of Keras 2 or 3 is given X.

    All that the model does to its pictures itself has been done then, by whatever layers and
    operations. The numbers of Normalization count as a scaling, not as weights.
    """

    def first(x, *args, **kwargs):
        raise _Arrived(x)

    with ExitStack() as patches:
        for layer in layers(loaded):
            if layer.weights and type(layer).__name__ != "Normalization":
                for call in {"call", "quantized_call"} & {*dir(layer)}:  # the latter of 8 bits
                    patches.enter_context(mock.patch.object(layer, call, first))
        try:
            loaded(X, training=False)
        except _Arrived as arrived:
            return np.asarray(arrived.args[0])
    return X  # no layer has weights


def _check_scaling(model: str, loaded, preprocessing: str, raw, prepared) -> None:
    """Raise a Problem if pictures are scaled before the model, and in the model once more."""
    if preprocessing == "none":
        return
    from_raw, from_prepared = arriving(loaded, raw), arriving(loaded, prepared)
    # Of 0 to 255 it makes small numbers itself, and not one and the same of nearly all.
    takes_pixels = (
        np.abs(from_raw).max() < 10 and np.ptp(np.quantile(from_raw, [0.01, 0.99])) > 0.05
    )
    if takes_pixels or (_is_centred(from_raw) and not _is_centred(from_prepared)):
        scales = [each.name for each in layers(loaded) if type(each).__name__ in SCALING]
        where = f"in its layer {scales[0]}" if scales else "at its beginning"
        raise Problem(
            f"MODEL={model} scales its pictures itself, {where}, and PREPROCESSING={preprocessing} "
            "would scale them before: twice is wrong. Give PREPROCESSING=none."
        )


SCALING = "Rescaling", "Normalization"


def _is_centred(x: np.ndarray) -> bool:
    """Whether numbers are what a model may be trained with: spread out, and not far from zero."""
    x = x[x != 0].astype(float)  # without what a padding adds
    if not x.size:
        return False
    low, high = np.quantile(x, [0.01, 0.99])
    spread = high - low
    several = len(np.unique(x)) > 8  # whole numbers cut off, of pictures from -1 to 1, are few
    return several and spread > 0.1 and -0.65 * spread < low < 0.25 * spread


def layers(loaded) -> list:
    """Return the layers of a model of Keras 2 or 3 from its beginning to its end, also those of models inside."""
    found = []
    for each in loaded.layers:
        if hasattr(each, "layers"):  # a model
            found += layers(each)
        else:
            found += list(each._flatten_layers(include_self=False)) or [each]
    return found


def _active(loaded, X: np.ndarray) -> list[str]:
    """Return the names of layers for training alone that change what they are given, at random."""
    changing = []

    def watched(layer, call):
        def watching(x, *args, **kwargs):
            result = call(x, *args, **kwargs)
            if x.shape != result.shape or not np.array_equal(x, result):
                changing.append(layer.name)
            return result

        return watching

    random = [each for each in layers(loaded) if _is_random(type(each).__name__)]
    if not random:
        return []
    with ExitStack() as patches:
        for layer in random:
            patches.enter_context(mock.patch.object(layer, "call", watched(layer, layer.call)))
        once = np.asarray(loaded(X, training=False))
    if not changing or np.array_equal(once, np.asarray(loaded(X, training=False))):
        return []
    return list(dict.fromkeys(changing))[:3]


def _is_random(kind: str) -> bool:
    return any(word in kind for word in ("Dropout", "Random", "Noise"))


def check_course_scores(model: str, image_file: Path, scores: dict[str, float]) -> None:
    """Compare the scores of the course's model and picture with the published ones, if they are it.

    Raises
    ------
    Problem
        They differ by more than 0.001.
    """
    digest = hashlib.sha256(image_file.read_bytes()).hexdigest()
    if model == "course-2021" and digest == COURSE_IMAGE_SHA256:
        difference = max(abs(a - b) for a, b in zip(scores.values(), COURSE_LOGITS, strict=True))
        if not difference < 1e-3:
            raise Problem(f"Keras and the course's published logits differ by {difference}.")
        print("the same logits as the course publishes, to 0.001")
