"""A catalogue of real laws, staged and committed as an ingest does it, without vectors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec import Struct

from ragsvc.domains.law.addresses import LawGrammar
from ragsvc.domains.law.chunker import LawChunker
from ragsvc.loading import load_file
from ragsvc.records import LoadedDocument
from ragsvc.retrieval.addresses import AddressResolver, Resolution
from ragsvc.store.catalogue import Catalogue
from ragsvc.store.database import Database
from ragsvc.store.rows import Snapshot
from ragsvc.store.staging import StagedDocument, Staging


class LawHome(Struct, frozen=True):
    """Real laws, ready to be asked."""

    catalogue: Catalogue
    resolver: AddressResolver
    snapshot: Snapshot
    articles: dict[str, list[str]]
    """Title of a work -> addresses of its articles, of works that have one version here."""

    def resolve(self, question: str) -> Resolution:
        return self.resolver.resolve(question, self.snapshot)


def staged(document: LoadedDocument) -> StagedDocument:
    chunker = LawChunker()
    facts = chunker.describe(document)
    chunks = tuple(chunker.chunk(document, facts))
    keys = LawGrammar().name_keys(facts)
    return StagedDocument(
        document=document,
        facts=facts,
        chunks=chunks,
        windows=((),) * len(chunks),
        work_key=keys[0],
        name_keys=tuple(keys),
        document_key=facts.part,
        chunked_by="law",
    )


def home_of(folder: Path, files: Iterable[Path]) -> LawHome:
    items = [staged(load_file(path)) for path in files]
    database = Database(folder / "catalogue.sqlite")
    staging = Staging(database, "job", "none")
    collection = staging.open_collection("law", "law", "Asia/Shanghai")
    staging.stage(collection, items, {})
    staging.commit("generation", 0)
    catalogue = Catalogue(database)
    parts = [(item.facts.title, item.facts.part) for item in items]
    articles: dict[str, list[str]] = {}
    for item, part in zip(items, parts, strict=True):
        if parts.count(part) == 1:
            found = [c.address for c in item.chunks if c.kind == "article" and c.address]
            articles.setdefault(item.facts.title, []).extend(found)
    resolver = AddressResolver(catalogue, LawGrammar())
    return LawHome(catalogue, resolver, catalogue.snapshot(["law"]), articles)


@pytest.fixture(scope="session")
def laws(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> LawHome:
    """Every Markdown statute of the shared data (the Civil Code in its eight files) and the local regulations."""
    corpora = shared_data / "corpora"
    files = [*(corpora / "laws_zh_md").rglob("*.md"), *(corpora / "laws_zh_local_txt").glob("*.txt")]
    return home_of(tmp_path_factory.mktemp("laws"), sorted(path for path in files if path.name != "README.md"))
