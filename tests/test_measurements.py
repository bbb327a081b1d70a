"""The measurements: they run, their record is complete, lesson 9 draws it and README quotes it."""

import json
import math
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import walk
from commands.lock import locked
from conftest import REPOSITORY, but_bars, environment, make, run, wait_for_command
from measure import environments, figures, live, quota, ratios
from measure import record as records
from walk import costs

pytestmark = pytest.mark.xdist_group("measurements")

RUNTIMES = {"keras", "tf.lite", "tflite-runtime", "litert", "onnxruntime"}
OURS = {"ours (image)", "ours (zip)", "ours (zip, int8)"}
OTHERS = {"the course's", "the course's, one thread", "its successor", "its successor, one thread"}
FLOORS = {"nothing", "waiting", "NumPy alone (image)", "NumPy alone (zip)"}
FUNCTIONS = OURS | OTHERS | FLOORS | {"our zip before", "… compiled"}
ON_ONNX = "ours (zip, ONNX Runtime)"  # a record made before the appendix on ONNX lacks it
KEPT = "generated/published/measurements.json", "generated/09-measurements.ipynb", "README.md"


def numbers(value):
    """All numbers within a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for each in value for number in numbers(each)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def complete(record):
    """Whether the record has every contender and function, and sound numbers for all of them."""
    assert record["schema"] == 2
    for model in "ours", "xception":
        rows = [row for row in record["contenders"] if row["model"] == model]
        assert {row["runtime"] for row in rows if row["loads"]} == RUNTIMES
    for row in record["contenders"]:
        measured = [row[key] for key in ("start_s", "request_ms", "peak_memory_mb") if row["loads"]]
        assert all(math.isfinite(n) and n > 0 for n in numbers([row["bytes"], *measured]))
    assert set(record["functions"]) - {ON_ONNX} == FUNCTIONS
    for function in record["functions"].values():
        measured = [function[key] for key in ("cold_start_s", "request_ms", "peak_memory_mb")]
        assert all(math.isfinite(n) and n > 0 for n in numbers(measured))
    for name in OURS | ({ON_ONNX} & set(record["functions"])):
        function = record["functions"][name]
        assert all(n > 0 for n in numbers([function["threads_ms"], function["start_parts_s"]]))
        assert set(function["threads_ms"]) == {"1", "2"} and len(function["start_parts_s"]) == 8
    assert record["machine"]["cores"] >= 1 and record["prices"]["gb_second"] > 0
    assert record["machine"]["processor"] in ("cgroup v1", "cgroup v2", "one core")


@pytest.fixture(scope="module")
def measured(own_walk):
    """A copy of the walk in which `make measure QUICK=1` has run."""
    before = [(own_walk / name).read_bytes() for name in KEPT]
    make(own_walk, "measure", "QUICK=1", "DATASET=")  # whatever is set here
    assert [(own_walk / name).read_bytes() for name in KEPT] == before
    return own_walk


def test_a_quick_run_measures_every_contender_and_leaves_what_is_published(measured):
    record = json.loads((measured / "generated/measurements/trial.json").read_text())
    complete(record)
    assert ON_ONNX in record["functions"]
    assert not (measured / "generated/measurements.json").exists(), "a trial is no record"
    assert record["quick"] and any("DATASET" in reason for reason in record["left_out"])


@pytest.mark.parametrize("copy", ["trial", "trial-in-depth"])
def test_the_lesson_and_its_appendix_draw_that_record_too(measured, copy):
    text = (measured / f"generated/measurements/{copy}.ipynb").read_text(encoding="utf-8")
    assert "QUICK is given" in text and "image/png" in text


def test_the_record_is_complete():
    record = json.loads((REPOSITORY / "generated/published/measurements.json").read_text())
    complete(record)
    assert not record["quick"]
    unloadable = {(r["runtime"], r["precision"]) for r in record["contenders"] if not r["loads"]}
    assert unloadable == {("tflite-runtime", "dynamic-range")}
    for row in record["contenders"]:
        if row["loads"]:
            assert set(row["request_ms"]) == {"as documented", "one thread"}
            assert all(ms["requests"] >= 50 for ms in row["request_ms"].values())
    for function in record["functions"].values():
        assert function["request_ms"]["1769"]["requests"] >= 50
    if record["machine"]["processor"] != "one core":
        assert {"512", "1024", "1769"} <= set(record["functions"]["the course's"]["request_ms"])
        assert {"128", "256"} <= set(record["functions"]["ours (zip)"]["request_ms"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("DATASET=nowhere", "DATASET=nowhere: no photos in validation/dress"),
        ("MODEL_COURSE=nowhere.h5", "MODEL_COURSE=nowhere.h5: there is no such file."),
        ("RECORD=no/where.json", "RECORD=no/where.json: there is no such folder."),
    ],
)
def test_what_is_not_there_gets_one_clear_message(measured, setting, message):
    process = run([sys.executable, "notebooks/commands", "measure", setting], measured)
    assert process.returncode != 0
    assert message in process.stderr and "Traceback" not in process.stderr


@pytest.mark.parametrize("seconds", [0, 4])  # still importing; at work
def test_ctrl_c_gets_one_line_and_leaves_the_record(measured, seconds):
    record = measured / "generated/measurements/trial.json"
    before = record.read_bytes()
    process = subprocess.Popen(
        [sys.executable, "notebooks/commands", "measure", "QUICK=1", f"RECORD={record}"],
        cwd=measured,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_command(process)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 1
    whole = "The measurements were stopped; the record is as it was."
    assert but_bars(said) in ([whole], ["measure was stopped."])
    assert record.read_bytes() == before


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(11.3, "11 times faster"), (1.57, "1.6 times faster"), (1.01, "the same")]
    + [(0.5, "2.0 times slower")],
)
def test_a_ratio_is_said_as_people_say_it(ratio, words):
    assert ratios.times(ratio, "faster") == words


def test_a_runtime_that_cannot_be_timed_says_why_in_one_line(own_walk, monkeypatch):
    monkeypatch.chdir(own_walk)
    with pytest.raises(
        walk.Problem, match="could not be timed: ValueError: Model provided"
    ) as error:
        live.time_here({"float32": "notebooks/assets/jeans.png"})
    assert len(str(error.value).splitlines()) == 1


def test_less_memory_for_more_time_costs_the_same_and_the_gateway_comes_on_top():
    alone = costs.request(99.5, 2048)  # ms, and half a one for counting whole ones
    assert alone == pytest.approx({"the call": 0.2e-6, "the function's time": 0.2 * 16.6667e-6})
    assert costs.request(199.5, 1024) == pytest.approx(alone)
    web = costs.request(99.5, 2048, web=True)
    assert sum(web.values()) - sum(alone.values()) == pytest.approx(costs.HTTP_REQUEST)
    assert costs.compute(1, 1024, "arm64") < costs.compute(1, 1024)


def test_a_million_pictures_cost_less_in_large_batches():
    """And with the numbers of lesson 10, what AWS's prices say, added up by hand."""
    found = costs.catalogue(1_000_000, 100, seconds=45_000, memory=1769)
    by_hand = {
        "Step Functions": 10_000 * 26e-6 + 45_000 / 16 * 16.67e-6,
        "the function's time": 45_000 * 1769 / 1024 * 16.6667e-6,
        "the function's calls": 10_000 * 0.2e-6,
        "S3": 0.4 + 1000 * 5e-6 + 10_000 * 5e-6,
    }
    assert found == pytest.approx(by_hand)
    alone = costs.catalogue(1_000_000, 1, seconds=45_000, memory=1769)
    assert sum(alone.values()) > 10 * sum(found.values())


def test_a_curve_by_memory_says_its_numbers_and_labels_both_axes(monkeypatch):
    """On a logarithmic axis, too, and no value stands beside a point, where it would hide another."""
    drawn = []
    monkeypatch.setattr(figures.walk, "drawing", lambda figure, alt: drawn.append((figure, alt)))
    figures.by_memory({"ours": {128: 220.0, 1769: 14.0}, "other": {1769: 14.5}}, "milliseconds")
    ((figure, alt),) = drawn
    (axis,) = figure.axes
    assert alt == "milliseconds. ours: 128 MB 220, 1,769 MB 14; other: 1,769 MB 14"
    assert [label.get_text() for label in axis.get_xticklabels()] == ["128", "1,769"]
    figure.canvas.draw()
    assert [label.get_text() for label in axis.get_yticklabels()] == ["20", "50", "100", "200"]
    assert list(axis.texts) == []
    figures.plt.close(figure)


BUSY = """
import time
began = time.monotonic()
while time.monotonic() < began + 1:
    pass
print(time.process_time())
"""


def test_a_limited_program_gets_lambdas_share_of_the_processor():
    processor = quota.find()
    if processor.parent is None:
        pytest.skip("this machine lets us make no control group")
    with processor.limited(442) as limit:  # MB: a quarter of a CPU
        said = subprocess.run([*limit, sys.executable, "-c", BUSY], capture_output=True, text=True)
    assert 0 < float(said.stdout) < 0.35  # seconds of one second
    assert not list(processor.parent.glob(f"{quota.PREFIX}*"))
    assert processor.settings([128, 1769, 10**6]) == [128, 1769]


def test_without_the_right_to_it_a_program_is_bound_to_one_core():
    processor = quota.Processor("one core")
    assert processor.settings([128, 1769, 3538]) == [1769]
    count = "import os; print(len(os.sched_getaffinity(0)))"
    with processor.limited(1769) as limit:
        said = subprocess.run([*limit, sys.executable, "-c", count], capture_output=True, text=True)
    assert said.stdout == "1\n"


def test_mcnemars_test_counts_what_two_models_get_right_alone():
    float32 = np.array([1] * 12 + [0] * 3 + [1] * 5, bool)
    int8 = np.array([0] * 12 + [1] * 3 + [1] * 5, bool)
    found = records.mcnemar(float32, int8)
    assert (found["only_first"], found["only_second"]) == (12, 3)
    # 15 throws of a coin with at most 3 of one side
    assert found["p"] == 2 * (1 + 15 + 105 + 455) / 2**15
    assert "12 are right with float32 alone and 3 with int8" in ratios.by_chance(found, 20)
    assert "int8 is worse" in ratios.by_chance(found, 20)
    assert "no proof" in ratios.by_chance(records.mcnemar(float32, float32), 20)


def test_the_environments_get_the_versions_for_their_python():
    """Each the NumPy that its runtime needs, and the image's what is deployed as an image."""
    packages = environments.requirements()
    assert "numpy==1.26.4" in packages["tflite-runtime"] and "numpy==2.4.6" in packages["litert"]
    image = locked(REPOSITORY / "lambda/requirements.txt")
    assert sorted(packages["tflite-runtime"] + packages["lambda"]) == sorted(image)


def test_the_record_names_no_machine_and_no_path():
    text = (REPOSITORY / "generated/published/measurements.json").read_text()
    assert not re.search(r'"/|/home|/tmp|/root', text)


def test_readme_quotes_the_record():
    process = run(["python", "notebooks/commands", "readme_table", "--check"], REPOSITORY)
    assert process.returncode == 0, process.stderr
