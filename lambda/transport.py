"""Bytes from a web server, with an end to every wait and to the size.

Written by hand, unlike its neighbours. It does as it is told: `get` connects to the address that it is
given, looks up no name and follows no redirect. guards.py decides whether an address may be asked.
"""

import os
import socket
import ssl
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import NamedTuple
from urllib.parse import SplitResult, quote

# seconds to connect, and without a byte
CONNECT_SECONDS = float(os.environ.get("CONNECT_SECONDS") or 3)
READ_SECONDS = float(os.environ.get("READ_SECONDS") or 3)


class Failed(Exception):
    """There is no such server, or it sent no valid response; the message says which."""


class TooSlow(Exception):
    """A wait was longer than its limit; the message says which."""


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    content: bytes  # if the status is 200; more than was asked for, where there was too much
    location: str | None  # where a redirect leads to


def look_up(host: str, port: int, deadline: float) -> list[str]:
    """Return the IP addresses of a host, by the time that `time.monotonic()` is at the deadline.

    Raises
    ------
    Failed, TooSlow
    """
    found = []

    def ask():
        with suppress(OSError, ValueError):
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))

    thread = threading.Thread(target=ask, daemon=True)  # a look-up itself knows no time limit
    thread.start()
    thread.join(max(0, deadline - time.monotonic()))
    if thread.is_alive():
        raise TooSlow("looking up the url's host took too long")
    if not found:
        raise Failed("the url's host is not known")
    return [address[0] for *_, address in found]


def get(url: SplitResult, address: tuple[str, int], deadline: float, size: int) -> Reply:
    """Ask the web server at an address for what a URL names.

    Parameters
    ----------
    url
        The parts of the URL. With https, the certificate must be its host's, not the address's.
    address
        The IP address and the port to connect to.
    deadline
        When all has to be over, as `time.monotonic()` counts.
    size
        Once there are more bytes than this, no more are read.

    Raises
    ------
    Failed, TooSlow
    """
    try:
        connection = HTTPConnection(url.netloc)
        connection.sock = _connect(url, address, deadline)
        timer = threading.Timer(deadline - time.monotonic(), _end, [connection.sock])
        timer.daemon = True
        timer.start()
        try:
            if url.scheme == "https":
                connection.sock.do_handshake()
            target = f"{url.path or '/'}?{url.query}".removesuffix("?")
            target = quote(target, safe="!$%&'()*+,/:;=?@[]~")
            connection.request("GET", target, headers={"Host": url.netloc})
            return _read(connection.getresponse(), deadline, size)
        finally:
            timer.cancel()
            connection.close()
    except (HTTPException, OSError, ValueError) as error:
        if isinstance(error, TimeoutError) or time.monotonic() > deadline:
            raise TooSlow("the picture's server took too long") from None
        raise Failed("the picture's server failed or sent no picture") from None


def _connect(url: SplitResult, address: tuple[str, int], deadline: float) -> socket.socket:
    wait = max(0.001, min(CONNECT_SECONDS, deadline - time.monotonic()))
    try:
        sock = socket.create_connection(address, timeout=wait)
    except TimeoutError:
        raise
    except OSError:
        raise Failed("the picture's server cannot be reached") from None
    if url.scheme == "https":
        context, host = ssl.create_default_context(), url.hostname
        sock = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    sock.settimeout(READ_SECONDS)
    return sock


def _end(sock: socket.socket) -> None:
    """End a connection; whoever waits for it reads the end of the stream."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _read(response: HTTPResponse, deadline: float, size: int) -> Reply:
    content = bytearray()
    if response.status == 200:
        while len(content) <= size and (chunk := response.read1(65536)):
            content += chunk
        whole = len(content) <= size
        if whole and time.monotonic() > deadline:  # the timer may have cut the content short
            raise TimeoutError
        if whole and len(content) < int(response.headers.get("Content-Length", 0)):
            raise Failed("the picture's server sent less than it announced")
    return Reply(response.status, bytes(content), response.headers.get("Location"))
