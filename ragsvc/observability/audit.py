"""An append-only record of which passages of which index gave which answer. No question, answer or document text."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
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


class AuditLog:
    """Appends to one file; several processes may. A line is one write, so lines of two writers never mix."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, answer: Answer, key_id: str) -> None:
        """Write the line of one answer.

        Raises:
            OSError: the file cannot be written; an answer that cannot be audited is not to be given.
        """
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
        )
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, msgspec.json.encode(line) + b"\n")
        finally:
            os.close(descriptor)
