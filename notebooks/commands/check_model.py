"""How often Keras and the function are right about photos whose class is known: `make check-model`.

    python notebooks/commands check_model PHOTOS=folder

The folder holds a folder of photos for each class (or train/ and validation/ with these, or it is a zip
archive). The model and the function are those of the last walk. That both are right as often as in
training proves that pictures are prepared as they were there; other values of PREPROCESSING and RESIZE
are tried on some of the photos. The confusions are drawn; generated/check-model/report.md shows them.
"""

import os
import shlex
from pathlib import Path

STOPPED = "Stopped: generated/check-model/ is as it was."

NEEDED = (
    "generated/expected-scores.json",
    "generated/clothing-model.tflite",
    "generated/prediction.json",
)
REPORT = Path("generated/check-model")
TRIED = 50  # photos on which other preparations are tried
BETTER = 0.1  # of the photos tried: how many more must be right to speak of it
RESIZES = "nearest", "bilinear"
DOUBLES = "inception_v3", "vgg16"  # prepare as xception and resnet50 do
FOR_COLOURS = "resnet50", "torch"  # have a mean for each of red, green and blue
WORST = 8  # photos shown, of those that were misjudged most surely
PARAMETERS = "MODEL IMAGE CLASSES PREPROCESSING RESIZE SCORES SIZE MODEL_CODE TRUST_MODEL".split()


def score_by_function(photos: dict, expected: dict) -> tuple[dict, dict, int]:
    """Return scores by photo, by photo the errors of those refused, and the channels of the model.

    Raises
    ------
    Problem
        A photo may be of several classes, or the function refused all photos.
    """
    from tqdm import tqdm
    from walk import Problem, judging

    rows = judging.judged("by_function", photos=[str(file) for file in photos])
    kind, model = expected["parameters"]["SCORES"], next(rows)
    if kind in ("sigmoid", "independent-logits") and model["outputs"] > 1:
        rows.close()
        raise Problem(
            f"SCORES={kind}: a picture may be of several of these classes, or of none, and a folder for "
            "each class cannot say so. There is no such check for this model."
        )
    rows = tqdm(rows, total=len(photos), unit="photo", desc="the function")
    told = dict(zip(photos, rows, strict=True))
    refused = {file: row["error"] for file, row in told.items() if "error" in row}
    if len(refused) == len(told):
        raise Problem(f"The function takes none of these photos: {', '.join({*refused.values()})}.")
    scores = {file: row["scores"] for file, row in told.items() if "scores" in row}
    return scores, refused, model["channels"]


def score_by_keras(photos: dict, ways: list[tuple[str, str]]) -> list[dict]:
    """Return Keras's scores by photo: of all prepared the first way, of some prepared in each way."""
    from tqdm import tqdm
    from walk import judging
    from walk.accuracy import spread

    some = spread(photos, TRIED)
    parts = [list(photos), *(some for _ in ways)]
    given = [
        (*way, [str(file) for file in part])
        for way, part in zip([ways[0], *ways], parts, strict=True)
    ]
    total = sum(len(part) for part in parts)
    rows = iter(
        tqdm(judging.judged("by_keras", ways=given), total=total, unit="photo", desc="Keras")
    )
    return [{file: next(rows)["scores"] for file in part} for part in parts]


def right(photos: dict, scores: dict) -> int:
    """Return how many photos get their own class."""
    from walk import best

    return sum(best(each) == photos[file] for file, each in scores.items())


def ways_to_prepare(expected: dict, channels: int) -> list[tuple[str, str]]:
    """Return pairs of PREPROCESSING and RESIZE to try: first the walk's own."""
    from walk.preparing import IN_THE_FUNCTION

    own = expected["parameters"]["PREPROCESSING"], expected["parameters"]["RESIZE"]
    left_out = {own[0], *DOUBLES, *(FOR_COLOURS if channels == 1 else ())}
    names = [own[0], *(name for name in IN_THE_FUNCTION if name not in left_out)]
    resizes = dict.fromkeys([own[1], *RESIZES])
    return [(name, resize) for name in names for resize in resizes]


def better_way(photos: dict, tried: dict[tuple[str, str], dict], given: str) -> str | None:
    """Say which way to prepare pictures is far better than the walk's own, the first, if one is.

    Parameters
    ----------
    photos
        The class of each photo.
    tried
        For each way, the scores of some photos.
    given
        PHOTOS, for the command to give then.
    """
    found = {way: right(photos, scores) for way, scores in tried.items()}
    own, best = next(iter(found)), max(found, key=found.get)
    count = len(tried[own])
    if found[best] - found[own] < BETTER * count:
        return None
    values = {name: os.environ[name] for name in PARAMETERS if os.environ.get(name)}
    values |= {"PREPROCESSING": best[0], "RESIZE": best[1], "PHOTOS": given}
    written = " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items())
    return (
        f"Pictures are not prepared as they were in training: of {count} photos, {found[own]} are right "
        f"with PREPROCESSING={own[0]} RESIZE={own[1]}, and {found[best]} with PREPROCESSING={best[0]} "
        f"RESIZE={best[1]}. Compare with the training's code, and run\n\n  make check-model {written}"
    )


def as_good(photos: dict, tried: dict[tuple[str, str], dict]) -> list[str]:
    """Return the other values of PREPROCESSING with which no fewer are right than with the walk's own."""
    found = {way: right(photos, scores) for way, scores in tried.items()}
    own = next(iter(found))
    names = [way[0] for way, count in found.items() if count >= found[own] and way[0] != own[0]]
    return list(dict.fromkeys(names))


def write_report(photos: dict, kind: str, scores: dict, lines: list[str]) -> None:
    """Write report.md: these lines, a table by class, the confusions, and the surest misjudgements."""
    import walk
    from walk.accuracy import draw_confusions, share

    answers = {file: walk.best(each) for file, each in scores.items()}
    sure = {file: max(walk.probabilities([*each.values()], kind)) for file, each in scores.items()}
    rows = []
    for name in next(iter(scores.values())):
        own = [file for file in scores if photos[file] == name]
        taken = sum(answer == name for answer in answers.values())
        found = share(sum(answers[file] == name for file in own), len(own)) if own else "no photos"
        rows.append({"class": name, "right": found, "answered so": f"{taken:,}"})
    wrong = [file for file in sorted(scores, key=sure.get) if answers[file] != photos[file]][::-1]
    shown = {
        f"{photos[file]}/{file.name[:12]}\n{answers[file]}, {sure[file]:.0%} sure": file
        for file in wrong[:WORST]
    }
    REPORT.mkdir(parents=True, exist_ok=True)
    text = ["# How often the model is right", *lines, "## By class", walk.table(rows).data]
    drawings = {"Confusions": draw_confusions(photos, answers, list(next(iter(scores.values()))))}
    if shown:
        drawings["Misjudged most surely"] = walk.gallery(shown)
    for title, drawn in drawings.items():
        file = f"{title.split()[0].lower()}.png"
        walk.save(REPORT / file, drawn.data)
        text += [f"## {title}", f"![{drawn.metadata['alt']}]({file})"]
    named = [f"- {file}: {answers[file]}, {sure[file]:.1%} sure" for file in wrong[:WORST]]
    text.append("\n".join(named))
    walk.save(REPORT / "report.md", "\n\n".join(text) + "\n")


def main(*, PHOTOS: str = "") -> str | None:
    """Check the model; return what is wrong with how pictures are prepared, if something is."""
    if not PHOTOS:
        return "Say which photos: make check-model PHOTOS=folder, with a folder of photos for each class."
    import walk
    from walk import accuracy, judging

    walk.begin("check-model", *NEEDED)
    judging.LOG.unlink(missing_ok=True)
    expected = walk.load(NEEDED[0])
    classes = list(expected["scores"][expected["image"]])
    labels, lines = accuracy.labelled_photos(PHOTOS, classes)
    by_function, refused, channels = score_by_function(labels, expected)
    photos = {file: labels[file] for file in by_function}
    ways = ways_to_prepare(expected, channels)
    by_keras, *tried = score_by_keras(photos, ways)
    lines += accuracy.counted(refused)
    name = "TensorFlow's interpreter" if expected["model"].endswith(".tflite") else "Keras"
    lines += accuracy.compared(photos, name, by_keras, by_function)
    write_report(photos, expected["parameters"]["SCORES"], by_function, lines)
    print("", *lines, f"By class, and the confusions drawn: {REPORT}/report.md", "", sep="\n")
    if better := better_way(photos, dict(zip(ways, tried, strict=True)), PHOTOS):
        return better
    found = right(photos, by_function)
    if accuracy.near_chance(found, len(photos), len(classes)):
        return (
            f"{found:,} of {len(photos):,} is what guessing would give, and no other PREPROCESSING or RESIZE "
            "is much better. Are CLASSES in the order of the model's outputs (with Keras, the class_names "
            "of the training)?"
        )
    print(f"Of {len(ways) - 1} other ways to prepare pictures, none is much better.")
    if alike := as_good(photos, dict(zip(ways, tried, strict=True))):
        print(
            f"As good with these photos: PREPROCESSING={', '.join(alike)}. So they do not prove "
            f"{ways[0][0]}: only the training's code does."
        )
    return None
