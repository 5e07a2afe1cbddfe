"""A small SQLite file of its own for what is only of the moment: counts of use, and answers that may get feedback.

Beside the catalogue, not in it: a long ingest holds the catalogue's write lock, and no question may wait for that.
A crash of the process loses nothing, one of the machine the last moments: nothing here is worth a sync per request.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ragsvc.errors import IndexDamaged, RagsvcError

BUSY_TIMEOUT_S = 10
_SCHEMA = """
CREATE TABLE IF NOT EXISTS uses (
    subject TEXT, start INTEGER, n INTEGER NOT NULL, ends_at REAL NOT NULL, PRIMARY KEY (subject, start)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uses_by_end ON uses (ends_at);
CREATE TABLE IF NOT EXISTS recent_answers (
    answer_id TEXT PRIMARY KEY, asker TEXT NOT NULL, at REAL NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS recent_answers_by_time ON recent_answers (at);
CREATE TABLE IF NOT EXISTS declined (
    answer_id TEXT PRIMARY KEY, at REAL NOT NULL, collections TEXT NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS declined_by_time ON declined (at);
"""


class PassingFile:
    """``passing.sqlite`` of a home, made when it is first needed. Several processes and threads may use it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._one_at_a_time = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, alone among all processes: what it counts is counted right.

        Raises:
            IndexDamaged: the file is no database.
            RagsvcError: the disk is full or broken.
        """
        with self._one_at_a_time:
            try:
                connection = self._connection = self._connection or self._open()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise RagsvcError(
                        f"{self.path} cannot be used ({error}): see that the disk has room and allows writing"
                    ) from error
                raise IndexDamaged(
                    str(self.path), f"{error}; delete it: it holds counts and the answers of the last hours"
                ) from error

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self.path, os.O_CREAT | os.O_CLOEXEC, 0o600))  # answers are for their readers only
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=32
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA secure_delete=ON")  # what is over is overwritten
        connection.executescript(_SCHEMA)
        return connection

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        with self._one_at_a_time:
            if self._connection:
                self._connection.close()
            self._connection = None
