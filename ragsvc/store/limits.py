"""How much was used of what is limited: requests of a minute, questions and tokens of a day, a ticket's questions."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from ragsvc.store.passing import PassingFile

MINUTE_S = 60
DAY_S = 86_400
KEEP_S = 3_600
"""Counts whose time is over go this long after it."""


class Limit(Struct, frozen=True, kw_only=True):
    """At most ``most`` of something by somebody, from ``start`` until ``ends_at`` (seconds since 1970)."""

    name: str
    """As the headers and the message show it: ``key-questions-per-day``."""
    of: str
    """Who is limited, by id: together with ``name`` it is what is counted."""
    most: int
    start: int
    ends_at: int
    cost: int = 1
    """What one request takes; 0 where that is known only afterwards."""


class Left(Struct, frozen=True):
    """What of a limit is left."""

    limit: Limit
    n: int


class Taken(Struct, frozen=True):
    """What became of a request."""

    left: tuple[Left, ...]
    """Of each limit, after the request."""
    refused: Limit | None = None
    """The limit that had nothing left: then nothing was counted."""


def of_period(name: str, of: str, most: int, period_s: int, now: float, cost: int = 1) -> Limit:
    """Return a limit for the minute or the day (UTC) that ``now`` is in: windows that begin for everyone at once."""
    start = int(now // period_s) * period_s
    return Limit(name=name, of=of, most=most, start=start, ends_at=start + period_s, cost=cost)


class Limits:
    """The counts of one home, right with any number of workers."""

    def __init__(self, file: PassingFile) -> None:
        self._file = file
        self._swept_at = -math.inf

    def take(self, limits: Sequence[Limit], now: float) -> Taken:
        """Count one request against all of these limits, or against none if one of them has nothing left."""
        with self._file.write() as connection:
            self._sweep(connection, now)
            used = [_used(connection, limit) for limit in limits]
            for limit, n in zip(limits, used, strict=True):
                if n >= limit.most:
                    return Taken((Left(limit, 0),), refused=limit)
            for limit in limits:
                if limit.cost:
                    _add(connection, limit, limit.cost)
        return Taken(tuple(Left(limit, limit.most - n - limit.cost) for limit, n in zip(limits, used, strict=True)))

    def add(self, limit: Limit, n: int) -> None:
        """Count what a request turned out to take."""
        with self._file.write() as connection:
            _add(connection, limit, n)

    def _sweep(self, connection: sqlite3.Connection, now: float) -> None:
        if now - self._swept_at > MINUTE_S:
            self._swept_at = now
            connection.execute("DELETE FROM uses WHERE ends_at < ?", (now - KEEP_S,))


def _used(connection: sqlite3.Connection, limit: Limit) -> int:
    found = connection.execute(
        "SELECT n FROM uses WHERE subject = ? AND start = ?", (_subject(limit), limit.start)
    ).fetchone()
    return int(found[0]) if found else 0


def _add(connection: sqlite3.Connection, limit: Limit, n: int) -> None:
    connection.execute(
        "INSERT INTO uses VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
        (_subject(limit), limit.start, n, limit.ends_at),
    )


def _subject(limit: Limit) -> str:
    return f"{limit.name} {limit.of}"
