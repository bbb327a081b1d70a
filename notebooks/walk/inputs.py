"""What a walk works on: MODEL, IMAGE, CLASSES and PREPROCESSING, found and checked."""

import ast
import hashlib
import importlib.util
import io
import re
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from urllib.parse import urlparse

from PIL import Image

from .kinds import AS_JPEG, TAKEN, kind_of
from .lesson import Problem, load, save
from .samples import SAMPLES, course_photos

DOWNLOADS = Path("generated/downloads")

# What the function takes of a picture (lambda/guards.py), and of that what Lambda lets through in a
# request: 6 MB, in which a picture is base64. A test puts the largest ones to the function.
MOST_BYTES, MOST_PIXELS, MOST_SCANS = 4_000_000, 25_000_000, 100
SIDES = re.compile(r"([1-9]\d{0,4}) ?[x×*,] ?([1-9]\d{0,4})", re.IGNORECASE)  # width and height
# Pixels that are not read here either: so many take half a gigabyte and more.
BOMB = 178_000_000
# The longer side, in pixels, of the copy of a larger picture; models see a few hundred pixels.
LONGEST = 1024


def as_text(parameter: str, value: str, example: str) -> str:
    """Return the value of a parameter; raise a Problem if it is no text, as a list of names is none."""
    if not isinstance(value, str):
        raise Problem(
            f'{parameter} = {value!r} is no text. Expected: a text in quotes, as in {parameter} = "{example}".'
        )
    return value


def whole_number(parameter: str, value: str | int, least: int, most: int | None = None) -> int:
    """Return the value of a parameter as a number; raise a Problem if it is none, or out of bounds."""
    bounds = f", at least {least}" if most is None else f" from {least} to {most}"
    number = int(value) if str(value).isdecimal() else -1
    if number < least or (most is not None and number > most):
        raise Problem(f"{parameter}={value}. Expected: a whole number{bounds}.")
    return number


def class_names(classes: str) -> list[str]:
    """Return the names that CLASSES lists, or the file that it names, one a line.

    Names are separated by commas if there is a comma (then they may hold spaces), else by spaces.

    Raises
    ------
    Problem
        A name is there twice, or none is there, or there is no such file.
    """
    text = as_text("CLASSES", classes, "cat dog")
    if classes.endswith(".txt"):
        file = local_file("CLASSES", classes, "a text with the name of one class a line")
        text = ",".join(file.read_text(encoding="utf-8-sig").splitlines())
    names = [name for name in _split(text) if name]
    if not names or len(set(names)) < len(names):
        wrong = "names a class twice" if names else "names no class"
        raise Problem(f'CLASSES="{classes}" {wrong}.')
    return names


def _split(classes: str) -> list[str]:
    """Split the text of CLASSES, as the function does."""
    classes = as_text("CLASSES", classes, "cat dog")
    return [name.strip() for name in classes.split("," if "," in classes else None)]


def classes_text(names: list[str]) -> str:
    """Return names as CLASSES lists them: separated by spaces, or commas where a name holds one."""
    return (", " if any(" " in name for name in names) else " ").join(names)


def size(text: str) -> tuple[int, int] | None:
    """Return SIZE, as in "160x120" (width x height), as (height, width); None if it is empty.

    Raises
    ------
    Problem
        It is something else.
    """
    if not text:
        return None
    if not (found := SIDES.fullmatch(as_text("SIZE", text, "160x120").strip())):
        raise Problem(f'SIZE="{text}" is no size. Expected: width x height, as in SIZE=160x120.')
    return int(found[2]), int(found[1])


def parameters_of_lesson_1() -> dict[str, str]:
    """Return the parameters that lesson 1 left for the function: CLASSES, PREPROCESSING, and so on.

    Raises
    ------
    Problem
        Lesson 1 has not run, or was run by an earlier version of this repository.
    """
    file = "generated/expected-scores.json"
    parameters = load(file).get("parameters")
    if not parameters:
        raise Problem(f"{file} is of an earlier version. Run notebooks/01-keras-model.ipynb again.")
    return parameters


def check_parameters(classes: str, preprocessing: str, resize: str, scores: str) -> None:
    """Raise a Problem unless lesson 3's parameters are those that lesson 1 was run with."""
    here = {"CLASSES": classes, "PREPROCESSING": preprocessing, "RESIZE": resize, "SCORES": scores}
    for name, value in parameters_of_lesson_1().items():
        if _split(here[name]) != _split(value):  # with other spaces, CLASSES names the same
            raise Problem(
                f'{name} = "{here[name]}" here, but lesson 1 was run with "{value}". '
                f'Write {name} = "{value}" into the cell of the parameters, or run lesson 1 with yours.'
            )


def assigned(code: str) -> dict:
    """Return the constants that a piece of Python assigns to names; of several the last."""
    return {
        node.targets[0].id: node.value.value
        for node in ast.parse(code).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def picture_file(image: str) -> Path:
    """Return the file of a picture that any library reads alike, and the function takes.

    Phones note in the EXIF data how a photo is to be turned, some pictures are transparent, some
    have 16 bits, and Keras looks at none of that; AVIF, TIFF and others the function does not take, nor
    a photo of 48 million pixels. Such a picture is written anew into generated/: as PNG, upright, on a
    white background, 8 bits, and made smaller where it is too large.

    Parameters
    ----------
    image
        IMAGE: the path or URL of a picture, or `course` for a photo of the course's.

    Raises
    ------
    Problem
        There is no such file, it cannot be downloaded, or it is not a picture that can be read.
    """
    if as_text("IMAGE", image, "photo.jpg") == "course":
        return next(iter(course_photos()), SAMPLES / "jeans.png")
    file = local_file("IMAGE", image, "course, or the path or URL of a picture")
    kind = kind_of(file)
    if kind == "HEIC":
        refuse(file, f"IMAGE={image} is a HEIC photo, as iPhones take them. {AS_JPEG}")
    try:
        content = file.read_bytes()
        opened, scans = opened_photo(content)
        pixels = opened.width * opened.height
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


def opened_photo(content: bytes) -> tuple[Image.Image, int]:
    """Return a photo that is opened, but not decoded, and how many scans it has.

    Raises
    ------
    PIL.Image.DecompressionBombError
        It has more than `BOMB` pixels.
    Exception
        It is not a picture, or it is broken: a decoder may fail in any way.
    """
    bare, scans = decoding().bare(content)
    with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
        opened = Image.open(io.BytesIO(bare))
    if opened.width * opened.height > BOMB:
        raise Image.DecompressionBombError  # as Pillow does, where it is not told otherwise
    return opened, scans


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
    with warnings.catch_warnings(action="ignore"), suppress(Exception), Image.open(file) as opened:
        return opened.convert("RGB").tobytes() == plain.tobytes()
    return False


@cache
def decoding() -> ModuleType:
    """Return lambda/decoding.py, with which the function reads pictures."""
    # `lambda` is no name to import from
    file = Path(__file__).parents[2] / "lambda" / "decoding.py"
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
