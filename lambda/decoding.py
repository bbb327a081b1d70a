"""From the bytes of a picture's file to its pixels, whatever else is in the file.

Written by hand, unlike its neighbours. A file holds more than a picture: notes of the camera, texts,
colour profiles, a film. Pillow reads all of that and fails where it is wrong, though every viewer shows
the picture. So what is no part of the pixels is taken away before Pillow sees the file. How large a
picture may be is not known here: guards.py decides that.
"""

import re
from contextlib import suppress
from io import BytesIO

from PIL import Image

# What begins a part of a JPEG: 0xFF and its kind. Within the data of a scan, 0xFF is
# followed by a zero, or by the number of a restart, 0xD0 to 0xD7; these and 0x01 have no length.
MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]", re.DOTALL)
END_OF_IMAGE, START_OF_SCAN = 0xD9, 0xDA
PARTS = 10_000  # cameras write a hundred; millions of empty ones take long to walk along
COMMENTS = {*range(0xE0, 0xF0), 0xFE}  # what applications and people note
# Which of these have to do with the pixels, and from how many bytes on they are whole: two say what the
# colours are, two how the camera was held.
NOTES = {
    (0xE0, b"JFIF\0"): 16,
    (0xEE, b"Adobe"): 14,
    (0xE1, b"Exif\0"): 8,
    (0xE1, b"http:"): 31,  # XMP, by the beginning of its name
}

# The chunks of a PNG that every reader must know begin with a capital letter. Of the others, these have
# to do with the pixels: what is transparent, and how the camera was held.
CHUNKS = re.compile(rb"tRNS|eXIf|(?:iTXt|zTXt|tEXt)(?:XML:com.adobe.xmp|Raw profile type exif)\0")

ORIENTATION = 0x0112  # EXIF's number for how the camera was held
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def bare(picture: bytes) -> tuple[bytes, int]:
    """Return a picture's file without what is no part of its pixels, and how many scans it has.

    Of a JPEG only the first picture is left, without the second frame or the film that phones add;
    of a PNG, the first picture of an animation. Files of other formats stay as they are, and their
    scans are 0. What is broken stays broken: finding that is the decoder's job.

    Raises
    ------
    PIL.Image.DecompressionBombError
        A JPEG has more parts than any camera writes.
    """
    if picture.startswith(b"\xff\xd8\xff"):
        return _bare_jpeg(picture)
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return _bare_png(picture), 0
    return picture, 0


def plain(image: Image.Image) -> Image.Image:
    """Return the picture upright, in RGB with 8 bits a channel, with what is transparent in white."""
    image.load()
    image = _upright(image)
    if image.mode.startswith("I"):  # 16 bits, of which the upper 8 are kept
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _upright(image: Image.Image) -> Image.Image:
    turn = None
    with suppress(Exception):  # what cannot be read says nothing; nothing is allocated here
        turn = TURNS.get(image.getexif().get(ORIENTATION))
    return image if turn is None else image.transpose(turn)


def _bare_jpeg(picture: bytes) -> tuple[bytes, int]:
    """Walk along the markers, as libjpeg does, to the end of the first picture."""
    kept, kind, scans, at = bytearray(b"\xff\xd8"), None, 0, 2
    for _ in range(PARTS):
        if not (found := MARKER.search(picture, at)):
            return bytes(kept + picture[at:]), scans
        if kind == START_OF_SCAN:  # its data; what lies between other parts means nothing
            kept += picture[at : found.start()]
        at, kind = found.end(), found[0][1]
        if kind == END_OF_IMAGE:
            return bytes(kept + found[0]), scans
        part = picture[at : at + max(2, int.from_bytes(picture[at : at + 2]))]
        if kind not in COMMENTS or len(part) >= NOTES.get((kind, part[2:7]), float("inf")):
            kept += found[0] + part
        scans += kind == START_OF_SCAN
        at += len(part)
    raise Image.DecompressionBombError(f"a JPEG of {PARTS} parts or more")


def _bare_png(picture: bytes) -> bytes:
    """Walk along the chunks; of those that may be wrong, only what Pillow can read is left."""
    header, kept, notes, at = picture[:33], bytearray(), {}, 33
    while (kind := picture[at + 4 : at + 8]).isalpha():
        chunk = picture[at : at + 12 + int.from_bytes(picture[at : at + 4])]
        if kind[:1].isupper():
            kept += chunk
        elif found := CHUNKS.match(chunk, 4):
            notes[found[0]] = chunk
        at += len(chunk)
    readable = [note for note in notes.values() if _opens(header + note + b"\0\0\0\0IDAT")]
    return header + b"".join(readable) + kept + picture[at:]


def _opens(png: bytes) -> bool:
    with suppress(Exception), Image.open(BytesIO(png), formats=["PNG"]):
        return True
    return False
