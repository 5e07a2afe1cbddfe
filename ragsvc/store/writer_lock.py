"""One writer per home: a lock file that names its holder. Held while a job runs, never while idle."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import portalocker

from ragsvc.errors import WriterBusy

POLL_S = 0.2


@contextmanager
def writer_lock(home: Path, job: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the home's writer lock; the operating system lets go of it when the process dies.

    Args:
        home: folder of the catalogue.
        job: what the lock is for, shown to whoever finds it taken.
        wait: wait for the other writer instead of failing.

    Raises:
        WriterBusy: another process holds it; the message names its pid and job.
    """
    path = home / "writer.lock"
    with path.open("ab", buffering=0) as file:
        while True:
            try:
                portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
                break
            except portalocker.AlreadyLocked:
                if not wait:
                    raise WriterBusy(
                        f"{home} is being written by {_holder(path)}; try again when it is done, or wait with --wait"
                    ) from None
                time.sleep(POLL_S)
        try:
            file.truncate(0)
            with suppress(OSError):  # the disk is full: the lock is held all the same
                file.write(json.dumps({"pid": os.getpid(), "job": job}).encode())
            yield
        finally:
            file.truncate(0)
            portalocker.unlock(file)


def _holder(path: Path) -> str:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return f"process {found['pid']} ({found['job']})"
    except (ValueError, KeyError, OSError):
        return "another process"
