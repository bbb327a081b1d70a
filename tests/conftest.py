"""What the tests share: copies of the repository, and the walk through one of them."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from commands.settings import forget, forget_account
from filelock import FileLock
from picture_server import picture_server
from walk.aws import NEEDS, prepare_sam, try_aws

pytest_plugins = ["contract", "browser"]  # fixtures, for all tests of the function and its page

REPOSITORY = Path(__file__).parent.parent
PICTURES = sorted((REPOSITORY / "notebooks" / "assets").glob("*.png"))
# What they show, by the class that the embedded model has for it.
CLASS_OF = {
    "cap": "hat",
    "coat": "outwear",
    "dress": "dress",
    "flat-shoe": "shoes",
    "jeans": "pants",
    "running-shoe": "shoes",
    "t-shirt": "t-shirt",
    "top-hat": "hat",
}
BIN = Path(sys.executable).parent  # where jupyter, ruff and uv are

# Groups of tests that take minutes, in the order in which they begin; all others come after them. The
# first makes the walk that most others wait for, and the second does without it.
LONGEST_FIRST = [
    "serve",
    "own model",
    "any model",
    "training",
    "measurements",
    "image",
    "onnx",
    "colab",
    "catalogue stack",
]

# What is asked of these takes minutes: `make test` leaves it out, `make test-all` does not.
LONG = {"trained", "measured"}

# What a developer has set for other work reaches no test.
forget()
forget_account()


def copy_repository(folder):
    """Copy the repository as a clone would have it: without environments, caches and products."""

    def not_tracked(where, names):
        left_out = {".venv", ".cache", ".git", ".aws-sam", "own"}
        left_out |= {"__pycache__", ".pytest_cache", ".ruff_cache"}
        if Path(where).name == "generated":
            left_out |= {name for name in names if name != "published"}
        return left_out & set(names)

    shutil.copytree(REPOSITORY, folder, ignore=not_tracked)
    for name in "environments", "models":  # large, and made once for all
        made = REPOSITORY / ".cache" / name
        made.mkdir(parents=True, exist_ok=True)
        (folder / ".cache").mkdir(exist_ok=True)
        (folder / ".cache" / name).symlink_to(made)
    return Path(folder)


def copy_of(copy, folder):
    """Copy such a copy, with all that was made in it; what is shared stays a link."""
    return Path(shutil.copytree(copy, folder, symlinks=True))


def environment():
    """The environment variables for a process: this Python's programs first, no trace of make.

    And nothing of an AWS account that a developer may have.
    """
    others = ("MAKE", "AWS_")
    variables = {key: value for key, value in os.environ.items() if not key.startswith(others)}
    return variables | {"PATH": os.pathsep.join([str(BIN), os.environ["PATH"]])}


def run(command, folder, **variables):
    """Run a command in a folder; return the finished process."""
    return subprocess.run(
        command, cwd=folder, env=environment() | variables, capture_output=True, text=True
    )


def make(folder, *arguments):
    """Run make in this environment, without building another; it must succeed."""
    process = run(["make", "VENV=", *arguments], folder)
    assert process.returncode == 0, process.stdout + process.stderr
    return process


def git(folder, *arguments, **variables):
    """Run git as somebody with a name and no settings; it must succeed and complain of nothing."""
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for role in "AUTHOR", "COMMITTER":
        settings |= {f"GIT_{role}_NAME": "A", f"GIT_{role}_EMAIL": "a@example.org"}
    process = run(["git", *arguments], folder, **settings, **variables)
    assert process.returncode == 0, process.stderr
    assert "error" not in process.stderr and "warning" not in process.stderr
    return process.stdout


def commit_all(folder):
    """Make a git repository of a folder, and commit all that is in it."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=all")


def start_make(folder, *arguments):
    """Start make in this environment, in a session of its own; return the process."""
    return subprocess.Popen(
        ["make", "VENV=", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def processes_in(folder):
    """The numbers of the processes that work in a folder or below."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended, or is not ours
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
    return found


def wait_for(condition, seconds=60):
    """Wait until the condition holds; fail after this many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def wait_for_command(process):
    """Wait until one of our commands minds its signals: what comes earlier, Python itself answers."""
    status = Path(f"/proc/{process.pid}/status")

    def minds():
        caught = re.search("SigCgt:\\s*(.*)", status.read_text())
        return int(caught[1], 16) >> signal.SIGTERM - 1 & 1

    wait_for(lambda: process.poll() is not None or minds())


def but_bars(said):
    """The lines of what a command said, without the bars of its progress."""
    return [line for line in said.splitlines() if line and not re.match(r"[\w-]+: +\d+%\|", line)]


def code_cells(notebook):
    """The code cells of a notebook file; of one that writes a file of Python, what it writes."""
    cells = nbformat.read(notebook, as_version=4).cells
    found = [cell for cell in cells if cell.cell_type == "code"]
    for cell in found:
        cell.source = re.sub(r"\A%%writefile .*\.py\n", "", cell.source)
    return found


def lesson_cells(notebook):
    """The code cells of a lesson, without the one for Google Colab."""
    return [cell for cell in code_cells(notebook) if "colab" not in cell.metadata.get("tags", [])]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What takes longest begins first, so that all workers have work until the end."""
    for item in items:
        if LONG & set(item.fixturenames):
            item.add_marker("long")
    order = {group: place for place, group in enumerate(LONGEST_FIRST)}

    def place(item):
        marker = item.get_closest_marker("xdist_group")
        return order.get(marker.args[0] if marker else "", len(order))

    items.sort(key=place)  # what is of one group stays in its order


@pytest.fixture(scope="session")
def once(tmp_path_factory, worker_id):
    """Make a folder once for all workers: the first one that asks makes it, the others wait.

    As https://pytest-xdist.readthedocs.io/en/stable/how-to.html has it.
    """
    place = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        place = place.parent  # the workers' own folders lie in it

    def once(name, fill):
        """Return the folder of this name, in one with a space; `fill(folder)` has made it."""
        folder = place / name / "a copy"
        folder.parent.mkdir(exist_ok=True)
        with FileLock(folder.parent / "lock"):
            if not (folder.parent / "whole").exists():
                shutil.rmtree(folder, ignore_errors=True)
                fill(folder)
                (folder.parent / "whole").touch()
        return folder

    return once


@pytest.fixture(scope="session")
def walked(once):
    """A copy of the repository where `make` has run. All workers share it: tests only read it."""

    def walk(folder):
        copy_repository(folder)
        (folder / "output.txt").write_text(make(folder).stdout)

    return once("walked", walk)


@pytest.fixture(scope="module")
def module_path(tmp_path_factory):
    """As `tmp_path`, with a space in it, for all tests of one file; nothing is left of it after them."""
    folder = tmp_path_factory.mktemp("one file")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def own_walk(walked, module_path):
    """A copy of it, with which the tests of one file do what they like."""
    return copy_of(walked, module_path / "walk")


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A home directory without AWS credentials; sam keeps its notes there."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def checked(walked, once):
    """A copy of the walk where `make deploy-check` has run. All workers share it, too."""

    def check(folder):
        copy_of(walked, folder)
        (folder / "said.txt").write_text(make(folder, "deploy-check").stdout)

    return once("checked", check)


@pytest.fixture(scope="session")
def site_copy(tmp_path_factory):
    """A copy of what is tracked, in a folder with a space, where `make site` has run."""
    folder = copy_repository(tmp_path_factory.mktemp("site") / "a copy")
    process = make(folder, "site")
    (folder / "complaints.txt").write_text(process.stderr)
    return folder


@pytest.fixture(scope="session")
def site(site_copy):
    """The site that it made."""
    return site_copy / "generated/site"


@pytest.fixture(scope="session")
def picture_host():
    """Host and port of a server with pictures, and with all that one may do wrong."""
    with picture_server() as address:
        yield address


@pytest.fixture(scope="session")
def serve_folder(checked, tmp_path_factory, picture_host):
    """A copy of the walk with a bundle, whose stack may fetch pictures from that server alone."""
    folder = copy_of(checked, tmp_path_factory.mktemp("serve") / "a copy")
    config = folder / "lambda/samconfig.toml"
    before = config.stat()
    chosen = f'"AllowedHosts={picture_host}",'
    config.write_text(config.read_text().replace('# "AllowedHosts=example.org",', chosen))
    os.utime(config, ns=(before.st_atime_ns, before.st_mtime_ns))  # the bundle stays as it is
    return folder


@contextmanager
def serving(folder, *arguments):
    """Run `make serve` in a folder; yield its process, and the address that it prints."""
    process = start_make(folder, "serve", *arguments)
    said = ""
    try:
        for line in process.stdout:
            said += line
            if line.strip().startswith("http://"):
                yield process, line.strip()
                break
        else:
            if NEEDS in said:
                pytest.skip(NEEDS)
            raise AssertionError(said)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
        process.stdout.close()


@pytest.fixture(scope="session")
def served(serve_folder):
    """The address of the stack that `make serve` runs from there."""
    with serving(serve_folder) as (_, address):
        yield address


@pytest.fixture(scope="module")
def work_there(own_walk):
    """The same, and this process works in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(own_walk)
        yield own_walk


@pytest.fixture(scope="module")
def cloud(work_there, tmp_path_factory):
    """An AWS on this machine (`aws`) that may be stopped and started; what it has stays in `kept`."""
    prepare_sam()
    kept = tmp_path_factory.mktemp("kept")
    aws = try_aws(folder=kept)
    if aws is None:
        pytest.skip(NEEDS)
    cloud = SimpleNamespace(aws=aws, kept=kept)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.variables.items():
            patch.setenv(name, value)
        yield cloud
    cloud.aws.stop()
