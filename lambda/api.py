# Made from notebooks/07-http.ipynb: change that and export it again, do not edit this.

import base64
import hashlib
import ipaddress
import json
import math
import os
import re
import socket
import ssl
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from io import BytesIO
from pathlib import Path
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from lambda_function import classes, preprocessor, score
from PIL import Image, ImageOps, UnidentifiedImageError


class RequestError(Exception):
    """A request that gets no scores; `status` is its HTTP status code."""

    status = 400


class MalformedRequest(RequestError):
    status = 400


class UnknownPath(RequestError):
    status = 404


class MethodNotAllowed(RequestError):
    status = 405


class PictureTooLarge(RequestError):
    status = 413


class UnsupportedPicture(RequestError):
    status = 415


class BrokenPicture(RequestError):
    status = 422


class ServerFailed(RequestError):
    status = 502


class ServerTooSlow(RequestError):
    status = 504


# bytes of a picture: a large photo; API Gateway and Lambda let less through in a request
PICTURE_BYTES = int(os.environ.get("PICTURE_BYTES") or 10_000_000)
# pixels of a picture: a good camera's; decoding takes up to 16 bytes for each, so 400 MB
PICTURE_PIXELS = int(os.environ.get("PICTURE_PIXELS") or 25_000_000)
# scans of a JPEG, each of which takes time: progressive photos have about ten
PICTURE_SCANS = int(os.environ.get("PICTURE_SCANS") or 100)
# seconds to connect, without a byte, and in all, for a picture from a URL: API Gateway waits 29
CONNECT_SECONDS = float(os.environ.get("CONNECT_SECONDS") or 3)
READ_SECONDS = float(os.environ.get("READ_SECONDS") or 3)
FETCH_SECONDS = float(os.environ.get("FETCH_SECONDS") or 10)
# how often a server may send us elsewhere
REDIRECTS = int(os.environ.get("REDIRECTS") or 3)


# "host" or "host:port", separated by spaces or commas: if there are any, no other host is asked
ALLOWED_HOSTS = set(os.environ.get("ALLOWED_HOSTS", "").lower().replace(",", " ").split())
if os.environ.get("ALLOWED_HOSTS") and not ALLOWED_HOSTS:
    raise ValueError("ALLOWED_HOSTS is set, but names no host")


FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP"]
Image.MAX_IMAGE_PIXELS = None  # PICTURE_PIXELS takes its place


def open_picture(picture: bytes) -> Image.Image:
    """Open the content of a picture's file, without decoding it.

    Raises
    ------
    UnsupportedPicture, PictureTooLarge, BrokenPicture
    """
    try:
        image = Image.open(BytesIO(picture), formats=FORMATS)
    except UnidentifiedImageError:
        begins_well = picture.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8"))
        if picture and not begins_well and picture[8:12] != b"WEBP":
            raise UnsupportedPicture("the picture must be JPEG, PNG, WebP, GIF or BMP") from None
        raise BrokenPicture("the picture is empty or broken") from None
    except Exception:  # a decoder of what a stranger sent may fail in any way
        raise BrokenPicture("the picture is broken") from None
    if image.width * image.height > PICTURE_PIXELS:
        raise PictureTooLarge(f"the picture has more than {PICTURE_PIXELS} pixels")
    if image.format == "JPEG" and picture.count(b"\xff\xda") > PICTURE_SCANS:
        raise PictureTooLarge(f"the picture has more than {PICTURE_SCANS} scans")
    if image.format == "BMP" and image.info.get("compression"):  # Pillow's slowest decoder
        raise UnsupportedPicture("compressed BMP pictures are not supported")
    return image


def rgb(image: Image.Image) -> Image.Image:
    """Return the picture in RGB, with 8 bits a channel and what is transparent in white."""
    if image.mode.startswith("I"):  # 16 bits
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def prepare(picture: bytes):
    """Make of a picture what the model expects.

    Parameters
    ----------
    picture
        The content of a JPEG, PNG, WebP, GIF or BMP file.

    Returns
    -------
    numpy.ndarray
        Shape (1, height, width, 3), float32, scaled as in training.

    Raises
    ------
    UnsupportedPicture, PictureTooLarge, BrokenPicture
    """
    image = open_picture(picture)
    try:
        image.load()
        image = ImageOps.exif_transpose(image)
    except Exception:
        raise BrokenPicture("the picture is broken") from None
    return preprocessor.convert_to_tensor(rgb(image))


# All that IPv6 has given out to the internet. Forms that wrap an IPv4 address are outside of it.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# What Python takes for public, but is reserved, or leads to an IPv4 address by a relay.
RESERVED = [
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")
]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet, and not to this machine or network."""
    ip = ipaddress.ip_address(address)
    if ip.version == 6 and ip not in GLOBAL_UNICAST:
        return False
    reserved = any(ip in network for network in RESERVED if network.version == ip.version)
    return ip.is_global and not ip.is_multicast and not reserved


def look_up(host: str, port: int, deadline: float) -> list[str]:
    """Return the IP addresses of a host.

    Raises
    ------
    ServerFailed, ServerTooSlow
    """
    found = []

    def ask():
        with suppress(OSError, ValueError):
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))

    thread = threading.Thread(target=ask, daemon=True)  # a look-up itself knows no time limit
    thread.start()
    thread.join(max(0, deadline - time.monotonic()))
    if thread.is_alive():
        raise ServerTooSlow("looking up the url's host took too long")
    if not found:
        raise ServerFailed("the url's host is not known")
    return [address[0] for *_, address in found]


PORTS = {"http": 80, "https": 443}


def checked_address(url: str, deadline: float) -> tuple[SplitResult, tuple[str, int]]:
    """Look up where a URL leads, and refuse what is not public.

    Returns
    -------
    tuple
        The parts of the URL; the address that was checked, an IP address and a port.

    Raises
    ------
    MalformedRequest
        The URL is not valid, or leads where this function must not go.
    ServerFailed, ServerTooSlow
        The host is not known, or its look-up took too long.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        raise MalformedRequest("the url is not valid") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise MalformedRequest("the url must begin with http:// or https:// and a host")
    if not url.isascii():
        raise MalformedRequest("the url must be ASCII: encode what is not")
    if not re.fullmatch(r"[\w.:-]+", parts.hostname):
        raise MalformedRequest("the url's host is neither a name nor an address")
    if "@" in parts.netloc:
        raise MalformedRequest("the url must not hold a user name or password")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if ALLOWED_HOSTS and not ALLOWED_HOSTS & {host, f"{host}:{port}"}:
        raise MalformedRequest("the url's host is not among the allowed ones")
    addresses = look_up(parts.hostname, port, deadline)
    if not ALLOWED_HOSTS and not all(is_public(address) for address in addresses):
        raise MalformedRequest("the url's host has an address that is not public")
    return parts, (addresses[0], port)


def end(sock):
    """End a connection; whoever waits for it reads the end of the stream."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def connect(parts: SplitResult, address: tuple[str, int], deadline: float) -> socket.socket:
    """Connect to the address, for the URL with these parts."""
    wait = max(0.001, min(CONNECT_SECONDS, deadline - time.monotonic()))
    try:
        sock = socket.create_connection(address, timeout=wait)
    except TimeoutError:
        raise
    except OSError:
        raise ServerFailed("the picture's server cannot be reached") from None
    if parts.scheme == "https":  # the certificate must be the host's, not the address's
        context, host = ssl.create_default_context(), parts.hostname
        sock = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    sock.settimeout(READ_SECONDS)
    return sock


def get(parts: SplitResult, address: tuple[str, int], deadline: float) -> tuple[str | None, bytes]:
    """Ask an HTTP server; return where it redirects to, if it does, and the content."""
    connection = HTTPConnection(parts.netloc)
    connection.sock = connect(parts, address, deadline)
    timer = threading.Timer(deadline - time.monotonic(), end, [connection.sock])
    timer.daemon = True
    timer.start()
    try:
        if parts.scheme == "https":
            connection.sock.do_handshake()
        target = f"{parts.path or '/'}?{parts.query}".removesuffix("?")
        target = quote(target, safe="!$%&'()*+,/:;=?@[]~")
        connection.request("GET", target, headers={"Host": parts.netloc})
        return picture_or_redirect(connection.getresponse(), deadline)
    finally:
        timer.cancel()
        connection.close()


def picture_or_redirect(response, deadline: float) -> tuple[str | None, bytes]:
    """Read a server's response, as far as a picture may reach."""
    location = response.headers.get("Location")
    if response.status in (301, 302, 303, 307, 308) and location:
        return location, b""
    if response.status != 200:
        raise ServerFailed(f"the picture's server answered with status {response.status}")
    content = bytearray()
    while chunk := response.read1(65536):
        content += chunk
        if len(content) > PICTURE_BYTES:
            raise PictureTooLarge(f"the picture has more than {PICTURE_BYTES} bytes")
    if time.monotonic() > deadline:  # the timer may have cut the content short
        raise TimeoutError
    if len(content) < int(response.headers.get("Content-Length", 0)):
        raise ServerFailed("the picture's server sent less than it announced")
    return None, bytes(content)


def fetch(url: str) -> bytes:
    """Return the content of an http or https URL.

    Raises
    ------
    MalformedRequest, PictureTooLarge, ServerFailed, ServerTooSlow
    """
    deadline = time.monotonic() + FETCH_SECONDS
    parts, address = checked_address(url, deadline)
    for _ in range(REDIRECTS + 1):
        try:
            location, content = get(parts, address, deadline)
        except (HTTPException, OSError, ValueError) as error:
            if isinstance(error, TimeoutError) or time.monotonic() > deadline:
                raise ServerTooSlow("the picture's server took too long") from None
            raise ServerFailed("the picture's server failed or sent no picture") from None
        if location is None:
            return content
        try:
            url = urljoin(url, location)
            parts, address = checked_address(url, deadline)
        except (ValueError, MalformedRequest):
            raise ServerFailed("the picture's server redirects to where we do not go") from None
    raise ServerFailed(f"the url was redirected more than {REDIRECTS} times")


def from_base64(text: str) -> bytes:
    """Return what the text encodes.

    Raises
    ------
    PictureTooLarge, MalformedRequest
    """
    if len(text) > PICTURE_BYTES * 4 / 3 + 4:  # base64 writes 3 bytes as 4 characters
        raise PictureTooLarge(f"the picture has more than {PICTURE_BYTES} bytes")
    try:
        return base64.b64decode("".join(text.split()), validate=True)  # in lines is fine, too
    except ValueError:
        raise MalformedRequest("the picture is not base64") from None


def picture_of(request) -> bytes:
    """Return the picture that a request names or holds; see `fetch` and `from_base64`."""
    match request:
        case {"url": str(url), **others} if "image" not in others:
            return fetch(url)
        case {"image": str(image), **others} if "url" not in others:
            return from_base64(image)
        case _:
            raise MalformedRequest(
                'expected one of {"url": "https://…"} and {"image": "a picture in base64"}'
            )


PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")


def http_request(event) -> tuple[str, str] | None:
    """Method and path of an HTTP event; None for an event of another kind."""
    match event:
        case {"requestContext": {"http": {"method": str(method)}, **context}, "rawPath": str(path)}:
            pass
        case {"requestContext": dict(context), "httpMethod": str(method), "path": str(path)}:
            pass
        case _:
            return None
    stage = f"/{context.get('stage')}/"  # some paths begin with the API's stage: /prod/
    return method, f"{path}/".removeprefix(stage).strip("/")


def header(event, name: str) -> str:
    """Return the value of a header of an HTTP event, in lower case; "" if there is none."""
    headers = event.get("headers")
    headers = headers if isinstance(headers, dict) else {}
    values = [value for key, value in headers.items() if key.lower() == name and value]
    return str(values[0]).lower() if values else ""


def picture_of_body(event) -> bytes:
    """Return the picture that the body of an HTTP event names or holds."""
    content_type = header(event, "content-type").split(";")[0].strip() or "application/json"
    body = event.get("body")
    if not isinstance(body, str) or not body:
        raise MalformedRequest("the request has no body")
    if content_type in PICTURE_TYPES:
        if not event.get("isBase64Encoded"):
            raise MalformedRequest("the picture did not arrive as binary data")
        return from_base64(body)
    if content_type != "application/json":
        raise UnsupportedPicture(f"expected one of: application/json, {', '.join(PICTURE_TYPES)}")
    try:
        request = json.loads(from_base64(body) if event.get("isBase64Encoded") else body)
    except (ValueError, RecursionError):
        raise MalformedRequest("the body is not valid JSON") from None
    return picture_of(request)


DESCRIPTION = {
    "POST /": 'JSON, {"url": "https://…"} or {"image": "base64"}, or a picture as the body',
    "content-types": ["application/json", *PICTURE_TYPES],
    "classes": classes,
}
RESPONSE_HEADERS = {
    "content-type": "application/json",
    "access-control-allow-origin": "*",  # pages of any origin may call this function
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "content-type",
    "allow": "GET, HEAD, POST, OPTIONS",
    "vary": "accept",  # the answer to GET depends on that header of the request
    "x-content-type-options": "nosniff",  # a browser takes the content for what its type says
}


def response(status: int, body: dict | None) -> dict:
    """An HTTP response as API Gateway and function URLs expect it."""
    text = "" if body is None else json.dumps(body)
    return {"statusCode": status, "headers": RESPONSE_HEADERS, "body": text}


def verdict(scores: dict[str, float]) -> dict:
    """The class with the highest score, its probability (by softmax), and all scores."""
    best = max(scores, key=scores.get)
    # lesson 1's softmax, for the best class; its score is subtracted so that exp() cannot overflow
    share = 1 / sum(math.exp(score - scores[best]) for score in scores.values())
    if min(scores.values()) >= 0 and abs(sum(scores.values()) - 1) < 1e-3:
        share = scores[best]  # the model ends in softmax: its scores are probabilities
    return {"prediction": best, "probability": share, "scores": scores}


PAGE_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-cache",
    "permissions-policy": "camera=(self)",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",  # no other page may show this one inside of itself
}


def file_beside(name: str) -> str:
    """Return the text of a file in the function's folder."""
    return Path(os.environ.get("PAGE_FOLDER", "."), name).read_text(encoding="utf-8")


def security_policy(page: str) -> str:
    """The content security policy of a page with one script and one style."""
    sources = {"default-src": "'none'", "img-src": "blob: data:", "connect-src": "'self'"}
    sources |= dict.fromkeys(("base-uri", "form-action", "frame-ancestors"), "'none'")
    for tag in "script", "style":
        content = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        checksum = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        sources[f"{tag}-src"] = f"'sha256-{checksum}'"
    return "; ".join(f"{name} {value}" for name, value in sources.items())


def page_response() -> dict:
    """The HTTP response with the page."""
    page = file_beside("page.html")
    headers = RESPONSE_HEADERS | PAGE_HEADERS | {"content-security-policy": security_policy(page)}
    return {"statusCode": 200, "headers": headers, "body": page}


def openapi_response() -> dict:
    """The HTTP response with the API's description for machines."""
    headers = RESPONSE_HEADERS | {"content-type": "application/yaml"}
    return {"statusCode": 200, "headers": headers, "body": file_beside("openapi.yaml")}


@contextmanager
def timed(log: dict, name: str):
    """Note in the log how many milliseconds the `with` block takes."""
    started = time.perf_counter()
    try:
        yield
    finally:
        log[name] = round(1000 * (time.perf_counter() - started), 1)


def answer(get_picture, request, log: dict) -> dict[str, float]:
    """Scores for the picture that `get_picture` finds in the request."""
    with timed(log, "fetch_ms"):
        picture = get_picture(request)
    log["bytes"] = len(picture)
    if len(picture) > PICTURE_BYTES:
        raise PictureTooLarge(f"the picture has more than {PICTURE_BYTES} bytes")
    with timed(log, "decode_ms"):
        X = prepare(picture)
    with timed(log, "invoke_ms"):
        return score(X)


def answer_http(event: dict, method: str, path: str, log: dict) -> dict:
    """The HTTP response to an HTTP event."""
    wants_page = "text/html" in header(event, "accept")
    match method, path:
        case "POST", "":
            return response(200, verdict(answer(picture_of_body, event, log)))
        case "GET" | "HEAD", "":
            return page_response() if wants_page else response(200, DESCRIPTION)
        case "GET" | "HEAD", "openapi.yaml":
            return openapi_response()
        case "OPTIONS", "" | "openapi.yaml":
            return response(204, None)
        case _, "" | "openapi.yaml":
            raise MethodNotAllowed("expected GET, POST or OPTIONS; POST at / alone")
        case _:
            raise UnknownPath("there are only / and /openapi.yaml")


def lambda_handler(event, context):
    """Answer a request: AWS Lambda calls this.

    Parameters
    ----------
    event : dict
        {"url": "https://…"}, the address of a picture; {"image": "…"}, a picture in base64; or an
        HTTP request as API Gateway (payload 2.0 or 1.0) or a function URL describes it.
    context : object
        Lambda's information on this call.

    Returns
    -------
    dict
        A score (logit, float) for each class, in the order of CLASSES; to an HTTP request, a
        response whose body has the keys prediction, probability and scores.

    Raises
    ------
    RequestError
        What was wrong with a request that did not come over HTTP.
    """
    http = http_request(event)
    log = {"request_id": getattr(context, "aws_request_id", None)}
    log |= {"event": "http" if http else "direct", "status": 500}
    try:
        result = answer_http(event, *http, log) if http else answer(picture_of, event, log)
        log["status"] = result["statusCode"] if http else 200
        return result
    except RequestError as error:
        log |= {"status": error.status, "error": type(error).__name__}
        if not http:
            raise
        return response(error.status, {"error": type(error).__name__, "message": str(error)})
    except Exception as error:  # a mistake of ours: the log learns about it, the caller does not
        log |= {"error": type(error).__name__, "traceback": traceback.format_exc()}
        if not http:
            raise
        return response(500, {"error": "InternalError", "message": "the function failed"})
    finally:
        print(json.dumps(log), flush=True)
