"""Who may use a home: its keys and the origins of the pages that may use their tickets."""

from __future__ import annotations

from collections.abc import Sequence

from ragsvc.security.api_keys import check_scopes, hash_key, make_key
from ragsvc.security.tickets import check_origin
from ragsvc.store.keys import Keys
from ragsvc.store.rows import Key


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
