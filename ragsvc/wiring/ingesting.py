"""From an ingest job's payload to its sources, for doing it and for looking ahead."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from ragsvc.domains.pack import find_pack
from ragsvc.errors import InvalidInput
from ragsvc.loading import ParserProcess
from ragsvc.loading.fetch import Fetcher
from ragsvc.pipelines.ingest import IngestPipeline, IngestReport, IngestRequest, Progress
from ragsvc.pipelines.jobs import IngestPayload
from ragsvc.pipelines.preview import IngestPreview, IngestPreviewer
from ragsvc.pipelines.sources import Source, find_sources
from ragsvc.protocols import Embedder
from ragsvc.store.inventory import Inventory
from ragsvc.store.receipts import Receipts


class IngestTools(Struct, frozen=True, kw_only=True):
    """What is opened when the first job needs it."""

    parser: Callable[[], ParserProcess]
    fetcher: Callable[[], Fetcher]
    embedder: Callable[[], Embedder]
    pipeline: Callable[[], IngestPipeline]


class Ingesting:
    """Ingests into one home."""

    def __init__(self, inventory: Inventory, receipts: Receipts, time_zone: str, tools: IngestTools) -> None:
        self._inventory = inventory
        self._receipts = receipts
        self._time_zone = time_zone
        self._tools = tools

    def run(self, payload: IngestPayload, job_id: str, progress: Progress) -> IngestReport:
        """Do what a job's payload says."""
        with self._sources(payload, job_id) as (sources, request):
            return self._tools.pipeline().run(sources, request, progress)

    def preview(self, payload: IngestPayload, progress: Progress | None = None) -> IngestPreview:
        """Say what an ingest would do; nothing is written.

        Raises:
            UnreadableFile: a path does not exist.
        """
        previewer = IngestPreviewer(self._inventory, self._receipts, self._tools.embedder())
        with self._sources(payload, "") as (sources, request):
            return previewer.run(sources, request, progress or (lambda _done, _total, _name: True))

    @contextmanager
    def _sources(self, payload: IngestPayload, job_id: str) -> Iterator[tuple[list[Source], IngestRequest]]:
        request = IngestRequest(
            collection=payload.collection,
            pack=find_pack(self.domain_of(payload.collection, payload.domain)),
            time_zone=self._time_zone,
            effective_from=payload.effective_from,
            job_id=job_id,
            wait=payload.wait,
        )
        with tempfile.TemporaryDirectory(prefix="ragsvc-unpacked-") as unpacked:
            parser, fetcher = self._tools.parser(), self._tools.fetcher()
            yield find_sources(payload.paths, parser, fetcher, Path(unpacked), payload.wanted), request

    def domain_of(self, collection: str, domain: str | None) -> str:
        """Return the collection's domain; a new one needs to be told.

        Raises:
            InvalidInput: the collection has another domain, or the domain is unknown.
        """
        known = next((c.domain for c in self._inventory.collections() if c.name == collection), None)
        if known and domain and known != domain:
            raise InvalidInput(f"collection {collection!r} is of domain {known!r}; {domain!r} was asked for")
        found = known or domain or "general"
        find_pack(found)
        return found
