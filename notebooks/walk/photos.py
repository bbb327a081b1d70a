"""Folders of photos, those of the training and those of one's own."""

import csv
import hashlib
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .inputs import DOWNLOADS, download, local_file, open_photo, refuse
from .kinds import lies_about, pictures_in
from .lesson import Problem

# Who sent each photo of the full data set, of which clothing-dataset-small is a part.
IMAGES_CSV = "https://raw.githubusercontent.com/alexeygrigorev/clothing-dataset/master/images.csv"
# How the columns of such a table are called: a photo's file, its sender, its label.
TABLES = (
    ("image", "sender_id", "label"),
    ("file", "person", "label_of_the_full_dataset"),
)


def photos_folder(dataset: str, parameter: str = "DATASET") -> Path:
    """Return the folder of photos that DATASET names; a zip archive is unpacked, once.

    Parameters
    ----------
    dataset
        DATASET: a folder with train/ and validation/, or the path or URL of a zip archive with them.
    parameter
        What it is called, if not DATASET.

    Raises
    ------
    Problem
        It cannot be downloaded, or it is not a whole zip archive.
    """
    is_url = dataset.startswith(("http://", "https://"))
    photos = download(parameter, dataset) if is_url else Path(dataset)
    if not photos.is_file():
        return photos
    found = photos.stat()
    state = f"{photos.resolve()} {found.st_size} {found.st_mtime_ns}"
    folder = DOWNLOADS / hashlib.sha256(state.encode()).hexdigest()[:8]
    part = folder.with_suffix(".part")
    try:
        if not folder.exists():
            zipfile.ZipFile(photos).extractall(part)
            part.replace(folder)
    except zipfile.BadZipFile:
        refuse(photos, f"{parameter}={dataset} is not a zip archive, or it did not arrive whole.")
    except (RuntimeError, NotImplementedError):  # what zipfile raises where a password is needed
        raise Problem(
            f"{parameter}={dataset}: Python cannot unpack this archive, perhaps for its password. "
            f"Unpack it yourself, and give the folder as {parameter}."
        ) from None
    trains = (each for each in folder.glob("**/train") if not lies_about(each.relative_to(folder)))
    return next((train.parent for train in trains), folder)


class Origin(NamedTuple):
    """What the full data set says of a photo: a number for who sent it, and its label ("" if unknown)."""

    sender: str
    label: str


def origins(people: str, photos: Path, needed: bool = False) -> dict[str, Origin]:
    """Return where each photo is from, by the name of its file without the ending, as far as it is known.

    Parameters
    ----------
    people
        PEOPLE: a CSV file, by its path or URL, with the columns image and sender_id, or file and
        person, and perhaps label, or label_of_the_full_dataset. If it is empty: people.csv in the
        folder of the photos, else IMAGES_CSV.
    photos
        The folder of the photos.
    needed
        Whether they must be known. Otherwise, where IMAGES_CSV cannot be downloaded, none is.

    Raises
    ------
    Problem
        The file does not exist, cannot be downloaded, or is no such table.
    """
    if not people and (photos / "people.csv").exists():
        people = str(photos / "people.csv")
    try:
        file = local_file("PEOPLE", people or IMAGES_CSV, "a CSV file: who sent each photo")
    except Problem as problem:
        if people or needed:
            raise
        print(f"Who sent the photos is not known here. {problem}")
        return {}
    with (
        file.open(encoding="utf-8-sig", errors="replace", newline="") as table,
        suppress(csv.Error),
    ):
        rows = list(csv.DictReader(table))
        for name, sender, label in TABLES:
            if rows and {name, sender} <= {*rows[0]}:
                return {
                    Path(row[name] or "").stem: Origin(row[sender], (row.get(label) or "").lower())
                    for row in rows
                }
    refuse(file, f"{file} is no table with the columns image and sender_id, or file and person.")


def photos_by_class(
    photos: str, parameter: str = "PHOTOS", classes: Sequence[str] = ()
) -> dict[str, dict[str, list[Path]]]:
    """Return the files of photos, by train or validation and by class.

    Parameters
    ----------
    photos
        A folder with train/ and validation/, or the path or URL of a zip archive with them.
    parameter
        What it is called.
    classes
        The classes, in their order; if there are none, the folders in train/ are.

    Raises
    ------
    Problem
        A class has no photos in one of the two, or a file is not a picture.
    """
    folder = photos_folder(photos, parameter)
    classes = classes or sorted(
        each.name
        for each in folder.glob("train/*")
        if each.is_dir() and not lies_about(each.relative_to(folder))
    )
    pictures, left_out = pictures_in(folder, "*/*/*")
    if left_out:
        print(left_out)
    found = {
        split: {
            name: [file for file in pictures if file.parent == folder / split / name]
            for name in classes
        }
        for split in ("train", "validation")
    }
    files = {f"{split}/{name}": each for split in found for name, each in found[split].items()}
    missing = [place for place, each in files.items() if not each]
    if missing or not classes:
        raise Problem(
            f"{parameter}={photos}: no photos in {', '.join(missing) or 'train/'}. Expected: folders "
            "train and validation, and in each of them a folder of photos (JPEG, PNG, WebP) for every "
            f"class{': ' if classes else ''}{', '.join(classes)}."
        )
    if broken := [file for each in files.values() for file in each if not _opens(file)]:
        names = ", ".join(file.relative_to(folder).as_posix() for file in broken)
        raise Problem(f"{parameter}={photos}: broken, or not pictures: {names}. Remove them.")
    return found


def _opens(photo: Path) -> bool:
    try:
        open_photo(photo)
    except ValueError:
        return False
    return True
