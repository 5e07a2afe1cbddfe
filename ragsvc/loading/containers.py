"""Zip containers (docx, xlsx, pptx, epub, odt) are measured before anything trusts them."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO

from ragsvc.errors import UnreadableFile
from ragsvc.loading.limits import MIB, LoadingLimits
from ragsvc.loading.zip_directory import has_huge_directory

_PIECE = 1 << 16
_MARKUP = (".xml", ".rels", ".opf", ".ncx", ".xhtml", ".html", ".htm")


def check_zip(content: bytes, name: str, limits: LoadingLimits, *, office: bool = True) -> frozenset[str]:
    """Expand every member once without keeping it, and return the members' names.

    Args:
        content: the container.
        name: what to call it in errors.
        limits: of entries and bytes.
        office: whether its XML may declare no document type. A book's pages do, without entities of their own.

    Raises:
        UnreadableFile: damaged, encrypted, more entries or bytes than the limits, or a member declares a DTD (Office
            never does) or entities: they are how XML reads files and grows without bound.
    """
    if has_huge_directory(content):
        raise UnreadableFile(name, f"lists far more than the {limits.zip_entries:,} files that are unpacked at most")
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
                forbidden = b"<!DOCTYPE" if office else b"<!ENTITY"
                total += _expand(archive, member, name, limits.expanded_bytes - total, forbidden)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise UnreadableFile(name, f"is a damaged zip container: {error}") from error
    return frozenset(member.filename for member in members)


def _expand(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, left: int, forbidden: bytes) -> int:
    size = 0
    is_markup = member.filename.lower().endswith(_MARKUP)
    before = b""
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE):
            if is_markup:
                seen = before + piece.replace(b"\x00", b"")  # UTF-16 too; text cannot hold it, its < is escaped
                if forbidden in seen:
                    what = forbidden.decode("ascii").removeprefix("<!")
                    raise UnreadableFile(
                        name, f"has a {what} declaration in {member.filename}: no such document needs one"
                    )
                before = seen[-len(forbidden) :]
            size += len(piece)
            if size > left:
                raise UnreadableFile(name, f"expands beyond what is unpacked at most, at {member.filename}")
    return size


def _check_total(expanded: int, name: str, limits: LoadingLimits) -> None:
    if expanded > limits.expanded_bytes:
        raise UnreadableFile(
            name, f"expands to {expanded // MIB:,} MiB or more; at most {limits.expanded_bytes // MIB:,} are unpacked"
        )
