"""What an ingest would do, without doing it: files are read and recognised, and compared with what is stored."""

from __future__ import annotations

import time
from datetime import date
from typing import Literal

from msgspec import Struct

from ragsvc.errors import UnreadableFile
from ragsvc.pipelines.amendments import Amendments, counts
from ragsvc.pipelines.duplicates import DuplicateFinder
from ragsvc.pipelines.ingest import IngestRequest, Progress, Quarantined
from ragsvc.pipelines.preparing import prepare
from ragsvc.pipelines.sources import Source
from ragsvc.pipelines.version_diff import places_of
from ragsvc.protocols import Embedder
from ragsvc.records import ValiditySource
from ragsvc.store import identity
from ragsvc.store.changes import NEVER
from ragsvc.store.inventory import Inventory
from ragsvc.store.receipts import Receipts
from ragsvc.store.rows import Version
from ragsvc.store.staging import StagedDocument

Outcome = Literal["new document", "new version", "unchanged", "duplicate"]


class PlannedDocument(Struct, frozen=True, kw_only=True):
    """What would become of one file."""

    path: str
    outcome: Outcome
    title: str
    """The work's title with the part that this file is, if any."""
    kind: str
    number: str
    promulgated: date | None
    effective_from: date | None
    validity_source: ValiditySource
    chunks: int
    duplicate_of: str = ""
    superseded_version_id: str | None = None
    """The stored version that would end where this one begins."""
    counts: dict[str, int] | None = None
    """What it changes in that version."""


class IngestPreview(Struct, kw_only=True):
    """What an ingest would do; nothing was written."""

    documents: list[PlannedDocument] = []
    quarantined: list[Quarantined] = []
    seconds: float = 0.0
    cancelled: bool = False


class IngestPreviewer:
    """Looks ahead for one home."""

    def __init__(self, inventory: Inventory, receipts: Receipts, embedder: Embedder) -> None:
        self._inventory = inventory
        self._amendments = Amendments(inventory, receipts)
        self._embedder = embedder

    def run(self, sources: list[Source], request: IngestRequest, progress: Progress) -> IngestPreview:
        """Read every source; one that cannot be read would be left out.

        Files of one call are compared with what is stored, not with each other.
        """
        started = time.perf_counter()
        preview = IngestPreview()
        for done, source in enumerate(sources):
            if not progress(done, len(sources), source.name):
                preview.cancelled = True
                break
            try:
                item = prepare(source, request.pack, self._embedder, request.effective_from)
                preview.documents.append(self._plan(item, request.collection))
            except UnreadableFile as error:
                preview.quarantined.append(Quarantined(source.name, error.reason))
            except OSError as error:
                preview.quarantined.append(Quarantined(source.name, f"cannot be read: {error.strerror or error}"))
        preview.seconds = round(time.perf_counter() - started, 3)
        return preview

    def _plan(self, item: StagedDocument, collection: str) -> PlannedDocument:
        document_id = identity.document_id(collection, item.work_key, item.document_key)
        stored = self._inventory.find_versions(document_id)
        outcome: Outcome = "new version" if stored else "new document"
        original = ""
        before: Version | None = None
        if identity.version_id(document_id, item.document.text) in {version.version_id for version in stored}:
            outcome = "unchanged"
        elif original := DuplicateFinder(self._inventory, collection).original_of(item):
            outcome = "duplicate"
        else:
            before = next((version for version in reversed(stored) if _is_before(version, item)), None)
        facts = item.facts
        return PlannedDocument(
            path=item.document.name,
            outcome=outcome,
            title=f"{facts.title} {facts.part}".strip(),
            kind=facts.kind,
            number=facts.number,
            promulgated=facts.promulgated,
            effective_from=facts.effective_from,
            validity_source=facts.validity_source,
            chunks=sum(chunk.is_leaf for chunk in item.chunks),
            duplicate_of=original,
            superseded_version_id=before.version_id if before else None,
            counts=counts(self._amendments.against(before, places_of(item.document.text, item.chunks)))
            if before
            else None,
        )


def _is_before(version: Version, item: StagedDocument) -> bool:
    """Whether a stored version comes before this document in the order of versions (``ORDER_OF_VERSIONS``)."""
    stored = version.effective_from or NEVER, version.promulgated or NEVER
    return stored <= (item.facts.effective_from or NEVER, item.facts.promulgated or NEVER)
