"""The commands: one way to be called and to end, for all of them."""

import sys

import pytest
from conftest import REPOSITORY, run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "PROT=1"], "serve: got an unexpected keyword argument 'PROT'."),
        (["serve", "8080"], "serve: too many positional arguments."),
        (["serve", "PORT=http"], "PORT=http: PORT must be a number up to 65535."),
        (["execute"], "execute: missing a required argument: 'name'."),
        (["execute", "no-such-lesson"], "No such file or directory"),
        (["score_photos", "PHOTO=."], "score_photos: got an unexpected keyword argument 'PHOTO'."),
        (["score_photos", "PHOTOS=nowhere"], "there is no such folder."),
        ([], "The programs behind make's targets"),
    ],
)
def test_what_is_wrong_is_said_and_how_the_command_is_called(arguments, said):
    process = run([sys.executable, "notebooks/commands", *arguments], REPOSITORY)
    assert process.returncode == 1 and process.stdout == ""
    assert said in process.stderr and "Traceback" not in process.stderr
    if "argument" in said:
        assert f"python notebooks/commands {arguments[0]}" in process.stderr


def test_a_command_that_does_not_exist_is_no_command():
    process = run([sys.executable, "notebooks/commands", "nonsense"], REPOSITORY)
    assert process.returncode == 1 and "Traceback" not in process.stderr
    assert "There is no command nonsense" in process.stderr
