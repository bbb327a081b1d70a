"""lambda/transport.py by itself: where it connects to, how long it waits, how much it reads.

What the function answers to each of these servers is in test_fetching.py.
"""

import socket
import ssl
import threading
import time
from http.server import ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
import transport
import trustme
from picture_files import JEANS
from picture_server import Server, picture_server

pytestmark = pytest.mark.xdist_group("contract")  # its servers


@pytest.fixture(scope="module")
def server():
    """Host and port of a server that may do anything wrong."""
    with picture_server() as address:
        yield address


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(transport, "READ_SECONDS", 0.3)


def get(server, path, seconds=5, size=1_000_000, name=None, scheme="http"):
    """Ask this server, under another name if one is given."""
    port = urlsplit(f"//{server}").port
    url = urlsplit(f"{scheme}://{name or server}{path}")
    return transport.get(url, [("127.0.0.1", port)], time.monotonic() + seconds, size)


def test_it_returns_what_the_server_sent(server):
    assert get(server, "/jeans.png") == transport.Reply(200, JEANS, None)


def test_it_connects_to_the_address_that_it_is_given_and_looks_up_no_name(server, monkeypatch):
    asked = []
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest: asked.append(host) or look_up(host, *rest)
    )
    assert get(server, "/jeans.png", name="nowhere.invalid").content == JEANS
    assert asked == ["127.0.0.1"]


def test_it_says_where_a_redirect_leads_and_does_not_follow_it(server):
    assert get(server, "/to-file") == transport.Reply(302, b"", "file:///etc/hostname")


def test_the_content_of_an_error_is_not_read(server):
    assert get(server, "/missing") == transport.Reply(404, b"", None)


@pytest.mark.parametrize("size", [0, 100, len(JEANS) - 1])
def test_content_beyond_the_limit_shows_that_there_is_more(server, size):
    assert len(get(server, "/jeans.png", size=size).content) > size


def test_an_endless_body_is_read_as_far_as_the_limit_and_no_further(server):
    content = get(server, "/endless", size=250_000).content
    assert 250_000 < len(content) <= 250_000 + 65_536


@pytest.mark.parametrize("path", ["/silent", "/slow-header", "/slow-body"])
def test_the_deadline_ends_every_wait(server, path):
    began = time.monotonic()
    with pytest.raises(transport.TooSlow, match="the picture's server took too long"):
        get(server, path, seconds=0.6)
    assert time.monotonic() - began < 10, "the server takes 20 s"


def test_a_deadline_that_is_over_is_too_slow_at_once(server):
    with pytest.raises(transport.TooSlow):
        get(server, "/jeans.png", seconds=-1)


@pytest.mark.parametrize("path", [*Server.raw, "/nonsense", "/short"])
def test_what_is_not_http_or_breaks_off_is_one_error(server, path):
    if path == "/negative":  # read as it came
        assert get(server, path).content == b"abc"
        return
    with pytest.raises(transport.Failed, match="the picture's server (failed|sent less)"):
        get(server, path)


def test_a_port_to_which_nobody_listens_cannot_be_reached():
    with pytest.raises(transport.Failed, match="the picture's server cannot be reached"):
        get("127.0.0.1:9", "/jeans.png")


@pytest.mark.parametrize(("name", "trusted"), [("shop.example", True), ("other.example", False)])
def test_the_certificate_must_be_that_of_the_hosts_name(name, trusted, tmp_path, monkeypatch):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    here, where = f"127.0.0.1:{server.server_port}", {"name": "shop.example", "scheme": "https"}
    try:
        if trusted:
            assert get(here, "/jeans.png", **where).content == JEANS
        else:
            with pytest.raises(transport.Failed):
                get(here, "/jeans.png", **where)
    finally:
        server.shutdown()


def test_a_server_that_never_shakes_hands_is_too_slow():
    """The timer runs before TLS does."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(transport.TooSlow):
        get(f"127.0.0.1:{silent.getsockname()[1]}", "/", seconds=0.5, scheme="https")


def test_a_look_up_returns_all_addresses_and_has_an_end(monkeypatch):
    found = [(2, 1, 6, "", ("93.184.216.34", 80)), (10, 1, 6, "", ("2606:4700::1111", 80, 0, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    deadline = time.monotonic() + 5
    assert transport.look_up("two.example", 80, deadline) == ["93.184.216.34", "2606:4700::1111"]

    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: time.sleep(5) or [])
    with pytest.raises(transport.TooSlow, match="looking up the url's host took too long"):
        transport.look_up("slow.example", 80, time.monotonic() + 0.1)

    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(transport.Failed, match="the url's host is not known"):
        transport.look_up("nowhere.invalid", 80, deadline)
