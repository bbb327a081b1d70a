# %% which-machine
numbers = []
rest = 3232235777
while rest:
    rest, number = divmod(rest, 256)
    numbers.insert(0, str(number))
address = ".".join(numbers)


# %% own-network
import ipaddress

PICTURES = ipaddress.ip_network("10.0.1.0/24")


def may_ask(address):
    """Whether the function may ask an IP address, a text such as "8.8.8.8" or "10.0.1.7"."""
    return ipaddress.ip_address(address) in PICTURES or guards.is_public(address)


# %% rebinding
addresses = ["8.8.8.8", "127.0.0.1"]
