"""What the loading process and its child say to each other: a four-byte length, then MessagePack."""

from __future__ import annotations

import os
from collections.abc import Callable

from msgspec import Struct

from ragsvc.loading.archives import Unpacked
from ragsvc.records import LoadedDocument

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 1 << 30
STILL_ALIVE = bytes(LENGTH_BYTES)
"""An empty frame: the child works on the request, and the time for it begins anew."""


class ParseRequest(Struct, frozen=True):
    """Read the file at ``path`` (bytes, as the file system has it) and call it ``name``.

    With ``into``, take it apart into that folder instead.
    """

    path: bytes
    name: str
    into: bytes = b""


class ParseReply(Struct, frozen=True, kw_only=True):
    """A document or what a file held, or the reason why there is none. ``spent``: the child wants to be replaced."""

    document: LoadedDocument | None = None
    unpacked: Unpacked | None = None
    refusal: str = ""
    spent: bool = False


def frame(payload: bytes) -> bytes:
    """Return ``payload`` with its length before it."""
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


def read_frame(read: Callable[[int], bytes]) -> bytes | None:
    """Return the next payload; None at the end of the stream. ``read(n)`` returns 1 to n bytes, or none at the end.

    Raises:
        EOFError: the stream ends inside a frame.
        ValueError: the frame is longer than ``MAX_FRAME_BYTES``.
    """
    header = _read_exactly(read, LENGTH_BYTES)
    if not header:
        return None
    length = int.from_bytes(header, "big")
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {length:,} bytes; at most {MAX_FRAME_BYTES:,}")
    payload = _read_exactly(read, length)
    if len(header) < LENGTH_BYTES or len(payload) < length:
        raise EOFError("the stream ended inside a frame")
    return payload


def _read_exactly(read: Callable[[int], bytes], size: int) -> bytes:
    pieces = []
    while size > 0 and (piece := read(min(size, 1 << 20))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte of ``data`` to a pipe."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
