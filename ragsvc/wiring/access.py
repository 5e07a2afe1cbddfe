"""Who may use a home: its keys and the origins of the pages that may use their tickets."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ragsvc.security.api_keys import check_scopes, hash_key, make_key
from ragsvc.security.tickets import check_origin
from ragsvc.store.keys import Keys
from ragsvc.store.rows import Key, KeyLimits


class Access:
    """Makes keys and says where they reach."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def create_key(
        self,
        name: str,
        scopes: Sequence[str],
        collections: Sequence[str] = (),
        expires_at: float | None = None,
        origins: Sequence[str] = (),
    ) -> tuple[str, Key]:
        """Make an API key; the secret is returned this once and only its hash is kept.

        Raises:
            InvalidInput: a scope is unknown, or an origin is none.
        """
        secret = make_key()
        key = self._keys.add(
            hash_key(secret),
            name=name,
            scopes=check_scopes(scopes),
            collections=collections,
            expires_at=expires_at,
            origins=[check_origin(origin) for origin in origins],
        )
        return secret, key

    def set_origins(self, key_id: str, origins: Sequence[str]) -> None:
        """Say where pages may use tickets of a key: there and nowhere else, from the next request on.

        Raises:
            InvalidInput: an origin is none.
            NotFound: no such key.
        """
        self._keys.set_origins(key_id, [check_origin(origin) for origin in origins])

    def set_limits(self, key_id: str, limits: KeyLimits) -> None:
        """Say how much a key may be used from the next request on; what is None there stays as the settings say.

        Raises:
            NotFound: no such key.
        """
        self._keys.set_limits(key_id, limits)

    def rotate_key(self, key_id: str, grace_s: float) -> str:
        """Give a key another secret and return it, this once; the old one is good for ``grace_s`` seconds more.

        Id, scopes, origins, limits and tickets stay: who uses the key needs to change nothing but the secret.

        Raises:
            NotFound: no such key, or it is not valid any more.
        """
        secret = make_key()
        self._keys.rotate(key_id, hash_key(secret), old_until=time.time() + grace_s)
        return secret
