"""The environment: one list of choices, locks with all that follows, a wheel of each everywhere."""

import ast
import json
import platform
import re
import subprocess
import sys
import threading
from importlib import metadata

import pytest
import yaml
from commands import doctor, lock
from conftest import REPOSITORY, copy_repository, run
from packaging.requirements import Requirement
from walk import Problem, environments

CHOICES = lock.choices()
LOCKS = [lock.LOCK, *lock.apart()]
PYTHONS = "3.11", "3.12", "3.13"
SYSTEMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}
# What runs in environments apart: see notebooks/walk/environments.py.
ELSEWHERE = {"own_layers"}


def resolve(folder, packages, python, system):
    """Ask the registry for wheels of these packages, and of what they need; install nothing."""
    (folder / "packages.txt").write_text("\n".join(packages))
    command = ["uv", "pip", "compile", "--quiet", "--only-binary", ":all:", "packages.txt"]
    command += ["--python-version", python, "--python-platform", system]
    return run(command, folder, UV_PYTHON_DOWNLOADS="never")  # that Python itself is not needed


def dry_run(folder, lock_file, python, system):
    """Ask the registry for the very wheels of a lock; install nothing."""
    command = ["uv", "pip", "install", "--dry-run", "--only-binary", ":all:", "--target", folder]
    command += ["--python-version", python, "--python-platform", system, "--require-hashes"]
    return run([*command, "--requirement", lock_file], folder)


def relative(path):
    return path.relative_to(REPOSITORY).as_posix()


# --- the list and its locks ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", sorted({*CHOICES, *(p for each in LOCKS for p in lock.locked(each))})
)
def test_a_package_has_one_version_and_comes_from_the_registry(line):
    package = Requirement(line)
    assert package.url is None
    assert [each.operator for each in package.specifier] == ["=="]
    assert "*" not in str(package.specifier)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_lock_has_each_choice_in_its_version(system, python):
    here = {"python_version": python, "python_full_version": f"{python}.1"}
    here |= {"sys_platform": system, "platform_system": SYSTEMS[system]}

    def versions(lines):
        packages = [Requirement(line) for line in lines]
        packages = [each for each in packages if not each.marker or each.marker.evaluate(here)]
        found = {each.name: str(each.specifier) for each in packages}
        assert len(found) == len(packages)  # one version each
        return found

    chosen, locked = versions(CHOICES), versions(lock.locked())
    assert len(chosen) > 30
    assert chosen.items() <= locked.items()


@pytest.mark.parametrize("file", LOCKS[1:], ids=relative)
def test_a_lock_apart_has_the_versions_of_the_main_one(file):
    _, environment = lock.apart()[file]
    own = {each.partition("==")[0] for each in environment.packages.split() if "==" in each}
    versions = lock.locked_for(environment.locked_for) if environment.locked_for else {}
    locked = {Requirement(each).name: Requirement(each) for each in lock.locked(file)}
    names = {Requirement(each).name for each in environment.packages.split()}
    assert names <= locked.keys()
    for name, package in locked.items():
        if name in versions and name not in own:
            assert str(package.specifier) == f"=={versions[name]}"


def test_what_is_deployed_is_what_the_lessons_run():
    for name, python, client in ("-zip", "3.13", set()), ("", "3.11", {"awslambdaric"}):
        file = REPOSITORY / f"lambda/requirements{name}.txt"
        packages = {Requirement(each).name: Requirement(each) for each in lock.locked(file)}
        chosen = {Requirement(each).name for each in CHOICES} & packages.keys()
        assert chosen >= {"keras-image-helper", "numpy", "pillow"} | client
        assert {"tflite-runtime", "ai-edge-litert"} & chosen
        versions = lock.locked_for(python)
        assert all(str(packages[name].specifier) == f"=={versions[name]}" for name in packages)


def test_each_lock_was_made_from_what_is_chosen_now():
    assert lock.is_of(lock.LOCK, CHOICES), "run make lock"
    for file, (_, environment) in lock.apart().items():
        chosen, _ = lock.versions_for(environment)
        assert lock.is_of(file, chosen), f"{relative(file)}: run make lock"


def test_a_change_of_the_list_without_make_lock_is_noticed(monkeypatch, tmp_path):
    text = lock.LIST.read_text()
    for old, new in ("tqdm==4.70.1", "tqdm==4.70.0"), ("      - tqdm==4.70.1", "      # - tqdm"):
        (tmp_path / "environment.yml").write_text(text.replace(old, new))
        monkeypatch.setattr(lock, "LIST", tmp_path / "environment.yml")
        assert not lock.is_of(lock.LOCK, lock.choices())
        found, remedy = doctor.packages()
        assert (found, remedy) == ("environment.yml and .requirements.lock differ", "run make lock")


@pytest.mark.parametrize("file", LOCKS, ids=relative)
def test_a_lock_holds_checksums_and_nothing_of_where_it_was_made(file):
    lines = file.read_text().splitlines()
    lines = lines[next(i for i, line in enumerate(lines) if not line.startswith("#")) :]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("    "):
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line)
        else:
            assert line.endswith(" \\") and following.startswith("    --hash=")
            assert "@" not in line and "/" not in line


def test_environments_that_pip_builds_are_of_the_lock():
    """conda hands these lines to pip, in this order: pip has to know the checksums first."""
    listed = yaml.safe_load(lock.LIST.read_text())["dependencies"][-1]["pip"]
    assert listed == ["--requirement .requirements.lock", *CHOICES]


def test_pip_takes_from_a_lock_what_is_listed_behind_it_without_checksums(built_here):
    small = environments.lock_of("lambda").read_text()
    (name,) = re.findall(r"^(\S+==\S+)", small)
    (built_here / "listed.txt").write_text(f"--requirement lambda.txt\n{name}\n")
    assert run(["uv", "venv", "--seed", "python"], built_here).returncode == 0
    command = ["python/bin/python", "-m", "pip", "install", "--dry-run", "-r", "listed.txt"]
    process = run(command, built_here)
    assert "Would install snapshot-restore-py" in process.stdout, process.stderr
    (built_here / "lambda.txt").write_text(re.sub("sha256:....", "sha256:0000", small))
    assert "DO NOT MATCH THE HASHES" in run(command, built_here).stderr


def test_one_piece_of_code_reads_the_list():
    readers = set()
    for path, code in sources():
        strings = [n.value for n in ast.walk(code) if isinstance(n, ast.Constant)]
        if any(each == "environment.yml" for each in strings):
            readers.add(path)
    assert readers - {"tests/test_environment.py"} == {"notebooks/commands/lock.py"}
    others = [REPOSITORY / "Makefile", REPOSITORY / ".ci/run", *REPOSITORY.glob(".github/*/*.yml")]
    for line in "\n".join(path.read_text() for path in others).splitlines():
        if "environment.yml" in line:
            assert line.startswith("#") or "conda env create -f environment.yml" in line


def test_locking_again_changes_nothing(monkeypatch):
    """Of the locks apart, one stands for all: each is made in the same way."""
    zipped, written = REPOSITORY / "lambda/requirements-zip.txt", {}
    stands_for_all = {zipped: lock.apart()[zipped]}
    monkeypatch.setattr(lock, "apart", lambda: stands_for_all)
    monkeypatch.setattr("walk.save", lambda path, text: written.update({path: text}))
    lock.main()
    assert written == {path: path.read_text() for path in (lock.LOCK, zipped)}


def test_a_choice_that_does_not_exist_gets_one_message_and_leaves_the_lock(tmp_path):
    folder = copy_repository(tmp_path / "a copy")
    text = (folder / "environment.yml").read_text()
    (folder / "environment.yml").write_text(text.replace("tqdm==4.70.1", "tqdm==0.0.0.1"))
    process = run(["python", "notebooks/commands", "lock"], folder)
    assert process.returncode == 1
    (said,) = process.stderr.splitlines()
    assert said.startswith(".requirements.lock cannot be made. uv says: error: No solution found")
    assert "you require tqdm==0.0.0.1" in said
    assert (folder / ".requirements.lock").read_bytes() == lock.LOCK.read_bytes()


# --- what is imported ----------------------------------------------------------------------------


def sources():
    """The path and the syntax of each Python file, and of the code of each notebook."""
    for folder in "notebooks", "lambda", "tests":
        for path in sorted((REPOSITORY / folder).rglob("*.*")):
            if {"own", ".aws-sam", ".ipynb_checkpoints"} & set(path.parts):
                continue
            if path.suffix == ".py":
                yield relative(path), ast.parse(path.read_text())
            if path.suffix == ".ipynb" and "-Copy" not in path.name:
                cells = json.loads(path.read_text())["cells"]
                lines = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
                yield relative(path), ast.parse(re.sub(r"^\s*[%!].*", "", lines, flags=re.M))


def imported(code):
    """The names of the modules that a piece of code imports."""
    for node in ast.walk(code):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


def test_whatever_is_imported_is_on_the_list():
    """A package that another one brings today may be gone tomorrow."""
    ours, used = set(), {}
    for path, code in sources():
        ours |= {*path.removesuffix(".py").split("/")}
        used |= dict.fromkeys(imported(code), path)
    packages = metadata.packages_distributions()
    listed = {Requirement(each).name for each in CHOICES}
    known = ours | ELSEWHERE | sys.stdlib_module_names
    assert used.keys() - known >= {"numpy", "yaml", "IPython"}
    for module in used.keys() - known:
        brought_by = {re.sub(r"[-_.]+", "-", each).lower() for each in packages.get(module, [])}
        assert brought_by & listed, f"{used[module]} imports {module}, of {brought_by or 'nothing'}"


def test_boto3_and_botocore_have_the_same_version():
    versions = {Requirement(each).name: str(Requirement(each).specifier) for each in CHOICES}
    assert versions["boto3"] == versions["botocore"]


def test_each_package_accepts_this_python():
    """uv takes a package that says that this Python is too new for it; pip does not."""
    version = platform.python_version()
    for package in metadata.distributions():
        accepted = Requirement(f"python{package.metadata['Requires-Python'] or ''}").specifier
        assert version in accepted, package.name


# --- wheels --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("python", "system"),
    [
        ("3.11", "x86_64-manylinux_2_28"),
        ("3.11", "aarch64-manylinux_2_35"),  # tflite-runtime's wheel for arm64 wants glibc 2.34
        ("3.11", "aarch64-apple-darwin"),
        ("3.11", "x86_64-pc-windows-msvc"),
        ("3.12", "x86_64-manylinux_2_28"),
        ("3.13", "x86_64-manylinux_2_28"),
    ],
)
def test_there_is_a_wheel_of_every_package(tmp_path, python, system):
    process = dry_run(tmp_path, lock.LOCK, python, system)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize(("python", "found"), [("3.11", True), ("3.12", False)])
def test_python_3_11_is_the_last_one_with_tflite_runtime(tmp_path, python, found):
    process = resolve(tmp_path, ["tflite-runtime==2.14.0"], python, "x86_64-manylinux_2_28")
    assert (process.returncode == 0) == found, process.stderr
    assert found or "tflite-runtime==2.14.0 has no wheels" in process.stderr


# --- environments apart --------------------------------------------------------------------------


@pytest.fixture
def built_here(monkeypatch, tmp_path):
    """A folder to build environments in, with a lock of one small package for one of them."""
    monkeypatch.chdir(tmp_path)
    text = (environments.LOCKS / "lambda.txt").read_text()
    (small,) = re.findall(r"^snapshot-restore-py==.*?[^\\]\n", text, re.DOTALL | re.MULTILINE)
    monkeypatch.setattr(environments, "LOCKS", tmp_path)
    environments.lock_of("lambda").write_text(small)
    return tmp_path


def test_an_environment_holds_its_lock_and_is_built_once(built_here, monkeypatch):
    folder = environments.build("lambda")
    assert folder == built_here / ".cache/environments/lambda"
    listed = subprocess.run(
        [
            folder / "bin/python",
            "-c",
            "import snapshot_restore_py, sys; print(sys.version_info[:2])",
        ],
        capture_output=True,
        text=True,
    )
    assert listed.stdout == "(3, 11)\n", listed.stderr
    assert len(list(folder.glob("lib/python3.11/site-packages/*.dist-info"))) == 1
    assert list(folder.glob("lib/python3.11/site-packages/__pycache__/snapshot_restore_py.*.pyc"))
    # What copies of a repository share is built in one of them, which may be gone tomorrow.
    assert "relocatable = true" in (folder / "pyvenv.cfg").read_text()
    monkeypatch.setenv("PATH", "")  # without uv
    assert environments.build("lambda") == folder


def test_an_environment_of_another_lock_or_one_that_was_not_finished_is_built_anew(built_here):
    folder = environments.build("lambda")
    for spoil in (
        lambda: (folder / "complete.txt").unlink(),
        lambda: (folder / "bin/python").unlink(),
        lambda: environments.lock_of("lambda").write_text(
            f"# another\n{environments.lock_of('lambda').read_text()}"
        ),
    ):
        (folder / "left").touch()
        spoil()
        environments.build("lambda")
        assert not (folder / "left").exists() and (folder / "complete.txt").exists()


def test_two_that_ask_at_once_get_one_environment(built_here, monkeypatch):
    made, make = [], environments.make
    monkeypatch.setattr(environments, "make", lambda *a: (made.append(a), make(*a)))
    threads = [threading.Thread(target=environments.build, args=["lambda"]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and (built_here / ".cache/environments/lambda/complete.txt").exists()


def test_a_package_with_another_checksum_is_refused(built_here):
    file = environments.lock_of("lambda")
    file.write_text(re.sub("sha256:....", "sha256:0000", file.read_text()))
    with pytest.raises(Problem, match="^uv says: "):
        environments.build("lambda")
    assert not (built_here / ".cache/environments/lambda/complete.txt").exists()


def test_a_folder_for_a_function_holds_the_packages_alone(built_here):
    environments.fill("function", "lambda")
    names = {path.name for path in (built_here / "function").iterdir()}
    assert "snapshot_restore_py.py" in names and "pyvenv.cfg" not in names


# --- the workflows -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file", sorted(REPOSITORY.glob(".github/workflows/*.yml")), ids=lambda path: path.name
)
def test_a_workflow_names_what_it_may_how_long_and_which_commit_of_each_action(file):
    text = file.read_text()
    workflow = yaml.safe_load(text)
    assert "permissions" in workflow
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())
    for line in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
