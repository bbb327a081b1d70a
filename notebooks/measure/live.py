"""The runtimes that are installed here, timed in less than a minute, and the same from the record."""

import json
import re
import statistics
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
ROUNDS = 8


class Worker:
    """A process in which one package's interpreter has loaded the files; see time_variants.py.

    Attributes
    ----------
    start_s
        The seconds from nothing to its first answer.
    """

    def __init__(self, **settings):
        self.package = settings["package"]
        self.errors = TemporaryFile()
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self._line()
        self.start_s = time.perf_counter() - began

    def turn(self) -> dict[str, list[float]]:
        """Let it invoke each variant a few times; return the milliseconds."""
        print("go", file=self.process.stdin, flush=True)
        return json.loads(self._line())

    def _line(self) -> str:
        """Return the next line that it says; a Problem if it has ended."""
        if line := self.process.stdout.readline():
            return line
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace")
        last = re.findall(r"^\w+: .*", said, re.MULTILINE)[-1:]  # of a traceback: the error
        raise walk.Problem(f"{self.package} could not be timed: {''.join(last)}")

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()
        self.errors.close()


def time_here(files: dict[str, str]) -> dict[str, dict]:
    """Time the start and `invoke` of each runtime that is installed here, in a process of its own.

    All processes, and in each of them all variants, take turns.

    Parameters
    ----------
    files
        The model's .tflite files, by variant.

    Returns
    -------
    dict
        For each runtime `start_s`, the seconds from nothing to the first answer, and `invoke_ms`, the
        median milliseconds of `invoke` by variant. A variant that it cannot load is missing.

    Raises
    ------
    walk.Problem
        A runtime does not start, or cannot load the first file.
    """
    picture = walk.load("generated/expected-scores.json")["image"]
    workers = []
    try:
        for package in [*walk.runtimes(), "tensorflow"]:
            workers.append(Worker(package=package, files=files, picture=picture))
        rounds = [[worker.turn() for worker in workers] for _ in range(ROUNDS)]
    finally:
        for worker in workers:
            worker.stop()
    return {
        RUNTIMES[worker.package]: {
            "start_s": worker.start_s,
            "invoke_ms": {
                variant: statistics.median(ms for turn in turns for ms in turn[variant])
                for variant in turns[0]
            },
        }
        for worker, turns in zip(workers, zip(*rounds, strict=True), strict=True)
    }


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
