"""The environment: one list of packages, pinned, and a wheel of each wherever the lessons run."""

import pytest
from conftest import REPOSITORY, run
from packaging.requirements import Requirement

# As `make` takes them from the list: the pip part, without comments.
LISTED = (REPOSITORY / "environment.yml").read_text().split("- pip:\n")[1].splitlines()
PACKAGES = [line.split("#")[0].strip(" -") for line in LISTED if line.strip().startswith("- ")]
REQUIREMENTS = PACKAGES + [
    line
    for name in ("requirements.txt", "requirements-zip.txt")
    for line in (REPOSITORY / "lambda" / name).read_text().splitlines()
    if not line.startswith("#")
]


def resolve(folder, packages, python, system):
    """Ask the registry for wheels of these packages, and of what they need; install nothing."""
    (folder / "packages.txt").write_text("\n".join(packages))
    command = ["uv", "pip", "compile", "--quiet", "--only-binary", ":all:", "packages.txt"]
    command += ["--python-version", python, "--python-platform", system]
    return run(command, folder, UV_PYTHON_DOWNLOADS="never")  # that Python itself is not needed


@pytest.mark.parametrize("line", REQUIREMENTS)
def test_a_package_has_one_version_and_comes_from_the_registry(line):
    package = Requirement(line)
    assert package.url is None
    assert [each.operator for each in package.specifier] == ["=="]
    assert "*" not in str(package.specifier)


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
    process = resolve(tmp_path, PACKAGES, python, system)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize(("python", "found"), [("3.11", True), ("3.12", False)])
def test_python_3_11_is_the_last_one_with_tflite_runtime(tmp_path, python, found):
    process = resolve(tmp_path, ["tflite-runtime==2.14.0"], python, "x86_64-manylinux_2_28")
    assert (process.returncode == 0) == found, process.stderr
    assert found or "tflite-runtime==2.14.0 has no wheels" in process.stderr
