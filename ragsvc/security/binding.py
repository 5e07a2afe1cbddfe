"""Which addresses may be served without a key: this machine's own, and no other."""

from __future__ import annotations

import ipaddress

from ragsvc.errors import SettingsError


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach ``host``. A name other than localhost is taken to be reachable."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def check_bind(host: str, has_keys: bool) -> None:
    """Refuse to open a service without keys to other machines.

    Raises:
        SettingsError: ``host`` is not a loopback address and the home has no key.
    """
    if not has_keys and not is_loopback(host):
        raise SettingsError(
            f"asked to serve on {host!r}, which other machines can reach, but this home has no API key: "
            "make one with 'ragsvc keys create', or serve on 127.0.0.1"
        )
