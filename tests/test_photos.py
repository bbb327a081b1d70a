"""Folders of photos as people have them: what is taken, what is left out, and what is said of that."""

import io
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import walk
from commands import score_photos
from measure import plan
from picture_files import JEANS, bomb, encoded, picture, scans
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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Pillow's, of its oldest kinds
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


# --- lesson 1's IMAGE ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["AVIF", "TIFF", "JPEG2000", "ICO", "PPM", "TGA"])
def test_a_picture_that_the_function_does_not_take_becomes_one_that_it_takes(
    function, tmp_path, monkeypatch, kind
):
    monkeypatch.chdir(tmp_path)
    Path("generated").mkdir()
    content = encoded(picture(), kind)
    Path("mine.x").write_bytes(content)
    copy = walk.picture_file("mine.x")
    assert copy == Path("generated/mine.png")
    assert np.array_equal(Image.open(copy), Image.open(io.BytesIO(content)).convert("RGB"))
    function.prepare(copy.read_bytes())


@pytest.mark.parametrize("what", ["48 megapixels", "many bytes", "many scans"])
def test_one_that_is_too_large_becomes_smaller(function, tmp_path, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    Path("generated").mkdir()
    large = picture().resize((8000, 6000)) if what == "48 megapixels" else picture()
    content = scans(150) if what == "many scans" else encoded(large, "JPEG")
    if what == "many bytes":  # what follows a picture is no part of it
        content += bytes(4_000_000)
    Path("IMG 1.jpg").write_bytes(content)
    copy = walk.picture_file("IMG 1.jpg")
    seen = Image.open(copy)
    width, height = large.size
    assert max(seen.size) <= 1024 and abs(seen.width / seen.height - width / height) < 0.01
    assert copy.stat().st_size < 4_000_000
    assert np.abs(np.asarray(seen.resize((32, 32)), int) - picture().resize((32, 32))).mean() < 6
    function.prepare(copy.read_bytes())


def test_the_largest_that_stays_as_it_is_is_one_that_the_function_takes(function):
    function.prepare(encoded(Image.new("RGB", (5000, 5000)), "PNG"))
    assert walk.inputs.MOST_PIXELS == 5000 * 5000
    assert walk.inputs.MOST_SCANS <= sys.modules["guards"].PICTURE_SCANS


def test_heic_and_too_many_pixels_are_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("IMG_1.jpg").write_bytes(HEIC)
    with pytest.raises(walk.Problem, match="IMAGE=IMG_1.jpg is a HEIC photo.*Save it as JPEG"):
        walk.picture_file("IMG_1.jpg")
    Path("huge.png").write_bytes(bomb())
    with pytest.raises(walk.Problem, match=r"IMAGE=huge.png has too many pixels \(178,000,000"):
        walk.picture_file("huge.png")
