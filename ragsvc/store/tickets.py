"""Tickets at rest: which were given out, and which of them were revoked. Signing them is ``security/tickets.py``."""

from __future__ import annotations

import time

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from ragsvc.errors import NotFound
from ragsvc.store.database import Database
from ragsvc.store.schema import ticket_secret, tickets


class Tickets:
    """The tickets of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._secret = b""

    def secret(self, new: bytes) -> bytes:
        """Return what this home signs with: what was stored first, else ``new``, stored now."""
        if not self._secret:
            with self._database.write() as connection:
                connection.execute(insert(ticket_secret).values(id=1, secret=new).on_conflict_do_nothing())
                self._secret = bytes(connection.execute(sa.select(ticket_secret.c.secret)).scalar_one())
        return self._secret

    def add(self, ticket_id: str, key_id: str, *, expires_at: int) -> None:
        """Store a new ticket; those that have expired go."""
        with self._database.write() as connection:
            connection.execute(tickets.delete().where(tickets.c.expires_at < time.time()))
            values = {"ticket_id": ticket_id, "key_id": key_id, "expires_at": expires_at}
            connection.execute(tickets.insert().values(values))

    def is_valid(self, ticket_id: str) -> bool:
        """Whether this ticket was given out and not revoked."""
        valid = sa.and_(tickets.c.ticket_id == ticket_id, tickets.c.revoked_at.is_(None))
        with self._database.read() as connection:
            return connection.execute(sa.select(tickets.c.ticket_id).where(valid)).first() is not None

    def revoke(self, ticket_id: str, key_id: str) -> None:
        """Make a ticket of this key useless from the next request on.

        Raises:
            NotFound: this key has no such ticket, or it has expired long since.
        """
        mine = sa.and_(tickets.c.ticket_id == ticket_id, tickets.c.key_id == key_id)
        with self._database.write() as connection:
            result = connection.execute(tickets.update().where(mine).values(revoked_at=time.time()))
        if not result.rowcount:
            raise NotFound(f"no ticket {ticket_id!r} here")
