"""The jeans in files of every kind that people send, and files that are none.

What is expected of each is the name of a picture whose scores come back, or the name of an error, or a
set of both where a decoder may decide either way. strange_pictures.py has those that hold more than a
picture.
"""

import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import strange_pictures
from PIL import Image
from strange_pictures import encoded

ASSETS = Path(__file__).parent.parent / "notebooks" / "assets"
JEANS = (ASSETS / "jeans.png").read_bytes()


def picture():
    """The jeans, RGB."""
    return Image.open(ASSETS / "jeans.png").convert("RGB")


def turned(orientation):
    """The jeans as a camera saves them that was held in this way: turned, and a note in the EXIF."""
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
    back |= {8: Image.Transpose.ROTATE_270, 2: Image.Transpose.FLIP_LEFT_RIGHT}
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture().transpose(back[orientation]), "PNG", exif=exif)


def transparent(mode):
    """The jeans with their white made transparent; what lies under it is black."""
    image = picture()
    mask = image.convert("L").point(lambda value: 0 if value > 250 else 255)
    image = Image.composite(image, Image.new("RGB", image.size), mask)
    image.putalpha(mask)
    return encoded(image.convert(mode), "PNG")


def on_white(mode):
    """What a transparent picture shows: the jeans, their background all white."""
    image = picture()
    mask = image.convert("L").point(lambda value: 0 if value > 250 else 255)
    image = Image.composite(image, Image.new("RGB", image.size, "white"), mask)
    return encoded(image.convert(mode).convert("RGB"), "PNG")


def scans(count):
    """The jeans as a progressive JPEG of so many scans more."""
    return strange_pictures.scans(encoded(picture(), "JPEG", progressive=True), count)


def compressed_bmp():
    """A BMP whose rows are run-length encoded."""
    palette, rows = bytes(1024), b"\x08\x01\x00\x00" * 8 + b"\x00\x01"
    header = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 8, 1, len(rows), 0, 0, 256, 0)
    start = 14 + len(header) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start) + header + palette + rows


@cache
def bomb():
    """A PNG of 20,000 x 20,000 pixels in a few kilobytes, written by hand to save memory."""

    def chunk(kind, content):
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    size = 20_000
    header = struct.pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((size // 8 + 1) * size))
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def animation(kind):
    """The jeans first, then a black picture."""
    image = picture()
    black = Image.new("RGB", image.size)
    return encoded(image, kind, save_all=True, append_images=[black], duration=100)


def corrupted(content, every=97):
    """The same file with a byte changed here and there, its first 64 left alone."""
    wrong = bytearray(content)
    for position in range(64, len(wrong), every):
        wrong[position] ^= 0x55
    return bytes(wrong)


def all_files():
    """By name, the content of a file and what is expected."""
    image, grey = picture(), picture().convert("L")
    jpeg, webp = encoded(image, "JPEG", quality=95), encoded(image, "WEBP", lossless=True)
    sixteen = Image.fromarray(np.asarray(grey).astype("uint16") * 257)
    good = {
        "PNG": (JEANS, "jeans"),
        "JPEG": (jpeg, "like jeans"),
        "progressive JPEG": (encoded(image, "JPEG", quality=95, progressive=True), "like jeans"),
        "lossless WebP": (webp, "jeans"),
        "lossy WebP": (encoded(image, "WEBP", quality=90), "like jeans"),
        "GIF": (encoded(image, "GIF"), "like jeans"),
        "BMP": (encoded(image, "BMP"), "jeans"),
        "palette PNG": (encoded(image.quantize(256), "PNG"), "like jeans"),
        "grey PNG": (encoded(grey, "PNG"), "grey jeans"),
        "grey JPEG": (encoded(grey, "JPEG", quality=100), "scores"),
        "black and white PNG": (encoded(image.convert("1"), "PNG"), "scores"),
        "16-bit PNG": (encoded(sixteen, "PNG"), "grey jeans"),
        "CMYK JPEG": (encoded(image.convert("CMYK"), "JPEG", quality=95), "like jeans"),
        "transparent PNG": (transparent("RGBA"), "jeans on white"),
        "transparent grey PNG": (transparent("LA"), "grey jeans on white"),
        "transparent palette PNG": (transparent("P"), "scores"),
        "EXIF 2, mirrored": (turned(2), "jeans"),
        "EXIF 3, upside down": (turned(3), "jeans"),
        "EXIF 6, on its side": (turned(6), "jeans"),
        "EXIF 8, on the other side": (turned(8), "jeans"),
        "animated GIF": (animation("GIF"), "like jeans"),
        "animated WebP": (animation("WEBP"), "like jeans"),
        "1 x 1": (encoded(Image.new("RGB", (1, 1)), "PNG"), "scores"),
        "12 megapixels": (encoded(image.resize((4000, 3000)), "JPEG", quality=80), "scores"),
    }
    bad = {
        "empty": (b"", "BrokenPicture"),
        "truncated PNG": (JEANS[:9000], "BrokenPicture"),
        "truncated JPEG": (jpeg[: len(jpeg) // 2], "BrokenPicture"),
        "truncated WebP": (webp[: len(webp) // 2], "BrokenPicture"),
        "first bytes of a PNG": (JEANS[:10], "BrokenPicture"),
        "first bytes of a JPEG": (jpeg[:10], "BrokenPicture"),
        "corrupted PNG": (corrupted(JEANS), "BrokenPicture"),
        "corrupted JPEG": (corrupted(jpeg), {"scores", "BrokenPicture"}),
        "corrupted WebP": (corrupted(webp), {"scores", "BrokenPicture"}),
        "HTML": (b"<!doctype html><title>404</title>", "UnsupportedPicture"),
        "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "UnsupportedPicture"),
        "TIFF": (encoded(image, "TIFF"), "UnsupportedPicture"),
        "ICO": (encoded(image, "ICO"), "UnsupportedPicture"),
        "PDF": (encoded(image, "PDF"), "UnsupportedPicture"),
        "text": (b"no picture at all", "UnsupportedPicture"),
        "text that begins like BMP": (b"BM is no picture", "UnsupportedPicture"),
        "sound": (b"RIFF\x24\x00\x00\x00WAVEfmt ", "UnsupportedPicture"),
        "compressed BMP": (compressed_bmp(), "UnsupportedPicture"),
        "JPEG of 500 scans": (scans(500), "PictureTooLarge"),
        "zeros": (bytes(1000), "UnsupportedPicture"),
        "bomb of 20,000 x 20,000 pixels": (bomb(), "PictureTooLarge"),
        "more bytes than allowed": (JEANS + bytes(2_000_001), "PictureTooLarge"),
    }
    return good | bad | strange_pictures.good(image, jpeg) | strange_pictures.bad(image, jpeg)
