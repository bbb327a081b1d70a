"""What a walk works on: MODEL, IMAGE, CLASSES and PREPROCESSING, found and checked."""

import hashlib
import importlib
import io
from pathlib import Path
from urllib.parse import urlparse

from PIL import Image, ImageOps

from .lesson import Problem, load, save
from .samples import SAMPLES, course_photos

DOWNLOADS = Path("generated/downloads")


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
    """Return the file of a picture that any library reads alike.

    Phones note in the EXIF data how a photo is to be turned, some pictures are transparent, some
    have 16 bits, and Keras looks at none of that. Such a picture is written anew into generated/:
    upright, on a white background, 8 bits.

    Parameters
    ----------
    image
        IMAGE: the path or URL of a picture, or `course` for a photo of the course's.

    Raises
    ------
    Problem
        There is no such file, it cannot be downloaded, or it is not a picture.
    """
    if image == "course":
        return next(iter(course_photos()), SAMPLES / "jeans.png")
    file = local_file("IMAGE", image, "course, or the path or URL of a picture")
    try:
        opened = Image.open(file)
        opened.load()  # decodes it whole
    except (OSError, SyntaxError, Image.DecompressionBombError):
        refuse(file, f"IMAGE={image} is not a picture, or it is broken. Try another.")
    plain = plain_picture(opened)
    if plain.tobytes() == opened.tobytes():
        return file
    content, copy = io.BytesIO(), Path("generated", f"{file.stem}.png")
    plain.convert("RGB").save(content, "PNG")
    save(copy, content.getvalue())
    return copy


def plain_picture(picture: Image.Image) -> Image.Image:
    """Turn a picture upright, and put it on a white background, with 8 bits a channel."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16 bits
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture


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
