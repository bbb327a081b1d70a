"""Requests as people, gateways and timers really send them; what is refused is told what was seen."""

import base64
import json
import random
import sys
import time

import corpus
import pytest
from corpus import base64_text
from picture_files import JEANS

pytestmark = pytest.mark.xdist_group("contract")

DATA_URL = f"data:image/png;base64,{base64_text(JEANS)}"


@pytest.fixture(scope="module")
def incoming(function):
    return sys.modules["incoming"]


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("https://example.com/jeans.png", 'it is an address, which goes into {"url": "https://…"}'),
        ("jeans.png", "it is the name of a file"),
        (r"C:\Users\me\jeans of 2024.jpeg", "it is the name of a file"),
        (str(base64.b64encode(JEANS)), "it is Python's text of bytes"),
        ("data:image/svg+xml,%3Csvg/%3E", "it is a data URL without ;base64"),
        (JEANS.decode("latin-1"), r"at 0 it has the character '\x89'"),
        (f"{base64_text(JEANS)[:80]}\tAAAA", r"at 80 it has the character '\t'"),
        (base64_text(JEANS)[:5001], "some of it is missing, or there is more behind its end"),
        ("ab==cd==", "some of it is missing, or there is more behind its end"),
    ],
)
def test_what_is_not_base64_is_told_what_was_seen(function, image, words):
    with pytest.raises(function.MalformedRequest) as error:
        function.lambda_handler({"image": image}, None)
    assert words in str(error.value) and len(str(error.value)) < 150


def test_a_plus_is_told_from_a_space_by_what_stands_around_it(incoming):
    random_bytes = random.Random(0).randbytes
    for length in range(40, 400):
        content = b"\xff\xd8" + random_bytes(length) + b"\xff\xd9"
        text = base64_text(content)
        assert incoming.from_base64(text.replace("+", " ")) == content
        lines = base64.encodebytes(content).decode().split()
        assert incoming.from_base64(" ".join(lines)) == content


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{'url': 'https://example.com'}", "its names and texts have to be in double quotes"),
        ("{url: https://example.com}", "its names and texts have to be in double quotes"),
        ('{"url": "https://example.com",}', "Expecting property name enclosed in double quotes"),
        ('{"url": ' + "1" * 5000 + "}", "a number in it is too long"),
        ("[" * 100_000, "it is nested too deeply"),
        (JEANS, "it is a picture, of which the header content-type has to tell"),
        (b"\x80abc", "it is no text"),
    ],
)
def test_json_that_is_none_is_told_why(function, body, words):
    content = body if isinstance(body, bytes) else body.encode()
    event = corpus.http_v2(**corpus.body(content, "application/json"))
    answer = function.lambda_handler(event, None)
    assert answer["statusCode"] == 400 and words in json.loads(answer["body"])["message"]


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain;charset=UTF-8", "video/mp4"]
)
def test_the_refusal_of_another_type_shows_the_right_command(function, content_type):
    answer = function.lambda_handler(corpus.http_v2(**corpus.body(b"x", content_type)), None)
    message = json.loads(answer["body"])["message"]
    assert answer["statusCode"] == 415 and repr(content_type) in message
    assert "curl -F picture=@jeans.jpg" in message and "curl -F url=https://" in message


# --- forms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [corpus.http_v1, corpus.http_v2])
def test_a_form_whose_bytes_a_gateway_made_a_text_of_is_told_so(function, event):
    """A REST API does that to what its binaryMediaTypes do not name."""
    sent = corpus.form((corpus.FILE, JEANS))
    sent["body"] = base64.b64decode(sent["body"]).decode(errors="replace")
    answer = function.lambda_handler(event(**sent | {"isBase64Encoded": False}), None)
    assert answer["statusCode"] == 400
    assert "a REST API passes on what its binaryMediaTypes names" in answer["body"]


def test_a_form_of_text_alone_may_come_as_text(function):
    sent = corpus.form(('name="image"', DATA_URL.encode()))
    sent["body"] = base64.b64decode(sent["body"]).decode()
    answer = function.lambda_handler(corpus.http_v1(**sent | {"isBase64Encoded": False}), None)
    assert json.loads(answer["body"])["prediction"] == "pants"


def test_a_file_arrives_to_the_byte(incoming):
    """Also one that is made of what a form is made of."""
    rng = random.Random(0)
    for _ in range(500):
        content = bytes(rng.choice(b"\r\n-XyZ\x00\xff \t") for _ in range(rng.randrange(50)))
        if b"\n--XyZ" in content or not content:
            continue
        sent = corpus.form((corpus.FILE, content), boundary="XyZ")
        event = corpus.http_v2(**sent)
        assert incoming.from_form(event, sent["headers"]["Content-Type"]) == {"image": content}


def bombs():
    """Bodies of four megabytes that cost a careless parser minutes, with the boundary XyZ."""
    size = 4_000_000
    nested = b"--XyZ\r\nContent-Type: multipart/mixed; boundary=XyZ\r\n\r\n"
    part = b"--XyZ\r\nContent-Disposition: form-data; %s\r\n\r\nx\r\n--XyZ--\r\n"
    return {
        "parts within parts": nested * (size // len(nested)),
        "parts": b"--XyZ\r\n" * (size // 7),
        "almost parts": b"\n--XyY" * (size // 6),
        "lines": b"\r\n" * (size // 2),
        "a line": b"--XyZ" + b" " * size,
        "headers": part % (b"\r\na: b" * (size // 6)),
        "parameters": part % (b'; a="' * (size // 5)),
        "a few parameters": part % (b'; a="' * 300),
    }


@pytest.mark.parametrize("name", bombs())
def test_a_form_that_would_take_minutes_is_refused_at_once(function, incoming, name):
    event = corpus.http_v2(**corpus.body(bombs()[name], "multipart/form-data; boundary=XyZ"))
    started = time.process_time()
    with pytest.raises((function.MalformedRequest, function.PictureTooLarge)):
        incoming.from_form(event, "multipart/form-data; boundary=XyZ")
    assert time.process_time() - started < 5, "parsers that look into all of it take minutes"


@pytest.mark.parametrize("text", ["%2B", "%", "\n", " ", "a ", "data:", "%2b\n"])
def test_neither_does_base64(function, incoming, monkeypatch, text):
    monkeypatch.setattr(sys.modules["guards"], "PICTURE_BYTES", 10_000_000)
    started = time.process_time()
    try:
        incoming.from_base64(text * (6_000_000 // len(text)))
    except function.MalformedRequest:
        pass
    assert time.process_time() - started < 5


# --- paths ---------------------------------------------------------------------------------------

OURS, AWSS = "api.example.com", "abc.execute-api.eu-central-1.amazonaws.com"
FUNCTION_URL = "abc.lambda-url.eu-central-1.on.aws"


@pytest.mark.parametrize(
    ("path", "domain", "more", "expected"),
    [
        ("/", OURS, {}, ""),
        ("/v1/", OURS, {}, ""),
        ("/shop/v1/", OURS, {}, ""),
        ("/v1/openapi.yaml", OURS, {}, "openapi.yaml"),
        ("/openapi.yaml", OURS, {}, "openapi.yaml"),
        ("/v1", OURS, {"routeKey": "POST /"}, ""),  # a gateway with routes says which one it was
        ("/v1", OURS, {"resource": "/"}, ""),
        ("/v1/x", OURS, {"resource": "/{proxy+}", "pathParameters": {"proxy": "x"}}, "x"),
        ("/v1", OURS, {"routeKey": "$default"}, "v1"),
        ("/admin", OURS, {}, "admin"),
        ("/v1/admin", OURS, {}, "v1/admin"),
        ("/v1/", AWSS, {}, "v1"),  # AWS's own names have no base paths
        ("/v1/", FUNCTION_URL, {}, "v1"),
        ("/prod/", AWSS, {"stage": "prod"}, ""),
        ("/v1/", "", {}, "v1"),
    ],
)
@pytest.mark.parametrize("version", [corpus.http_v1, corpus.http_v2])
def test_a_base_path_of_a_domain_of_ones_own_is_taken_away(
    function, version, path, domain, more, expected
):
    more = dict(more)
    stage = more.pop("stage", "$default")
    event = version("GET", path, **more)
    event["requestContext"] |= {"domainName": domain, "stage": stage}
    assert function.http_request(event) == ("GET", expected)


# --- pings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
        {"source": "aws.scheduler", "detail-type": "Scheduled Event"},
        {"source": "serverless-plugin-warmup"},
        {"warmer": True, "concurrency": 3},
        {"ping": "pong"},
    ],
)
def test_what_keeps_the_function_awake_is_no_error(call, event):
    assert call(event) == {"awake": True}


@pytest.mark.parametrize(
    "event", [{"source": "aws.s3"}, {"warmer": False}, {"source": "aws.events", "url": 1}]
)
def test_an_event_that_went_to_the_wrong_function_still_is(call, event):
    assert call(event)["errorType"] == "MalformedRequest"
