"""Bytes from a web server, with an end to every wait and to the size.

Written by hand, unlike its neighbours. It does as it is told: `get` connects to the addresses that it is
given, looks up no name and follows no redirect. guards.py decides whether an address may be asked.
"""

import os
import socket
import ssl
import string
import threading
import time
import unicodedata
import zlib
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

# seconds to connect, and without a byte
CONNECT_SECONDS = float(os.environ.get("CONNECT_SECONDS") or 3)
READ_SECONDS = float(os.environ.get("READ_SECONDS") or 3)
# Who asks: some servers refuse whoever does not say, Wikimedia's among them.
USER_AGENT = os.environ.get("USER_AGENT") or "clothing-classifier/1.0 (AWS Lambda function)"
ACCEPT = "image/jpeg, image/png, image/webp, image/gif, image/bmp, */*;q=0.1"  # rather than AVIF
COMPRESSED = "br", "compress", "deflate", "zstd"  # ways that are not undone here
DOTS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))  # those of other scripts


class Failed(Exception):
    """There is no such server, or it sent no valid response; the message says which."""


class TooSlow(Exception):
    """A wait was longer than its limit; the message says which."""


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    content: bytes  # if the status is 200; more than was asked for, where there was too much
    location: str | None  # where a redirect leads to


def split(url: str) -> SplitResult:
    """Take a URL apart; its host's name becomes ASCII, as DNS knows it, and its port is a number.

    Raises
    ------
    ValueError
        It is no URL.
    """
    parts = urlsplit(url.strip())
    if not parts.netloc.isascii():
        user, at, place = parts.netloc.rpartition("@")
        host, colon, port = place.partition(":")
        parts = parts._replace(netloc=f"{user}{at}{_ascii(host)}{colon}{port}")
    url.encode()  # half a character, which JSON can hold, has no bytes
    _ = parts.port  # only reading it shows whether it is one
    return parts


def _ascii(host: str) -> str:
    """Write "bücher.example" as "xn--bcher-kva.example" (https://www.unicode.org/reports/tr46)."""
    host = unicodedata.normalize("NFKC", host.translate(DOTS).lower()).lower()
    labels = host.split(".")
    return ".".join(
        each if each.isascii() else f"xn--{each.encode('punycode').decode()}" for each in labels
    )


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


def get(url: SplitResult, addresses: list[tuple[str, int]], deadline: float, size: int) -> Reply:
    """Ask the web server at the first of these addresses that answers for what a URL names.

    Parameters
    ----------
    url
        The parts of the URL. With https, the certificate must be its host's, not the address's.
    addresses
        The IP addresses and ports to connect to, one after the other.
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
        connection.sock = _connect(url, addresses, deadline)
        timer = threading.Timer(deadline - time.monotonic(), _end, [connection.sock])
        timer.daemon = True
        timer.start()
        try:
            if url.scheme == "https":
                connection.sock.do_handshake()
            target = f"{url.path or '/'}?{url.query}".removesuffix("?")
            target = quote(target, safe="!$%&'()*+,/:;=?@[]~")
            headers = {"Host": url.netloc, "User-Agent": USER_AGENT, "Accept": ACCEPT}
            connection.request("GET", target, headers=headers)
            return _read(connection.getresponse(), deadline, size)
        finally:
            timer.cancel()
            connection.close()
    except (HTTPException, OSError, ValueError) as error:
        if isinstance(error, TimeoutError) or time.monotonic() > deadline:
            raise TooSlow("the picture's server took too long") from None
        raise Failed("the picture's server failed or sent no picture") from None


def _connect(url: SplitResult, addresses: list, deadline: float) -> socket.socket:
    sock = _first(addresses, deadline)
    if url.scheme == "https":
        context, host = ssl.create_default_context(), url.hostname
        sock = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    sock.settimeout(READ_SECONDS)
    return sock


def _first(addresses: list, deadline: float) -> socket.socket:
    """Connect to the first address that answers; each gets its share of the time that is left."""
    for tried, address in enumerate(addresses):
        share = (deadline - time.monotonic()) / (len(addresses) - tried)
        try:
            return socket.create_connection(address, max(0.001, min(CONNECT_SECONDS, share)))
        except OSError as error:
            failure = error
    if isinstance(failure, TimeoutError):
        raise failure
    raise Failed("the picture's server cannot be reached")


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
        content = _uncompressed(content, response.headers.get("Content-Encoding", ""), size)
    return Reply(response.status, bytes(content), _location(response))


def _uncompressed(content: bytes, encoding: str, size: int) -> bytes:
    """Undo what S3 and others do who send a file as it is stored, whatever was asked for."""
    encoding = encoding.lower()
    if "gzip" in encoding and content.startswith(b"\x1f\x8b"):
        decoder = zlib.decompressobj(wbits=31)
        try:
            content = decoder.decompress(content, size + 1)
        except zlib.error:
            raise Failed("the picture's server sent broken gzip") from None
        if len(content) <= size and not decoder.eof:
            raise Failed("the picture's server sent only a part of its gzip")
    if encoding in COMPRESSED:
        raise Failed(
            f"the picture's server sent it compressed ({encoding}), which was not asked for"
        )
    return content


def _location(response: HTTPResponse) -> str | None:
    """Where a redirect leads to: its bytes as they came, be they UTF-8 or another encoding."""
    if (location := response.headers.get("Location")) is None:
        return None
    sent = location.encode("latin-1")  # http.client reads every header as Latin-1
    try:
        return sent.decode()
    except UnicodeDecodeError:
        return quote(sent, safe=string.printable)
