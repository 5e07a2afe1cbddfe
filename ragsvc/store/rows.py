"""What leaves the store: frozen records, one per thing the outside can ask about."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from msgspec import Struct

from ragsvc.records import IndexFilter, TableFrame, ValiditySource, VersionStatus

JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]


class Collection(Struct, frozen=True, kw_only=True):
    """A named set of works of one domain; ``model`` or ``strategy`` empty means the service's default."""

    ordinal: int
    name: str
    domain: str
    time_zone: str
    model: str
    strategy: str = ""
    abstention: str = ""
    """TOML: its own thresholds, a table per language; empty = the domain's."""
    n_documents: int = 0
    n_chunks: int = 0


class Work(Struct, frozen=True, kw_only=True):
    """A law, leaflet or filing."""

    ordinal: int
    work_id: str
    collection: int
    title: str
    kind: str
    issuer: str
    number: str


class Document(Struct, frozen=True, kw_only=True):
    """One source file of a work, as its version of today (or its latest) shows it."""

    document_id: str
    collection: str
    work: str
    part: str
    kind: str
    issuer: str
    number: str
    name: str
    version_id: str
    n_versions: int
    n_chunks: int
    effective_from: date | None
    effective_to: date | None
    validity_source: ValiditySource


class ReadPage(Struct, frozen=True, kw_only=True):
    """A page that text recognition read: ``version.text[start:end]``, with its mean confidence, 0 to 1."""

    page: int
    confidence: float
    start: int
    end: int


class ReadingNotes(Struct, frozen=True, kw_only=True):
    """How a file was read: its recognised pages, and what was lost or repaired."""

    pages: tuple[ReadPage, ...] = ()
    warnings: tuple[str, ...] = ()


class Version(Struct, frozen=True, kw_only=True):
    """One text of a document. In force on day d: ``effective_from`` <= d < ``effective_to`` (None = open)."""

    ordinal: int
    version_id: str
    document_id: str
    collection: str
    work: str
    """Official title of the work."""
    title: str
    """The work's title with the part that this document is, if any."""
    name: str
    promulgated: date | None
    effective_from: date | None
    effective_to: date | None
    validity_source: ValiditySource
    length: int
    status: VersionStatus = "in force"
    notes: ReadingNotes = ReadingNotes()
    n_facts: int = 0
    """Figures that the file itself tags."""

    def confidence_at(self, start: int, end: int) -> float | None:
        """Return the least confidence of the recognised pages in ``[start, end)``; None where none is."""
        found = [page.confidence for page in self.notes.pages if page.start < end and page.end > start]
        return min(found, default=None)


class VersionText(Struct, frozen=True, kw_only=True):
    """``version.text[start:end]``, for anyone to check a citation."""

    version: Version
    text: str
    start: int
    end: int


class StoredChunk(Struct, frozen=True, kw_only=True):
    """A chunk with its text and everything that a passage shows."""

    ordinal: int
    chunk_id: str
    version: Version
    kind: str
    start: int
    end: int
    locator: str
    address: str
    heading_path: tuple[str, ...]
    text: str
    url: str | None
    frame: TableFrame | None = None


class Snapshot(Struct, frozen=True, kw_only=True):
    """What one request sees: a generation and what of it may be returned. Read once, at the start."""

    generation_id: str
    """Empty when nothing was ever ingested."""
    change_number: int
    where: IndexFilter


class Generation(Struct, frozen=True, kw_only=True):
    """An index generation that the catalogue knows."""

    generation_id: str
    embedder_id: str
    change_number: int
    n_chunks: int
    created_at: float
    is_current: bool


class Job(Struct, frozen=True, kw_only=True):
    """A background operation; ``done`` of ``total`` files."""

    job_id: str
    kind: str
    status: JobStatus
    payload: dict[str, Any]
    done: int
    total: int
    error: str | None
    result: dict[str, Any] | None
    cancel_requested: bool
    created_at: float
    updated_at: float


class KeyLimits(Struct, frozen=True, kw_only=True):
    """How much a key may be used, its tickets included; None = as the settings say, 0 = without a limit."""

    requests_per_minute: int | None = None
    questions_per_day: int | None = None
    tokens_per_day: int | None = None


class Key(Struct, frozen=True, kw_only=True):
    """An API key as the operator sees it; the secret itself is never stored."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    collections: tuple[str, ...]
    """Names of the collections it may read; empty = all."""
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    origins: tuple[str, ...] = ()
    """Where pages may use tickets of this key; empty = nowhere."""
    limits: KeyLimits = KeyLimits()
    old_until: float | None = None
    """Until when the secret before this one is good, too: set by a rotation."""
