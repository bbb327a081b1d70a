"""A photo from the reader's disk: what the button takes, how it is kept, and who sees it."""

import io

import pytest
import walk
from picture_files import encoded, picture
from PIL import Image, ImageDraw
from test_photos import HEIC
from walk import own_photo

KEPT = own_photo.YOUR_PHOTO


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "generated").mkdir()


def landscape(width=400, height=300):
    """A green picture whose upper left corner is red."""
    image = Image.new("RGB", (width, height), "green")
    ImageDraw.Draw(image).rectangle([0, 0, width // 4, height // 4], fill="red")
    return image


def turned(image, quality=90):
    """The JPEG of a phone that was held upright: pixels on their side, and a note how to turn them."""
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, quality=quality)
    return file.getvalue()


def reddest_corner(image):
    """Which corner is red: as (right or not, lower or not)."""
    width, height = image.size
    corners = [(x, y) for x in (0, 1) for y in (0, 1)]
    return max(corners, key=lambda c: image.getpixel((c[0] * (width - 1), c[1] * (height - 1)))[0])


def test_a_turned_photo_is_kept_upright():
    own_photo.keep_photo("IMG_1.JPG", turned(landscape()))
    kept = Image.open(KEPT)
    assert (kept.size, kept.mode) == ((300, 400), "RGB") and reddest_corner(kept) == (1, 0)


def test_a_transparent_picture_is_kept_on_white():
    image = landscape().convert("RGBA")
    image.putalpha(0)
    own_photo.keep_photo("cut-out.png", encoded(image, "PNG"))
    assert Image.open(KEPT).getcolors() == [(400 * 300, (255, 255, 255))]


def test_a_photo_of_48_megapixels_is_kept_small_enough_for_a_request():
    own_photo.keep_photo("IMG_2.JPG", turned(landscape(8064, 6048)))
    kept = Image.open(KEPT)
    assert kept.size == (768, 1024) and reddest_corner(kept) == (1, 0)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("IMG_3.HEIC", HEIC, "IMG_3.HEIC is a HEIC photo, .* Save it as JPEG"),
        ("notes.txt", b"no picture", "notes.txt is not a picture, .* Choose a photo: JPEG"),
        ("empty.jpg", b"", "empty.jpg is empty. Choose another"),
        ("cut.jpg", turned(landscape())[:900], "cut.jpg is not a picture, or it is broken"),
    ],
    ids=["HEIC", "text", "empty", "broken"],
)
def test_what_is_no_photo_is_refused_in_a_sentence_and_the_last_one_stays(name, content, said):
    own_photo.keep_photo("good.png", encoded(picture(), "PNG"))
    before = KEPT.read_bytes()
    with pytest.raises(walk.Problem, match=said):
        own_photo.keep_photo(name, content)
    assert KEPT.read_bytes() == before and list(KEPT.parent.iterdir()) == [KEPT]


def test_both_forms_in_which_ipywidgets_hands_over_a_file_are_understood():
    today = ({"name": "a.jpg", "type": "image/jpeg", "content": memoryview(b"content")},)
    colab_s = {"a.jpg": {"metadata": {"name": "a.jpg"}, "content": b"content"}}  # ipywidgets 7
    for value in today, colab_s:
        assert own_photo._uploaded(value) == ("a.jpg", b"content")


def test_a_run_that_nobody_attends_sees_a_sentence_and_not_what_was_chosen_before():
    own_photo.keep_photo("good.png", encoded(picture(), "PNG"))
    assert "a button" in walk.photo_button(None).data
    assert walk.your_photo() == []
