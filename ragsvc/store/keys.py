"""API keys at rest: hashes, scopes and collections. Making and judging keys is ``security/api_keys.py``."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ragsvc.errors import NotFound
from ragsvc.store.database import Database
from ragsvc.store.rows import Key
from ragsvc.store.schema import keys


class Keys:
    """The keys of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        key_hash: str,
        *,
        name: str,
        scopes: Sequence[str],
        collections: Sequence[str] = (),
        expires_at: float | None = None,
    ) -> Key:
        """Store a new key by its hash; no collections means all of them. Times are seconds since 1970."""
        key_id = uuid.uuid4().hex[:12]
        with self._database.write() as connection:
            connection.execute(
                keys.insert().values(
                    key_id=key_id,
                    name=name,
                    key_hash=key_hash,
                    scopes=msgspec.json.encode(scopes).decode(),
                    collections=msgspec.json.encode(collections).decode(),
                    created_at=time.time(),
                    expires_at=expires_at,
                )
            )
        return next(key for key in self.list() if key.key_id == key_id)

    def find(self, key_hash: str) -> Key | None:
        """Return the key with this hash unless it was revoked or has expired."""
        valid = sa.and_(
            keys.c.key_hash == key_hash,
            keys.c.revoked_at.is_(None),
            sa.or_(keys.c.expires_at.is_(None), keys.c.expires_at > time.time()),
        )
        with self._database.read() as connection:
            row = connection.execute(sa.select(keys).where(valid)).first()
        return _key(row) if row else None

    def any(self) -> bool:
        """Whether this home ever had a key: from then on every request needs one."""
        with self._database.read() as connection:
            return connection.execute(sa.select(keys.c.key_id)).first() is not None

    def list(self) -> list[Key]:
        """Return all keys, revoked ones too, oldest first."""
        with self._database.read() as connection:
            return [_key(row) for row in connection.execute(sa.select(keys).order_by(keys.c.created_at))]

    def revoke(self, key_id: str) -> None:
        """Make a key useless from the next request on.

        Raises:
            NotFound: no such key.
        """
        with self._database.write() as connection:
            result = connection.execute(keys.update().where(keys.c.key_id == key_id).values(revoked_at=time.time()))
        if not result.rowcount:
            raise NotFound(f"no key {key_id!r}; 'ragsvc keys list' shows them")


def _key(row: Any) -> Key:
    return Key(
        key_id=row.key_id,
        name=row.name,
        scopes=tuple(msgspec.json.decode(row.scopes)),
        collections=tuple(msgspec.json.decode(row.collections)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
