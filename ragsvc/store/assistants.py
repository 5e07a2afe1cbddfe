"""Assistants: profiles that bundle what a question is answered with, each behind one id."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects.sqlite import insert

from ragsvc.errors import NotFound
from ragsvc.store.database import Database
from ragsvc.store.schema import assistants


class Assistant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A profile. What is empty is as the collections and the service have it."""

    id: str
    name: str = ""
    """For people."""
    collections: tuple[str, ...]
    """Where it looks; at least one."""
    persona: str = ""
    """Who it is and how it speaks: stands before the domain's rules and cannot change them."""
    model: str = ""
    strategy: str = ""
    """Tools are a strategy's: moss has them."""
    language: str = ""
    """Of its answers: zh or en; empty = the question's."""
    opening_line: str = ""
    """What a page shows before the first question."""
    suggested_questions: tuple[str, ...] = ()


class Assistants:
    """The assistants of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> list[Assistant]:
        """Return all assistants, by id."""
        with self._database.read() as connection:
            found = connection.execute(sa.select(assistants.c.profile).order_by(assistants.c.assistant_id)).scalars()
            return [msgspec.json.decode(profile, type=Assistant) for profile in found]

    def find(self, assistant_id: str) -> Assistant:
        """Return one assistant.

        Raises:
            NotFound: there is none of this id.
        """
        query = sa.select(assistants.c.profile).where(assistants.c.assistant_id == assistant_id)
        with self._database.read() as connection:
            profile = connection.execute(query).scalar()
        if profile is None:
            raise no_assistant(assistant_id)
        return msgspec.json.decode(profile, type=Assistant)

    def put(self, assistant: Assistant) -> bool:
        """Store an assistant, in the place of one of the same id; return whether it is new."""
        profile = msgspec.json.encode(assistant).decode()
        statement = insert(assistants).values(assistant_id=assistant.id, profile=profile)
        known = sa.select(assistants.c.assistant_id).where(assistants.c.assistant_id == assistant.id)
        with self._database.write() as connection:
            is_new = connection.execute(known).first() is None
            connection.execute(
                statement.on_conflict_do_update(index_elements=["assistant_id"], set_={"profile": profile})
            )
        return is_new

    def delete(self, assistant_id: str) -> None:
        """Remove an assistant.

        Raises:
            NotFound: there is none of this id.
        """
        with self._database.write() as connection:
            gone = connection.execute(assistants.delete().where(assistants.c.assistant_id == assistant_id))
        if not gone.rowcount:
            raise no_assistant(assistant_id)


def no_assistant(assistant_id: str) -> NotFound:
    """The one error for what does not exist and for what is not the asker's to see."""
    return NotFound(f"no assistant {assistant_id[:64]!r} here")
