"""Answers that were kept, with the exact places they cite: what a new version of a text puts in question."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects.sqlite import insert

from ragsvc.errors import NotFound
from ragsvc.records import Answer
from ragsvc.store.database import Database
from ragsvc.store.schema import receipt_citations, receipts

MAX_RANGES = 200
"""Ranges asked for in one statement: SQLite limits how deep an expression may be."""


class KeptCitation(Struct, frozen=True, kw_only=True):
    """A citation as it was given: ``text[start:end] == quote`` in that version."""

    marker: str
    version_id: str
    start: int
    end: int
    quote: str
    title: str
    locator: str


class Receipt(Struct, frozen=True, kw_only=True):
    """An answer as it was given. ``question`` is None unless the asker agreed to its being kept."""

    answer_id: str
    asked_at: float
    """Seconds since 1970."""
    key_id: str | None
    question: str | None
    collections: tuple[str, ...]
    as_of: date | None
    answer: str
    citations: tuple[KeptCitation, ...]
    index_generation: str


class Resting(Struct, frozen=True, kw_only=True):
    """A kept answer's citation that touches a place asked about."""

    answer_id: str
    asked_at: float
    as_of: date | None
    key_id: str | None
    citation: KeptCitation


class Receipts:
    """The kept answers of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(
        self,
        answer: Answer,
        *,
        collections: Sequence[str],
        as_of: date | None = None,
        key_id: str | None = None,
        question: str | None = None,
    ) -> None:
        """Keep an answer with its citations; one that is kept already stays as it is.

        Args:
            answer: as it was given.
            collections: that were asked; empty = all.
            as_of: the day that was asked for; None = the day of asking.
            key_id: who asked, where keys are used.
            question: only if the asker agreed to its being kept.
        """
        row = {
            "answer_id": answer.answer_id,
            "asked_at": time.time(),
            "key_id": key_id,
            "question": question,
            "collections": msgspec.json.encode(list(collections)).decode(),
            "as_of": as_of,
            "answer": answer.answer,
            "index_generation": answer.index_generation,
        }
        places = [
            {"answer_id": answer.answer_id, "position": position}
            | {name: getattr(citation, name) for name in KeptCitation.__struct_fields__}
            for position, citation in enumerate(answer.citations)
        ]
        with self._database.write() as connection:
            is_new = connection.execute(insert(receipts).values(row).on_conflict_do_nothing()).rowcount
            if is_new and places:
                connection.execute(receipt_citations.insert(), places)

    def get(self, answer_id: str) -> Receipt:
        """Return a kept answer.

        Raises:
            NotFound: it was not kept, or was forgotten.
        """
        of_it = receipt_citations.c.answer_id == answer_id
        with self._database.read() as connection:
            row = connection.execute(sa.select(receipts).where(receipts.c.answer_id == answer_id)).first()
            cited = connection.execute(
                sa.select(receipt_citations).where(of_it).order_by(receipt_citations.c.position)
            ).all()
        if row is None:
            raise NotFound(f"no answer {answer_id!r} is kept here: it was never kept or was forgotten")
        return Receipt(
            answer_id=row.answer_id,
            asked_at=row.asked_at,
            key_id=row.key_id,
            question=row.question,
            collections=tuple(msgspec.json.decode(row.collections)),
            as_of=row.as_of,
            answer=row.answer,
            citations=tuple(map(_citation, cited)),
            index_generation=row.index_generation,
        )

    def forget(self, answer_id: str) -> bool:
        """Delete a kept answer with its citations; return whether there was one."""
        with self._database.write() as connection:
            gone = connection.execute(receipts.delete().where(receipts.c.answer_id == answer_id))
        return bool(gone.rowcount)

    def resting_on(self, version_id: str, ranges: Sequence[tuple[int, int]]) -> list[Resting]:
        """Return the kept citations of a version that touch one of these half-open ranges, the oldest answer first."""
        columns = (receipt_citations, receipts.c.asked_at, receipts.c.as_of, receipts.c.key_id)
        joined = sa.select(*columns).join(receipts, receipts.c.answer_id == receipt_citations.c.answer_id)
        found: dict[tuple[str, int], Resting] = {}
        with self._database.read() as connection:
            for at in range(0, len(ranges), MAX_RANGES):
                touches = [
                    sa.and_(receipt_citations.c.start < end, receipt_citations.c.end > start)
                    for start, end in ranges[at : at + MAX_RANGES]
                ]
                query = joined.where(receipt_citations.c.version_id == version_id, sa.or_(*touches))
                for row in connection.execute(query):
                    found[row.answer_id, row.position] = Resting(
                        answer_id=row.answer_id,
                        asked_at=row.asked_at,
                        as_of=row.as_of,
                        key_id=row.key_id,
                        citation=_citation(row),
                    )
        return [found[key] for key in sorted(found, key=lambda key: (found[key].asked_at, key))]


def _citation(row: Any) -> KeptCitation:
    return KeptCitation(**{name: getattr(row, name) for name in KeptCitation.__struct_fields__})
