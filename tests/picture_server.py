"""A web server with the jeans, and with all that a picture's server may do wrong."""

import gzip
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from picture_files import JEANS
from walk import web_server


@contextmanager
def picture_server():
    """Run the server on this machine; yield its host and port."""
    with web_server(Server) as address:
        yield address.removeprefix("http://")


class Server(BaseHTTPRequestHandler):
    """A picture's server, and all that one may do wrong."""

    redirects = {
        "/moved": "/jeans.png",
        "/loop": "/loop",
        "/to-private": "http://10.0.0.1/jeans.png",
        "/to-file": "file:///etc/hostname",
        "/to-nonsense": "http://[",
        "/to-high-port": "http://127.0.0.1:99999/",
    }
    # What is not HTTP, or hardly.
    raw = {
        "/ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
        "/http3": b"HTTP/3.7 200 OK\r\n\r\n",
        "/status": b"HTTP/1.1 99999 OK\r\n\r\n",
        "/long-header": b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        "/many-headers": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n",
        "/negative": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc",
        "/bad-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
    }
    statuses = {"/missing": 404, "/failing": 500, "/empty": 204, "/to-nowhere": 302}

    # Where a redirect leads to that is not ASCII; each letter here is a byte.
    targets = {
        "/to-utf-8": "/utf-8/größe 1.png".encode().decode("latin-1"),
        "/to-latin-1": "/latin-1/größe.png",
        "/to-capital": "/utf-8/Å.png".encode().decode(
            "latin-1"
        ),  # its second byte ends lines of text
    }
    found = "/utf-8/gr%C3%B6%C3%9Fe%201.png", "/latin-1/gr%F6%DFe.png", "/utf-8/%C3%85.png"
    # What is stored compressed, and sent so to everybody.
    compressed = {
        "/gzip": ("gzip", gzip.compress(JEANS)),
        "/gzip-of-s3": ("aws-chunked,gzip", gzip.compress(JEANS)),
        "/gzip-in-name-only": ("gzip", JEANS),
        "/gzip-cut-off": ("gzip", gzip.compress(JEANS)[:-1000]),
        "/gzip-broken": ("gzip", b"\x1f\x8b\x08" + bytes(100)),
        "/gzip-bomb": ("gzip", gzip.compress(bytes(100_000_000))),
        "/brotli": ("br", b"\x0b\x02\x80abc\x03"),
        "/utf-8-in-name-only": ("utf-8", JEANS),
    }

    def do_GET(self):
        if self.path in self.redirects | self.targets:
            self.send_response(302)
            self.send_header("Location", (self.redirects | self.targets)[self.path])
            self.end_headers()
        elif self.path.startswith(("/utf-8/", "/latin-1/")) and self.path not in self.found:
            self.send_error(404)
        elif self.path == "/polite" and "clothing" not in self.headers.get("User-Agent", ""):
            self.send_error(403)
        elif self.path in self.compressed:
            encoding, content = self.compressed[self.path]
            self.send_response(200)
            self.send_header("Content-Encoding", encoding)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        elif self.path in self.statuses:
            self.send_response(self.statuses[self.path])
            self.end_headers()
        elif self.path in self.raw:
            self.wfile.write(self.raw[self.path])
        elif self.path == "/silent":
            time.sleep(20)
        elif self.path == "/slow-header":
            self.drip(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", pause=0.2)
        else:
            self.send_response(200)
            if self.path == "/short":
                self.send_header("Content-Length", str(len(JEANS) + 1))
            if self.path == "/nonsense":
                self.send_header("Content-Length", "many")
            self.end_headers()
            if self.path == "/slow-body":
                self.drip(b"", b"x", pause=0.2)
            elif self.path == "/endless":
                self.drip(b"", bytes(100_000), pause=0)
            else:
                self.wfile.write(b"<html>" if self.path == "/html" else JEANS)

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
    "/two words.png": "jeans",
    "/utf-8/größe 1.png": "jeans",
    "/moved": "jeans",
    "/nonsense": "ServerFailed",
    "/loop": "ServerFailed",
    "/to-private": "ServerFailed",
    "/to-file": "ServerFailed",
    "/to-nonsense": "ServerFailed",
    "/to-high-port": "ServerFailed",
    **dict.fromkeys(Server.raw, "ServerFailed"),
    "/negative": "UnsupportedPicture",  # read as it came, it is no picture
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
    "/polite": "jeans",
    **dict.fromkeys(Server.targets, "jeans"),
    **dict.fromkeys(Server.compressed, "jeans"),
    **dict.fromkeys(["/gzip-cut-off", "/gzip-broken", "/brotli"], "ServerFailed"),
    "/gzip-bomb": "PictureTooLarge",
}
