"""Opens the catalogue's database and brings its schema to the current revision.

``read()`` and ``write()`` are the only ways in. A read sees one state from its first query to its last; a
write takes SQLite's write lock at once, so two writers queue instead of failing half-way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ragsvc.errors import IndexDamaged
from ragsvc.store import schema

REVISION = "0001"
"""Alembic revision that this code expects."""
BUSY_TIMEOUT_S = 30
# FULL: a commit is on the disk when it returns. Cache in KiB (negative), memory map in bytes.
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536", "mmap_size=1073741824")


class Database:
    """A SQLite file in WAL mode.

    Args:
        path: the file; its folder exists.

    Raises:
        IndexDamaged: the file is not a database or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = sa.create_engine(
            f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}
        )
        sa.event.listen(self._engine, "connect", _on_connect)
        sa.event.listen(self._engine, "begin", _on_begin)
        try:
            self._migrate()
        except sa.exc.DatabaseError as error:
            raise IndexDamaged(str(path), f"not a usable catalogue ({error.orig}); restore it from a backup") from error

    def _migrate(self) -> None:
        with self.read() as connection:
            if sa.inspect(connection).has_table("alembic_version"):
                found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
                if found == REVISION:
                    return
        # Alembic takes a fifth of a second to import: only when there is something to do.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if connection.execute(sa.select(schema.head.c.id)).first() is None:
                connection.execute(schema.head.insert().values(id=1, generation_id="", change_number=0))

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent state, from the first query to the last."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: all of it or nothing."""
        with self._engine.connect() as connection:
            connection = connection.execution_options(is_write=True)
            with connection.begin():
                yield connection

    def check(self) -> list[str]:
        """Return what SQLite's own integrity check finds wrong, each with the file's path."""
        with self.read() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        return [f"{self.path}: {line}" for line in found if line != "ok"]

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _on_connect(connection: Any, _record: Any) -> None:
    # SQLAlchemy issues BEGIN itself (below): the driver's own rule starts no transaction for reads.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: sa.Connection) -> None:
    is_write = connection.get_execution_options().get("is_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
