"""Work out all packages that the chosen ones need, and write them into the locks, with checksums.

    python notebooks/commands lock [UPGRADE=1]

People choose in environment.yml, and `make lock` runs this. Which of those packages the function
has stands in lambda/bundle.py; what else environments of their own hold, in
notebooks/walk/environments.py. What a lock holds keeps its version as long as it fits; with
UPGRADE=1 each gets the newest that fits. But for conda, nothing else reads environment.yml.
"""

import re
import shutil
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent.parent
LIST = ROOT / "environment.yml"
LOCK = ROOT / ".requirements.lock"

MAIN = """\
# All that the lessons and tests need, chosen in environment.yml: for Python 3.11 to 3.13 on Linux,
# Windows and macOS. `make lock` writes this; `uv pip tree` says which package brings which.
"""
IMAGE = """\
# All that is installed beside the function in the image (Python {python}, Linux): what it imports,
# and AWS's runtime client. `make lock` writes this; the names are chosen in bundle.py.
"""
ZIP = """\
# All that is installed beside the function in the zip (AWS's Python {python}), where LiteRT takes the
# place of tflite-runtime. `make lock` writes this; the names are chosen in bundle.py.
"""
APART = """\
# The environment NAME (Python {python}, Linux). `make lock` writes this; the names are chosen in
# notebooks/walk/environments.py.
"""


def choices() -> list[str]:
    """Return the packages that environment.yml lists, as pip takes them."""
    import yaml

    listed = yaml.safe_load(LIST.read_text(encoding="utf-8"))["dependencies"][-1]["pip"]
    return [line for line in listed if not line.startswith("-")]  # options of pip


def locked(lock: Path = LOCK) -> list[str]:
    """Return the packages of a lock, as pip takes them, without their checksums."""
    return re.findall(r"^(\w[^\\\n]*[^\\\s])", lock.read_text(encoding="utf-8"), re.MULTILINE)


def locked_for(python: str) -> dict[str, str]:
    """Return the locked version of each package for such a Python, on Linux."""
    from packaging.requirements import Requirement

    here = {"python_version": python, "python_full_version": f"{python}.0"}
    here |= {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    packages = [Requirement(line) for line in locked()]
    packages = [each for each in packages if not each.marker or each.marker.evaluate(here)]
    return {each.name: str(each.specifier).removeprefix("==") for each in packages}


def is_of(lock: Path, packages: list[str]) -> bool:
    """Whether a lock was made from these packages."""
    return f"\n{made_from(packages)}\n" in lock.read_text(encoding="utf-8")


def made_from(packages: list[str]) -> str:
    """Return the line of a lock that tells which packages it was made from."""
    return f"# made from: {sha256('|'.join(packages).encode()).hexdigest()}"


def apart() -> dict:
    """Return the other locks: of each, its head and its walk.environments.Environment."""
    import runpy

    from walk.environments import ENVIRONMENTS, Environment, lock_of

    function = runpy.run_path(str(ROOT / "lambda/bundle.py"))
    image = Environment(function["IMAGE"], function["IMAGE_PYTHON"], function["IMAGE_PYTHON"])
    zipped = Environment(function["ZIP"], function["PYTHON"], function["PYTHON"])
    found = {
        ROOT / "lambda/requirements.txt": (IMAGE, image),
        ROOT / "lambda/requirements-zip.txt": (ZIP, zipped),
    }
    for name, environment in ENVIRONMENTS.items():
        found[lock_of(name)] = APART.replace("NAME", name), environment
    return found


def versions_for(environment) -> tuple[list[str], list[str]]:
    """Return what an environment chooses, and what else of the main lock it keeps to."""
    versions = locked_for(environment.locked_for) if environment.locked_for else {}
    names = environment.packages.split()
    chosen = [name if "==" in name else f"{name}=={versions[name]}" for name in names]
    others = versions.keys() - {each.partition("==")[0] for each in chosen}
    return chosen, [f"{name}=={versions[name]}" for name in sorted(others)]


def write(lock: Path, head: str, chosen: list[str], keep: list[str], options: str, upgrade) -> None:
    """Write a lock, whole or not at all.

    Parameters
    ----------
    head
        The comment that it begins with.
    chosen
        What it is to hold, and with it all that these need.
    keep
        The versions of what else it may hold.
    options
        Of `uv pip compile`: for which Python and systems.
    upgrade
        Whether it gets the newest versions that fit, not those that it has.
    """
    import walk

    with TemporaryDirectory() as folder:
        for name, lines in ("chosen", chosen), ("keep", keep):
            Path(folder, name).write_text("\n".join(lines), encoding="utf-8")
        if lock.exists() and not upgrade:
            shutil.copy(lock, Path(folder, "lock"))  # uv keeps to what is there
        command = (
            "uv pip compile --quiet --no-header --no-annotate --no-strip-extras --generate-hashes"
        )
        command += f" --only-binary :all: --constraint keep --output-file lock {options} chosen"
        try:
            walk.run(command, folder)
        except walk.Problem as problem:
            said = " ".join(str(problem).partition("` failed: ")[2].split())
            raise walk.Problem(f"{lock.name} cannot be made. uv says: {said}") from None
        text = Path(folder, "lock").read_text(encoding="utf-8")
    walk.save(lock, f"{head}{made_from(chosen)}\n{text}")
    print(f"{lock.relative_to(ROOT)}: {len(locked(lock))} packages")


def main(*, UPGRADE: str = "") -> None:
    """Write all locks; the first one decides the versions of the others."""
    write(LOCK, MAIN, choices(), [], "--universal --python-version 3.11", UPGRADE)
    for lock, (head, environment) in apart().items():
        head = head.format(python=environment.python)
        system = "x86_64-manylinux_2_28"  # the tests ask whether there are wheels for arm64, too
        options = f"--python-version {environment.python} --python-platform {system}"
        write(lock, head, *versions_for(environment), options, UPGRADE)
