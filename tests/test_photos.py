"""Folders of photos as people have them: what is taken, what is left out, and what is said of that."""

import io
import shutil
import zipfile
from pathlib import Path

import pytest
import walk
from commands import score_photos
from corpus import JEANS, encoded, picture
from measure import plan
from PIL import Image

HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200)
WRITTEN = {  # what people have, by name: the function takes it
    "a.jpg": "JPEG",
    "b.JPEG": "JPEG",
    "c.jfif": "JPEG",
    "d.jpe": "JPEG",
    "e.Png": "PNG",
    "f.webp": "WEBP",
    "g.gif": "GIF",
    "h.bmp": "BMP",
    "without an ending": "JPEG",
    "i.txt": "PNG",
    "j.tif": "JPEG",
}
SYSTEMS = ["._a.jpg", ".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX/._a.jpg", "@eaDir/a.jpg"]
SYSTEMS += [".ipynb_checkpoints/a.jpg"]


def fill(folder: Path) -> None:
    """Put into a folder what the function takes, what it does not, and what systems leave."""
    folder.mkdir(parents=True)
    for name, kind in WRITTEN.items():
        (folder / name).write_bytes(encoded(picture(), kind))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "notes.csv").write_text("a,b")
    (folder / "IMG_1.HEIC").write_bytes(HEIC)
    (folder / "renamed.jpg").write_bytes(HEIC)
    (folder / "scan.tiff").write_bytes(encoded(picture(), "TIFF"))
    (folder / "new.avif").write_bytes(encoded(picture(), "AVIF"))
    for name in SYSTEMS:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(JEANS)


TAKEN = sorted([*WRITTEN, "broken.jpg"])
LEFT_OUT = (
    "Left out: 2 HEIC, 1 TIFF, 1 AVIF: the function does not take these, save them as JPEG; no "
    "pictures: 1 .csv; of the system's own: 7."
)


def test_what_the_function_takes_is_found_by_what_is_in_it_and_the_rest_is_counted(tmp_path):
    fill(tmp_path / "photos")
    found, left_out = walk.pictures_in(tmp_path / "photos")
    assert [file.name for file in found] == TAKEN
    assert left_out.replace("1 AVIF, 1 TIFF", "1 TIFF, 1 AVIF") == LEFT_OUT


def test_these_kinds_are_those_that_the_function_takes(function):
    for kind in Image.SAVE:
        try:
            content = encoded(picture(), kind)
            Image.open(io.BytesIO(content))
        except Exception:  # Pillow only writes it, or has no such library here
            continue
        if kind in walk.kinds.TAKEN + ["MPO"]:
            function.prepare(content)
        else:
            with pytest.raises(function.UnsupportedPicture):
                function.prepare(content)


def test_make_catalogue_takes_them_and_says_once_what_it_left_out(tmp_path):
    fill(tmp_path / "photos")
    photos, left_out = score_photos.photos_in(tmp_path / "photos")
    assert list(photos) == TAKEN and left_out.startswith("Left out: 2 HEIC")
    (tmp_path / "others").mkdir()
    shutil.copy(tmp_path / "photos/IMG_1.HEIC", tmp_path / "others")
    with pytest.raises(walk.Problem, match=r"no picture in it. Left out: 1 HEIC: the function"):
        score_photos.photos_in(tmp_path / "others")


def test_so_do_the_homework_and_the_measurements(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for split in "train", "validation":
        fill(tmp_path / "photos" / split / "cup")
        (tmp_path / "photos" / split / "cup/broken.jpg").unlink()
    (tmp_path / "photos/train/.ipynb_checkpoints").mkdir()
    found = walk.photos_by_class("photos")
    assert {split: list(found[split]) for split in found} == {
        "train": ["cup"],
        "validation": ["cup"],
    }
    assert [file.name for file in found["validation"]["cup"]] == sorted(WRITTEN)
    assert capsys.readouterr().out.count("Left out: 4 HEIC") == 1
    measured = plan._photos("photos", ["cup"])
    assert len(measured) == len(WRITTEN)


def test_what_macos_puts_into_an_archive_is_not_taken_for_the_photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("photos.zip", "w") as archive:
        for split in "train", "validation":
            archive.writestr(f"__MACOSX/photos/{split}/cup/._1.png", b"\x00\x05\x16\x07")
            archive.writestr(f"photos/{split}/cup/1.png", JEANS)
    found = walk.photos_by_class("photos.zip")
    assert [file.name for file in found["train"]["cup"]] == ["1.png"]


def test_an_archive_with_a_password_gets_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("photos.zip", "w") as archive:
        archive.writestr("photos/train/cup/1.png", JEANS)
    content = bytearray(Path("photos.zip").read_bytes())
    content[6] |= 1  # "encrypted", where the file begins
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # and in the list of all files
    Path("photos.zip").write_bytes(content)
    with pytest.raises(walk.Problem, match="Unpack it yourself, and give the folder as DATASET"):
        walk.photos_folder("photos.zip")
