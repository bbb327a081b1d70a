"""What the page sends of a picture: the file as it is, or what the browser makes of it, or advice."""

import base64
import io

import numpy as np
import picture_files
import pytest
from browser import choose, expect_answer, expect_error
from picture_files import JEANS
from PIL import Image, ImageDraw
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("serve")


KEEP_WHAT_IS_SENT = """() => {
    const send = window.fetch;
    window.fetch = (url, options) => { window.sent = options.body; return send(url, options); };
}"""


AS_BASE64 = """() => new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1]);
    reader.readAsDataURL(window.sent);
})"""


def photo(width, height, **settings):
    """The content of a photo of noise, with a red stripe at its upper edge."""
    image = Image.effect_noise((width, height), 90).convert("RGB")
    ImageDraw.Draw(image).rectangle((0, 0, width, height // 10), "red")
    file = io.BytesIO()
    image.save(file, "JPEG", **settings)
    return file.getvalue()


def test_a_large_photo_is_shrunk_and_stays_upright(page):
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me by 90 degrees, clockwise"
    content = photo(2600, 1950, quality=95, exif=exif)
    assert len(content) > 4_500_000  # more than Lambda takes
    page.evaluate(KEEP_WHAT_IS_SENT)
    choose(page, ("photo.jpg", "image/jpeg", content))
    expect(page.locator("#answers tr.best")).to_have_count(1)
    picture = sent_picture(page)
    assert picture.size == (1500, 2000)
    red, green, _ = picture.getpixel((1450, 1000))  # the stripe is at the right edge now
    assert red > 200 and green < 60


def sent_picture(page):
    """The picture that the page sent, opened."""
    return Image.open(io.BytesIO(base64.b64decode(page.evaluate(AS_BASE64))))


def test_a_picture_of_many_pixels_is_shrunk_however_few_bytes_it_has(page):
    image = picture_files.picture().resize((4000, 3000))
    content = picture_files.encoded(image, "JPEG")
    assert len(content) < 4_000_000
    page.evaluate(KEEP_WHAT_IS_SENT)
    choose(page, ("photo.jpg", "image/jpeg", content))
    expect_answer(page, "pants")
    sent = sent_picture(page)
    assert (sent.format, sent.size) == ("JPEG", (2000, 1500))
    # nothing was left out in between: the mean of each part stays
    small = [np.asarray(each.convert("RGB").reduce(each.width // 20)) for each in (sent, image)]
    assert np.abs(small[0][:15, :20].astype(int) - small[1][:15, :20]).mean() < 3


def test_a_picture_whose_pixels_are_hard_to_compress_is_shrunk_further(page):
    page.evaluate(KEEP_WHAT_IS_SENT)
    page.evaluate(
        "() => { HTMLCanvasElement.prototype.toBlob = function (done, type) {"
        " window.sizes = [...window.sizes ?? [], this.width];"
        " done(new Blob([new Uint8Array(this.width > 1000 ? 5e6 : 5)], { type })); } }"
    )
    large = picture_files.encoded(picture_files.picture().resize((2600, 1950)), "PNG")
    choose(page, ("photo.png", "image/png", large))
    expect_error(page, "take a JPEG, PNG or WebP")  # five zeros are none
    assert page.evaluate("window.sizes") == [2000, 1333, 889]


@pytest.mark.parametrize("kind", ["AVIF", "GIF", "BMP", "ICO"])
def test_what_the_browser_opens_is_sent_as_jpeg_whatever_its_name(page, kind):
    page.evaluate(KEEP_WHAT_IS_SENT)
    choose(
        page, ("picture.jpg", "image/jpeg", picture_files.encoded(picture_files.picture(), kind))
    )
    expect_answer(page, "pants")
    assert sent_picture(page).format == "JPEG"


def test_a_picture_without_a_type_is_sent_as_what_it_is(page):
    with page.expect_request(lambda request: request.method == "POST") as sent:
        choose(page, ("jeans", "", JEANS))
    assert sent.value.headers["content-type"] == "image/png"
    expect_answer(page, "pants")


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (("letter.txt", "text/plain", b"no picture"), "take a JPEG, PNG or WebP"),
        (("fake.png", "image/png", b"no picture"), "take a JPEG, PNG or WebP"),
        (("half.png", "image/png", JEANS[:5000]), "If it opens in another program, save it anew"),
        (("bomb.png", "image/png", None), "The picture is too large: make it smaller"),
        (("empty.jpg", "image/jpeg", b""), "This file is empty: choose another one"),
        (("IMG_1.HEIC", "", HEIC), "This is a HEIC photo, as iPhones take them, and this browser"),
        (
            ("IMG_1.jpg", "image/jpeg", HEIC),
            "save it, or a picture of it, as JPEG, and choose that",
        ),
        (("a.mp4", "video/mp4", b"\0\0\0\x18ftypmp42" + bytes(50)), "This is a video, and this"),
        (("a.pdf", "application/pdf", b"%PDF-1.4 "), "This is a PDF, and this browser cannot"),
        (
            ("a.tif", "", picture_files.encoded(picture_files.picture(), "TIFF")),
            "This is a TIFF picture",
        ),
    ],
    ids=lambda given: given[0] if isinstance(given, tuple) else "",
)
def test_a_picture_that_gets_no_answer_gets_advice(page, file, words):
    if file[2] is None:
        file = (*file[:2], picture_files.bomb())
    choose(page, file)
    expect_error(page, words)
