"""Tickets at rest: one secret per home, and homes from before there were any."""

from __future__ import annotations

import time
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


def test_a_revoked_or_unknown_ticket_is_not_valid(database: Database, key_id: str) -> None:
    """And only its own key revokes it."""
    tickets = Tickets(database)
    tickets.add("t1", key_id, expires_at=int(time.time()) + 100)
    with pytest.raises(NotFound):
        tickets.revoke("t1", "another")
    assert tickets.is_valid("t1")
    tickets.revoke("t1", key_id)
    assert not tickets.is_valid("t1")
    assert not tickets.is_valid("nowhere")


def test_expired_tickets_go(database: Database, key_id: str) -> None:
    """With the next one, so that the table stays as small as what is in use."""
    tickets = Tickets(database)
    tickets.add("old", key_id, expires_at=int(time.time()) - 1)
    tickets.add("new", key_id, expires_at=int(time.time()) + 100)
    assert not tickets.is_valid("old")
    assert tickets.is_valid("new")


def test_a_home_of_the_first_revision_is_brought_up_to_date(tmp_path: Path, database: Database) -> None:
    """Its keys stay and can list origins."""
    key = Keys(database).add("hash", name="old", scopes=("ask",))
    with database.write() as connection:
        for table in ("key_origins", "ticket_secret", "tickets"):
            connection.execute(sa.text(f"DROP TABLE {table}"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    database.close()
    keys = Keys(Database(tmp_path / "catalogue.sqlite"))
    keys.set_origins(key.key_id, [PORTAL])
    assert [(found.name, found.origins) for found in keys.list()] == [("old", (PORTAL,))]
    assert keys.lists_origin(PORTAL)


def test_a_home_of_the_second_revision_is_brought_up_to_date(tmp_path: Path, database: Database) -> None:
    """Keys gain their limits and rotation; a ticket that is out stays good, though its quota is counted elsewhere."""
    key = Keys(database).add("hash", name="old", scopes=("ask",), origins=(PORTAL,))
    Tickets(database).add("t1", key.key_id, expires_at=int(time.time()) + 100)
    with database.write() as connection:
        connection.execute(sa.text("ALTER TABLE tickets ADD COLUMN n_left INTEGER NOT NULL DEFAULT 3"))
        connection.execute(sa.text("CREATE TABLE ticket_days (key_id VARCHAR)"))
        connection.execute(sa.text("DROP INDEX ix_keys_old_key_hash"))
        for column in ("old_key_hash", "old_until", "requests_per_minute", "questions_per_day", "tokens_per_day"):
            connection.execute(sa.text(f"ALTER TABLE keys DROP COLUMN {column}"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0002'"))
    database.close()
    migrated = Database(tmp_path / "catalogue.sqlite")
    assert Keys(migrated).list() == [key]
    tickets = Tickets(migrated)
    assert tickets.is_valid("t1")
    tickets.add("t2", key.key_id, expires_at=int(time.time()) + 100)
    Keys(migrated).rotate(key.key_id, "new", old_until=time.time() + 100)
    assert Keys(migrated).find("hash") == Keys(migrated).find("new") is not None
