"""What readers said about answers. What they spoke of is kept beside it, as receipts."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects.sqlite import insert

from ragsvc.store.database import Database
from ragsvc.store.schema import feedback

Rating = Literal["up", "down"]
Reason = Literal["wrong_citation", "outdated", "not_answered", "unclear", "harmful", "other"]
REASONS: tuple[Reason, ...] = get_args(Reason)


class Said(Struct, frozen=True, kw_only=True):
    """What a reader says about an answer, or about one of its citations."""

    answer_id: str
    marker: str = ""
    """Of the citation; empty = the whole answer."""
    rating: Rating
    reason: Reason | Literal[""] = ""
    comment: str = ""


class GivenFeedback(Said, frozen=True, kw_only=True):
    """Feedback as it is kept."""

    feedback_id: str
    given_at: float
    """Seconds since 1970."""
    key_id: str
    collections: tuple[str, ...]
    """That were asked; empty = all."""
    model: str


class FeedbackFilter(Struct, frozen=True, kw_only=True):
    """Which feedback is wanted."""

    rating: Rating | None = None
    reason: Reason | None = None
    collection: str | None = None
    readable: tuple[str, ...] = ()
    """The only collections whose questions may be seen; empty = all."""


class Feedback:
    """The feedback of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def give(self, said: Said, *, key_id: str, collections: Sequence[str], model: str) -> GivenFeedback:
        """Keep feedback on an answer whose receipt is kept; who says something else about it has thought again."""
        given = GivenFeedback(
            **{name: getattr(said, name) for name in Said.__struct_fields__},
            feedback_id=uuid.uuid4().hex,
            given_at=time.time(),
            key_id=key_id,
            collections=tuple(collections),
            model=model,
        )
        row = {**msgspec.structs.asdict(given), "collections": msgspec.json.encode(given.collections).decode()}
        new = insert(feedback).values(row)
        again = {name: new.excluded[name] for name in ("rating", "reason", "comment", "given_at")}
        new = new.on_conflict_do_update(index_elements=["answer_id", "marker"], set_=again)
        with self._database.write() as connection:
            kept = connection.execute(new.returning(feedback.c.feedback_id)).scalar_one()
        return msgspec.structs.replace(given, feedback_id=kept)

    def list(self, wanted: FeedbackFilter, offset: int, limit: int) -> Sequence[GivenFeedback]:
        """Return a page, newest first."""
        query = sa.select(feedback).where(*_conditions(wanted))
        query = query.order_by(feedback.c.given_at.desc(), feedback.c.feedback_id).offset(offset).limit(limit)
        with self._database.read() as connection:
            return [_given(row) for row in connection.execute(query)]


def _conditions(wanted: FeedbackFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.rating:
        found.append(feedback.c.rating == wanted.rating)
    if wanted.reason:
        found.append(feedback.c.reason == wanted.reason)
    asked = sa.func.json_each(feedback.c.collections).table_valued("value")
    if wanted.collection:
        found.append(sa.exists(sa.select(1).select_from(asked).where(asked.c.value == wanted.collection)))
    if wanted.readable:
        others = sa.exists(sa.select(1).select_from(asked).where(asked.c.value.not_in(wanted.readable)))
        found += [feedback.c.collections != "[]", ~others]
    return found


def _given(row: Any) -> GivenFeedback:
    values = {name: getattr(row, name) for name in GivenFeedback.__struct_fields__}
    return GivenFeedback(**{**values, "collections": tuple(msgspec.json.decode(row.collections))})
