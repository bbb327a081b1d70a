# Made from notebooks/03-predict.ipynb: edit that and run `make`, do not edit this.

import base64
import ipaddress
import json
import math
import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from urllib.parse import urljoin

import urllib3
from keras_image_helper import create_preprocessor
from PIL import Image, ImageOps, UnidentifiedImageError
from urllib3.connection import HTTPConnection, HTTPSConnection

try:
    from tflite_runtime.interpreter import Interpreter
except ModuleNotFoundError:
    from ai_edge_litert.interpreter import Interpreter


# the classes, in the order of the model's outputs, separated by spaces (so none within a name)
CLASSES = "dress hat longsleeve outwear pants shirt shoes shorts skirt t-shirt"
# what was done to the pixels in training, by the name that keras-image-helper has for it
PREPROCESSING = "xception"


# beside this file, unless the environment says otherwise
MODEL_PATH = os.environ.get("MODEL_PATH") or str(Path(__file__).with_name("clothing-model.tflite"))

# the CPUs that this process may use: Lambda gives more with more memory
cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

interpreter = Interpreter(model_path=MODEL_PATH, num_threads=cpus)
interpreter.allocate_tensors()
(input_details,) = interpreter.get_input_details()
(output_details,) = interpreter.get_output_details()


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


# bytes of a picture: a large photo; API Gateway lets less through
PICTURE_BYTES = int(os.environ.get("PICTURE_BYTES", 10_000_000))
# pixels of a picture, known before it is decoded: the largest phone cameras' (200 MB in memory)
PICTURE_PIXELS = int(os.environ.get("PICTURE_PIXELS", 50_000_000))
# seconds to connect, without a byte, and in all, for a picture from a URL: API Gateway waits 29
CONNECT_SECONDS = float(os.environ.get("CONNECT_SECONDS", 3))
READ_SECONDS = float(os.environ.get("READ_SECONDS", 3))
FETCH_SECONDS = float(os.environ.get("FETCH_SECONDS", 10))
# how often a server may send us elsewhere
REDIRECTS = int(os.environ.get("REDIRECTS", 3))
# "host" or "host:port", separated by spaces or commas: if there are any, no other host is asked
ALLOWED_HOSTS = set(os.environ.get("ALLOWED_HOSTS", "").lower().replace(",", " ").split())


classes = CLASSES.split()
if output_details["shape"].tolist() != [1, len(classes)]:
    raise ValueError(f"{len(classes)} CLASSES for an output of shape {output_details['shape']}")

_, height, width, _ = input_details["shape"].tolist()
preprocessor = create_preprocessor(PREPROCESSING, target_size=(width, height))


def upright_rgb(image: Image.Image) -> Image.Image:
    """Return the picture as one would look at it, in RGB."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


SIGNATURES = {"JPEG": b"\xff\xd8", "PNG": b"\x89PNG", "WEBP": b"RIFF", "GIF": b"GIF8", "BMP": b"BM"}
Image.MAX_IMAGE_PIXELS = None  # PICTURE_PIXELS takes its place


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
    try:
        image = Image.open(BytesIO(picture), formats=list(SIGNATURES))
    except UnidentifiedImageError:
        if picture and not picture.startswith(tuple(SIGNATURES.values())):
            raise UnsupportedPicture("the picture must be JPEG, PNG, WebP, GIF or BMP") from None
        raise BrokenPicture("the picture is empty or broken") from None
    except Exception:  # a decoder of what a stranger sent may fail in any way
        raise BrokenPicture("the picture is broken") from None
    if image.width * image.height > PICTURE_PIXELS:
        raise PictureTooLarge(f"the picture has more than {PICTURE_PIXELS} pixels")
    try:
        return preprocessor.convert_to_tensor(upright_rgb(image))
    except Exception:
        raise BrokenPicture("the picture is broken") from None


def predict(X) -> dict[str, float]:
    """Score a prepared picture of shape (1, height, width, 3), float32.

    Returns a score (logit) for each class, in the order of CLASSES.
    """
    interpreter.set_tensor(input_details["index"], X)
    interpreter.invoke()
    scores = interpreter.get_tensor(output_details["index"])  # shape (1, number of classes)
    return dict(zip(classes, scores[0].tolist(), strict=True))


GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # all that IPv6 has given out to the internet


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet, and not to this machine or network."""
    ip = ipaddress.ip_address(address)
    if ip.version == 6 and (ip not in GLOBAL_UNICAST or ip.sixtofour):
        return False  # among others, the forms that wrap an IPv4 address
    return ip.is_global and not ip.is_multicast


def connect(url: str) -> tuple[HTTPConnection, str, str]:
    """Look up where a URL leads, and refuse what is not public.

    Returns
    -------
    tuple
        A connection to the address that was checked, not yet open; what to ask it for; its host.

    Raises
    ------
    MalformedRequest
        The URL is not valid, or leads where this function must not go.
    ServerFailed
        The host is not known.
    """
    try:
        parsed = urllib3.util.parse_url(url)
    except ValueError:
        raise MalformedRequest("the url is not valid") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise MalformedRequest("the url must begin with http:// or https:// and a host")
    if parsed.auth:
        raise MalformedRequest("the url must not hold a user name or password")
    host = parsed.host.strip("[]")
    port = parsed.port or {"http": 80, "https": 443}[parsed.scheme]
    if ALLOWED_HOSTS and not ALLOWED_HOSTS & {host, f"{host}:{port}"}:
        raise MalformedRequest("the url's host is not among the allowed ones")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        raise ServerFailed("the url's host is not known") from None
    addresses = [address[0] for *_, address in found]
    if not ALLOWED_HOSTS and not all(is_public(address) for address in addresses):
        raise MalformedRequest("the url's host has an address that is not public")
    if parsed.scheme == "http":
        connection = HTTPConnection(addresses[0], port)
    else:  # the certificate must be the host's, not the address's
        names = {"server_hostname": host, "assert_hostname": host}
        connection = HTTPSConnection(addresses[0], port, **names)
    return connection, parsed.request_uri, parsed.netloc


def fetch(url: str) -> bytes:
    """Return the content of an http or https URL.

    Raises
    ------
    MalformedRequest, PictureTooLarge, ServerFailed, ServerTooSlow
    """
    deadline = time.monotonic() + FETCH_SECONDS
    for _ in range(REDIRECTS + 1):
        connection, target, host = connect(url)
        try:
            status, location, content = get(connection, target, host, deadline)
        except urllib3.exceptions.NewConnectionError:
            raise ServerFailed("the picture's server cannot be reached") from None
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            slow = isinstance(error, (TimeoutError, urllib3.exceptions.TimeoutError))
            if slow or time.monotonic() > deadline:
                raise ServerTooSlow("the picture's server took too long") from None
            raise ServerFailed("the picture's server failed or sent no picture") from None
        finally:
            connection.close()
        if status == 200:
            return content
        if not location:
            raise ServerFailed(f"the picture's server answered with status {status}")
        url = urljoin(url, location)
    raise ServerFailed(f"the url was redirected more than {REDIRECTS} times")


def end(sock):
    """End a connection; whoever waits for it reads the end of the stream."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def get(connection, target, host, deadline):
    """Ask an HTTP server; return the status, where it redirects to, and the content."""
    connection.timeout = max(0.001, min(CONNECT_SECONDS, deadline - time.monotonic()))
    connection.connect()
    connection.sock.settimeout(READ_SECONDS)
    timer = threading.Timer(deadline - time.monotonic(), end, [connection.sock])
    timer.daemon = True
    timer.start()
    try:
        connection.request("GET", target, headers={"Host": host}, preload_content=False)
        response = connection.getresponse()
        if response.status != 200:
            redirected = response.status in (301, 302, 303, 307, 308)
            return response.status, redirected and response.headers.get("Location"), b""
        content = b""
        while chunk := response.read1(65536, decode_content=False):
            content += chunk
            if len(content) > PICTURE_BYTES:
                raise PictureTooLarge(f"the picture has more than {PICTURE_BYTES} bytes")
        if len(content) < int(response.headers.get("Content-Length", 0)):
            raise ServerFailed("the picture's server sent less than it announced")
        if time.monotonic() > deadline:
            raise TimeoutError
        return 200, None, content
    finally:
        timer.cancel()


def from_base64(text: str) -> bytes:
    """Return what the text encodes.

    Raises
    ------
    PictureTooLarge, MalformedRequest
    """
    if len(text) > PICTURE_BYTES * 4 / 3 + 4:  # base64 writes 3 bytes as 4 characters
        raise PictureTooLarge(f"the picture has more than {PICTURE_BYTES} bytes")
    try:
        return base64.b64decode(text)
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
}


def http_request(event) -> tuple[str, str] | None:
    """Method and path of an HTTP event; None for an event of another kind."""
    match event:
        case {"requestContext": {"http": {"method": str(method)}, **context}, "rawPath": str(path)}:
            return method, path.removeprefix(f"/{context.get('stage')}")  # as in /prod/
        case {"requestContext": dict(), "httpMethod": str(method), "path": str(path)}:
            return method, path
    return None


def picture_of_body(event) -> bytes:
    """Return the picture that the body of an HTTP event names or holds."""
    headers = event.get("headers")
    headers = headers if isinstance(headers, dict) else {}
    types = [value for name, value in headers.items() if name.lower() == "content-type"]
    content_type = str(types[0]).split(";")[0].strip().lower() if types else "application/json"
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


def response(status: int, body: dict | None) -> dict:
    """An HTTP response as API Gateway and function URLs expect it."""
    text = "" if body is None else json.dumps(body)
    return {"statusCode": status, "headers": RESPONSE_HEADERS, "body": text}


def verdict(scores: dict[str, float]) -> dict:
    """The class with the highest score, its probability (by softmax), and all scores."""
    best = max(scores, key=scores.get)
    share = 1 / sum(math.exp(score - scores[best]) for score in scores.values())
    if min(scores.values()) >= 0 and abs(sum(scores.values()) - 1) < 1e-3:
        share = scores[best]  # the model ends in softmax: its scores are probabilities
    return {"prediction": best, "probability": share, "scores": scores}


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
        return predict(X)


def answer_http(event: dict, method: str, path: str, log: dict) -> dict:
    """The HTTP response to an HTTP event."""
    if path.strip("/"):
        raise UnknownPath("there is only /")
    match method:
        case "POST":
            return response(200, verdict(answer(picture_of_body, event, log)))
        case "GET":
            return response(200, DESCRIPTION)
        case "OPTIONS":
            return response(204, None)
        case _:
            raise MethodNotAllowed("expected GET, POST or OPTIONS")


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
    except Exception as error:
        log["error"] = type(error).__name__
        if isinstance(error, RequestError):
            log["status"] = error.status
        if not http:
            raise
        known = isinstance(error, RequestError)
        message = str(error) if known else "the function failed; its log says more"
        name = type(error).__name__ if known else "InternalError"
        return response(log["status"], {"error": name, "message": message})
    finally:
        print(json.dumps(log), flush=True)
