"""The wire of keys: made, listed, rotated and revoked by an admin. A secret is in the answer that makes it only."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ragsvc.api.schemas import CollectionNames, Name, Request
from ragsvc.security.api_keys import Scope
from ragsvc.security.tickets import MAX_ORIGIN_CHARS, ORIGIN_PATTERN

MAX_ORIGINS = 100
MAX_DAYS = 36_500
MAX_GRACE_S = 30 * 86_400
MAX_LIMIT = 10**12

Origin = Annotated[
    str, Meta(extra_json_schema={"minLength": 1, "maxLength": MAX_ORIGIN_CHARS, "pattern": ORIGIN_PATTERN})
]
Origins = Annotated[list[Origin], Meta(extra_json_schema={"maxItems": MAX_ORIGINS})]
Limit = Annotated[int, Meta(ge=0, le=MAX_LIMIT)]


class KeyLimits(Struct, forbid_unknown_fields=True, kw_only=True):
    """How much a key and its tickets may be used; null = as the settings say, 0 = without a limit."""

    requests_per_minute: Limit | None = None
    questions_per_day: Limit | None = None
    tokens_per_day: Limit | None = None


class NewKeyRequest(Request):
    """A key to make. No collections = all that the admin may read; no origins = no tickets."""

    name: Name
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=3)]
    collections: CollectionNames = msgspec.field(default_factory=list)
    origins: Origins = msgspec.field(default_factory=list)
    limits: KeyLimits = msgspec.field(default_factory=KeyLimits)
    days: Annotated[int, Meta(ge=1, le=MAX_DAYS)] | None = None
    """Until it expires; null = never."""


class RotationRequest(Request):
    """How long the old secret stays good; 0 = it ends now."""

    grace_s: Annotated[int, Meta(ge=0, le=MAX_GRACE_S)] = 86_400


class OriginsRequest(Request):
    """Where pages may use tickets of a key: there and nowhere else."""

    origins: Origins


class Key(Struct, kw_only=True):
    """A key without its secret, which nobody can show. Times are seconds since 1970."""

    key_id: str
    name: str
    scopes: list[Scope]
    collections: list[str]
    origins: list[str]
    limits: KeyLimits
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    old_until: float | None
    """Until when the secret before the last rotation is good, too."""


class MadeKey(Struct):
    """A key with its secret, this once."""

    secret: str
    key: Key


class Keys(Struct):
    """The keys that the admin may see, oldest first, revoked ones too."""

    keys: list[Key]
