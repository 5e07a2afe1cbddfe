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
from ragsvc.store.rows import Key, KeyLimits
from ragsvc.store.schema import key_origins, keys


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
        origins: Sequence[str] = (),
    ) -> Key:
        """Store a new key by its hash; no collections means all, no origins none. Times are seconds since 1970."""
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
            _list_origins(connection, key_id, origins)
        return next(key for key in self.list() if key.key_id == key_id)

    def find(self, key_hash: str) -> Key | None:
        """Return the key with this hash, now or until its rotation is over, unless it was revoked or has expired."""
        is_old = sa.and_(keys.c.old_key_hash == key_hash, keys.c.old_until > time.time())
        return self._find_valid(sa.or_(keys.c.key_hash == key_hash, is_old))

    def find_by_id(self, key_id: str) -> Key | None:
        """Return the key with this id unless it was revoked or has expired."""
        return self._find_valid(keys.c.key_id == key_id)

    def _find_valid(self, wanted: sa.ColumnElement[bool]) -> Key | None:
        with self._database.read() as connection:
            row = connection.execute(sa.select(keys).where(wanted, _is_valid())).first()
            return _key(row, _origins(connection, row.key_id)) if row else None

    def lists_origin(self, origin: str) -> bool:
        """Whether some valid key lists this origin."""
        listed = sa.select(keys.c.key_id).join(key_origins).where(key_origins.c.origin == origin, _is_valid())
        with self._database.read() as connection:
            return connection.execute(listed).first() is not None

    def set_origins(self, key_id: str, origins: Sequence[str]) -> None:
        """Let pages of these origins, and no others, use tickets of a key; acts on tickets that are out, too.

        Raises:
            NotFound: no such key.
        """
        with self._database.write() as connection:
            if not connection.execute(sa.select(keys.c.key_id).where(keys.c.key_id == key_id)).first():
                raise _no_key(key_id)
            connection.execute(key_origins.delete().where(key_origins.c.key_id == key_id))
            _list_origins(connection, key_id, origins)

    def set_limits(self, key_id: str, limits: KeyLimits) -> None:
        """Say how much a key may be used from the next request on.

        Raises:
            NotFound: no such key.
        """
        self._update(key_id, **{name: getattr(limits, name) for name in KeyLimits.__struct_fields__})

    def rotate(self, key_id: str, key_hash: str, *, old_until: float) -> None:
        """Give a key another secret; the one before is good until ``old_until``, any before that ends now.

        Raises:
            NotFound: no such key, or it was revoked or has expired.
        """
        if self.find_by_id(key_id) is None:
            raise _no_key(key_id)
        self._update(key_id, old_key_hash=keys.c.key_hash, old_until=old_until, key_hash=key_hash)

    def any(self) -> bool:
        """Whether this home ever had a key: from then on every request needs one."""
        with self._database.read() as connection:
            return connection.execute(sa.select(keys.c.key_id)).first() is not None

    def list(self) -> list[Key]:
        """Return all keys, revoked ones too, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(keys).order_by(keys.c.created_at)).all()
            return [_key(row, _origins(connection, row.key_id)) for row in rows]

    def revoke(self, key_id: str) -> None:
        """Make a key useless from the next request on.

        Raises:
            NotFound: no such key.
        """
        self._update(key_id, revoked_at=time.time())

    def _update(self, key_id: str, **values: object) -> None:
        with self._database.write() as connection:
            result = connection.execute(keys.update().where(keys.c.key_id == key_id).values(**values))
        if not result.rowcount:
            raise _no_key(key_id)


def _no_key(key_id: str) -> NotFound:
    return NotFound(f"no key {key_id!r}; 'ragsvc keys list' shows them")


def _is_valid() -> sa.ColumnElement[bool]:
    return sa.and_(keys.c.revoked_at.is_(None), sa.or_(keys.c.expires_at.is_(None), keys.c.expires_at > time.time()))


def _list_origins(connection: sa.Connection, key_id: str, origins: Sequence[str]) -> None:
    for origin in dict.fromkeys(origins):
        connection.execute(key_origins.insert().values(key_id=key_id, origin=origin))


def _origins(connection: sa.Connection, key_id: str) -> tuple[str, ...]:
    of_key = sa.select(key_origins.c.origin).where(key_origins.c.key_id == key_id).order_by(key_origins.c.origin)
    return tuple(connection.execute(of_key).scalars())


def _key(row: Any, origins: tuple[str, ...]) -> Key:
    return Key(
        key_id=row.key_id,
        name=row.name,
        scopes=tuple(msgspec.json.decode(row.scopes)),
        collections=tuple(msgspec.json.decode(row.collections)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        origins=origins,
        limits=KeyLimits(**{name: getattr(row, name) for name in KeyLimits.__struct_fields__}),
        old_until=row.old_until,
    )
