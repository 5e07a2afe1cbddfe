"""Tickets at rest: what is left of their quota, and which were revoked. Signing them is ``security/tickets.py``."""

from __future__ import annotations

import time
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from ragsvc.errors import NotFound
from ragsvc.store.database import Database
from ragsvc.store.schema import ticket_days, ticket_secret, tickets

SECONDS_PER_DAY = 86_400
KEPT_DAYS = 30
"""Daily counts are kept this long, for the operator to see."""


class Tickets:
    """The tickets of one home. Every count is one transaction, so that several workers count right."""

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

    def add(self, ticket_id: str, key_id: str, *, questions: int, expires_at: int) -> None:
        """Store a new ticket; those that have expired go."""
        now = time.time()
        oldest = int(now // SECONDS_PER_DAY) - KEPT_DAYS
        with self._database.write() as connection:
            connection.execute(tickets.delete().where(tickets.c.expires_at < now))
            connection.execute(ticket_days.delete().where(ticket_days.c.day < oldest))
            values = {"ticket_id": ticket_id, "key_id": key_id, "n_left": questions, "expires_at": expires_at}
            connection.execute(tickets.insert().values(values))

    def is_valid(self, ticket_id: str) -> bool:
        """Whether this ticket was given out and not revoked."""
        valid = sa.and_(tickets.c.ticket_id == ticket_id, tickets.c.revoked_at.is_(None))
        with self._database.read() as connection:
            return connection.execute(sa.select(tickets.c.ticket_id).where(valid)).first() is not None

    def take_question(
        self, ticket_id: str, key_id: str, origin: str, per_day: int
    ) -> Literal["taken", "none left", "none left today"]:
        """Count one question against a ticket's quota and against the day's of its key and origin.

        Args:
            ticket_id: of the ticket.
            key_id: of its key.
            origin: of its pages.
            per_day: how many questions pages of this origin may ask with tickets of this key on one day (UTC).
        """
        day = int(time.time() // SECONDS_PER_DAY)
        is_left = sa.and_(tickets.c.ticket_id == ticket_id, tickets.c.revoked_at.is_(None), tickets.c.n_left > 0)
        counted = insert(ticket_days).values(key_id=key_id, origin=origin, day=day, n_questions=1)
        counted = counted.on_conflict_do_update(
            index_elements=["key_id", "origin", "day"],
            set_={"n_questions": ticket_days.c.n_questions + 1},
            where=ticket_days.c.n_questions < per_day,
        )
        with self._database.write() as connection:
            if not connection.execute(sa.select(tickets.c.ticket_id).where(is_left)).first():
                return "none left"
            if not connection.execute(counted).rowcount:
                return "none left today"
            connection.execute(tickets.update().where(is_left).values(n_left=tickets.c.n_left - 1))
            return "taken"

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
