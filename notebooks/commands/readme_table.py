"""Make README's table of measurements from generated/published/measurements.json.

python notebooks/commands readme_table           writes it
python notebooks/commands readme_table --check   says whether it is up to date
"""

import statistics
from pathlib import Path

import walk
from measure.quota import WHOLE_CORE
from measure.ratios import WORDS, by_name, times

RECORD, README = "generated/published/measurements.json", Path("README.md")
BEGIN, END = "<!-- measurements -->\n", "<!-- end of measurements -->\n"
COURSE = "the course's"
LABELS = {
    COURSE: "the course's function: Xception, tflite-runtime",
    "its successor": "its successor: Xception, ONNX Runtime",
    "ours (image)": "**ours**, image: tflite-runtime",
    "ours (zip)": "**ours**, zip: LiteRT",
    "ours (zip, int8)": "**ours**, zip: LiteRT, int8",
    "ours (zip, ONNX Runtime)": "**ours**, zip: ONNX Runtime",
}
SHARED = "with what Lambda gives at 1,769 MB: the time of one CPU, spread over two"
HOW = {"cgroup v1": SHARED, "cgroup v2": SHARED, "one core": "on one core"}
UNITS = {"warm request": "ms", "cold start": "s", "peak memory": "MB", "unpacked size": "MB"}


def values(function: dict) -> dict[str, float]:
    """Return what the table says of a function."""
    return {
        "warm request": statistics.median(function["request_ms"][str(WHOLE_CORE)]["rounds"]),
        "cold start": statistics.median(function["cold_start_s"]),
        "peak memory": function["peak_memory_mb"],
        "unpacked size": function["unpacked_mb"],
    }


def table(record: dict) -> str:
    """Return the table as Markdown: the course's function in numbers, the others against it."""
    ratios = by_name(record)
    heads = ["", *WORDS, "accuracy"]
    lines = [f"| {' | '.join(heads)} |", "|:--|" + "--:|" * (len(heads) - 1)]
    compared = {name: LABELS[name] for name in LABELS if name in record["functions"]}
    for name, label in compared.items():
        function = record["functions"][name]
        cells = [
            times(ratios[name, COURSE, measure], WORDS[measure])
            if (name, COURSE, measure) in ratios
            else f"{value:,.3g} {UNITS[measure]}"
            for measure, value in values(function).items()
        ]
        accuracy = function["accuracy"]
        cells.append("not measured" if accuracy is None else f"{accuracy:.3f}")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", footnote(record)]) + "\n"


def footnote(record: dict) -> str:
    """Return how the table was measured, and how far to trust it."""
    how = HOW[record["machine"]["processor"]]
    spreads = [
        f"{each['lowest']:.1f} to {each['highest']:.1f}"
        for each in record["ratios"]
        if (each["other"], each["measure"]) == (COURSE, "warm request")
    ]
    text = (
        f"Measured on {record['date']} under AWS's emulator, {how}; medians. From round to round, "
        f"warm requests were {', '.join(spreads[:-1])} and {spreads[-1]} times faster."
    )
    if record["photos"]:
        text += (
            f" The accuracy is that on {record['photos']} validation photos, mostly by senders of "
            "training photos; lesson 9 says whether int8's loss is more than chance."
        )
    return text


def main(what: str = "") -> str | None:
    """Write the table, or check it; return the message to fail with, if it failed."""
    if not Path(RECORD).exists():
        return f"{RECORD} is missing: `make measure`, then `make publish`, make it."
    text = README.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        return f"README.md has no place for the table: the lines {BEGIN.strip()} and {END.strip()}."
    new = before + BEGIN + table(walk.load(RECORD)) + END + after
    if what != "--check":
        walk.save(README, new)
    elif new != text:
        return "README.md's table differs: run `python notebooks/commands readme_table`."
    return None
