# Made from notebooks/07-http.ipynb: change that and export it again, do not edit this.

import json
import time
import traceback
from contextlib import contextmanager

import answers
import incoming
from guards import (
    BrokenPicture,
    MalformedRequest,
    PictureTooLarge,
    RequestError,
    ServerFailed,
    ServerTooSlow,
    UnsupportedPicture,
    fetch,
    prepare,
)
from lambda_function import SCORES, classes, score


class UnknownPath(RequestError):
    """There is nothing at this path."""


class MethodNotAllowed(RequestError):
    """This path has another use."""


STATUS = {
    MalformedRequest: 400,
    UnknownPath: 404,
    MethodNotAllowed: 405,
    PictureTooLarge: 413,
    UnsupportedPicture: 415,
    BrokenPicture: 422,
    answers.NoScores: 500,
    ServerFailed: 502,
    ServerTooSlow: 504,
}


def picture_of(request) -> bytes:
    """Return the picture that a request names or holds."""
    match request:
        case {"url": str(url), **others} if "image" not in others:
            return incoming.from_base64(url) if url.startswith("data:") else fetch(url)
        case {"image": str(image), **others} if "url" not in others:
            return incoming.from_base64(image)
        case {"image": bytes(image)}:  # from a form
            return image
        case _:
            raise MalformedRequest(
                'expected one of {"url": "https://…"} and {"image": "a picture in base64"}'
            )


def http_request(event) -> tuple[str, str] | None:
    """Method and path of an HTTP event; None for an event of another kind."""
    match event:
        case {"requestContext": {"http": {"method": str(method)}}, "rawPath": str(path)}:
            return method, incoming.path(event, path)
        case {"requestContext": dict(), "httpMethod": str(method), "path": str(path)}:
            return method, incoming.path(event, path)
    return None


def header(event, name: str) -> str:
    """Return the value of a header of an HTTP event; "" if there is none."""
    headers = event.get("headers")
    headers = headers if isinstance(headers, dict) else {}
    values = [value for key, value in headers.items() if key.lower() == name and value]
    return str(values[0]) if values else ""


PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")


def picture_of_body(event) -> bytes:
    """Return the picture that the body of an HTTP event names or holds."""
    content_type = header(event, "content-type")
    match content_type.lower().split(";")[0].strip().split("/"):
        case ["application", "json"] | [""]:
            return picture_of(incoming.from_json(event))
        case ["multipart", "form-data"]:
            return picture_of(incoming.from_form(event, content_type))
        case ["image", _] | ["application", "octet-stream"]:
            return incoming.picture(event)
        case _:
            raise UnsupportedPicture(incoming.advice(content_type))


HEADERS = {
    "content-type": "application/json",
    "access-control-allow-origin": "*",  # pages of any origin may call this function
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "content-type",
    "allow": "GET, HEAD, POST, OPTIONS",
    "vary": "accept",  # the answer to GET depends on that header of the request
    "x-content-type-options": "nosniff",  # a browser takes the content for what its type says
}


def response(status: int, body, headers=HEADERS) -> dict:
    """An HTTP response as gateways expect it; the body is a text, or what becomes one in JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    return {"statusCode": status, "headers": HEADERS | headers, "body": text}


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
    with timed(log, "decode_ms"):
        X = prepare(picture)
    with timed(log, "invoke_ms"):
        return answers.checked(score(X))


DESCRIPTION = {
    "POST /": 'JSON, {"url": "https://…"} or {"image": "base64"}, a form with a picture, or a picture',
    "content-types": ["application/json", "multipart/form-data", *PICTURE_TYPES],
    "classes": classes,
    "scores": SCORES,
}


def answer_http(event: dict, method: str, path: str, log: dict) -> dict:
    """The HTTP response to an HTTP event."""
    wants_page = "text/html" in header(event, "accept").lower()
    match method, path:
        case "POST", "":
            return response(200, answers.verdict(answer(picture_of_body, event, log)))
        case "GET" | "HEAD", "":
            return response(200, *answers.page()) if wants_page else response(200, DESCRIPTION)
        case "GET" | "HEAD", "openapi.yaml":
            return response(200, *answers.description())
        case "OPTIONS", "" | "openapi.yaml":
            return response(204, "")
        case _, "" | "openapi.yaml":
            raise MethodNotAllowed("expected GET, POST or OPTIONS; POST at / alone")
        case _:
            raise UnknownPath("there are only / and /openapi.yaml; a base path ends with a slash")


def answer_direct(event, log: dict) -> dict:
    """The answer to a direct event; one that only keeps the function awake needs no picture."""
    return {"awake": True} if incoming.is_ping(event) else answer(picture_of, event, log)


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
        A score (float) for each class, in the order of CLASSES; to an HTTP request, a response
        whose body has the keys prediction, probability and scores.

    Raises
    ------
    RequestError
        What was wrong with a request that did not come over HTTP.
    """
    http = http_request(event)
    log = {"request_id": getattr(context, "aws_request_id", None)}
    log |= {"event": "http" if http else "direct", "status": 500}
    try:
        result = answer_http(event, *http, log) if http else answer_direct(event, log)
        log["status"] = result["statusCode"] if http else 200
        return result
    except RequestError as error:
        name, status = type(error).__name__, STATUS[type(error)]
        log |= {"status": status, "error": name}
        if not http:
            raise
        return response(status, {"error": name, "message": str(error)})
    except Exception as error:  # a mistake of ours: the log learns about it, the caller does not
        log |= {"error": type(error).__name__, "traceback": traceback.format_exc()}
        if not http:
            raise
        return response(500, {"error": "InternalError", "message": "the function failed"})
    finally:
        print(json.dumps(log), flush=True)
