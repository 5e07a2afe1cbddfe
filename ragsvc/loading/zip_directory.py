"""How large a zip's directory is, known from its end before anything reads it: a million entries take seconds."""

from __future__ import annotations

import struct

MAX_DIRECTORY_BYTES = 16 * 1024 * 1024
"""Ten thousand members with long names and time stamps need less than a third of this."""
_END = struct.Struct("<4s4H2LH")
_WIDE_END = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")


def has_huge_directory(content: bytes) -> bool:
    """Whether the directory is larger than a zip with a permitted number of members needs (APPNOTE.TXT, 4.3.14-16)."""
    at = content.rfind(b"PK\x05\x06", max(0, len(content) - _END.size - 0xFFFF))
    if at < 0 or len(content) - at < _END.size:
        return False
    size: int = _END.unpack_from(content, at)[5]
    wide = at - _LOCATOR.size - _WIDE_END.size
    if wide >= 0 and content.startswith(b"PK\x06\x06", wide):
        size = max(size, _WIDE_END.unpack_from(content, wide)[8])
    return size > MAX_DIRECTORY_BYTES
