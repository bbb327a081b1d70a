"""Whatever the event, and whatever a server sends: an answer, or an error with a name."""

import json
import socket

import corpus
import hypothesis
import pytest
from corpus import image_event
from hypothesis import strategies
from picture_files import JEANS, encoded, picture

pytestmark = pytest.mark.xdist_group("contract")


JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats(allow_nan=False)
    | strategies.text(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
    max_leaves=10,
)
KEYS = ["url", "image", "rawPath", "requestContext", "httpMethod", "path", "headers", "body"]
ANY_KEYS = strategies.dictionaries(strategies.sampled_from([*KEYS, "isBase64Encoded"]), JSON)
HEADERS = strategies.dictionaries(
    strategies.just("content-type"),
    JSON | strategies.sampled_from(["image/png", "application/json"]),
)
OVER_HTTP = strategies.builds(
    lambda form, method, path, rest: form(method, path, **rest),
    strategies.sampled_from([corpus.http_v1, corpus.http_v2]),
    strategies.sampled_from(["GET", "POST", "OPTIONS", "PUT", ""]),
    strategies.sampled_from(["/", "", "/x"]),
    strategies.fixed_dictionaries(
        {"body": JSON, "isBase64Encoded": JSON, "headers": JSON | HEADERS}
    ),
)
CHANGED = strategies.builds(
    lambda content, at, byte: image_event(content[:at] + bytes([byte]) + content[at + 1 :]),
    strategies.sampled_from([JEANS, encoded(picture(), "JPEG")]),
    strategies.integers(0, 20_000),
    strategies.integers(0, 255),
)
URLS = strategies.builds(
    "{}://{}/{}".format,
    strategies.sampled_from(["http", "https"]),
    strategies.just("example.com") | strategies.text(),
    strategies.text(),
)
BEGINNINGS = [
    b"",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: ",
]
SENT = strategies.builds(
    lambda beginning, rest: beginning + rest,
    strategies.sampled_from(BEGINNINGS),
    strategies.binary() | strategies.sampled_from([JEANS, b"http://[\r\n\r\n", b"/\r\n\r\n"]),
)


@hypothesis.given(
    event=JSON | ANY_KEYS | OVER_HTTP | CHANGED | strategies.fixed_dictionaries({"url": URLS}),
    sent=SENT,
)
@hypothesis.settings(max_examples=500, deadline=10_000, derandomize=True, database=None)
def test_any_event_gets_an_answer_or_a_named_error_in_bounded_time(function, event, sent):
    """Whatever the event, and whatever the server of a URL sends."""
    servers = []

    def connect(*args, **kwargs):  # no connection leaves this test
        ours, theirs = socket.socketpair()
        servers.append(theirs)
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        return ours

    with pytest.MonkeyPatch.context() as patch:
        found = [(2, 1, 6, "", ("93.184.216.34", 80))]
        patch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
        patch.setattr(socket, "create_connection", connect)
        patch.setattr("builtins.print", lambda *args, **kwargs: None)
        try:
            answer = function.lambda_handler(event, None)
        except function.RequestError as error:
            assert str(error)
        else:
            json.dumps(answer)
            assert answer.get("statusCode") != 500
    for theirs in servers:
        theirs.close()
