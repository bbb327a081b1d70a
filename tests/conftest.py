"""What the tests share: copies of the repository, and the walk through one of them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

REPOSITORY = Path(__file__).parent.parent
PICTURES = sorted((REPOSITORY / "notebooks" / "assets").glob("*.png"))
BIN = Path(sys.executable).parent  # where jupyter, ruff and uv are


def copy_repository(folder):
    """Copy the repository as a clone would have it: without environments, caches and products."""

    def not_tracked(where, names):
        left_out = {".venv", ".cache", ".git", ".aws-sam"}
        left_out |= {"__pycache__", ".pytest_cache", ".ruff_cache"}
        if Path(where).name == "generated":
            left_out |= {name for name in names if not name.endswith(".ipynb")}
            left_out -= {"measurements.json"}
        return left_out & set(names)

    return Path(shutil.copytree(REPOSITORY, folder, ignore=not_tracked))


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


@contextmanager
def served(folder):
    """Serve the files of a folder over HTTP; yield the address."""
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@contextmanager
def emulator(log, python=None, folder=REPOSITORY / "lambda", **variables):
    """Run the function under AWS's emulator; yield the address that takes its events.

    Another Python, with another folder, gets these environment variables and no others. What both
    programs write goes into the file `log`.
    """
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = ["{}:{}".format(*s.getsockname()) for s in sockets]
    for s in sockets:
        s.close()
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}[os.uname().machine]
    samcli = Path(find_spec("samcli").origin).parent
    command = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    command += [samcli / "local" / "rapid" / f"aws-lambda-rie-{machine}"]
    command += ["--runtime-interface-emulator-address", addresses[0]]
    command += ["--runtime-api-address", addresses[1]]
    command += [python or sys.executable, "-m", "awslambdaric", "lambda_function.lambda_handler"]
    settings = {} if python else environment()
    with Path(log).open("w") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=settings | {"AWS_LAMBDA_FUNCTION_TIMEOUT": "30"} | variables,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        host, port = addresses[0].split(":")
        while process.poll() is None:
            with suppress(ConnectionRefusedError):
                socket.create_connection((host, int(port))).close()
                break
            time.sleep(0.02)
        yield f"http://{addresses[0]}/2015-03-31/functions/function/invocations"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def code_cells(notebook):
    """The code cells of a notebook file."""
    cells = nbformat.read(notebook, as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


@pytest.fixture(scope="session")
def walk(tmp_path_factory):
    """A copy of the repository, in a folder with a space in its name, where `make` has run."""
    folder = copy_repository(tmp_path_factory.mktemp("walk") / "a copy")
    (folder / "output.txt").write_text(make(folder).stdout)
    return folder
