"""Make README's table of measurements from generated/measurements.json.

python notebooks/readme_table.py           writes it
python notebooks/readme_table.py --check   says whether it is up to date
"""

import json
import statistics
import sys
from pathlib import Path

BEGIN, END = "<!-- measurements -->\n", "<!-- end of measurements -->\n"
LABELS = {
    "the course's": "the course's function: Xception, tflite-runtime",
    "its successor": "its successor: Xception, ONNX Runtime",
    "ours (image)": "**ours**, image: tflite-runtime",
    "ours (zip)": "**ours**, zip: LiteRT",
    "ours (zip, int8)": "**ours**, zip: LiteRT, int8",
}


def less(ratio: dict) -> str:
    """How many times less, with the spread if there is any."""
    spread = f", {ratio['lowest']:.1f} to {ratio['highest']:.1f}"
    return (
        f" ({ratio['ratio']:.1f} times less{spread if ratio['lowest'] < ratio['highest'] else ''})"
    )


def table(record: dict) -> str:
    """The table as Markdown; behind our figures stands how many times less than the course's."""
    ratios = {
        (each["ours"], each["measure"]): less(each)
        for each in record["ratios"]
        if each["other"] == "the course's"
    }
    lines = [
        "| function | warm request (ms) | cold start (s) | peak memory (MB) | unpacked (MB) | accuracy |",
        "|:--|--:|--:|--:|--:|--:|",
    ]
    for name, label in LABELS.items():
        function = record["functions"][name]
        cells = []
        for measure, value in (
            ("warm request", statistics.median(function["request_ms"]["1"]["rounds"])),
            ("cold start", statistics.median(function["cold_start_s"])),
            ("peak memory", function["peak_memory_mb"]),
            ("unpacked size", function["unpacked_mb"]),
        ):
            cells.append(f"{value:,.3g}" + ratios.get((name, measure), ""))
        accuracy = function["accuracy"]
        cells.append("not measured" if accuracy is None else f"{accuracy:.3f}")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    machine = record["machine"]
    sets = ", ".join(machine["instruction_sets"])
    lines += [
        "",
        f"Measured on {record['date']} under AWS's emulator, on one core of {machine['cores']} "
        f"({machine['architecture']}, {sets}). The values are medians; the ratios are medians of "
        f"those of each round, with the lowest and the highest.",
    ]
    if record["photos"]:
        lines[-1] += f" The accuracy is that on {record['photos']} validation photos."
    return "\n".join(lines) + "\n"


def main(*arguments: str) -> str | None:
    """Write the table, or check it; return the message to fail with, if it failed."""
    try:
        record = json.loads(Path("generated/measurements.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "generated/measurements.json is missing: run `make measure`."
    readme = Path("README.md")
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        return f"README.md has no place for the table: the lines {BEGIN.strip()} and {END.strip()}."
    new = before + BEGIN + table(record) + END + after
    if "--check" not in arguments:
        part = Path("README.part")
        part.write_text(new, encoding="utf-8")
        part.replace(readme)
    elif new != text:
        return "README.md's table differs: run `python notebooks/readme_table.py`."
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
