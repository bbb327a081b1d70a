"""`make serve`: the stack on this machine answers real HTTP requests as the function does events."""

import base64
import json
import os
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import corpus
import pytest
import walk
from conftest import copy_of, processes_in, run, serving, wait_for
from contract import STATUS
from picture_server import FETCHED

# Servers that take their time are asked when the first test begins; a later one looks at the answers.
pytestmark = [pytest.mark.xdist_group("serve"), pytest.mark.usefixtures("slow_answers")]


def ask(served, method="POST", path="/", body=None, headers=None):
    """Send a real HTTP request to the served stack."""
    url = served.removesuffix("/") + path
    return walk.LocalAws.request(method, url, headers, body=body, timeout=30)


# What only an event can be (not text, a gateway's own marks), what MiniStack answers itself (it
# refuses OPTIONS, AWS passes it on), and what needs the smaller limits of contract.py.
NOT_HERE = {
    "picture as text",
    "body is not base64",
    "JSON in UTF-16",
    "HEAD, as for GET",
    "OPTIONS",
    "too large",
    "picture, more bytes than allowed",
    "/endless",
    "/slow-header",  # for ten seconds; /slow-body is enough
}
# this stack asks one host alone
OTHER_HOST = {"unknown host", "url, unknown host", "url, long host", "url, host beyond ASCII"}


def over_http():
    """The HTTP events of the corpus that a gateway makes of a request: by name, the request."""
    found = {}
    for name, (event, status) in corpus.http().items():
        of_version_2 = "rawPath" in event and "AWS's example" not in name and "stage" not in name
        if of_version_2 and name not in NOT_HERE:
            body = event.get("body") or ""
            content = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
            method = event["requestContext"]["http"]["method"]
            status = 400 if name in OTHER_HOST else status
            found[name] = (method, event["rawPath"], content, event.get("headers"), status)
    return found


HTTP = over_http()
DIRECT = {
    name: case
    for name, case in (corpus.pictures() | corpus.malformed() | corpus.urls()).items()
    if isinstance(case[0], dict) and name not in NOT_HERE
}


def check(response, status):
    """The response has this status, and the body that goes with it."""
    allowed = {status} if isinstance(status, int) else status
    assert response.status in allowed, response.data
    body = response.json()
    if response.status != 200:
        assert set(body) == {"error", "message"}
        assert STATUS[body["error"]] == response.status
        assert "Traceback" not in body["message"]


@pytest.mark.parametrize("case", HTTP)
def test_http_requests(served, case):
    method, path, content, headers, status = HTTP[case]
    response = ask(served, method, path, content, headers)
    check(response, status)
    assert response.headers["access-control-allow-origin"] == "*"
    if status == 200 and method == "POST":
        assert response.json()["prediction"] == "pants"


@pytest.mark.parametrize("case", DIRECT)
def test_direct_events_as_json(served, case):
    event, expected = DIRECT[case]
    expected = {expected} if isinstance(expected, str) else expected
    status = {STATUS.get(each, 200) for each in expected}
    check(ask(served, body=json.dumps(event)), 400 if case in OTHER_HOST else status)


SLOW = ["/silent", "/slow-body"]  # the function waits for three seconds, and for ten


def ask_for(served, picture_host, path):
    """Ask for the scores of what the picture's server has there."""
    return ask(served, body=json.dumps({"url": f"http://{picture_host}{path}"}))


@pytest.fixture(scope="module")
def slow_answers(served, picture_host):
    """By path, what comes of slow servers, sooner or later."""
    with ThreadPoolExecutor(len(SLOW)) as pool:
        yield {path: pool.submit(ask_for, served, picture_host, path) for path in SLOW}


@pytest.mark.parametrize("path", [path for path in FETCHED if path not in (*NOT_HERE, *SLOW)])
def test_pictures_from_a_url(served, picture_host, path):
    check(ask_for(served, picture_host, path), STATUS.get(FETCHED[path], 200))


def test_a_browser_gets_the_page_and_others_the_description(served):
    page = ask(served, "GET", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"(src|href)=.?(https?:)?//", page.data.decode())
    for accept in "*/*", "application/json":
        assert "classes" in ask(served, "GET", headers={"Accept": accept}).json()
    openapi = ask(served, "GET", "/openapi.yaml")
    assert openapi.status == 200 and openapi.data.startswith(b"# The HTTP API")


def listening(port):
    """Whether somebody listens to a port of this machine, on any of its addresses."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def another(served, serve_folder, tmp_path, monkeypatch):
    """A second stack, beside the first one: its make, its address and its folder.

    What it writes for a while only, it writes beside that folder.
    """
    folder = copy_of(serve_folder, tmp_path / "another")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    with serving(folder) as (make_process, address):
        yield make_process, address, folder


def files_in(folder):
    """The files in it or below; of folders, SAM leaves an empty one."""
    return [path for path in folder.rglob("*") if path.is_file()]


def expect_nothing_left(another, end):
    """End make with this signal; what it started has to end, too."""
    make_process, address, folder = another
    port = urlsplit(address).port
    temporary = folder.with_name("temporary")
    assert listening(port) and ask(address, "GET").status == 200
    assert any(file.name == "api.py" for file in files_in(temporary))  # MiniStack unpacked it
    if end == signal.SIGINT:
        os.killpg(make_process.pid, end)  # as Ctrl-C does
    else:
        make_process.send_signal(end)
    wait_for(lambda: not listening(port), seconds=30)
    wait_for(lambda: not processes_in(folder), seconds=30)
    wait_for(lambda: not files_in(temporary), seconds=30)


def test_a_changed_function_is_deployed_anew_and_nothing_is_left_after_ctrl_c(another):
    make_process, address, folder = another
    settings = folder / "lambda/samconfig.toml"
    before = settings.read_text()
    settings.write_text("[")
    assert any("The function was not updated. lambda/samconfig" in x for x in make_process.stdout)
    settings.write_text(before)
    file = folder / "lambda/api.py"
    file.write_text(file.read_text().replace('"POST /": ', '"changed": True, "POST /": '))
    wait_for(lambda: ask(address, "GET").json().get("changed"), seconds=60)
    expect_nothing_left(another, signal.SIGINT)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_however_make_ends(another, end):
    expect_nothing_left(another, end)


def test_a_port_that_is_taken_gets_one_clear_message(served, serve_folder):
    port = urlsplit(served).port
    process = run(["make", "VENV=", "serve", f"PORT={port}"], serve_folder)
    assert process.returncode != 0 and "Traceback" not in process.stderr
    assert f"Port {port} cannot be used: Address already in use." in process.stderr


@pytest.mark.parametrize("port", ["none", "99999"])
def test_a_port_that_is_no_port_gets_one_clear_message(serve_folder, port):
    process = run(["make", "VENV=", "serve", f"PORT={port}"], serve_folder)
    assert process.returncode != 0
    assert "PORT must be a number up to 65535" in process.stderr


@pytest.mark.parametrize("path", SLOW)
def test_slow_servers_of_pictures(slow_answers, path):
    check(slow_answers[path].result(), STATUS[FETCHED[path]])
