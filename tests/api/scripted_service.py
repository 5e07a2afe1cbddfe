"""A service whose answers a test writes down: one law, two collections, and a model that does what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path

import pytest

from ragsvc.errors import NotFound
from ragsvc.indexing import GenerationFolder
from ragsvc.model_catalogue.catalogue import ChatCard, find_model
from ragsvc.pipelines.amendments import Amendments
from ragsvc.pipelines.verify import Verification, VerifiedClaim
from ragsvc.records import (
    Answer,
    AnswerDone,
    AnswerEvent,
    AnswerFailed,
    AskRequest,
    Citation,
    CitationChecked,
    MissingAddress,
    Passage,
    PassagesFound,
    Scores,
    SearchRequest,
    SearchResult,
    TextReleased,
    Usage,
)
from ragsvc.settings import Settings
from ragsvc.store.assistants import Assistants
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
from ragsvc.wiring.access import Access
from ragsvc.wiring.assistants import AssistantCare
from ragsvc.wiring.conversations import ConversationCare
from ragsvc.wiring.feedback import ReaderFeedback
from ragsvc.wiring.index_care import IndexCare
from ragsvc.wiring.network import Network

TEXT = "第五百七十七条　当事人一方不履行合同义务的，应当承担违约责任。"
QUOTE = "应当承担违约责任"
COLLECTIONS = ("law", "secret")


class ScriptedModels:
    """Only the extractive answerer is listed; a name is found among the shipped ones."""

    def list(self) -> list[ChatCard]:
        return [find_model("extractive")]

    def find(self, name: str, *, listed_only: bool = False) -> ChatCard:
        return find_model(name, listed_only=listed_only)


class ScriptedVerifier:
    """Every text is one claim that the law supports."""

    def verify(self, text: str, collections: Sequence[str], as_of: date | None) -> Verification:
        claim = VerifiedClaim(text=text, start=0, end=len(text), status="SUPPORTED", citation=citation(), quote=QUOTE)
        return Verification(claims=(claim,), as_of=as_of or date(2024, 1, 1), index_generation="g1")


class ScriptedService:
    """Keys and jobs are real; the rest is fixed. Set the attributes to make the model misbehave."""

    def __init__(self, home: Path, **settings: object) -> None:
        self.settings = Settings(home=home, **settings)
        self.database = database = Database(home / "catalogue.sqlite")
        self.keys = Keys(database)
        self.tickets = Tickets(database)
        self.access = Access(self.keys)
        self.passing = PassingFile(home / "passing.sqlite")
        self.limits = Limits(self.passing)
        self.feedback = ReaderFeedback(database, self.passing, self.settings)
        self.jobs = Jobs(database)
        self.inventory = Inventory(database)
        self.amendments = Amendments(self.inventory, Receipts(database))
        generations = GenerationFolder(home / "generations", "Flat", 3)
        self.index_care = IndexCare(home, database, generations, lambda: pytest.fail("nothing is rebuilt here"))
        self.asked: list[AskRequest] = []
        self.searched: list[SearchRequest] = []
        self.uploaded: list[tuple[str, list[tuple[str, bytes]], str | None, date | None]] = []
        self.deleted: list[str] = []
        self.fault: AnswerFailed | Exception | None = None
        """What comes instead of the answer, after the passages."""
        self.pause_s = 0.0
        """Before each piece of text."""
        self.n_closed = 0
        """Answers whose stream has ended, in whatever way."""
        self.chat_models = ScriptedModels()
        self.network = Network(self.settings)
        self.verifier = ScriptedVerifier()
        self.is_ready = (True, "")
        self.conversations = ConversationCare(Conversations(database, 30), self.stream, self.settings.conversations)
        self.assistants = AssistantCare(Assistants(database), self._found, self.chat_models, "extractive")
        self.answer = answer
        """Writes the answer that comes when nothing fails."""

    async def stream(self, request: AskRequest) -> AsyncIterator[AnswerEvent]:
        self.asked.append(request)
        self._check(request.collections)
        try:
            yield PassagesFound((passage(),))
            await asyncio.sleep(self.pause_s)
            if isinstance(self.fault, Exception):
                raise self.fault
            if self.fault:
                yield self.fault
                return
            yield CitationChecked(citation())
            for piece in ("应当承担", "违约责任", "[1]。\n"):
                yield TextReleased(piece)
                await asyncio.sleep(self.pause_s)
            yield AnswerDone(self.answer())
        finally:
            self.n_closed += 1

    def search(self, request: SearchRequest) -> SearchResult:
        self.searched.append(request)
        self._check(request.collections)
        return SearchResult(passages=(passage(),), index_generation="g1", timings_ms={"lexical": 0.5})

    def lookup(self, citation: str, collections: Sequence[str], as_of: date | None) -> SearchResult:
        self._check(collections)
        if "577" in citation:
            return SearchResult(passages=(passage(),), addressed=1, index_generation="g1")
        missing = MissingAddress(mention=citation, reason="no such article", work="民法典", nearest=("第五百七十七条",))
        return SearchResult(passages=(), missing=(missing,), index_generation="g1")

    def version_text(self, version_id: str) -> VersionText:
        if version_id not in COLLECTIONS:
            raise NotFound(f"no version {version_id!r}")
        return VersionText(version=version(version_id), text=TEXT, start=0, end=len(TEXT))

    def collections(self) -> list[Collection]:
        return [
            Collection(ordinal=n, name=name, domain="law", time_zone="Asia/Shanghai", model="")
            for n, name in enumerate(COLLECTIONS)
        ]

    def documents(self, collection: str, offset: int, limit: int, matching: str) -> list[Document]:
        self._check([collection])
        found = document(collection)
        return [found][offset : offset + limit] if matching in found.work else []

    def document(self, document_id: str) -> Document:
        if document_id not in COLLECTIONS or document_id in self.deleted:
            raise NotFound(f"no document {document_id!r}")
        return document(document_id)

    def delete_document(self, document_id: str) -> None:
        self.deleted.append(document_id)

    def document_versions(self, document_id: str) -> list[Version]:
        return [version(document_id)]

    def submit_upload(
        self, collection: str, files: list[tuple[str, Path]], domain: str | None, effective_from: date | None
    ) -> Job:
        contents = [(name, path.read_bytes()) for name, path in files]
        self.uploaded.append((collection, contents, domain, effective_from))
        return self.jobs.submit("ingest", {"collection": collection, "paths": []}, len(files))

    def job(self, job_id: str) -> Job:
        return self.jobs.get(job_id)

    def cancel_job(self, job_id: str) -> Job:
        return self.jobs.cancel(job_id)

    def ready(self) -> tuple[bool, str]:
        return self.is_ready

    def _found(self, names: Sequence[str]) -> list[Collection]:
        self._check(names)
        return [collection for collection in self.collections() if collection.name in names]

    def _check(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in COLLECTIONS:
                raise NotFound(f"there is no collection {name!r}")


def passage() -> Passage:
    return Passage(
        collection="law",
        work="中华人民共和国民法典",
        title="中华人民共和国民法典",
        locator="第五百七十七条",
        heading_path=("第三编 合同",),
        document_id="law",
        version_id="law",
        chunk_id="c577",
        start=0,
        end=len(TEXT),
        text=TEXT,
        effective_from=date(2021, 1, 1),
        effective_to=None,
        validity_source="stated",
        url=None,
        score=0.9,
        scores=Scores(lexical=7.5, dense=0.6, fused=0.9),
    )


def citation() -> Citation:
    start = TEXT.index(QUOTE)
    return Citation(
        marker="[1]",
        collection="law",
        work="中华人民共和国民法典",
        title="中华人民共和国民法典",
        locator="第五百七十七条",
        document_id="law",
        version_id="law",
        quote=QUOTE,
        start=start,
        end=start + len(QUOTE),
        effective_from=date(2021, 1, 1),
        effective_to=None,
        validity_source="stated",
        url=None,
        score=0.9,
    )


def answer() -> Answer:
    return Answer(
        answer_id="a1",
        answer="应当承担违约责任[1]。\n",
        citations=(citation(),),
        passages=(passage(),),
        abstained=False,
        reason=None,
        disclaimer="不构成法律意见。",
        model="extractive",
        strategy="direct",
        index_generation="g1",
        timings_ms={"retrieve": 3.0, "generate": 10.0},
        usage=Usage(),
    )


def version(name: str) -> Version:
    return Version(
        ordinal=1,
        version_id=name,
        document_id=name,
        collection=name,
        work="中华人民共和国民法典",
        title="中华人民共和国民法典",
        name="民法典.md",
        promulgated=date(2020, 5, 28),
        effective_from=date(2021, 1, 1),
        effective_to=None,
        validity_source="stated",
        length=len(TEXT),
    )


def document(name: str) -> Document:
    return Document(
        document_id=name,
        collection=name,
        work="中华人民共和国民法典",
        part="",
        kind="法律",
        issuer="",
        number="",
        name="民法典.md",
        version_id=name,
        n_versions=1,
        n_chunks=1,
        effective_from=date(2021, 1, 1),
        effective_to=None,
        validity_source="stated",
    )
