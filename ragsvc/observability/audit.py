"""An append-only record of which passages of which index gave which answer. No question, answer or document text.

Each line carries the SHA-256 of the one before it, so a line that was changed, left out or put in later breaks the
chain at a place that ``verify`` names. Lines cut off at the end are missed only by who noted the last hash down.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import msgspec
import portalocker
from msgspec import Struct

from ragsvc.records import Answer


class AuditLine(Struct, frozen=True, kw_only=True):
    """What an auditor needs to trace an answer to its sources."""

    time: float
    """Seconds since 1970."""
    answer_id: str
    index_generation: str
    model: str
    strategy: str
    abstained: bool
    chunk_ids: tuple[str, ...]
    """The passages that the answer rests on, best first."""
    citations: tuple[tuple[str, int, int], ...]
    """Version id, start and end of every quotation."""
    key_id: str
    """Who asked; empty on a service without keys."""
    previous: str
    """SHA-256 of the line before, without its line break, in hex; of the first: of nothing."""


class AuditReport(Struct, frozen=True, kw_only=True):
    """What became of checking the chain."""

    lines: int
    last_hash: str
    """Of the last line: note it down elsewhere, and lines that are cut off later are missed."""
    broken_line: int | None = None
    """The first, from 1, that does not follow from the one before it or cannot be read."""
    reason: str = ""


FIRST = hashlib.sha256(b"").hexdigest()
"""What the first line carries."""
_TAIL_BYTES = 65_536
"""More than a line has."""


class AuditLog:
    """Appends to one file; several processes may, one at a time, since each line needs the hash of the last."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, answer: Answer, key_id: str) -> None:
        """Write the line of one answer.

        Raises:
            OSError: the file cannot be written; an answer that cannot be audited is not to be given.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE)  # until the file is closed
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
            # A line that a crash cut short stays as it is, and is what "verify" will name.
            start = b"" if not tail or tail.endswith(b"\n") else b"\n"
            last = tail.removesuffix(b"\n").rpartition(b"\n")[2]
            line = AuditLine(
                time=time.time(),
                answer_id=answer.answer_id,
                index_generation=answer.index_generation,
                model=answer.model,
                strategy=answer.strategy,
                abstained=answer.abstained,
                chunk_ids=tuple(passage.chunk_id for passage in answer.passages),
                citations=tuple((c.version_id, c.start, c.end) for c in answer.citations),
                key_id=key_id,
                previous=hashlib.sha256(last).hexdigest(),
            )
            file.write(start + msgspec.json.encode(line) + b"\n")

    def verify(self, last_hash: str = "") -> AuditReport:
        """Follow the chain from the first line to the last.

        Args:
            last_hash: that was noted down at some time; it has to be in the chain.
        """
        previous, number = FIRST, 0
        is_found = last_hash in ("", FIRST)
        with self.path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                if wrong := _find_fault(raw, previous):
                    return AuditReport(lines=number - 1, last_hash=previous, broken_line=number, reason=wrong)
                previous = hashlib.sha256(raw[:-1]).hexdigest()
                is_found = is_found or previous == last_hash
        if not is_found:
            wrong = f"no line has the hash {last_hash}: lines were cut off, or all was written anew"
            return AuditReport(lines=number, last_hash=previous, broken_line=number + 1, reason=wrong)
        return AuditReport(lines=number, last_hash=previous)


def _find_fault(raw: bytes, previous: str) -> str:
    if not raw.endswith(b"\n"):
        return "the line was not written to its end"
    try:
        line = msgspec.json.decode(raw, type=AuditLine)
    except msgspec.DecodeError as error:
        return f"it cannot be read: {error}"
    if line.previous != previous:
        return "it does not follow from the line before: one of the two was changed, or a line between them is gone"
    return ""
