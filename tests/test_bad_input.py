"""Each mistake gets one clear message, and what was there before stays."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import h5py
import pytest
from conftest import (
    REPOSITORY,
    copy_repository,
    environment,
    make,
    processes_in,
    run,
    wait_for,
)

ODD_MODELS = """
import keras
from keras import layers

picture, other = keras.Input((32, 32, 3)), keras.Input((5,))
scores = layers.Dense(2)(layers.Flatten()(picture))
both = layers.Dense(2)(layers.Concatenate()([scores, other]))
grey, any_size = keras.Input((32, 32, 1)), keras.Input((None, None, 3))

keras.Model([picture, other], both).save("two-inputs.keras")
keras.Model(grey, layers.Dense(2)(layers.Flatten()(grey))).save("grey.keras")
keras.Model(any_size, layers.Dense(2)(layers.GlobalMaxPooling2D()(any_size))).save("any-size.keras")
keras.Model(picture, scores).save_weights("only.weights.h5")
"""


class Downloads(BaseHTTPRequestHandler):
    """Serve what a download may end in."""

    def do_GET(self):
        if self.path == "/missing.keras":
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", "1000" if self.path == "/short.keras" else "15")
        self.end_headers()
        self.wfile.write(b"<html>no</html>")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the repository with products of an earlier run and some bad files."""
    folder = copy_repository(tmp_path_factory.mktemp("bad input") / "copy")
    for product in "clothing-model.h5", "expected-scores.json":
        (folder / "generated" / product).write_text("from an earlier run")
    (folder / "empty.keras").touch()
    (folder / "broken.png").write_bytes((folder / "notebooks/assets/cap.png").read_bytes()[:9999])
    with h5py.File(folder / "data.h5", "w") as file:
        file["numbers"] = [1, 2, 3]
    process = run([sys.executable, "-c", ODD_MODELS], folder)
    assert process.returncode == 0, process.stderr
    for whole, half in (
        ("notebooks/assets/clothing-model.h5", "half.h5"),
        ("grey.keras", "half.keras"),
    ):
        content = (folder / whole).read_bytes()
        (folder / half).write_bytes(content[: len(content) // 2])
    return folder


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Downloads)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("MODEL=missing.h5", "MODEL=missing.h5 does not exist. Expected: embedded, course-2021,"),
        ("MODEL=notebooks", "MODEL=notebooks is a directory. Expected: embedded"),
        (
            "MODEL=README.md",
            "MODEL=README.md is no Keras model, or a broken one. Expected: a whole model",
        ),
        ("MODEL=empty.keras", "MODEL=empty.keras is no Keras model"),
        ("MODEL=half.h5", "MODEL=half.h5 is no Keras model, or a broken one"),
        ("MODEL=half.keras", "MODEL=half.keras is no Keras model, or a broken one"),
        ("MODEL=data.h5", "MODEL=data.h5 is no Keras model"),
        ("MODEL=only.weights.h5", "MODEL=only.weights.h5 is no Keras model"),
        ("MODEL=two-inputs.keras", "MODEL=two-inputs.keras has 2 inputs and 1 outputs. Expected"),
        (
            "MODEL=grey.keras",
            "has input (None, 32, 32, 1) and output (None, 2). Expected: input (None, height,",
        ),
        ("MODEL=any-size.keras", "has input (None, None, None, 3) and output (None, 2). Expected"),
        ("MODEL=http://127.0.0.1:9/a.keras", "could not be downloaded"),
        ("MODEL={server}/missing.keras", "missing.keras could not be downloaded: 404"),
        ("MODEL={server}/short.keras", "short.keras could not be downloaded"),
        ("MODEL={server}/page.keras", "page.keras is no Keras model"),
        ("CLASSES=cup fork", 'CLASSES="cup fork" names 2 classes, but MODEL=embedded has 10'),
        ("CLASSES=cup cup", 'CLASSES="cup cup" names a class twice'),
        ("PREPROCESSING=mine", "PREPROCESSING=mine is none of: xception, resnet50, vgg16"),
        ("IMAGE=missing.jpg", "IMAGE=missing.jpg does not exist. Expected: the path or URL"),
        ("IMAGE={server}/page.png", "page.png is no picture"),
        ("IMAGE=README.md", "IMAGE=README.md is no picture"),
        ("IMAGE=broken.png", "IMAGE=broken.png is no picture, or a broken one"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_lost(folder, server, assignment, expected):
    started = time.monotonic()
    process = run(["make", "VENV=", assignment.replace("{server}", server)], folder)
    assert process.returncode != 0
    message = process.stderr[process.stderr.index("notebooks/01-keras-model.ipynb stopped in") :]
    assert expected in message
    assert len(message.splitlines()) <= 5
    if "127.0.0.1:9" in assignment:
        assert time.monotonic() - started < 60

    for product in "clothing-model.h5", "expected-scores.json":
        assert (folder / "generated" / product).read_text() == "from an earlier run"
    assert not [path for path in folder.rglob("*.part")]
    assert not [path for path in folder.glob("generated/downloads/**/*") if path.is_file()]


def test_a_course_model_of_the_wrong_size_is_refused_and_fetched_again(folder):
    # As a download that stopped short would have left it.
    address = (
        "https://github.com/DataTalksClub/machine-learning-zoomcamp/releases/download/"
        "chapter7-model/xception_v4_large_08_0.894.h5"
    )
    name = hashlib.sha256(address.encode()).hexdigest()[:8]
    file = folder / "generated/downloads" / name / "xception_v4_large_08_0.894.h5"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half of it")
    process = run(["make", "VENV=", "MODEL=course-2021"], folder)
    assert process.returncode != 0
    assert "MODEL=course-2021 has 10 bytes, not 86,185,888" in process.stderr
    assert not file.exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    folder = copy_repository(tmp_path / "copy")
    shutil.rmtree(folder / "generated")
    (folder / "generated").write_text("a file where the folder should be")
    process = run(["make", "VENV="], folder)
    assert process.returncode != 0
    assert "cannot write to generated/" in process.stderr


def test_a_full_disk_is_named_and_nothing_is_lost(folder):
    part = folder / "generated/expected-scores.json.part"
    part.symlink_to("/dev/full")
    process = run(["make", "VENV="], folder)
    assert process.returncode != 0
    assert "No space left on device" in process.stderr
    assert "The disk is full: free some space" in process.stderr
    assert (folder / "generated/expected-scores.json").read_text() == "from an earlier run"
    assert not part.is_symlink()


@pytest.mark.xdist_group("walk")
def test_a_function_that_cannot_be_written_is_named(walk, tmp_path):
    folder = shutil.copytree(walk, tmp_path / "copy")
    (folder / "lambda/lambda_function.py").unlink()
    (folder / "lambda/lambda_function.py").mkdir()
    (folder / "notebooks/04-lambda-function.ipynb").touch()
    process = run(["make", "VENV="], folder)
    assert process.returncode != 0
    assert "the export failed: " in process.stderr and "Is a directory" in process.stderr


NO_PYPI = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
NO_PYTHON = {"UV_PYTHON_PREFERENCE": "only-managed", "UV_PYTHON_DOWNLOADS": "never"}


@pytest.mark.parametrize("obstacle", [NO_PYPI, NO_PYTHON], ids=["no PyPI", "no Python 3.11"])
def test_an_environment_that_cannot_be_built_says_what_is_needed(tmp_path, obstacle):
    folder = copy_repository(tmp_path / "copy")
    path = environment()["PATH"]
    if obstacle is NO_PYPI:  # uv would have to come from there
        parts = [part for part in path.split(os.pathsep) if not shutil.which("uv", path=part)]
        path = os.pathsep.join([*parts, os.defpath])
    process = run(["make"], folder, PATH=path, UV_PYTHON_INSTALL_DIR=str(tmp_path), **obstacle)
    assert process.returncode != 0
    assert "the environment could not be built; the reason stands above" in process.stderr
    assert "install Python 3.11 first" in process.stderr
    assert not (folder / ".venv/.complete").exists()


@pytest.mark.xdist_group("walk")
def test_make_that_was_killed_leaves_no_process_and_goes_on_rightly(walk, tmp_path):
    folder = shutil.copytree(walk, tmp_path / "copy")
    executed = folder / "generated/04-lambda-function.ipynb"
    before = executed.read_bytes()
    (folder / "notebooks/04-lambda-function.ipynb").touch()
    process = subprocess.Popen(
        ["make", "VENV="], cwd=folder, env=environment(), start_new_session=True
    )
    # The emulator works in lambda/: it is what one would least like to leave behind.
    wait_for(lambda: processes_in(folder / "lambda"))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not processes_in(folder))
    assert executed.read_bytes() == before

    make(folder)
    assert executed.read_bytes() == before
    assert "jeans.png is pants" in (folder / "generated/summary.txt").read_text()
    committed = (REPOSITORY / "lambda/lambda_function.py").read_text()
    assert (folder / "lambda/lambda_function.py").read_text() == committed


@pytest.mark.xdist_group("walk")
def test_a_cell_that_fails_leaves_no_emulator(walk, tmp_path):
    folder = shutil.copytree(walk, tmp_path / "copy")
    notebook = folder / "notebooks/04-lambda-function.ipynb"
    notebook.write_text(notebook.read_text().replace("timeout=60", "timeout=1e-6"))
    process = run(["make", "VENV="], folder)
    assert process.returncode != 0
    assert "notebooks/04-lambda-function.ipynb stopped in cell" in process.stderr
    assert "TimeoutError" in process.stderr
    wait_for(lambda: not processes_in(folder))
