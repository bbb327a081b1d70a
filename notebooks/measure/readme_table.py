"""Make README's table of measurements from generated/measurements.json.

python notebooks/measure/readme_table.py           writes it
python notebooks/measure/readme_table.py --check   says whether it is up to date
"""

import statistics
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))  # where walk/ and measure/ are

import walk  # noqa: E402

from measure.ratios import WORDS, by_name, times  # noqa: E402

RECORD, README = "generated/measurements.json", Path("README.md")
BEGIN, END = "<!-- measurements -->\n", "<!-- end of measurements -->\n"
COURSE = "the course's"
LABELS = {
    COURSE: "the course's function: Xception, tflite-runtime",
    "its successor": "its successor: Xception, ONNX Runtime",
    "ours (image)": "**ours**, image: tflite-runtime",
    "ours (zip)": "**ours**, zip: LiteRT",
    "ours (zip, int8)": "**ours**, zip: LiteRT, int8",
}
UNITS = {"warm request": "ms", "cold start": "s", "peak memory": "MB", "unpacked size": "MB"}


def values(function: dict) -> dict[str, float]:
    """Return what the table says of a function."""
    return {
        "warm request": statistics.median(function["request_ms"]["1"]["rounds"]),
        "cold start": statistics.median(function["cold_start_s"]),
        "peak memory": function["peak_memory_mb"],
        "unpacked size": function["unpacked_mb"],
    }


def table(record: dict) -> str:
    """Return the table as Markdown; behind our values stands how they compare to the course's."""
    ratios = by_name(record)
    heads = ["function", *(f"{measure} ({unit})" for measure, unit in UNITS.items()), "accuracy"]
    lines = [f"| {' | '.join(heads)} |", "|:--|" + "--:|" * (len(heads) - 1)]
    for name, label in LABELS.items():
        function = record["functions"][name]
        cells = []
        for measure, value in values(function).items():
            ratio = ratios.get((name, COURSE, measure))
            words = f" ({times(ratio, WORDS[measure])})" if ratio else ""
            cells.append(f"{value:,.3g}{words}")
        accuracy = function["accuracy"]
        cells.append("not measured" if accuracy is None else f"{accuracy:.3f}")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    machine = record["machine"]
    lines += [
        "",
        f"Measured on {record['date']} under AWS's emulator, on one core of {machine['cores']} "
        f"({machine['architecture']}, {', '.join(machine['instruction_sets'])}). The values are "
        "medians; in brackets stands the comparison with the course's function, the median of all "
        "rounds.",
    ]
    if record["photos"]:
        lines[-1] += f" The accuracy is that on {record['photos']} validation photos."
    return "\n".join(lines) + "\n"


def main(*arguments: str) -> str | None:
    """Write the table, or check it; return the message to fail with, if it failed."""
    if not Path(RECORD).exists():
        return f"{RECORD} is missing: run `make measure`."
    text = README.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        return f"README.md has no place for the table: the lines {BEGIN.strip()} and {END.strip()}."
    new = before + BEGIN + table(walk.load(RECORD)) + END + after
    if "--check" not in arguments:
        walk.save(README, new)
    elif new != text:
        return "README.md's table differs: run `python notebooks/measure/readme_table.py`."
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
