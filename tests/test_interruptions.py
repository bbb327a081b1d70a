"""Full disks, read-only folders, no network, Ctrl-C and kill: one clear message, nothing is lost."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import (
    REPOSITORY,
    but_bars,
    copy_of,
    copy_repository,
    environment,
    make,
    processes_in,
    run,
    wait_for,
    wait_for_command,
)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    folder = copy_repository(tmp_path / "copy")
    shutil.rmtree(folder / "generated")
    (folder / "generated").write_text("a file where the folder should be")
    process = run(["make", "VENV="], folder)
    assert process.returncode != 0
    assert "cannot write to generated/" in process.stderr


def test_a_full_disk_is_named_and_nothing_is_lost(walked, tmp_path):
    folder = copy_of(walked, tmp_path / "copy")
    (folder / "generated/prediction.json").write_text("from an earlier run")
    (folder / "notebooks/03-predict.ipynb").touch()
    part = folder / "generated/prediction.json.part"
    part.symlink_to("/dev/full")
    process = run(["make", "VENV="], folder)
    assert process.returncode != 0
    assert "No space left on device" in process.stderr
    assert "The disk is full: free some space" in process.stderr
    assert (folder / "generated/prediction.json").read_text() == "from an earlier run"
    assert not part.is_symlink()


def test_a_function_that_cannot_be_written_is_named(walked, tmp_path):
    folder = copy_of(walked, tmp_path / "copy")
    (folder / "lambda/lambda_function.py").unlink()
    (folder / "lambda/lambda_function.py").mkdir()
    (folder / "notebooks/04-lambda-function.ipynb").touch()
    process = run(["make", "VENV="], folder)
    assert process.returncode != 0
    assert "nbconvert_config.py generated/03-predict.ipynb` failed: " in process.stderr
    assert "Is a directory" in process.stderr and "Traceback" not in process.stderr


NO_PYPI = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
NO_PYTHON = {"UV_PYTHON_PREFERENCE": "only-managed", "UV_PYTHON_DOWNLOADS": "never"}


@pytest.mark.parametrize("obstacle", [NO_PYPI, NO_PYTHON], ids=["no PyPI", "no Python 3.11"])
def test_an_environment_that_cannot_be_built_says_what_is_needed(tmp_path, obstacle):
    folder = copy_repository(tmp_path / "copy")
    path = environment()["PATH"]
    if obstacle is NO_PYPI:  # uv would have to come from there
        parts = [part for part in path.split(os.pathsep) if not shutil.which("uv", path=part)]
        path = os.pathsep.join([*parts, os.defpath])
    process = run(["make"], folder, PATH=path, UV_PYTHON_INSTALL_DIR=str(tmp_path), **obstacle)
    assert process.returncode != 0
    assert "the environment could not be built; the reason stands above" in process.stderr
    assert "install Python 3.11 first" in process.stderr
    assert not (folder / ".venv/.complete").exists()


@pytest.mark.parametrize(("seconds", "times"), [(0, 1), (0, 3), (0.4, 1), (4, 1)])
def test_a_run_that_is_interrupted_says_so_in_one_line(tmp_path, seconds, times):
    """Within the imports of the first second, too, when it is not yet known what would be made."""
    folder = copy_repository(tmp_path / "copy")
    command = [sys.executable, "notebooks/commands", "execute", "01-keras-model"]
    process = subprocess.Popen(
        command, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True
    )
    wait_for_command(process)
    time.sleep(seconds)
    for _ in range(times):  # as the impatient do
        process.send_signal(signal.SIGINT)
        time.sleep(0.15)
    said = process.communicate()[1]
    assert process.returncode == 1
    whole = (
        "notebooks/01-keras-model.ipynb was stopped; generated/01-keras-model.ipynb is as it was."
    )
    assert but_bars(said) in ([whole], ["execute was stopped."])
    wait_for(lambda: not processes_in(folder))


@pytest.mark.parametrize(
    ("beginning", "said"),
    [
        ("import os, signal\ntry: os.kill(os.getpid(), signal.SIGINT)", "was stopped; generated/"),
        ("try: import nothing_of_this_name", "ImportError: of another name"),
    ],
    ids=["Ctrl-C", "no package"],
)
def test_a_package_may_make_an_import_error_of_ctrl_c_but_what_is_missing_is_said(
    tmp_path, beginning, said
):
    folder = copy_repository(tmp_path / "copy")
    walk = folder / "notebooks/walk/__init__.py"
    caught = "except BaseException: raise ImportError('of another name') from None"
    walk.write_text(f"{beginning}\n{caught}\n{walk.read_text()}")
    process = run([sys.executable, "notebooks/commands", "execute", "01-keras-model"], folder)
    assert process.returncode == 1
    assert said in process.stderr
    assert ("Traceback" in process.stderr) == ("of another name" in said)


# Text that is executed, as fastjsonschema writes it for nbformat, and something that cannot end well.
HALF_DONE = """
    class Half:
        def __del__(self):
            raise RuntimeError("half done")
    half = Half()
    exec("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
"""


def test_ctrl_c_in_text_that_is_executed_ends_the_run_as_elsewhere(tmp_path):
    folder = copy_repository(tmp_path / "copy")
    program = folder / "notebooks/commands/execute.py"
    text, first = program.read_text(), '    if name == "03-predict":\n'
    assert text.count(first) == 1  # main begins with it
    program.write_text(text.replace(first, HALF_DONE + first))
    process = run([sys.executable, "notebooks/commands", "execute", "01-keras-model"], folder)
    assert process.returncode == 1
    assert len(but_bars(process.stderr)) == 1 and "was stopped; generated/" in process.stderr


def test_make_that_was_killed_leaves_no_process_and_goes_on_rightly(walked, tmp_path):
    folder = copy_of(walked, tmp_path / "copy")
    executed = folder / "generated/04-lambda-function.ipynb"
    before = executed.read_bytes()
    (folder / "notebooks/04-lambda-function.ipynb").touch()
    process = subprocess.Popen(
        ["make", "VENV="], cwd=folder, env=environment(), start_new_session=True
    )
    # The emulator works in lambda/: it is what one would least like to leave behind.
    wait_for(lambda: processes_in(folder / "lambda"))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not processes_in(folder))
    assert executed.read_bytes() == before

    make(folder, "generated/04-lambda-function.ipynb")
    assert executed.read_bytes() != before and "REPORT RequestId" in executed.read_text()
    assert "jeans.png is pants" in (folder / "generated/summary.txt").read_text()
    committed = (REPOSITORY / "lambda/lambda_function.py").read_text()
    assert (folder / "lambda/lambda_function.py").read_text() == committed


def test_a_cell_that_fails_leaves_no_emulator(walked, tmp_path):
    folder = copy_of(walked, tmp_path / "copy")
    notebook = folder / "notebooks/04-lambda-function.ipynb"
    post = "runtime.url, json=event, timeout=60)"
    assert post in notebook.read_text()
    slow = notebook.read_text().replace(post, "runtime.url, json=event, timeout=1e-6)")
    notebook.write_text(slow)
    process = run(["make", "VENV="], folder)
    assert process.returncode != 0
    assert "notebooks/04-lambda-function.ipynb stopped in cell" in process.stderr
    assert "TimeoutError" in process.stderr
    wait_for(lambda: not processes_in(folder))
