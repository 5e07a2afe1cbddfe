"""A small home, ways to fill it, and what of it a user can see: its state."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ragsvc.domains.pack import find_pack
from ragsvc.indexing import GenerationFolder
from ragsvc.loading import ParserProcess
from ragsvc.pipelines.ingest import IngestPipeline, IngestReport, IngestRequest, Progress
from ragsvc.pipelines.sources import file_sources
from ragsvc.protocols import FloatArray
from ragsvc.records import ARMS, Arm, SearchRequest
from ragsvc.retrieval.searcher import Searcher
from ragsvc.store.catalogue import Catalogue
from ragsvc.store.changes import Changes
from ragsvc.store.database import Database
from ragsvc.store.inventory import Inventory
from ragsvc.store.jobs import Jobs
from tests.doubles import WordEmbedder

SAMPLES = Path(__file__).resolve().parents[2] / "corpora" / "law"
LEASE_2018, LEASE_2024, CYCLES = (
    SAMPLES / name
    for name in (
        "青禾市住房租赁条例(2018-11-20).md",
        "青禾市住房租赁条例(2024-05-28).md",
        "青禾市电动自行车管理办法(2022-06-15).md",
    )
)
PRIVACY = SAMPLES / "riverton-tenant-privacy-act.md"
QUESTIONS = (
    "押金最多收几个月的租金",
    "房东多久退还押金",
    "青禾市住房租赁条例第五条",
    "青禾市电动自行车管理办法第三条",
    "人均居住面积",
    "电动自行车在哪里充电",
    "断水断电",
    "may a landlord enter the home",
    "温室气体排放报告",
    "渔船 休渔期",
)
DAYS = (date(2020, 1, 1), date(2026, 1, 1))


def made_law(title: str, day: date, *articles: str) -> str:
    """A regulation as a city prints it, in force one month after ``day``."""
    dates = f"{day.year}年{day.month}月{day.day}日青禾市人民政府公布，自{day.year}年{day.month + 1}月1日起施行"
    lines = (f"第{'一二三四五六七八九'[n]}条　{text}" for n, text in enumerate(articles))
    return "\n".join([title, "", f"（{dates}）", "", *lines, ""])


class CountingEmbedder(WordEmbedder):
    """Keeps every passage that it was asked to embed."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        self.texts += texts
        return super().embed_passages(texts)

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        return super().embed_passages(texts)


def go_on(_done: int, _total: int, _name: str) -> bool:
    return True


class Home:
    """Everything of one home that these tests look at."""

    def __init__(self, path: Path, embedder: CountingEmbedder | None = None) -> None:
        path.mkdir(exist_ok=True)
        self.path = path
        self.embedder = embedder or CountingEmbedder()
        self.database = Database(path / "catalogue.sqlite")
        self.generations = GenerationFolder(path / "generations")
        self.catalogue = Catalogue(self.database)
        self.inventory = Inventory(self.database)
        self.changes = Changes(self.database)
        self.jobs = Jobs(self.database)
        self.pipeline = IngestPipeline(path, self.database, self.embedder, self.generations)
        self.searcher = Searcher(
            self.catalogue,
            lambda name: self.generations.open(name, self.embedder.embedder_id),
            self.embedder,
            find_pack,
        )

    def ingest(self, *paths: Path, progress: Progress = go_on, **fields: Any) -> IngestReport:
        fields = {"collection": "law", "pack": find_pack("law"), "time_zone": "Asia/Shanghai"} | fields
        with ParserProcess() as parser, tempfile.TemporaryDirectory() as unpacked:
            sources = file_sources(paths, parser, Path(unpacked))
            return self.pipeline.run(sources, IngestRequest(**fields), progress)

    def remove(self, work: str) -> list[str]:
        """Remove the documents of a work; return their version ids."""
        found = [document for document in self.inventory.documents("law") if document.work == work]
        gone = [v.version_id for d in found for v in self.inventory.document_versions(d.document_id)]
        for document in found:
            self.changes.remove_document(document.document_id)
        return gone

    def generation_ids(self) -> list[str]:
        """Newest first."""
        return [generation.generation_id for generation in self.inventory.generations()]

    def damage(self) -> list[str]:
        """What ``ragsvc index verify`` says."""
        return [*self.database.check(), *map(str, self.generations.verify(self.generation_ids()))]

    def rows(self) -> list[tuple[Any, ...]]:
        """The live rows as a user sees them: collections, works, names, versions, chunks; no ordinals, no times."""
        live = "FROM versions v JOIN documents d ON d.ordinal = v.document JOIN works w ON w.ordinal = d.work"
        queries = (
            f"SELECT DISTINCT w.title, w.kind, w.issuer, w.number {live} WHERE v.state = 'live'",
            f"""SELECT DISTINCT w.title, n.name_key {live} JOIN work_names n ON n.work = w.ordinal
                WHERE v.state = 'live'""",
            f"""SELECT w.title, d.document_id, d.part, v.version_id, v.name, v.text, v.media_type, v.language,
                v.source_sha256, v.chunked_by, v.promulgated, v.effective_from, v.effective_to, v.superseded_from,
                v.validity_source {live} WHERE v.state = 'live'""",
            """SELECT c.chunk_id, c.position, c.kind, c.start, c."end", c.locator, c.address, c.heading_path, c.parent
               FROM chunks c JOIN versions v ON v.ordinal = c.version WHERE v.state = 'live'""",
        )
        with self.database.read() as connection:
            found = [connection.execute(sa.text(query)).all() for query in queries]
        collections = [(c.name, c.domain, c.time_zone, c.model, c.n_documents) for c in self.inventory.collections()]
        return collections + [tuple(row) for rows in found for row in sorted(rows, key=str)]

    def answers(self) -> list[Any]:
        """What each arm alone answers today, and all together on a day in the past."""
        if not self.generation_ids():
            return []
        asked: tuple[tuple[date, tuple[Arm, ...]], ...] = (
            (DAYS[1], ("lexical",)),
            (DAYS[1], ("dense",)),
            (DAYS[0], ARMS),
        )
        found: list[Any] = []
        for question in QUESTIONS:
            for day, arms in asked:
                request = SearchRequest(question=question, collections=(), as_of=day, k=5, arms=arms)
                result = self.searcher.search(request)
                passages = [(p.chunk_id, p.start, p.end, p.text, round(p.score, 3)) for p in result.passages]
                found.append((question, day, arms, passages, result.missing))
        return found

    def state(self) -> tuple[list[Any], list[Any]]:
        """Two homes are in the same state when these are equal."""
        return self.rows(), self.answers()

    def close(self) -> None:
        self.database.close()
