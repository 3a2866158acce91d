"""Which addresses count as public, and who decides otherwise."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from faxcore.net.guard import AddressPolicy, BlockedAddressError, is_public, resolve

INSIDE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "::1", "::", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "2001:db8::1", "100::1", "2001::1",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
    "2002:808:808::",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_inside(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["::1"]])
def test_one_answer_inside_is_enough(answers: list[str]) -> None:
    with pytest.raises(BlockedAddressError, match=r"example\.com is .* no public address"):
        AddressPolicy().check("example.com", 443, answers)


def test_public_answers_are_given_back_in_order() -> None:
    assert AddressPolicy().check("example.com", 443, ["8.8.8.8", "1.1.1.1"]) == ["8.8.8.8", "1.1.1.1"]


@pytest.mark.parametrize(
    ("allowed", "host", "port", "allows"),
    [
        ("files.internal", "files.internal", 80, True),
        ("files.internal", "FILES.internal.", 8080, True),
        ("files.internal:8080", "files.internal", 8080, True),
        ("files.internal:8080", "files.internal", 80, False),
        ("files.internal", "evil.files.internal", 80, False),
        ("files.internal", "files.internal.example.com", 80, False),
        ("127.0.0.1", "127.0.0.1", 80, True),
        ("127.0.0.1", "2130706433", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]:80", "::1", 80, True),
    ],
)
def test_the_owner_allows_hosts(allowed: str, host: str, port: int, allows: bool) -> None:
    assert AddressPolicy(allow_hosts=frozenset({allowed})).allows(host, port) is allows


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "0", "[::1]", "::ffff:7f00:1"]
)
def test_every_spelling_of_loopback_is_refused(host: str) -> None:
    async def ask() -> None:
        AddressPolicy().check(host, 80, await resolve(host.strip("[]"), 80))

    with pytest.raises(BlockedAddressError):
        asyncio.run(ask())
