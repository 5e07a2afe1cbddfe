"""Zip containers (docx) are measured before anything trusts them."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO

from ragsvc.errors import UnreadableFile
from ragsvc.loading.limits import MIB, LoadingLimits

_PIECE = 1 << 16


def check_zip(content: bytes, name: str, limits: LoadingLimits) -> frozenset[str]:
    """Expand every member once without keeping it, and return the members' names.

    Raises:
        UnreadableFile: damaged, encrypted, more entries or bytes than the limits, or a member declares a DTD (Office
            never does; entities are how XML reads files and grows without bound).
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > limits.zip_entries:
                raise UnreadableFile(name, f"holds {len(members):,} files; at most {limits.zip_entries:,} are unpacked")
            _check_total(sum(member.file_size for member in members), name, limits)
            total = 0
            for member in members:
                if member.flag_bits & 1:
                    raise UnreadableFile(name, "is protected by a password: save it without one")
                total += _expand(archive, member, name, limits.expanded_bytes - total, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise UnreadableFile(name, f"is a damaged zip container: {error}") from error
    return frozenset(member.filename for member in members)


def _expand(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, left: int, limits: LoadingLimits) -> int:
    size = 0
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE):
            if size == 0 and member.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in piece:
                raise UnreadableFile(name, f"declares a document type in {member.filename}: no Office program does")
            size += len(piece)
            if size > left:
                _check_total(limits.expanded_bytes + 1, name, limits)
    return size


def _check_total(expanded: int, name: str, limits: LoadingLimits) -> None:
    if expanded > limits.expanded_bytes:
        raise UnreadableFile(
            name, f"expands to {expanded // MIB:,} MiB or more; at most {limits.expanded_bytes // MIB:,} are unpacked"
        )
