"""The function's runtime in the lessons: a crash is not taken for an answer, and all is UTF-8."""

import io
import json
import os
import sys

import pytest
import urllib3
import walk
from conftest import REPOSITORY, run

FUNCTION = """
import os, sys, time

def lambda_handler(event, context):
    match event["do"]:
        case "exit": os._exit(1)
        case "be killed": os.kill(os.getpid(), 9)
        case "sleep": time.sleep(10)
        case "fail": return {"statusCode": 500, "body": "{}"}
        case "refuse": raise KeyError("url")
    print("ä → 🙂")
    return {"encoding": sys.stdout.encoding, "files": sys.getfilesystemencoding(), "text": "ä"}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "function.py").write_text(FUNCTION)
    (tmp_path / "broken.py").write_text("import nowhere")
    return tmp_path


def ask(folder, event, module="function", **settings):
    """The answer to an event, and the function's log."""
    settings |= {"folder": folder, "log_file": folder / "log.txt"}
    with walk.lambda_runtime(f"{module}.lambda_handler", **settings) as runtime:
        answer = walk.answer_of(urllib3.request("POST", runtime.url, json=event, retries=False))
    return answer, runtime.log()


@pytest.mark.parametrize(
    ("do", "words"),
    [
        ("exit", "Runtime exited with error: exit status 1"),
        ("be killed", "Runtime exited with error: signal: killed"),
        ("sleep", "Task timed out after 1.00 seconds"),
        ("fail", '"statusCode": 500'),
    ],
)
def test_a_function_that_ends_without_an_answer_is_a_problem(folder, do, words):
    with pytest.raises(walk.Problem, match=f"The function gave no answer: .*{words}"):
        ask(folder, {"do": do}, AWS_LAMBDA_FUNCTION_TIMEOUT="1")


def test_so_is_one_that_cannot_be_imported(folder):
    with pytest.raises(walk.Problem, match="No module named 'nowhere'"):
        ask(folder, {}, "broken")


def test_so_is_an_event_that_the_runtime_cannot_read(folder):
    settings = {"folder": folder, "log_file": folder / "log.txt"}
    with walk.lambda_runtime("function.lambda_handler", **settings) as runtime:
        reply = urllib3.request("POST", runtime.url, body="{'do'", retries=False)
        assert reply.status == 200  # of all things
        with pytest.raises(walk.Problem, match="Runtime.UnmarshalError"):
            walk.answer_of(reply)


def test_so_is_one_that_failed_when_it_was_invoked():
    reply = {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType": "KeyError"}')}
    with pytest.raises(walk.Problem, match="KeyError"):
        walk.answer_of(reply)
    assert walk.answer_of({"Payload": io.BytesIO(b'{"hat": 1}')}) == {"hat": 1}


def test_an_error_with_a_name_is_an_answer(folder):
    answer, _ = ask(folder, {"do": "refuse"})
    assert answer["errorType"] == "KeyError"


def test_the_function_runs_with_utf_8_whatever_the_machines_locale(folder):
    others = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    answer, log = ask(folder, {"do": "answer"}, environment=os.environ | others)
    assert answer == {"encoding": "utf-8", "files": "utf-8", "text": "ä"}
    assert "ä → 🙂" in log


def test_so_does_one_in_a_process_of_its_own(tmp_path):
    """And whoever starts it, or a program, reads what it says."""
    (tmp_path / "lambda").mkdir()
    (tmp_path / "lambda/own.py").write_text("def lambda_handler(*_): print('→'); return {'ä': 1}")
    code = """
import walk
print(ascii(walk.outcome_in_own_process("own.lambda_handler", {}, 1000)))
print(ascii(walk.run("python -c 'print(chr(228))'")))
"""
    variables = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    variables["PYTHONPATH"] = str(REPOSITORY / "notebooks")
    process = run([sys.executable, "-c", code], tmp_path, **variables)
    assert process.stdout.splitlines() == [r"'answered: \xe4'", r"'\xe4\n'"], process.stderr


def test_no_lesson_takes_an_answer_unseen():
    """Each reply of a runtime or a gateway goes through `walk.answer_of`, or its status is shown.

    And a function may take a minute to start: urllib3's own limit is three seconds.
    """
    for notebook in REPOSITORY.glob("notebooks/**/*.ipynb"):
        for cell in json.loads(notebook.read_text())["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and "runtime.url" in source:
                requests = source.count("urllib3.request(")
                assert source.count("answer_of(") == source.count("timeout=60") == requests, (
                    notebook
                )
            assert ".json()[" not in source and 'reply["Payload"])' not in source, notebook
