"""How much one file may cost before it is refused."""

from __future__ import annotations

from msgspec import Struct

MIB = 1024 * 1024


class LoadingLimits(Struct, frozen=True, kw_only=True):
    """A file that needs more than one of these is an ``UnreadableFile`` whose reason gives the numbers."""

    file_bytes: int = 200 * MIB
    """Size of the file on disk."""
    seconds: float = 120.0
    """Time to parse one file, in the child process."""
    memory_bytes: int = 3072 * MIB
    """Address space of the child process; its libraries alone map about a third of this."""
    expanded_bytes: int = 200 * MIB
    """Size of all members of a zip container (docx) once expanded."""
    zip_entries: int = 10_000
    """Members of a zip container."""


DEFAULT_LIMITS = LoadingLimits()
