"""Documents in: load -> describe -> chunk -> embed what is new -> stage -> new index generation -> commit.

The steps before the commit leave nothing that a reader sees. Killed at any point, the home is in its old
state or in the new one; what was embedded so far is kept and not embedded again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ragsvc.chunking.passages import embedded_texts
from ragsvc.domains.pack import DomainPack
from ragsvc.domains.works import inherit_validity
from ragsvc.errors import IndexMismatch, RagsvcError, UnreadableFile
from ragsvc.pipelines.amendments import Amendment, Amendments
from ragsvc.pipelines.duplicates import Duplicate, DuplicateFinder
from ragsvc.pipelines.preparing import chunked_by, prepare
from ragsvc.pipelines.sources import Source
from ragsvc.protocols import Embedder
from ragsvc.records import Chunk, DocumentFacts
from ragsvc.store.changes import Changes
from ragsvc.store.database import Database
from ragsvc.store.index_contents import IndexContents, texts_to_embed
from ragsvc.store.inventory import Inventory
from ragsvc.store.receipts import Receipts
from ragsvc.store.rows import Collection, Generation
from ragsvc.store.staging import StagedDocument, Staging
from ragsvc.store.writer_lock import writer_lock

BATCH_CHUNKS = 4000
"""Chunks embedded and staged together: one transaction each, and what a kill can cost."""


class Quarantined(Struct, frozen=True):
    """A file that was left out."""

    path: str
    reason: str


class Inferred(Struct, frozen=True):
    """A document whose first day in force was concluded, not stated: worth a librarian's look."""

    path: str
    title: str
    effective_from: date | None


class IngestReport(Struct, kw_only=True):
    """What one ingest did. ``documents`` are those that went in or were there already."""

    documents: int = 0
    chunks: int = 0
    embedded: int = 0
    unchanged: int = 0
    quarantined: list[Quarantined] = []
    inferred: list[Inferred] = []
    duplicates: list[Duplicate] = []
    """Files that say what is stored already; they count as unchanged."""
    amendments: list[Amendment] = []
    """What new versions changed in those before them."""
    seconds: float = 0.0
    cancelled: bool = False
    index_generation: str = ""


class IngestRequest(Struct, frozen=True, kw_only=True):
    """What to ingest, into what. ``effective_from`` overrides what the documents state."""

    collection: str
    pack: DomainPack
    time_zone: str
    effective_from: date | None = None
    job_id: str = ""
    wait: bool = False
    takes_copies: bool = False
    """Whether a document goes in that says what is stored already: those of a labelled set are told apart by name."""


Progress = Callable[[int, int, str], bool]
"""Called as (files done, files in all, name of the next); returns False to stop."""


class GenerationFolder(Protocol):
    """Where index generations live; ``indexing.folder`` is the one there is."""

    def write(self, generation_id: str, previous: str | None, contents: IndexContents, change_number: int) -> int:
        """Write a generation, synced to disk, and return its number of chunks. ``previous``: start from that one."""
        ...

    @property
    def keep(self) -> int:
        """How many generations stay."""
        ...

    def sweep(self, known: Sequence[str]) -> None:
        """Delete every generation but these, and what killed writers left; one that a reader holds stays."""
        ...


class IngestPipeline:
    """Ingests into one home.

    Args:
        home: folder of the catalogue, for the writer lock.
        database: its catalogue.
        embedder: what turns texts into vectors.
        generations: writes and sweeps index generations.
    """

    def __init__(self, home: Path, database: Database, embedder: Embedder, generations: GenerationFolder) -> None:
        self._home = home
        self._database = database
        self._embedder = embedder
        self._generations = generations
        self._amendments = Amendments(Inventory(database), Receipts(database))

    def run(self, sources: list[Source], request: IngestRequest, progress: Progress) -> IngestReport:
        """Ingest all sources in one commit; a source that cannot be read is quarantined, the rest goes in.

        Raises:
            WriterBusy: another process is writing this home.
            IndexMismatch: the index was built by another embedder.
            RagsvcError: the embedder gave no usable vectors, or the disk is full; nothing went in.
        """
        started = time.perf_counter()
        current = self._current()
        report = IngestReport(index_generation=current.generation_id if current else "")
        job = request.job_id or f"ingest into {request.collection}"
        with writer_lock(self._home, job, wait=request.wait):
            self._check_embedder()
            staging = Staging(self._database, request.job_id, self._embedder.embedder_id)
            staging.discard_leftovers()
            self._sweep()
            collection = staging.open_collection(request.collection, request.pack.name, request.time_zone)
            documents = self._prepared(sources, collection, staging, request, report, progress)
            finder = None if request.takes_copies else DuplicateFinder(Inventory(self._database), collection.name)
            self._take_in(documents, finder, collection, staging, report)
            if report.cancelled:
                staging.discard_leftovers()
            elif staging.has_staged():
                report.index_generation = self._publish(staging)
                report.inferred = [Inferred(*row) for row in staging.inferred()]
                self._sweep()
            else:
                staging.commit_validity()
            if request.job_id and not report.cancelled:  # a job that was resumed reports what it did before as well
                report.amendments = self._amendments.of_job(request.job_id)
        report.seconds = round(time.perf_counter() - started, 3)
        return report

    def rebuild(self, *, wait: bool = False) -> str:
        """Write a new generation from the catalogue alone and return its id.

        Nothing is embedded that this embedder embedded before: with the one in use, nothing at all; with another,
        everything, beside the old vectors, and the switch is the commit.

        Raises:
            WriterBusy: another process is writing this home.
        """
        with writer_lock(self._home, "index rebuild", wait=wait):
            staging = Staging(self._database, "", self._embedder.embedder_id)
            staging.discard_leftovers()
            current = self._current()
            if current and current.embedder_id != self._embedder.embedder_id:
                self._embed_all(staging)
            generation = self._publish(staging, from_scratch=True)
            self._sweep()
        return generation

    def _embed_all(self, staging: Staging) -> None:
        items = texts_to_embed(self._database)
        for at in range(0, len(items), BATCH_CHUNKS):
            windows = []
            for item in items[at : at + BATCH_CHUNKS]:
                facts = DocumentFacts(title=item.title, part=item.part)
                chunk = Chunk(kind="passage", start=0, end=len(item.text), heading_path=item.heading_path)
                windows.append((item.chunk, embedded_texts(facts, chunk, item.text, self._embedder)))
            missing = staging.missing_vectors(text for _, texts in windows for text in texts)
            staging.add_windows(windows, self._embed(missing))

    def prune(self) -> int:
        """Delete generations beyond those kept and what only they used; return how many stay."""
        with writer_lock(self._home, "index prune"):
            Staging(self._database, "", self._embedder.embedder_id).discard_leftovers()
            kept = self._kept()
            Changes(self._database).prune(kept)
            self._generations.sweep(kept)
        return len(kept)

    # --- one document ---

    def _prepared(
        self,
        sources: list[Source],
        collection: Collection,
        staging: Staging,
        request: IngestRequest,
        report: IngestReport,
        progress: Progress,
    ) -> Iterator[StagedDocument]:
        known = staging.live_sources(collection)
        revision = chunked_by(request.pack)
        seen: set[str] = set()
        for done, source in enumerate(sources):
            if not progress(done, len(sources), source.name):
                report.cancelled = True
                return
            try:
                sha256 = source.sha256()
                if version := known.get((sha256, revision)):
                    if request.effective_from:
                        staging.restate(version, request.effective_from)
                    report.unchanged += 1
                elif sha256 in seen:
                    report.unchanged += 1
                else:
                    prepared = prepare(source, request.pack, self._embedder, request.effective_from)
                    seen.add(sha256)
                    yield prepared
                    continue
                report.documents += 1
            except UnreadableFile as error:
                report.quarantined.append(Quarantined(source.name, error.reason))
            except OSError as error:
                report.quarantined.append(Quarantined(source.name, f"cannot be read: {error.strerror or error}"))
        progress(len(sources), len(sources), "")

    # --- one batch ---

    def _take_in(
        self,
        documents: Iterable[StagedDocument],
        finder: DuplicateFinder | None,
        collection: Collection,
        staging: Staging,
        report: IngestReport,
    ) -> None:
        """Embed and stage documents batch by batch; when it returns, none of them is in memory any more."""
        for batch in _batches(documents):
            new, same = finder.split(batch) if finder else (batch, [])
            report.duplicates += same
            report.documents += len(same)
            report.unchanged += len(same)
            report.embedded += self._embed_and_stage(staging, collection, new, report)

    def _embed_and_stage(
        self, staging: Staging, collection: Collection, batch: list[StagedDocument], report: IngestReport
    ) -> int:
        texts = (text for item in batch for windows in item.windows for text in windows)
        missing = staging.missing_vectors(texts)
        last = max(0, len(missing) - 1) // BATCH_CHUNKS * BATCH_CHUNKS
        for at in range(0, last, BATCH_CHUNKS):  # of a very long document: its vectors need not be here all at once
            staging.add_windows([], self._embed(missing[at : at + BATCH_CHUNKS]))
        new = staging.stage(collection, batch, self._embed(missing[last:]))
        report.documents += len(batch)
        report.unchanged += len(batch) - sum(new)
        report.chunks += sum(
            sum(chunk.is_leaf for chunk in item.chunks) for item, is_new in zip(batch, new, strict=True) if is_new
        )
        return len(missing)

    def _embed(self, texts: list[str]) -> dict[str, NDArray[np.float32]]:
        if not texts:
            return {}
        vectors = self._embedder.embed_passages(texts)
        if not np.isfinite(vectors).all():
            raise RagsvcError(f"embedder {self._embedder.embedder_id!r} gave vectors that are not finite numbers")
        return dict(zip(texts, vectors, strict=True))

    # --- the generation ---

    def _current(self) -> Generation | None:
        return next((g for g in Inventory(self._database).generations() if g.is_current), None)

    def _check_embedder(self) -> None:
        """Refuse before anything is embedded: one generation holds the vectors of one embedder."""
        current, configured = self._current(), self._embedder.embedder_id
        if current and current.embedder_id != configured:
            raise IndexMismatch(
                f"index generation {current.generation_id} was built by embedder {current.embedder_id!r}, configured "
                f"is {configured!r}: configure that one, or run 'ragsvc index rebuild --embedder NAME' first"
            )

    def _publish(self, staging: Staging, *, from_scratch: bool = False) -> str:
        current = self._current()
        change_number = staging.next_change_number()
        generation_id = f"{change_number:08d}-{uuid.uuid4().hex[:8]}"
        contents = IndexContents(self._database, self._embedder.embedder_id, self._embedder.dim)
        previous = current.generation_id if current and not from_scratch else None
        with self._database.read():  # columns and texts of one state, also when something is removed meanwhile
            n_chunks = self._generations.write(generation_id, previous, contents, change_number)
        staging.commit(generation_id, n_chunks, inherit_validity)
        return generation_id

    def _sweep(self) -> None:
        """Remove generations beyond those kept, and what no catalogue row names.

        Forgotten first, deleted then: killed in between, no row names a directory that is gone.
        """
        kept = self._kept()
        if len(kept) < len(Inventory(self._database).generations()):
            Changes(self._database).prune(kept)
        self._generations.sweep(kept)

    def _kept(self) -> list[str]:
        """The newest generations and, after a rollback, the current one."""
        found = Inventory(self._database).generations()
        return [g.generation_id for at, g in enumerate(found) if at < self._generations.keep or g.is_current]


def _batches(items: Iterable[StagedDocument]) -> Iterator[list[StagedDocument]]:
    batch: list[StagedDocument] = []
    size = 0
    for item in items:
        batch.append(item)
        size += len(item.chunks)
        if size >= BATCH_CHUNKS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
