# Made from notebooks/07-http.ipynb: change that and export it again, do not edit this.

import base64
import json
import time
import traceback
from contextlib import contextmanager

import answers
from guards import (
    BrokenPicture,
    MalformedRequest,
    PictureTooLarge,
    RequestError,
    ServerFailed,
    ServerTooSlow,
    UnsupportedPicture,
    check_bytes,
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


def from_base64(text: str) -> bytes:
    """Return what the text encodes."""
    check_bytes(len(text) * 3 / 4 - 3)  # base64 writes 3 bytes as 4 characters
    try:
        return base64.b64decode("".join(text.split()), validate=True)  # in lines is fine, too
    except ValueError:
        raise MalformedRequest("the picture is not base64") from None


def picture_of(request) -> bytes:
    """Return the picture that a request names or holds."""
    match request:
        case {"url": str(url), **others} if "image" not in others:
            return fetch(url)
        case {"image": str(image), **others} if "url" not in others:
            return from_base64(image)
        case _:
            raise MalformedRequest(
                'expected one of {"url": "https://…"} and {"image": "a picture in base64"}'
            )


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


PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")


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
    "POST /": 'JSON, {"url": "https://…"} or {"image": "base64"}, or a picture as the body',
    "content-types": ["application/json", *PICTURE_TYPES],
    "classes": classes,
    "scores": SCORES,
}


def answer_http(event: dict, method: str, path: str, log: dict) -> dict:
    """The HTTP response to an HTTP event."""
    wants_page = "text/html" in header(event, "accept")
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
        result = answer_http(event, *http, log) if http else answer(picture_of, event, log)
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
