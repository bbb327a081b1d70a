"""The function's contract: what it takes, what it refuses, and how it says so.

Each case of the corpus is put to the function in this process and under AWS's emulator.
"""

import importlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

import corpus
import hypothesis
import pytest
import trustme
import urllib3
from conftest import PICTURES, REPOSITORY, environment
from corpus import JEANS, image_event
from hypothesis import strategies
from picture_server import FETCHED, Server, picture_server
from PIL import Image
from walk import lambda_runtime

pytestmark = pytest.mark.xdist_group("contract")

# Short limits, so that the slow servers of the tests cost little time.
LIMITS = {
    "PICTURE_BYTES": "2000000",
    "CONNECT_SECONDS": "1",
    "READ_SECONDS": "0.6",
    "FETCH_SECONDS": "1.2",
    "REDIRECTS": "3",
}
CLASSES = "dress hat longsleeve outwear pants shirt shoes shorts skirt t-shirt".split()


STATUS = {
    "MalformedRequest": 400,
    "UnknownPath": 404,
    "MethodNotAllowed": 405,
    "PictureTooLarge": 413,
    "UnsupportedPicture": 415,
    "BrokenPicture": 422,
    "ServerFailed": 502,
    "ServerTooSlow": 504,
}


@pytest.fixture(scope="module")
def server():
    """Host and port of the server."""
    with picture_server() as address:
        yield address


@contextmanager
def variables(**values):
    """Environment variables for the time of a `with` block."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def load(walked, **settings):
    """Import the function afresh, as a cold start does, with these environment variables."""
    for name in "api", "guards", "transport":
        sys.modules.pop(name, None)
    model = str(walked / "generated/clothing-model.tflite")
    with variables(MODEL_PATH=model, **LIMITS, **settings):
        return importlib.import_module("api")


@pytest.fixture(scope="module")
def function(walked):
    """The function as it is deployed: it fetches from anywhere public."""
    return load(walked)


def in_process(function):
    def call(event):
        try:
            answer = function.lambda_handler(json.loads(json.dumps(event)), None)
        except function.RequestError as error:
            answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
        return json.loads(json.dumps(answer))

    return call


@contextmanager
def under_aws(walked, tmp_path_factory, **settings):
    log = tmp_path_factory.mktemp("emulator") / "log.txt"
    model = str(walked / "generated/clothing-model.tflite")
    deployed = {"folder": REPOSITORY / "lambda", "environment": environment(), "log_file": log}
    settings |= LIMITS | {"MODEL_PATH": model}
    with lambda_runtime("api.lambda_handler", **deployed, **settings) as runtime:

        def call(event):
            body = json.dumps(event)
            answer = urllib3.request("POST", runtime.url, body=body, timeout=20, retries=False)
            return answer.json()

        yield call


@pytest.fixture(scope="module", params=["in process", "under AWS's emulator"])
def call(request, walked, function, tmp_path_factory):
    """Put an event to the function; return its answer, or Lambda's report of its error."""
    if request.param == "in process":
        yield in_process(function)
    else:
        with under_aws(walked, tmp_path_factory) as call:
            yield call


@pytest.fixture(scope="module", params=["in process", "under AWS's emulator"])
def call_with_host(request, walked, server, tmp_path_factory):
    """The same, where ALLOWED_HOSTS names the server of these tests, and a port without one."""
    allowed = f"{server} 127.0.0.1:9"
    if request.param == "in process":
        yield in_process(load(walked, ALLOWED_HOSTS=allowed))
    else:
        with under_aws(walked, tmp_path_factory, ALLOWED_HOSTS=allowed) as call:
            yield call


@pytest.fixture(scope="module")
def references(walked, function):
    """Keras's scores of the jeans, and the function's of the same in grey."""
    record = json.loads((walked / "generated/expected-scores.json").read_text())
    plain = {
        "grey jeans": corpus.encoded(corpus.picture().convert("L").convert("RGB"), "PNG"),
        "jeans on white": corpus.on_white("RGB"),
        "grey jeans on white": corpus.on_white("L"),
    }
    scores = {name: function.score(function.prepare(png)) for name, png in plain.items()}
    return scores | {"jeans": record["scores"]["notebooks/assets/jeans.png"]}


def check(answer, expected, references):
    """Compare an answer to a direct event with what the corpus expects."""
    if "errorType" in answer:
        allowed = {expected} if isinstance(expected, str) else expected
        assert answer["errorType"] in allowed, answer
        assert answer["errorMessage"] and "/" not in answer["errorMessage"].replace("://", "")
        return
    assert expected in (*references, "like jeans", "scores") or "scores" in expected, answer
    assert list(answer) == CLASSES
    assert all(type(score) is float for score in answer.values())
    if expected in references:
        assert answer == pytest.approx(references[expected], abs=1e-4)
    if expected == "like jeans":
        assert max(answer, key=answer.get) == "pants"


DIRECT = corpus.pictures() | corpus.malformed() | corpus.urls()
HTTP = corpus.http()


def test_the_corpus_is_large():
    assert len(DIRECT) + len(FETCHED) + len(HTTP) > 150


@pytest.mark.parametrize("case", DIRECT)
def test_direct_events(call, references, case):
    event, expected = DIRECT[case]
    check(call(event), expected, references)


@pytest.mark.parametrize("path", FETCHED)
def test_events_with_a_url(call_with_host, references, server, path):
    started = time.monotonic()
    check(call_with_host({"url": f"http://{server}{path}"}), FETCHED[path], references)
    assert time.monotonic() - started < 10, "the limits were not kept: the slow servers take 20 s"


def test_a_closed_port_is_a_server_that_failed(call_with_host, references):
    check(call_with_host({"url": "http://127.0.0.1:9/jeans.png"}), "ServerFailed", references)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:10", "localhost", "example.com"])
def test_no_other_host_than_the_allowed_ones_is_asked(call_with_host, references, host):
    check(call_with_host({"url": f"http://{host}/jeans.png"}), "MalformedRequest", references)


@pytest.mark.parametrize("case", HTTP)
def test_http_events(call, case):
    event, status = HTTP[case]
    answer = call(event)
    assert answer["statusCode"] == status, answer
    assert answer["headers"]["content-type"] == "application/json"
    assert answer["headers"]["access-control-allow-origin"] == "*"
    body = json.loads(answer["body"] or "{}")
    if status >= 400:
        assert set(body) == {"error", "message"}
        assert body["error"] == {status: name for name, status in STATUS.items()}[status]
        assert "Traceback" not in answer["body"] and "lambda_function" not in answer["body"]
        assert "api.py" not in answer["body"] and "guards.py" not in answer["body"]
    elif "GET" in case:  # HEAD, too
        assert body["classes"] == CLASSES and "POST /" in body
    elif status == 200:
        assert body["prediction"] == "pants"
        assert 0.5 < body["probability"] <= 1
        assert list(body["scores"]) == CLASSES
    else:
        assert answer["body"] == ""
        assert "POST" in answer["headers"]["access-control-allow-methods"]


@pytest.mark.parametrize("path", FETCHED)
def test_http_events_with_a_url(call_with_host, server, path):
    event = corpus.http_v2(body=json.dumps({"url": f"http://{server}{path}"}))
    answer = call_with_host(event)
    assert answer["statusCode"] == STATUS.get(FETCHED[path], 200)
    if answer["statusCode"] != 200:
        assert json.loads(answer["body"])["error"] == FETCHED[path]
        assert "127.0.0.1" not in answer["body"]


def test_a_failed_request_does_not_change_the_next_answer(call, references):
    for case in ("picture, truncated PNG", "event, null", "picture, TIFF", "url, localhost"):
        call(DIRECT[case][0])
        check(call(image_event(JEANS)), "jeans", references)


def test_the_connection_goes_to_the_address_that_was_checked(function, monkeypatch):
    answers = iter(["93.184.216.34", "127.0.0.1"])  # of two look-ups of the same name
    connected = []

    def look_up(host, port, **kwargs):
        return [(2, 1, 6, "", (next(answers), port))]

    def connect(address, *args, **kwargs):
        connected.append(address)
        raise OSError("no connection leaves this test")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(function.ServerFailed):
        function.fetch("http://rebinding.example/jeans.png")
    assert connected == [("93.184.216.34", 80)]


# The first look-up of this name finds a public address, all others the tests' server. The public
# address itself is out of reach, so that no connection leaves the tests.
REBINDING = """
import socket
look_up, public = socket.getaddrinfo, ["93.184.216.34"]

def rebinding(host, *args, **kwargs):
    if host == "93.184.216.34":
        raise OSError("no connection leaves this test")
    if host == "rebinding.example":
        host = public.pop() if public else "127.0.0.1"
        return [(2, 1, 6, "", (host, 80))] if host != "127.0.0.1" else look_up(host, *args, **kwargs)
    return look_up(host, *args, **kwargs)

socket.getaddrinfo = rebinding
"""


def test_a_name_that_changes_its_address_is_not_followed_under_aws(
    walked, server, references, tmp_path, tmp_path_factory
):
    (tmp_path / "sitecustomize.py").write_text(REBINDING)
    port = server.split(":")[1]
    with under_aws(walked, tmp_path_factory, PYTHONPATH=str(tmp_path)) as call:
        event = {"url": f"http://rebinding.example:{port}/jeans.png"}
        check(call(event), "ServerFailed", references)
        check(call(event), "MalformedRequest", references)  # now the name points here


def test_a_redirect_to_a_private_address_is_refused_where_no_hosts_are_listed(
    function, monkeypatch
):
    """The check of public addresses, not the list of allowed hosts, stops it."""
    addresses = {"stranger.example": "93.184.216.34", "inside.example": "10.0.0.5"}
    connected, servers = [], []

    def look_up(host, port, **kwargs):
        return [(2, 1, 6, "", (addresses[host], port))]

    def connect(address, *args, **kwargs):
        connected.append(address)
        ours, theirs = socket.socketpair()
        servers.append(theirs)
        theirs.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://inside.example/\r\n\r\n")
        return ours

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(function.ServerFailed, match="redirects to where we do not go"):
        function.fetch("http://stranger.example/jeans.png")
    assert connected == [("93.184.216.34", 80)]


def test_a_look_up_that_takes_too_long_is_given_up(function, monkeypatch):
    def look_up(*args, **kwargs):
        time.sleep(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    started = time.monotonic()
    with pytest.raises(function.ServerTooSlow):
        function.fetch("http://slow.example/jeans.png")
    assert time.monotonic() - started < 10


def test_our_own_examples_of_direct_events(call, call_with_host, references, server):
    examples = corpus.direct_examples()
    check(call(examples["direct-image"]), "like jeans", references)
    url = examples["direct-url"]["url"].replace("https://example.com", f"http://{server}")
    check(call_with_host({"url": url}), "jeans", references)


def test_a_setting_that_names_no_host_is_no_permission_for_all(walked):
    with pytest.raises(ValueError, match="ALLOWED_HOSTS is set, but names no host"):
        load(walked, ALLOWED_HOSTS=" , ")


def test_the_largest_picture_fits_into_the_memory_that_the_readme_names(walked):
    """In a process of its own: a transparent WebP of 25 million pixels, the hungriest kind."""
    webp = corpus.encoded(Image.new("RGBA", (5000, 5000)), "WEBP", lossless=True)
    code = (
        "import json, sys, api; from pathlib import Path\n"
        "api.lambda_handler(json.load(sys.stdin), None)\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY / "lambda",
        env={"MODEL_PATH": str(walked / "generated/clothing-model.tflite")},
        input=json.dumps(image_event(webp)),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    peak = int(process.stdout.splitlines()[-1]) / 1024  # MB
    assert 300 < peak < 600


def test_limits_are_set_by_environment_variables(walked):
    function = load(walked, PICTURE_PIXELS="100", ALLOWED_HOSTS="a.example, B.example:8080")
    assert sys.modules["guards"].ALLOWED_HOSTS == {"a.example", "b.example:8080"}
    with pytest.raises(function.PictureTooLarge, match="more than 100 pixels"):
        function.prepare(JEANS)


def test_one_private_address_among_public_ones_is_enough_to_refuse(function, monkeypatch):
    found = [(2, 1, 6, "", (address, 80)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(function.MalformedRequest):
        function.fetch("http://two.example/jeans.png")


@pytest.mark.parametrize(("name", "trusted"), [("localhost", True), ("other.example", False)])
def test_https_wants_the_hosts_own_certificate(walked, name, trusted, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"https://localhost:{server.server_port}/jeans.png"
        function = load(walked, ALLOWED_HOSTS="localhost")
        with variables(SSL_CERT_FILE=str(tmp_path / "authority.pem")):
            if trusted:
                assert function.fetch(url) == JEANS
            else:
                with pytest.raises(function.ServerFailed):
                    function.fetch(url)
    finally:
        server.shutdown()


def test_each_request_writes_one_line_to_the_log(function, capsys):
    class Context:
        aws_request_id = "the id of this request"

    function.lambda_handler(image_event(JEANS), Context)
    function.lambda_handler(corpus.http_v2(body="{}"), Context)
    with pytest.raises(function.MalformedRequest):
        function.lambda_handler({"url": "http://127.0.0.1/?token=secret"}, Context)
    output = capsys.readouterr().out
    lines = [json.loads(line) for line in output.splitlines()]
    assert [line["status"] for line in lines] == [200, 400, 400]
    assert [line["event"] for line in lines] == ["direct", "http", "direct"]
    assert {line["request_id"] for line in lines} == {"the id of this request"}
    assert lines[0]["bytes"] == len(JEANS)
    assert {"fetch_ms", "decode_ms", "invoke_ms"} <= set(lines[0])
    assert "secret" not in output and corpus.base64_text(JEANS)[:50] not in output


def test_an_error_of_our_own_shows_no_details_to_an_http_caller(function, monkeypatch, capsys):
    def fail(X):
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(function, "score", fail)
    answer = function.lambda_handler(corpus.http_v2(**corpus.body(JEANS, "image/png")), None)
    assert answer["statusCode"] == 500
    assert "secret" not in answer["body"] and "RuntimeError" not in answer["body"]
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["error"] == "RuntimeError"
    assert "/secret/path" in json.loads(line)["traceback"]


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
    strategies.sampled_from([JEANS, corpus.encoded(corpus.picture(), "JPEG")]),
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


def test_all_pictures_get_kerass_scores(call, walked):
    record = json.loads((walked / "generated/expected-scores.json").read_text())["scores"]
    for path in PICTURES:
        answer = call(image_event(path.read_bytes()))
        assert answer == pytest.approx(record[f"notebooks/assets/{path.name}"], abs=1e-4)
