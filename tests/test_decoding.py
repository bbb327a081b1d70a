"""From files to pixels: what is taken away changes no pixel, and whatever a decoder raises has a name."""

import io
import sys
import time

import pytest
import strange_pictures
import walk
from contract import answer_and_peak, load
from corpus import image_event
from picture_files import JEANS, encoded, picture, turned
from PIL import Image, ImageChops, ImageOps, PngImagePlugin

pytestmark = pytest.mark.xdist_group("contract")

SETTINGS = {
    "JPEG": [{}, {"progressive": True}, {"optimize": True, "subsampling": 0, "dpi": (72, 72)}],
    "PNG": [{}, {"compress_level": 0}],
    "WEBP": [{"lossless": True}],
    "GIF": [{}],
    "BMP": [{}],
}


def opened(content):
    return Image.open(io.BytesIO(content))


@pytest.fixture(scope="module")
def decoding(function):
    return sys.modules["decoding"]


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_sees_what_pillow_sees_upright(decoding, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    for settings in SETTINGS[kind]:
        for mode in "RGB", "L", "P" if kind in ("PNG", "GIF") else "RGB":
            image = picture().crop((0, 0, 200, 120)).convert(mode)
            file = encoded(image, kind, exif=exif, **settings)
            bare, _ = decoding.bare(file)
            seen = decoding.plain(opened(bare))
            wanted = ImageOps.exif_transpose(opened(file)).convert("RGB")
            assert (
                ImageChops.difference(seen, wanted).getbbox() is None and seen.size == wanted.size
            )


def test_orientation_is_read_from_xmp_and_imagemagicks_text_too(decoding):
    side = picture().crop((0, 0, 200, 120))
    xmp = '<x tiff:Orientation="6"/>'
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = "\nexif\n      0\n" + exif.tobytes().hex()
    for key, text in {"XML:com.adobe.xmp": xmp, "Raw profile type exif": profile}.items():
        for compressed in True, False:
            info = PngImagePlugin.PngInfo()
            if key.startswith("XML"):
                info.add_itxt(key, text, zip=compressed)
            else:
                info.add_text(key, text, zip=compressed)
            bare, _ = decoding.bare(encoded(side, "PNG", pnginfo=info))
            assert decoding.plain(opened(bare)).size == (120, 200), (key, compressed)
    bare, _ = decoding.bare(encoded(side, "JPEG", xmp=xmp.encode()))
    assert decoding.plain(opened(bare)).size == (120, 200)


def test_scans_are_those_of_the_first_picture(decoding):
    image = picture()
    progressive = encoded(image, "JPEG", progressive=True)
    assert decoding.bare(encoded(image, "JPEG"))[1] == 1
    assert decoding.bare(progressive)[1] == 10
    assert decoding.bare(progressive + progressive)[1] == 10
    assert decoding.bare(strange_pictures.scans(progressive, 50))[1] == 59
    assert decoding.bare(JEANS)[1] == 0


@pytest.mark.parametrize("error", [ValueError, OverflowError, ZeroDivisionError, RuntimeError])
@pytest.mark.parametrize("step", ["load", "convert", "transpose", "getexif"])
def test_whatever_a_decoder_raises_is_a_broken_picture(function, monkeypatch, step, error):
    def fail(*args, **kwargs):
        raise error("something inside")

    photo = turned(6)
    monkeypatch.setattr(Image.Image, step, fail)
    if step == "getexif":  # of the pixels it says nothing
        assert function.prepare(photo).shape[0] == 1
        return
    with pytest.raises(function.BrokenPicture, match="^the picture is broken$"):
        function.prepare(photo)


def test_that_memory_runs_out_is_no_fault_of_the_picture(function, monkeypatch):
    def fail(*args):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "convert", fail)
    with pytest.raises(MemoryError):
        function.prepare(JEANS)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_photo_of_48_megapixels_is_scored_within_the_memory_and_the_timeout(walked, progressive):
    """In a process of its own."""
    large = picture().resize((8000, 6000))
    jpeg = encoded(large, "JPEG", quality=80, progressive=progressive)
    answer, peak = answer_and_peak(walked, image_event(jpeg))
    assert max(answer, key=answer.get) == "pants"
    assert peak < 512


def test_of_photos_that_are_halved_fewer_scans_and_pixels_are_taken(function):
    guards = sys.modules["guards"]
    photo = Image.new("RGB", (12, 10))
    once, often = encoded(photo, "JPEG"), encoded(photo, "JPEG", progressive=True)

    def limits(pixels, scans=100):
        guards.PICTURE_PIXELS, guards.PICTURE_SCANS = pixels, scans

    before = guards.PICTURE_PIXELS, guards.PICTURE_SCANS
    try:
        limits(30)
        assert guards.open_picture(once).size == (6, 5)
        with pytest.raises(function.PictureTooLarge, match="more than 60 pixels"):
            guards.open_picture(often)
        with pytest.raises(function.PictureTooLarge, match="more than 30 pixels"):
            guards.open_picture(encoded(photo, "PNG"))
        limits(60, scans=19)
        with pytest.raises(function.PictureTooLarge, match="more than 9 scans"):
            guards.open_picture(often)
        limits(120)
        assert guards.open_picture(once).size == (12, 10)
    finally:
        limits(*before)


def test_what_costs_seconds_is_refused_before_it_does(walked):
    """Empty parts without end, in files of 20 MB."""
    guards = load(walked) and sys.modules["guards"]
    guards.PICTURE_BYTES = 20_000_000
    jpeg = encoded(picture(), "JPEG")
    files = [strange_pictures.inserted(jpeg, b"\xff\xfe\0\2" * 4_900_000)]
    files += [strange_pictures.inserted(jpeg, b"\xff" * 19_000_000)]
    began = time.monotonic()
    for file in files:
        try:
            guards.prepare(file)
        except guards.RequestError:
            pass
    assert time.monotonic() - began < 10, "the timeout is 20 s"


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "generated").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


STRANGE = strange_pictures.good(picture(), encoded(picture(), "JPEG", quality=95))


def test_the_lessons_read_what_the_function_reads(place, function):
    for name, (content, _) in STRANGE.items():
        (place / "photo").write_bytes(content)
        seen = walk.open_photo(place / "photo")
        with Image.open(walk.picture_file("photo")) as file:
            same = ImageChops.difference(file.convert("RGB"), seen)
        assert same.getbbox() is None, name


def test_what_is_broken_is_one_kind_of_error(place):
    bad = strange_pictures.bad(picture(), encoded(picture(), "JPEG"))
    broken, _ = bad["PNG with 257 kinds of transparency"]
    for content in broken, b"", b"no picture", JEANS[:9000], JEANS[:10]:
        (place / "photo.png").write_bytes(content)
        with pytest.raises(ValueError, match="is not a picture, or it is broken"):
            walk.open_photo(place / "photo.png")
        with pytest.raises(walk.Problem, match="is not a picture, or it is broken"):
            walk.picture_file("photo.png")
