"""The image: built from lambda/Dockerfile as Docker would, and asked as a container.

Debian's buildah builds it, which needs no Docker engine, but root. In the place of Docker Hub's Python
3.11 on Debian 12 stands Debian 12's own Python 3.11; mmdebstrap fetches it, once, into .cache/images/.
"""

import configparser
import json
import os
import re
import shutil
import socket
import subprocess
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
import urllib3
import walk
from bundle import FILES, LEFT_OUT
from conftest import REPOSITORY, run
from corpus import image_event
from docker.utils import exclude_paths

pytestmark = pytest.mark.xdist_group("image")

DEBIAN, BASE = "bookworm", "python:3.11-slim-bookworm"
TAR = REPOSITORY / ".cache/images/bookworm.tar"
IMAGE = "clothing-classifier"


# --- building it ---------------------------------------------------------------------------------


def what_is_missing():
    """Say in one line why no image can be built here, if that is so."""
    for program in "buildah", "mmdebstrap":
        if not shutil.which(program):
            return f"the image was not built: no {program} (apt install buildah mmdebstrap)"
    if os.geteuid() or run(["unshare", "--mount", "true"], "/").returncode:
        return "the image was not built: that needs root, and the right to mount"
    return None


def debian_sources():
    """Where this machine's apt finds Debian 12; nothing, for Debian's own servers, if it is no such."""
    if f"VERSION_CODENAME={DEBIAN}\n" not in Path("/etc/os-release").read_text():
        return []
    lists = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    named = rf"(?<!\S){DEBIAN}(?!\S)"
    return [each for each in lists if each.exists() and re.search(named, each.read_text())]


def base_tar():
    """Return the base, made if it is not there: as on Docker Hub, `python` is its name, with pip."""
    if not TAR.exists():
        TAR.parent.mkdir(parents=True, exist_ok=True)
        part = TAR.with_suffix(".part.tar")
        command = [
            "mmdebstrap",
            "--variant=minbase",
            "--include=python3,python3-pip,ca-certificates",
        ]
        command += ['--customize-hook=ln -s python3 "$1/usr/bin/python"']
        command += ['--customize-hook=rm "$1"/usr/lib/python3*/EXTERNALLY-MANAGED']
        process = run([*command, DEBIAN, part, *debian_sources()], REPOSITORY)
        assert process.returncode == 0, process.stderr
        part.rename(TAR)
    return TAR


def pip_option(variable):
    """PIP_FIND_LINKS is find-links in a file."""
    return variable.removeprefix("PIP_").lower().replace("_", "-")


def pip_settings(folder):
    """Volumes with which pip asks where this machine's does: its settings, and files named there.

    Proxies buildah passes on by itself.
    """
    variables = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    if "SSL_CERT_FILE" in os.environ:
        variables.setdefault("PIP_CERT", os.environ["SSL_CERT_FILE"])
    settings = configparser.RawConfigParser()
    settings.read(["/etc/xdg/pip/pip.conf", "/etc/pip.conf", Path.home() / ".config/pip/pip.conf"])
    settings.read_dict({"global": {pip_option(name): value for name, value in variables.items()}})
    file = folder / "pip.conf"
    with file.open("w") as opened:
        settings.write(opened)
    places = {file: "/usr/pip.conf"}  # in sys.prefix
    named = re.findall(r"[\s=](file://)?(/[^\s,]+)", file.read_text())
    # The pages of an index lead to files beside it.
    named = [Path(path).parent if index else Path(path) for index, path in named]
    places |= {path: path for path in named if path.exists()}
    return [f"--volume={file}:{place}:ro" for file, place in places.items()]


class Buildah:
    """buildah, with a folder in which it keeps all that it has."""

    def __init__(self, folder):
        self.folder = folder
        # It copies no layers, but not every file system has it: that of a container, say, may not.
        self.driver = "overlay"
        if run(self.command("info"), folder).returncode:
            self.driver = "vfs"

    def command(self, *arguments):
        kept = ["--root", self.folder / self.driver, "--runroot", self.folder / "run"]
        return ["buildah", "--storage-driver", self.driver, *kept, *arguments]

    def __call__(self, *arguments):
        process = run(self.command(*arguments), self.folder)
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout.strip()

    def build(self, name, context, *options):
        """Build an image; return the name of a container of it, and where its files are."""
        options = ["--isolation", "chroot", "--network", "host", "--pull-never", *options]
        self("bud", *options, "--tag", name, context)
        container = self("from", "--pull-never", name)
        return container, Path(self("mount", container))


@pytest.fixture(scope="module")
def buildah(tmp_path_factory):
    if missing := what_is_missing():
        pytest.skip(missing)
    buildah = Buildah(tmp_path_factory.mktemp("buildah"))
    yield buildah
    buildah("rm", "--all")  # ends its mounts
    shutil.rmtree(buildah.folder)


@pytest.fixture(scope="module")
def image(buildah, walked, tmp_path_factory):
    """What the Dockerfile makes in a copy of the repository where `make` has run.

    `settings` is what it is run with, `container` the name of a container, `files` what is in it.
    """
    folder = tmp_path_factory.mktemp("base")
    (folder / "Dockerfile").write_text(f"FROM scratch\nADD {TAR.name} /\n")
    base = ["--tag", f"docker.io/library/{BASE}", "--file", folder / "Dockerfile"]
    buildah("bud", *base, base_tar().parent)
    dockerfile = walked / "lambda/Dockerfile"
    container, files = buildah.build(IMAGE, walked, "--file", dockerfile, *pip_settings(folder))
    settings = json.loads(buildah("inspect", "--type", "image", IMAGE))["OCIv1"]["config"]
    return SimpleNamespace(settings=settings, container=container, files=files)


# --- what Docker sees ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluttered(walked, tmp_path_factory):
    """A copy of the walked, with what else may lie about: an environment, photos, builds, caches."""
    folder = tmp_path_factory.mktemp("clutter") / "a copy"
    shutil.copytree(walked, folder, symlinks=True, copy_function=os.link)
    others = ".venv/python", "photos/coat.jpg", "lambda/.aws-sam/a", "lambda/__pycache__/a.pyc"
    for file in others:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    return folder


def deployed(folder):
    """What the image is made of: what git knows of lambda/, and the models."""
    found = {path for path in (folder / "lambda").rglob("*") if path.is_file()}
    found = {path for path in found if not {".aws-sam", "__pycache__"} & {*path.parts}}
    found |= {*folder.glob("generated/*.tflite")}
    assert folder / "generated/clothing-model.tflite" in found
    return {str(path.relative_to(folder)) for path in found}


def test_docker_sees_only_what_is_deployed(cluttered):
    """As docker-py reads .dockerignore, with which `sam build` sends the files to Docker."""
    patterns = (cluttered / ".dockerignore").read_text().splitlines()
    patterns = [line for line in patterns if not line.startswith("#")]
    seen = {p for p in exclude_paths(str(cluttered), patterns) if (cluttered / p).is_file()}
    assert seen - {".dockerignore"} == deployed(cluttered)


def test_a_build_sees_only_what_is_deployed(cluttered, buildah, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    _, files = buildah.build("context", cluttered, "--file", tmp_path / "Dockerfile")
    seen = {str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()}
    assert seen == deployed(cluttered)


# --- what is in it -------------------------------------------------------------------------------


def test_the_image_is_built_from_this_debian_alone():
    text = (REPOSITORY / "lambda/Dockerfile").read_text()
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert set(bases) == {BASE}


def test_it_starts_awss_runtime_client_as_nobody(image):
    assert image.settings["Entrypoint"] == "python -m awslambdaric".split()
    assert image.settings["Cmd"] == ["api.lambda_handler"]
    assert image.settings["User"] == "nobody"
    assert image.settings["WorkingDir"] == "/function"
    assert [line.partition("=")[0] for line in image.settings["Env"]] == ["PATH"]


def test_it_holds_the_function_and_the_model(image, walked):
    for name in FILES:
        assert (image.files / "function" / name).read_bytes() == (
            walked / "lambda" / name
        ).read_bytes()
    model = "clothing-model.tflite"
    assert (image.files / "function" / model).read_bytes() == (
        walked / "generated" / model
    ).read_bytes()


def test_it_holds_the_required_packages_and_no_others(image):
    """Among them the runtime client that the tests use."""
    found = metadata.distributions(path=[str(image.files / "function")])
    found = {each.name.lower().replace("_", "-"): each.version for each in found}
    text = (REPOSITORY / "lambda/requirements.txt").read_text()
    assert found == dict(re.findall(r"^([\w-]+)==([\w.]+)", text, re.MULTILINE))
    assert found["awslambdaric"] == metadata.version("awslambdaric")
    assert found["tflite-runtime"] == metadata.version("tflite-runtime")
    assert not found.keys() & {"tensorflow", "keras", "ai-edge-litert", "boto3"}


def test_what_no_request_needs_is_left_out(image):
    folder = image.files / "function"
    assert not [path for pattern in LEFT_OUT for path in folder.glob(pattern)]
    assert not (image.files / "source").exists()  # what it was built from


def test_nothing_is_left_to_compile_at_a_start(image):
    """And Python takes the bytecode without a look at the source's time, which a layer may round."""
    folder = image.files / "function"
    modules = list(folder.rglob("*.py"))
    assert {folder / "api.py", folder / "numpy/__init__.py"} <= {*modules}
    for module in modules:
        bytecode = module.parent / "__pycache__" / f"{module.stem}.cpython-311.pyc"
        assert bytecode.read_bytes()[4:8] == b"\1\0\0\0", module  # by a hash, which is not checked


def test_nobody_can_read_all_of_it(image):
    for path in (image.files / "function").rglob("*"):
        assert path.stat().st_mode & (0o005 if path.is_dir() else 0o004), path


# --- what it answers -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ask(buildah, image):
    """Post an event to the container, which runs under AWS's emulator as lesson 5 says."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        here, runtime = (f"127.0.0.1:{each.getsockname()[1]}" for each in (one, two))
    emulator = ["/emulator", "--runtime-interface-emulator-address", here]
    emulator += ["--runtime-api-address", runtime]
    command = ["run", "--isolation", "chroot", f"--volume={walk.emulator()}:/emulator:ro"]
    command += [image.container, "--", *emulator]
    command += image.settings["Entrypoint"] + image.settings["Cmd"]
    url = f"http://{here}/2015-03-31/functions/function/invocations"
    until_it_listens = urllib3.Retry(10, backoff_factor=0.05)

    def ask(event):
        return urllib3.request("POST", url, body=event, retries=until_it_listens).json()

    with (buildah.folder / "log.txt").open("w") as log:
        process = subprocess.Popen(buildah.command(*command), stdout=log, stderr=log)
    yield ask
    process.terminate()  # and with it what runs in the container
    process.wait(30)


def test_the_container_runs_as_nobody(buildah, image):
    assert buildah("run", "--isolation", "chroot", image.container, "--", "id", "-un") == "nobody"


def test_the_lessons_example_event_is_answered(ask):
    answer = ask((REPOSITORY / "lambda/events/direct-image.json").read_text())
    assert max(answer, key=answer.get) == "pants"


def test_each_picture_gets_kerass_scores(ask, walked):
    expected = json.loads((walked / "generated/expected-scores.json").read_text())["scores"]
    for picture, scores in expected.items():
        answer = ask(json.dumps(image_event((REPOSITORY / picture).read_bytes())))
        assert answer == pytest.approx(scores, abs=1e-4)
