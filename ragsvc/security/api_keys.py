"""API keys: made from 256 random bits, kept and found only by their hash."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from typing import Literal, get_args

from ragsvc.errors import InvalidInput

Scope = Literal["ask", "ingest", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

PREFIX = "rsk_"
_SHAPE = re.compile(r"rsk_[A-Za-z0-9_-]{43}", re.ASCII)


def make_key() -> str:
    """Return a new key, to be shown once: ``rsk_`` and 256 random bits in URL-safe base64 (43 characters)."""
    return PREFIX + secrets.token_urlsafe(32)


def is_well_formed(key: str) -> bool:
    """Say whether ``key`` has the shape of a key; what has not is never hashed or looked up."""
    return _SHAPE.fullmatch(key) is not None


def hash_key(key: str) -> str:
    """Return the SHA-256 of ``key`` in hex: what is stored and what a key is looked up by.

    A fast hash is right here: 256 random bits cannot be guessed, unlike a password. Looking up by the hash
    leaves nothing to time: how far two hashes agree says nothing about the key.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def check_scopes(scopes: Collection[str]) -> tuple[Scope, ...]:
    """Return the scopes in canonical order.

    Raises:
        InvalidInput: none given, or one that does not exist.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        found = ", ".join(map(repr, unknown)) or "none"
        raise InvalidInput(f"a key needs scopes out of {', '.join(SCOPES)}; found {found}")
    return tuple(scope for scope in SCOPES if scope in scopes)


def allows(held: Collection[str], needed: Collection[str]) -> bool:
    """Say whether a key with the scopes ``held`` may use what any of ``needed`` opens; ``admin`` opens everything.

    ``ask`` and ``ingest`` do not include each other: a widget's key cannot delete, a loader's key cannot read.
    """
    return "admin" in held or not set(held).isdisjoint(needed)


def may_read(allowed: Collection[str], collection: str) -> bool:
    """Say whether a key limited to ``allowed`` (empty = all) may see ``collection``."""
    return not allowed or collection in allowed
