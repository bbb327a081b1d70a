"""Fill a folder with what the zip for AWS Lambda holds; `sam build` runs this.

    python bundle.py FOLDER

installs requirements-zip.txt for Lambda's Python and the architecture in samconfig.toml (on any
machine: only wheels are taken), copies the function, its page and the model, leaves out what no
request needs, compiles the rest to bytecode, and refuses what Lambda would refuse.

    python bundle.py --leave-out FOLDER

leaves out of a folder with installed packages what no request needs; the Dockerfile runs this.
"""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
GENERATED = HERE.parent / "generated"
FILES = ["lambda_function.py", "api.py", "catalogue.py", "page.html", "openapi.yaml"]
PYTHON = "3.13"  # the Runtime in template.yaml
IMAGE_PYTHON = "3.11"  # in Dockerfile
# What the function imports; `make lock` writes all that this needs into the requirements files.
ZIP = "ai-edge-litert keras-image-helper numpy pillow"
# awslambdaric asks Lambda for events and calls the handler; AWS's own Python has it.
IMAGE = "tflite-runtime keras-image-helper numpy pillow awslambdaric"
PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}

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


def choices() -> tuple[str, Path]:
    """Architecture (x86_64 or arm64) and model file, as chosen in samconfig.toml."""
    config = tomllib.loads((HERE / "samconfig.toml").read_text(encoding="utf-8"))["default"]
    lines = config["global"]["parameters"]["parameter_overrides"]
    architecture = dict(line.split("=", 1) for line in lines).get("Architecture", "x86_64")
    if architecture not in PLATFORMS:
        known = ", ".join(PLATFORMS)
        raise ValueError(f"samconfig.toml: Architecture={architecture} is none of: {known}")
    chosen = config.get("bundle", {}).get("parameters", {}).get("model", "clothing-model.tflite")
    model = GENERATED / chosen
    if not model.exists():
        raise FileNotFoundError(f"generated/{model.name} is missing: run `make` first.")
    return architecture, model


def leave_out(folder: Path) -> None:
    """Remove from a folder with installed packages what no request needs."""
    for pattern in LEFT_OUT:
        for path in list(folder.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def compile_bytecode(folder: Path) -> None:
    """Compile every module, since Lambda's copy of the zip is read-only.

    Python keeps the bytecode of what it imports, where it may; where it may not, each cold start
    compiles everything anew. The bytecode is of Lambda's Python alone, for every architecture.
    """
    command = ["uv", "run", "--quiet", "--no-project", "--python", PYTHON]
    command += ["python", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", folder, "-p", "/var/task", folder]  # where it will stand on Lambda
    if subprocess.run(command).returncode:
        print(
            f"bundle.py: without Python {PYTHON} there is no bytecode in the bundle: it works, but "
            f"its cold starts take about twice as long. `uv python install {PYTHON}` gets one.",
            file=sys.stderr,
        )


def check_size(folder: Path, model: Path) -> None:
    """Raise a ValueError if the folder is over Lambda's limit."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > LIMIT:
        raise ValueError(
            f"The bundle has {size / 1e6:.0f} MB, of which the model has "
            f"{model.stat().st_size / 1e6:.0f}. Lambda takes {LIMIT / 1e6:.0f} MB, unzipped. Take "
            "a smaller model (lesson 2 makes them), or an image, which may have 10 GB."
        )


def bundle(folder: Path) -> None:
    """Fill the folder.

    Raises
    ------
    FileNotFoundError
        The model or another file is missing.
    RuntimeError
        A package could not be installed; uv has said why.
    ValueError
        The architecture is unknown, or the folder is over Lambda's limit.
    """
    architecture, model = choices()
    for file in FILES:
        if not (HERE / file).exists():
            raise FileNotFoundError(f"lambda/{file} is missing: run `make` first.")
    command = ["uv", "pip", "install", "--quiet", "--target", folder, "--link-mode", "copy"]
    command += ["--python-version", PYTHON, "--python-platform", PLATFORMS[architecture]]
    command += ["--only-binary", ":all:", "--require-hashes"]
    command += ["--requirement", HERE / "requirements-zip.txt"]
    if subprocess.run(command).returncode:
        raise RuntimeError("a package could not be installed; uv says why, above.")
    leave_out(folder)
    for file in FILES:
        shutil.copy(HERE / file, folder)
    shutil.copy(model, folder / "clothing-model.tflite")
    check_size(folder, model)
    compile_bytecode(folder)
    check_size(folder, model)


if __name__ == "__main__":
    try:
        match sys.argv[1:]:
            case ["--leave-out", folder]:
                leave_out(Path(folder))
            case [folder]:
                bundle(Path(folder))
            case _:
                sys.exit(__doc__)
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(f"bundle.py: {error}")
