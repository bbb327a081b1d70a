"""Which files are pictures that the function takes, by what is in them, and what the others are."""

import warnings
from collections import Counter
from pathlib import Path

from PIL import Image

# What the function opens (lambda/guards.py; a test compares them), by Pillow's names.
TAKEN = ["JPEG", "PNG", "WEBP", "GIF", "BMP"]

# What the ISO base media format calls what is in it, where that is HEIC, as iPhones save photos.
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
AS_JPEG = (
    "Save it as JPEG (Mac: open it in Preview, then File, Export; Windows: open it in Paint, then Save "
    "as; iPhone, for the next ones: Settings, Camera, Formats, Most Compatible)."
)

# What macOS, Windows and storage devices leave in folders and archives; so are hidden files, like ._a.jpg.
OF_SYSTEMS = {"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"}


def kind_of(file: str | Path) -> str:
    """Return the format of a picture's file, by what is in it: JPEG, PNG, HEIC, TIFF …; "" if it is none.

    Raises
    ------
    OSError
        It cannot be read.
    """
    with Path(file).open("rb") as opened:
        if is_heic(opened.read(12)):
            return "HEIC"  # Pillow does not know it
        opened.seek(0)
        try:
            with warnings.catch_warnings(action="ignore"):  # that it is large, or of an old kind
                kind = Image.open(opened).format
        except Exception:  # a decoder of what anybody may have sent may fail in any way
            return ""
    return "JPEG" if kind == "MPO" else kind  # a JPEG with more behind it, as phones save them


def is_heic(head: bytes) -> bool:
    """Whether a file that begins so (12 bytes, or more) is a HEIC photo."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS


def lies_about(file: Path) -> bool:
    """Whether a system left this file (its path from the folder in question) there, and not a person."""
    return any(part.startswith(".") or part.lower() in OF_SYSTEMS for part in file.parts)


def pictures_in(folder: Path, pattern: str = "**/*") -> tuple[list[Path], str]:
    """Return the pictures in a folder, sorted, and a sentence on what was left out, and why.

    What is named as a picture, but is none, is among them: it is broken, and whoever reads it says so.

    Parameters
    ----------
    folder
        Where they are.
    pattern
        Which of its files count, as for `Path.glob`.

    Returns
    -------
    list of Path, str
        The sentence is empty if nothing was left out.
    """
    Image.init()
    endings = {end for end, kind in Image.EXTENSION.items() if kind in TAKEN}
    taken, kinds, others, systems = [], Counter(), Counter(), 0
    for file in sorted(folder.glob(pattern)):
        if file.is_dir():
            continue
        if lies_about(file.relative_to(folder)):
            systems += 1
            continue
        named = file.suffix.lower() in endings
        try:
            kind = kind_of(file)
        except OSError:
            kind = ""
        if kind in TAKEN or (named and not kind):
            taken.append(file)
        elif kind:
            kinds[kind] += 1
        else:
            others[file.suffix or file.name] += 1
    return taken, _left_out(kinds, others, systems)


def _left_out(kinds: Counter, others: Counter, systems: int) -> str:
    """Say what was left out, and why."""
    said = []
    if kinds:
        said.append(f"{_counted(kinds)}: the function does not take these, save them as JPEG")
    if others:
        said.append(f"no pictures: {_counted(others)}")
    if systems:
        said.append(f"of the system's own: {systems:,}")
    return f"Left out: {'; '.join(said)}." if said else ""


def _counted(counts: Counter) -> str:
    shown = [f"{number:,} {name}" for name, number in counts.most_common(5)]
    more = sum(counts.values()) - sum(number for _, number in counts.most_common(5))
    return ", ".join([*shown, f"{more:,} more"] if more else shown)
