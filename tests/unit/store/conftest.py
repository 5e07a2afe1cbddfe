"""A small home, filled through ``Staging`` as an ingest would."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from ragsvc.records import Chunk, DocumentFacts, LoadedDocument
from ragsvc.store.database import Database
from ragsvc.store.staging import StagedDocument, Staging

EMBEDDER = "test-embedder"
DIM = 4

Ingest = Callable[..., int]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "catalogue.sqlite")


def staged(title: str, *lines: str, effective_from: date | None = None, name: str = "") -> StagedDocument:
    """A law of one article a line."""
    text = "\n".join(lines) + "\n"
    chunks, start = [], 0
    for number, line in enumerate(lines, start=1):
        end = start + len(line) + 1
        chunks.append(Chunk(kind="article", start=start, end=end, locator=f"第{number}条", address=str(number)))
        start = end
    return StagedDocument(
        document=LoadedDocument(
            name=name or f"{title}.txt",
            text=text,
            media_type="text/plain",
            source_sha256=hashlib.sha256(text.encode()).hexdigest(),
        ),
        facts=DocumentFacts(title=title, kind="法律", effective_from=effective_from, validity_source="stated"),
        chunks=tuple(chunks),
        windows=tuple((f"{title}\n{line}",) for line in lines),
        work_key=title,
        name_keys=(title,),
        document_key="",
        chunked_by="test-1",
    )


@pytest.fixture
def ingest(database: Database) -> Ingest:
    """Stage documents and commit them as one generation; returns how many vectors were computed."""

    def run(generation: str, *items: StagedDocument, collection: str = "law") -> int:
        staging = Staging(database, "job", EMBEDDER)
        staging.discard_leftovers()
        opened = staging.open_collection(collection, "law", "Asia/Shanghai")
        missing = staging.missing_vectors(text for item in items for windows in item.windows for text in windows)
        vectors = np.eye(DIM, dtype=np.float32)
        embedded = {text: vectors[i % DIM] for i, text in enumerate(missing)}
        staging.stage(opened, items, embedded)
        staging.commit(generation, 0)
        return len(missing)

    return run
