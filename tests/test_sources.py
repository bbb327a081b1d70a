"""The notebooks as files: sources that run anywhere, published lessons without errors or noise."""

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest
from conftest import REPOSITORY, code_cells, run

SOURCES = sorted((REPOSITORY / "notebooks").glob("*[!0-9].ipynb"))  # and no 01-…-Copy1.ipynb
EXERCISES = sorted((REPOSITORY / "notebooks/exercises").glob("*[!0-9].ipynb"))
PUBLISHED = sorted((REPOSITORY / "generated/published").glob("*.ipynb"))


def cells(notebook):
    """The kind and the source of each cell."""
    return [(c.cell_type, c.source) for c in nbformat.read(notebook, as_version=4).cells]


def name(path):
    return path.relative_to(REPOSITORY).as_posix()


def test_the_walk_is_complete():
    names = ["01-keras-model", "02-tflite-model", "03-predict", "04-lambda-function"]
    names += ["05-deployment", "06-strangers", "07-http", "08-public", "09-measurements"]
    names += ["10-catalogue", "measurements-in-depth", "onnx", "train-the-model"]
    assert [path.stem for path in PUBLISHED] == names
    assert [path.stem for path in SOURCES] == sorted([*names, "homework"])


@pytest.mark.parametrize("notebook", SOURCES + EXERCISES, ids=name)
def test_sources_have_no_shell_commands_or_magics(notebook):
    """But %%writefile, which is IPython's own and works everywhere."""
    for cell in code_cells(notebook):
        source = cell.source.removeprefix("%%writefile ")
        assert not re.search(r"^\s*[!%]", source, re.MULTILINE)


def imports(notebook):
    """The packages that the cells of a notebook import."""
    found = set()
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("notebook", SOURCES, ids=name)
def test_no_lesson_has_tensorflow_and_the_small_runtime_in_one_process(notebook):
    """The functions, lambda_function.py and what imports it, bring the small runtime."""
    packages = imports(notebook)
    small = {"tflite_runtime", "ai_edge_litert", "lambda_function", "guards", "api"}
    assert not packages & {"tensorflow", "keras", "tf_keras"} or not packages & small


def test_neither_a_lesson_nor_a_program_starts_docker():
    """Its commands are printed, for those who have it."""
    code = "\n".join(cell.source for notebook in SOURCES for cell in code_cells(notebook))
    code = re.sub(r'print\(f""".*?"""\)', "", code, flags=re.DOTALL)
    programs = [REPOSITORY / "Makefile", REPOSITORY / "lambda/Makefile"]
    programs += [*REPOSITORY.glob("notebooks/**/*.py"), *REPOSITORY.glob("lambda/*.py")]
    for text in [code, *(path.read_text() for path in programs)]:
        assert not re.search(r"""["'@\t ]docker (build|run|push|login|pull)""", text)


@pytest.mark.parametrize("notebook", PUBLISHED, ids=name)
def test_published_lessons_are_of_the_present_sources(notebook):
    """With links from one folder deeper, and without the cell that only Google Colab needs."""
    source = cells(REPOSITORY / "notebooks" / notebook.name)
    source = [cell for cell in source if not cell[1].startswith("# @title Only Google Colab")]
    assert cells(notebook) == [
        (kind, text.replace("](../", "](../../") if kind == "markdown" else text)
        for kind, text in source
    ]


@pytest.mark.parametrize("notebook", PUBLISHED, ids=name)
def test_published_lessons_hold_no_errors_warnings_or_logs(notebook):
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    assert outputs, "not executed"
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    noise = "Warning|WARNING|INFO:|cudart|oneDNN|XNNPACK delegate|Traceback"
    assert not re.search(noise, json.dumps(outputs))


@pytest.mark.parametrize("notebook", PUBLISHED, ids=name)
def test_published_lessons_hold_no_paths_ids_or_notes_of_the_run(notebook):
    text = notebook.read_text(encoding="utf-8")
    assert '"papermill"' not in text and '"execution"' not in text and "start_time" not in text
    assert "version" not in nbformat.reads(text, as_version=4).metadata.language_info
    for place in (REPOSITORY, Path.home(), "/home", "/Users", "/tmp"):
        assert not re.search(rf'[ "(]{place}/', text)
    outputs = json.dumps([cell.outputs for cell in code_cells(notebook)])
    assert not re.search(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b", outputs)


def test_both_notebooks_name_the_same_classes_preprocessing_and_resizing():
    parameters = []
    for notebook in "01-keras-model", "03-predict":
        cells = code_cells(REPOSITORY / "notebooks" / f"{notebook}.ipynb")
        (cell,) = [c for c in cells if "parameters" in c.metadata.get("tags", [])]
        values = {}
        exec(cell.source, values)
        parameters.append([values[name] for name in ("CLASSES", "PREPROCESSING", "RESIZE")])
    assert parameters[0] == parameters[1]


def test_ruff_finds_nothing():
    for command in (["ruff", "check"], ["ruff", "format", "--check"]):
        process = run([*command, "."], REPOSITORY)
        assert process.returncode == 0, process.stdout


def test_no_word_is_misspelt():
    process = run(["codespell"], REPOSITORY)
    assert process.returncode == 0, process.stdout
