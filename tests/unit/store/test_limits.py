"""Counts of use: right with several workers, cheap, and kept no longer than what they limit."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ragsvc.errors import IndexDamaged
from ragsvc.store.limits import DAY_S, KEEP_S, MINUTE_S, Limit, Limits, Taken, of_period
from ragsvc.store.passing import PassingFile

NOW = 1_700_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "passing.sqlite"


@pytest.fixture
def limits(path: Path) -> Limits:
    return Limits(PassingFile(path))


def per_minute(most: int, of: str = "k1", now: float = NOW, **other: int) -> Limit:
    return of_period("requests", of, most, MINUTE_S, now, **other)


def left(taken: Taken) -> list[int]:
    return [one.n for one in taken.left]


def test_several_workers_count_right(path: Path) -> None:
    """Of more requests than a limit has, exactly as many are let through, each told what is left after it."""
    workers = [Limits(PassingFile(path)) for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda n: workers[n % 3].take([per_minute(20)], NOW), range(60)))
    assert sorted(n for taken in got if not taken.refused for n in left(taken)) == list(range(20))
    assert sum(taken.refused is not None for taken in got) == 40


def test_a_refused_request_counts_nowhere(limits: Limits) -> None:
    """All of its limits or none: a key that is over its minute does not lose questions of its day."""
    day = of_period("questions", "k1", 100, DAY_S, NOW)
    assert left(limits.take([per_minute(1), day], NOW)) == [0, 99]
    refused = limits.take([per_minute(1), day], NOW)
    assert refused.refused == per_minute(1)
    assert left(limits.take([day], NOW)) == [98]


def test_the_next_minute_begins_anew(limits: Limits) -> None:
    """For the one that was over it, and at the same moment for all."""
    limits.take([per_minute(1)], NOW)
    assert limits.take([per_minute(1)], NOW).refused
    later = NOW + MINUTE_S
    assert not limits.take([per_minute(1, now=later)], later).refused


def test_another_is_counted_apart(limits: Limits) -> None:
    """By who it is, and by what is limited."""
    limits.take([per_minute(1)], NOW)
    assert not limits.take([per_minute(1, of="k2")], NOW).refused
    assert not limits.take([of_period("questions", "k1", 1, MINUTE_S, NOW)], NOW).refused


def test_what_is_known_afterwards_only_is_added_then(limits: Limits) -> None:
    """Tokens: the answer that goes over the limit is given, the next question is not."""
    tokens = of_period("tokens", "k1", 100, DAY_S, NOW, cost=0)
    assert left(limits.take([tokens], NOW)) == [100]
    limits.add(tokens, 250)
    assert limits.take([tokens], NOW).refused == tokens


def test_old_counts_go(limits: Limits, path: Path) -> None:
    """An address is not remembered longer than an hour after its minute."""
    limits.take([per_minute(9, of="192.0.2.7")], NOW)
    assert b"192.0.2.7" in path.with_name("passing.sqlite-wal").read_bytes()
    later = NOW + KEEP_S + 2 * MINUTE_S
    limits.take([per_minute(9, of="another", now=later)], later)
    with PassingFile(path).write() as connection:
        assert connection.execute("SELECT subject FROM uses").fetchall() == [("requests another",)]


def test_a_failure_leaves_nothing_half_done(path: Path) -> None:
    """What was counted before it is taken back, and the next goes on."""
    file = PassingFile(path)
    limits = Limits(file)
    with pytest.raises(ZeroDivisionError), file.write() as connection:
        connection.execute("INSERT INTO uses VALUES ('requests k1', 0, 5, 0)")
        raise ZeroDivisionError
    assert left(limits.take([per_minute(9)], NOW)) == [8]


def test_a_damaged_file_is_named(path: Path) -> None:
    """With what to do: nothing in it is needed."""
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(IndexDamaged, match=r"passing\.sqlite.*delete it"):
        Limits(PassingFile(path)).take([per_minute(1)], NOW)


def test_only_the_owner_reads_it(path: Path, limits: Limits) -> None:
    """It says who asked how much, and holds answers."""
    limits.take([per_minute(1)], NOW)
    assert all(found.stat().st_mode & 0o077 == 0 for found in path.parent.iterdir())


def test_counting_costs_little(limits: Limits) -> None:
    """Three limits in one transaction take far less than the fastest search."""
    wanted = [per_minute(10**6), of_period("questions", "k1", 10**6, DAY_S, NOW), per_minute(10**6, of="origin")]
    times = []
    for _ in range(200):
        began = time.perf_counter()
        limits.take(wanted, NOW)
        times.append(time.perf_counter() - began)
    assert sorted(times)[100] < 0.005
