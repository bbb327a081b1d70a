"""Say whether this machine has what the lessons need: `make check` runs this.

    python notebooks/commands doctor            all that was looked at, a line each
    python notebooks/commands doctor problems   what is wrong for the walk; `make` begins with this
    python notebooks/commands doctor build      what is wrong for building .venv/

Each problem comes with its remedy. It ends with 1 if what was asked about cannot work at all. It runs
before there is an environment, too: Python 3.8 is enough.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD_GB, RUN_GB, MEMORY_GB = 4, 0.5, 2  # .venv/ with what is downloaded; the walk; lesson 2
NEEDED = "papermill", "tensorflow"  # without these, no lesson runs
SHOWN = 8  # of the packages that differ


class Stop(str):
    """A problem with which it cannot work."""


# Each of these returns what was found, and the problem with its remedy ("" if there is none).


def python():
    version = platform.python_version()
    if not (3, 11) <= sys.version_info < (3, 14) and installed("papermill"):
        return version, "the packages are for 3.11 to 3.13: take one of these, or make's own .venv/"
    return version, ""


def disk(needed=RUN_GB):
    free = shutil.disk_usage(ROOT).free / 1e9
    remedy = f"about {needed} GB are needed: free some, or work on another disk"
    return f"{free:.1f} GB free", remedy if free < needed else ""


def disk_for_environment():
    found, problem = disk(BUILD_GB)
    # What uv has downloaded already takes no place again where it can be linked.
    cache = Path(os.environ.get("UV_CACHE_DIR", ROOT / ".cache" / "uv"))
    return found, problem if cache.exists() else Stop(problem)


def memory():
    try:  # what Linux would give a program now
        text = Path("/proc/meminfo").read_text()
        free = int(re.search(r"MemAvailable: *(\d+)", text)[1]) * 1024 / 1e9
    except OSError:
        return "not known here", ""
    remedy = f"lesson 2 needs about {MEMORY_GB} GB: close other programs"
    return f"{free:.1f} GB free", remedy if free < MEMORY_GB else ""


def packages():
    if missing := [name for name in NEEDED if not installed(name)]:
        return f"no {' and no '.join(missing)}", Stop(
            "activate the environment (conda activate serverless-deep-learning), "
            "or let make build one: make without VENV="
        )
    from packaging.requirements import Requirement

    from commands.lock import choices, is_of, locked

    if not is_of(ROOT / ".requirements.lock", choices()):
        return "environment.yml and .requirements.lock differ", "run make lock"
    wanted = [r for r in map(Requirement, locked()) if not r.marker or r.marker.evaluate()]
    found = {r: installed(r.name) for r in wanted}
    other = [
        f"{r.name} {version or 'missing'} ({r.specifier})"
        for r, version in found.items()
        if not version or version not in r.specifier
    ]
    named = ", ".join(other[:SHOWN]) + (f" and {len(other) - SHOWN} more" if other[SHOWN:] else "")
    remedy = "install .requirements.lock (for make's own: rm -rf .venv, then make)"
    return named or f"{len(wanted)}, as in .requirements.lock", remedy if other else ""


def installed(package):
    """Return the version of an installed package, or "" if there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def installer():
    if shutil.which("uv") or (ROOT / ".cache/bootstrap/bin/uv").exists():
        return "uv", ""
    for module in "pip", "ensurepip":  # either brings uv
        if answers(sys.executable, "-m", module, "--version"):
            return module, ""
    return "none", Stop("install uv (https://docs.astral.sh/uv) or pip (apt install python3-pip)")


def network():
    """Ask for one small package, as uv is set up here: index, proxy, certificates."""
    if not shutil.which("uv"):
        return "not tried, for want of uv", ""
    command = "uv pip compile --quiet --no-deps --refresh -".split()
    if answers(*command, stdin="pip", UV_HTTP_TIMEOUT="2", UV_HTTP_RETRIES="0"):
        return "PyPI answers", ""
    return "PyPI does not answer", (
        "only building the environment, and lesson 5 and make measure the first time, need it"
    )


def system():
    found = platform.system()
    remedy = "lesson 4 calls the handler without AWS's emulator; lessons 5, 8 and 10 need Linux"
    return found, remedy if found != "Linux" else ""


def lambdas_python():
    if not installed("papermill") or platform.system() != "Linux":
        return "not looked for", ""
    from walk.aws import PYTHON, prepare_sam

    os.chdir(ROOT)
    prepare_sam()  # so that uv looks where it does then
    if answers("uv", "python", "find", PYTHON):
        return f"Python {PYTHON}", ""
    return f"no Python {PYTHON}", "lesson 5 and make serve will let uv download it"


def processor():
    if platform.system() != "Linux":
        return "not shared out", "make measure needs Linux"
    from measure import quota

    how = quota.find().how
    remedy = "for more than one memory setting it needs the right to make a control group (root)"
    return how, remedy if how == "one core" else ""


def programs_of_the_tests():
    paths = {name: shutil.which(name) for name in ("chromium", "buildah", "mmdebstrap")}
    paths["chromium"] = paths["chromium"] or shutil.which("chromium-browser")
    missing = [name for name, path in paths.items() if not path]
    found = ", ".join(name for name in paths if name not in missing) or "none"
    remedy = "without chromium make test leaves out the page, without the other two the image: "
    return found, f"{remedy}apt install {' '.join(missing)}" if missing else ""


def answers(*command, stdin="", **variables):
    """Return whether a command succeeds within a few seconds."""
    environment = {**os.environ, **variables}
    try:
        return not subprocess.run(
            command, input=stdin.encode(), capture_output=True, env=environment, timeout=5
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


BUILD = {"disk": disk_for_environment, "installer": installer}
WALK = {"Python": python, "disk": disk, "memory": memory, "packages": packages}
MORE = {
    "network": network,
    "system": system,
    "lesson 5": lambdas_python,
    "make measure": processor,
    "make test": programs_of_the_tests,
}


def main(what=""):
    """Look at everything; print a line each, or the problems alone; return 1 if one is a Stop."""
    stop = False
    for name, look in {"build": BUILD, "problems": WALK, "": {**WALK, **MORE}}[what].items():
        try:
            found, problem = look()
        except Exception as error:  # no reason to keep anybody from working
            found, problem = f"not known ({error})", ""
        stop = stop or bool(problem) and isinstance(problem, Stop)
        if problem or not what:
            print(f"{'!' if problem else ' '} {name:<13} {found}{': ' if problem else ''}{problem}")
    return int(stop)
