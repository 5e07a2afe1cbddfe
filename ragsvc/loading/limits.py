"""How much one file may cost before it is refused."""

from __future__ import annotations

from msgspec import Struct

MIB = 1024 * 1024


class LoadingLimits(Struct, frozen=True, kw_only=True):
    """A file that needs more than one of these is an ``UnreadableFile`` whose reason gives the numbers."""

    file_bytes: int = 200 * MIB
    """Size of the file on disk."""
    seconds: float = 120.0
    """Time to parse one file, in the child process; it begins anew with each page that text recognition has read."""
    recognition_seconds: float = 3600.0
    """How much longer a file may take in all because text recognition goes on."""
    memory_bytes: int = 3072 * MIB
    """Address space of the child process; its libraries alone map about a third of this."""
    expanded_bytes: int = 200 * MIB
    """Size of all members of a zip container (docx) or an archive once expanded."""
    zip_entries: int = 10_000
    """Members of a zip container or an archive."""
    packing_ratio: int = 200
    """How many times larger than packed a member of an archive may be, from 10 MiB on."""
    pages: int = 5_000
    """Pages of a PDF or frames of a picture."""
    picture_pixels: int = 100_000_000
    """Width times height of a picture, alone or on a page that is to be recognised."""


DEFAULT_LIMITS = LoadingLimits()
