"""What can be checked of the homework; a teacher reads the rest."""

import numpy as np
import walk
from checks import NotAttempted, Wrong, exercise, exercises

EXAMPLE = ["circle", "square", "triangle"]
FIRST = "First come classes of your own, at the top."
WELL_KNOWN = 0.9  # the share of right answers that each class should reach

own: list[str] = []


@exercise(
    "own-classes",
    list,
    hint="Copy `triangle`, give it another name, and change the points of the polygon. A cross is "
    "two rectangles.",
)
def own_classes(answer):
    own[:] = answer
    if answer == EXAMPLE:
        own.clear()
        raise NotAttempted("These are the notebook's own three.")
    new = [name for name in answer if name not in EXAMPLE]
    if len(new) < 2 or len(answer) < 4:
        raise Wrong(
            f"Four classes are asked for, two of them new; here are {len(answer)}, {len(new)} new.",
            "Each is a function, and an entry in SHAPES.",
        )
    if blank := [name for name in answer if not name or len(name.split()) > 1]:
        raise Wrong(f"{blank[0]!r} has a blank in it.", "make separates the classes by blanks.")
    return f"{', '.join(answer)}: a model of these exists nowhere else."


@exercise(
    "learned",
    tuple,
    hint="Look at the table: which class is it taken for? Draw it larger or more different, draw "
    "more pictures, or train for more epochs.",
)
def learned(answer):
    if exercises["own-classes"].state != "right":
        raise NotAttempted(FIRST)
    draw, see = answer
    random = np.random.default_rng()
    shares = {name: np.mean([see(draw(name, random)) == name for _ in range(40)]) for name in own}
    worst = min(shares, key=shares.get)
    if shares[worst] < WELL_KNOWN:
        raise Wrong(
            f"Of 40 new pictures of {worst} it gets {shares[worst]:.0%} right.",
            f"{WELL_KNOWN:.0%} are asked for. More pictures or epochs help; so does a shape that is "
            "not another one, a little turned.",
        )
    return f"On new pictures each class is right in at least {shares[worst]:.0%} of 40."


@exercise(
    "function",
    dict,
    hint="make takes MODEL, IMAGE and CLASSES. Run the cells from model.save on once more, in order.",
)
def function(answer):
    if exercises["own-classes"].state != "right":
        raise NotAttempted(FIRST)
    expected = walk.load("generated/expected-scores.json")
    if list(answer) != own:
        raise Wrong(
            f"The function answers with: {', '.join(answer)}.",
            "It is another model's, or was made before you changed the classes: save the model and "
            "run make again.",
        )
    if walk.largest_difference(expected["scores"][expected["image"]], answer) > 1e-3:
        raise Wrong(
            "These are not Keras's scores of your picture.",
            "Was the picture saved anew after make? Run the cells from model.save on, in order.",
        )
    return "Keras's scores, from a function without TensorFlow, of a model of your own."


@exercise(
    "stack",
    dict,
    hint="It needs Linux, uv and a connection to PyPI; what the cell above prints says what is "
    "missing. It counts as extra.",
)
def stack(answer):
    if exercises["own-classes"].state != "right":
        raise NotAttempted(FIRST)
    if "prediction" not in answer:
        raise Wrong(f"The stack answered: {answer}.", "generated/aws.log may say why.")
    if list(answer["scores"]) != own:
        raise Wrong(
            "The stack has another model.", "Run make, and then the cell that deploys, once more."
        )
    return "Your function, deployed. The same template deploys it to AWS."
