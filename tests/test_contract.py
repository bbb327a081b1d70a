"""The function's contract: what it takes, what it refuses, and how it says so.

Each case of the corpus is put to the function in this process and under AWS's emulator.
"""

import json
import sys

import corpus
import pytest
from conftest import PICTURES
from contract import CLASSES, STATUS, answer_and_peak, check, load
from corpus import image_event
from picture_files import JEANS, encoded
from picture_server import FETCHED
from PIL import Image

pytestmark = pytest.mark.xdist_group("contract")


DIRECT = corpus.pictures() | corpus.malformed() | corpus.urls()
HTTP = corpus.http()


def test_the_corpus_is_large():
    assert len(DIRECT) + len(FETCHED) + len(HTTP) > 150


@pytest.mark.parametrize("case", DIRECT)
def test_direct_events(call, references, case):
    event, expected = DIRECT[case]
    check(call(event), expected, references)


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


def test_a_failed_request_does_not_change_the_next_answer(call, references):
    for case in ("picture, truncated PNG", "event, null", "picture, TIFF", "url, localhost"):
        call(DIRECT[case][0])
        check(call(image_event(JEANS)), "jeans", references)


def test_our_own_examples_of_direct_events(call, call_with_host, references, server):
    examples = corpus.direct_examples()
    check(call(examples["direct-image"]), "like jeans", references)
    url = examples["direct-url"]["url"].replace("https://example.com", f"http://{server}")
    check(call_with_host({"url": url}), "jeans", references)


def test_the_largest_picture_fits_into_the_memory_that_the_readme_names(walked):
    """In a process of its own: a transparent WebP of 25 million pixels, the hungriest kind."""
    webp = encoded(Image.new("RGBA", (5000, 5000)), "WEBP", lossless=True)
    _, peak = answer_and_peak(walked, image_event(webp))
    assert 300 < peak < 600


def test_limits_are_set_by_environment_variables(walked):
    function = load(walked, PICTURE_PIXELS="100", ALLOWED_HOSTS="a.example, B.example:8080")
    assert sys.modules["guards"].ALLOWED_HOSTS == {"a.example", "b.example:8080"}
    with pytest.raises(function.PictureTooLarge, match="more than 100 pixels"):
        function.prepare(JEANS)


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


def test_all_pictures_get_kerass_scores(call, walked):
    record = json.loads((walked / "generated/expected-scores.json").read_text())["scores"]
    for path in PICTURES:
        answer = call(image_event(path.read_bytes()))
        assert answer == pytest.approx(record[f"notebooks/assets/{path.name}"], abs=1e-4)
