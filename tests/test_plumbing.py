"""The functions that the lessons share, asked directly."""

import ast
import hashlib
import ipaddress
import json
import os
import re
import shutil
import socket
import sys
import urllib.request
from pathlib import Path

import nbformat
import numpy as np
import pytest
import walk
from commands import execute, publish
from conftest import REPOSITORY, run
from PIL import Image

JEANS = REPOSITORY / "notebooks/assets/jeans.png"
SCORES = {"hat": 0.25, "pants": 3.5, "shoes": -1.0}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, with generated/ and lambda/."""
    for name in "generated", "lambda":
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_plumbing_imports_no_tensorflow():
    code = "import sys, walk; print({'tensorflow', 'keras', 'tf_keras'} & set(sys.modules))"
    process = run([sys.executable, "-c", code], REPOSITORY / "notebooks")
    assert process.stdout == "set()\n", process.stderr


def test_the_package_exports_what_is_used_and_no_more():
    """By lessons, programs and tests, as walk.NAME or by an import."""
    files = [*REPOSITORY.glob("notebooks/**/*.py"), *REPOSITORY.glob("notebooks/**/*.ipynb")]
    files += REPOSITORY.glob("tests/*.py")
    plumbing = REPOSITORY / "notebooks/walk"
    text = "\n".join(f.read_text() for f in files if not f.is_relative_to(plumbing))
    imported = " ".join(re.findall(r"from walk import (.+)", text))
    tree = ast.parse((plumbing / "__init__.py").read_text())
    exported = [alias.name for node in tree.body for alias in getattr(node, "names", [])]
    assert len(exported) > 40
    used = {*re.findall(r"\bwalk\.(\w+)", text), *re.findall(r"\w+", imported)}
    assert [name for name in exported if name not in used] == []


# --- lessons and files ---------------------------------------------------------------------------


def test_a_lesson_works_at_the_root_and_names_the_lesson_that_makes_what_is_missing(folder):
    walk.begin("02-tflite-model")
    assert Path.cwd() == REPOSITORY
    os.chdir(folder)
    with pytest.raises(walk.Problem, match="missing. Run notebooks/02-tflite-model.ipynb first."):
        walk.require("generated/clothing-model.tflite")


def test_a_file_is_whole_or_stays_as_it_was(folder):
    walk.save("generated/a.json", {"ä": 1})
    assert walk.load("generated/a.json") == {"ä": 1}
    with pytest.raises(TypeError):
        walk.save("generated/a.json", {"no JSON": object()})
    Path("generated/a.json.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        walk.save("generated/a.json", b"new")
    assert walk.load("generated/a.json") == {"ä": 1}
    assert [path.name for path in Path("generated").iterdir()] == ["a.json"]


def test_an_expected_error_is_one_line_and_its_absence_a_problem(capsys):
    with walk.error_shown():
        raise ValueError("first line\n" + 200 * "x")
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("ValueError: xxx") and line.endswith("…") and len(line) < 160
    with pytest.raises(walk.Problem), walk.error_shown():
        pass


def test_a_command_that_fails_says_what_it_said(folder):
    assert walk.run("ruff --version").startswith("ruff ")
    with pytest.raises(walk.Problem, match="`ruff check nowhere` failed: .*No such file"):
        walk.run("ruff check nowhere")


def test_a_lesson_that_cannot_write_says_so(tmp_path, monkeypatch):
    (tmp_path / "generated").write_text("a file where the folder should be")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(walk.lesson, "ROOT", tmp_path)
    with pytest.raises(walk.Problem, match="generated/ cannot be written: File exists. Use a copy"):
        walk.begin("01-keras-model")


# --- inputs --------------------------------------------------------------------------------------


def test_the_walk_needs_no_download_where_no_parameter_is_given(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.delattr(walk.inputs, "download")
    parameters = {}
    cells = nbformat.read("notebooks/01-keras-model.ipynb", as_version=4).cells
    (cell,) = [each for each in cells if "parameters" in each.metadata.get("tags", [])]
    exec(cell.source, parameters)
    assert walk.model_file(parameters["MODEL"]).is_relative_to("notebooks/assets")
    assert walk.picture_file(parameters["IMAGE"]).is_relative_to("notebooks/assets")


def test_a_plain_picture_is_taken_as_it_is():
    assert walk.picture_file(str(JEANS)) == JEANS


@pytest.mark.parametrize("kind", ["on its side", "transparent", "16 bits"])
def test_a_picture_that_libraries_read_differently_is_written_anew(folder, kind):
    image = Image.open(JEANS).convert("RGB").crop((0, 0, 256, 200))
    if kind == "on its side":
        exif = Image.Exif()
        exif[0x0112] = 6
        image.transpose(Image.Transpose.ROTATE_90).save("photo.png", exif=exif)
    elif kind == "transparent":
        white = (np.asarray(image) == 255).all(axis=2)
        alpha = Image.fromarray(np.where(white, 0, 255).astype("uint8"))
        clear = Image.composite(image, Image.new("RGB", image.size), alpha)  # black below
        clear.putalpha(alpha)
        clear.save("photo.png")
    else:
        grey = np.asarray(image.convert("L")).astype("uint16") * 257
        image = image.convert("L")
        Image.fromarray(grey).save("photo.png")
    file = walk.picture_file("photo.png")
    assert file == Path("generated/photo.png")
    assert np.array_equal(Image.open(file), image.convert("RGB"))


def test_the_courses_published_scores_are_compared_for_its_model_and_picture(tmp_path, monkeypatch):
    picture = tmp_path / "pants.jpg"
    picture.write_bytes(b"the course's picture")
    wrong = dict.fromkeys("abcdefghij", 0.0)
    walk.check_course_scores("course-2021", picture, wrong)  # another picture
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    monkeypatch.setattr(walk.models, "COURSE_IMAGE_SHA256", digest)
    walk.check_course_scores("embedded", picture, wrong)  # another model
    with pytest.raises(walk.Problem, match="the course's published logits differ by 9.88"):
        walk.check_course_scores("course-2021", picture, wrong)
    right = dict(zip("abcdefghij", walk.models.COURSE_LOGITS, strict=True))
    walk.check_course_scores("course-2021", picture, right)


def test_photos_of_ones_own_are_found_by_class_and_what_is_missing_is_named(folder):
    for place in "train/cup", "train/fork", "validation/cup":
        (folder / "photos" / place).mkdir(parents=True)
        shutil.copy(JEANS, folder / "photos" / place / "1.PNG")
    (folder / "photos/train/.DS_Store").touch()
    with pytest.raises(walk.Problem, match="PHOTOS=photos: no photos in validation/fork. Expected"):
        walk.photos_by_class("photos")
    shutil.copytree("photos/train/fork", "photos/validation/fork")
    found = walk.photos_by_class("photos")
    assert {split: list(classes) for split, classes in found.items()} == {
        "train": ["cup", "fork"],
        "validation": ["cup", "fork"],
    }
    assert found["validation"]["fork"] == [Path("photos/validation/fork/1.PNG")]
    Path("photos/train/cup/2.jpg").write_text("a page")
    with pytest.raises(
        walk.Problem, match="broken, or not pictures: train/cup/2.jpg. Remove them."
    ):
        walk.photos_by_class("photos")
    with pytest.raises(walk.Problem, match="PHOTOS=nowhere: no photos in train/"):
        walk.photos_by_class("nowhere")


# --- servers -------------------------------------------------------------------------------------


def test_a_file_is_served_at_its_address_and_no_longer_after_the_block(tmp_path):
    picture = tmp_path / "my cup.png"
    picture.write_bytes(b"a picture")
    with walk.web_server(picture) as url:
        assert url.endswith("/my%20cup.png")
        assert urllib.request.urlopen(url).read() == b"a picture"
    with pytest.raises(OSError):
        urllib.request.urlopen(url)


def test_a_server_with_a_name_is_on_the_internet_for_this_process_alone():
    look_up = socket.getaddrinfo
    with walk.web_server(JEANS, name="shop.example") as url:
        assert url == "http://shop.example/jeans.png"
        assert urllib.request.urlopen(url).read() == JEANS.read_bytes()
        address = socket.getaddrinfo("shop.example", 80)[0][4][0]
        assert ipaddress.ip_address(address).is_global
        with walk.web_server(JEANS) as other:  # all else is as it was
            assert urllib.request.urlopen(other).read() == JEANS.read_bytes()
    assert socket.getaddrinfo is look_up


ASKS_INSIDE = """
import urllib.request
from functools import partial
def handler(event, context):
    url = f"http://{event['api']}/2018-06-01/runtime/invocation/next"
    return {"got": urllib.request.urlopen(url).read().decode()}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="AWS's emulator runs on Linux alone")
def test_the_runtime_api_hands_the_event_to_whoever_asks_from_inside(folder):
    """As lesson 6 says."""
    Path("lambda/asks.py").write_text(ASKS_INSIDE)
    with walk.lambda_runtime("asks.handler") as runtime:
        event = json.dumps({"api": runtime.api})
        request = urllib.request.Request(runtime.url, event.encode())
        assert json.loads(urllib.request.urlopen(request).read()) == {"got": event}


def test_where_awss_emulator_does_not_run_the_handler_is_called_here(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("lambda/elsewhere.py").write_text(
        "import os\n"
        "def handler(event, context):\n"
        "    print('called')\n"
        "    return {'got': event['key'], 'setting': os.environ['SETTING']}\n"
    )
    monkeypatch.setenv("SETTING", "")
    with walk.lambda_runtime("elsewhere.handler", SETTING="set") as runtime:
        answers = []
        for event in {"key": "value"}, {}:
            request = urllib.request.Request(runtime.url, json.dumps(event).encode())
            answers.append(json.loads(urllib.request.urlopen(request).read()))
        assert answers[0] == {"got": "value", "setting": "set"}
        assert answers[1] == {"errorType": "KeyError", "errorMessage": "'key'"}
        assert runtime.log() == ["called", "called"] and runtime.name == "Python"
    assert "AWS's emulator runs on Linux alone" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="AWS's emulator runs on Linux alone")
def test_an_emulator_that_does_not_start_says_where_its_log_is(folder, monkeypatch):
    monkeypatch.setattr(walk.servers, "emulator", lambda: "/bin/false")
    with (
        pytest.raises(walk.Problem, match="AWS's emulator did not start: generated/lambda-run"),
        walk.lambda_runtime(),
    ):
        pass


def test_an_attack_ends_in_one_line():
    assert walk.outcome(lambda handler: handler(), lambda: SCORES) == "answered: pants"

    def fail(handler):
        raise KeyError("url")

    assert walk.outcome(fail, None) == "KeyError: 'url'"


# --- executing a lesson --------------------------------------------------------------------------


def executed_lesson(*outputs, tags=()):
    """A lesson with a text and a cell that put these texts out, as papermill leaves it."""
    text = nbformat.v4.new_markdown_cell("[words](../notebooks/glossary.md), [next](02.ipynb)")
    cell = nbformat.v4.new_code_cell("work()", metadata={"tags": [*tags], "papermill": {}})
    cell.outputs = [nbformat.v4.new_output("stream", text=output) for output in outputs]
    metadata = {
        "papermill": {"start_time": "…"},
        "language_info": {"name": "python", "version": "3.11.7"},
    }
    return nbformat.v4.new_notebook(cells=[text, cell], metadata=metadata)


def test_what_is_published_has_its_numbers_and_no_paths_or_ids():
    printed = f"""REPORT RequestId: 8b1c7bd0-1111-4222-8333-123456789abc\tDuration: 12.34 ms
Max Memory Used: 89 MB, after 3.1 s, 13491234 bytes, {REPOSITORY}/lambda, {Path.home()}/.aws
http://0a1b2c3d.execute-api.localhost:41234/, deadbeef"""
    notebook = publish.published(executed_lesson(printed), REPOSITORY, Path.home())
    text, cell = notebook.cells
    assert cell.outputs[0].text == (
        "REPORT RequestId: …\tDuration: 12.34 ms\n"
        "Max Memory Used: 89 MB, after 3.1 s, 13491234 bytes, …/lambda, …/.aws\n"
        "http://….execute-api.localhost:41234/, deadbeef"
    )
    assert text.source == "[words](../../notebooks/glossary.md), [next](02.ipynb)"
    assert not notebook.metadata.get("papermill") and not cell.metadata.get("papermill")


def test_other_peoples_photos_and_where_they_are_do_not_get_published():
    notebook = executed_lesson("a photo", tags=["parameters", "unpublished"])
    notebook.cells.append(executed_lesson(tags=["injected-parameters"]).cells[1])
    assert publish.differs(notebook, executed_lesson()).startswith("it was run with parameters")
    notebook = publish.published(notebook, REPOSITORY, Path.home())
    assert len(notebook.cells) == 2 and notebook.cells[1].outputs == []
    assert publish.differs(notebook, executed_lesson()) == ""
    notebook.cells[1].source = "work(2)"
    assert publish.differs(notebook, executed_lesson()).startswith("it was changed since it ran")


def test_a_notebook_that_is_not_json_and_a_kernel_that_died_get_one_line(folder, monkeypatch):
    Path("notebooks").mkdir()
    Path("notebooks/conflict.ipynb").write_text("<<<<<<< HEAD\n{}")
    message = execute.run("conflict", folder / "copy.ipynb", {})
    assert message == "notebooks/conflict.ipynb is not a notebook: it is not JSON."
    write_notebook("killed", "import os; os.kill(os.getpid(), 9)")
    message = execute.run("killed", folder / "copy.ipynb", {})
    assert "its Python process ended, perhaps for lack of memory." in message
    assert "generated/killed.log" in message and not (folder / "copy.ipynb").exists()


def write_notebook(name, cell):
    """Write notebooks/NAME.ipynb with one cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbformat.write(notebook, f"notebooks/{name}.ipynb")


def test_a_kernel_that_does_not_start_is_started_once_more(folder):
    """As when another program takes a port that Jupyter chose for it, just before it starts."""
    Path("notebooks").mkdir()
    write_notebook("begins", "print(6 * 7)")
    kernel = Path("notebooks/ipykernel_launcher.py")  # in the place of the package's
    kernel.write_text("import os, sys\nos.remove(__file__)\nsys.exit('Address already in use')")
    assert execute.run("begins", folder / "copy.ipynb", {}) is None
    assert "42" in (folder / "copy.ipynb").read_text() and not kernel.exists()

    kernel.write_text("import sys\nsys.exit('Address already in use')")
    message = execute.run("begins", folder / "copy-2.ipynb", {})
    assert "its Python process ended before the first cell, twice." in message
    assert not (folder / "copy-2.ipynb").exists()


def test_variations_of_the_samples_are_the_same_each_time(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert walk.variations(9) == walk.variations(9)
    assert len(set(walk.variations(16).values())) == 16
    careless, careful = walk.variations(40, careless=0.3), walk.variations(40)
    assert careless == walk.variations(40, careless=0.3)
    changed = [name for name in careful if careless[name] != careful[name]]
    assert careless.keys() == careful.keys() and 5 < len(changed) < 20
