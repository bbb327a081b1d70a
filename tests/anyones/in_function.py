"""Run lesson 3 on what lessons 1 and 2 left of each model, and ask its functions: one process for all.

Started where `in_keras` ran, with lesson 3's cells on its standard input; TensorFlow is not loaded here.
"""

import base64
import importlib
import json
import os
import shutil
import sys
from pathlib import Path

from commands.execute import left_by_lesson_1
from nbconvert.exporters import PythonExporter
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from traitlets.config import PyFileConfigLoader

from anyones import leave_out_what_takes_long, run_cells

LESSON_3 = "notebooks/03-predict.ipynb"
EXPORTED = ["lambda_function", "guards", "transport", "answers", "api"]


def export(parameters):
    """Export lambda_function.py from lesson 3 with these parameters, as lesson 4 does; import all."""
    notebook = parameterize_notebook(load_notebook_node(LESSON_3), parameters)
    resources = {"metadata": {"name": Path(LESSON_3).stem}}
    config = PyFileConfigLoader("nbconvert_config.py", "lambda").load_config()
    text, _ = PythonExporter(config=config).from_notebook_node(notebook, resources)
    Path("lambda/lambda_function.py").write_text(text)
    for name in EXPORTED:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return importlib.import_module("lambda_function"), importlib.import_module("api")


def http_event(content):
    return {
        "rawPath": "/",
        "requestContext": {"http": {"method": "POST"}},
        "headers": {"content-type": "image/png"},
        "body": base64.b64encode(content).decode(),
        "isBase64Encoded": True,
    }


def ask(cells, pictures):
    """What lesson 3 and both functions say to pictures, or the error."""
    parameters = left_by_lesson_1()
    try:
        in_lesson = run_cells(cells, parameters)["scores"]
        function, api = export(parameters)
        contents = {picture: Path(picture).read_bytes() for picture in pictures}
        events = {p: {"image": base64.b64encode(c).decode()} for p, c in contents.items()}
        return {
            "in_lesson": in_lesson,
            "function": {p: function.lambda_handler(event, None) for p, event in events.items()},
            "api": {
                p: json.loads(api.lambda_handler(http_event(c), None)["body"])
                for p, c in contents.items()
            },
        }
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    cells = json.load(sys.stdin)
    sys.path.insert(0, "lambda")
    sys.dont_write_bytecode = True  # a module is written anew within a second
    os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = (
        "1769"  # MB: one thread; two wait for each other
    )
    leave_out_what_takes_long()
    answers = {}
    for left in sorted(Path("table").glob("*/expected-scores.json")):
        shutil.rmtree("generated", ignore_errors=True)
        shutil.copytree(left.parent, "generated")
        pictures = list(json.loads(left.read_text())["scores"])[:3]
        answers[left.parent.name] = ask(cells, pictures)
    Path("table/in_function.json").write_text(json.dumps(answers))
    assert "tensorflow" not in sys.modules


if __name__ == "__main__":
    main()
