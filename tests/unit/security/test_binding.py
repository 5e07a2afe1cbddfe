"""A service without keys is for this machine only."""

from __future__ import annotations

import pytest

from ragsvc.errors import SettingsError
from ragsvc.security.binding import check_bind, is_loopback

LOOPBACK = ["127.0.0.1", "127.8.9.10", "localhost", "::1", "[::1]", "::ffff:127.0.0.1"]
REACHABLE = ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "example.org", "localhost.example.org", "", "::ffff:10.0.0.1"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_needs_no_key(host: str) -> None:
    """Every way to write this machine's own address is known."""
    assert is_loopback(host)
    check_bind(host, has_keys=False)


@pytest.mark.parametrize("host", REACHABLE)
def test_what_others_can_reach_needs_a_key(host: str) -> None:
    """Everything else is refused, with the way out, until there is a key."""
    assert not is_loopback(host)
    with pytest.raises(SettingsError, match="keys create"):
        check_bind(host, has_keys=False)
    check_bind(host, has_keys=True)
