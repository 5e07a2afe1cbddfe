"""Opens the catalogue's database and brings its schema to the current revision.

``read()`` and ``write()`` are the only ways in. A read sees one state from its first query to its last; a
write takes SQLite's write lock at once, so two writers queue instead of failing half-way.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ragsvc.errors import IndexDamaged, RagsvcError
from ragsvc.store import identity, schema

REVISION = "0003"
"""Alembic revision that this code expects."""
BUSY_TIMEOUT_S = 30
ERASE_WAIT_MS = 2000
"""Longest that an erasure waits for readers to leave the log."""
# FULL: a commit is on the disk when it returns. Cache in KiB (negative), memory map in bytes.
OUTSIDE_CAUSES = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_BUSY")
RESTORE = "restore it from a backup"
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
        self._of_thread = threading.local()
        self._engine = sa.create_engine(
            f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}
        )
        sa.event.listen(self._engine, "connect", _on_connect)
        sa.event.listen(self._engine, "begin", _on_begin)
        self._migrate()

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
        """One consistent state, from the first query to the last; a read inside a read of its thread sees the same.

        Raises:
            IndexDamaged: the file is no database, or damaged where it was read.
        """
        outer: sa.Connection | None = getattr(self._of_thread, "connection", None)
        if outer is not None:
            yield outer
            return
        with self._named_errors(), self._engine.connect() as connection, connection.begin():
            self._of_thread.connection = connection
            try:
                yield connection
            finally:
                self._of_thread.connection = None

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: all of it or nothing.

        Raises:
            IndexDamaged: the file is no database, or damaged where it was used.
            RagsvcError: the disk is full or broken; nothing was changed.
        """
        with self._named_errors(), self._engine.connect() as connection:
            connection = connection.execution_options(is_write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def erase(self) -> Iterator[sa.Connection]:
        """As ``write``, and what is deleted in it is overwritten in the file, then dropped from the log beside it.

        The log keeps its pages for as long as a reader or writer needs them; the next call drops them then.
        """
        with self.write() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("PRAGMA secure_delete=OFF")
        with self._named_errors(), self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute(f"PRAGMA busy_timeout={ERASE_WAIT_MS}")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}")

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DatabaseError as error:
            name = getattr(error.orig, "sqlite_errorname", "")
            if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "decode to UTF-8" in str(error.orig):
                raise IndexDamaged(str(self.path), f"not a usable catalogue ({error.orig}); {RESTORE}") from error
            if name.startswith(OUTSIDE_CAUSES):
                raise RagsvcError(
                    f"{self.path} cannot be used ({error.orig}); nothing was changed: see that the disk has room and "
                    "allows writing and that no other program holds the file, then try again"
                ) from error
            raise

    def check(self) -> list[str]:
        """Return what is damaged, each with the file's path: by SQLite's own check, and texts by their hash."""
        texts = (
            sa.select(schema.versions.c.version_id, schema.versions.c.text, schema.documents.c.document_id)
            .join(schema.documents, schema.documents.c.ordinal == schema.versions.c.document)
            .where(schema.versions.c.state.in_(("live", "inactive")))
        )
        try:
            with self.read() as connection:
                found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
                wrong = [line for line in found if line != "ok"]
                for row in connection.execute(texts.execution_options(yield_per=64)):
                    if identity.version_id(row.document_id, row.text) != row.version_id:
                        wrong.append(f"the text of version {row.version_id} is not the one that was stored; {RESTORE}")
        except IndexDamaged as error:
            return [str(error)]
        return [f"{self.path}: {line}" for line in wrong]

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
