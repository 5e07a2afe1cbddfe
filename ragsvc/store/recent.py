"""Answers of the last hours, without their passages, so that readers may say what was wrong; and declined questions.

Both lie in the file of what passes: an answer is not to wait for an ingest, and nothing here is needed to answer.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Sequence
from datetime import date

import msgspec
from msgspec import Struct

from ragsvc.errors import NotFound
from ragsvc.records import Answer
from ragsvc.store.passing import PassingFile

MOST_ANSWERS = 20_000
"""Of a busy service, the newest."""
DECLINED_DAYS = 90
SECONDS_PER_DAY = 86_400
SWEEP_S = 60.0


class RecentAnswer(Struct, frozen=True, kw_only=True):
    """An answer as it was given, less what it was chosen from. ``question`` only where the operator keeps questions."""

    answer: Answer
    key_id: str
    collections: tuple[str, ...]
    as_of: date | None
    question: str | None


class DeclinedQuestion(Struct, frozen=True, kw_only=True):
    """A question without an answer, redacted."""

    answer_id: str
    asked_at: float
    """Seconds since 1970."""
    key_id: str
    question: str
    collections: tuple[str, ...]
    """Where an answer was looked for; empty = everywhere."""
    as_of: date | None
    reason: str
    """What the reader was told is missing."""


class RecentAnswers:
    """The answers of one home that may get feedback."""

    def __init__(self, file: PassingFile) -> None:
        self._file = file
        self._swept_at = -math.inf

    def keep(self, recent: RecentAnswer, asker: str, hours: float) -> None:
        """Keep an answer for so many hours, for who asked."""
        now = time.time()
        with self._file.write() as connection:
            if now - self._swept_at > SWEEP_S:
                self._swept_at = now
                newest = "SELECT at FROM recent_answers ORDER BY at DESC LIMIT 1 OFFSET ?"
                connection.execute("DELETE FROM recent_answers WHERE at < ?", (now - hours * 3600,))
                connection.execute(f"DELETE FROM recent_answers WHERE at <= ({newest})", (MOST_ANSWERS,))
            connection.execute(
                "INSERT OR IGNORE INTO recent_answers VALUES (?, ?, ?, ?)",
                (recent.answer.answer_id, asker, now, msgspec.msgpack.encode(recent)),
            )

    def find(self, answer_id: str, asker: str, hours: float) -> RecentAnswer:
        """Return an answer to its asker.

        Raises:
            NotFound: there is none for this asker, or its hours are over; these look the same.
        """
        query = "SELECT body FROM recent_answers WHERE answer_id = ? AND asker = ? AND at >= ?"
        with self._file.write() as connection:
            row = connection.execute(query, (answer_id, asker, time.time() - hours * 3600)).fetchone()
        if row is None:
            raise NotFound(f"no answer {answer_id!r} here that feedback could be about")
        return msgspec.msgpack.decode(row[0], type=RecentAnswer)


class Declined:
    """The declined questions of one home, where the operator chose to keep them."""

    def __init__(self, file: PassingFile) -> None:
        self._file = file

    def keep(self, question: DeclinedQuestion) -> None:
        """Keep a question; those older than ``DECLINED_DAYS`` go."""
        oldest = time.time() - DECLINED_DAYS * SECONDS_PER_DAY
        collections = msgspec.json.encode(question.collections).decode()
        row = (question.answer_id, question.asked_at, collections, msgspec.msgpack.encode(question))
        with self._file.write() as connection:
            connection.execute("DELETE FROM declined WHERE at < ?", (oldest,))
            connection.execute("INSERT OR IGNORE INTO declined VALUES (?, ?, ?, ?)", row)

    def list(self, readable: Sequence[str], offset: int, limit: int) -> list[DeclinedQuestion]:
        """Return a page, newest first: of who may read only some collections (empty = all), what was asked there."""
        where, values = _asked_within(readable)
        query = f"SELECT body FROM declined WHERE {where} ORDER BY at DESC, answer_id LIMIT ? OFFSET ?"
        with self._file.write() as connection:
            rows: list[sqlite3.Row] = connection.execute(query, (*values, limit, offset)).fetchall()
        return [msgspec.msgpack.decode(row[0], type=DeclinedQuestion) for row in rows]


def _asked_within(readable: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    if not readable:
        return "1", ()
    marks = ", ".join("?" * len(readable))
    others = f"SELECT 1 FROM json_each(collections) WHERE value NOT IN ({marks})"
    return f"collections != '[]' AND NOT EXISTS ({others})", tuple(readable)
