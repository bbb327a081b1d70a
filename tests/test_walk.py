"""The walk: what `make` prints, and the numbers that its notebooks leave behind."""

import json
import math

import pytest
from conftest import CLASS_OF, PICTURES, REPOSITORY, make, run

pytestmark = pytest.mark.xdist_group("walk")

EXPECTED = json.loads((REPOSITORY / "tests" / "expected.json").read_text())


@pytest.fixture
def scores(walked):
    """Keras's scores of each picture, by the picture's name."""
    record = json.loads((walked / "generated/expected-scores.json").read_text())
    return {path.split("/")[-1].removesuffix(".png"): row for path, row in record["scores"].items()}


@pytest.fixture
def variants(walked):
    """The figures of the four TensorFlow Lite models."""
    return json.loads((walked / "generated/tflite-models.json").read_text())


def test_make_ends_with_the_right_prediction_under_the_real_runtime(walked):
    output = (walked / "output.txt").read_text()
    assert "jeans.png is pants, says the Lambda function under AWS's own runtime." in output
    assert "lambda/lambda_function.py" in output and "lambda/api.py" in output


@pytest.mark.parametrize("picture", [path.stem for path in PICTURES])
def test_scores_of_the_sample_pictures_are_those_on_record(scores, picture):
    assert scores[picture] == pytest.approx(EXPECTED["scores"][picture], abs=1e-3)
    best = max(scores[picture], key=scores[picture].get)
    assert best == CLASS_OF[picture]
    probability = 1 / sum(
        math.exp(score - scores[picture][best]) for score in scores[picture].values()
    )
    assert probability > 0.5


def test_the_function_under_aws_runtime_gives_keras_scores(walked):
    expected = json.loads((walked / "generated/expected-scores.json").read_text())["scores"]
    record = json.loads((walked / "generated/lambda-answers.json").read_text())
    assert record["runtime"] == "AWS's own runtime"
    assert len(record["answers"]) == 3
    for picture, answer in record["answers"].items():
        assert answer == pytest.approx(expected[picture], abs=1e-4)


def test_sizes_of_the_models_are_those_on_record(variants):
    sizes = {name: row["bytes"] for name, row in variants.items()}
    assert sizes == pytest.approx(EXPECTED["bytes"], rel=0.01)


def test_tensorflow_lite_agrees_with_keras(variants):
    assert variants["float32"]["largest_difference"] < 1e-4
    assert variants["float16"]["largest_difference"] < 0.2
    assert all(row["largest_difference"] < 4 for row in variants.values())
    assert all(row["same_answers"] == len(PICTURES) for row in variants.values())


def test_each_runtime_loads_the_variants_that_the_notebook_says(variants):
    loads = {name: row["loads_in"] for name, row in variants.items()}
    assert all(row["ai-edge-litert"] == "yes" for row in loads.values())
    assert {n for n, row in loads.items() if row["tflite-runtime"] == "no"} == {"dynamic range"}


def test_nothing_that_git_keeps_was_changed_by_the_walk(walked):
    """On whatever processor, however slow: what depends on them is in generated/, ignored."""
    listed = run(["git", "ls-files", "-z"], REPOSITORY).stdout.rstrip("\0").split("\0")
    kept = [name for name in listed if (REPOSITORY / name).is_file()]
    assert "generated/published/02-tflite-model.ipynb" in kept
    changed = [n for n in kept if (walked / n).read_bytes() != (REPOSITORY / n).read_bytes()]
    assert changed == []
    assert run(["git", "check-ignore", "generated/02-tflite-model.ipynb"], REPOSITORY).stdout


def test_make_with_nothing_changed_runs_nothing(own_walk):
    executed = sorted((own_walk / "generated").glob("*.ipynb"))
    before = [path.stat().st_mtime_ns for path in executed]
    process = make(own_walk)
    assert [path.stat().st_mtime_ns for path in executed] == before
    assert "jeans.png is pants" in process.stdout
    assert process.stderr == ""
