"""make: what it says before it begins, and what it runs again. Lessons are stood in for by a stub."""

import os
import pty
import shutil
import subprocess
import sys

import pytest
from commands import doctor
from conftest import REPOSITORY, copy_repository, environment, make, run

# Leaves what the lesson leaves; fails before that with MODEL=nonsense, and amidst with MODEL=half.
STUB = """
from pathlib import Path

PRODUCTS = {
    "01-keras-model": ["clothing-model.h5", "expected-scores.json"],
    "02-tflite-model": ["clothing-model.tflite", "tflite-models.json"],
    "03-predict": ["prediction.json"],
    "04-lambda-function": ["lambda-answers.json", "summary.txt"],
    "onnx": ["onnx-summary.txt"],
}

def main(name, **parameters):
    model = parameters.get("MODEL")
    if model == "nonsense":
        return "no such model"
    for product in PRODUCTS.get(name, []):
        Path("generated", product).write_text(name)
        if model == "half":
            return "failed"
    Path("generated", f"{name}.ipynb").write_text("executed")
    with Path("ran.txt").open("a") as log:
        print(name[:2], *[f"{key}={value}" for key, value in parameters.items()], file=log)
"""


@pytest.fixture
def folder(tmp_path):
    """A copy of the repository with the stub, in a folder with a space, where `make` has run."""
    folder = copy_repository(tmp_path / "a copy")
    (folder / "notebooks/commands/execute.py").write_text(STUB)
    make(folder)
    lessons = ["01", "02", "03", "04 NOTEBOOK=generated/03-predict.ipynb", "06", "07", "09"]
    assert ran(folder) == [*lessons, "me"]  # measurements-in-depth
    return folder


def ran(folder):
    """Which lessons ran since this was asked last, with which parameters."""
    log = folder / "ran.txt"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


# --- what is run again ---------------------------------------------------------------------------


def test_a_changed_notebook_is_run_again_with_what_follows_it(folder):
    (folder / "notebooks/07-http.ipynb").touch()
    make(folder)
    assert ran(folder) == ["07", "09"]


def test_a_missing_product_is_made_again(folder):
    (folder / "generated/lambda-answers.json").unlink()
    make(folder, "generated/04-lambda-function.ipynb")
    assert ran(folder) == ["04 NOTEBOOK=generated/03-predict.ipynb"]
    assert (folder / "generated/lambda-answers.json").exists()


def test_what_a_failed_run_left_alone_is_not_made_again(folder):
    assert run(["make", "VENV=", "MODEL=nonsense"], folder).returncode != 0
    make(folder)
    assert ran(folder) == []


def test_what_a_failed_run_half_replaced_is_made_again(folder):
    assert run(["make", "VENV=", "MODEL=half"], folder).returncode != 0
    make(folder)
    assert [line[:2] for line in ran(folder)] == ["01", "02", "03", "04", "06", "07", "09"]


def test_other_parameters_run_everything_and_the_same_ones_nothing(folder):
    for _ in "once", "twice":
        make(folder, "MODEL=embedded", "CLASSES=cup fork")
        (folder / "lambda/lambda_function.py").touch()
    assert ran(folder)[0] == "01 MODEL=embedded CLASSES=cup fork"
    make(folder)
    assert ran(folder)[0] == "01"
    make(folder)
    assert ran(folder) == []


@pytest.mark.parametrize("name", ["IMAGE", "MODEL_CODE"])
def test_a_file_of_a_parameter_that_was_changed_is_looked_at(folder, name):
    for content in "one", "another":
        (folder / "my file").write_text(content)
        make(folder, f"{name}=my file")
        assert ran(folder)[0] == f"01 {name}=my file"


def test_lesson_1_gets_all_parameters_and_lesson_3_takes_them_from_there(folder):
    given = ["RESIZE=bilinear", "SCORES=softmax", "SIZE=16x12", "TRUST_MODEL=true"]
    make(folder, *given)
    assert ran(folder)[:3] == [" ".join(["01", *given]), "02", "03"]


def test_an_onnx_file_goes_straight_to_its_appendix_and_the_walk_stays(folder):
    for _ in "once", "twice":  # the file may be another one
        make(folder, "MODEL=my hair.onnx", "CLASSES=curly straight")
        assert ran(folder) == ["on MODEL=my hair.onnx CLASSES=curly straight"]
    make(folder)
    assert ran(folder) == []


# --- variables -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("MODLE=kitchen.keras", "There is no variable MODLE. Did you mean MODEL? There are: MODEL"),
        ("image=my cup.png", "There is no variable image. Did you mean IMAGE? There are"),
        ("ELEPHANT=$(CURDIR)", "There is no variable ELEPHANT. There are: MODEL IMAGE CLASSES"),
    ],
)
def test_a_mistyped_variable_is_named_with_the_right_one(assignment, said):
    process = run(["make", "VENV=", "--dry-run", assignment], REPOSITORY)
    assert process.returncode != 0
    assert said in process.stderr
    assert len(process.stderr.splitlines()) == 1 and process.stdout == ""


def test_every_variable_that_the_makefile_names_is_taken():
    head = (REPOSITORY / "Makefile").read_text().split("MODEL =")[0]
    known = {word.split("=")[0] for word in head.split() if word.split("=")[0].isupper()}
    named = sorted(word for word in known if f"{word}=" in head)
    assert {"MODEL", "CLASSES", "DATASET", "QUICK", "PORT", "VENV"} <= set(named)
    assignments = [f"{name}=" for name in named]
    assert run(["make", "--dry-run", "clean", *assignments], REPOSITORY).returncode == 0


# --- make check ----------------------------------------------------------------------------------


def test_make_check_says_what_this_machine_has():
    said = make(REPOSITORY, "check").stdout
    for name in "Python", "disk", "memory", "packages", "network", "lesson 5", "make measure":
        assert f"  {name}" in said or f"! {name}" in said


def test_make_check_works_before_there_is_an_environment(tmp_path):
    folder = copy_repository(tmp_path / "a copy")
    command = [
        sys.executable,
        "-S",
        "notebooks/commands",
        "doctor",
    ]  # without the installed packages
    process = run(command, folder)
    assert process.returncode == 1 and process.stderr == ""
    assert (
        "! packages      no papermill and no tensorflow: activate the environment" in process.stdout
    )


def test_a_walk_without_its_packages_stops_with_a_line_that_says_so(folder):
    empty = run(["uv", "venv", "--quiet", "empty"], folder)
    assert empty.returncode == 0
    path = os.pathsep.join([str(folder / "empty/bin"), os.environ["PATH"]])
    process = run(["make", "VENV="], folder, PATH=path)
    assert process.returncode != 0
    assert "no papermill and no tensorflow: activate the environment" in process.stdout
    assert len((process.stdout + process.stderr).splitlines()) <= 2
    assert ran(folder) == []


def said_of(what, capsys):
    """Whether that can work, and what is said of it."""
    return doctor.main(what) == 0, capsys.readouterr().out


def free(monkeypatch, gigabytes):
    usage = type(shutil.disk_usage("/"))(100e9, 0, gigabytes * 1e9)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)


def test_a_walk_that_works_is_told_nothing(capsys):
    assert said_of("problems", capsys) == (True, "")


def test_a_disk_that_is_far_too_small_stops_the_building_of_the_environment(
    monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "none"))
    free(monkeypatch, 1.2)
    works, said = said_of("build", capsys)
    assert not works and "disk          1.2 GB free: about 4 GB are needed: free some" in said
    (tmp_path / "none").mkdir()  # with a cache it may work
    works, said = said_of("build", capsys)
    assert works and "1.2 GB free" in said


def test_a_full_disk_and_little_memory_are_named_and_stop_no_walk(monkeypatch, capsys):
    free(monkeypatch, 0.1)
    monkeypatch.setattr(doctor, "MEMORY_GB", 10**6)
    works, said = said_of("problems", capsys)
    assert works
    assert "! disk          0.1 GB free" in said and "lesson 2 needs about" in said


def test_a_package_of_another_version_is_named_with_the_remedy(monkeypatch, capsys):
    versions = {"numpy": "2.0.0", "papermill": "1.0", "pytest": ""}
    real = doctor.installed
    monkeypatch.setattr(doctor, "installed", lambda name: versions.get(name, real(name)))
    works, said = said_of("problems", capsys)
    assert works and len(said.splitlines()) == 1
    for words in (
        "numpy 2.0.0 (==1.26.4)",
        "papermill 1.0 (==2.7.0)",
        "pytest missing",
        "rm -rf .venv",
    ):
        assert words in said


def test_neither_uv_nor_pip_stops_the_building_of_the_environment(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    monkeypatch.setattr(doctor, "answers", lambda *command, **variables: False)
    works, said = said_of("build", capsys)
    assert not works and "install uv" in said


def test_a_check_that_fails_itself_stops_nothing(monkeypatch, capsys):
    monkeypatch.setitem(doctor.WALK, "memory", lambda: 1 / 0)
    assert said_of("problems", capsys) == (True, "")


def test_what_the_tests_alone_need_comes_with_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: "there" if name[0] == "b" else None)
    _, said = said_of("", capsys)
    assert "! make test     buildah: without chromium make test leaves out the page" in said
    assert said.rstrip().endswith("apt install chromium mmdebstrap")


def test_no_network_is_no_reason_to_stop(monkeypatch, capsys):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    monkeypatch.setattr(doctor, "MORE", {"network": doctor.network})
    works, said = said_of("", capsys)
    assert works and "PyPI does not answer: only building the environment" in said


# --- building the environment --------------------------------------------------------------------


UV = """#!/bin/sh
case "$*" in *--quiet*) ;; *"pip install"*) echo progress >&2;; esac
mkdir -p .venv/bin; echo "$*" >> .venv/asked
"""


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "file"])
def test_building_shows_progress_on_a_terminal_alone(tmp_path, terminal):
    folder = copy_repository(tmp_path / "a copy")
    (tmp_path / "uv").write_text(UV)
    (tmp_path / "uv").chmod(0o755)
    path = os.pathsep.join([str(tmp_path), environment()["PATH"]])
    master, slave = pty.openpty()
    process = subprocess.run(
        ["make", ".venv/.complete"],
        cwd=folder,
        env=environment() | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=slave if terminal else subprocess.PIPE,
    )
    os.close(slave)
    assert process.returncode == 0
    assert b"Building .venv/ from .requirements.lock" in process.stdout
    asked = (folder / ".venv/asked").read_text().splitlines()
    assert asked[0].startswith("venv ") and asked[0].endswith(" --python 3.11 .venv")
    assert asked[1].endswith(" --python .venv --require-hashes -r .requirements.lock")
    if terminal:
        assert b"progress" in os.read(master, 1000)
    else:
        assert process.stderr == b""
    os.close(master)


@pytest.mark.parametrize("target", ["lab", "test"])
def test_a_folder_that_cannot_be_written_is_named_in_one_line(tmp_path, target):
    folder = copy_repository(tmp_path / "a copy")
    shutil.rmtree(folder / "generated")
    (folder / "generated").write_text("a file where the folder should be")
    process = run(["make", "VENV=", target], folder)
    assert process.returncode != 0 and process.stdout == ""
    message, _ = process.stderr.splitlines()  # the second is make's own
    assert message.startswith("make: cannot write to generated/")


def test_an_environment_that_is_a_link_to_another_is_not_cleared(tmp_path):
    folder = copy_repository(tmp_path / "copy")
    (tmp_path / "another").mkdir()
    (tmp_path / "another/kept").touch()
    (folder / ".venv").symlink_to(tmp_path / "another")
    process = run(["make"], folder)
    assert process.returncode != 0
    assert (
        "make: .venv is a link to an environment elsewhere, which would be cleared"
        in process.stderr
    )
    assert (tmp_path / "another/kept").exists()
