"""Takes multipart/form-data apart as it streams in, files straight to disk. Limits count what really came.

Litestar's own form reader is not used: it keeps all files of a request, up to the end of it, before a limit of ours
could be asked.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from litestar import Request
from msgspec import Struct, field
from multipart import MultipartError, MultipartSegment, PushMultipartParser  # type: ignore[import-untyped]

from ragsvc.api.errors import Refused
from ragsvc.errors import InvalidInput
from ragsvc.security.uploads import safe_name

FILE_FIELD = "file"
MAX_FIELD_BYTES = 1_000
MAX_PARTS = 1_000
_BOUNDARY_CHARS = 70  # RFC 2046, 5.1.1


class Upload(Struct):
    """What came: fields by name, and files, under numbers so that names decide nothing."""

    folder: Path
    fields: dict[str, str] = field(default_factory=dict)
    files: list[tuple[str, Path]] = field(default_factory=list)
    """A name that is safe to write, and where the file lies."""


@asynccontextmanager
async def receive(request: Request[Any, Any, Any], uploads: Path, max_bytes: int) -> AsyncIterator[Upload]:
    """Write an upload under a new folder of ``uploads`` that goes when the ``async with`` ends: move the files before.

    Raises:
        InvalidInput: the form is malformed, or a field is too long.
        Refused: 415 for another media type, 413 for more than ``max_bytes`` in all.
    """
    boundary = _boundary(request)
    if (request.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    upload = Upload(folder=uploads / uuid.uuid4().hex)
    await anyio.Path(upload.folder).mkdir(parents=True)
    try:
        await _take_apart(request, boundary, upload, max_bytes)
        yield upload
    finally:
        shutil.rmtree(upload.folder, ignore_errors=True)


def _boundary(request: Request[Any, Any, Any]) -> str:
    media_type, options = request.content_type
    if media_type != "multipart/form-data":
        raise Refused(status_code=415, detail=f"send 'Content-Type: multipart/form-data'; found {media_type!r}")
    boundary = options.get("boundary", "")
    if not 1 <= len(boundary) <= _BOUNDARY_CHARS or not boundary.isascii():
        raise InvalidInput(f"the Content-Type needs a boundary of 1 to {_BOUNDARY_CHARS} ASCII characters")
    return boundary


def _too_large(max_bytes: int) -> Refused:
    return Refused(status_code=413, detail=f"an upload may have {max_bytes:,} bytes in all: send it in parts")


async def _take_apart(request: Request[Any, Any, Any], boundary: str, upload: Upload, max_bytes: int) -> None:
    part = _Part(upload)
    n_bytes = 0
    try:
        with PushMultipartParser(boundary, max_segment_count=MAX_PARTS) as parser:
            async for chunk in request.stream():
                # What really came, whatever the Content-Length said.
                n_bytes += len(chunk)
                if n_bytes > max_bytes:
                    raise _too_large(max_bytes)
                for event in parser.parse(chunk):
                    await part.take(event)
    except MultipartError as error:
        raise InvalidInput(f"the form cannot be read: {error}") from None
    finally:
        await part.close()


class _Part:
    """The part of the form that is being read."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._name = ""
        self._text = bytearray()
        self._file: anyio.AsyncFile[bytes] | None = None

    async def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        """Take the next thing that the parser found: the head of a part, a piece of its body, or its end (None)."""
        if isinstance(event, MultipartSegment):
            await self._begin(event)
        elif event is None:
            await self._end()
        elif self._file is not None:
            await self._file.write(event)
        elif len(self._text) + len(event) > MAX_FIELD_BYTES:
            raise InvalidInput(f"field {self._name[:40]!r} has more than {MAX_FIELD_BYTES:,} bytes")
        else:
            self._text += event

    async def close(self) -> None:
        """Close the file that is being written, if any."""
        if self._file is not None:
            await self._file.aclose()
            self._file = None

    async def _begin(self, head: MultipartSegment) -> None:
        self._name, self._text = head.name or "", bytearray()
        if head.filename is None:
            return
        if self._name != FILE_FIELD or not head.filename:
            raise InvalidInput(f"files come in the field 'file', with a name; found {self._name[:40]!r}")
        path = self._upload.folder / str(len(self._upload.files))
        self._upload.files.append((safe_name(head.filename), path))
        self._file = await anyio.open_file(path, "xb")

    async def _end(self) -> None:
        if self._file is not None:
            await self.close()
        elif self._name in self._upload.fields:
            raise InvalidInput(f"field {self._name[:40]!r} is there twice")
        else:
            try:
                self._upload.fields[self._name] = self._text.decode()
            except UnicodeDecodeError:
                raise InvalidInput(f"field {self._name[:40]!r} is not UTF-8") from None
