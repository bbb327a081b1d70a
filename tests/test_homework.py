"""The homework with each end and each place of the scaling, as far as lesson 1 reads the model."""

import json
import subprocess
import sys

import pytest
from conftest import REPOSITORY, copy_repository, environment, lesson_cells
from wrong_answers.homework import OWN_SHAPES, TWO_CLASSES

pytestmark = pytest.mark.xdist_group("homework")  # one process makes what all look at

KINDS = {  # beside one sigmoid and scaling inside, with which all of it is done (test_own_model.py)
    "logits before": ("logits", "before", OWN_SHAPES),
    "softmax inside": ("softmax", "inside", OWN_SHAPES),
    "sigmoid before": ("sigmoid", "before", OWN_SHAPES + TWO_CLASSES),
}

# Runs the homework's cells with few pictures, for one epoch and without asking what was learnt; then lesson
# 1's with the parameters of the line that it hands to make; and gives lesson 1's scores to the homework's
# checks, in the place of the function's.
PROGRAM = """
import contextlib, io, json, shlex, sys
from matplotlib.figure import Figure

homework, lesson, kinds = json.load(sys.stdin)
Figure.savefig = Figure.tight_layout = lambda *args, **settings: None  # no drawings
said = {}
for kind, (last, scaling, shapes) in kinds.items():
    names, printed = {}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        for source in homework:
            if 'check("own-classes", SHAPES)' in source:
                exec(shapes, names)
                source = 'check("own-classes", SHAPES)'
            if source.startswith("LAST ="):
                source = f'LAST, SCALING = {last!r}, {scaling!r}\\ncheck("ends", (LAST, SCALING))'
            if 'check("learned"' in source:
                continue
            exec(source.replace("600 if", "20 if"), names)
            names["EPOCHS"] = 1
        given = dict(word.split("=", 1) for word in shlex.split(names["command"])[1:])
        there = {}
        for source, tags in lesson:
            exec(source, there)
            there |= given if "parameters" in tags else {}
        names["check"]("function", there["scores"][there["image_file"].as_posix()])
    said[kind] = {"printed": printed.getvalue(), "given": given, "expected": there["expected"]}
json.dump(said, sys.stdout)
"""


@pytest.fixture(scope="module")
def said(module_path):
    folder = copy_repository(module_path / "copy")
    homework = [c.source for c in lesson_cells(folder / "notebooks/homework.ipynb")]
    (saved,) = [n for n, source in enumerate(homework) if "print(command)" in source]
    assert any("600 if" in source for source in homework)
    lesson = lesson_cells(folder / "notebooks/01-keras-model.ipynb")
    cells = [[c.source, c.metadata.get("tags", [])] for c in lesson]
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env=environment() | {"MPLBACKEND": "agg", "PYTHONPATH": str(REPOSITORY / "tests")},
        input=json.dumps([homework[: saved + 1], cells, KINDS]),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_lesson_1_understands_what_was_chosen(said, kind):
    last, scaling, _ = KINDS[kind]
    printed, expected = said[kind]["printed"], said[kind]["expected"]
    for right in "own-classes", "ends", "function":
        assert f"✓ {right}: right" in printed
    assert expected["parameters"]["SCORES"] == last
    assert (
        expected["parameters"]["PREPROCESSING"] == {"inside": "none", "before": "xception"}[scaling]
    )
    assert expected["image"] == "generated/homework.png"


def test_two_names_of_which_one_holds_a_space_are_two_classes(said):
    assert said["sigmoid before"]["given"]["CLASSES"] == "cross, small house"
    scores = said["sigmoid before"]["expected"]["scores"]["generated/homework.png"]
    assert list(scores) == ["cross", "small house"]
    assert sum(scores.values()) == pytest.approx(1)
