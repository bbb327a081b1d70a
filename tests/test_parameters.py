"""The parameters' way from lesson 1 to the exported function, and what is said where they got lost."""

from pathlib import Path

import nbformat
import pytest
import walk
from commands import execute

OF_LESSON_1 = {
    "CLASSES": "hat, wine glass",
    "PREPROCESSING": "torch",
    "RESIZE": "bilinear",
    "SCORES": "softmax",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, with generated/, notebooks/ and lambda/."""
    for name in "generated", "notebooks", "lambda":
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLASSES", "wine glass, hat"),
        ("CLASSES", "classes.txt"),  # the function brings no such file
        ("PREPROCESSING", "xception"),
        ("RESIZE", "nearest"),
        ("SCORES", "logits"),
    ],
)
def test_lesson_3_wants_the_parameters_of_lesson_1(name, value):
    Path("classes.txt").write_text("hat\nwine glass\n")
    walk.save("generated/expected-scores.json", {"parameters": OF_LESSON_1})
    walk.check_parameters("hat,wine glass", "torch", "bilinear", "softmax")
    with pytest.raises(walk.Problem) as problem:
        walk.check_parameters(*(OF_LESSON_1 | {name: value}).values())
    assert f'{name} = "{value}" here, but lesson 1' in str(problem.value)
    assert f'Write {name} = "{OF_LESSON_1[name]}" into' in str(problem.value)


def test_a_way_of_resizing_has_a_name_that_the_function_knows():
    assert walk.resizing("BILINEAR") == "bilinear"
    with pytest.raises(walk.Problem, match="RESIZE=area is not one of: nearest, bilinear"):
        walk.resizing("area")


@pytest.mark.parametrize("text", ["0x120", "160", "160x120x3", "-1x5"])
def test_a_size_is_a_width_and_a_height(text):
    assert walk.size("160x120") == (120, 160)
    with pytest.raises(walk.Problem, match="is no size. Expected: width x height"):
        walk.size(text)


def test_what_an_earlier_version_left_is_named():
    walk.save("generated/expected-scores.json", {"preprocessing": "xception"})
    with pytest.raises(
        walk.Problem, match="earlier version. Run notebooks/01-keras-model.ipynb again"
    ):
        walk.check_parameters(*OF_LESSON_1.values())


def test_lesson_3_gets_what_lesson_1_left_where_it_differs():
    cell = nbformat.v4.new_code_cell(
        'CLASSES = "hat, wine glass"\nPREPROCESSING = "xception"\nSCORES = "softmax"',
        metadata={"tags": ["parameters"]},
    )
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), "notebooks/03-predict.ipynb")
    walk.save("generated/expected-scores.json", {"parameters": OF_LESSON_1})
    assert execute.left_by_lesson_1() == {"PREPROCESSING": "torch", "RESIZE": "bilinear"}


def test_an_export_of_a_notebook_that_was_not_saved_is_noticed():
    walk.save("generated/prediction.json", {"parameters": OF_LESSON_1})
    function = Path("lambda/lambda_function.py")
    text = "".join(f'{name} = "{value}"\n' for name, value in OF_LESSON_1.items())
    function.write_text(f'CLASSES = "hat"\n{text}')
    walk.check_export(function)  # the last one counts: papermill's
    for name, value in OF_LESSON_1.items():
        function.write_text(text.replace(value, "another"))
        with pytest.raises(walk.Problem, match=f'Save lesson 3 with {name} = "{value}" and run it'):
            walk.check_export(function)


@pytest.mark.parametrize(
    ("look", "value"),
    [
        (walk.class_names, ["cat", "dog"]),  # as Keras's class_names are
        (walk.size, (160, 120)),
        (walk.model_file, Path("model.keras")),
        (walk.picture_file, None),
    ],
)
def test_a_parameter_that_is_no_text_is_told_to_be_one(look, value):
    with pytest.raises(
        walk.Problem, match="is no text. Expected: a text in quotes, as in [A-Z]+ = "
    ):
        look(value)


def test_lesson_3_is_told_so_too():
    walk.save("generated/expected-scores.json", {"parameters": OF_LESSON_1})
    with pytest.raises(walk.Problem, match="is no text"):
        walk.check_parameters(["hat", "wine glass"], "torch", "bilinear", "softmax")


def test_a_picture_has_no_side_of_0_pixels():
    with pytest.raises(walk.Problem, match='SIZE="0x3" is no size'):
        walk.size("0x3")
