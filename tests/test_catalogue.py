"""The function for a batch of pictures in a bucket, on the S3 of an AWS on this machine."""

import base64
import json
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

import boto3
import corpus
import pytest
import urllib3
import walk
from botocore.exceptions import ClientError, EndpointConnectionError, ResponseStreamingError
from conftest import REPOSITORY, environment, wait_for
from contract import LIMITS, variables
from deployment import LAMBDA
from picture_files import JEANS

pytestmark = pytest.mark.xdist_group("catalogue")

BUCKET = "pictures"


@pytest.fixture(scope="module")
def s3(cloud):
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="jeans.png", Body=JEANS)
    return client


# What the function is made of; other tests import it in their own way.
MODULES = "catalogue", "answers", "guards", "transport", "decoding", "lambda_function"


@pytest.fixture
def function(work_there, s3, monkeypatch):
    """The function for batches in this process, freshly imported, on that AWS."""
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    model = str(work_there / "generated/clothing-model.tflite")
    with variables(MODEL_PATH=model, **LIMITS):
        monkeypatch.syspath_prepend(str(LAMBDA))
        import catalogue
    yield catalogue
    for name in MODULES:
        sys.modules.pop(name, None)


def batch(*keys, results="results/"):
    """An event as Step Functions sends it."""
    return {
        "Items": [{"Key": key, "Etag": "…", "Size": 1} for key in keys],
        "BatchInput": {"bucket": BUCKET, "results": results},
    }


def written(s3, answer):
    """The rows of the object that an answer names."""
    content = s3.get_object(Bucket=BUCKET, Key=answer["object"])["Body"].read().decode()
    assert content.endswith("\n")
    return [json.loads(line) for line in content.splitlines()]


def test_each_picture_of_the_corpus_has_its_row_under_awss_emulator(
    work_there, s3, cloud, tmp_path
):
    cases, contents = corpus.pictures(), {}
    for name, (event, _) in cases.items():
        with suppress(KeyError, ValueError):  # other ways to write base64: a bucket holds bytes
            contents[name] = base64.b64decode(event["image"], validate=True)
    cases = {name: cases[name] for name in contents}
    assert len(cases) > 100
    for name, content in contents.items():
        s3.put_object(Bucket=BUCKET, Key=f"{name}+ä", Body=content)
    model = str(work_there / "generated/clothing-model.tflite")
    with walk.lambda_runtime(
        "catalogue.lambda_handler",
        folder=LAMBDA,
        log_file=tmp_path / "log.txt",
        environment=environment() | cloud.aws.variables,
        MODEL_PATH=model,
        **LIMITS,
    ) as runtime:
        event = batch(*(f"{name}+ä" for name in cases))
        answer = urllib3.request("POST", runtime.url, json=event, timeout=60).json()
    rows = written(s3, answer)
    assert [row["picture"] for row in rows] == [f"{name}+ä" for name in cases]
    for row, (_, expected) in zip(rows, cases.values(), strict=True):
        expected = {expected} if isinstance(expected, str) else expected
        if "error" in row:
            assert row.keys() == {"picture", "error", "message"} and row["error"] in expected
        else:
            assert row.keys() == {"picture", "prediction", "probability", "scores"}
            assert not expected & {"BrokenPicture", "UnsupportedPicture", "PictureTooLarge"} or (
                "scores" in expected
            ), row
            if expected & {"jeans", "like jeans"}:
                assert row["prediction"] == "pants"
    assert answer["errors"] == sum("error" in row for row in rows) > 15


def test_the_scores_are_those_of_the_function(function, s3, work_there):
    expected = json.loads((work_there / "generated/expected-scores.json").read_text())["scores"]
    for picture in expected:
        s3.put_object(Bucket=BUCKET, Key=picture, Body=(REPOSITORY / picture).read_bytes())
    for row in written(s3, function.lambda_handler(batch(*expected), None)):
        assert row["scores"] == pytest.approx(expected[row["picture"]], abs=1e-4)


NAMES = ["a b.png", "größe.png", "1+1.png", "100%.png", "a/b/../c.png", "#?&=.png", "'\"<>.png"]


def test_keys_may_hold_spaces_umlauts_plus_signs_and_the_like(function, s3):
    for name in NAMES:
        s3.put_object(Bucket=BUCKET, Key=name, Body=JEANS)
    rows = written(s3, function.lambda_handler(batch(*NAMES), None))
    assert [(row["picture"], row["prediction"]) for row in rows] == [(n, "pants") for n in NAMES]


def test_a_missing_object_is_a_row(function, s3):
    missing, jeans = written(s3, function.lambda_handler(batch("no.png", "jeans.png"), None))
    assert missing["error"] == "NoSuchKey" and jeans["prediction"] == "pants"


def test_an_object_that_may_not_be_read_is_a_row(function, s3, monkeypatch):
    """To another account this bucket's policy gives all objects but those of the safe."""
    s3.put_object(Bucket=BUCKET, Key="safe/jeans.png", Body=JEANS)
    stranger = {"AWS": "arn:aws:iam::111111111111:root"}
    anything = {"Principal": stranger, "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    safe = anything | {"Resource": f"arn:aws:s3:::{BUCKET}/safe/*"}
    statements = [{"Effect": "Allow"} | anything, {"Effect": "Deny"} | safe]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    stranger = boto3.client("s3", aws_access_key_id="111111111111", aws_secret_access_key="x")
    monkeypatch.setattr(function, "s3", stranger)
    answer = function.lambda_handler(batch("safe/jeans.png", "jeans.png"), None)
    s3.delete_bucket_policy(Bucket=BUCKET)
    refused, jeans = written(s3, answer)
    assert refused["error"] == "AccessDenied" and jeans["prediction"] == "pants"


class Huge(BaseHTTPRequestHandler):
    """An S3 with an object of 5 GB; it notes how much of that somebody takes."""

    sent = 0

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(5 * 1024**3))
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(65536))
                Huge.sent += 65536
        except OSError:
            self.close_connection = True


def test_an_object_of_5_gb_is_a_row_and_is_not_fetched(function, s3, monkeypatch):
    with walk.web_server(Huge) as address:
        monkeypatch.setattr(function, "s3", boto3.client("s3", endpoint_url=address))
        with pytest.raises(sys.modules["guards"].PictureTooLarge, match="more than 2000000 bytes"):
            function.fetch(BUCKET, "film.mp4")
    assert Huge.sent < 20e6  # what the two ends of a connection hold


def test_an_object_that_was_replaced_is_scored_as_it_is_now(function, s3):
    s3.put_object(Bucket=BUCKET, Key="changing", Body=b"")
    first = function.lambda_handler(batch("changing"), None)
    (before,) = written(s3, first)
    s3.put_object(Bucket=BUCKET, Key="changing", Body=JEANS)
    second = function.lambda_handler(batch("changing"), None)
    (after,) = written(s3, second)
    assert first["object"] == second["object"]
    assert before["error"] == "BrokenPicture" and after["prediction"] == "pants"


def failing(status, code):
    """An S3 that answers every request with this error."""

    class Failing(BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self):
            Failing.asked += 1
            self.send_response(status)
            self.end_headers()
            self.wfile.write(f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())

    return Failing


class Short(BaseHTTPRequestHandler):
    """An S3 that sends less than it announces."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(JEANS)))
        self.end_headers()
        self.wfile.write(JEANS[:-1000])


@pytest.mark.parametrize(
    "status", [(503, "SlowDown"), (500, "InternalError"), (404, "NoSuchBucket")]
)
def test_what_may_pass_or_is_our_mistake_fails_the_batch(function, monkeypatch, status):
    server = failing(*status)
    with walk.web_server(server) as address:
        s3 = boto3.client("s3", endpoint_url=address, config=function.PATIENCE)
        monkeypatch.setattr(function, "s3", s3)
        with pytest.raises(ClientError, match=status[1]):
            function.lambda_handler(batch("jeans.png"), None)
    assert server.asked == (1 if status[0] == 404 else 3)  # the library itself asks three times


def test_a_connection_that_breaks_or_cannot_be_made_fails_the_batch(function, monkeypatch):
    with walk.web_server(Short) as address:
        s3 = boto3.client("s3", endpoint_url=address, config=function.PATIENCE)
        monkeypatch.setattr(function, "s3", s3)
        with pytest.raises(ResponseStreamingError):
            function.lambda_handler(batch("jeans.png"), None)
    with pytest.raises(EndpointConnectionError):  # the server is no more
        function.lambda_handler(batch("jeans.png"), None)


def test_a_batch_that_comes_twice_writes_the_same_object(function, s3):
    twice = [function.lambda_handler(batch("jeans.png", results="twice/"), None) for _ in range(2)]
    assert twice[0] == twice[1]
    assert walk.keys(s3, BUCKET, "twice/") == [twice[0]["object"]]
    other = function.lambda_handler(batch("jeans.png", "no.png", results="twice/"), None)
    assert other["object"] != twice[0]["object"]
    assert len(walk.keys(s3, BUCKET, "twice/")) == 2


def test_of_a_picture_in_two_batches_the_newest_row_counts(function, s3):
    function.lambda_handler(batch("late.png", "jeans.png", results="moved/"), None)
    s3.put_object(Bucket=BUCKET, Key="late.png", Body=JEANS)
    time.sleep(1)  # S3 notes times in seconds
    function.lambda_handler(batch("late.png", results="moved/"), None)
    rows = walk.result_rows(s3, BUCKET, "moved/")
    assert [row["picture"] for row in rows] == ["jeans.png", "late.png"]
    assert all(row["prediction"] == "pants" for row in rows)


def test_one_item_alone_is_a_batch_of_one(function, s3):
    event = {"Key": "jeans.png", "bucket": BUCKET, "results": "one/"}
    answer = function.lambda_handler(event, None)
    assert answer["pictures"] == 1 and answer["object"].startswith("one/")
    assert written(s3, answer)[0]["prediction"] == "pants"


def test_at_most_one_picture_waits_while_one_is_scored(function, monkeypatch):
    fetched, scored = [], []

    def fetch(bucket, key):
        fetched.append(key)
        return JEANS

    def slow(picture):
        wait_for(lambda: len(fetched) > min(len(scored) + 1, 9))  # the next one is there
        time.sleep(0.02)  # long enough to fetch everything, if anybody did
        scored.append(len(fetched))
        raise function.RequestError

    monkeypatch.setattr(function, "fetch", fetch)
    monkeypatch.setattr(function, "prepare", slow)
    keys = [str(number) for number in range(10)]
    assert [row["picture"] for row in function.rows(BUCKET, keys)] == keys
    assert scored == [min(number + 2, 10) for number in range(10)]
