"""Files of pictures as cameras, editors and strangers write them, with more in them than a picture.

All are made by code from a picture. `good` ones must be read as every viewer reads them; `bad` ones must
be refused, at once. picture_files.py has the ordinary ones, and corpus.py puts all to the function.
"""

import io
import struct
import zlib

from PIL import Image


def encoded(image, kind, **settings):
    """The bytes of a picture file."""
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def good(image, jpeg):
    """By name, a file and what is expected; `image` is the jeans, `jpeg` a JPEG of them."""
    scan = b"\xff\xda"
    files = {
        "JPEG with a film behind it": jpeg + b"\0\0\0\x18ftypmp42" + scan * 5000,
        "JPEG with a second picture behind it": jpeg
        + scans(encoded(image, "JPEG", progressive=True), 500),
        "JPEG of two frames": encoded(image, "MPO", save_all=True, append_images=[image] * 2),
        "JPEG with scans in a note": inserted(jpeg, segment(0xE4, scan * 30_000)),
        "JPEG with zeros before its end": jpeg[:-2] + bytes(1000) + jpeg[-2:],
        "JPEG whose marker is filled up": jpeg.replace(scan, b"\xff\xff" + scan, 1),
        "JPEG with a profile of 4 parts, one missing": inserted(
            jpeg,
            *(segment(0xE2, b"ICC_PROFILE\0" + bytes([n, 4]) + bytes(60_000)) for n in (1, 2, 4)),
        ),
    }
    for name, note in SHORT.items():
        files[f"JPEG with a short {name}"] = inserted(jpeg, note)
    cases = {name: (file, "like jeans") for name, file in files.items()}
    for name, chunk in ANCILLARY.items():
        cases[f"PNG with {name}"] = (with_chunks(image, chunk), "jeans")
    side = image.transpose(Image.Transpose.ROTATE_90)
    for name, tag in WRONG_TAGS.items():
        exif = tiff([(0x0112, 3, 1, struct.pack(">H", 6)), tag])
        cases |= {
            f"EXIF 6 and {name}, PNG": (encoded(side, "PNG", exif=exif), "jeans"),
            f"EXIF 6 and {name}, WebP": (encoded(side, "WEBP", exif=exif, lossless=True), "jeans"),
            f"EXIF 6 and {name}, JPEG": (encoded(side, "JPEG", exif=exif), "like jeans"),
        }
    turn = png_chunk(b"eXIf", tiff([(0x0112, 3, 1, struct.pack(">H", 6))])[6:])
    long_text = ANCILLARY["compressed text of 3 MB"]
    cases["EXIF 6 and text of 3 MB"] = (with_chunks(side, turn, long_text), "jeans")
    no_number = tiff([(0x0112, 2, 4, b"six\0")])
    cases["EXIF with a word for the number"] = (encoded(image, "PNG", exif=no_number), "jeans")
    cases["BMP with bit fields"] = (bit_fields(image), "jeans")
    return cases


def bad(image, jpeg):
    """By name, a file and the error that is expected."""
    palette = image.quantize(256)
    animated = encoded(image, "MPO", save_all=True, append_images=[image])
    at = animated.index(b"\xff\xe2")
    mpf = animated[at : at + 2 + int.from_bytes(animated[at + 2 : at + 4])]
    hidden = scans(encoded(image, "JPEG", progressive=True), 400)
    return {
        "PNG with 257 kinds of transparency": (
            with_chunks(palette, png_chunk(b"tRNS", bytes([7]) * 257)),
            "BrokenPicture",
        ),
        "JPEG of 400 scans that says it has two frames": (inserted(hidden, mpf), "PictureTooLarge"),
        "JPEG of 400 scans behind a marker without a length": (
            hidden.replace(b"\xff\xda", b"\xff\x01\xff\xfe\xff\xda", 1),
            {"PictureTooLarge", "BrokenPicture"},
        ),
        "JPEG of 20,000 comments": (
            inserted(jpeg, segment(0xFE, b"") * 20_000),
            "PictureTooLarge",
        ),
        "GIF of 65,535 x 65,535 that is cleared": (cleared_gif(65_535), "PictureTooLarge"),
        "WebP with room for 16,383 x 16,383": (empty_webp(16_383), "PictureTooLarge"),
    }


def scans(content, count):
    """A JPEG with its last scan repeated: a little longer, much slower to decode."""
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * count + b"\xff\xd9"


def segment(kind, content):
    """A part of a JPEG that has a length."""
    return bytes([0xFF, kind]) + struct.pack(">H", 2 + len(content)) + content


def inserted(jpeg, *segments):
    """The same JPEG with these at its beginning."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


# What Pillow reads of a JPEG beside the picture, ended too soon.
SHORT = {
    "JFIF note": segment(0xE0, b"JFIF\0\1"),
    "EXIF note": segment(0xE1, b"Exif\0\0II"),
    "colour profile": segment(0xE2, b"ICC_PROFILE\0"),
    "list of frames": segment(0xE2, b"MPF\0ab"),
    "Photoshop note": segment(0xED, b"Photoshop 3.0\x008BIM"),
    "Adobe note": segment(0xEE, b"Adobe"),
    "comment": b"\xff\xfe\0\0",
}


def png_chunk(kind, content, checksum=None):
    """A chunk of a PNG, with the right checksum if no other is given."""
    checksum = zlib.crc32(kind + content) if checksum is None else checksum
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def with_chunks(image, *chunks):
    """A PNG with these before its pixels."""
    png = encoded(image, "PNG")
    at = png.index(b"IDAT") - 4
    return png[:at] + b"".join(chunks) + png[at:]


LONG = zlib.compress(bytes(3_000_000))
ANCILLARY = {
    "text and a wrong checksum": png_chunk(b"tEXt", b"a\0b", checksum=1),
    "compressed text of 3 MB": png_chunk(b"zTXt", b"a\0\0" + LONG),
    "XMP of 3 MB": png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LONG),
    "text compressed in an unknown way": png_chunk(b"zTXt", b"a\0\7abc"),
    "a colour profile of 3 MB": png_chunk(b"iCCP", b"a\0\0" + LONG),
    "100 texts of 1 MB": png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000))) * 100,
    "transparency and a wrong checksum": png_chunk(b"tRNS", bytes(6), checksum=1),
    "EXIF that is none": png_chunk(b"eXIf", b"no EXIF at all"),
    "a frame of an animation that is none": png_chunk(b"fcTL", bytes([97]) * 26),
} | {
    f"a short {name.decode()}": png_chunk(name, b"a")
    for name in (b"gAMA", b"cHRM", b"pHYs", b"sRGB", b"iCCP", b"tRNS", b"acTL", b"fcTL", b"eXIf")
}

# Tags of EXIF that are not what they should be: number, type, count, value.
WRONG_TAGS = {
    "a fraction by zero": (0x011A, 5, 1, bytes(8)),
    "a negative fraction": (0x011A, 10, 1, struct.pack(">ll", -5, 1)),
    "text for a number": (0x011A, 2, 5, b"abcd\0"),
    "bytes for a number": (0x011A, 7, 9, b"x" * 9),
    "infinity": (0x011A, 12, 1, struct.pack(">d", float("inf"))),
    "two resolutions": (0x011B, 5, 2, bytes(16)),
    "text for a place": (0x8825, 2, 10, b"somewhere\0"),
    "a table that is not there": (0x8769, 4, 1, b"\xff\xff\xff\xff"),
    "a type that does not exist": (0x011A, 77, 1, b"abcd"),
}


def tiff(tags):
    """EXIF data: a table of tags, and behind it the values that do not fit in."""
    tags = sorted(tags)
    table, values = struct.pack(">H", len(tags)), b""
    start = 8 + 2 + 12 * len(tags) + 4
    for number, kind, count, value in tags:
        place = struct.pack(">L", start + len(values)) if len(value) > 4 else value.ljust(4, b"\0")
        values += value if len(value) > 4 else b""
        table += struct.pack(">HHL", number, kind, count) + place
    return b"Exif\0\0MM\0*" + struct.pack(">L", 8) + table + bytes(4) + values


def bit_fields(image):
    """A BMP that says where in each pixel its colours are; nothing in it is compressed."""
    image = image.convert("RGBA").transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    pixels, (width, height) = image.tobytes("raw", "BGRA"), image.size
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 32, 3, len(pixels), 0, 0, 0, 0)
    header += struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
    start = 14 + len(header)
    return struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start) + header + pixels


def cleared_gif(size):
    """A GIF of one large frame, after which all of it is to be cleared."""
    control = b"!\xf9\4\x08\0\0\0\0"
    frame = b"," + struct.pack("<HHHHB", 0, 0, size, size, 0) + b"\2\2D\1\0"
    return (
        b"GIF89a" + struct.pack("<HH", size, size) + b"\x80\0\0" + bytes(6) + control + frame + b";"
    )


def empty_webp(size):
    """The beginning of an animated WebP, without a frame."""
    side = struct.pack("<I", size - 1)[:3]
    parts = b"VP8X" + struct.pack("<II", 10, 2) + 2 * side
    parts += b"ANIM" + struct.pack("<I", 6) + bytes(6)
    return b"RIFF" + struct.pack("<I", 4 + len(parts)) + b"WEBP" + parts
