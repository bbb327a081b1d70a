"""The function's contract: what it takes, what it refuses, and how it says so.

Each case of the corpus is put to the function in this process and under AWS's emulator.
"""

import importlib.util
import json
import os
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import corpus
import hypothesis
import pytest
import trustme
import urllib3
from conftest import PICTURES, REPOSITORY, emulator
from corpus import JEANS, image_event
from hypothesis import strategies

pytestmark = pytest.mark.xdist_group("walk")

# Short limits, so that the slow servers of the tests cost little time.
LIMITS = {
    "PICTURE_BYTES": "2000000",
    "CONNECT_SECONDS": "1",
    "READ_SECONDS": "0.6",
    "FETCH_SECONDS": "1.2",
    "REDIRECTS": "3",
}
CLASSES = "dress hat longsleeve outwear pants shirt shoes shorts skirt t-shirt".split()


class Server(BaseHTTPRequestHandler):
    """A picture's server, and all that one may do wrong."""

    redirects = {
        "/moved": "/jeans.png",
        "/loop": "/loop",
        "/to-private": "http://10.0.0.1/jeans.png",
        "/to-file": "file:///etc/hostname",
    }
    statuses = {"/missing": 404, "/failing": 500, "/empty": 204, "/to-nowhere": 302}

    def do_GET(self):
        if self.path in self.redirects:
            self.send_response(302)
            self.send_header("Location", self.redirects[self.path])
            self.end_headers()
        elif self.path in self.statuses:
            self.send_response(self.statuses[self.path])
            self.end_headers()
        elif self.path == "/silent":
            time.sleep(3)
        elif self.path == "/slow-header":
            self.drip(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", pause=0.2)
        else:
            self.send_response(200)
            if self.path == "/short":
                self.send_header("Content-Length", str(len(JEANS) + 1))
            if self.path == "/nonsense":
                self.send_header("Content-Length", "many")
            if self.path == "/gzip":
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            if self.path == "/slow-body":
                self.drip(b"", b"x", pause=0.2)
            elif self.path == "/endless":
                self.drip(b"", bytes(100_000), pause=0)
            else:
                content = {"/html": b"<html>", "/gzip": b"\x1f\x8b\x08"}.get(self.path, JEANS)
                self.wfile.write(content)

    def drip(self, first, piece, pause):
        try:
            self.wfile.write(first)
            for _ in range(100):
                self.wfile.write(piece)
                self.wfile.flush()
                time.sleep(pause)
        except OSError:  # the function has had enough
            pass

    def log_message(self, *args):
        pass


# What the function says to each of them.
FETCHED = {
    "/jeans.png": "jeans",
    "/moved": "jeans",
    "/nonsense": "ServerFailed",
    "/loop": "ServerFailed",
    "/to-private": "MalformedRequest",
    "/to-file": "MalformedRequest",
    "/to-nowhere": "ServerFailed",
    "/missing": "ServerFailed",
    "/failing": "ServerFailed",
    "/empty": "ServerFailed",
    "/silent": "ServerTooSlow",
    "/slow-header": "ServerTooSlow",
    "/slow-body": "ServerTooSlow",
    "/endless": "PictureTooLarge",
    "/short": "ServerFailed",
    "/html": "UnsupportedPicture",
    "/gzip": "UnsupportedPicture",
}
STATUS = {
    "MalformedRequest": 400,
    "PictureTooLarge": 413,
    "UnsupportedPicture": 415,
    "BrokenPicture": 422,
    "ServerFailed": 502,
    "ServerTooSlow": 504,
}


@pytest.fixture(scope="module")
def server():
    """Host and port of the server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


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


def load(walk, **settings):
    """Import the function afresh, as a cold start does, with these environment variables."""
    spec = importlib.util.spec_from_file_location("f", REPOSITORY / "lambda/lambda_function.py")
    function = importlib.util.module_from_spec(spec)
    model = str(walk / "generated/clothing-model.tflite")
    with variables(MODEL_PATH=model, **LIMITS, **settings):
        spec.loader.exec_module(function)
    return function


@pytest.fixture(scope="module")
def function(walk):
    """The function as it is deployed: it fetches from anywhere public."""
    return load(walk)


def in_process(function):
    def call(event):
        try:
            answer = function.lambda_handler(json.loads(json.dumps(event)), None)
        except function.RequestError as error:
            answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
        return json.loads(json.dumps(answer))

    return call


@contextmanager
def under_aws(walk, tmp_path_factory, **settings):
    log = tmp_path_factory.mktemp("emulator") / "log.txt"
    model = str(walk / "generated/clothing-model.tflite")
    with emulator(log, MODEL_PATH=model, **LIMITS, **settings) as address:

        def call(event):
            content = json.dumps(event)
            answer = urllib3.request("POST", address, body=content, timeout=20, retries=False)
            return answer.json()

        yield call


@pytest.fixture(scope="module", params=["in process", "under AWS's emulator"])
def call(request, walk, function, tmp_path_factory):
    """Put an event to the function; return its answer, or Lambda's report of its error."""
    if request.param == "in process":
        yield in_process(function)
    else:
        with under_aws(walk, tmp_path_factory) as call:
            yield call


@pytest.fixture(scope="module", params=["in process", "under AWS's emulator"])
def call_with_host(request, walk, server, tmp_path_factory):
    """The same, where ALLOWED_HOSTS names the server of these tests, and a port without one."""
    allowed = f"{server} 127.0.0.1:9"
    if request.param == "in process":
        yield in_process(load(walk, ALLOWED_HOSTS=allowed))
    else:
        with under_aws(walk, tmp_path_factory, ALLOWED_HOSTS=allowed) as call:
            yield call


@pytest.fixture(scope="module")
def references(walk, function):
    """Keras's scores of the jeans, and the function's of the same in grey."""
    record = json.loads((walk / "generated/expected-scores.json").read_text())
    grey = corpus.encoded(corpus.picture().convert("L").convert("RGB"), "PNG")
    return {
        "jeans": record["scores"]["notebooks/assets/jeans.png"],
        "grey jeans": function.predict(function.prepare(grey)),
    }


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
        assert answer == pytest.approx(references[expected], abs=1e-3)
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
    check(call_with_host({"url": f"http://{server}{path}"}), FETCHED[path], references)


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
        assert "Traceback" not in answer["body"] and "lambda_function" not in answer["body"]
    elif "GET" in case:
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

    monkeypatch.setattr(function.socket, "getaddrinfo", look_up)
    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
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
    walk, server, references, tmp_path, tmp_path_factory
):
    (tmp_path / "sitecustomize.py").write_text(REBINDING)
    port = server.split(":")[1]
    with under_aws(walk, tmp_path_factory, PYTHONPATH=str(tmp_path)) as call:
        event = {"url": f"http://rebinding.example:{port}/jeans.png"}
        check(call(event), "ServerFailed", references)
        check(call(event), "MalformedRequest", references)  # now it points here


def test_limits_are_set_by_environment_variables(walk):
    function = load(walk, PICTURE_PIXELS="100", ALLOWED_HOSTS="a.example, B.example:8080")
    assert function.ALLOWED_HOSTS == {"a.example", "b.example:8080"}
    with pytest.raises(function.PictureTooLarge, match="more than 100 pixels"):
        function.prepare(JEANS)


def test_one_private_address_among_public_ones_is_enough_to_refuse(function, monkeypatch):
    found = [(2, 1, 6, "", (address, 80)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(function.socket, "getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(function.MalformedRequest):
        function.fetch("http://two.example/jeans.png")


@pytest.mark.parametrize(("name", "trusted"), [("localhost", True), ("other.example", False)])
def test_https_wants_the_hosts_own_certificate(walk, name, trusted, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"https://localhost:{server.server_port}/jeans.png"
        function = load(walk, ALLOWED_HOSTS="localhost")
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

    monkeypatch.setattr(function, "predict", fail)
    answer = function.lambda_handler(corpus.http_v2(**corpus.body(JEANS, "image/png")), None)
    assert answer["statusCode"] == 500
    assert "secret" not in answer["body"] and "RuntimeError" not in answer["body"]
    assert '"error": "RuntimeError"' in capsys.readouterr().out


JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
    max_leaves=10,
)
KEYS = ["url", "image", "rawPath", "requestContext", "httpMethod", "path", "headers", "body"]
EVENTS = strategies.dictionaries(strategies.sampled_from([*KEYS, "isBase64Encoded"]), JSON)
REQUESTS = strategies.builds(
    lambda event, method, path, headers: (
        corpus.http_v2(method, path) | event | {"headers": headers}
    ),
    strategies.fixed_dictionaries({"body": JSON, "isBase64Encoded": JSON}),
    strategies.sampled_from(["GET", "POST", "OPTIONS", "PUT", ""]),
    strategies.sampled_from(["/", "", "/x"]),
    JSON | strategies.dictionaries(strategies.just("content-type"), JSON),
)
TEXTS = strategies.text() | strategies.builds(
    "http://{}/{}".format, strategies.text(), strategies.text()
)
DIRECTS = strategies.fixed_dictionaries({"url": TEXTS}) | strategies.builds(
    lambda content: image_event(content), strategies.binary()
)


@hypothesis.given(event=JSON | EVENTS | REQUESTS | DIRECTS)
@hypothesis.settings(max_examples=400, deadline=None, derandomize=True)
def test_any_event_gets_an_answer_or_a_named_error(function, event):
    def no_connection(connection):
        raise OSError("no connection leaves this test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(function.HTTPConnection, "connect", no_connection)
        patch.setattr(function.HTTPSConnection, "connect", no_connection)
        patch.setattr("builtins.print", lambda *args, **kwargs: None)
        try:
            answer = function.lambda_handler(event, None)
        except function.RequestError as error:
            assert str(error)
        else:
            json.dumps(answer)
            assert answer.get("statusCode") != 500


def test_all_pictures_get_kerass_scores(call, walk):
    record = json.loads((walk / "generated/expected-scores.json").read_text())["scores"]
    for path in PICTURES:
        answer = call(image_event(path.read_bytes()))
        assert answer == pytest.approx(record[f"notebooks/assets/{path.name}"], abs=1e-4)
