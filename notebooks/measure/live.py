"""The runtimes that are installed here, timed in less than a minute, and the same from the record."""

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryFile

import walk

from measure import reading

PROGRAM = Path(__file__).parent / "programs" / "time_variants.py"
RUNTIMES = {  # the record's name for the interpreter in each package
    "tensorflow": "tf.lite",
    "tflite-runtime": "tflite-runtime",
    "ai-edge-litert": "litert",
}


def time_here(files: dict[str, str]) -> dict[str, dict]:
    """Time `invoke` and the start of each runtime that is installed here, in a process of its own.

    Parameters
    ----------
    files
        The model's .tflite files, by variant.

    Returns
    -------
    dict
        For each runtime `start_s`, the seconds from nothing to the first answer, and `invoke_ms`, the
        median milliseconds of `invoke` by variant. A variant that it cannot load is missing.
    """
    expected = walk.load("generated/expected-scores.json")
    given = {"picture": expected["image"], "preprocessing": expected["preprocessing"]}
    packages = [*walk.runtimes(), "tensorflow"]
    return {RUNTIMES[p]: _time({"package": p, "files": files} | given) for p in packages}


def _time(settings: dict) -> dict:
    """Run the program that times one package."""
    command = [sys.executable, PROGRAM, json.dumps(settings)]
    with TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        process.stdout.readline()
        start_s = time.perf_counter() - began
        said, _ = process.communicate()
        if process.returncode:
            errors.seek(0)
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:]
            raise walk.Problem(f"{settings['package']} could not be timed: {''.join(last)}")
    return {"start_s": start_s, "invoke_ms": json.loads(said)}


def recorded(record: dict) -> dict[str, dict]:
    """Return the same of our model as the record has it, with one thread."""
    found = {}
    for (model, runtime, variant), each in reading.contenders(record).items():
        if model == "ours" and runtime in RUNTIMES.values():
            start_s = reading.start_s(record, model, runtime)
            timed = found.setdefault(runtime, {"start_s": start_s, "invoke_ms": {}})
            timed["invoke_ms"][variant] = each["parts_ms"]["invoke"]
    return found


def side_by_side(here: dict[str, dict], record: dict[str, dict]) -> list[dict]:
    """Return the rows of a table: each runtime here, and below it in the record."""
    variants = max((timed["invoke_ms"] for timed in here.values()), key=len)
    rows = []
    for runtime in here:
        for where, timed in {"here": here, "record": record}.items():
            row = {"runtime": runtime, "": where, "start (s)": f"{timed[runtime]['start_s']:.2f}"}
            for variant in variants:
                ms = timed[runtime]["invoke_ms"].get(variant)
                row[f"{variant} (ms)"] = "-" if ms is None else f"{ms:.1f}"
            rows.append(row)
    return rows
