"""Anyone's classifier: Keras's own answer in every part of the walk, or a sentence that says why not.

The models are made here, small and with random weights (`anyones.taken`, `anyones.refused`). Each is
saved as people save them and goes through the cells of lessons 1 to 3 and both exported functions; what
they say is held against the model itself, asked with pictures prepared as its training did.
"""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from anyones.refused import REFUSED
from anyones.taken import TAKEN
from conftest import PICTURES, REPOSITORY, copy_repository, environment, lesson_cells, make
from PIL import Image

pytestmark = pytest.mark.xdist_group("any model")

# The student's own layers, as MODEL_CODE has them.
OWN_LAYERS = """
import keras


class Twice(keras.layers.Layer):
    def call(self, x):
        return 2 * x


@keras.saving.register_keras_serializable(package="mine")
class Shifted(keras.layers.Layer):
    def __init__(self, by, **settings):
        super().__init__(**settings)
        self.by = by

    def call(self, x):
        return x + self.by

    def get_config(self):
        return super().get_config() | {"by": self.by}
"""


def cells_of(lesson, until=None):
    """Source and tags of a lesson's cells, up to the one with these words."""
    cells = [[c.source, c.metadata.get("tags", [])] for c in lesson_cells(lesson)]
    last = [n for n, (source, _) in enumerate(cells) if until and until in source]
    return cells[: last[0] + 1] if until else cells


def run_program(name, folder, cells):
    process = subprocess.run(
        [sys.executable, "-m", f"anyones.{name}"],
        cwd=folder,
        env=environment() | {"MPLBACKEND": "agg", "PYTHONPATH": "tests:notebooks:."},
        input=json.dumps(cells),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return json.loads((folder / f"table/{name}.json").read_text())


@pytest.fixture(scope="module")
def folder(module_path):
    """A copy of the repository where every model was made, and walked as far as it came."""
    folder = copy_repository(module_path / "copy")
    (folder / "table").mkdir()
    for picture in PICTURES[3:]:  # three and the one of colours are enough
        (folder / "notebooks/assets" / picture.name).unlink()
    (folder / "own_layers.py").write_text(OWN_LAYERS)
    (folder / "names.txt").write_text("flat shoe\ntop hat\nt-shirt\n")
    return folder


@pytest.fixture(scope="module")
def in_keras(folder):
    """What each model gives, and what lessons 1 and 2 said to it."""
    lessons = REPOSITORY / "notebooks"
    cells = [cells_of(lessons / "01-keras-model.ipynb")]
    cells += [cells_of(lessons / "02-tflite-model.ipynb", until="by_tflite = ")]
    return run_program("in_keras", folder, cells)


@pytest.fixture(scope="module")
def in_function(folder, in_keras):
    """What lesson 3 and the functions said to those that came so far."""
    cells = cells_of(REPOSITORY / "notebooks/03-predict.ipynb")
    return run_program("in_function", folder, cells)


def scores_of(model, numbers):
    """The scores of the classes by a model's numbers: of one output the classes are two."""
    if len(numbers) == 1:
        (number,) = numbers
        numbers = [0.0, number] if model.kind == "logits" else [1 - number, number]
    return dict(zip(model.classes, numbers, strict=True))


def probability(model, scores):
    """Of the class with the highest score."""
    best = max(scores.values())
    match model.kind:
        case "logits":
            return 1 / sum(math.exp(score - best) for score in scores.values())
        case "independent-logits":
            return 1 / (1 + math.exp(-best))
    return best


def row(scores):
    return np.array(list(scores.values()))


def apart(some, others):
    """The largest difference between scores by picture."""
    return max(abs(row(scores) - row(others[picture])).max() for picture, scores in some.items())


@pytest.mark.parametrize("name", TAKEN)
def test_a_model_gets_its_own_answer_everywhere(in_keras, in_function, folder, name):
    model, said = TAKEN[name], in_keras[name]
    assert "error" not in said, said["error"]
    true = {picture: scores_of(model, numbers) for picture, numbers in said["true"].items()}
    spread = np.ptp([row(scores) for scores in true.values()])
    tolerance = model.within * spread
    for way, by_picture in said["wrong"].items():
        wrong = {picture: scores_of(model, numbers) for picture, numbers in by_picture.items()}
        assert apart(wrong, true) > 10 * tolerance, way

    expected = json.loads((folder / f"table/{name}/expected-scores.json").read_text())
    assert expected["parameters"]["SCORES"] == model.kind
    functions = in_function[name]
    assert "error" not in functions, functions["error"]
    for where, by_picture in {
        "lesson 1": expected["scores"],
        "lesson 2": said["by_tflite"],
        "lesson 3": functions["in_lesson"],
        "lambda_function": functions["function"],
        "api": {picture: answer["scores"] for picture, answer in functions["api"].items()},
    }.items():
        assert len(by_picture) >= 3
        for scores in by_picture.values():
            assert list(scores) == model.classes
        assert apart(by_picture, true) < tolerance, where
    for picture, answer in functions["api"].items():
        assert answer["prediction"] == max(true[picture], key=true[picture].get)
        assert abs(answer["probability"] - probability(model, true[picture])) < 10 * model.within


@pytest.mark.parametrize("name", REFUSED)
def test_another_gets_one_sentence_that_says_why(in_keras, folder, name):
    error = in_keras[name].get("error", "it was taken")
    assert error.startswith("Problem: ") and len(error.splitlines()) == 1
    for words in REFUSED[name].words:
        assert words in error
    assert not (folder / "ran").exists()  # the code of a Lambda layer


@pytest.mark.parametrize(("name", "size"), [("cohorts_2021_to_2023", 150), ("cohort_2024", 200)])
def test_the_lessons_answer_the_questions_of_a_cohorts_homework(in_keras, folder, name, size):
    """Its size as TFLite, the index of its output, the first pixel, prepared, and the score."""
    printed, file = in_keras[name]["printed"], folder / f"table/{name}/clothing-model.tflite"
    img = Image.open(folder / "colours.png").resize((size, size), Image.Resampling.NEAREST)
    X = np.array([img], dtype="float32") / 255
    interpreter = Interpreter(str(file))
    (score,) = in_keras[name]["true"]["colours.png"]

    assert f"TF Lite {file.stat().st_size / 1e6:6.2f} MB" in printed
    assert f"index {interpreter.get_output_details()[0]['index']} shape [1 1]" in printed
    assert f"first pixel {X[0, 0, 0]}" in printed
    assert f"{TAKEN[name].classes[1]:>12} {score:8.3f} {score:6.1%}" in printed


def test_make_walks_with_one_of_them_to_awss_runtime(in_keras, folder):
    """With a grey one; test_own_model.py has others."""
    model = TAKEN["grey"]
    given = {"MODEL": model.file, "IMAGE": "colours.png"} | model.parameters
    target = "generated/04-lambda-function.ipynb"
    make(folder, target, *[f"{parameter}={value}" for parameter, value in given.items()])
    answers = json.loads((folder / "generated/lambda-answers.json").read_text())["answers"]
    true = scores_of(model, in_keras["grey"]["true"]["colours.png"])
    assert answers["colours.png"] == pytest.approx(true, abs=1e-4 * np.ptp(row(true)))


def test_the_table_is_of_every_kind():
    assert len(TAKEN) >= 25
    for what in "kind", "prepare", "library":
        assert (
            len({getattr(model, what) for model in TAKEN.values()})
            == {
                "kind": 4,
                "prepare": 5,
                "library": 2,
            }[what]
        )
