"""What the user has set for other work does not reach the walk; what packages need, stays."""

import json
import os
import shutil
import sys

import pytest
import urllib3
import walk
from commands import settings
from conftest import REPOSITORY, code_cells, lesson_cells, run

FOREIGN = [
    *("PYTHONPATH", "PYTHONSAFEPATH", "PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONIOENCODING"),
    *("PIP_USER", "PIP_TARGET", "PIP_REQUIRE_VIRTUALENV", "PIP_PREFIX", "PIP_CONSTRAINT"),
    *("UV_REQUIRE_HASHES", "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TARGET", "UV_CONSTRAINT"),
    *("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTERLAB_DIR", "SAM_CLI_POLL_DELAY"),
    *("KERAS_BACKEND", "TF_USE_LEGACY_KERAS", "GIT_DIR"),
]
ACCOUNT = [
    *("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
    *("AWS_ENDPOINT_URL_CLOUDFORMATION", "AWS_LAMBDA_EXEC_WRAPPER"),
]
STAYS = [
    *("PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT"),
    *("UV_DEFAULT_INDEX", "UV_FIND_LINKS", "UV_OFFLINE", "UV_SYSTEM_CERTS", "UV_HTTP_TIMEOUT"),
    *("UV_PYTHON_INSTALL_MIRROR", "UV_PYTHON_DOWNLOADS", "UV_INSECURE_HOST", "HTTPS_PROXY"),
    *("UV_CACHE_DIR", "PIP_CACHE_DIR", "CUDA_VISIBLE_DEVICES", "GIT_SSL_CAINFO"),
]
SET = dict.fromkeys(FOREIGN + ACCOUNT + STAYS, "elsewhere")
SHADOW = "raise SystemExit('not the module that was meant')"


@pytest.fixture
def forgetful(monkeypatch):
    """A process with these settings, which has forgotten none of them yet; afterwards it has its own."""
    before = dict(os.environ)
    for forget in settings.forget, settings.forget_account:
        monkeypatch.setattr(walk.lesson, forget.__name__, forget.__wrapped__)
    for name in settings.NO_ACCOUNT:  # the tests have forgotten theirs
        os.environ.pop(name, None)
    os.environ.update(SET)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def makefiles(tmp_path):
    """A folder with the Makefiles, each of which can print its commands' environment variables."""
    for name in "Makefile", ".settings.mk", "lambda/Makefile":
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    for name in "Makefile", "lambda/Makefile":
        with (tmp_path / name).open("a") as file:
            file.write("\nshow:\n\t@env --null\n")
    return tmp_path


def shown(folder, *arguments, **variables):
    """The environment variables of what make starts in a folder."""
    process = run(["make", *arguments, "show"], folder, **variables)
    assert process.returncode == 0, process.stderr
    return dict(pair.split("=", 1) for pair in process.stdout.split("\0") if pair)


@pytest.mark.parametrize("where", [".", "lambda"])
def test_what_make_starts_has_what_packages_need_and_nothing_else_of_the_users(makefiles, where):
    seen = shown(makefiles / where, **SET)
    assert [name for name in FOREIGN + ACCOUNT if seen.get(name) == "elsewhere"] == []
    assert (seen["PIP_USER"], seen["PIP_REQUIRE_VIRTUALENV"]) == (
        "0",
        "0",
    )  # whatever pip.conf says
    assert [name for name in STAYS if seen.get(name) != "elsewhere"] == []
    assert seen["LC_ALL"] == "C.UTF-8"


def test_an_account_reaches_what_is_to_run_on_aws(makefiles):
    assert [name for name in ACCOUNT if name not in shown(makefiles, "AWS=true", **SET)] == []


def test_a_lesson_and_what_it_starts_have_the_same_and_no_account(forgetful, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(REPOSITORY)
    walk.begin("03-predict")
    assert [name for name in FOREIGN + ACCOUNT if name in os.environ] == []
    assert [name for name in STAYS if os.environ.get(name) != "elsewhere"] == []
    assert os.environ["AWS_CONFIG_FILE"] == os.environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_the_catalogue_on_aws_keeps_the_account(forgetful, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(REPOSITORY)
    walk.begin("catalogue", account=True)
    walk.prepare_sam()
    assert [name for name in ACCOUNT if os.environ.get(name) != "elsewhere"] == []
    assert "AWS_CONFIG_FILE" not in os.environ and "AWS_DEFAULT_REGION" not in os.environ


def test_what_a_lesson_sets_itself_stays_when_its_first_cell_runs_again(tmp_path):
    code = (
        "import os, walk; walk.begin('10-catalogue'); os.environ['AWS_ENDPOINT_URL'] = 'here'\n"
        "walk.begin('10-catalogue'); print(os.environ['AWS_ENDPOINT_URL'])"
    )
    process = run([sys.executable, "-c", code], REPOSITORY / "notebooks")
    assert process.stdout == "here\n", process.stderr


def test_aws_tools_ask_this_machines_aws_whatever_is_set_up_for_the_real_one(tmp_path):
    """Also where a file says so: they are asked which address they would ask."""
    config = tmp_path / "config"
    config.write_text(
        "[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = gone\nservices = other\n"
        "[services other]\ncloudformation =\n  endpoint_url = https://real.example\n"
    )
    code = """
import os, walk
walk.begin("08-public")
os.environ.update(walk.LocalAws(1234, None, None, None).variables)
import boto3
client = boto3.client("cloudformation")
print(client.meta.endpoint_url, boto3.Session().get_credentials().access_key)
"""
    foreign = {name: SET[name] for name in ACCOUNT} | {"AWS_CONFIG_FILE": str(config)}
    foreign |= {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    process = run([sys.executable, "-c", code], REPOSITORY / "notebooks", **foreign)
    assert process.stdout == "http://127.0.0.1:1234 test\n", process.stderr


# --- Python and Jupyter --------------------------------------------------------------------------


@pytest.fixture
def elsewhere(tmp_path):
    """A folder with modules of names that are needed here, and with a kernel that does not start."""
    for name in "walk", "random", "inspect", "papermill":
        (tmp_path / f"{name}.py").write_text(SHADOW)
    kernel = tmp_path / "kernels/python3/kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps({"argv": ["/bin/false"], "display_name": "?", "language": "?"}))
    return tmp_path


@pytest.fixture
def small(tmp_path):
    """A folder of the repository's name, with the commands and one lesson: its first cell."""
    folder = tmp_path / "a copy"
    for name in "commands", "walk":
        shutil.copytree(REPOSITORY / "notebooks" / name, folder / "notebooks" / name)
    (folder / "generated").mkdir()
    source = json.loads((REPOSITORY / "notebooks/08-public.ipynb").read_text())
    (first,) = [cell for cell in source["cells"] if "walk.begin(" in "".join(cell["source"])]
    first["source"] = "".join(first["source"]).split("walk.begin(")[0] + (
        "walk.begin('first'); print(sys.executable, sys.flags.optimize, sys.flags.safe_path)"
    )
    source["cells"] = [first]
    (folder / "notebooks/first.ipynb").write_text(json.dumps(source))
    return folder


@pytest.mark.parametrize(
    "foreign",
    [
        {"PYTHONSAFEPATH": "1", "PYTHONOPTIMIZE": "2"},
        {"PYTHONPATH": "", "PYTHONWARNINGS": "error"},
        {"JUPYTER_PATH": "", "PYTHONIOENCODING": "latin-1"},
    ],
    ids=" ".join,
)
def test_a_lesson_runs_with_this_python_and_this_repositorys_modules(small, elsewhere, foreign):
    foreign = {name: value or str(elsewhere) for name, value in foreign.items()}
    command = [sys.executable, "notebooks/commands", "execute", "first"]
    process = run(command, small, **foreign)
    assert process.returncode == 0, process.stderr
    (cell,) = code_cells(small / "generated/first.ipynb")
    assert cell.outputs[0].text == f"{sys.executable} 0 False\n"


@pytest.mark.parametrize("start", [".", "notebooks"])
def test_a_lesson_finds_its_plumbing_in_any_jupyter(elsewhere, start):
    """Without the folder where it runs on the path, and behind modules of the same name."""
    imports = lesson_cells(REPOSITORY / "notebooks/01-keras-model.ipynb")[0].source
    code = imports.split("walk.begin(")[0] + "print(walk.__file__)"
    (elsewhere / "random.py").unlink()
    (elsewhere / "inspect.py").unlink()
    foreign = {"PYTHONSAFEPATH": "1", "PYTHONPATH": str(elsewhere)}
    process = run([sys.executable, "-c", code], REPOSITORY / start, **foreign)
    assert process.stdout.strip().endswith("walk/__init__.py"), process.stderr


# --- proxies, the function, folders --------------------------------------------------------------


def test_hosts_without_a_proxy_are_named_once_in_both_spellings(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("no_proxy", "one.example")
    monkeypatch.setenv("NO_PROXY", "two.example, 127.0.0.1")
    monkeypatch.chdir(REPOSITORY)
    for _ in range(2):
        walk.begin("04-lambda-function")
    expected = "one.example,two.example,127.0.0.1,localhost"
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == expected


@pytest.mark.skipif(sys.platform != "linux", reason="AWS's emulator runs on Linux alone")
def test_a_function_gets_what_lambda_gives_and_not_what_the_user_has_set(tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text(
        "import os\n"
        "def handler(event, context):\n"
        "    print('κάλτσα')\n"
        "    return dict(os.environ)\n"
    )
    foreign = {name: "nonsense" for name in ACCOUNT} | {"MODEL_PATH": "mine"}
    foreign |= {"AWS_LAMBDA_FUNCTION_TIMEOUT": "0", "AWS_LAMBDA_RUNTIME_API": "nowhere"}
    foreign |= {"LANG": "de_DE.ISO-8859-1", "LC_ALL": "POSIX", "PYTHONIOENCODING": "latin-1"}
    for name, value in foreign.items():
        monkeypatch.setenv(name, value)
    log = tmp_path / "log.txt"
    with walk.lambda_runtime("own.handler", folder=tmp_path, log_file=log) as runtime:
        seen = urllib3.request("POST", runtime.url, json={}).json()
    assert "κάλτσα" in runtime.log()
    assert seen["LANG"] == "en_US.UTF-8" and seen["MODEL_PATH"] == "mine"
    assert "LC_ALL" not in seen and "AWS_PROFILE" not in seen and "nonsense" not in seen.values()


@pytest.mark.parametrize("name", ["a:b", "a#b", "a%b", "a$b", 'a"b', "a`b", "a\\b", "a\nb"])
def test_a_folder_whose_name_programs_cannot_take_is_refused_before_anything_is_built(
    makefiles, name
):
    folder = shutil.copytree(makefiles, makefiles / name, ignore=lambda *_: [name])
    process = run(["make", "show"], folder)
    assert process.returncode != 0 and process.stdout == ""
    (line,) = process.stderr.splitlines()
    assert (name[1].strip() or "line break") in line and "Rename or move it" in line


@pytest.mark.parametrize("name", ["a b", "a'b", "a;b", "a&(b)", "ä?*[~"])
def test_any_other_folder_is_as_good(makefiles, name):
    folder = shutil.copytree(makefiles, makefiles / name, ignore=lambda *_: [name])
    seen = shown(folder)
    assert seen["PATH"].startswith(f"{folder}/.venv/bin:")
    assert seen["IPYTHONDIR"] == f"{folder}/.cache/ipython"


@pytest.mark.parametrize("home", ["", "/nowhere"])
def test_without_a_home_directory_there_is_one_in_the_cache(makefiles, home):
    assert shown(makefiles, HOME=home)["HOME"] == f"{makefiles}/.cache/home"
