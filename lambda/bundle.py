"""What is deployed: the one list of its files, and how they come into a zip and into an image.

    python bundle.py FOLDER

fills a folder with what the zip for AWS Lambda holds; `sam build` runs this. It installs
requirements-zip.txt for Lambda's Python and the architecture in samconfig.toml (on any machine: only
wheels are taken), leaves out what no request needs, copies the function's files and the model,
compiles all to bytecode, and refuses what Lambda would refuse. All templates have the same packages:
they are kept, and installed again when what they are made of changed.

    python bundle.py --image FOLDER

does the same to a folder into which pip has installed requirements.txt; the Dockerfile runs this.
"""

import os
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
GENERATED = HERE.parent / "generated"
KEPT = HERE / ".aws-sam" / "packages"  # as they were installed last

# The function's files, of this folder. Whoever needs to know them asks here.
FILES = [
    "lambda_function.py",
    "guards.py",
    "transport.py",
    "decoding.py",
    "api.py",
    "incoming.py",
    "answers.py",
    "catalogue.py",
    "page.html",
    "openapi.yaml",
]
# What makes a stack of them.
RECIPE = ["template*.yaml", "samconfig.toml", "requirements*.txt", "Makefile", "bundle.py"]

PYTHON = "3.13"  # the Runtime in template.yaml
IMAGE_PYTHON = "3.11"  # in Dockerfile
# What the function imports; `make lock` writes all that this needs into the requirements files.
ZIP = "ai-edge-litert keras-image-helper numpy pillow"
# awslambdaric asks Lambda for events and calls the handler; AWS's own Python has it.
IMAGE = "tflite-runtime keras-image-helper numpy pillow awslambdaric"
PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}

# To compile to bytecode, which Python takes as it is, without a look at the times of files: what packs
# a zip or an image may round them.
COMPILE = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 250 MB, unzipped
LIMIT = 250 * 1024**2  # bytes

# What serves other machines or other work than answering a request: a test runs every event
# without it. Of Pillow only what it can also be built without is left out:
# https://pillow.readthedocs.io/en/stable/installation/building-from-source.html
LEFT_OUT = [
    "bin",  # commands of the packages
    "**/tests",  # the packages' own tests
    "ai_edge_litert/libLiteRtWebGpuAccelerator.so",  # for a GPU: Lambda has none
    "ai_edge_litert/tools",  # prepares models for phones
    "ai_edge_litert/vendors",  # compilers for the accelerators of phones
    "numpy/distutils",  # compile C and Fortran
    "numpy/f2py",
    "numpy/**/_simd.*.so",  # for NumPy's own tests
    "PIL/_avif.*.so",  # a format that the function does not take
    "pillow.libs/libavif-*",
    "PIL/_imagingcms.*.so",  # colour profiles
    "pillow.libs/liblcms2-*",
    "PIL/_imagingft.*.so",  # writing text
    "pillow.libs/libfreetype-*",
    "pillow.libs/libharfbuzz-*",
    "pillow.libs/libbrotli*",
    "pillow.libs/libpng16-*",  # of the fonts: Pillow reads PNG itself
]


def settings() -> dict:
    """Return what samconfig.toml says; raise a ValueError if it is no TOML."""
    try:
        return tomllib.loads((HERE / "samconfig.toml").read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"samconfig.toml: {error}") from None


def overrides(config: str = "default") -> dict[str, str]:
    """Return what samconfig.toml chooses of a template's parameters, by their names.

    Raise a ValueError where a = is missing, or where a value has a space: SAM drops what follows it.
    """
    given = settings()[config]["global"]["parameters"].get("parameter_overrides", [])
    # `sam deploy --guided` writes one text, with quotation marks around the values.
    words = shlex.split(given) if isinstance(given, str) else given
    for word in words:
        if not isinstance(word, str) or "=" not in word or len(word.split()) != 1:
            raise ValueError(
                f"samconfig.toml: parameter_overrides has {word!r}. "
                "Expected: Name=value, without spaces"
            )
    return dict(word.split("=", 1) for word in words)


def architecture() -> str:
    """Return x86_64 or arm64, as chosen in samconfig.toml; raise a ValueError if it is neither."""
    chosen = overrides().get("Architecture", "x86_64")
    if chosen not in PLATFORMS:
        known = ", ".join(PLATFORMS)
        raise ValueError(f"samconfig.toml: Architecture={chosen} is none of: {known}")
    return chosen


def content() -> dict[str, Path]:
    """Return what stands beside the packages, by its name there: the function's files and the model.

    The model is the one that is chosen in samconfig.toml.
    """
    chosen = settings()["default"].get("bundle", {}).get("parameters", {})
    model = GENERATED / chosen.get("model", "clothing-model.tflite")
    return {name: HERE / name for name in FILES} | {"clothing-model.tflite": model}


def parts() -> list[Path]:
    """Return all that a stack is made of: when one of them changes, what is deployed is old."""
    recipe = [file for pattern in RECIPE for file in sorted(HERE.glob(pattern))]
    return [*content().values(), *recipe]


def check_made() -> None:
    """Raise a FileNotFoundError if the model or one of the function's files is not there yet."""
    for file in content().values():
        if not file.exists():
            raise FileNotFoundError(f"{file.parent.name}/{file.name} is missing: run `make` first.")


def leave_out(folder: Path) -> None:
    """Remove from a folder with installed packages what no request needs."""
    for pattern in LEFT_OUT:
        for path in list(folder.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def copy_content(folder: Path) -> None:
    """Copy the function's files and the model to the packages."""
    for name, file in content().items():
        shutil.copy(file, folder / name)


def compile_bytecode(folder: Path, *options: str) -> bool:
    """Compile every module, since Lambda's copy of the zip is read-only; return whether it was done.

    Python keeps the bytecode of what it imports, where it may; where it may not, each cold start
    compiles everything anew. The bytecode is of Lambda's Python alone, for every architecture.
    """
    command = ["uv", "run", "--quiet", "--no-project", "--python", PYTHON]
    command += ["python", *COMPILE]
    command += [*options, "-s", folder, "-p", "/var/task", folder]  # where it will stand on Lambda
    if subprocess.run(command).returncode:
        print(
            f"bundle.py: without Python {PYTHON} there is no bytecode in the bundle: it works, but "
            f"its cold starts take about twice as long. `uv python install {PYTHON}` gets one.",
            file=sys.stderr,
        )
        return False
    return True


def check_size(folder: Path) -> None:
    """Raise a ValueError if the folder is over Lambda's limit."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > LIMIT:
        model = (folder / "clothing-model.tflite").stat().st_size
        raise ValueError(
            f"The bundle has {size / 1e6:.0f} MB, of which the model has {model / 1e6:.0f}. "
            f"Lambda takes {LIMIT / 1e6:.0f} MB, unzipped. Take a smaller model (lesson 2 makes "
            "them), or an image, which may have 10 GB."
        )


def bundle(folder: Path) -> None:
    """Fill the folder of the zip: the packages, the function's files and the model.

    Raises
    ------
    FileNotFoundError
        The model or another file is missing.
    RuntimeError
        A package could not be installed or compiled; uv or Python has said why.
    ValueError
        samconfig.toml chooses what does not exist, or the folder is over Lambda's limit.
    """
    platform = PLATFORMS[architecture()]
    check_made()
    folder.mkdir(parents=True, exist_ok=True)
    copy_content(folder)
    check_size(folder)  # a model that is too large by itself is refused at once
    compiled = is_kept() or install(platform)
    shutil.copytree(KEPT, folder, dirs_exist_ok=True)
    check_size(folder)
    if compiled:
        compile_bytecode(folder, "-l")  # the function's files, which lie in the folder itself
        check_size(folder)


def install(platform: str) -> bool:
    """Install the packages where they are kept, whole or not at all; return whether they are compiled.

    Without bytecode they count as old, so that they are installed again.
    """
    began = time.time()
    part = KEPT.with_name(f"{KEPT.name}.{os.getpid()}")
    command = ["uv", "pip", "install", "--quiet", "--target", part, "--link-mode", "copy"]
    command += ["--python-version", PYTHON, "--python-platform", platform]
    command += ["--only-binary", ":all:", "--require-hashes"]
    command += ["--requirement", HERE / "requirements-zip.txt"]
    try:
        if subprocess.run(command).returncode:
            raise RuntimeError("a package could not be installed; uv says why, above.")
        leave_out(part)
        compiled = compile_bytecode(part)
        os.utime(part, (began, began) if compiled else (0, 0))
        shutil.rmtree(KEPT, ignore_errors=True)
        part.replace(KEPT)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return compiled


def is_newer(made: Path, made_of: list[Path]) -> bool:
    """Whether something is there, and newer than all that it is made of, which is there, too."""
    return made.exists() and all(
        file.exists() and file.stat().st_mtime < made.stat().st_mtime for file in made_of
    )


def is_kept() -> bool:
    """Whether the packages that were installed last are those that would be installed now."""
    made_by = "requirements-zip.txt", "samconfig.toml", "bundle.py"
    return is_newer(KEPT, [HERE / name for name in made_by])


def complete_image(folder: Path) -> None:
    """Make the function of the packages in the image, whose Python runs this; raise as `bundle` does."""
    check_made()
    leave_out(folder)
    copy_content(folder)
    if subprocess.run([sys.executable, *COMPILE, folder]).returncode:
        raise RuntimeError("a module could not be compiled; Python says why, above.")


if __name__ == "__main__":
    try:
        match sys.argv[1:]:
            case ["--image", folder]:
                complete_image(Path(folder))
            case [folder]:
                bundle(Path(folder))
            case _:
                sys.exit(__doc__)
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(f"bundle.py: {error}")
