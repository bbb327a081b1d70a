"""The lessons read as lessons: short cells, no guards, one place for the plumbing."""

import ast
import re
import statistics

import pytest
from conftest import REPOSITORY, code_cells, lesson_cells
from nbconvert import HTMLExporter

LESSONS = ["01-keras-model", "02-tflite-model", "03-predict", "04-lambda-function"]
OTHERS = ["06-strangers", "07-http", "09-measurements", "08-public", "train-the-model"]


def sources(lesson):
    """The sources of a lesson's code cells."""
    return [cell.source for cell in lesson_cells(REPOSITORY / f"notebooks/{lesson}.ipynb")]


def lines(source):
    return len([line for line in source.splitlines() if line.strip()])


@pytest.mark.parametrize("lesson", LESSONS)
def test_cells_are_short(lesson):
    counts = [lines(source) for source in sources(lesson)]
    assert statistics.median(counts) <= 6
    assert len([count for count in counts if count > 12]) <= 1
    assert max(counts) <= 20


@pytest.mark.parametrize("lesson", LESSONS)
def test_nothing_is_guarded(lesson):
    """But the one import of lesson 3 that takes LiteRT where tflite-runtime has no wheel."""
    guards = [
        ast.unparse(node)
        for source in sources(lesson)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Try | ast.Raise | ast.Assert)
    ]
    if lesson == "03-predict":
        assert "import Interpreter" in guards.pop()
    assert guards == []


def test_the_model_is_loaded_in_one_of_the_first_four_cells():
    first = sources("01-keras-model")[:4]
    assert any("load_model(" in source for source in first)
    assert any("load_img(" in source for source in sources("01-keras-model")[:6])


def test_the_api_is_shown_as_people_write_it():
    """What the course's unit names stands in the lessons, not behind a function of ours."""
    shown = {
        "01-keras-model": ["load_model(", "load_img(", "preprocess_input(", "model.predict("],
        "02-tflite-model": [
            "tf.lite.TFLiteConverter.from_keras_model(model)",
            "converter.convert()",
            "converter.optimizations = [tf.lite.Optimize.DEFAULT]",
            "interpreter.allocate_tensors()",
            "get_input_details()",
            "interpreter.set_tensor(input_index, X)",
            "interpreter.invoke()",
            "interpreter.get_tensor(output_index)",
        ],
        "03-predict": [
            "create_preprocessor(PREPROCESSING",
            "preprocessor.from_url(url)",
            "def predict(url):",
            "def lambda_handler(event, context):",
        ],
        "04-lambda-function": ["jupyter nbconvert --to script", "lambda_handler(event, None)"],
    }
    for lesson, names in shown.items():
        text = "\n".join(sources(lesson))
        assert "setattr" not in text
        for name in names:
            assert name in text, (lesson, name)


@pytest.mark.parametrize("lesson", [*LESSONS, *OTHERS])
def test_every_picture_says_in_words_what_it_shows(lesson):
    pictures = [
        output
        for cell in code_cells(REPOSITORY / "generated/published" / f"{lesson}.ipynb")
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert pictures
    for picture in pictures:
        assert len(picture.metadata["image/png"]["alt"]) > 10


def test_the_words_reach_the_page():
    copy = REPOSITORY / "generated/published/01-keras-model.ipynb"
    page, _ = HTMLExporter(template_name="classic").from_filename(str(copy))
    assert 'alt="jeans.png: pants, 93.9%. Probabilities: pants 93.9%, shoes' in page


def test_each_job_of_the_plumbing_is_done_in_one_place():
    code = {
        path.relative_to(REPOSITORY).as_posix(): path.read_text()
        for path in REPOSITORY.glob("notebooks/**/*.py")
    }
    for notebook in REPOSITORY.glob("notebooks/*.ipynb"):
        code[notebook.name] = "\n".join(cell.source for cell in code_cells(notebook))
    for pattern, place in {
        r"def save\(": "notebooks/walk/lesson.py",
        r"os\.dup2": "notebooks/walk/lesson.py",
        r"runtime-interface-emulator-address": "notebooks/walk/servers.py",
        r"serve_forever": "notebooks/walk/servers.py",
    }.items():
        assert [name for name, text in code.items() if re.search(pattern, text)] == [place]
