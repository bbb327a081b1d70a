"""The lessons read as lessons: short cells, no guards, one place for the plumbing."""

import ast
import re
import statistics

import nbformat
import pytest
from conftest import REPOSITORY, code_cells, lesson_cells
from nbconvert import HTMLExporter

LESSONS = sorted(path.stem for path in REPOSITORY.glob("notebooks/[0-9]*[!0-9].ipynb"))
APPENDICES = ["measurements-in-depth", "onnx", "train-the-model"]
GUARDING = ["06-strangers", "07-http"]  # guards are what these are about


def sources(lesson):
    """The sources of a lesson's code cells."""
    return [cell.source for cell in lesson_cells(REPOSITORY / f"notebooks/{lesson}.ipynb")]


def lines(source):
    return len([line for line in source.splitlines() if line.strip()])


def words(lesson):
    """How many words of text a lesson has."""
    cells = nbformat.read(REPOSITORY / f"notebooks/{lesson}.ipynb", as_version=4).cells
    return sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_and_its_cells_are_short(lesson):
    counts = [lines(source) for source in sources(lesson)]
    assert len(counts) <= 45 and words(lesson) <= 1500
    assert statistics.median(counts) <= 6
    if lesson in GUARDING:
        assert len([count for count in counts if count > 20]) <= 5
    else:
        assert len([count for count in counts if count > 12]) <= 2 and max(counts) <= 20


def test_the_measurements_are_a_lesson_and_the_appendix_has_the_rest():
    assert len(sources("09-measurements")) <= 30 and words("09-measurements") <= 1200
    drawn = r"figures\.|walk\.(bars|threads|gallery|show)\("
    assert len([source for source in sources("09-measurements") if re.search(drawn, source)]) <= 8


@pytest.mark.parametrize("lesson", [each for each in LESSONS if each not in GUARDING])
def test_nothing_is_guarded(lesson):
    """But lesson 3's import, which takes LiteRT where tflite-runtime has no wheel, and lesson 10's row."""
    guards = [
        type(node)
        for source in sources(lesson)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Try | ast.Raise | ast.Assert)
    ]
    assert guards == {"03-predict": [ast.Try], "10-catalogue": [ast.Try, ast.Raise]}.get(lesson, [])


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
            "create_preprocessor(known, target_size=(width, height))",
            "preprocessor.from_url(url)",
            "def predict(url):",
            "def lambda_handler(event, context):",
        ],
        "04-lambda-function": ["jupyter nbconvert --to script", "lambda_handler(event, None)"],
        "05-deployment": [
            "lambda/template-first.yaml",
            "sam build --config-env first",
            "sam deploy --config-env first",
            'boto3.client("lambda")',
            "client.invoke(FunctionName=function, Payload=",
            'boto3.client("logs")',
            "lambda/Dockerfile",
            "sam delete",
        ],
        "08-public": [
            'walk.piece(TEMPLATE, "Api", "Stage"',
            "sam deploy --parameter-overrides Public=true",
            'SigV4Auth(credentials, "execute-api", region).add_auth(request)',
            "describe_alarms()",
            "client.publish_version(FunctionName=function)",
        ],
    }
    for lesson, names in shown.items():
        text = "\n".join(sources(lesson))
        assert "setattr" not in text
        for name in names:
            assert name in text, (lesson, name)


@pytest.mark.parametrize("lesson", [*LESSONS, *APPENDICES])
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
