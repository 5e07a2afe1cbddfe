"""Archives and messages are taken apart into the files in them.

A member's name is a label, never a path: what is written goes to ``into`` under a number. Limits hold for an archive
with everything nested in it. Archives may hold archives, which may not hold more.
Health topics of MedlinePlus are one file and are taken apart too.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from msgspec import Struct

from ragsvc.errors import UnreadableFile
from ragsvc.loading.folder import NOT_DOCUMENTS
from ragsvc.loading.formats import HEAD_BYTES, detect_format
from ragsvc.loading.limits import MIB, LoadingLimits
from ragsvc.loading.mail import eml_attachments, msg_attachments
from ragsvc.loading.medlineplus import is_topics, split_topics
from ragsvc.loading.zip_directory import has_huge_directory

MAX_DEPTH = 2
"""An archive, and archives in it."""
_MAX_NAME_BYTES = 255
_SMALL = 10 * MIB
"""Below this, however well something is packed, it is no bomb."""
_PIECE = 1 << 20
_DRIVE = re.compile(r"[A-Za-z]:")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_STREAMS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)


Stream = IO[bytes] | gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile


class Member(Struct, frozen=True):
    """A file that was taken out: what to call it (``laws.zip/2024/x.docx``) and where it lies."""

    name: str
    path: str
    url: str = ""
    """Where a reader finds it, if the archive says so."""


class Refused(Struct, frozen=True):
    """A member that was left out."""

    name: str
    reason: str


class Unpacked(Struct, frozen=True):
    """What an archive or a message held; of a message, itself first."""

    members: list[Member]
    refused: list[Refused]


def unpack(content: bytes, name: str, into: Path, limits: LoadingLimits) -> Unpacked:
    """Write the files in an archive or message to the folder ``into``; any other file comes back alone.

    Raises:
        UnreadableFile: damaged, protected by a password, or beyond the limits of number, size or packing ratio.
    """
    unpacking = _Unpacking(into, limits)
    unpacking.take(content, name, 0)
    return Unpacked(unpacking.members, unpacking.refused)


class _Unpacking:
    def __init__(self, into: Path, limits: LoadingLimits) -> None:
        self.members: list[Member] = []
        self.refused: list[Refused] = []
        self._into = into
        self._limits = limits
        self._n_seen = 0
        self._n_bytes = 0

    def take(self, content: bytes, name: str, depth: int) -> None:
        """Keep a file, or what is in it. Raises UnreadableFile."""
        try:
            kind = detect_format(name, content)
        except UnreadableFile as error:
            self.refused.append(Refused(name, error.reason))
            return
        if kind == "xml" and is_topics(content[:HEAD_BYTES]):
            self._take_topics(content, name)
            return
        if kind != "archive":
            self._keep(content, name)
        if kind == "mail":
            self._take_all(eml_attachments(content), name, depth + 1)
        elif kind == "outlook":
            self._take_all(msg_attachments(content), name, depth + 1)
        elif kind == "archive" and depth >= MAX_DEPTH:
            self.refused.append(Refused(name, f"is an archive in an archive more than {MAX_DEPTH} deep: unpack it"))
        elif kind == "archive":
            try:
                self._take_archive(content, name, depth)
            except _DAMAGE as error:
                raise UnreadableFile(name, f"is a damaged archive: {error}") from error

    def _take_archive(self, content: bytes, name: str, depth: int) -> None:
        opened = next((opened for magic, opened in _STREAMS if content.startswith(magic)), None)
        if opened is not None:
            content = self._read(opened(BytesIO(content)), len(content), name)
            if content[257:262] != b"ustar":
                self._take_all([(PurePosixPath(name).stem, content)], name, depth + 1)
                return
            self._n_bytes -= len(content)  # counted again, file by file
        if content.startswith(b"PK"):
            self._take_all(self._zip_members(content, name), name, depth + 1)
        else:
            self._take_all(self._tar_members(content, name), name, depth + 1)

    def _zip_members(self, content: bytes, name: str) -> Iterator[tuple[str, bytes]]:
        if has_huge_directory(content):
            raise UnreadableFile(
                name, f"lists far more than the {self._limits.zip_entries:,} files that are read at most"
            )
        with zipfile.ZipFile(BytesIO(content)) as archive:
            listed = archive.infolist()
            self._check_number(len(listed), name)
            for info in listed:
                label = _zip_name(info)
                if info.is_dir():
                    continue
                mode = info.external_attr >> 16
                if info.create_system == 3 and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                    self._refuse(name, label, "is a link or device, not a file")
                elif info.flag_bits & 1:
                    self._refuse(name, label, "is protected by a password: pack it without one")
                elif self._is_wanted(name, label):
                    with archive.open(info) as stream:
                        yield label, self._read(stream, info.compress_size, name)

    def _tar_members(self, content: bytes, name: str) -> Iterator[tuple[str, bytes]]:
        with tarfile.open(fileobj=BytesIO(content), mode="r:") as archive:
            for number, info in enumerate(archive, 1):
                self._check_number(number, name)
                if info.isdir():
                    continue
                if not info.isreg() or info.issparse():
                    self._refuse(name, info.name, "is a link or device, not a file")
                elif self._is_wanted(name, info.name):
                    stream = archive.extractfile(info)
                    assert stream is not None
                    yield info.name, self._read(stream, info.size, name)

    def _take_all(self, files: Iterator[tuple[str, bytes]] | list[tuple[str, bytes]], name: str, depth: int) -> None:
        for label, content in files:
            self._n_seen += 1
            self._check_number(self._n_seen, name)
            self.take(content, f"{name}/{_shown(label)}", depth)

    def _take_topics(self, content: bytes, name: str) -> None:
        for topic in split_topics(content, name):
            self._n_seen += 1
            self._check_number(self._n_seen, name)
            self._keep(topic.content, _shown(topic.name), topic.url)

    def _is_wanted(self, archive: str, label: str) -> bool:
        parts = label.replace("\\", "/").split("/")
        if label.startswith(("/", "\\")) or ".." in parts or _DRIVE.match(label):
            self._refuse(archive, label, "has a path that leads out of the archive")
        elif any(len(part.encode("utf-8", "replace")) > _MAX_NAME_BYTES for part in parts):
            self._refuse(archive, label[:80] + "…", f"has a name of more than {_MAX_NAME_BYTES} bytes")
        else:
            is_hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
            return not is_hidden and parts[-1].lower() not in NOT_DOCUMENTS
        return False

    def _refuse(self, archive: str, label: str, reason: str) -> None:
        self.refused.append(Refused(f"{archive}/{_UNPRINTABLE.sub('�', label)}", reason))

    def _check_number(self, number: int, name: str) -> None:
        if number > self._limits.zip_entries:
            raise UnreadableFile(name, f"holds {number:,} files or more; at most {self._limits.zip_entries:,} are read")

    def _read(self, stream: Stream, packed: int, name: str) -> bytes:
        """Read a member, piece by piece, so that nothing beyond the limits is ever expanded."""
        pieces = []
        size = 0
        with stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                self._n_bytes += len(piece)
                if self._n_bytes > self._limits.expanded_bytes:
                    most = self._limits.expanded_bytes // MIB
                    raise UnreadableFile(name, f"expands to more than the {most:,} MiB that are unpacked at most")
                if size > max(_SMALL, packed * self._limits.packing_ratio):
                    raise UnreadableFile(
                        name, f"is packed more than {self._limits.packing_ratio}-fold: an archive bomb"
                    )
                pieces.append(piece)
        return b"".join(pieces)

    def _keep(self, content: bytes, name: str, url: str = "") -> None:
        path = self._into / f"{len(self.members):06d}"
        path.write_bytes(content)
        self.members.append(Member(name, str(path), url))


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The member's name; without the flag for UTF-8 it is often UTF-8 all the same, or GB18030, and not CP437."""
    name = info.orig_filename
    if info.flag_bits & 0x800:
        return name
    raw = name.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


def _shown(label: str) -> str:
    """A label as it goes into a name: no control characters, no parts that a path would follow."""
    parts = _UNPRINTABLE.sub("", label).replace("\\", "/").split("/")
    kept = [part.strip()[:_MAX_NAME_BYTES] for part in parts if part.strip() not in ("", ".", "..")]
    return "/".join(kept) or "unnamed"
