"""What makes an answer right: the exercises of lesson 7."""

import base64
import contextlib
import io
import ipaddress
import os
import re
import sys
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import walk
from checks import Wrong, exercise, returned

NUMBER = 3232235777
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
import lambda_function  # noqa: E402


def error_of(event: dict) -> str:
    """Return the error with which the guarded function answers an event, as "Name: message"."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # its log
            api.lambda_handler(event, None)
    except api.RequestError as error:
        return walk.one_line(error)
    return "none"


@exercise(
    "which-machine",
    (str, ipaddress.IPv4Address),
    hint="The four numbers are the digits of one large number, in base 256. Divide by 256 again and "
    "again: what remains each time is a digit, the last one first.",
)
def which_machine(answer):
    truth, answer = ipaddress.ip_address(NUMBER), str(answer).strip()
    if answer == str(truth):
        return (
            f"{answer} is an address of private networks, of many a router at home. api.py does not "
            "read the words of an address: it looks it up and judges what comes out."
        )
    if not re.fullmatch(r"\d+(\.\d+){3}", answer):
        raise Wrong(f"{answer!r} is no address.", "It has four numbers, with dots between them.")
    if answer == "127.0.0.1":
        raise Wrong("That was the number of the lesson.", "This one is larger: divide it by 256.")
    if answer.split(".") == str(truth).split(".")[::-1]:
        raise Wrong("The four numbers are right.", "Which digit of a number comes first?")
    raise Wrong(
        "That is another machine.",
        "The first of the four counts 256 * 256 * 256, the last one counts 1.",
    )


@exercise(
    "named-errors",
    dict,
    hint="Guess first: lesson 7 lists the errors where it introduces them. Then send each event to "
    "api.lambda_handler with walk.error_shown() and see.",
)
def named_errors(answer):
    known = {each.__name__ for each in api.RequestError.__subclasses__()}
    if set(answer) != set(EVENTS):
        raise Wrong("The events have other names.", f"They are: {', '.join(EVENTS)}.")
    for name in answer.values():
        if not isinstance(name, str):
            raise Wrong(
                f"{name!r} is no text.", "The error's name is asked for, as in 'ServerFailed'."
            )
        if name not in known:
            raise Wrong(
                f"{name!r} is no error of api.py.", f"There are: {', '.join(sorted(known))}."
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
    "public-address",
    Callable,
    hint="Python's ipaddress.ip_address knows for each address what it is for. Look at its "
    "attributes that begin with is_, and try the addresses of the lesson.",
    errors={
        "does not appear to be": "ip_address takes an address alone, without a port or a scheme.",
        "not supported between": "The address is a text. ip_address makes of it something that "
        "knows what it is for.",
    },
)
def public_address(answer):
    for address in "8.8.8.8", "2606:4700::1111":
        if not answer(address):
            raise Wrong(
                f"It refuses {address}.",
                "That is a server on the internet, where pictures come from. What is refused has to "
                "be named, or what is allowed is named too narrowly.",
            )
    for address, hint in {
        "127.0.0.1": "127.0.0.1 is this machine itself, the first that a stranger tries.",
        "10.0.0.5": "10.… is for private networks. Comparing the first letters of an address always "
        "misses some; which attribute knows all of them?",
        "192.168.1.1": "192.168.… is for private networks, too.",
        "169.254.169.254": "A machine in the cloud asks there for its own passwords. Is it public?",
        "::1": "That is this machine in the newer form of addresses, IPv6.",
        "100.64.0.1": "A provider's own network. Not private does not yet mean public: is "
        "there an attribute that asks it the other way round?",
        "224.0.0.1": "An address of many machines at once (multicast). It has an attribute, too.",
        "::ffff:127.0.0.1": "An IPv4 address in an IPv6 coat. Which addresses of IPv6 has the "
        "internet given out? Lesson 7 has a constant for them.",
    }.items():
        if answer(address):
            raise Wrong(f"It lets {address} through.", hint)
    return (
        "None of the addresses tried here gets through. Lesson 7 has some more: see RESERVED there."
    )


class Neighbour(BaseHTTPRequestHandler):
    """The server behind the firewall."""

    asked: list[str] = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(COAT.read_bytes())


@exercise(
    "redirect",
    Callable,
    hint="A redirect is a status from 301 to 308 (not 200), a header that says where to, and the end "
    "of the headers. Lesson 7's Stranger does that.",
)
def redirect(answer):
    with walk.web_server(Neighbour) as neighbour:
        handler = returned(answer(f"{neighbour}/salaries"))
        if not (isinstance(handler, type) and issubclass(handler, BaseHTTPRequestHandler)):
            raise Wrong(
                f"It returned {handler!r}.", "The class itself is asked for, without brackets."
            )
        errors = []

        class Watched(handler):
            def do_GET(self):
                try:
                    super().do_GET()
                except Exception as error:
                    errors.append(error)

        watched = Watched if hasattr(handler, "do_GET") else handler
        with walk.web_server(watched) as stranger:
            host = stranger.removeprefix("http://")
            _check_redirect(host, f"{neighbour}/salaries", errors)
            Neighbour.asked.clear()
            event = {"url": f"{stranger}/harmless.png"}
            walk.outcome(lambda handler: handler(event, None), lambda_function.lambda_handler)
            followed = bool(Neighbour.asked)
            Neighbour.asked.clear()
            api.ALLOWED_HOSTS.add(host)  # the first host is let through: the second is the question
            try:
                refused = error_of(event)
            finally:
                api.ALLOWED_HOSTS.clear()
    if not followed or Neighbour.asked:
        raise Wrong("The redirect did not lead lesson 3's function to the neighbour.", "Where to?")
    return (
        "Lesson 3's function followed and asked the neighbour. api.py looked at the second address, "
        f"too: {refused}."
    )


def _check_redirect(host: str, target: str, errors: list[Exception]) -> None:
    """Raise what is wrong with the answer of the reader's server, if it does not lead there."""
    connection = HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", "/harmless.png")
        reply = connection.getresponse()
    except (OSError, HTTPException):
        if errors:
            raise errors[0] from None
        raise Wrong(
            "The server hangs up without an answer.",
            "do_GET has to send a status and to end the headers.",
        ) from None
    finally:
        connection.close()
    if reply.status == 501:
        raise Wrong("It has no answer to GET.", "The server calls the method do_GET of the class.")
    if reply.status not in (301, 302, 303, 307, 308):
        raise Wrong(
            f"It answers with the status {reply.status}.",
            "That does not say: go somewhere else. Which numbers do?",
        )
    location = reply.getheader("Location")
    if not location:
        raise Wrong(
            "It says to go somewhere else, but not where.",
            "A header names the address, before the headers end.",
        )
    if location != target:
        raise Wrong(f"It leads to {location}.", "It should lead to the address that it was given.")
