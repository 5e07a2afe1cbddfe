"""Which format a file is in: what its bytes say where they say it, else its extension."""

from __future__ import annotations

import re
import stat
import zipfile
from io import BytesIO
from pathlib import Path, PurePath
from typing import Literal

from ragsvc.errors import UnreadableFile
from ragsvc.loading.limits import LoadingLimits
from ragsvc.loading.zip_directory import has_huge_directory

Format = Literal[
    "text",
    "markdown",
    "html",
    "docx",
    "pdf",
    "xlsx",
    "csv",
    "pptx",
    "epub",
    "odt",
    "rtf",
    "mail",
    "outlook",
    "office",
    "xml",
    "json",
    "picture",
    "archive",
]

_EXTENSIONS_OF: dict[Format, str] = {
    "text": ".txt .text",
    "markdown": ".md .markdown",
    "html": ".html .htm .xhtml",
    "docx": ".docx",
    "pdf": ".pdf",
    "xlsx": ".xlsx .xlsm",
    "csv": ".csv .tsv",
    "pptx": ".pptx",
    "epub": ".epub",
    "odt": ".odt",
    "rtf": ".rtf",
    "mail": ".eml",
    "outlook": ".msg",
    "office": ".doc .wps .xls .ppt .ods .odp",
    "xml": ".xml",
    "json": ".json .jsonl .ndjson",
    "picture": ".png .jpg .jpeg .tif .tiff",
    "archive": ".zip .tar .tgz .gz .bz2 .xz",
}
EXTENSIONS: dict[str, Format] = {ext: kind for kind, listed in _EXTENSIONS_OF.items() for ext in listed.split()}
_OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA_TYPES: dict[Format, str] = {
    "text": "text/plain",
    "markdown": "text/markdown",
    "html": "text/html",
    "docx": f"{_OFFICE}wordprocessingml.document",
    "pdf": "application/pdf",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
    "csv": "text/csv",
    "pptx": f"{_OFFICE}presentationml.presentation",
    "epub": "application/epub+zip",
    "odt": "application/vnd.oasis.opendocument.text",
    "rtf": "application/rtf",
    "mail": "message/rfc822",
    "outlook": "application/vnd.ms-outlook",
    "office": "application/x-ole-storage",
    "xml": "application/xml",
    "json": "application/json",
    "picture": "image/*",
    "archive": "application/zip",
}
HEAD_BYTES = 4096
"""Enough to tell text from everything else; the PDF header may stand anywhere in the first 1,024 bytes."""

_FOREIGN = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: pack it as zip"),
    (b"Rar!", "a RAR archive: pack it as zip"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"SQLite format 3\x00", "a database"),
)
_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"{\\rtf", "rtf"),
    (b"\x89PNG\r\n", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"II*\x00", "picture"),
    (b"MM\x00*", "picture"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ\x00", "archive"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_MIMETYPES: dict[bytes, Format] = {
    b"application/epub+zip": "epub",
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "office",
    b"application/vnd.oasis.opendocument.presentation": "office",
}
_MAIN_PARTS: dict[str, Format] = {
    "word/document.xml": "docx",
    "xl/workbook.xml": "xlsx",
    "xl/workbook.bin": "office",
    "ppt/presentation.xml": "pptx",
}
_CONTAINERS: tuple[Format, ...] = ("docx", "xlsx", "pptx", "epub", "odt")
_BEFORE_ROOT = re.compile(rb"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE\s[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(rb"<([A-Za-z_][\w.:-]*)")
_HTML_ROOTS = (b"html", b"sec-document")
_MAIL_HEADER = re.compile(
    rb"^(?:From|To|Date|Subject|Received|Return-Path|Message-ID|MIME-Version|Delivered-To): ", re.M | re.I
)
_TEXT_LIKE: tuple[Format, ...] = ("text", "markdown", "html", "csv", "json", "xml", "mail")
"""What a file may be on the word of its extension alone."""


def check_size(path: Path, name: str, limits: LoadingLimits) -> None:
    """Refuse, before a byte is read, what is no regular file of a permitted size.

    Raises:
        UnreadableFile: there is no such regular file, it is empty, or larger than ``limits.file_bytes``.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableFile(name, f"cannot be opened: {error.strerror}") from error
    except ValueError as error:  # a NUL in the path
        raise UnreadableFile(name, f"cannot be opened: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableFile(name, "is not a regular file")
    if status.st_size == 0:
        raise UnreadableFile(name, "is empty (0 bytes)")
    if status.st_size > limits.file_bytes:
        raise UnreadableFile(
            name, f"has {status.st_size:,} bytes; at most {limits.file_bytes:,} are read: split it or raise the limit"
        )


def read_bytes(path: Path, name: str, limits: LoadingLimits, size: int | None = None) -> bytes:
    """Return the file's bytes, or its first ``size``.

    Raises:
        UnreadableFile: as ``check_size``, or the file cannot be read or grew beyond the limit meanwhile.
    """
    check_size(path, name, limits)
    try:
        with path.open("rb") as file:
            content = file.read(limits.file_bytes + 1 if size is None else size)
    except OSError as error:
        raise UnreadableFile(name, f"cannot be read: {error.strerror}") from error
    if len(content) > limits.file_bytes:
        raise UnreadableFile(name, f"grew beyond {limits.file_bytes:,} bytes while it was read")
    return content


def detect_format(name: str, content: bytes) -> Format:
    """Decide what ``content`` is: a file called ``name``, or its first ``HEAD_BYTES`` to tell text from the rest.

    Bytes that can be nothing else win over the extension; a file of unknown extension that is text is read as text.

    Raises:
        UnreadableFile: not a format that is read, or the extension promises what the content is not.
    """
    extension = PurePath(name).suffix.lower()
    for magic, what in _FOREIGN:
        if content.startswith(magic):
            raise UnreadableFile(name, f"holds {what}")
    named = EXTENSIONS.get(extension)
    held = _format_of_content(content, named)
    if held:
        return held
    if named in _TEXT_LIKE:
        return named
    if named:
        raise UnreadableFile(name, f"is named {extension} but does not begin as one: it is damaged or misnamed")
    if b"\x00" not in content[:HEAD_BYTES]:
        return "mail" if len(set(_MAIL_HEADER.findall(content[:HEAD_BYTES]))) > 2 else "text"
    raise UnreadableFile(
        name, f"is of a kind that is not read ({extension or 'no extension'}); read are {', '.join(sorted(EXTENSIONS))}"
    )


def misnamed(name: str, held: Format) -> str:
    """Return a warning when the extension says another format than the content; else nothing."""
    extension = PurePath(name).suffix.lower()
    if EXTENSIONS.get(extension, held) == held:
        return ""
    return f"is named {extension} but holds {_EXTENSIONS_OF[held].split()[0][1:]}, and was read as that"


def _format_of_content(content: bytes, named: Format | None) -> Format | None:
    """What the bytes must be; None for text without marks, and for what is not known."""
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    if content.startswith(_ZIP):
        return _format_of_zip(content, named)
    if content.startswith(_OLE):
        return _format_of_ole(content, named)
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content[257:262] == b"ustar":
        return "archive"
    return _format_of_markup(content[: 64 * 1024], named)


def _format_of_zip(content: bytes, named: Format | None) -> Format:
    for mimetype, kind in _MIMETYPES.items():
        if content[30:].startswith(b"mimetype" + mimetype):
            return kind
    if has_huge_directory(content):
        return named if named in _CONTAINERS else "archive"  # whose reader refuses it
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = archive.NameToInfo
            return next((kind for part, kind in _MAIN_PARTS.items() if part in names), "archive")
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError):
        return named if named in _CONTAINERS else "archive"


def _format_of_ole(content: bytes, named: Format | None) -> Format:
    def has_stream(name: str) -> bool:
        return name.encode("utf-16-le") in content

    if has_stream("__properties_version1.0"):
        return "outlook"
    return "outlook" if named == "outlook" and not has_stream("WordDocument") else "office"


def _format_of_markup(head: bytes, named: Format | None) -> Format | None:
    head = head.removeprefix(b"\xef\xbb\xbf")
    position = 0
    while mark := _BEFORE_ROOT.match(head, position):
        position = mark.end()
    root = _ROOT.match(head, position)
    if root is None:
        return None
    if root[1].lower().rpartition(b":")[2] in _HTML_ROOTS or b"<!doctype html" in head[:position].lower():
        return "html"
    if head.lstrip().startswith(b"<?xml"):
        return "xml"
    is_filing = root[1] == b"DOCUMENT" and head[root.end() :].lstrip(b">\r\n ").startswith(b"<TYPE>")
    return "html" if is_filing and named is None else None
