"""API keys: strong, recognisable, kept as a hash, and no wider than what they were made for."""

from __future__ import annotations

import hashlib

import pytest

from ragsvc.errors import InvalidInput
from ragsvc.security.api_keys import allows, check_scopes, hash_key, is_well_formed, make_key, may_read


def test_keys_are_long_and_never_the_same() -> None:
    """A key has 43 characters of URL-safe base64, which is 256 bits, behind a prefix that scanners know it by."""
    keys = {make_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith("rsk_") and len(key) == 47 and is_well_formed(key) for key in keys)


@pytest.mark.parametrize("text", ["", "rsk_", "rsk_short", "sk_" + "a" * 43, "rsk_" + "a" * 44, "rsk_" + "é" * 43])
def test_what_has_not_the_shape_of_a_key_is_known_by_it(text: str) -> None:
    """Nothing else is ever hashed or looked up."""
    assert not is_well_formed(text)


def test_only_a_hash_is_kept() -> None:
    """What is stored is SHA-256 in hex, so the store never holds a key."""
    key = make_key()
    assert hash_key(key) == hashlib.sha256(key.encode()).hexdigest()
    assert key not in hash_key(key)


@pytest.mark.parametrize(
    ("held", "needed", "expected"),
    [
        (("ask",), ("ask",), True),
        (("ask",), ("ingest",), False),
        (("ingest",), ("ask",), False),
        (("ask", "ingest"), ("admin",), False),
        (("admin",), ("ask",), True),
        (("ingest",), ("ask", "ingest"), True),
        ((), ("ask",), False),
    ],
)
def test_a_scope_opens_its_own_doors_only(held: tuple[str, ...], needed: tuple[str, ...], expected: bool) -> None:
    """Asking and ingesting do not include each other; admin includes both."""
    assert allows(held, needed) is expected


def test_scopes_are_checked_and_put_in_order() -> None:
    """A scope that does not exist is refused by name, and so is a key without any."""
    assert check_scopes(["admin", "ask"]) == ("ask", "admin")
    with pytest.raises(InvalidInput, match="'write'"):
        check_scopes(["ask", "write"])
    with pytest.raises(InvalidInput, match="none"):
        check_scopes([])


def test_a_key_without_collections_reads_all() -> None:
    """A key that names collections reads those only."""
    assert may_read((), "law")
    assert may_read(("law",), "law")
    assert not may_read(("law",), "laws")
