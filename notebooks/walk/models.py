"""What a loaded model takes and gives."""

import hashlib
from pathlib import Path

from .lesson import Problem
from .meaning import KINDS, check_kind

# The scores (logits) that the course publishes for its model of 2021 and this picture.
COURSE_IMAGE = (
    "https://raw.githubusercontent.com/alexeygrigorev/clothing-dataset-small/master/test/pants/"
    "4aabd82c-82e1-4181-a84d-d0c6e550d26d.jpg"
)
COURSE_IMAGE_SHA256 = "7e408f15ec98b35305f2c7f84423a2464141168970a64e10f9da13303d8c2055"
COURSE_LOGITS = [-1.8682919, -4.761245, -2.3169832, -1.0625719, 9.887158]
COURSE_LOGITS += [-2.812432, -3.6662836, 3.200363, -2.6023405, -4.835046]


def check_model(model: str, loaded, classes: list[str]) -> None:
    """Raise a Problem unless a loaded model takes one RGB picture and scores these classes.

    Refused is, too, what would be answered wrongly without a word: a single output, whose softmax is
    always 1, and a model that scales its pictures itself, to which they would come scaled twice.
    """
    if len(loaded.inputs) != 1 or len(loaded.outputs) != 1:
        raise Problem(
            f"MODEL={model} has {len(loaded.inputs)} inputs and {len(loaded.outputs)} outputs. "
            "Expected: one picture in, one row of scores out."
        )
    match loaded.input_shape, loaded.output_shape:
        case (None, int(), int(), 3), (None, int(outputs)):
            pass
        case shapes:
            raise Problem(
                f"MODEL={model} has input {shapes[0]} and output {shapes[1]}. "
                "Expected: input (None, height, width, 3) and output (None, number of classes)."
            )
    if outputs == 1:
        raise Problem(
            f"MODEL={model} has a single output. Expected: one for each class; in place of one "
            "sigmoid, Dense(2) with a softmax or with none, trained anew."
        )
    inside = [layer.name for layer in loaded._flatten_layers() if _scales(layer)]
    if inside:
        raise Problem(
            f"MODEL={model} scales its pictures itself, in its layer {inside[0]}; the walk scales them "
            "before, and twice would be wrong. Expected: a model that takes what PREPROCESSING makes."
        )
    if len(classes) != outputs:
        raise Problem(
            f'CLASSES="{" ".join(classes)}" names {len(classes)} classes, but MODEL={model} has '
            f'{outputs} outputs. Name one class for each, as in CLASSES="cup fork glass".'
        )


def _scales(layer) -> bool:
    """Whether this layer, of Keras 2 or 3, does what `preprocess_input` does."""
    return type(layer).__name__ in ("Rescaling", "Normalization")


def scores_kind(loaded, given: str = "") -> str:
    """Return what a loaded model's numbers are, one of `meaning.KINDS`: SCORES, or as its last layer says."""
    if given:
        check_kind(given)
        return given
    activation = getattr(loaded.layers[-1], "activation", None)
    name = getattr(activation, "__name__", "")
    return name if name in KINDS else "logits"


def plain(loaded, size: tuple[int, int] | None = None):
    """Return a model that takes one float32 picture and gives one row of float32 scores."""
    return loaded


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
