"""The call of the deployed function: signed by curl, and by the lesson's Python."""

import re
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import pytest
import urllib3
import walk
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import REPOSITORY, code_cells, run
from deployment import LESSON, REGION, template
from picture_files import JEANS


@pytest.fixture
def recorder():
    """A server that keeps what is posted to it: its URL, and the requests so far."""
    requests = []

    class Recorder(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            url = f"http://127.0.0.1:{self.server.server_port}/"
            requests.append(AWSRequest("POST", url, dict(self.headers), body))
            self.send_response(200)
            self.end_headers()

    with walk.web_server(Recorder) as address:
        yield f"{address}/", requests


def signature(request, secret, token=None):
    """The signature that botocore gives to a request that somebody else has signed."""
    authorization = request.headers["Authorization"]
    assert f"/{REGION}/execute-api/aws4_request" in authorization
    signed = re.search("SignedHeaders=([^,]+)", authorization)[1].split(";")
    headers = {name: request.headers[name] for name in signed}
    copy = AWSRequest("POST", request.url, headers, request.data)
    copy.context["timestamp"] = request.headers["X-Amz-Date"]
    auth = SigV4Auth(Credentials("AKID", secret, token), "execute-api", REGION)
    auth.credentials = auth.credentials.get_frozen_credentials()
    return auth.signature(auth.string_to_sign(copy, auth.canonical_request(copy)), copy)


@pytest.mark.parametrize("token", ["", "a-session-token"])
def test_the_printed_curl_command_signs_as_botocore_does(recorder, token):
    url, requests = recorder
    option = '--header "x-amz-security-token: $AWS_SESSION_TOKEN"'
    assert option in LESSON.read_text().replace('\\"', '"')
    curl = template("template.yaml")["Outputs"]["Curl"]["Value"]["Fn::If"][2]["Fn::Sub"]
    curl = curl.replace("https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/", url)
    curl = curl.replace("${AWS::Region}", REGION) + (f" {option}" if token else "")
    keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s/cret+"}
    process = run(["sh", "-c", curl], REPOSITORY, AWS_SESSION_TOKEN=token, **keys)
    assert process.returncode == 0, process.stderr
    (request,) = requests
    assert request.data == JEANS and request.headers["content-type"] == "image/png"
    assert request.headers.get("x-amz-security-token", "") == token
    theirs = re.search("Signature=([0-9a-f]+)", request.headers["Authorization"])[1]
    assert theirs == signature(request, "s/cret+")


def test_the_lessons_python_signs_and_posts(recorder):
    url, requests = recorder
    names = {}
    for cell in code_cells(LESSON):
        if "def signed_headers" in cell.source:
            exec("import urllib3\nfrom pathlib import Path", names)
            names |= {"AWSRequest": AWSRequest, "SigV4Auth": SigV4Auth}
            exec(cell.source, names)
    headers = names["signed_headers"](
        url, JEANS, "image/png", REGION, Credentials("AKID", "secret", "token")
    )
    urllib3.request("POST", url, body=JEANS, headers=headers)
    (request,) = requests
    theirs = re.search("Signature=([0-9a-f]+)", request.headers["Authorization"])[1]
    assert theirs == signature(request, "secret", "token")
    sent = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    assert abs((datetime.now(UTC).replace(tzinfo=None) - sent).total_seconds()) < 300
    assert request.headers["X-Amz-Security-Token"] == "token"
