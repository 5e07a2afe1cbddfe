"""Which format a file is in, from its first bytes and its extension; the two must agree."""

from __future__ import annotations

import stat
from pathlib import Path, PurePath
from typing import Literal

from ragsvc.errors import UnreadableFile
from ragsvc.loading.limits import LoadingLimits

Format = Literal["text", "markdown", "html", "docx", "pdf"]

EXTENSIONS: dict[str, Format] = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".docx": "docx",
    ".pdf": "pdf",
}
MEDIA_TYPES: dict[Format, str] = {
    "text": "text/plain",
    "markdown": "text/markdown",
    "html": "text/html",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}
HEAD_BYTES = 4096
"""How much of a file decides what it holds; the PDF header may stand anywhere in the first 1,024 bytes."""

# First bytes of what people upload by mistake, so that the refusal can name it.
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file (.doc, .xls) or one with a password: save it as .docx"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"{\\rtf", "an RTF document: save it as .docx"),
    (b"\x89PNG", "a picture: it needs text recognition first"),
    (b"\xff\xd8\xff", "a picture: it needs text recognition first"),
    (b"GIF8", "a picture: it needs text recognition first"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"SQLite format 3\x00", "a database"),
)
_HOLDS = {"pdf": "a PDF", "docx": "a zip archive or Word document", "html": "HTML"}


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


def detect_format(name: str, head: bytes) -> Format:
    """Decide what ``head`` (the first ``HEAD_BYTES`` of a file called ``name``) is the beginning of.

    Raises:
        UnreadableFile: not a format that is read, or the extension says another one than the content.
    """
    extension = PurePath(name).suffix.lower()
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise UnreadableFile(name, f"holds {what}")
    held = _format_of_content(head)
    if extension in EXTENSIONS:
        named = EXTENSIONS[extension]
        if held == named or (held is None and named in ("text", "markdown", "html")):
            return named
        if held is None:
            raise UnreadableFile(name, f"is named {extension} but does not begin as one: it is damaged or misnamed")
        raise UnreadableFile(name, f"is named {extension} but holds {_HOLDS[held]}: give it the right extension")
    if extension == "" and held is not None:
        return held
    known = ", ".join(sorted(EXTENSIONS))
    raise UnreadableFile(name, f"is of a kind that is not read ({extension or 'no extension'}); read are {known}")


def _format_of_content(head: bytes) -> Format | None:
    if head.startswith(b"PK\x03\x04"):
        return "docx"
    if b"%PDF-" in head[:1024]:
        return "pdf"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1024].lower()
    if start.startswith((b"<!doctype html", b"<html")) or (start.startswith(b"<?xml") and b"<html" in start):
        return "html"
    return None
