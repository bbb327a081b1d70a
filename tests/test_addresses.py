"""Addresses as people write them, and hosts with more than one: which are asked, and under which name."""

import socket
import threading
import time

import pytest
from contract import load
from picture_files import JEANS

pytestmark = pytest.mark.xdist_group("contract")

PUBLIC = "93.184.216.34"


class Internet:
    """All names lead to these addresses; a connection to one of them may fail in a way of its own."""

    def __init__(self, *addresses, **failures):
        self.addresses, self.failures = addresses, failures
        self.asked, self.connected, self.requests = [], [], []

    def look_up(self, host, port, **kwargs):
        self.asked.append(host)
        return [(2, 1, 6, "", (address, port)) for address in self.addresses]

    def connect(self, address, timeout):
        self.connected.append((*address, timeout))
        if failure := self.failures.get(address[0]):
            raise failure
        ours, theirs = socket.socketpair()
        threading.Thread(target=self.answer, args=[theirs], daemon=True).start()
        return ours

    def answer(self, sock):
        with sock:
            self.requests.append(sock.recv(65536).decode("latin-1"))
            sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + JEANS)


@pytest.fixture
def internet(monkeypatch):
    """Make one, in the place of the real one."""

    def make(*addresses, failures=None):
        made = Internet(*addresses, **failures or {})
        monkeypatch.setattr(socket, "getaddrinfo", made.look_up)
        monkeypatch.setattr(socket, "create_connection", made.connect)
        return made

    return make


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("http://bücher.example/größe.png", "xn--bcher-kva.example", "/gr%C3%B6%C3%9Fe.png"),
        ("http://BÜCHER.example:8080/", "xn--bcher-kva.example:8080", "/"),
        ("http://straße.example/", "xn--strae-oqa.example", "/"),  # another name than strasse
        ("http://日本語。テスト:81/", "xn--wgv71a119e.xn--zckzah:81", "/"),
        ("http://ｅxample.com/", "example.com", "/"),
        (" http://example.com/a b.png?q=ä ", "example.com", "/a%20b.png?q=%C3%A4"),
        ("http://example.com/%C3%A4%20.png", "example.com", "/%C3%A4%20.png"),
    ],
)
def test_letters_beyond_ascii_are_encoded_as_browsers_do(function, internet, url, host, target):
    net = internet(PUBLIC)
    assert function.fetch(url) == JEANS
    assert net.asked == [host.split(":")[0]]
    first, *headers = net.requests[0].split("\r\n")
    assert first == f"GET {target} HTTP/1.1" and f"Host: {host}" in headers


@pytest.mark.parametrize(
    "host", ["１２７.0.0.1", "127。0。0。1", "①0.0.0.1", "1６９.254.169.254", "[::ffff:127.0.0.1]"]
)
def test_whatever_script_an_address_is_written_in_its_numbers_decide(function, monkeypatch, host):
    monkeypatch.setattr(socket, "create_connection", lambda *rest: pytest.fail("it connected"))
    with pytest.raises(function.MalformedRequest):
        function.fetch(f"http://{host}/")


def test_an_allowed_host_may_be_asked_under_its_name_beyond_ascii(walked, internet):
    internet("10.0.0.1")
    function = load(walked, ALLOWED_HOSTS="xn--bcher-kva.example")
    assert function.fetch("http://bücher.example/jeans.png") == JEANS
    with pytest.raises(function.MalformedRequest, match="not among the allowed"):
        function.fetch("http://büchér.example/jeans.png")


@pytest.mark.parametrize("failure", [OSError("unreachable"), TimeoutError()])
def test_the_next_address_is_tried_when_one_does_not_answer(function, internet, failure):
    net = internet("2606:4700::1111", PUBLIC, failures={"2606:4700::1111": failure})
    assert function.fetch("http://two.example/jeans.png") == JEANS
    assert [address for address, *_ in net.connected] == ["2606:4700::1111", PUBLIC]


def test_each_address_gets_its_share_of_the_time(function, internet):
    addresses = [f"93.184.216.{number}" for number in range(10)]
    net = internet(*addresses, failures=dict.fromkeys(addresses, TimeoutError()))
    began = time.monotonic()
    with pytest.raises(function.ServerTooSlow):
        function.fetch("http://dead.example/jeans.png")
    assert [address for address, *_ in net.connected] == addresses
    assert net.connected[0][2] <= 1.2 / 10 and time.monotonic() - began < 5


def test_localhost_is_reached_where_it_is_two_addresses(walked, server, monkeypatch):
    port = int(server.split(":")[1])
    found = [(10, 1, 6, "", ("::1", port, 0, 0)), (2, 1, 6, "", ("127.0.0.1", port))]
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **kw: found if host == "localhost" else look_up(host, *rest, **kw),
    )
    function = load(walked, ALLOWED_HOSTS="localhost")
    assert function.fetch(f"http://localhost:{port}/jeans.png") == JEANS


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_private_address_is_enough_to_refuse_wherever_it_stands(function, internet, place):
    addresses = [PUBLIC, "2606:4700::1111"]
    addresses.insert(place, "10.0.0.1")
    net = internet(*addresses)
    with pytest.raises(function.MalformedRequest, match="address that is not public"):
        function.fetch("http://mixed.example/jeans.png")
    assert net.connected == []


def test_it_says_who_asks_and_what_it_takes(function, internet):
    net = internet(PUBLIC)
    function.fetch("http://example.com/jeans.png")
    headers = net.requests[0].lower()
    assert "user-agent: clothing-classifier/" in headers
    assert "accept: image/jpeg, image/png" in headers and "avif" not in headers
    assert "accept-encoding: identity" in headers
