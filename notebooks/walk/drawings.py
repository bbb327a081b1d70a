"""What one looks at: pictures, bars and tables, each in one line, pictures with their text."""

import io
import math
import re
from pathlib import Path

import numpy as np
from IPython.display import Image as Drawing
from IPython.display import Markdown
from PIL import Image

from .lesson import Problem
from .meaning import probabilities

# What the sample pictures show, for people who do not see them, by the name of the file.
SEEN = {
    "cap": "a blue cap",
    "coat": "a light brown coat",
    "dress": "a blue dress",
    "flat-shoe": "a flat blue shoe",
    "jeans": "blue jeans",
    "running-shoe": "a grey running shoe",
    "shorts": "green shorts",
    "t-shirt": "a green t-shirt",
    "top-hat": "a black top hat",
}


MOST_BARS = 10  # the best of a thousand classes say enough


def best(scores: dict[str, float]) -> str:
    """Return the class with the highest score; raise a Problem if these are no scores, but an error."""
    if "errorMessage" in scores:  # what Lambda answers where the function failed
        raise Problem(f"the function answered with an error: {scores['errorMessage']}")
    return max(scores, key=scores.get)


def drawing(figure, alt: str) -> Drawing:
    """Return a matplotlib figure as a picture that says in words what it shows.

    The text is in the output's metadata, under the name that nbconvert gives it (alt).
    """
    import matplotlib.pyplot as plt

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return Drawing(file.getvalue(), metadata={"alt": alt})  # Colab's IPython knows no `alt=`


def show(picture, scores: dict[str, float], kind: str) -> Drawing:
    """Draw a picture (a path or a Pillow image), and the probability of each class as a bar.

    What the scores are, the kind, is one of `meaning.KINDS`.
    """
    import matplotlib.pyplot as plt

    best(scores)  # are they scores?
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(9, 3.4), width_ratios=[1, 1.5], layout="constrained"
    )
    left.imshow(_opened(picture))
    left.axis("off")
    shares = dict(zip(scores, probabilities(list(scores.values()), kind), strict=True))
    ranked = sorted(scores, key=scores.get)[-MOST_BARS:]
    shares = [shares[name] for name in ranked]
    colors = ["lightsteelblue"] * (len(ranked) - 1) + ["tab:blue"]
    texts = [f"{share:.1%}" for share in shares]
    right.bar_label(right.barh(ranked, shares, color=colors), texts, padding=4)
    right.set_xlim(0, 1.15)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    right.set_xticks(ticks, [f"{tick:.0%}" for tick in ticks])
    right.set_xlabel("probability")
    right.spines[["top", "right"]].set_visible(False)
    name = Path(picture).name if isinstance(picture, str | Path) else "the picture"
    named = [f"{each} {text}" for each, text in zip(ranked, texts, strict=True)]
    listed = ", ".join(reversed(named))
    return drawing(
        figure,
        f"{name}: {ranked[-1]}, {texts[-1]}. Probabilities: {listed}" + _seen({name: picture}),
    )


def gallery(pictures: dict[str, object], columns: int = 4, seen: str = "") -> Drawing:
    """Draw pictures (paths or Pillow images), if there are any, side by side, each under its caption.

    Parameters
    ----------
    seen
        What one sees, in words, where the captions do not say it.
    """
    import matplotlib.pyplot as plt

    columns = max(1, min(columns, len(pictures)))
    rows = max(1, math.ceil(len(pictures) / columns))
    figure, axes = plt.subplots(rows, columns, figsize=(2.2 * columns, 2.6 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (caption, picture) in zip(axes.flat, pictures.items(), strict=False):
        axis.imshow(_opened(picture))
        axis.set_title(caption, size=10)
    figure.tight_layout()
    captions = "; ".join(" ".join(caption.split()) for caption in pictures)
    return drawing(figure, f"Pictures: {captions}" + (f". {seen}" if seen else _seen(pictures)))


def _seen(pictures: dict[str, object]) -> str:
    """Return a sentence on what pictures show, by their captions, as far as they are samples."""
    files = [
        picture if isinstance(picture, str | Path) else caption
        for caption, picture in pictures.items()
    ]
    seen = [SEEN[stem] for stem in (Path(file).stem for file in files) if stem in SEEN]
    return f". Drawn: {', '.join(seen)}" if seen else ""


def _opened(picture) -> Image.Image:
    """Return a picture for what may be its path or its pixels, an array from 0 to 255."""
    if isinstance(picture, np.ndarray):
        return Image.fromarray(np.squeeze(np.rint(picture)).astype("uint8")).convert("RGB")
    return Image.open(picture) if isinstance(picture, str | Path) else picture


def bars(values: dict[str, float], label: str, form: str = "{:,.1f}") -> Drawing:
    """Draw a horizontal bar for each value, with the label of the axis."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 0.8 + 0.35 * len(values)))
    texts = [form.format(value) for value in values.values()]
    axis.bar_label(
        axis.barh(list(values), list(values.values()), color="tab:blue"), texts, padding=4
    )
    axis.invert_yaxis()
    axis.margins(x=0.15)
    axis.set_xlabel(label)
    axis.spines[["top", "right"]].set_visible(False)
    listed = "; ".join(f"{name} {text}" for name, text in zip(values, texts, strict=True))
    return drawing(figure, f"{label}: {listed}")


def chain(*programs: str) -> Drawing:
    """Draw programs as boxes, with an arrow from each to the next; "name: what it does" each."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(2.5 * len(programs), 1.3))
    axis.axis("off")
    axis.set_xlim(-0.5, len(programs) - 0.5)
    axis.set_ylim(-0.6, 0.6)
    for place, program in enumerate(programs):
        name, _, does = program.partition(": ")
        last = place == len(programs) - 1
        box = {"boxstyle": "round,pad=0.6", "edgecolor": "tab:blue"}
        box["facecolor"] = "lightsteelblue" if last else "white"
        axis.text(place, 0.12, name, ha="center", va="center", weight="bold", bbox=box)
        axis.text(place, -0.48, does, ha="center", va="center", size=9)
        if not last:
            arrow = {"arrowstyle": "<->", "color": "grey"}
            axis.annotate("", (place + 0.6, 0.12), (place + 0.4, 0.12), arrowprops=arrow)
    return drawing(figure, "Programs in a row, each talking to the next: " + "; ".join(programs))


def threads(*counts: int) -> Drawing:
    """Draw when each of the two CPUs works that Lambda shows, with so many threads, at 1,769 MB.

    Lambda gives the time of one CPU then: 20 ms in each 20 ms, for all threads together.
    """
    import matplotlib.pyplot as plt

    colors = {"works": "tab:blue", "stands still": "lightsteelblue", "has no thread": "white"}
    figure, axes = plt.subplots(1, len(counts), figsize=(9, 1.5), sharey=True)
    for axis, count in zip(np.atleast_1d(axes), counts, strict=True):
        spent = 20 / count  # ms of each 20, until the share is used up
        for cpu in range(2):
            for start in range(0, 60, 20):
                spans = {"works": (start, spent), "stands still": (start + spent, 20 - spent)}
                if cpu >= count:
                    spans = {"has no thread": (start, 20)}
                for what, span in spans.items():
                    look = {"facecolor": colors[what], "edgecolor": "grey", "linewidth": 0.5}
                    axis.broken_barh([span] if span[1] else [], (cpu - 0.35, 0.7), **look)
        axis.set_xlim(0, 60)
        axis.set_ylim(1.5, -0.5)
        axis.set_yticks([0, 1], ["CPU 1", "CPU 2"])
        axis.set_xticks(range(0, 61, 20), [f"{ms} ms" for ms in range(0, 61, 20)])
        axis.set_title(f"{count} thread{'s' * (count > 1)}", size=10)
        axis.spines[["top", "right"]].set_visible(False)
    boxes = [plt.Rectangle((0, 0), 1, 1, fc=color, ec="grey") for color in colors.values()]
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.08)}
    figure.legend(boxes, colors, ncols=len(colors), fontsize=8, frameon=False, **place)
    said = {1: "with 1 thread, one CPU works all the time and the other has no thread"}
    said |= {2: "with 2 threads, both CPUs work for 10 ms and stand still for the other 10"}
    return drawing(
        figure, f"When CPUs work in each 20 ms: {'; '.join(said[count] for count in counts)}"
    )


def table(rows: list[dict]) -> Markdown:
    """Return rows, dicts with the keys of the first, as a table; what is a number stands to the right."""
    keys = list(rows[0])
    rows = [{key: row.get(key, "") for key in keys} for row in rows]
    number = [all(re.fullmatch(r"[-+−\d.,% $]+", str(row[key])) for row in rows) for key in keys]
    lines = [keys, ["--:" if right else ":--" for right in number]]
    lines += [[str(row[key]).replace("|", "\\|") for key in keys] for row in rows]
    return Markdown("\n".join(f"| {' | '.join(cells)} |" for cells in lines))
