"""Both exported functions, in an environment that holds lambda/requirements.txt and nothing else."""

import json
import os
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
from bundle import FILES
from conftest import PICTURES, REPOSITORY
from corpus import image_event
from picture_files import JEANS
from picture_server import picture_server
from tflite_runtime import interpreter
from walk import environments

pytestmark = pytest.mark.xdist_group("function")

# Reads events from stdin, writes the answers and the loaded modules to stdout.
DRIVER = """
import contextlib, importlib, io, json, sys
function = importlib.import_module(sys.argv[1])
with contextlib.redirect_stdout(io.StringIO()):
    answers = [function.lambda_handler(event, None) for event in json.load(sys.stdin)]
json.dump({"answers": answers, "modules": sorted(sys.modules)}, sys.stdout)
"""


@pytest.fixture(scope="session")
def bundle(walked, tmp_path_factory):
    """A folder with both functions, their model beside them, and the environment in .venv/."""
    folder = tmp_path_factory.mktemp("bundle")
    for file in FILES:
        shutil.copy(REPOSITORY / "lambda" / file, folder)
    shutil.copy(walked / "generated/clothing-model.tflite", folder)
    environments.make(folder / ".venv", "3.11", REPOSITORY / "lambda/requirements.txt")
    return folder


@pytest.fixture(scope="session", params=["lambda_function", "api"])
def ask(request, bundle):
    """Send events to a function; return its answers and the modules that it loaded."""

    def ask(*events, **variables):
        process = subprocess.run(
            [bundle / ".venv/bin/python", "-c", DRIVER, request.param],
            cwd=bundle,
            env=variables,
            input=json.dumps(events),
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout)

    return ask


@pytest.fixture(scope="session")
def keras_scores(walked):
    return json.loads((walked / "generated/expected-scores.json").read_text())["scores"]


def test_its_answers_equal_kerass(ask, keras_scores):
    answers = ask(*[image_event(picture.read_bytes()) for picture in PICTURES])["answers"]
    for picture, answer in zip(PICTURES, answers, strict=True):
        assert answer == pytest.approx(keras_scores[f"notebooks/assets/{picture.name}"], abs=1e-4)


def test_it_takes_the_courses_event_and_gives_the_courses_answer(ask, keras_scores):
    with picture_server() as server:
        event = {"url": f"http://{server}/jeans.png"}
        (answer,) = ask(event, ALLOWED_HOSTS=server)["answers"]
    assert answer == pytest.approx(keras_scores["notebooks/assets/jeans.png"], abs=1e-4)
    classes = "dress hat longsleeve outwear pants shirt shoes shorts skirt t-shirt"
    assert list(answer) == classes.split()
    assert all(type(score) is float for score in answer.values())


def test_it_imports_no_tensorflow_no_matplotlib_and_no_ipython(ask):
    modules = ask(image_event(JEANS))["modules"]
    packages = {module.split(".")[0] for module in modules}
    assert "tflite_runtime" in packages
    assert not packages & {"tensorflow", "keras", "tf_keras", "matplotlib", "IPython", "jupyter"}
    assert "urllib3" not in packages  # loading it takes a tenth of a cold start


@pytest.mark.parametrize(
    ("memory", "threads"), [("128", 1), ("1769", 1), ("3538", 2), ("10240", 5)]
)
def test_lambdas_memory_decides_on_the_number_of_threads(walked, monkeypatch, memory, threads):
    asked = []

    class Recorder(interpreter.Interpreter):
        def __init__(self, *args, **settings):
            asked.append(settings["num_threads"])
            super().__init__(*args, **settings)

    monkeypatch.setattr(interpreter, "Interpreter", Recorder)
    monkeypatch.setenv("MODEL_PATH", str(walked / "generated/clothing-model.tflite"))
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory)
    runpy.run_path(str(REPOSITORY / "lambda/lambda_function.py"))
    assert asked == [threads]


def test_only_the_requirements_are_installed(bundle):
    names = {
        path.name.split("-")[0] for path in bundle.glob(".venv/lib/*/site-packages/*.dist-info")
    }
    required = {"keras_image_helper", "numpy", "pillow", "tflite_runtime"}
    required |= {"awslambdaric", "simplejson", "snapshot_restore_py"}  # AWS's runtime client
    assert names == required


@pytest.mark.skipif(not os.environ.get("DATASET"), reason="DATASET names no folder of photos")
def test_it_is_right_on_most_validation_photos(ask):
    photos = sorted(Path(os.environ["DATASET"], "validation").glob("*/*"))
    assert len(photos) > 300
    answers = ask(*[image_event(photo.read_bytes()) for photo in photos])["answers"]
    right = [
        max(answer, key=answer.get) == photo.parent.name
        for photo, answer in zip(photos, answers, strict=True)
    ]
    accuracy = sum(right) / len(right)
    print(f"accuracy on {len(right)} validation photos: {accuracy:.4f}")
    record = json.loads((REPOSITORY / "notebooks/assets/training.json").read_text())
    assert accuracy >= 0.925
    assert accuracy == pytest.approx(record["accuracy"], abs=0.003)  # one photo of 341
