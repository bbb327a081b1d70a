"""The drawings of lesson 9 and its appendix. Each says in words, as its alternative text, what it shows."""

from itertools import zip_longest

import matplotlib.pyplot as plt
import numpy as np
import walk
from IPython.display import Image

COLORS = plt.cm.tab10.colors
WIDTH = 8.5  # inches
MOST_PARTS = 7  # that have a color of their own


def _bare(axis, label: str) -> None:
    """Label the horizontal axis, and leave out the lines around that nobody needs."""
    axis.set_xlabel(label)
    axis.spines[["top", "right"]].set_visible(False)


def _legend_above(axis, colors: dict) -> None:
    """Say what the colors mean, above the drawing, where nothing else is."""
    handles = [plt.Rectangle((0, 0), 1, 1, color=color) for color in colors.values()]
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1)}
    axis.legend(handles, colors, ncols=min(5, len(colors)), fontsize=8, frameon=False, **place)


def _with_others(rows: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return the rows with their least important parts put together as "others"."""
    importance = {}
    for parts in rows.values():
        whole = sum(parts.values())
        for part, value in parts.items():
            importance[part] = max(importance.get(part, 0), value / whole)
    kept = sorted(importance, key=importance.get, reverse=True)[:MOST_PARTS]
    if len(kept) == len(importance):
        return rows
    return {
        name: {part: value for part, value in parts.items() if part in kept}
        | {"others": sum(value for part, value in parts.items() if part not in kept)}
        for name, parts in rows.items()
    }


def stacked(rows: dict[str, dict[str, float]], label: str, form: str = "{:,.1f}") -> Image:
    """Draw a bar for each row, made of its parts, with their sum beside it.

    Parameters
    ----------
    rows
        The name of each row, and its parts: their names and values.
    label
        What the values are, with their unit.
    form
        How a value is written.
    """
    rows = _with_others(rows)
    names = list(dict.fromkeys(part for parts in rows.values() for part in parts))
    names.sort(key="others".__eq__)  # to the end
    colors = dict(zip_longest(names, COLORS[: len(names)], fillvalue="grey"))
    colors["others"] = "lightgrey"
    figure, axis = plt.subplots(figsize=(WIDTH, 1.5 + 0.35 * len(rows)))
    said = []
    for y, (row, parts) in enumerate(rows.items()):
        left = 0
        for part, value in parts.items():
            axis.barh(y, value, left=left, color=colors[part])
            left += value
        axis.text(left, y, "  " + form.format(left), va="center")
        written = {part: form.format(value) for part, value in parts.items()}
        listed = ", ".join(f"{p} {text}" for p, text in written.items() if text != form.format(0))
        said.append(f"{row} {form.format(left)} ({listed})")
    axis.set_yticks(range(len(rows)), list(rows))
    axis.invert_yaxis()
    axis.margins(x=0.12)
    _bare(axis, label)
    _legend_above(axis, {name: colors[name] for name in names})
    return walk.drawing(figure, f"{label}: {'; '.join(said)}")


def grouped(rows: dict[str, dict[str, float]], label: str, form: str = "{:,.0f}") -> Image:
    """Draw several bars for each row, one below the other.

    Parameters
    ----------
    rows
        The name of each row, and its bars: their names and values. A row may lack some.
    label
        What the values are, with their unit.
    form
        How a value is written.
    """
    names = list(dict.fromkeys(name for bars in rows.values() for name in bars))
    height = 0.8 / len(names)
    figure, axis = plt.subplots(figsize=(WIDTH, 1.2 + 0.2 * len(names) * len(rows)))
    said = []
    for y, (row, bars) in enumerate(rows.items()):
        for name, value in bars.items():
            place = names.index(name)
            at = y - 0.4 + height * (place + 0.5)
            axis.barh(at, value, 0.92 * height, color=COLORS[place])
            axis.text(value, at, "  " + form.format(value), va="center", size=8)
        said.append(f"{row}: " + ", ".join(f"{name} {form.format(v)}" for name, v in bars.items()))
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.margins(x=0.12)
    _bare(axis, label)
    _legend_above(axis, dict(zip(names, COLORS, strict=False)))
    return walk.drawing(figure, f"{label}. {'; '.join(said)}")


def dots(values: dict[str, list[float]], label: str, dot: str, form: str = "{:,.1f}") -> Image:
    """Draw a dot for each value, and a line at the median.

    Parameters
    ----------
    values
        The name of each row, and its values.
    label
        What the values are, with their unit.
    dot
        What a dot is.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 0.8 + 0.4 * len(values)))
    said = []
    for y, (name, each) in enumerate(values.items()):
        axis.plot(each, [y] * len(each), "o", color="tab:blue", alpha=0.4, markeredgewidth=0)
        axis.plot(np.median(each), y, "|", color="black", markersize=16)
        low, middle, high = (form.format(f(each)) for f in (min, np.median, max))
        said.append(f"{name} {low} to {high}, median {middle}")
    axis.set_yticks(range(len(values)), list(values))
    axis.set_ylim(len(values) - 0.5, -0.5)
    axis.set_xlim(left=0)
    _bare(axis, f"{label}; a dot is {dot}, the line is the median")
    return walk.drawing(figure, f"{label}: {'; '.join(said)}")


def by_memory(
    curves: dict[str, dict[int, float]], label: str, form: str = "{:,.0f}", log: bool = True
) -> Image:
    """Draw a point for each memory setting (MB) of each curve, the settings on a logarithmic axis.

    Parameters
    ----------
    curves
        The name of each curve, and its value at each setting.
    label
        What the values are, with their unit.
    form
        How a value is written.
    log
        Whether the values' axis is logarithmic, too; else it begins at zero.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 3.6))
    said = []
    for (name, values), mark in zip(curves.items(), "os^Dv", strict=False):
        axis.plot(list(values), list(values.values()), marker=mark, markersize=5, label=name)
        listed = ", ".join(f"{memory:,} MB {form.format(v)}" for memory, v in values.items())
        said.append(f"{name}: {listed}")
    settings = sorted({memory for values in curves.values() for memory in values})
    axis.set_xscale("log")
    if log:
        axis.set_yscale("log")
        found = [value for values in curves.values() for value in values.values()]
        low, high = min(found) / 1.3, max(found) * 1.3
        steps = [step * 10**power for power in range(-3, 6) for step in (1, 2, 5)]
        axis.set_yticks([step for step in steps if low < step < high])
        axis.set_ylim(low, high)
    else:
        axis.set_ylim(bottom=0)
    axis.yaxis.set_major_formatter(lambda value, _: form.format(value))
    axis.minorticks_off()
    axis.set_xticks(settings, [f"{each:,}" for each in settings])
    axis.grid(color="lightgrey", linewidth=0.6)
    axis.set_ylabel(label)
    axis.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    _bare(axis, "memory setting (MB); 1,769 MB buy the time of one CPU")
    return walk.drawing(figure, f"{label}. {'; '.join(said)}")
