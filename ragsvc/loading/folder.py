"""The files of a corpus, in an order that does not depend on the file system."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ragsvc.errors import UnreadableFile

NOT_DOCUMENTS = frozenset({"readme.md", "readme.txt", "corpus.toml", "license", "license.md", "license.txt"})
"""Files that describe a corpus and are no part of it (compared in lower case)."""


def iter_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files named in ``paths`` and those in the folders named there, each once.

    Order: as given, and inside a folder by path, compared part by part. A file named outright is always yielded;
    in folders, hidden files, ``NOT_DOCUMENTS`` and links that lead out of the folder are passed over.

    Raises:
        UnreadableFile: a path does not exist.
    """
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise UnreadableFile(str(path), "does not exist")
        for file in _walk(path) if path.is_dir() else (path,):
            real = _real(file)
            if real not in seen:
                seen.add(real)
                yield file


def _walk(root: Path) -> Iterator[Path]:
    inside = _real(root)
    found = []
    for folder, subfolders, names in os.walk(root):  # links to folders are listed but not entered
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            file = Path(folder, name)
            if name.startswith(".") or name.lower() in NOT_DOCUMENTS:
                continue
            if file.is_symlink() and not _real(file).is_relative_to(inside):
                continue
            found.append(file)
    yield from sorted(found, key=lambda file: file.parts)


def _real(path: Path) -> Path:
    """As ``Path.resolve``, which raises on links in a circle: here they stay, and whoever opens them is told."""
    return Path(os.path.realpath(path))
