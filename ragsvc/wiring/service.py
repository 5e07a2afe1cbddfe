"""A home, open: what the HTTP interface, the command line and a program that embeds ragsvc can do with it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from zoneinfo import available_timezones

from msgspec import to_builtins

from ragsvc.domains.pack import DomainPack, find_pack
from ragsvc.embedding import open_embedder
from ragsvc.errors import InvalidInput, RagsvcError
from ragsvc.generation import ChatModels
from ragsvc.indexing import Generation, GenerationFolder
from ragsvc.loading import LoadingLimits, ParserProcess
from ragsvc.loading.limits import MIB
from ragsvc.pipelines.amendments import Amendments
from ragsvc.pipelines.answer import AnswerParts, AnswerPipeline
from ragsvc.pipelines.ingest import IngestPipeline, IngestReport, IngestRequest, Progress
from ragsvc.pipelines.jobs import IngestPayload, JobRunner
from ragsvc.pipelines.sources import Source
from ragsvc.pipelines.thresholds import check_thresholds, fitted_thresholds
from ragsvc.pipelines.verify import Verifier
from ragsvc.protocols import Embedder
from ragsvc.records import Answer, AnswerEvent, AskRequest, SearchRequest, SearchResult
from ragsvc.retrieval.interaction import open_reranker
from ragsvc.retrieval.searcher import Searcher
from ragsvc.security.urls import is_url
from ragsvc.settings import Settings, read_settings
from ragsvc.store.assistants import Assistants
from ragsvc.store.catalogue import Catalogue
from ragsvc.store.changes import Changes
from ragsvc.store.conversations import Conversations
from ragsvc.store.database import Database
from ragsvc.store.inventory import Inventory
from ragsvc.store.jobs import Jobs
from ragsvc.store.keys import Keys
from ragsvc.store.limits import Limits
from ragsvc.store.passing import PassingFile
from ragsvc.store.receipts import Receipts
from ragsvc.store.rows import Collection, Document, Job, Version, VersionText
from ragsvc.store.tickets import Tickets
from ragsvc.strategies import choose_strategy
from ragsvc.wiring.access import Access
from ragsvc.wiring.assistants import AssistantCare
from ragsvc.wiring.conversations import ConversationCare
from ragsvc.wiring.feedback import ReaderFeedback
from ragsvc.wiring.index_care import IndexCare
from ragsvc.wiring.ingesting import Ingesting, IngestTools
from ragsvc.wiring.network import Network

ENTRIES_PER_MB = 50
"""Files that an archive may have for each MB of ``max_unpacked_mb``: of 20 kB each, as statutes are."""


def open_service(settings: Settings | Path | str | None = None) -> Service:
    """Open a home, made now if it is new.

    Args:
        settings: all settings, or just the home's folder; None = from ``ragsvc.toml`` and ``RAGSVC_*``.

    Raises:
        SettingsError: a setting is wrong.
        IndexDamaged: the catalogue is damaged.
    """
    if not isinstance(settings, Settings):
        settings = read_settings(home=settings)
    return Service(settings)


class Service:
    """One home, open. What is expensive is built when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        settings.home.mkdir(parents=True, exist_ok=True)
        self.database = Database(settings.home / "catalogue.sqlite")
        self.catalogue = Catalogue(self.database)
        self.inventory = Inventory(self.database)
        self.changes = Changes(self.database)
        self.jobs = Jobs(self.database)
        self.keys = Keys(self.database)
        self.tickets = Tickets(self.database)
        self.passing = PassingFile(settings.home / "passing.sqlite")
        self.limits = Limits(self.passing)
        self.receipts = Receipts(self.database)

    def close(self) -> None:
        """Let go of files and processes."""
        self.parser.close()
        self.passing.close()
        self.database.close()

    # --- parts ---

    @cached_property
    def embedder(self) -> Embedder:
        """The configured encoder, loaded."""
        return open_embedder(self.settings.embedder)

    @cached_property
    def generations(self) -> GenerationFolder:
        """The index generations of this home."""
        root = self.settings.home / "generations"
        return GenerationFolder(root, self.settings.faiss_index, self.settings.keep_generations)

    @cached_property
    def parser(self) -> ParserProcess:
        """The confined process that reads everything but plain text; started by the first file that needs it."""
        settings = self.settings
        limits = LoadingLimits(
            file_bytes=settings.max_file_mb * MIB,
            seconds=settings.parse_timeout_s,
            memory_bytes=settings.parse_memory_mb * MIB,
            expanded_bytes=settings.max_unpacked_mb * MIB,
            zip_entries=settings.max_unpacked_mb * ENTRIES_PER_MB,
        )
        return ParserProcess(limits)

    @cached_property
    def searcher(self) -> Searcher:
        """Question to passages."""
        return self.open_searcher(self.settings.rerank)

    def open_searcher(self, rerank: str) -> Searcher:
        """Question to passages, with this reranker instead of the setting's; empty = none."""
        reranker = open_reranker(rerank, self.embedder)
        return Searcher(self.catalogue, self._open_generation, self.embedder, find_pack, reranker)

    @cached_property
    def answers(self) -> AnswerPipeline:
        """Question to answer."""
        parts = AnswerParts(
            searcher=self.searcher,
            embedder=self.embedder,
            find_collections=self.catalogue.find_collections,
            open_chat_model=self.chat_models.open,
            read_text=lambda version_id, start, end: self.catalogue.version_text(version_id, start, end).text,
            abstention=fitted_thresholds(),
            default_model=self.settings.model,
            default_strategy=self.settings.strategy,
            fallback_models=self.chat_models.fallbacks(),
            inventory=self.inventory,
        )
        return AnswerPipeline(parts)

    @cached_property
    def verifier(self) -> Verifier:
        """Any text to its claims, each compared with the sources."""
        return Verifier(self.catalogue, self._open_generation, find_pack)

    def _open_generation(self, generation_id: str) -> Generation:
        return self.generations.open(generation_id, self.embedder.embedder_id)

    @cached_property
    def chat_models(self) -> ChatModels:
        """The chat models that can be named."""
        return ChatModels(self.settings)

    @cached_property
    def index_care(self) -> IndexCare:
        """Verify, rebuild, roll back and prune the index generations."""
        return IndexCare(self.settings.home, self.database, self.generations, self._ingest_pipeline)

    @cached_property
    def ingesting(self) -> Ingesting:
        """Ingest, and say beforehand what that would do."""
        tools = IngestTools(
            parser=lambda: self.parser,
            fetcher=lambda: self.network.documents,
            embedder=lambda: self.embedder,
            pipeline=self._ingest_pipeline,
        )
        return Ingesting(self.inventory, self.receipts, self.settings.time_zone, tools)

    @cached_property
    def amendments(self) -> Amendments:
        """What versions changed in those before them."""
        return Amendments(self.inventory, self.receipts)

    @cached_property
    def network(self) -> Network:
        """What may be fetched."""
        return Network(self.settings)

    @cached_property
    def conversations(self) -> ConversationCare:
        """Questions in conversations that are kept."""
        stored = Conversations(self.database, self.settings.conversation_days)
        return ConversationCare(stored, self.stream, self.settings.conversations)

    @cached_property
    def assistants(self) -> AssistantCare:
        """Profiles that bundle what a question is answered with."""
        return AssistantCare(
            Assistants(self.database), self.catalogue.find_collections, self.chat_models, self.settings.model
        )

    @cached_property
    def access(self) -> Access:
        """Make keys and say where they reach."""
        return Access(self.keys)

    @cached_property
    def feedback(self) -> ReaderFeedback:
        """What readers say about answers, and what they asked in vain."""
        return ReaderFeedback(self.database, self.passing, self.settings)

    # --- questions ---

    def set_collection(
        self,
        name: str,
        *,
        time_zone: str | None = None,
        model: str | None = None,
        strategy: str | None = None,
        abstention: str | None = None,
    ) -> None:
        """Change how a collection is read or answered; an empty model or strategy is the service's.

        ``abstention`` is TOML as 'evaluate abstention --write' makes it; empty = the thresholds of the domain.

        Raises:
            NotFound: no such collection or model.
            InvalidInput: no such time zone or strategy, a strategy that needs another model, or thresholds that were
                fitted for another encoder.
        """
        (known,) = self.catalogue.find_collections([name])
        if model:
            self.chat_models.find(model)
        if strategy:
            choose_strategy(strategy, (known.model if model is None else model) or self.settings.model)
        if time_zone is not None and time_zone not in available_timezones():
            raise InvalidInput(f"time zone {time_zone!r} is unknown; write it like Asia/Shanghai")
        if abstention:
            check_thresholds(abstention, self.embedder.embedder_id)
        self.changes.set_collection(name, time_zone=time_zone, model=model, strategy=strategy, abstention=abstention)

    async def ask(self, request: AskRequest) -> Answer:
        """Answer a question.

        Raises:
            NotFound: a collection or model is unknown.
            UpstreamFailed: the model failed; the passages are on the error.
        """
        return await self.answers.answer(request)

    def stream(self, request: AskRequest) -> AsyncIterator[AnswerEvent]:
        """Answer a question event by event; closing the iterator cancels the model."""
        return self.answers.stream(request)

    def search(self, request: SearchRequest) -> SearchResult:
        """Find passages."""
        return self.searcher.search(request)

    def lookup(self, citation: str, collections: Sequence[str], as_of: date | None = None) -> SearchResult:
        """Resolve a citation exactly: its passages, or what of it does not exist."""
        return self.searcher.search(
            SearchRequest(question=citation, collections=tuple(collections), as_of=as_of, arms=("address",))
        )

    def version_text(self, version_id: str, start: int = 0, end: int | None = None) -> VersionText:
        """Return ``text[start:end]`` of a version, to check a citation against."""
        return self.catalogue.version_text(version_id, start, end)

    # --- what is here ---

    def collections(self) -> list[Collection]:
        """Return every collection with what is in it."""
        return self.inventory.collections()

    def documents(self, collection: str, offset: int = 0, limit: int = 100, matching: str = "") -> list[Document]:
        """Return a page of a collection's documents, by title; ``matching`` is part of a title or file name."""
        return self.inventory.documents(collection, offset, limit, matching)

    def document(self, document_id: str) -> Document:
        """Return one document."""
        return self.inventory.document(document_id)

    def document_versions(self, document_id: str) -> list[Version]:
        """Return the versions of a document, oldest first."""
        return self.inventory.document_versions(document_id)

    def delete_document(self, document_id: str) -> int:
        """Remove a document from every arm and every answer, at once and for good."""
        return self.changes.remove_document(document_id)

    def job(self, job_id: str) -> Job:
        """Return one job."""
        return self.jobs.get(job_id)

    def cancel_job(self, job_id: str) -> Job:
        """Ask a job to stop; of one that had not begun, the uploaded files go as well."""
        job = self.jobs.cancel(job_id)
        if job.status == "cancelled" and (folder := job.payload.get("uploads")):
            shutil.rmtree(folder, ignore_errors=True)
        return job

    # --- ingest ---

    def ingest(
        self,
        paths: Sequence[Path | str],
        collection: str,
        *,
        domain: str | None = None,
        effective_from: date | None = None,
        wait: bool = False,
        progress: Progress | None = None,
    ) -> IngestReport:
        """Ingest files, folders and what is at addresses (http, https; also a sitemap) now, as a job of this process.

        Raises:
            UnreadableFile: a path does not exist.
            WriterBusy: another process is writing and ``wait`` is False.
        """
        payload = IngestPayload(
            paths=[str(path) if is_url(str(path)) else str(Path(path).resolve()) for path in paths],
            collection=collection,
            domain=domain,
            effective_from=effective_from,
            wait=wait,
        )
        return self.run_ingest(payload, progress)

    def run_ingest(self, payload: IngestPayload, progress: Progress | None = None) -> IngestReport:
        """Do an ingest job now, in this process; raises as ``ingest``."""
        self.ingesting.domain_of(payload.collection, payload.domain)
        runner = self.job_runner()
        report = runner.run(runner.start(payload), progress or (lambda _done, _total, _name: True))
        assert report is not None  # errors are raised when progress is given
        return report

    def ingest_sources(self, sources: list[Source], collection: str, pack: DomainPack) -> IngestReport:
        """Ingest documents that are not files, with a pack of the caller's; copies go in as well."""
        zone = self.settings.time_zone
        request = IngestRequest(collection=collection, pack=pack, time_zone=zone, wait=True, takes_copies=True)
        return self._ingest_pipeline().run(sources, request, lambda _done, _total, _name: True)

    def submit_upload(
        self,
        collection: str,
        files: Sequence[tuple[str, Path]],
        domain: str | None = None,
        effective_from: date | None = None,
    ) -> Job:
        """Queue uploaded files; they are moved, under their given names, and deleted when the job is done.

        Args:
            collection: where they go.
            files: (name to show, path) of each; the paths lie in this home's file system.
            domain: of a new collection.
            effective_from: first day in force, whatever the texts state.
        """
        self.ingesting.domain_of(collection, domain)
        folder = self.settings.home / "uploads" / uuid.uuid4().hex
        paths = []
        for number, (name, path) in enumerate(files):
            target = folder / str(number) / name
            target.parent.mkdir(parents=True)
            shutil.move(path, target)
            paths.append(str(target.resolve()))
        payload = IngestPayload(
            paths=paths, collection=collection, domain=domain, effective_from=effective_from, uploads=str(folder)
        )
        return self.jobs.submit("ingest", to_builtins(payload), len(paths))

    def job_runner(self) -> JobRunner:
        """Return a worker for this home's queue."""
        return JobRunner(self.jobs, self.ingesting.run, lambda folder: shutil.rmtree(folder, ignore_errors=True))

    def _ingest_pipeline(self) -> IngestPipeline:
        return IngestPipeline(self.settings.home, self.database, self.embedder, self.generations)

    # --- health ---

    def trained_on(self) -> list[str]:
        """Return the names of the data sets that the encoder was trained on, as its model card says."""
        return list(getattr(self.embedder, "trained_on", ()))

    def ready(self) -> tuple[bool, str]:
        """Whether questions can be answered, and if not, why."""
        try:
            snapshot = self.catalogue.snapshot(())
            if not snapshot.generation_id:
                return False, "nothing was ingested yet"
            self._open_generation(snapshot.generation_id)
        except (RagsvcError, OSError) as error:
            return False, str(error)
        return True, ""
