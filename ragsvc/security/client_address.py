"""Whose address a request comes from. A header says it only where a proxy of ours wrote it; anyone can send one."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import cache

from ragsvc.errors import SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@cache
def read_networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks of proxies to trust, each written as an address or like ``10.0.0.0/8``.

    Raises:
        SettingsError: one is neither.
    """
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise SettingsError(f"trusted_proxies: {error}; write addresses or networks like 10.0.0.0/8") from None


def client_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """Return the address that asks.

    Each proxy appends the address that it was asked from, so the list is read from its end: the first address that is
    not a trusted proxy's is the client's, and what stands before it was sent by the client itself.

    Args:
        peer: the other end of the connection.
        forwarded_for: the header ``X-Forwarded-For``; empty if there is none.
        trusted: networks of the proxies that may say so.
    """
    found = peer
    for named in reversed(forwarded_for.split(",")):
        address = _address(found)
        if address is None or not any(address in network for network in trusted) or not _address(named):
            break
        found = named.strip()
    return found


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip(" []"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
