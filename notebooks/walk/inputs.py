"""What a walk works on: MODEL, IMAGE, CLASSES and PREPROCESSING, found and checked."""

import hashlib
import importlib.util
import io
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from urllib.parse import urlparse

from PIL import Image

from .kinds import AS_JPEG, TAKEN, kind_of
from .lesson import Problem, load, save

SAMPLES = Path("notebooks/assets")
DOWNLOADS = Path("generated/downloads")

# What the function takes of a picture (lambda/guards.py), and of that what Lambda lets through in a
# request: 6 MB, in which a picture is base64. A test puts the largest ones to the function.
MOST_BYTES, MOST_PIXELS, MOST_SCANS = 4_000_000, 25_000_000, 100
# Pixels that are not read here either: so many take half a gigabyte and more.
BOMB = 178_000_000
# The longer side, in pixels, of the copy of a larger picture; models see a few hundred pixels.
LONGEST = 1024


def class_names(classes: str) -> list[str]:
    """Split CLASSES; raise a Problem if a name is there twice, or none is there."""
    names = classes.split()
    if not names or len(set(names)) < len(names):
        wrong = "names a class twice" if names else "names no class"
        raise Problem(f'CLASSES="{classes}" {wrong}.')
    return names


def check_preprocessing(name: str) -> None:
    """Raise a Problem unless keras-image-helper knows this way to prepare pictures."""
    from keras_image_helper.helper import preprocessors

    if name not in preprocessors:
        raise Problem(f"PREPROCESSING={name} is not one of: {', '.join(preprocessors)}")


def preprocess_input(name: str):
    """Return Keras's `preprocess_input` for a value of PREPROCESSING."""
    return importlib.import_module(f"keras.applications.{name}").preprocess_input


def check_parameters(classes: str, preprocessing: str) -> None:
    """Raise a Problem unless CLASSES and PREPROCESSING are those that lesson 1 was run with."""
    expected = load("generated/expected-scores.json")
    names = class_names(classes)
    theirs = list(expected["scores"][expected["image"]])
    for name, here, there in (
        ("CLASSES", names, theirs),
        ("PREPROCESSING", [preprocessing], [expected["preprocessing"]]),
    ):
        if here != there:
            raise Problem(
                f'{name}="{" ".join(here)}" here, but lesson 1 was run with "{" ".join(there)}". '
                f"Give both lessons the same {name}."
            )


def picture_file(image: str) -> Path:
    """Return the file of a picture that any library reads alike, and the function takes.

    Phones note in the EXIF data how a photo is to be turned, some pictures are transparent, some
    have 16 bits, and Keras looks at none of that; AVIF, TIFF and others the function does not take, nor
    a photo of 48 million pixels. Such a picture is written anew into generated/: as PNG, upright, on a
    white background, 8 bits, and made smaller where it is too large.

    Parameters
    ----------
    image
        IMAGE: the path or URL of a picture.

    Raises
    ------
    Problem
        There is no such file, it cannot be downloaded, or it is not a picture that can be read.
    """
    file = local_file("IMAGE", image, "the path or URL of a picture")
    kind = kind_of(file)
    if kind == "HEIC":
        refuse(file, f"IMAGE={image} is a HEIC photo, as iPhones take them. {AS_JPEG}")
    try:
        content = file.read_bytes()
        bare, scans = decoding().bare(content)
        with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
            opened = Image.open(io.BytesIO(bare))
        pixels = opened.width * opened.height
        if pixels > BOMB:
            raise Image.DecompressionBombError  # as Pillow does, where it is not told otherwise
        too_large = len(content) > MOST_BYTES or pixels > MOST_PIXELS or scans > MOST_SCANS
        if too_large:
            opened.draft(None, (LONGEST, LONGEST))  # what of a JPEG need not be decoded
        plain = decoding().plain(opened)
    except Image.DecompressionBombError:
        refuse(file, f"IMAGE={image} has too many pixels ({BOMB:,} at most). Make it smaller.")
    except Exception:  # a decoder may fail in any way
        refuse(file, f"IMAGE={image} is not a picture, or it is broken. Try another.")
    if kind in TAKEN and not too_large and _is_read_as(file, plain):
        return file
    if too_large:
        plain.thumbnail((LONGEST, LONGEST))
    content, copy = io.BytesIO(), Path("generated", f"{file.stem}.png")
    plain.save(content, "PNG")
    save(copy, content.getvalue())
    return copy


def open_photo(file: Path) -> Image.Image:
    """Return a photo as the function sees it: upright, in RGB, with what is transparent in white.

    Raises
    ------
    ValueError
        It is not a picture, or it is broken.
    """
    try:
        bare, _ = decoding().bare(Path(file).read_bytes())
        return decoding().plain(Image.open(io.BytesIO(bare)))
    except Exception:  # a decoder may fail in any way
        raise ValueError(f"{file} is not a picture, or it is broken") from None


def _is_read_as(file: Path, plain: Image.Image) -> bool:
    """Whether whoever opens a picture's file with Pillow alone sees this."""
    with suppress(Exception), Image.open(file) as opened:
        return opened.convert("RGB").tobytes() == plain.tobytes()
    return False


@cache
def decoding() -> ModuleType:
    """Return lambda/decoding.py, with which the function reads pictures."""
    file = (
        Path(__file__).parents[2] / "lambda" / "decoding.py"
    )  # `lambda` is no name to import from
    spec = importlib.util.spec_from_file_location("decoding", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def local_file(parameter: str, address: str, expected: str) -> Path:
    """Return the path of the file that a parameter names; a URL is downloaded, once."""
    if address.startswith(("http://", "https://")):
        return download(parameter, address)
    if not Path(address).is_file():
        found = "is a directory" if Path(address).is_dir() else "does not exist"
        raise Problem(f"{parameter}={address} {found}. Expected: {expected}.")
    return Path(address)


def download(parameter: str, url: str) -> Path:
    """Return the path of what is at a URL, downloaded once into generated/downloads/.

    Raises
    ------
    Problem
        It cannot be downloaded.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")
    folder = DOWNLOADS / hashlib.sha256(url.encode()).hexdigest()[:8]
    name = Path(urlparse(url).path).name or "download"
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=10)  # seconds without a byte
    try:
        pooch.retrieve(url, known_hash=None, fname=name, path=folder, downloader=downloader)
    except (OSError, ValueError) as error:
        raise Problem(
            f"{parameter}={url} could not be downloaded: {error}. Check the address and the "
            f"connection, or download it yourself and give its path as {parameter}."
        ) from None
    return folder / name


def refuse(file: Path, message: str):
    """Raise a Problem about a file; if it was downloaded, the next try downloads it again."""
    if file.is_relative_to(DOWNLOADS):
        file.unlink()
    raise Problem(message) from None
