"""Fill a folder with what the zip for AWS Lambda holds; `sam build` runs this.

    python bundle.py FOLDER

installs requirements-zip.txt for Lambda's Python and the architecture in samconfig.toml (on any
machine: only wheels are taken, nothing is compiled), copies the function and its model, leaves out
what no request needs, and refuses what Lambda would refuse.
"""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
MODEL = HERE.parent / "generated" / "clothing-model.tflite"
PYTHON = "3.13"  # the Runtime in template.yaml
PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 250 MB, unzipped
LIMIT = 250 * 1024**2  # bytes

# Whole folders and files that serve other machines or other work than answering a request. Nothing
# inside a package that Python could import is picked apart: a test runs every event without them.
LEFT_OUT = [
    "bin",  # commands of the packages
    "**/tests",  # the packages' own tests
    "ai_edge_litert/libLiteRtWebGpuAccelerator.so",  # for a GPU: Lambda has none
    "ai_edge_litert/tools",  # prepares models for phones
    "ai_edge_litert/vendors",  # compilers for the accelerators of phones
]


def architecture() -> str:
    """The architecture that samconfig.toml deploys to: x86_64 or arm64."""
    config = tomllib.loads((HERE / "samconfig.toml").read_text(encoding="utf-8"))
    chosen = config["default"]["global"]["parameters"]["parameter_overrides"]
    name = dict(line.split("=", 1) for line in chosen).get("Architecture", "x86_64")
    if name not in PLATFORMS:
        raise ValueError(f"samconfig.toml: Architecture={name} is none of: {', '.join(PLATFORMS)}")
    return name


def bundle(folder: Path) -> None:
    """Fill the folder.

    Raises
    ------
    FileNotFoundError
        The model is missing.
    RuntimeError
        A package could not be installed; uv has said why.
    ValueError
        The architecture is unknown, or the folder is over Lambda's limit.
    """
    if not MODEL.exists():
        raise FileNotFoundError("generated/clothing-model.tflite is missing: run `make` first.")
    command = ["uv", "pip", "install", "--quiet", "--target", folder, "--link-mode", "copy"]
    command += ["--python-version", PYTHON, "--python-platform", PLATFORMS[architecture()]]
    command += ["--only-binary", ":all:", "--requirement", HERE / "requirements-zip.txt"]
    if subprocess.run(command).returncode:
        raise RuntimeError("a package could not be installed; uv says why, above.")
    for pattern in LEFT_OUT:
        for path in list(folder.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copy(HERE / "lambda_function.py", folder)
    shutil.copy(MODEL, folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > LIMIT:
        raise ValueError(
            f"The bundle has {size / 1e6:.0f} MB, of which the model has "
            f"{MODEL.stat().st_size / 1e6:.0f}. Lambda takes {LIMIT / 1e6:.0f} MB, unzipped. Take "
            "a smaller model (notebook 2 makes them), or an image, which may have 10 GB."
        )


if __name__ == "__main__":
    try:
        bundle(Path(sys.argv[1]))
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(f"bundle.py: {error}")
