"""A page or file at an address becomes a file here, with a name that says where it is from and how to read it."""

from __future__ import annotations

import codecs
from email.message import Message
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import anyio
import httpx
from msgspec import Struct

from ragsvc.errors import RagsvcError, UnreadableFile
from ragsvc.loading.fetch import Fetcher, FetchLimits
from ragsvc.loading.formats import EXTENSIONS, MEDIA_TYPES, Format
from ragsvc.security.urls import Target

_SAYS_NOTHING = frozenset({"", "text/plain", "application/octet-stream", "binary/octet-stream", "application/download"})
"""Content types that servers give when they do not know better."""
_OTHER_TYPES: dict[str, str] = {
    "application/xhtml+xml": ".html",
    "text/xml": ".xml",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "application/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/x-markdown": ".md",
    "text/rtf": ".rtf",
    "application/x-pdf": ".pdf",
    "application/x-ndjson": ".jsonl",
    "application/x-zip-compressed": ".zip",
    "application/gzip": ".gz",
    "application/x-gzip": ".gz",
    "application/x-tar": ".tar",
    "application/x-bzip2": ".bz2",
    "application/x-xz": ".xz",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/tiff": ".tiff",
}
_FIRST_EXTENSIONS: dict[Format, str] = {kind: ext for ext, kind in reversed(EXTENSIONS.items())}
_EXTENSION_OF_TYPE = {MEDIA_TYPES[kind]: ext for kind, ext in _FIRST_EXTENSIONS.items()} | _OTHER_TYPES
_MARKED = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DEFAULT_CHARSETS = frozenset({"utf-8", "iso8859-1", "cp1252", "ascii"})
"""What loaders find themselves, and what servers declare when nobody told them: any bytes can be read as Latin-1."""


class WebFile(Struct, frozen=True, kw_only=True):
    """A file that was fetched: its path here, a name for it, and the address that gave it in the end."""

    path: Path
    name: str
    url: str


def fetch_file(url: str, path: Path, fetcher: Fetcher, limits: FetchLimits) -> WebFile:
    """Fetch what is at an address into a new file; blocks.

    Raises:
        UnreadableFile: it may not be fetched, did not come whole, or is of a type that is not read.
    """
    seen: list[tuple[str, str, str]] = []

    def accept(response: httpx.Response, target: Target) -> None:
        seen.append((name_of(response, target), _described(response).get_content_charset(""), target.url))

    try:
        with path.open("w+b") as file:
            anyio.run(fetcher.fetch, url, file, limits, accept)
    except UnreadableFile:
        raise
    except RagsvcError as error:
        raise UnreadableFile(url, str(error)) from error
    name, charset, final = seen[-1]
    if PurePosixPath(name).suffix in (".html", ".htm", ".xhtml", ".txt", ".md", ".csv", ".tsv"):
        _recode(path, charset)
    return WebFile(path=path, name=name, url=final)


def name_of(response: httpx.Response, target: Target) -> str:
    """Return what to call an answer's file: host, path and query as people read them, and a fitting extension.

    Raises:
        UnreadableFile: its content type is of something that is not read, like a film.
    """
    described = _described(response)
    name = unquote(f"{target.authority}{target.path}").rstrip("/")
    if given := described.get_filename(""):  # of the Content-Disposition: a download behind a script
        name = f"{name}/{PurePosixPath(given.replace(chr(92), '/')).name}"
    name = "".join(char for char in name if char.isprintable())
    stated = described.get_content_type() if response.headers.get("content-type", "").strip() else ""
    promised = _extension_of(stated)
    if promised is None:
        raise UnreadableFile(target.url, f"is of type {stated}, which is not read")
    suffix = PurePosixPath(name.partition("?")[0] if not given else name).suffix.lower()
    if suffix in EXTENSIONS and (not promised or EXTENSIONS[suffix] == EXTENSIONS[promised]):
        return name if name.lower().endswith(suffix) else name + suffix
    return name + (promised or (".txt" if stated == "text/plain" else ""))


def _extension_of(media_type: str) -> str | None:
    """The extension that a content type promises; empty when it says nothing, None when it is not read."""
    if media_type in _SAYS_NOTHING:
        return ""
    if known := _EXTENSION_OF_TYPE.get(media_type):
        return known
    if media_type.startswith("application/"):
        return next((f".{kind}" for kind in ("xml", "json") if media_type.endswith(f"+{kind}")), None)
    return None


def _described(response: httpx.Response) -> Message:
    """The headers that say what a body is, in the standard library's form, which knows their parameters (RFC 2231)."""
    message = Message()
    for name in ("content-type", "content-disposition"):
        if value := response.headers.get(name):
            message[name] = value
    return message


def _recode(path: Path, charset: str) -> None:
    """Write a file in UTF-8 with a mark, when the server says how it is encoded and that fits: it knows best."""
    try:
        codec = codecs.lookup(charset).name
        content = path.read_bytes()
        if codec not in _DEFAULT_CHARSETS and not content.startswith(_MARKED):
            text = content.decode("gb18030" if codec in ("gb2312", "gbk") else codec)
            path.write_bytes(codecs.BOM_UTF8 + text.encode())
    except (LookupError, UnicodeError):  # no such charset, or not in it: the loader will see
        return
