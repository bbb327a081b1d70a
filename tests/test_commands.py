"""The commands: one way to be called and to end, for all of them."""

import importlib
import os
import shutil
import sys
from pathlib import Path

import commands
import pytest
import walk
from bundle import FILES
from commands import serve
from conftest import REPOSITORY, run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "PROT=1"], "serve: got an unexpected keyword argument 'PROT'."),
        (["serve", "8080"], "serve: too many positional arguments."),
        (["serve", "PORT=http"], "PORT=http: PORT must be a number up to 65535."),
        (["serve", "PORT=²"], "PORT=²: PORT must be a number up to 65535."),
        (["execute"], "execute: missing a required argument: 'name'."),
        (["execute", "no-such-lesson"], "No such file or directory"),
        (["score_photos", "PHOTO=."], "score_photos: got an unexpected keyword argument 'PHOTO'."),
        (["lab", "PORT=1", "1"], "lab: got an unexpected keyword argument 'PORT'."),
        ([], "The programs behind make's targets"),
    ],
)
def test_what_is_wrong_is_said_and_how_the_command_is_called(arguments, said):
    process = run([sys.executable, "notebooks/commands", *arguments], REPOSITORY)
    assert process.returncode == 1 and process.stdout == ""
    assert said in process.stderr and "Traceback" not in process.stderr
    if "argument" in said:
        assert f"python notebooks/commands {arguments[0]}" in process.stderr


@pytest.mark.parametrize("name", ["nonsense", "settings", "strip"])
def test_a_command_that_does_not_exist_is_no_command(name):
    process = run([sys.executable, "notebooks/commands", name], REPOSITORY)
    assert process.returncode == 1 and "Traceback" not in process.stderr
    assert f"There is no command {name}" in process.stderr


def test_a_mistyped_parameter_is_no_silent_run_of_the_default(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    said = commands.call("execute", "04-lambda-function", "MODEL=x.h5")
    assert said == "MODEL is no parameter of 04-lambda-function. It has: NOTEBOOK."
    said = commands.call("execute", "07-http", "MODEL=x.h5")
    assert said == "MODEL is no parameter of 07-http. It has: none."


def test_each_command_is_explained():
    for name in commands.COMMANDS:
        assert f"\n| {name} | " in commands.__doc__
        module = importlib.import_module(f"commands.{name}")
        assert module.__doc__ and callable(module.main)


# --- serve: what it looks at ---------------------------------------------------------------------


@pytest.fixture
def stack(tmp_path, monkeypatch):
    """A folder with what a stack is made of, all of it old, and two models; this process is there."""
    shutil.copytree(REPOSITORY / "lambda", tmp_path / "lambda", ignore=lambda *_: [".aws-sam"])
    (tmp_path / "generated").mkdir()
    for model in "clothing-model.tflite", "clothing-model-int8.tflite":
        (tmp_path / "generated" / model).touch()
    monkeypatch.chdir(tmp_path)
    for file in tmp_path.glob("*/*"):
        os.utime(file, (0, 0))


PARTS = ["generated/clothing-model.tflite", "lambda/samconfig.toml", "lambda/template.yaml"]
PARTS += ["lambda/requirements-zip.txt", "lambda/bundle.py", "lambda/Makefile"]
PARTS += [f"lambda/{file}" for file in FILES]


@pytest.fixture
def sam(monkeypatch):
    """The commands of SAM that would run."""
    commands = []
    monkeypatch.setattr(walk.aws, "run", lambda command, folder: commands.append(command))
    monkeypatch.setattr(walk.aws, "outputs", lambda stack: {})
    return commands


@pytest.mark.parametrize("part", PARTS)
def test_a_changed_part_of_the_stack_is_noticed_and_built_anew(stack, sam, part):
    before = serve.state()
    built = Path("lambda/.aws-sam/build/template.yaml")
    built.parent.mkdir(parents=True)
    built.touch()
    os.utime(built, (1, 1))
    walk.deploy()
    assert not [command for command in sam if "sam build" in command]
    Path(part).touch()
    assert serve.state() != before
    walk.deploy()
    assert [command for command in sam if "sam build" in command]


def test_the_model_that_is_not_chosen_is_no_part_of_the_stack(stack):
    before = serve.state()
    Path("generated/clothing-model-int8.tflite").touch()
    assert serve.state() == before
    settings = Path("lambda/samconfig.toml")
    settings.write_text(settings.read_text().replace("model.tflite", "model-int8.tflite"))
    before = serve.state()
    os.utime("generated/clothing-model-int8.tflite", (2, 2))
    assert serve.state() != before


def test_a_half_written_samconfig_is_said_and_serving_goes_on(stack, sam, capsys):
    before = serve.state()
    settings = Path("lambda/samconfig.toml")
    settings.write_text(settings.read_text().replace("version = 0.1", "version ="))
    assert serve.state() != before
    serve.update()
    said = "The function was not updated. lambda/samconfig.toml: Invalid value (at line 2"
    assert said in capsys.readouterr().out
    assert sam == []
