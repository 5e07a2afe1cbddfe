"""Ingests a folder into a home and kills this process at the N-th write step; with N = 0 it lists the steps.

``python -m tests.crash.killed_ingest HOME FOLDER N``. Every call that changes a file is a step: it is counted before
it is done, and commits are counted once more right after. What is killed is the program as it is: the steps are the
calls of the standard library, numpy, faiss, tantivy and SQLite's driver that it makes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import portalocker
import sqlalchemy as sa
import tantivy
from sqlalchemy.engine.default import DefaultDialect

from ragsvc.pipelines import ingest
from tests.crash.homes import Home

BATCH_CHUNKS = 8
"""So that a few small texts are several batches."""


class Steps:
    """Counts the write steps and ends the process at one of them."""

    def __init__(self, last: int) -> None:
        self.seen: list[str] = []
        self._last = last

    def step(self, what: str) -> None:
        self.seen.append(re.sub(r"([0-9a-f]{32}|\*)\.\w+|\d{8}-[0-9a-f]{8}", "*", what))
        if len(self.seen) == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, owner: Any, name: str, describe: Callable[..., str]) -> None:
        """Make each call of ``owner.name`` a step."""
        real = getattr(owner, name)

        def stepped(*args: Any, **named: Any) -> Any:
            self.step(describe(*args))
            return real(*args, **named)

        setattr(owner, name, stepped)


def watch_files(steps: Steps, home: Path) -> None:
    def shown(path: Any) -> str:
        name = os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) else os.fspath(path)
        # A bare name is a file of a tree that is being removed.
        return os.path.relpath(name, home.resolve()) if os.path.isabs(name) else "of a removed tree"

    for name in ("fsync", "mkdir", "unlink", "rmdir"):
        steps.before(os, name, lambda path, *_, name=name: f"{name} {shown(path)}")
    for name in ("link", "rename", "replace"):
        steps.before(os, name, lambda source, target, name=name: f"{name} {shown(source)} -> {shown(target)}")
    steps.before(shutil, "copyfile", lambda source, target: f"copy {shown(target)}")
    steps.before(Path, "write_bytes", lambda path, _data: f"write {shown(path)}")
    steps.before(Path, "touch", lambda path: f"touch {shown(path)}")
    steps.before(np, "save", lambda path, _array: f"save {shown(path)}")
    steps.before(faiss, "write_index", lambda _index, path: f"write {shown(path)}")
    steps.before(portalocker, "lock", lambda file, _flags: f"lock {shown(file.fileno())}")
    steps.before(portalocker, "unlock", lambda file: f"unlock {shown(file.fileno())}")


def watch_commits(steps: Steps) -> None:
    tables: dict[int, list[str]] = {}

    def note(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if found := re.match(r"(?:INSERT (?:OR IGNORE )?INTO|UPDATE|DELETE FROM) (\w+)", statement):
            tables.setdefault(id(connection.connection.dbapi_connection), []).append(found[1])

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", note)
    real = DefaultDialect.do_commit

    def do_commit(dialect: Any, connection: Any) -> None:
        written = tables.pop(id(connection.dbapi_connection), [])
        what = f"COMMIT {' '.join(dict.fromkeys(written))}"
        if written:
            steps.step(f"before {what}")
        real(dialect, connection)
        if written:
            steps.step(f"after {what}")

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]


def watch_tantivy(steps: Steps) -> None:
    real_index = tantivy.Index

    class Writer:
        def __init__(self, writer: Any) -> None:
            self._writer = writer

        def __getattr__(self, name: str) -> Any:
            if name in ("delete_documents_by_query", "commit", "wait_merging_threads"):
                steps.step(f"tantivy {name}")
            return getattr(self._writer, name)

    class Index:
        open = staticmethod(real_index.open)

        def __init__(self, *args: Any) -> None:
            steps.step("tantivy open for writing")
            self._index = real_index(*args)

        def writer(self, **named: Any) -> Writer:
            return Writer(self._index.writer(**named))

    tantivy.Index = Index  # type: ignore[misc]


def main() -> None:
    home, folder, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    ingest.BATCH_CHUNKS = BATCH_CHUNKS
    opened = Home(home)
    steps = Steps(last)
    watch_files(steps, home)
    watch_commits(steps)
    watch_tantivy(steps)
    opened.ingest(folder)
    sys.stdout.write(json.dumps(steps.seen, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
