"""What is to be ingested: files, and the files inside archives and messages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

from msgspec import Struct

from ragsvc.errors import UnreadableFile
from ragsvc.loading import ParserProcess, iter_files, load_file, take_apart
from ragsvc.records import LoadedDocument


class Source(Struct, frozen=True, kw_only=True):
    """A document to be ingested. ``sha256`` is of its bytes; ``load`` raises UnreadableFile."""

    name: str
    sha256: Callable[[], str]
    load: Callable[[], LoadedDocument]


def file_sources(paths: Iterable[Path], parser: ParserProcess, unpacked: Path) -> list[Source]:
    """Return the files under these paths as sources, in a stable order; of archives and messages, their members.

    Args:
        paths: files and folders.
        parser: where files are opened.
        unpacked: an empty folder for members; it must stay until the sources are loaded.

    Raises:
        UnreadableFile: a path does not exist.
    """
    return [source for path in iter_files(paths) for source in _sources_in(path, parser, unpacked)]


def _sources_in(path: Path, parser: ParserProcess, unpacked: Path) -> list[Source]:
    try:
        found = take_apart(path, unpacked, parser=parser)
    except UnreadableFile as error:
        return [_refused(path.name, error.reason)]
    files = [_file(member.name, Path(member.path), parser) for member in found.members]
    return [*files, *(_refused(member.name, member.reason) for member in found.refused)]


def _file(name: str, path: Path, parser: ParserProcess) -> Source:
    def sha256() -> str:
        if path.stat().st_size > parser.limits.file_bytes:
            return ""  # refused by the loader, with its reason
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    return Source(name=name, sha256=sha256, load=lambda: load_file(path, name=name, parser=parser))


def _refused(name: str, reason: str) -> Source:
    def load() -> NoReturn:
        raise UnreadableFile(name, reason)

    return Source(name=name, sha256=lambda: "", load=load)
