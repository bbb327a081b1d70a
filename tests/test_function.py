"""The exported function, in an environment that holds lambda/requirements.txt and nothing else."""

import base64
import json
import os
import shutil
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import PICTURES, REPOSITORY, run

pytestmark = pytest.mark.xdist_group("walk")

# Reads events from stdin, writes the answers and the loaded modules to stdout.
DRIVER = """
import json, sys, time
import lambda_function
lambda_function.FETCH_SECONDS = 2
answers = []
for event in json.load(sys.stdin):
    try:
        answers.append(lambda_function.lambda_handler(event, None))
    except ValueError as error:
        answers.append({"error": str(error)})
json.dump({"answers": answers, "modules": sorted(sys.modules)}, sys.stdout)
"""


@pytest.fixture(scope="session")
def bundle(walk, tmp_path_factory):
    """A folder with the function, its model beside it, and the environment in .venv/."""
    folder = tmp_path_factory.mktemp("bundle")
    shutil.copy(REPOSITORY / "lambda/lambda_function.py", folder)
    shutil.copy(walk / "generated/clothing-model.tflite", folder)
    requirements = REPOSITORY / "lambda/requirements.txt"
    for command in (
        ["uv", "venv", "--quiet", "--python", "3.11", ".venv"],
        ["uv", "pip", "install", "--quiet", "--python", ".venv", "-r", requirements],
    ):
        process = run(command, folder)
        assert process.returncode == 0, process.stderr
    return folder


@pytest.fixture(scope="session")
def ask(bundle):
    """Send events to the function; return its answers and the modules that it loaded."""

    def ask(*events):
        environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        process = subprocess.run(
            [bundle / ".venv/bin/python", "-c", DRIVER],
            cwd=bundle,
            env=environment,
            input=json.dumps(events),
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout)

    return ask


class Pictures(BaseHTTPRequestHandler):
    """Serve the sample pictures, and what a picture's server may do wrong."""

    def do_GET(self):
        picture = REPOSITORY / "notebooks/assets" / Path(self.path).name
        if self.path == "/endless":
            self.drip(b"x" * 100_000, pause=0)
        elif self.path == "/drip":
            self.drip(b"x", pause=0.2)
        elif self.path == "/silent":
            time.sleep(5)
        elif picture.is_file():
            self.send_response(200)
            self.end_headers()
            self.wfile.write(picture.read_bytes())
        else:
            self.send_error(404)

    def drip(self, piece, pause):
        self.send_response(200)
        self.end_headers()
        for _ in range(1000):
            try:
                self.wfile.write(piece)
            except ConnectionError:
                return
            time.sleep(pause)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    """The address of a web server with the sample pictures."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def image_event(path):
    return {"image": base64.b64encode(Path(path).read_bytes()).decode()}


@pytest.fixture(scope="session")
def keras_scores(walk):
    return json.loads((walk / "generated/expected-scores.json").read_text())["scores"]


def test_its_answers_equal_kerass(ask, keras_scores):
    answers = ask(*[image_event(picture) for picture in PICTURES])["answers"]
    for picture, answer in zip(PICTURES, answers, strict=True):
        assert answer == pytest.approx(keras_scores[f"notebooks/assets/{picture.name}"], abs=1e-4)


def test_it_takes_the_courses_event_and_gives_the_courses_answer(ask, server, keras_scores):
    (answer,) = ask({"url": f"{server}/jeans.png"})["answers"]
    assert answer == pytest.approx(keras_scores["notebooks/assets/jeans.png"], abs=1e-4)
    classes = "dress hat longsleeve outwear pants shirt shoes shorts skirt t-shirt"
    assert list(answer) == classes.split()
    assert all(type(score) is float for score in answer.values())


def test_it_imports_no_tensorflow_no_matplotlib_and_no_ipython(ask):
    modules = ask(image_event(PICTURES[0]))["modules"]
    packages = {module.split(".")[0] for module in modules}
    assert "tflite_runtime" in packages
    assert not packages & {"tensorflow", "keras", "tf_keras", "matplotlib", "IPython", "jupyter"}


def test_only_the_requirements_are_installed(bundle):
    names = {
        path.name.split("-")[0] for path in bundle.glob(".venv/lib/*/site-packages/*.dist-info")
    }
    required = {"keras_image_helper", "numpy", "pillow", "tflite_runtime", "urllib3"}
    assert names == required


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, 'expected {"url"'),
        ({"picture": "jeans.png"}, 'expected {"url"'),
        ({"url": 7}, 'expected {"url"'),
        ([], 'expected {"url"'),
        (None, 'expected {"url"'),
        ({"image": base64.b64encode(b"no picture").decode()}, "picture is broken"),
        ({"image": image_event(PICTURES[0])["image"][:9000]}, "picture is broken"),
        ({"image": ""}, "picture is broken"),
        ({"image": "abc"}, "the image is not base64"),
        ({"image": "Ümlaut"}, "the image is not base64"),
        ({"url": "file:///etc/hostname"}, "could not be fetched"),
        ({"url": "no address"}, "could not be fetched"),
        ({"url": "http://127.0.0.1:9/closed.png"}, "could not be fetched"),
        ({"url": "{server}/missing.png"}, "status 404"),
        ({"url": "{server}/endless"}, "more than 10000000 bytes"),
        ({"url": "{server}/drip"}, "more than 2 seconds"),
        ({"url": "{server}/silent"}, "could not be fetched"),
    ],
    ids=str,
)
def test_a_bad_event_gets_a_clear_error_and_the_next_one_its_answer(
    ask, server, keras_scores, event, message
):
    if isinstance(event, dict) and "{server}" in str(event.get("url")):
        event = {"url": event["url"].replace("{server}", server)}
    bad, good = ask(event, image_event(PICTURES[0]))["answers"]
    assert message in bad["error"]
    assert good == pytest.approx(keras_scores[f"notebooks/assets/{PICTURES[0].name}"], abs=1e-4)


@pytest.mark.skipif("DATASET" not in os.environ, reason="DATASET names no folder of photos")
def test_it_is_right_on_most_validation_photos(ask):
    photos = sorted(Path(os.environ["DATASET"], "validation").glob("*/*"))
    assert len(photos) > 300
    answers = ask(*[image_event(photo) for photo in photos])["answers"]
    right = [
        max(answer, key=answer.get) == photo.parent.name
        for photo, answer in zip(photos, answers, strict=True)
    ]
    accuracy = sum(right) / len(right)
    print(f"accuracy on {len(right)} validation photos: {accuracy:.4f}")
    assert accuracy >= 0.86
