# %% which-machine
numbers = []
rest = 3232235777
while rest:
    rest, number = divmod(rest, 256)
    numbers.insert(0, str(number))
address = ".".join(numbers)


# %% named-errors
errors = {
    "no base64": "MalformedRequest",
    "a text in base64": "UnsupportedPicture",
    "half of a picture": "BrokenPicture",
    "both keys": "MalformedRequest",
}


# %% public-address
import ipaddress


def is_public(address):
    """Whether an IP address, a text such as "8.8.8.8" or "::1", is a public one."""
    ip = ipaddress.ip_address(address)
    if ip.version == 6 and ip not in ipaddress.ip_network("2000::/3"):
        return False
    return ip.is_global and not ip.is_multicast


# %% redirect
def redirect_to(address):
    """A request handler class that redirects everyone to the address."""

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", address)
            self.end_headers()

    return Stranger
