"""Each mistake gets one clear message, and what was there before stays.

The cells of lesson 1 that find and check what the walk works on are run here again and again, in one
process; a few mistakes are made through make, papermill and Jupyter as well.
"""

import hashlib
import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler

import h5py
import nbclient
import nbformat
import pytest
from conftest import code_cells, copy_repository, environment, lesson_cells, run
from walk import web_server

pytestmark = pytest.mark.xdist_group("mistakes")  # one process makes what all look at

LESSON_1 = "notebooks/01-keras-model.ipynb"

ODD_MODELS = """
from pathlib import Path

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
keras.Model(picture, layers.Dense(1, "sigmoid")(layers.Flatten()(picture))).save("one-output.keras")
scaled = layers.Rescaling(1 / 255, name="scaled")(picture)
inside = keras.Model(picture, layers.Dense(2)(layers.Flatten()(scaled)))
keras.Sequential([picture, inside, layers.Dense(10)]).save("scales.keras")
code = layers.Lambda(lambda x: 2 * x, name="code")
keras.Sequential([picture, code, layers.Flatten(), layers.Dense(2)]).save("lambda.keras")

for whole, half in ("notebooks/assets/clothing-model.h5", "half.h5"), ("grey.keras", "half.keras"):
    content = Path(whole).read_bytes()
    Path(half).write_bytes(content[: len(content) // 2])
"""

# Runs, behind that, the first cells of lesson 1, as far as the check of the model, for each of the assignments.
DRIVER = """
import json, sys
from pathlib import Path

cells, assignments = json.load(sys.stdin)
said = {}
for assignment in assignments:
    parameter, value = assignment.split("=", 1)
    names = {}
    try:
        for source in cells:
            exec(source, names)
            if "MODEL" in names and parameter not in names.get("changed", ""):
                names[parameter], names["changed"] = value, parameter
        said[assignment] = "no error"
    except Exception as error:
        said[assignment] = f"{type(error).__name__}: {error}"
    left = [*Path().rglob("*.part"), *Path("generated/downloads").rglob("*.*")]
    said[assignment] += "".join(f" AND LEFT {path}" for path in left)
Path("said.json").write_text(json.dumps(said))
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


MISTAKES = [
    ("MODEL=missing.h5", "MODEL=missing.h5 does not exist. Expected: embedded, course-2021,"),
    (
        "MODEL=notebooks",
        "MODEL=notebooks is a directory, and no model is in it. Expected: the path",
    ),
    (
        "MODEL=README.md",
        "MODEL=README.md is not a Keras model, or it is broken: perhaps a download",
    ),
    ("MODEL=empty.keras", "MODEL=empty.keras is an empty file. Copy or download it again."),
    ("MODEL=half.h5", "MODEL=half.h5 is not a Keras model, or it is broken"),
    ("MODEL=half.keras", "MODEL=half.keras is not a Keras model, or it is broken"),
    ("MODEL=data.h5", "MODEL=data.h5 is not a Keras model"),
    ("MODEL=only.weights.h5", "MODEL=only.weights.h5 holds weights alone, without the layers."),
    (
        "MODEL=lite.tflite",
        "MODEL=lite.tflite is a TensorFlow Lite model already, so that lessons 1",
    ),
    (
        "MODEL=lambda.keras",
        "MODEL=lambda.keras holds code, in its layer code (Lambda): whoever made",
    ),
    ("TRUST_MODEL=yes", "TRUST_MODEL=yes is not one of: true, false."),
    (
        "MODEL_CODE=missing.py",
        "MODEL_CODE=missing.py does not exist, or is no .py file on this machine.",
    ),
    ("MODEL_CODE=wrong.py", "MODEL_CODE=wrong.py fails: NameError: name 'kears' is not defined"),
    (
        "MODEL=two-inputs.keras",
        "MODEL has 2 inputs and 1 outputs. Expected: one picture in, one row",
    ),
    (
        "MODEL=any-size.keras",
        "MODEL takes pictures of any size. Say which it was trained with, width",
    ),
    ("SIZE=small", 'SIZE="small" is no size. Expected: width x height, as in SIZE=160x120.'),
    ("SIZE=160x120", "SIZE=160x120, but MODEL takes the height 224 alone: leave SIZE out."),
    (
        "SCORES=percent",
        "SCORES=percent is not one of: logits, softmax, sigmoid, independent-logits.",
    ),
    (
        "MODEL=one-output.keras",
        "names 10 classes, but MODEL=one-output.keras has a single output, for two classes. Name both",
    ),
    (
        "MODEL=scales.keras",
        "MODEL=scales.keras scales its pictures itself, in its layer scaled, and PREPROCESSING=xception "
        "would scale them before: twice is wrong. Give PREPROCESSING=none.",
    ),
    ("MODEL=http://127.0.0.1:9/a.keras", "could not be downloaded"),
    ("MODEL={server}/missing.keras", "missing.keras could not be downloaded: 404"),
    ("MODEL={server}/short.keras", "short.keras could not be downloaded"),
    ("MODEL={server}/page.keras", "page.keras is a web page and not a model"),
    ("CLASSES=cup fork", 'CLASSES="cup fork" names 2 classes, but MODEL=embedded has 10'),
    ("CLASSES=cup cup", 'CLASSES="cup cup" names a class twice'),
    ("CLASSES= ", 'CLASSES=" " names no class'),
    (
        "PREPROCESSING=mine",
        "PREPROCESSING=mine is not one of: xception, inception_v3, resnet50, vgg16",
    ),
    ("IMAGE=missing.jpg", "IMAGE=missing.jpg does not exist. Expected: course, or the path"),
    ("IMAGE={server}/page.png", "page.png is not a picture"),
    ("IMAGE=README.md", "IMAGE=README.md is not a picture"),
    ("IMAGE=broken.png", "IMAGE=broken.png is not a picture, or it is broken"),
]


@pytest.fixture(scope="module")
def folder(module_path):
    """A copy of the repository with products of an earlier run and some bad files."""
    folder = copy_repository(module_path / "copy")
    for product in "clothing-model.h5", "expected-scores.json":
        (folder / "generated" / product).write_text("from an earlier run")
    (folder / "empty.keras").touch()
    (folder / "lite.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(20))
    (folder / "wrong.py").write_text("kears.layers")
    (folder / "broken.png").write_bytes((folder / "notebooks/assets/cap.png").read_bytes()[:9999])
    with h5py.File(folder / "data.h5", "w") as file:
        file["numbers"] = [1, 2, 3]
    return folder


def nothing_is_lost(folder):
    for product in "clothing-model.h5", "expected-scores.json":
        assert (folder / "generated" / product).read_text() == "from an earlier run"
    assert not list(folder.rglob("*.part"))
    assert not [path for path in folder.glob("generated/downloads/**/*") if path.is_file()]


@pytest.fixture(scope="module")
def said(folder):
    """What lesson 1 says to each of the mistakes."""
    cells = [cell.source for cell in code_cells(folder / LESSON_1)]
    checks = [number for number, source in enumerate(cells) if "walk.check_model" in source]
    with web_server(Downloads) as server:
        assignments = [assignment.replace("{server}", server) for assignment, _ in MISTAKES]
        process = subprocess.run(
            [sys.executable, "-c", ODD_MODELS + DRIVER],
            cwd=folder,
            env=environment() | {"MPLBACKEND": "agg"},
            input=json.dumps([cells[: checks[0] + 1], assignments]),
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert process.returncode == 0, process.stderr
    answers = json.loads((folder / "said.json").read_text()).values()
    return dict(zip([assignment for assignment, _ in MISTAKES], answers, strict=True))


@pytest.mark.parametrize(("assignment", "expected"), MISTAKES)
def test_a_mistake_is_named_and_nothing_is_lost(said, folder, assignment, expected):
    message = said[assignment]
    assert message.startswith("Problem: ") and expected in message
    assert len(message.splitlines()) == 1 and "AND LEFT" not in message
    nothing_is_lost(folder)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("MODEL=missing.h5", "MODEL=missing.h5 does not exist. Expected: embedded, course-2021,"),
        ("CLASSES=cup fork", 'CLASSES="cup fork" names 2 classes, but MODEL=embedded has 10'),
    ],
)
def test_make_says_it_in_a_few_lines(folder, assignment, expected):
    process = run(["make", "VENV=", assignment], folder)
    assert process.returncode != 0
    message = process.stderr[process.stderr.index(f"{LESSON_1} stopped") :]
    assert f"Problem: {expected}" in message
    assert len(message.splitlines()) <= 5
    nothing_is_lost(folder)


def test_papermill_says_it_without_the_frames_of_a_module(folder):
    process = run(["papermill", LESSON_1, "out.ipynb", "-p", "IMAGE", "missing.jpg"], folder)
    assert process.returncode != 0
    assert (
        "Problem: IMAGE=missing.jpg does not exist. Expected: course, or the path" in process.stderr
    )
    assert "inputs.py" not in process.stderr
    nothing_is_lost(folder)


def error_of(folder, *sources):
    """The error that a notebook with these cells ends in, as JupyterLab shows it."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    resources = {"metadata": {"path": folder / "notebooks"}}
    with pytest.raises(nbclient.exceptions.CellExecutionError):
        nbclient.NotebookClient(notebook, resources=resources).execute()
    (error,) = [out for cell in cells for out in cell.outputs if out.output_type == "error"]
    return error.traceback


def test_jupyter_shows_the_message_and_no_frames(folder):
    """Run out of order, too: a sentence says what to do."""
    copy = copy_repository(folder / "fresh")
    begin = lesson_cells(copy / "notebooks/02-tflite-model.ipynb")[0].source
    assert error_of(copy, begin) == [
        "Problem: generated/expected-scores.json is missing. "
        "Run notebooks/01-keras-model.ipynb first."
    ]
    begin, *_, last = (cell.source for cell in lesson_cells(copy / LESSON_1))
    assert error_of(copy, begin, last) == [
        "`MODEL` is not there yet: run the cells above this one first, in order. "
        "If none of them makes it: is it spelt right, and imported?"
    ]


def test_a_course_model_of_the_wrong_size_is_refused_and_fetched_again(folder):
    # As a download that stopped short would have left it.
    address = (
        "https://github.com/DataTalksClub/machine-learning-zoomcamp/releases/download/"
        "chapter7-model/xception_v4_large_08_0.894.h5"
    )
    name = hashlib.sha256(address.encode()).hexdigest()[:8]
    file = folder / "generated/downloads" / name / "xception_v4_large_08_0.894.h5"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"half of it")
    process = run(["make", "VENV=", "MODEL=course-2021"], folder)
    assert process.returncode != 0
    assert "MODEL=course-2021 has 10 bytes, not 86,185,888" in process.stderr
    assert not file.exists()
