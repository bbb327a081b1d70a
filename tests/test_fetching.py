"""The function fetches pictures from addresses: which ones it asks, and how it takes what comes.

Each server of picture_server.py is put to it in this process and under AWS's emulator.
"""

import json
import socket
import ssl
import threading
import time
from http.server import ThreadingHTTPServer

import corpus
import pytest
import trustme
from contract import STATUS, check, load, under_aws, variables
from picture_files import JEANS
from picture_server import FETCHED, Server

pytestmark = pytest.mark.xdist_group("contract")


@pytest.mark.parametrize("path", FETCHED)
def test_events_with_a_url(call_with_host, references, server, path):
    started = time.monotonic()
    answer = call_with_host({"url": f"http://{server}{path}"})
    check(answer, FETCHED[path], references)
    assert "127.0.0.1" not in answer.get("errorMessage", "")
    assert time.monotonic() - started < 10, "the limits were not kept: the slow servers take 20 s"


def test_a_closed_port_is_a_server_that_failed(call_with_host, references):
    check(call_with_host({"url": "http://127.0.0.1:9/jeans.png"}), "ServerFailed", references)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:10", "localhost", "example.com"])
def test_no_other_host_than_the_allowed_ones_is_asked(call_with_host, references, host):
    check(call_with_host({"url": f"http://{host}/jeans.png"}), "MalformedRequest", references)


# Of the servers that are waited for, one stands for all.
@pytest.mark.parametrize("path", [p for p in FETCHED if p not in ("/slow-header", "/slow-body")])
def test_http_events_with_a_url(call_with_host, server, path):
    event = corpus.http_v2(body=json.dumps({"url": f"http://{server}{path}"}))
    answer = call_with_host(event)
    assert answer["statusCode"] == STATUS.get(FETCHED[path], 200)
    if answer["statusCode"] != 200:
        assert json.loads(answer["body"])["error"] == FETCHED[path]
        assert "127.0.0.1" not in answer["body"]


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


def test_a_setting_that_names_no_host_is_no_permission_for_all(walked):
    with pytest.raises(ValueError, match="ALLOWED_HOSTS is set, but names no host"):
        load(walked, ALLOWED_HOSTS=" , ")


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
