"""What makes an answer right: the exercises of lesson 1."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import walk
from checks import Wrong, exercise, returned

expected = walk.load("generated/expected-scores.json")
KIND = expected["parameters"]["SCORES"]
samples = {Path(picture).stem: scores for picture, scores in expected["scores"].items()}


@cache
def raw_answers() -> dict[str, str]:
    """Return the class of each sample that the model sees without `preprocess_input`."""
    model, chosen = walk.load_kept_model(expected), expected["parameters"]
    shape = model.input_shape
    pictures = [walk.pixels(each, shape, chosen["RESIZE"]) for each in expected["scores"]]
    found = model.predict(np.array(pictures, dtype="float32"), verbose=0)
    rows = [walk.one_per_class(row, chosen["SCORES"]) for row in found]
    classes = [list(scores) for scores in samples.values()]
    return {name: classes[0][row.argmax()] for name, row in zip(samples, rows, strict=True)}


@exercise(
    "raw-samples",
    (list, tuple, set, np.ndarray),
    hint="Make two dicts, from a sample's name to its class: one with the scaling, one without. "
    "For which names do they differ?",
)
def raw_samples(answer):
    named = {Path(str(name)).stem.lower() for name in answer}
    changed = {name for name, best in raw_answers().items() if best != walk.best(samples[name])}
    go_on = f"Go through all {len(samples)} of them."
    if unknown := named - set(samples):
        raise Wrong(
            f"There is no sample called {min(unknown)}.", f"They are: {', '.join(samples)}."
        )
    if changed and not named:
        raise Wrong("The jeans survive, but not every sample does.", go_on)
    if kept := named - changed:
        raise Wrong(
            f"The {min(kept)} keeps its class without the scaling.",
            "Its scores change, as all scores do. Compare the classes with the highest score.",
        )
    if named != changed:
        raise Wrong(f"{', '.join(named)}: right so far, but there are more.", go_on)
    became = [f"the {name} becomes {raw_answers()[name]}" for name in samples if name in changed]
    return (
        f"Without the scaling {' and '.join(became) or 'nothing changes here'}, and no error says "
        "so. That is why the function has to prepare pictures exactly as the training did."
    )


@exercise(
    "reversed-classes",
    str,
    hint="The model knows positions, not names. At which position is the highest score, and which "
    "name stands at that position in the reversed list?",
)
def reversed_classes(answer):
    scores = samples[Path(expected["image"]).stem]
    classes = list(scores)
    truth = classes[::-1][classes.index(walk.best(scores))]
    if answer == truth:
        return (
            f"The scores are the same, and {walk.best(scores)} has become {truth}: a list of classes "
            "in another order is a model with other answers."
        )
    if answer not in classes:
        raise Wrong(f"{answer!r} is not one of the classes.", f"They are: {', '.join(classes)}.")
    if answer == walk.best(scores):
        raise Wrong(
            "That is the answer of the right order.",
            "The model knows positions, not names: the highest score stays where it is. Which name "
            "stands there now?",
        )
    raise Wrong(
        f"{answer} stands at another position.",
        "Count from the same end: zip the reversed names with the scores as they are.",
    )


@exercise(
    "softmax-of-a-batch",
    Callable,
    hint="The exponential of every logit, divided by the sum of its own row. What does NumPy's sum "
    "need to know for that?",
    errors={
        "could not be broadcast": "Two rows of four cannot be divided by a flat list of two sums. "
        "The sums have to stay a column; look at the arguments of NumPy's sum.",
    },
)
def softmax_of_a_batch(answer):
    logits, large = np.array([[3.0, 1, 0, -2], [1, 1, 1, 2]]), np.array(np.nan)
    found = np.asarray(returned(answer(logits.copy()), np.ndarray, list))
    if found.shape != logits.shape:
        raise Wrong(
            f"For logits of shape {logits.shape} it returned shape {found.shape}.",
            "Each logit becomes one probability, so the shape stays.",
        )
    if np.allclose(found.sum(), 1):
        raise Wrong(
            "All numbers together add up to 1, but not each row.",
            "Each row is one picture, with probabilities of its own. Which axis is the sum over?",
        )
    if np.allclose(found.sum(axis=0), 1):
        raise Wrong(
            "The columns add up to 1, and the rows should.",
            "Which axis is the sum over? Each row is one picture.",
        )
    if not np.allclose(found.sum(axis=1), 1):
        raise Wrong(f"The rows add up to {found.sum(axis=1)}.", "They should add up to 1 each.")
    truth = np.array([walk.probabilities(row, "logits") for row in logits])
    if not np.allclose(found, truth):
        raise Wrong(
            "The rows add up to 1, but they are not softmax.",
            "A probability is never negative: first comes the exponential, then the sum.",
        )
    with np.errstate(all="ignore"), suppress(OverflowError):
        large = np.asarray(answer(np.array([[1000.0, 0]])))
    why = "Each picture has probabilities of its own, however many come at once."
    if not np.isfinite(large).all():
        why += (
            " One step further: for a logit of 1,000 yours gives no number, because the exponential "
            "is too large for a float. Subtracting the highest logit of each row first changes nothing else."
        )
    return why


@exercise(
    "least-sure",
    Callable,
    hint="For each picture: the probabilities of its scores, and of those the highest. For which "
    "picture is that number the lowest?",
    errors={
        "dict_values": "walk.probabilities takes a list: list(…) makes one of a dict's values.",
        "positional argument": "walk.probabilities wants to know what the scores are, too: kind.",
    },
)
def least_sure(answer):
    made_up = {
        "low logits": {"cup": 1.0, "fork": -2.0},
        "close to each other": {"cup": 5.0, "fork": 4.9},
        "far apart": {"cup": 9.0, "fork": 0.0},
    }
    found = returned(answer(made_up))
    if not isinstance(found, str) or found not in made_up:
        raise Wrong(f"It returned {found!r}.", "The name of a picture is asked for, a key.")
    sure = {
        name: walk.probabilities([*each.values()], KIND).max() for name, each in made_up.items()
    }
    if found == min(sure, key=sure.get):
        pass
    elif found == "low logits":
        raise Wrong(
            "It chose the picture with the lowest logit.",
            "A logit says nothing by itself: what counts is how far it is above the others. "
            "Probabilities can be compared.",
        )
    elif found == "far apart":
        raise Wrong("It chose the surest picture.", "The lowest of the highest is asked for.")
    name = answer(samples)
    share = walk.probabilities(list(samples[name].values()), KIND).max()
    return (
        f"Of the samples it is the {name}, with {share:.1%}. In production, such pictures are the "
        "ones to show to a person, and to train with next."
    )
