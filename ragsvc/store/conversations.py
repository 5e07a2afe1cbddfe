"""Conversations that their askers wanted kept: each turn a question and, once that is whole, its answer.

A turn is written when its question comes and once more when its answer is whole, each in one transaction. Between the
two, and for ever when the service dies between them, it is unanswered; half an answer is never stored. What is deleted
is overwritten in the file.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs

from ragsvc.errors import NotFound
from ragsvc.records import Answer
from ragsvc.store.database import Database
from ragsvc.store.schema import conversation_turns, conversations, receipts

SECONDS_PER_DAY = 86_400
ID_BYTES = 16
"""Of randomness in an id: nobody guesses one. Whose it is is checked all the same."""
MOST_ERASED = 500
"""Conversations that one sweep deletes in one transaction."""


class ConversationTurn(Struct, frozen=True, kw_only=True):
    """A question and its answer; None when none came, or none yet. Of an answer its passages are not kept."""

    number: int
    """From 1, in the order in which the questions came."""
    asked_at: float
    question: str
    answer: Answer | None


class Conversation(Struct, frozen=True, kw_only=True):
    """What a list shows of a conversation; times are seconds since 1970."""

    conversation_id: str
    key_id: str
    """Whose it is; empty = of a home without keys, or of the command line."""
    created_at: float
    updated_at: float
    n_turns: int
    first_question: str


class Conversations:
    """The conversations of one home.

    Args:
        database: its catalogue.
        days: after its last question, when a conversation ends: from then on it is not there, whoever asks.
    """

    def __init__(self, database: Database, days: int) -> None:
        self._database = database
        self._days = days

    def create(self, key_id: str) -> Conversation:
        """Begin a conversation."""
        now = time.time()
        new = Conversation(
            conversation_id=secrets.token_hex(ID_BYTES),
            key_id=key_id,
            created_at=now,
            updated_at=now,
            n_turns=0,
            first_question="",
        )
        row = {column.name: getattr(new, column.name) for column in conversations.c}
        with self._database.write() as connection:
            connection.execute(conversations.insert().values(row))
        return new

    def list(self, key_id: str | None, offset: int = 0, limit: int = 100) -> list[Conversation]:
        """Return a page of conversations, the latest first; ``key_id`` None = of everybody."""
        with self._database.read() as connection:
            rows = connection.execute(
                self._query(key_id)
                .order_by(conversations.c.updated_at.desc(), conversations.c.conversation_id)
                .offset(offset)
                .limit(limit)
            )
            return [_conversation(row) for row in rows]

    def find(self, conversation_id: str, key_id: str | None) -> Conversation:
        """Return a conversation of this key; ``key_id`` None = of anybody.

        Raises:
            NotFound: there is none, or it is not this key's, which looks the same.
        """
        with self._database.read() as connection:
            query = self._query(key_id).where(conversations.c.conversation_id == conversation_id)
            row = connection.execute(query).first()
        if row is None:
            raise _no_conversation(conversation_id)
        return _conversation(row)

    def turns(
        self, conversation_id: str, before: int | None = None, last: int | None = None
    ) -> Sequence[ConversationTurn]:
        """Return the turns of a conversation, oldest first.

        Args:
            conversation_id: of the conversation, which was found.
            before: only those with a lower number; None = all.
            last: only so many of the latest; None = all.
        """
        query = sa.select(conversation_turns).where(conversation_turns.c.conversation_id == conversation_id)
        if before is not None:
            query = query.where(conversation_turns.c.number < before)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(conversation_turns.c.number.desc()).limit(last)).all()
        return [_turn(row) for row in reversed(rows)]

    def add_question(self, conversation_id: str, key_id: str, question: str) -> int:
        """Store the next question and return its number: of two that come at once, each gets its own.

        Raises:
            NotFound: there is no such conversation of this key.
        """
        now = time.time()
        this = sa.and_(conversations.c.conversation_id == conversation_id, self._is_kept(key_id))
        highest = sa.select(sa.func.coalesce(sa.func.max(conversation_turns.c.number), 0)).where(
            conversation_turns.c.conversation_id == conversation_id
        )
        with self._database.write() as connection:
            if not connection.execute(conversations.update().where(this).values(updated_at=now)).rowcount:
                raise _no_conversation(conversation_id)
            number = int(connection.execute(highest).scalar_one()) + 1
            values = {"conversation_id": conversation_id, "number": number, "asked_at": now, "question": question}
            connection.execute(conversation_turns.insert().values(values))
        return number

    def add_answer(self, conversation_id: str, number: int, answer: Answer) -> None:
        """Store the answer to a question; a conversation that was deleted meanwhile stays deleted."""
        shown = structs.replace(answer, passages=(), steps=(), reasoning="")
        this = sa.and_(conversation_turns.c.conversation_id == conversation_id, conversation_turns.c.number == number)
        values = {"answer_id": answer.answer_id, "answer": msgspec.json.encode(shown).decode()}
        with self._database.write() as connection:
            connection.execute(conversation_turns.update().where(this).values(values))

    def drop_question(self, conversation_id: str, number: int) -> None:
        """Forget a question that could not be asked at all."""
        this = sa.and_(conversation_turns.c.conversation_id == conversation_id, conversation_turns.c.number == number)
        with self._database.write() as connection:
            connection.execute(conversation_turns.delete().where(this, conversation_turns.c.answer.is_(None)))

    def delete(self, conversation_id: str, key_id: str | None) -> None:
        """Delete a conversation and what was kept of its answers, for good.

        Raises:
            NotFound: there is no such conversation of this key.
        """
        this = sa.and_(conversations.c.conversation_id == conversation_id, self._is_kept(key_id))
        with self._database.erase() as connection:
            if not connection.execute(sa.select(conversations.c.conversation_id).where(this)).first():
                raise _no_conversation(conversation_id)
            _delete(connection, [conversation_id])

    def sweep(self) -> int:
        """Delete the conversations whose days are over; return how many."""
        with self._database.read() as connection:
            old = sa.select(conversations.c.conversation_id).where(sa.not_(self._is_kept(None))).limit(MOST_ERASED)
            ids = connection.execute(old).scalars().all()
        if ids:
            with self._database.erase() as connection:
                _delete(connection, ids)
        return len(ids)

    def _is_kept(self, key_id: str | None) -> sa.ColumnElement[bool]:
        kept = conversations.c.updated_at >= time.time() - self._days * SECONDS_PER_DAY
        return kept if key_id is None else sa.and_(kept, conversations.c.key_id == key_id)

    def _query(self, key_id: str | None) -> sa.Select[Any]:
        of_it = conversation_turns.c.conversation_id == conversations.c.conversation_id
        first = sa.select(conversation_turns.c.question).where(of_it).order_by(conversation_turns.c.number).limit(1)
        count = sa.select(sa.func.count()).select_from(conversation_turns).where(of_it)
        return sa.select(
            conversations,
            count.correlate(conversations).scalar_subquery().label("n_turns"),
            first.correlate(conversations).scalar_subquery().label("first_question"),
        ).where(self._is_kept(key_id))


def _delete(connection: sa.Connection, ids: Sequence[str]) -> None:
    of_these = conversation_turns.c.conversation_id.in_(ids)
    answers = sa.select(conversation_turns.c.answer_id).where(of_these, conversation_turns.c.answer_id.is_not(None))
    connection.execute(receipts.delete().where(receipts.c.answer_id.in_(answers)))
    connection.execute(conversation_turns.delete().where(of_these))
    connection.execute(conversations.delete().where(conversations.c.conversation_id.in_(ids)))


def _no_conversation(conversation_id: str) -> NotFound:
    return NotFound(f"no conversation {conversation_id[:64]!r} here")


def _conversation(row: Any) -> Conversation:
    return Conversation(
        conversation_id=row.conversation_id,
        key_id=row.key_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        n_turns=row.n_turns,
        first_question=row.first_question or "",
    )


def _turn(row: Any) -> ConversationTurn:
    return ConversationTurn(
        number=row.number,
        asked_at=row.asked_at,
        question=row.question,
        answer=msgspec.json.decode(row.answer, type=Answer) if row.answer else None,
    )
