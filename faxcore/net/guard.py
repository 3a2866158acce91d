"""Which addresses a URL from a stranger may lead to: none inside, unless the owner allows it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from faxcore.errors import FaxcoreError

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[list[str]]]

INSIDE = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is a cloud's metadata service
        "168.63.129.16/32",  # another cloud's, with a public address
        "192.88.99.0/24",  # relays of 6to4, given up
        "::/96",  # IPv4-compatible, given up
        "64:ff9b:1::/48",  # NAT64 of one's own network [RFC 8215]
        "3fff::/20",  # documentation [RFC 9637]
        "5f00::/16",  # segment routing within a network [RFC 9602]
    )
)
"""What `ipaddress` of some Python that we run on takes for public."""

NAT64 = ip_network("64:ff9b::/96")
TO_4 = ip_network("2002::/16")


class BlockedAddressError(FaxcoreError):
    """A URL leads to an address that the owner has not allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """Which hosts may be asked.

    `allow_hosts`: names or addresses, each alone or as host:port, that need not be public. A host that is not
    among them must have public addresses only.
    """

    allow_hosts: frozenset[str] = frozenset()

    def allows(self, host: str, port: int) -> bool:
        """Whether the owner named this host."""
        host = host.lower().rstrip(".").strip("[]")
        names = {host, f"{host}:{port}", f"[{host}]:{port}", f"[{host}]"}
        return not names.isdisjoint(name.lower() for name in self.allow_hosts)

    def check(self, host: str, port: int, answers: Iterable[str]) -> list[str]:
        """The addresses of a host, if every one of them may be asked. BlockedAddressError."""
        addresses = list(answers)
        if not self.allows(host, port):
            for answer in addresses:
                if not is_public(ip_address(answer)):
                    raise BlockedAddressError(f"{host} is {answer}, which is no public address")
        return addresses


def is_public(address: Address) -> bool:
    """True if an address, and every IPv4 address that hides in it, is one of the public internet."""
    if isinstance(address, IPv6Address):
        hidden = _hidden(address)
        if hidden is not None:
            return is_public(hidden)
        if address.is_site_local or address.scope_id is not None:
            return False
    inside = any(address.version == network.version and address in network for network in INSIDE)
    return address.is_global and not (inside or address.is_multicast or address.is_unspecified or address.is_reserved)


def _hidden(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a mapped, translated or tunnelled address stands for."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in NAT64:
        return IPv4Address(address.packed[-4:])
    if address in TO_4:
        return address.sixtofour
    return None


@cache
def _askers() -> ThreadPoolExecutor:
    """Threads of their own, so that names that take long, and whatever else waits in threads, do not wait for it."""
    return ThreadPoolExecutor(32, "faxcore names")


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, as the system finds them. OSError.

    The system also reads what is no dotted quad, 0177.1 or 2130706433: what comes out is checked, not what went in.
    """
    try:
        return [str(ip_address(host))]
    except ValueError:
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(_askers(), ask)
        return list(dict.fromkeys(str(place[4][0]) for place in found))
