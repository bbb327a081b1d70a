"""How often a model is right: photos in a folder for each class, and what becomes of them."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
from IPython.display import Image as Drawing

from .comparing import largest_difference
from .drawings import best, drawing
from .kinds import lies_about, pictures_in
from .lesson import Problem
from .photos import photos_folder

SPLITS = "validation", "val", "valid", "test", "train"  # of several, the first that is there counts
SHOWN = 20  # classes in a drawing and a table


def labelled_photos(photos: str, classes: list[str]) -> tuple[dict[Path, str], list[str]]:
    """Return photos with the class that their folder says, and sentences on what was left out.

    Parameters
    ----------
    photos
        PHOTOS: a folder with a folder of photos for each class, or with train/ and validation/ around
        these, or the path or URL of a zip archive with such a folder.
    classes
        The names of the model's classes.

    Raises
    ------
    Problem
        There is no such folder, or no photo in it has a folder of a class around it.
    """
    folder = photos_folder(photos, "PHOTOS")
    if not folder.is_dir():
        raise Problem(
            f"PHOTOS={photos} does not exist. Expected: a folder of photos for each class."
        )
    root = next(
        (
            found
            for split in SPLITS
            if split not in classes
            for found in sorted(folder.glob(f"**/{split}"))
            if found.is_dir() and not lies_about(found.relative_to(folder))
        ),
        folder,
    )
    pictures, left_out = pictures_in(root)
    names = {name.casefold(): name for name in classes}
    labels = {file: names.get(file.parent.name.casefold()) for file in pictures}
    others = Counter(file.parent.name for file, label in labels.items() if label is None)
    if len(pictures) == others.total():
        raise Problem(
            f"PHOTOS={photos}: no photo in a folder of one of the classes ({_listed(classes)})"
            f"{f'; there are: {_listed(others)}' if others else ''}. Expected: a folder of photos for "
            "each class, with its name."
        )
    said = [left_out] if left_out else []
    if others:
        counts = _listed(f"{name} ({number})" for name, number in others.most_common())
        said.append(f"Left out, as CLASSES does not name their folders: {counts}.")
    if missing := [name for name in classes if name not in labels.values()]:
        said.append(f"There are no photos of: {_listed(missing)}.")
    return {file: label for file, label in labels.items() if label}, said


def spread(photos: dict[Path, str], count: int) -> list[Path]:
    """Return so many photos, or as many as there are, of all classes in turn."""
    places, turns = Counter(), {}
    for file, label in photos.items():
        turns[file] = places[label]
        places[label] += 1
    return sorted(photos, key=turns.get)[:count]


def near_chance(right: int, count: int, classes: int) -> bool:
    """Whether guessing could well be right as often: within two standard deviations."""
    chance = 1 / classes
    return right <= count * chance + 2 * math.sqrt(count * chance * (1 - chance))


def share(right: int, count: int) -> str:
    """Return such a share in words: "320 of 341 (93.8%)"."""
    return f"{right:,} of {count:,} ({right / count:.1%})"


def counted(refused: dict[Path, str]) -> list[str]:
    """Say which photos the function refused, and with which error, if there are any."""
    errors = Counter(refused.values())
    names = _listed((file.name for file in refused), 5)
    return [
        f"The function refused {len(refused):,} of the photos "
        f"({_listed(f'{number:,} {name}' for name, number in errors.most_common())}): {names}."
    ] * bool(refused)


def compared(photos: dict[Path, str], name: str, by_keras: dict, by_function: dict) -> list[str]:
    """Say in sentences how often Keras and the function are right, and how far they agree.

    Parameters
    ----------
    photos
        The class of each photo.
    name
        Keras, or what stands in for it.
    by_keras, by_function
        Scores by class, by photo.
    """
    count = len(by_function)
    answers = {file: best(scores) for file, scores in by_function.items()}
    keras_s = {file: best(scores) for file, scores in by_keras.items()}
    right = [sum(photos[file] == said[file] for file in said) for said in (keras_s, answers)]
    other = [file.name for file in answers if answers[file] != keras_s[file]]
    wrong = _confusions(photos, answers)
    said = [
        f"{name} is right about {share(right[0], count)}",
        f"The function is right about {share(right[1], count)}",
        f"They give the same class for {count - len(other):,} of {count:,} photos; their scores differ by "
        f"{largest_difference(by_keras, by_function):.5f} at most.",
    ]
    if other:
        said.append(f"They do not agree about: {_listed(other, 5)}.")
    if wrong:
        said.append(f"Most often confused: {_said_of(wrong)}.")
    return said


def draw_confusions(photos: dict, answers: dict, classes: list[str]) -> Drawing:
    """Draw for each class how often it was answered with each; of many, those with most mistakes.

    Parameters
    ----------
    photos, answers
        The class of each photo, and the one that it was taken for.
    """
    import matplotlib.pyplot as plt

    wrong = _confusions(photos, answers)
    mistakes = Counter()
    for pair, number in wrong.items():
        mistakes.update(dict.fromkeys(pair, number))
    shown = [name for name, _ in mistakes.most_common(SHOWN)]
    names = [name for name in classes if len(classes) <= SHOWN or name in shown]
    pairs = Counter((photos[file], answer) for file, answer in answers.items())
    counts = np.array([[pairs[label, answer] for answer in names] for label in names])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2 + 0.45 * len(names)
    figure, axis = plt.subplots(figsize=(side, side), layout="constrained")
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), number in np.ndenumerate(counts):
        if number:
            color = "white" if shares[row, column] > 0.5 else "black"
            axis.text(column, row, f"{number:,}", ha="center", va="center", color=color, size=9)
    axis.set_xticks(range(len(names)), names, rotation=90)
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("the function's answer")
    axis.set_ylabel("the photo's folder")
    return drawing(figure, f"Confusions: {_said_of(wrong) or 'none'}.")


def _confusions(photos: dict, answers: dict) -> Counter:
    """Count (class, answer) where they differ."""
    pairs = ((photos[file], answer) for file, answer in answers.items())
    return Counter(pair for pair in pairs if pair[0] != pair[1])


def _said_of(wrong: Counter) -> str:
    return "; ".join(
        f"{number:,} of {label} taken for {answer}"
        for (label, answer), number in wrong.most_common(3)
    )


def _listed(names, count: int = 12) -> str:
    names = list(names)
    more = [f"{len(names) - count} more"] if len(names) > count else []
    return ", ".join([*names[:count], *more])
