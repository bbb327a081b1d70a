"""The function as its tests call it: in this process and under AWS's emulator, with short limits."""

import importlib
import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest
import urllib3
from conftest import REPOSITORY, environment
from picture_files import encoded, on_white, picture
from picture_server import picture_server
from walk import lambda_runtime

# Short limits, so that the slow servers of the tests cost little time.
LIMITS = {
    "PICTURE_BYTES": "2000000",
    "CONNECT_SECONDS": "1",
    "READ_SECONDS": "0.6",
    "FETCH_SECONDS": "1.2",
    "REDIRECTS": "3",
}
CLASSES = "dress hat longsleeve outwear pants shirt shoes shorts skirt t-shirt".split()


STATUS = {
    "MalformedRequest": 400,
    "UnknownPath": 404,
    "MethodNotAllowed": 405,
    "PictureTooLarge": 413,
    "UnsupportedPicture": 415,
    "BrokenPicture": 422,
    "ServerFailed": 502,
    "ServerTooSlow": 504,
}


@pytest.fixture(scope="module")
def server():
    """Host and port of the server."""
    with picture_server() as address:
        yield address


@contextmanager
def variables(**values):
    """Environment variables for the time of a `with` block."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def load(walked, **settings):
    """Import the function afresh, as a cold start does, with these environment variables."""
    for name in "api", "incoming", "answers", "guards", "transport":
        sys.modules.pop(name, None)
    model = str(walked / "generated/clothing-model.tflite")
    with variables(MODEL_PATH=model, **LIMITS, **settings):
        return importlib.import_module("api")


@pytest.fixture(scope="module")
def function(walked):
    """The function as it is deployed: it fetches from anywhere public."""
    return load(walked)


def in_process(function):
    def call(event):
        try:
            answer = function.lambda_handler(json.loads(json.dumps(event)), None)
        except function.RequestError as error:
            answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
        return json.loads(json.dumps(answer))

    return call


@contextmanager
def under_aws(walked, tmp_path_factory, **settings):
    log = tmp_path_factory.mktemp("emulator") / "log.txt"
    model = str(walked / "generated/clothing-model.tflite")
    deployed = {"folder": REPOSITORY / "lambda", "environment": environment(), "log_file": log}
    settings |= LIMITS | {"MODEL_PATH": model}
    with lambda_runtime("api.lambda_handler", **deployed, **settings) as runtime:

        def call(event):
            body = json.dumps(event)
            answer = urllib3.request("POST", runtime.url, body=body, timeout=20, retries=False)
            return answer.json()

        yield call


@pytest.fixture(scope="module", params=["in process", "under AWS's emulator"])
def call(request, walked, function, tmp_path_factory):
    """Put an event to the function; return its answer, or Lambda's report of its error."""
    if request.param == "in process":
        yield in_process(function)
    else:
        with under_aws(walked, tmp_path_factory) as call:
            yield call


@pytest.fixture(scope="module", params=["in process", "under AWS's emulator"])
def call_with_host(request, walked, server, tmp_path_factory):
    """The same, where ALLOWED_HOSTS names the server of these tests, and a port without one."""
    allowed = f"{server} 127.0.0.1:9"
    if request.param == "in process":
        yield in_process(load(walked, ALLOWED_HOSTS=allowed))
    else:
        with under_aws(walked, tmp_path_factory, ALLOWED_HOSTS=allowed) as call:
            yield call


@pytest.fixture(scope="module")
def references(walked, function):
    """Keras's scores of the jeans, and the function's of the same in grey."""
    record = json.loads((walked / "generated/expected-scores.json").read_text())
    plain = {
        "grey jeans": encoded(picture().convert("L").convert("RGB"), "PNG"),
        "jeans on white": on_white("RGB"),
        "grey jeans on white": on_white("L"),
    }
    scores = {name: function.score(function.prepare(png)) for name, png in plain.items()}
    return scores | {"jeans": record["scores"]["notebooks/assets/jeans.png"]}


def check(answer, expected, references):
    """Compare an answer to a direct event with what the corpus expects."""
    if "errorType" in answer:
        allowed = {expected} if isinstance(expected, str) else expected
        assert answer["errorType"] in allowed, answer
        assert answer["errorMessage"] and "/" not in answer["errorMessage"].replace("://", "")
        return
    assert expected in (*references, "like jeans", "scores") or "scores" in expected, answer
    assert list(answer) == CLASSES
    assert all(type(score) is float for score in answer.values())
    if expected in references:
        assert answer == pytest.approx(references[expected], abs=1e-4)
    if expected == "like jeans":
        assert max(answer, key=answer.get) == "pants"


def answer_and_peak(walked, event):
    """What the function answers to one event in a process of its own, and the memory that takes, in MB."""
    code = (
        "import json, sys, api; from pathlib import Path\n"
        "print(json.dumps(api.lambda_handler(json.load(sys.stdin), None)))\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY / "lambda",
        env={"MODEL_PATH": str(walked / "generated/clothing-model.tflite")},
        input=json.dumps(event),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    *_, answer, peak = process.stdout.splitlines()  # the log's line comes first
    return json.loads(answer), int(peak) / 1024
