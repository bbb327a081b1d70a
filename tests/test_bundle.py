"""The zip that goes to AWS: what is in it, and what it answers. And the packages of both forms."""

import json
import os
import shutil
import sys
from pathlib import Path

import corpus
import pytest
import urllib3
import walk
from bundle import FILES, LEFT_OUT
from conftest import BIN, environment, run
from corpus import image_event
from deployment import LAMBDA
from picture_files import ASSETS
from walk import environments

pytestmark = pytest.mark.xdist_group("bundle")


@pytest.fixture(scope="module")
def bundle(checked):
    return checked / "lambda/.aws-sam/build/Function"


@pytest.fixture(scope="module")
def lambdas_python(tmp_path_factory):
    """A new Python 3.13 with AWS's runtime client and nothing else, as in the cloud."""
    folder = tmp_path_factory.mktemp("lambda") / "python"
    try:
        environments.make(folder, "3.13", environments.lock_of("lambda"))
    except walk.Problem:
        pytest.skip("there is no Python 3.13 on this machine")
    return folder / "bin" / "python"


def test_the_bundle_holds_the_function_its_model_and_packages_within_the_limit(bundle, checked):
    for name in FILES:
        assert (bundle / name).read_bytes() == (checked / "lambda" / name).read_bytes()
    model = "clothing-model.tflite"
    assert (bundle / model).read_bytes() == (checked / "generated" / model).read_bytes()
    packages = {path.name.split("-")[0] for path in bundle.glob("*.dist-info")}
    assert {"ai_edge_litert", "keras_image_helper", "numpy", "pillow"} <= packages
    assert not packages & {"tensorflow", "keras", "tflite_runtime", "boto3", "matplotlib"}
    assert sum(p.stat().st_size for p in bundle.rglob("*") if p.is_file()) < 120e6
    assert not [path for pattern in LEFT_OUT for path in bundle.glob(pattern)]


def test_the_bundle_answers_every_event_as_the_walks_function_does(
    bundle, lambdas_python, checked, tmp_path
):
    cases = corpus.pictures() | corpus.malformed() | corpus.http()
    events = [event for event, *_ in cases.values()]
    events += [image_event(path.read_bytes()) for path in ASSETS.glob("*.png")]
    for module in bundle.rglob("*.py"):  # nothing is left to compile at a cold start
        assert (module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc").exists(), module
    answers, clean = [], {"PYTHONDONTWRITEBYTECODE": "1"}
    model = str(checked / "generated/clothing-model.tflite")
    for python, folder, variables in (
        (sys.executable, LAMBDA, environment()),
        (lambdas_python, bundle, {}),
    ):
        with walk.lambda_runtime(
            "api.lambda_handler",
            folder=folder,
            client=(python, "-m", "awslambdaric"),
            log_file=tmp_path / "log.txt",
            environment=variables | clean,
            MODEL_PATH=model,
        ) as runtime:
            answers.append([ask(runtime, event) for event in events])
    for event, walks, bundles in zip(events, *answers, strict=True):
        assert alike(walks, bundles), (str(event)[:200], walks, bundles)


def ask(runtime, event):
    return urllib3.request("POST", runtime.url, json=event).json()


def alike(one, other):
    """Whether two answers are equal, their numbers to 1e-3."""
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, abs=1e-3)
    if isinstance(one, dict) and isinstance(other, dict):
        # Where in which library an error was raised may differ, not what is said of it.
        keys = (one.keys() | other.keys()) - {"stackTrace", "requestId"}
        return all(alike(one.get(key), other.get(key)) for key in keys)
    if isinstance(one, str) and one.startswith("{") and one != other:
        return alike(json.loads(one), json.loads(other))
    return one == other


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda folder: (folder / "generated/clothing-model.tflite").unlink(),
            "generated/clothing-model.tflite is missing: run `make` first.",
        ),
        (
            lambda folder: (folder / "lambda/lambda_function.py").unlink(),
            "bundle.py: lambda/lambda_function.py is missing: run `make` first.",
        ),
        (
            lambda folder: (folder / "lambda/transport.py").unlink(),
            "bundle.py: lambda/transport.py is missing: run `make` first.",
        ),
        (
            lambda folder: (folder / "lambda/api.py").unlink(),
            "bundle.py: lambda/api.py is missing: run `make` first.",
        ),
        (
            lambda folder: os.truncate(folder / "generated/clothing-model.tflite", 300_000_000),
            "of which the model has 300. Lambda takes 262 MB, unzipped.",
        ),
        (
            lambda folder: change(folder / "lambda/samconfig.toml", "=x86_64", "=sparc"),
            "samconfig.toml: Architecture=sparc is none of: x86_64, arm64",
        ),
        (
            lambda folder: change(folder / "lambda/samconfig.toml", "Public=", "Public:"),
            "parameter_overrides has 'Public:false'. Expected: Name=value, without spaces",
        ),
        (
            lambda folder: change(folder / "lambda/samconfig.toml", "=false", "=false or true"),
            "parameter_overrides has 'Public=false or true'. Expected: Name=value, without",
        ),
        (
            lambda folder: change(folder / "lambda/samconfig.toml", "model.tflite", "model.lite"),
            "generated/clothing-model.lite is missing: run `make` first.",
        ),
        (
            lambda folder: change(folder / "lambda/requirements-zip.txt", "pillow==", "pillow==9"),
            "bundle.py: a package could not be installed; uv says why, above.",
        ),
    ],
)
def test_a_bundle_that_cannot_be_made_gets_one_clear_message(checked, tmp_path, spoil, message):
    folder = tmp_path / "copy"
    shutil.copytree(checked / "lambda", folder / "lambda", ignore=lambda *_: [".aws-sam"])
    (folder / "generated").mkdir()
    shutil.copy(checked / "generated/clothing-model.tflite", folder / "generated")
    spoil(folder)
    command = [sys.executable, "bundle.py", folder / "bundle"]
    process = run(command, folder / "lambda")
    assert process.returncode == 1
    assert message in process.stderr and "Traceback" not in process.stderr


def test_a_bundle_without_lambdas_python_says_what_it_lacks(checked, tmp_path):
    """And takes the model that is chosen."""
    shutil.copytree(checked / "lambda", tmp_path / "lambda", ignore=lambda *_: [".aws-sam"])
    int8 = Path("generated/clothing-model-int8.tflite")
    (tmp_path / "generated").mkdir()
    shutil.copy(checked / int8, tmp_path / int8)
    change(tmp_path / "lambda/samconfig.toml", "clothing-model.tflite", int8.name)
    alone = {"PATH": str(BIN), "UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON_INSTALL_DIR": "none"}
    process = run([sys.executable, "bundle.py", "bundle"], tmp_path / "lambda", **alone)
    assert process.returncode == 0, process.stderr
    assert "without Python 3.13 there is no bytecode in the bundle" in process.stderr
    assert not list((tmp_path / "lambda/bundle").rglob("*.pyc"))
    chosen = tmp_path / "lambda/bundle/clothing-model.tflite"
    assert chosen.read_bytes() == (checked / int8).read_bytes()


def change(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("requirements", "python", "glibc"),
    [
        ("requirements.txt", "3.11", "manylinux_2_36"),
        ("requirements-zip.txt", "3.13", "manylinux_2_28"),
    ],
    ids=["image", "zip"],
)
def test_there_are_wheels_for_both_architectures(tmp_path, requirements, python, glibc, machine):
    """Debian 12 has glibc 2.36; the bundle asks for 2.28, and Amazon Linux 2023 has 2.34."""
    command = ["uv", "pip", "install", "--dry-run", "--only-binary", ":all:", "--target", tmp_path]
    command += ["--python-version", python, "--python-platform", f"{machine}-{glibc}"]
    process = run([*command, "--require-hashes", "-r", LAMBDA / requirements], tmp_path)
    assert process.returncode == 0, process.stderr
