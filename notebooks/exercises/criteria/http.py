"""What makes an answer right: the exercises of lesson 7."""

import base64
import contextlib
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import walk
from checks import Wrong, decides, exercise, returned

COAT = Path("notebooks/assets/coat.png")
EVENTS = {
    "no base64": {"image": "Is this a coat?"},
    "a text in base64": {"image": base64.b64encode(b"Is this a coat?").decode()},
    "half of a picture": {
        "image": base64.b64encode(COAT.read_bytes()[: COAT.stat().st_size // 2]).decode()
    },
    "both keys": {"url": "https://example.com/coat.png", "image": "Is this a coat?"},
}

os.environ["MODEL_PATH"] = str(Path("generated/clothing-model.tflite").absolute())
sys.path.insert(0, "lambda")
import api  # noqa: E402


def answer_to(event: dict) -> dict:
    """Return what the function answers to an event, without the line in its log."""
    with contextlib.redirect_stdout(io.StringIO()):
        return api.lambda_handler(event, None)


def error_of(event: dict) -> str:
    """Return the error with which the function answers an event, as "Name: message"."""
    try:
        answer_to(event)
    except api.RequestError as error:
        return walk.one_line(error)
    return "none"


@exercise(
    "named-errors",
    dict,
    hint="Guess first: lesson 7 lists the errors with their statuses, lesson 6 has introduced them. "
    "Then send each event to api.lambda_handler with walk.error_shown() and see.",
)
def named_errors(answer):
    known = {each.__name__ for each in api.STATUS}
    if set(answer) != set(EVENTS):
        raise Wrong("The events have other names.", f"They are: {', '.join(EVENTS)}.")
    for name in answer.values():
        if not isinstance(name, str):
            raise Wrong(
                f"{name!r} is not a text.", "The error's name is asked for, as in 'ServerFailed'."
            )
        if name not in known:
            raise Wrong(
                f"{name!r} is not an error of api.py.", f"There are: {', '.join(sorted(known))}."
            )
    for event, name in answer.items():
        if name != error_of(EVENTS[event]).split(":")[0]:
            raise Wrong(
                f"{event!r} is not answered with {name}.",
                "Which question comes first: is the request well formed, is this a kind of picture "
                "that the function knows, is the picture whole?",
            )
    return (
        "Whoever gets one of these names knows what to change. That makes them a part of your "
        "function's interface, as much as its scores."
    )


@exercise(
    "own-event",
    Callable,
    hint="Take lesson 7's http_event, and change what is different here: the header, the body, and "
    "whether the body is in base64. The body is a text: json.dumps makes one of a dict.",
    errors={
        "not JSON serializable": "JSON has no bytes: base64 turns them into letters, and decode() "
        "into a text.",
        "bytes-like object is required": "base64 takes bytes and returns bytes; decode() makes a "
        "text of them.",
    },
)
def own_event(answer):
    picture = COAT.read_bytes()
    event = returned(answer(picture), dict)
    if set(event) == {"image"}:
        raise Wrong(
            "That is the request's body.", "Around it are the method, the path, the headers."
        )
    if event.get("isBase64Encoded") and event.get("body") == base64.b64encode(picture).decode():
        raise Wrong("That is lesson 7's event.", "Here the body is JSON, with the picture inside.")
    _check_parts(event)
    reply = answer_to(event)
    found = json.loads(reply["body"])
    if reply["statusCode"] != 200:
        raise Wrong(
            f"It is answered with {reply['statusCode']}: {found['message']}.",
            "Is the body JSON, a text? Does the content-type say so? And is it in base64, or not?",
        )
    scores = api.score(api.prepare(picture))
    if found["scores"] != scores:
        raise Wrong(
            "The picture that arrived is another one.", "It should be the one that is given."
        )
    return (
        f"It is answered with 200 and {found['prediction']}. With such events you can try whatever "
        "a browser may send, without a gateway. lambda/events/ has AWS's own examples."
    )


def _check_parts(event: dict) -> None:
    """Raise what is wrong with the method, the path or the kind of the body."""
    http = api.http_request(event)
    if http is None:
        raise Wrong(
            "The function sees no HTTP request in it.",
            "In version 2.0 the method is in requestContext, under http, and the path in rawPath.",
        )
    if "rawPath" not in event:
        raise Wrong("That is version 1.0.", "Version 2.0 has the path in rawPath.")
    if http != ("POST", ""):
        raise Wrong(f"It asks for {http[0]} /{http[1]}.", "The request says POST /.")
    if not api.header(event, "content-type"):
        raise Wrong(
            "It has no header content-type.",
            "The gateway leaves no header out. The headers are a dict, from name to value.",
        )
    if not isinstance(event.get("body"), str):
        kind = type(event.get("body")).__name__
        raise Wrong(
            f"Its body is of the type {kind}.",
            "A request's body is a text; json.dumps makes one of a dict.",
        )


@exercise(
    "try-again",
    Callable,
    hint="Who has to change something? If it is the caller, sending the same again is in vain. If "
    "it is somebody else, or nobody, and only the moment was bad, there is hope.",
    errors={"not supported between": "The status is a number."},
)
def try_again(answer):
    yes = {
        502: "The picture's server failed. May it be back in a moment?",
        504: "The picture's server was too slow. May it be faster in a moment?",
        503: "Somebody else is to blame, and only for the moment.",
        429: "It begins with a 4, but the request itself was right: there were too many at once.",
    }
    no = {
        200: "That is the answer, and it is paid for: why ask again?",
        400: "The request itself is wrong. It is as wrong the next time.",
        404: "There is nothing at this path, now or later.",
        405: "The method is not the one that this path takes, now or later.",
        413: "The picture does not become smaller.",
        415: "The picture stays of the kind that it is.",
        422: "The picture stays broken.",
    }
    decides(answer, yes, no, "It gives up at {}.", "It tries again after {}.")
    return (
        "Nothing is sent twice in vain. (And an app waits before it tries again, each time longer: "
        "otherwise a thousand apps keep a busy server busy.)"
    )
