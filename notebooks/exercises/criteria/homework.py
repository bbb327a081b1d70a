"""What can be checked of the homework; a teacher reads the rest."""

import re
from collections.abc import Callable
from types import NoneType

import numpy as np
import walk
from checks import RIGHT, NotAttempted, Wrong, exercise, exercises
from PIL import Image, ImageDraw

EXAMPLE = ["circle", "square", "triangle"]
ENDS = {
    "logits": "Softmax makes probabilities of the function's scores",
    "softmax": "The function's scores are probabilities, and add up to 1",
    "sigmoid": "The model's one number is the probability of {}, and the function answers with both",
}
SCALINGS = {
    "before": "The function scales the pictures.",
    "inside": "The model scales the pictures, and the function does not.",
}
WELL_KNOWN = {"drawings": 0.9, "photos": 0.8}  # the share of right answers in each class
PICTURES = 100  # of each class, to find that share

own: list[str] = []
track = ["drawings"]  # or photos


def after_own_classes() -> None:
    """Raise NotAttempted unless there are classes of the reader's own."""
    if exercises["own-classes"].state != RIGHT:
        raise NotAttempted("First come classes of your own, at the top.")


def drawn(draw: Callable) -> bytes:
    """Return what a function draws, in white on black."""
    image = Image.new("RGB", (64, 48))
    draw(ImageDraw.Draw(image), (12, 8, 44, 40), (255, 255, 255))
    return image.tobytes()


def check_names(names: list[str]) -> None:
    """Raise Wrong unless make can take these names of classes."""
    for name in names:
        if not re.fullmatch(r"[\w-]+( [\w-]+)*", name):
            raise Wrong(
                f"{name!r} is not a name for a class.",
                "Letters, digits, - and _, with spaces between them: make separates the classes by commas.",
            )


@exercise(
    "own-classes",
    (dict, list),
    hint="Copy `triangle`, give it another name, and change the points of the polygon. A cross is "
    "two rectangles.",
    errors={
        "takes": "Each of these functions is called with three arguments: draw, box and color.",
    },
)
def own_classes(answer):
    own[:] = names = list(answer)
    track[:] = ["photos" if isinstance(answer, list) else "drawings"]
    if track == ["photos"]:
        if len(names) < 2:
            raise Wrong(
                f"Two classes or more are asked for; here is {len(names)}.",
                "Each is a folder of photos, in train/ and in validation/.",
            )
        check_names(names)
        return f"{', '.join(names)}: a model of these exists nowhere else."
    if names == EXAMPLE:
        raise NotAttempted("These are the notebook's own three.")
    new = [name for name in names if name not in EXAMPLE]
    if len(new) < 2 or len(names) == 3:
        raise Wrong(
            "Four classes or more are asked for, or two, and two of them new; "
            f"here are {len(names)}, {len(new)} new.",
            "Each is a function, and an entry in SHAPES.",
        )
    check_names(names)
    seen = {bytes(64 * 48 * 3): "nothing"}
    for name, draw in answer.items():
        if not callable(draw):
            raise Wrong(f"{name} has no function.", "SHAPES has a function for each name.")
        if (shape := drawn(draw)) in seen:
            raise Wrong(
                f"{name} draws the same as {seen[shape]}.", "Each class needs its own shape."
            )
        seen[shape] = name
    return f"{', '.join(names)}: a model of these exists nowhere else."


@exercise(
    "ends",
    tuple,
    hint="LAST is one of the first table's names, SCALING one of the second's. One number can only "
    "tell two classes apart.",
)
def ends(answer):
    after_own_classes()
    for choice, names in zip(answer, (ENDS, SCALINGS), strict=True):
        if choice not in names:
            raise Wrong(f"{choice!r} is none of: {', '.join(names)}.", "Take a name of the table.")
    last, scaling = answer
    if last == "sigmoid" and len(own) != 2:
        raise Wrong(
            f"One sigmoid tells two classes apart; here are {len(own)}.",
            "Leave out classes at the top, or take another end.",
        )
    return f"{ENDS[last].format(own[-1])}. {SCALINGS[scaling]}"


@exercise(
    "learned",
    tuple,
    hint="Look at the table: which class is it taken for? Draw it larger or more different, draw "
    "more pictures, or train for more epochs.",
)
def learned(answer):
    after_own_classes()
    draw, see = answer
    random = np.random.default_rng(seed=2026)  # the same pictures each time
    shares = {
        name: np.mean([see(draw(name, random)) == name for _ in range(PICTURES)]) for name in own
    }
    worst = min(shares, key=shares.get)
    if shares[worst] < (enough := WELL_KNOWN[track[0]]):
        raise Wrong(
            f"Of {PICTURES} new pictures of {worst} it gets {shares[worst]:.0%} right.",
            f"{enough:.0%} are asked for. More pictures or epochs help; so do classes that do not look "
            "like another one when they are turned a little.",
        )
    return f"On {PICTURES} new pictures of each class, at least {shares[worst]:.0%} are right."


def _check_scores(scores: dict[str, float], whose: str) -> None:
    """Raise Wrong unless these are Keras's scores of the reader's picture."""
    expected = walk.load("generated/expected-scores.json")
    by_keras = expected["scores"][expected["image"]]
    again = "Run the cells from model.save on once more, in order."
    if list(by_keras) != own:
        raise Wrong(f"generated/ holds a model of: {', '.join(by_keras)}.", again)
    if list(scores) != own:
        raise Wrong(f"{whose} answers with: {', '.join(scores)}.", again)
    if walk.largest_difference(by_keras, scores) > 1e-3:
        raise Wrong(f"{whose} does not give Keras's scores of your picture.", again)


@exercise("function", dict, hint="make takes MODEL, IMAGE and CLASSES, as in the line above it.")
def function(answer):
    after_own_classes()
    _check_scores(answer, "The function")
    return "Keras's scores, from a function without TensorFlow, of a model of your own."


@exercise(
    "stack",
    (dict, NoneType),
    hint="It needs Linux, uv and a connection to PyPI; what the cell above prints says what is "
    "missing.",
)
def stack(answer):
    after_own_classes()
    if answer is None:
        raise NotAttempted("Nothing was deployed: DEPLOY is False, or the reason stands above.")
    if "prediction" not in answer:
        raise Wrong(f"The stack answered: {answer}.", "generated/aws.log may say why.")
    _check_scores(answer["scores"], "The stack")
    return "Your function, deployed. The same template deploys it to AWS."
