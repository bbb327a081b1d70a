"""The pages beside the lessons: what goes wrong, the glossary, and all links between the files."""

import ast
import json
import os
import re
from functools import cache
from itertools import chain
from pathlib import Path
from urllib.parse import unquote

import pytest
from commands import WHAT_TO_DO
from conftest import REPOSITORY, code_cells
from markdown_it import MarkdownIt
from walk.aws import NEEDS

TROUBLESHOOTING = REPOSITORY / "notebooks/troubleshooting.md"
GLOSSARY = REPOSITORY / "notebooks/glossary.md"

# What went wrong for students of this module, and a phrase of the entry that is about it. What is
# prevented must name the test that shows it; for the rest, the entry says where it is answered.
PREVENTED, ANSWERED = "**Prevented here", "**Answered"
PROBLEMS = {
    1: ("The model's download link is dead", PREVENTED),
    2: ("why not ONNX Runtime?", ANSWERED),
    3: ("The variable that should hold the registry's address is empty", PREVENTED),
    4: ("after `aws ecr get-login`", PREVENTED),
    5: ("load metadata for public.ecr.aws/lambda/python:3.8", ANSWERED),
    6: ("`!ls -lh` fails", PREVENTED),
    7: ('generic_type: type "InterpreterWrapper" is already registered', PREVENTED),
    8: ("WARNING: You are using pip version", PREVENTED),
    9: ("What do I answer to `aws configure`?", ANSWERED),
    10: ("Object of type float32 is not JSON serializable", PREVENTED),
    11: ("Cannot set tensor: Got value of type UINT8 but expected type FLOAT32", PREVENTED),
    12: ("How do I see the size of a file on Windows?", PREVENTED),
    13: ("How do Lambda's container images work?", ANSWERED),
    14: ("How do I deploy the function and give it an address", PREVENTED),
    15: ("Docker build fails on an Apple M1", PREVENTED),
    16: ("Missing Authentication Token", ANSWERED),
    17: ("Could not find a version that satisfies the requirement tflite_runtime", PREVENTED),
    18: ("A module that was compiled using NumPy 1.x cannot be run in NumPy 2", PREVENTED),
    19: ("other errors of the Docker daemon", ANSWERED),
    20: ("How do I look inside an image?", ANSWERED),
    21: ("the disk is full of old images", ANSWERED),
    22: ("Which TensorFlow goes with which Python?", PREVENTED),
    23: ("How is the login to ECR written?", PREVENTED),
    24: ("Which IAM permissions do I need?", ANSWERED),
    25: ("Temporary failure in name resolution", ANSWERED),
    26: ("Unrecognized keyword arguments passed to SeparableConv2D", PREVENTED),
    27: ("How do I test the function here, and what do I post to it?", PREVENTED),
    28: ("No module named 'tensorflow'", PREVENTED),
    29: ("Docker in Google Colab", PREVENTED),
    30: ("Authorization header requires 'Credential' parameter", ANSWERED),
    31: ("Wheel 'tflite-runtime' located at", PREVENTED),
    32: ("TFLite with Python 3.12 or later", PREVENTED),
    33: ("How is a deployed model watched and kept up?", ANSWERED),
    34: ("How do I use SAM for a container image?", PREVENTED),
    35: ("pipenv, Poetry or conda installs the wrong Python", PREVENTED),
}


def entries(page, level):
    """The parts of a page below each heading of this level, by the heading."""
    parts = re.split(rf"^{'#' * level} (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    contents = (re.split(r"^#{1,3} ", part, flags=re.MULTILINE)[0] for part in parts[2::2])
    return dict(zip(parts[1::2], contents, strict=True))


def named_tests(text):
    """The tests that a text names, as (file, function)."""
    return re.findall(r"`(tests/\w+\.py)::(\w+)`", text)


# --- when something goes wrong -------------------------------------------------------------------


@pytest.mark.parametrize("number", PROBLEMS)
def test_each_problem_of_the_students_has_one_entry(number):
    phrase, what = PROBLEMS[number]
    found = [
        content
        for heading, content in entries(TROUBLESHOOTING, 3).items()
        if phrase in heading + content
    ]
    (content,) = found
    assert what in content
    if what == PREVENTED:
        assert named_tests(content.partition(PREVENTED)[2])


def test_all_problems_are_in_the_list():
    assert list(PROBLEMS) == list(range(1, 36))


@pytest.mark.parametrize("heading", entries(TROUBLESHOOTING, 3))
def test_each_entry_says_what_to_do_and_where_it_is_prevented_or_answered(heading):
    content = entries(TROUBLESHOOTING, 3)[heading]
    if heading.startswith(("What the lessons say", "What lesson 1 says")):
        assert content.count("\n| ") > 3 and named_tests(content)
    elif "|:--" not in content:
        assert "**What to do:**" in content
    if "**Answered:**" in content:
        assert "](" in content.partition("**Answered:**")[2]
    if PREVENTED in content:
        assert named_tests(content.partition(PREVENTED)[2])
    else:
        assert "**Answered:**" in content or "**Not prevented" in content or "|:--" in content


def functions(file):
    """The names of the functions in a Python file."""
    tree = ast.parse((REPOSITORY / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_test_that_it_names_exists():
    named = set(named_tests(TROUBLESHOOTING.read_text(encoding="utf-8")))
    assert len(named) > 40
    assert [f"{file}::{name}" for file, name in named if name not in functions(file)] == []


def codes():
    """The source of each program of the lessons, and of each code cell."""
    for file in REPOSITORY.glob("notebooks/**/*.py"):
        yield file.read_text(encoding="utf-8")
    for file in REPOSITORY.glob("notebooks/*.ipynb"):
        yield from (cell.source for cell in code_cells(file))


def messages():
    """What the lessons' own errors say: of each, the first words that do not vary."""
    for code in codes():
        for call in ast.walk(ast.parse(code)):
            name = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
            if name in ("Problem", "walk.Problem", "refuse"):
                constants = [n for n in ast.walk(call.args[-1]) if isinstance(n, ast.Constant)]
                pieces = [n.value.strip() for n in constants if isinstance(n.value, str)]
                words = [piece for piece in pieces if " " in piece] or pieces
                yield from words[:1]


def test_each_message_of_the_lessons_is_on_the_page():
    page = TROUBLESHOOTING.read_text(encoding="utf-8")
    said = [re.split(r"(?<=Expected): ", message)[0][:60].strip() for message in messages()]
    assert len(said) > 30
    assert [message for message in said if message not in page] == []


def test_other_advice_of_the_programs_is_on_the_page():
    page = TROUBLESHOOTING.read_text(encoding="utf-8")
    for advice in (NEEDS, *WHAT_TO_DO.values()):
        assert advice.split(" (")[0] in page


# --- the glossary --------------------------------------------------------------------------------


def test_the_glossary_is_in_alphabetical_order():
    terms = list(entries(GLOSSARY, 2))
    assert len(terms) > 50
    assert terms == sorted(terms, key=str.casefold)


@pytest.mark.parametrize("term", entries(GLOSSARY, 2))
def test_each_term_is_explained_in_a_few_words_and_leads_to_a_section(term):
    text = entries(GLOSSARY, 2)[term].strip()
    assert re.search(r"\]\((\S+\.ipynb|README\.md)#\S+\)\.$", text)
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    assert 5 < len(plain.split()) < 80


# --- links ---------------------------------------------------------------------------------------

NOT_OURS = {".venv", ".cache", ".git", ".aws-sam", ".pytest_cache", ".ipynb_checkpoints"}
NOT_OURS |= {"own", "templates"}


def texts():
    """All files with Markdown; of what running the lessons made, what is published alone."""
    for folder, folders, files in os.walk(REPOSITORY):
        place = Path(folder).relative_to(REPOSITORY)
        folders[:] = {*folders} - NOT_OURS  # where it goes on
        if place.parts == ("generated",):
            folders[:], files = ["published"], []
        yield from ((place / name).as_posix() for name in files if name.endswith((".md", ".ipynb")))


@cache
def tokens(file):
    """The parsed Markdown of a file, of a notebook that of all its cells."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return MarkdownIt("commonmark").enable("table").parse(text)


def flat(all_tokens):
    return chain.from_iterable([token, *flat(token.children or [])] for token in all_tokens)


def links(file):
    """Where the links and pictures of a file lead to, as far as they stay in the repository."""
    for token in flat(tokens(file)):
        found = [token.attrs.get("href"), token.attrs.get("src")]
        if token.type.startswith("html"):
            found += re.findall(r"(?:href|src)=[\"']([^\"']+)", token.content)
        for link in found:
            if link and not re.match(r"[a-z]+:", link):
                yield unquote(link)


def anchor(heading):
    """The anchor of a heading as GitHub makes it: in lower case, with hyphens, without signs."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@cache
def anchors(file):
    """All anchors in a file. The second heading of the same name gets -1, the third -2."""
    found = {}
    parsed = tokens(file)
    for opening, inline in zip(parsed, parsed[1:], strict=False):
        if opening.type == "heading_open":
            name = anchor("".join(each.content for each in inline.children))
            found[name] = found.get(name, -1) + 1
            if found[name]:
                found[f"{name}-{found[name]}"] = 0
    return set(found)


@pytest.mark.parametrize("name", sorted(texts()))
def test_all_links_within_the_repository_lead_somewhere(name):
    file = REPOSITORY / name
    for link in links(file):
        path, _, part = link.partition("#")
        target = Path(file.parent, path).resolve() if path else file
        assert target.is_relative_to(REPOSITORY) and target.exists(), link
        if part and target.suffix in (".md", ".ipynb"):
            assert part in anchors(target), link


def test_anchors_are_those_of_github(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# λ What's `next_to` [it](a.md)?\n\n## Two  words\n\n## Again\n\n## Again\n")
    assert anchors(page) == {"λ-whats-next_to-it", "two--words", "again", "again-1"}


def test_the_readme_is_read_in_a_few_minutes():
    assert len((REPOSITORY / "README.md").read_text().split()) <= 900


def test_readme_and_lessons_say_the_same_minutes():
    readme = (REPOSITORY / "README.md").read_text()
    rows = re.findall(r"\(generated/published/(\S+)\.ipynb\) \| (\d+) \|", readme)
    assert len(rows) == 13
    for lesson, minutes in rows:
        text = (REPOSITORY / f"notebooks/{lesson}.ipynb").read_text()
        assert f"| **time** | about {minutes} minutes" in text
