"""Tickets at rest: one secret per home, counts that hold with several workers, and homes from before there were any."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from ragsvc.errors import NotFound
from ragsvc.store.database import Database
from ragsvc.store.keys import Keys
from ragsvc.store.tickets import Tickets

PORTAL = "https://portal.example"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "catalogue.sqlite")


@pytest.fixture
def key_id(database: Database) -> str:
    return Keys(database).add("hash", name="portal", scopes=("ask",), origins=(PORTAL,)).key_id


def test_the_first_secret_stays(tmp_path: Path, database: Database) -> None:
    """Every worker signs with the same, whichever came first."""
    first = Tickets(database).secret(b"a" * 32)
    assert first == b"a" * 32
    assert Tickets(Database(tmp_path / "catalogue.sqlite")).secret(b"b" * 32) == first


def test_several_workers_count_right(tmp_path: Path, database: Database, key_id: str) -> None:
    """Of more requests than a quota has, exactly the quota is let through."""
    Tickets(database).add("t1", key_id, questions=5, expires_at=int(time.time()) + 100)
    workers = [Tickets(Database(tmp_path / "catalogue.sqlite")) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        got = list(pool.map(lambda n: workers[n % 3].take_question("t1", key_id, PORTAL, 100), range(12)))
    assert got.count("taken") == 5
    assert got.count("none left") == 7


def test_a_revoked_or_unknown_ticket_takes_nothing(database: Database, key_id: str) -> None:
    """And only its own key revokes it."""
    tickets = Tickets(database)
    tickets.add("t1", key_id, questions=5, expires_at=int(time.time()) + 100)
    with pytest.raises(NotFound):
        tickets.revoke("t1", "another")
    assert tickets.is_valid("t1")
    tickets.revoke("t1", key_id)
    assert not tickets.is_valid("t1")
    for ticket_id in ("t1", "nowhere"):
        assert tickets.take_question(ticket_id, key_id, PORTAL, 100) == "none left"


def test_expired_tickets_go(database: Database, key_id: str) -> None:
    """With the next one, so that the table stays as small as what is in use."""
    tickets = Tickets(database)
    tickets.add("old", key_id, questions=5, expires_at=int(time.time()) - 1)
    tickets.add("new", key_id, questions=5, expires_at=int(time.time()) + 100)
    assert not tickets.is_valid("old")
    assert tickets.is_valid("new")


def test_a_home_of_the_first_revision_is_brought_up_to_date(tmp_path: Path, database: Database) -> None:
    """Its keys stay and can list origins."""
    key = Keys(database).add("hash", name="old", scopes=("ask",))
    with database.write() as connection:
        for table in ("key_origins", "ticket_secret", "tickets", "ticket_days"):
            connection.execute(sa.text(f"DROP TABLE {table}"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    database.close()
    keys = Keys(Database(tmp_path / "catalogue.sqlite"))
    keys.set_origins(key.key_id, [PORTAL])
    assert [(found.name, found.origins) for found in keys.list()] == [("old", (PORTAL,))]
    assert keys.lists_origin(PORTAL)
