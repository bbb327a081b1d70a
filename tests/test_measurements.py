"""The measurements: notebook 5 runs, its record is complete, and README quotes that record."""

import json
import math
import re

import pytest
from conftest import REPOSITORY, make, run

pytestmark = pytest.mark.xdist_group("walk")

RUNTIMES = {"keras", "tf.lite", "tflite-runtime", "litert", "onnxruntime"}
FUNCTIONS = {"the course's", "its successor", "our zip before", "… compiled", "nothing"}
FUNCTIONS |= {"ours (image)", "ours (zip)", "ours (zip, int8)"}
TRACKED = "generated/measurements.json", "generated/05-measurements.ipynb", "README.md"


def numbers(value):
    """All numbers within a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for each in value for number in numbers(each)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def complete(record):
    """Whether the record has every contender and function, and sound numbers for all of them."""
    assert record["schema"] == 1
    for model in "ours", "xception":
        rows = [row for row in record["contenders"] if row["model"] == model]
        assert {row["runtime"] for row in rows if row["loads"]} == RUNTIMES
    for row in record["contenders"]:
        measured = [row[key] for key in ("start_s", "request_ms", "peak_memory_mb") if row["loads"]]
        assert all(math.isfinite(n) and n > 0 for n in numbers([row["bytes"], *measured]))
    assert set(record["functions"]) == FUNCTIONS
    for function in record["functions"].values():
        measured = [function[key] for key in ("cold_start_s", "request_ms", "peak_memory_mb")]
        assert all(math.isfinite(n) and n > 0 for n in numbers(measured))
    assert record["machine"]["cores"] >= 1 and record["prices"]["gb_second"] > 0


@pytest.fixture(scope="module")
def measured(walk):
    """The copy of the repository in which `make measure QUICK=1` has run.

    The environments of the contenders are the repository's: they are large, and built once.
    """
    environments = REPOSITORY / ".cache" / "environments"
    environments.mkdir(parents=True, exist_ok=True)
    (walk / ".cache" / "environments").symlink_to(environments)
    before = [(walk / name).read_bytes() for name in TRACKED]
    make(walk, "measure", "QUICK=1", "DATASET=")  # whatever is set here
    assert [(walk / name).read_bytes() for name in TRACKED] == before
    return walk


def test_a_quick_run_measures_every_contender_and_leaves_what_is_tracked(measured):
    record = json.loads((measured / "generated/measurements/trial.json").read_text())
    complete(record)
    assert record["quick"] and any("DATASET" in reason for reason in record["left_out"])


def test_the_record_is_complete():
    record = json.loads((REPOSITORY / "generated/measurements.json").read_text())
    complete(record)
    assert not record["quick"]
    unloadable = {(r["runtime"], r["precision"]) for r in record["contenders"] if not r["loads"]}
    assert unloadable == {("tflite-runtime", "dynamic-range")}
    for row in record["contenders"]:
        if row["loads"]:
            assert row["request_ms"]["1"]["requests"] >= 50
    for function in record["functions"].values():
        assert function["request_ms"]["1"]["requests"] >= 50


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("DATASET=nowhere", "DATASET=nowhere: no photos in validation/dress"),
        ("MODEL_COURSE=nowhere.h5", "MODEL_COURSE=nowhere.h5: there is no such file."),
    ],
)
def test_what_is_not_there_gets_one_clear_message(measured, setting, message):
    process = run(["make", "VENV=", "measure", setting], measured)
    assert process.returncode != 0
    assert message in process.stderr and "Traceback" not in process.stderr


def test_the_record_names_no_machine_and_no_path():
    text = (REPOSITORY / "generated/measurements.json").read_text()
    assert not re.search(r'"/|/home|/tmp|/root', text)


def test_readme_quotes_the_record():
    process = run(["python", "notebooks/readme_table.py", "--check"], REPOSITORY)
    assert process.returncode == 0, process.stderr
