# Made from notebooks/06-strangers.ipynb: change that and export it again, do not edit this.

import ipaddress
import os
import re
import time
import warnings
from io import BytesIO
from urllib.parse import SplitResult, urljoin

import decoding
import transport
from lambda_function import preprocessor
from PIL import Image, UnidentifiedImageError


class RequestError(Exception):
    """A request that gets no scores, and why: callers are told this name and the message."""


class PictureTooLarge(RequestError):
    """It would take too much memory, or too long."""


class UnsupportedPicture(RequestError):
    """It is of a format that the function does not take."""


class BrokenPicture(RequestError):
    """It cannot be decoded."""


# bytes of a picture: a large photo; API Gateway and Lambda let less through in a request
PICTURE_BYTES = int(os.environ.get("PICTURE_BYTES") or 20_000_000)
# pixels that are decoded, at up to 16 bytes each, so 400 MB
PICTURE_PIXELS = int(os.environ.get("PICTURE_PIXELS") or 25_000_000)
# Of more than twice as many, Pillow reads nothing at all; before that it warns.
Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, 4 * PICTURE_PIXELS)
warnings.simplefilter("ignore", Image.DecompressionBombWarning)
# scans of a JPEG, each of which takes time: progressive photos have about ten
PICTURE_SCANS = int(os.environ.get("PICTURE_SCANS") or 100)


def check_bytes(count: float) -> None:
    """Refuse a picture of so many bytes, if they are too many."""
    if count > PICTURE_BYTES:
        raise PictureTooLarge(f"the picture has more than {PICTURE_BYTES} bytes")


def check_effort(image: Image.Image, scans: int) -> None:
    """Refuse a picture that takes too much memory or time; halve a JPEG that else would."""
    pixels, largest = image.width * image.height, PICTURE_PIXELS
    if image.format == "JPEG":  # several scans are kept in memory, whole
        largest *= 4 if scans == 1 else 2
    if pixels > largest:
        raise PictureTooLarge(f"the picture has more than {largest} pixels")
    most = PICTURE_SCANS * PICTURE_PIXELS // max(pixels, PICTURE_PIXELS)
    if scans > most:
        raise PictureTooLarge(f"the picture has more than {most} scans")
    if pixels > PICTURE_PIXELS:
        image.draft(None, (image.width // 2, image.height // 2))


def open_picture(picture: bytes) -> Image.Image:
    """Open the content of a picture's file, without decoding it."""
    check_bytes(len(picture))
    bare, scans = decoding.bare(picture)
    try:
        image = Image.open(BytesIO(bare), formats=["JPEG", "PNG", "WEBP", "GIF", "BMP"])
    except UnidentifiedImageError:
        begins_well = picture.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8"))
        if picture and not begins_well and picture[8:12] != b"WEBP":
            raise UnsupportedPicture("the picture must be JPEG, PNG, WebP, GIF or BMP") from None
        raise BrokenPicture("the picture is empty or broken") from None
    if image.format == "BMP" and image.info.get("compression") in (1, 2):  # slow: run lengths
        raise UnsupportedPicture("compressed BMP pictures are not supported")
    check_effort(image, scans)
    return image


def prepare(picture: bytes):
    """Make of a picture's file what the model expects: shape (1, height, width, 3), float32.

    Raises PictureTooLarge, UnsupportedPicture or BrokenPicture.
    """
    try:
        image = decoding.plain(open_picture(picture))
    except (RequestError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise PictureTooLarge("the picture has far too many pixels, or parts") from None
    except Exception:  # a decoder of what a stranger sent may fail in any way
        raise BrokenPicture("the picture is broken") from None
    return preprocessor.convert_to_tensor(image)


# All that IPv6 has given out to the internet. Forms that wrap an IPv4 address are outside of it.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# What Python takes for public, but is reserved, or leads to an IPv4 address by a relay.
NETWORKS = "192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20"
RESERVED = [ipaddress.ip_network(network) for network in NETWORKS]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet, and not to this machine or network."""
    ip = ipaddress.ip_address(address)
    if ip.version == 6 and ip not in GLOBAL_UNICAST:
        return False
    reserved = any(ip in network for network in RESERVED if network.version == ip.version)
    return ip.is_global and not ip.is_multicast and not reserved


class MalformedRequest(RequestError):
    """It is not of the form that was asked for, or leads where this function must not go."""


def parts_of(url: str) -> SplitResult:
    """Take a URL apart, if its form is one that we ask for."""
    try:
        parts = transport.split(url)
    except ValueError:
        raise MalformedRequest("the url is not valid") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise MalformedRequest("the url must begin with http:// or https:// and a host")
    if not re.fullmatch(r"[\w.:-]+", parts.hostname, re.ASCII):
        raise MalformedRequest("the url's host is neither a name nor an address")
    if "@" in parts.netloc:
        raise MalformedRequest("the url must not hold a user name or password")
    return parts


# "host" or "host:port", separated by spaces or commas: if there are any, no other host is asked
ALLOWED_HOSTS = set(os.environ.get("ALLOWED_HOSTS", "").lower().replace(",", " ").split())
if os.environ.get("ALLOWED_HOSTS") and not ALLOWED_HOSTS:
    raise ValueError("ALLOWED_HOSTS is set, but names no host")


def addresses_of(parts: SplitResult, deadline: float) -> list[tuple[str, int]]:
    """Return the IP addresses and port to which a URL leads, if they may be asked."""
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if ALLOWED_HOSTS and not ALLOWED_HOSTS & {host, f"{host}:{port}"}:
        raise MalformedRequest("the url's host is not among the allowed ones")
    addresses = transport.look_up(parts.hostname, port, deadline)
    if not ALLOWED_HOSTS and not all(is_public(address) for address in addresses):
        raise MalformedRequest("the url's host has an address that is not public")
    return [(address, port) for address in addresses]


class ServerFailed(RequestError):
    """The picture's server is not there, or sent no picture."""


class ServerTooSlow(RequestError):
    """The picture's server took too long."""


def ask(url: str, deadline: float) -> transport.Reply:
    """Ask the server of a URL, if it may be asked."""
    parts = parts_of(url)
    try:
        addresses = addresses_of(parts, deadline)
        return transport.get(parts, addresses, deadline, PICTURE_BYTES)
    except transport.TooSlow as error:
        raise ServerTooSlow(str(error)) from None
    except transport.Failed as error:
        raise ServerFailed(str(error)) from None


# seconds for a picture from a URL: API Gateway waits 29
FETCH_SECONDS = float(os.environ.get("FETCH_SECONDS") or 10)
# how often a server may send us elsewhere
REDIRECTS = int(os.environ.get("REDIRECTS") or 3)


def fetch(url: str) -> bytes:
    """Return the content of an http or https URL.

    Raises MalformedRequest, PictureTooLarge, ServerFailed or ServerTooSlow.
    """
    deadline = time.monotonic() + FETCH_SECONDS
    reply, redirects = ask(url, deadline), 0
    while reply.status in (301, 302, 303, 307, 308) and reply.location:
        redirects += 1
        if redirects > REDIRECTS:
            raise ServerFailed(f"the url was redirected more than {REDIRECTS} times")
        try:
            url = urljoin(url, reply.location)
            reply = ask(url, deadline)
        except (ValueError, MalformedRequest):
            raise ServerFailed("the picture's server redirects to where we do not go") from None
    if reply.status != 200:
        raise ServerFailed(f"the picture's server answered with status {reply.status}")
    check_bytes(len(reply.content))
    return reply.content
