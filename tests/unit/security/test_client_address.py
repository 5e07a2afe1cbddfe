"""Who asks is what the connection says, and what trusted proxies say; never what a client says of itself."""

from __future__ import annotations

import pytest

from ragsvc.errors import SettingsError
from ragsvc.security.client_address import client_address, read_networks

PROXIES = read_networks(("10.0.0.0/8", "::1", "192.0.2.1"))


@pytest.mark.parametrize(
    ("peer", "header", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # no proxy of ours: whatever it says
        ("10.1.1.1", "198.51.100.1", "198.51.100.1"),
        ("10.1.1.1", "192.0.2.77, 198.51.100.1", "198.51.100.1"),  # the first was sent by the client
        ("10.1.1.1", "198.51.100.1, 10.2.2.2, 192.0.2.1", "198.51.100.1"),  # three of our proxies in a row
        ("10.1.1.1", "10.9.9.9", "10.9.9.9"),  # asked from inside
        ("10.1.1.1", "198.51.100.1, nonsense", "10.1.1.1"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("::ffff:10.1.1.1", "198.51.100.1", "198.51.100.1"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("testclient", "198.51.100.1", "testclient"),  # a socket of the file system has no address
    ],
)
def test_the_last_address_that_is_no_proxy_s_is_the_client_s(peer: str, header: str, address: str) -> None:
    """Read from the end, where our own proxies write."""
    assert client_address(peer, header, PROXIES) == address


def test_with_no_proxies_the_header_is_never_read() -> None:
    """As delivered: anyone can send one."""
    assert client_address("127.0.0.1", "198.51.100.1", ()) == "127.0.0.1"


def test_a_wrong_setting_is_named() -> None:
    """At the start, not with the first request."""
    with pytest.raises(SettingsError, match=r"trusted_proxies.*nginx.*10\.0\.0\.0/8"):
        read_networks(("nginx",))
