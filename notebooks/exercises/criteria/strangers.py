"""What makes an answer right: the exercises of lesson 6."""

import ipaddress
import os
import re
import socket
import sys
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import walk
from checks import Wrong, decides, exercise

NUMBER = 3232235777
NAME, NEIGHBOUR = "stranger.example", "127.0.0.1"

os.environ["MODEL_PATH"] = str(Path("generated/clothing-model.tflite").absolute())
sys.path.insert(0, "lambda")
import guards  # noqa: E402


@exercise(
    "which-machine",
    (str, ipaddress.IPv4Address),
    hint="The four numbers are the digits of one large number, in base 256. Divide by 256 again and "
    "again: what remains each time is a digit, the last one first.",
)
def which_machine(answer):
    truth, answer = ipaddress.ip_address(NUMBER), str(answer).strip()
    if answer == str(truth):
        return (
            f"{answer} is an address of private networks, of many a router at home. guards.py does "
            "not read the words of an address: it looks it up and judges what comes out."
        )
    if not re.fullmatch(r"\d+(\.\d+){3}", answer):
        raise Wrong(
            f"{answer!r} is not an address.", "It has four numbers, with dots between them."
        )
    if answer == "127.0.0.1":
        raise Wrong("That was the number of the lesson.", "This one is larger: divide it by 256.")
    if answer.split(".") == str(truth).split(".")[::-1]:
        raise Wrong("The four numbers are right.", "Which digit of a number comes first?")
    raise Wrong(
        "That is another machine.",
        "The first of the four counts 256 * 256 * 256, the last one counts 1.",
    )


@exercise(
    "own-network",
    Callable,
    hint="There are two kinds of addresses that may be asked. One has a range, and Python's ipaddress "
    "knows whether an address is in a range; for the other there is guards.is_public.",
    errors={
        "does not appear to be": "ip_address takes an address alone, without a port or a scheme; "
        "ip_network takes a range.",
        "has host bits set": "A range is written by its first address, as in the text above.",
        "not supported between": "The address is a text. ip_address makes of it something that "
        "knows what it is for.",
        "object has no attribute '_version'": "Only what ip_address has made of a text can be in a "
        "range.",
    },
)
def own_network(answer):
    yes = {
        "10.0.1.7": "That is one of the shop's own machines, which have the pictures.",
        "10.0.1.255": "That is the last of the shop's own machines.",
        "8.8.8.8": "That is a server on the internet, where pictures come from, too.",
        "2606:4700::1111": "That is a server on the internet, in the newer form of addresses, IPv6.",
    }
    no = {
        "127.0.0.1": "127.0.0.1 is this machine itself, the first that a stranger tries.",
        "10.0.0.5": "That is another machine of your network, which has no pictures.",
        "10.0.10.5": "Comparing the first letters of an address always takes some that were not "
        "meant. Compare numbers: a range knows what is in it.",
        "192.168.1.1": "192.168.… is for private networks, too.",
        "169.254.169.254": "A machine in the cloud asks there for its own passwords. Is it public?",
        "::1": "That is this machine in the newer form of addresses, IPv6.",
        "100.64.0.1": "A provider's own network. Not private does not yet mean public: what does "
        "lesson 6 ask?",
        "224.0.0.1": "An address of many machines at once (multicast). guards.is_public knows it.",
        "::ffff:127.0.0.1": "An IPv4 address in an IPv6 coat. guards.is_public knows it.",
    }
    decides(answer, yes, no, "It refuses {}.", "It lets {} through.")
    return (
        "The rest of your network stays out of reach. (ALLOWED_HOSTS does it by names: whoever "
        "lists hosts there trusts them, wherever they are.)"
    )


class Neighbour(BaseHTTPRequestHandler):
    """The server that only this machine can reach."""

    asked: list[str] = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()


def colleagues_fetch(url: str) -> bytes:
    """Fetch a URL as the colleague does: what was checked is a name."""
    address = socket.getaddrinfo(urlsplit(url).hostname, 80)[0][4][0]
    if not guards.is_public(address):
        raise guards.MalformedRequest("not public")
    return build_opener(ProxyHandler({})).open(url, timeout=5).read()


@contextmanager
def dns(addresses: list[str]):
    """Let the name have these addresses, one after the other; nothing leaves this machine."""
    coming, look_up, connect = iter(addresses), socket.getaddrinfo, socket.create_connection

    def found(host, port, *args, **kwargs):
        if host != NAME:
            return look_up(host, port, *args, **kwargs)
        address = next(coming, addresses[-1])
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    def connected(address, *args, **kwargs):
        host = found(*address)[0][4][0]
        if host != NEIGHBOUR:
            raise OSError(f"no connection to {host}: nothing leaves this exercise")
        return connect((host, address[1]), *args, **kwargs)

    with (
        mock.patch.object(socket, "getaddrinfo", found),
        mock.patch.object(socket, "create_connection", connected),
    ):
        yield


def attacked(fetch: Callable, addresses: list[str]) -> tuple[bool, str]:
    """Whether the neighbour was asked by a function that fetches, and how that ended."""
    Neighbour.asked.clear()
    with walk.web_server(Neighbour) as neighbour, dns(addresses):
        url = neighbour.replace(NEIGHBOUR, NAME)
        try:
            fetch(f"{url}/salaries")
            ended = "no error"
        except Exception as error:
            ended = walk.one_line(error)
    return bool(Neighbour.asked), ended


@exercise(
    "rebinding",
    list,
    hint="Twice somebody wants to know the address: first the guard, and then the library that "
    "connects. Each gets the answer that suits you.",
)
def rebinding(answer):
    for each in answer:
        try:
            ipaddress.ip_address(str(each))
        except ValueError:
            raise Wrong(
                f"{each!r} is not an address.",
                "A DNS server answers with numbers, as in '8.8.8.8', without a port or a scheme.",
            ) from None
    if not answer or not guards.is_public(str(answer[0])):
        raise Wrong(
            "The colleague's guard refuses that.",
            "The first answer is the one that it checks.",
        )
    addresses = [str(each) for each in answer]
    asked, ended = attacked(colleagues_fetch, addresses)
    if not asked:
        raise Wrong(
            f"The guard is content, but the neighbour was not asked: {ended}",
            "urlopen gets a name, not the address that was checked. What does it do with it, and "
            "what do you answer then?",
        )
    asked, ended = attacked(guards.fetch, addresses)
    if asked:
        raise Wrong("Ours asked the neighbour, too!", "Please report this to whoever teaches you.")
    return (
        f"The colleague's guard saw {addresses[0]}, and urlopen, which looked again, asked the "
        f"neighbour. Ours looks once, and connects to what it has checked: {ended}."
    )
