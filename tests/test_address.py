"""The ways in: the public address in links and cells, and what Codespaces runs."""

import json
import re

import pytest
from conftest import REPOSITORY, commit_all, copy_repository, run

ADDRESS = "https://github.com/anna/serverless.course"


@pytest.fixture
def clone(tmp_path):
    folder = copy_repository(tmp_path / "a clone")
    commit_all(folder)
    return folder


def test_one_command_writes_the_address_everywhere_and_again_another(clone):
    published = (REPOSITORY / ".github/address").read_text().strip()
    slug = published.removeprefix("https://github.com/")
    holders = run(["git", "grep", "--name-only", slug], clone).stdout.split()
    assert {"README.md", "notebooks/01-keras-model.ipynb", ".github/address"} <= set(holders)

    assert run(["make", "VENV=", "address", f"REPOSITORY={ADDRESS}"], clone).returncode == 0
    readme = (clone / "README.md").read_text()
    assert "https://mybinder.org/v2/gh/anna/serverless.course/main?" in readme
    assert "https://colab.research.google.com/github/anna/serverless.course/blob/main/" in readme
    cell = (clone / "notebooks/exercises/03-predict.ipynb").read_text()
    assert f'REPOSITORY = \\"{ADDRESS}\\"' in cell
    left = run(["git", "grep", "--name-only", slug], clone).stdout.split()
    assert [file for file in left if not file.endswith(".py")] == []

    assert run(["make", "VENV=", "address", f"REPOSITORY={published}"], clone).returncode == 0
    assert run(["git", "diff", "--stat"], clone).stdout == ""


@pytest.mark.parametrize("address", ["", "github.com/anna/course", "https://gitlab.com/a/b", "x"])
def test_what_is_no_address_changes_nothing(clone, address):
    process = run(["make", "VENV=", "address", f"REPOSITORY={address}"], clone)
    assert f"REPOSITORY={address} is not the address of a repository on GitHub" in process.stderr
    assert run(["git", "diff", "--stat"], clone).stdout == ""


def test_codespaces_runs_the_first_command_of_the_readme():
    settings = json.loads((REPOSITORY / ".devcontainer/devcontainer.json").read_text())
    readme = (REPOSITORY / "README.md").read_text()
    assert re.search(rf"^{settings['postCreateCommand']} +#", readme, flags=re.MULTILINE)
    for notebook in settings["customizations"]["codespaces"]["openFiles"]:
        assert (REPOSITORY / notebook).exists()
