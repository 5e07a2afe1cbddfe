"""``ragsvc ingest --watch``: a folder whose new and changed files go in, until somebody stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

POLL_S = 2.0

Stamp = tuple[int, int]
"""Size and time of the last change: while they move, somebody is still writing the file."""


def watch(paths: list[Path], ingest: Callable[[list[Path]], object], poll_s: float = POLL_S) -> None:
    """Hand over every file that is new or changed and was not written to for one round; runs until interrupted.

    Args:
        paths: files and folders.
        ingest: takes the files that have settled; what is there already costs it nothing.
        poll_s: seconds between two looks. Looking works on every file system, network ones too.
    """
    done: dict[Path, Stamp] = {}
    before: dict[Path, Stamp] = {}
    while True:
        now = dict(_stamps(paths))
        settled = [path for path, stamp in now.items() if before.get(path) == stamp and done.get(path) != stamp]
        if settled:
            ingest(settled)
            done |= {path: now[path] for path in settled}
        before = now
        time.sleep(poll_s)


def _stamps(paths: list[Path]) -> Iterator[tuple[Path, Stamp]]:
    from ragsvc.errors import UnreadableFile
    from ragsvc.loading import iter_files

    for root in paths:
        try:
            for path in iter_files([root]):
                stat = path.stat()
                yield path, (stat.st_size, stat.st_mtime_ns)
        except (OSError, UnreadableFile):
            continue  # moved away between the look and the next: the next round sees it
